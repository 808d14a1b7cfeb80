package office

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/hub/store"
	"stump/internal/lab"
	labwire "stump/internal/lab/wire"
)

// keeper keeps the books of a lab: the office's, with the history of all stations, which is in
// the database. While that is away, the history is that of the office alone.
type keeper struct {
	books.Keeper
	own interface {
		OwnChain() (chain checkout.Hash, newest labwire.Link, err error)
		Appended() <-chan struct{}
		Newest() (string, error)
	}
	link  *lab.Link
	store *store.Store
	lab   func(context.Context) (int64, error)
}

// books returns the keeper of an office.
func (f *Office) books(d *daemon.Daemon) books.Keeper {
	return &keeper{Keeper: d.Ledger.Whole(), own: d.Ledger, link: d.Lab, store: f.o.Store,
		lab: func(ctx context.Context) (int64, error) { return f.o.Store.Lab(ctx, f.o.Config.Hub.Name, false) }}
}

const (
	// batch is how many events are read at once, and search how many for one page, as at a
	// station.
	batch, search = 500, 20_000
	// patience is how long what was done here may take until the database has it, and
	// answerIn how long that may take to answer.
	patience, answerIn = 2 * time.Second, 10 * time.Second
	// lookEvery is how often whoever watches is told of what changes nothing at the office, such as
	// a card that was refused at a station.
	lookEvery = 5 * time.Second
)

// told waits until the database has all that was done here. It is false where that takes too
// long, since it is away.
func (k *keeper) told(until context.Context) bool {
	for end := time.Now().Add(patience); ; {
		_, newest, err := k.own.OwnChain()
		if err != nil || k.link.Status().Failure != nil {
			return false
		}
		if seq, known := k.link.Told(); known && seq >= newest.Seq {
			return true
		}
		select {
		case <-until.Done():
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// History is books.Keeper's.
func (k *keeper) History(f books.HistoryFilter) iter.Seq2[books.Entry, error] {
	until := cmp.Or(f.Until, context.Background())
	if !k.told(until) {
		return k.ownHistory(f)
	}
	return func(yield func(books.Entry, error) bool) {
		if err := k.history(until, f, yield); errors.Is(err, store.ErrAway) && f.After == "" {
			for e, err := range k.Keeper.History(f) {
				if !yield(e, err) {
					return
				}
			}
		} else if err != nil {
			yield(books.Entry{}, err)
		}
	}
}

// ownHistory is that of the office, while the database is away.
func (k *keeper) ownHistory(f books.HistoryFilter) iter.Seq2[books.Entry, error] {
	return func(yield func(books.Entry, error) bool) {
		for e, err := range k.Keeper.History(f) {
			if _, other := errors.AsType[*books.CursorError](err); other {
				err = hint.Wrap(err, "the database of the lab does not answer now, and only it knows the events of other stations")
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// history passes the events of all stations on.
func (k *keeper) history(until context.Context, f books.HistoryFilter, yield func(books.Entry, error) bool) error {
	p := store.Past{Kind: f.Kind, Since: f.Since, After: f.After, Limit: batch}
	if f.Device != "" {
		d, err := k.FindDevice(f.Device)
		if err != nil {
			return err
		}
		p.Device = d.ID
	}
	if f.Person != "" {
		who, err := k.FindPerson(f.Person)
		if err != nil {
			return err
		}
		p.Person = who.ID
	}
	lab, err := k.lab(until)
	if err != nil {
		return err
	}
	for found, searched := 0, 0; ; {
		page, err := k.page(until, lab, p)
		if err != nil {
			return err
		}
		for _, e := range page {
			if f.Finds(e.DeviceName, e.Device, e.PersonName, e.Person, e.FromName, e.From) {
				if found++; !yield(e, nil) || found == f.Limit {
					return nil
				}
			}
		}
		if len(page) < batch {
			return nil
		}
		p.After = page[len(page)-1].Key()
		if searched += len(page); f.Limit > 0 && searched >= search {
			return &books.UnfinishedError{Key: p.After}
		}
	}
}

// page reads some events. No connection of the database waits for who reads them.
func (k *keeper) page(until context.Context, lab int64, p store.Past) (all []books.Entry, err error) {
	ctx, cancel := context.WithTimeout(until, answerIn)
	defer cancel()
	err = k.store.History(ctx, lab, p, func(e books.Entry) bool {
		all = append(all, e)
		return true
	})
	return all, store.Away(err)
}

// Appended returns a channel that is closed when something happens in the lab, and now and
// then besides.
func (k *keeper) Appended() <-chan struct{} {
	here, told := k.own.Appended(), make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-here:
		case <-time.After(lookEvery):
		}
	}()
	return told
}

// Newest is the key of the newest event.
func (k *keeper) Newest() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	if !k.told(ctx) {
		return k.own.Newest()
	}
	lab, err := k.lab(ctx)
	if err != nil {
		return "", err
	}
	return k.store.Newest(ctx, lab)
}
