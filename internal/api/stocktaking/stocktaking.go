// Package stocktaking answers what is asked of a stock-taking: it begins, ends and tells what
// was found, and has the readers count.
package stocktaking

import (
	"context"
	"net/http"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Books are where a stock-taking is kept.
type Books interface {
	Stock() (books.Stock, error)
	StartStock(actor string, source checkout.Source) (books.Stock, error)
	Counted(ref, reader, actor string, source checkout.Source) (ledger.SeenAt, error)
	FinishStock(correct bool, actor string, source checkout.Source) (books.Stock, error)
	CorrectStock(actor string, source checkout.Source) (books.Stock, error)
	UnknownTags() ([]books.SeenTag, error)
}

// Reader is a reader that counts.
type Reader interface {
	Count(ctx context.Context, on bool, seen int) error
}

// Desk answers.
type Desk struct {
	Books   Books
	Readers []Reader
	// Find finds a reader by its name.
	Find func(name string) (Reader, error)
	// Save saves the tags that nobody has and that were shown a moment ago.
	Save func()
}

// Show is the stock-taking that is under way, or the last one.
func (d Desk) Show(*http.Request) (any, error) { return d.answer(d.Books.Stock()) }

// Start begins one, or goes on with it: the readers count, or one of them.
func (d Desk) Start(r *http.Request, in *wire.StartStock) (any, error) {
	if in.Reader != "" {
		one, err := d.Find(in.Reader)
		if err != nil {
			return nil, err
		}
		d.Readers = []Reader{one}
	}
	by := identity.Of(r.Context())
	is, err := d.Books.StartStock(by.Name, by.Source)
	if err == nil {
		err = d.count(r.Context(), true, is.Seen)
	}
	return d.answer(is, err)
}

// Count notes that a device is here that nobody can bump.
func (d Desk) Count(r *http.Request, in *wire.Count) (any, error) {
	if in.Device == "" {
		return nil, &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("give the id or the name of a device", "device: it is missing")}
	}
	by := identity.Of(r.Context())
	got, err := d.Books.Counted(in.Device, "", by.Name, by.Source)
	return wire.Counted{Device: got.Device.Name, DeviceID: got.Device.ID, Again: got.Again, Seen: got.Seen}, err
}

// Finish ends it: the readers are as always again.
func (d Desk) Finish(r *http.Request, in *wire.FinishStock) (any, error) {
	by := identity.Of(r.Context())
	is, err := d.Books.FinishStock(in.Correct, by.Name, by.Source)
	if err == nil {
		err = d.count(r.Context(), false, 0)
	}
	return d.answer(is, err)
}

// Correct puts right what the last one has found.
func (d Desk) Correct(r *http.Request) (any, error) {
	by := identity.Of(r.Context())
	return d.answer(d.Books.CorrectStock(by.Name, by.Source))
}

// count has all readers count, or not.
func (d Desk) count(ctx context.Context, on bool, seen int) error {
	for _, r := range d.Readers {
		if err := r.Count(ctx, on, seen); err != nil {
			return err
		}
	}
	return nil
}

// answer is a stock-taking with the tags that nobody has.
func (d Desk) answer(is books.Stock, err error) (any, error) {
	var unknown []wire.Unknown
	if err == nil && !is.Begun.IsZero() {
		d.Save()
		unknown, err = d.unknown(is.Begun, is.Ended)
	}
	return wire.StockOf(is, unknown), err
}

// unknown are the tags that were shown last between two times; zero is now.
func (d Desk) unknown(from, to time.Time) (all []wire.Unknown, err error) {
	tags, err := d.Books.UnknownTags()
	for _, u := range tags {
		if !u.Last.Before(from) && (to.IsZero() || !u.Last.After(to)) {
			all = append(all, u)
		}
	}
	return all, err
}
