// Package station joins the parts of one running stump. A tap goes one way:
//
//	gpio.Source ─edges─▶ decoder ─reads─▶ attendant ─▶ panel
//	                                       │  ▲
//	                                 asks  ▼  │ answers
//	                                      directory
//
// A reader is two tasks. The decoder turns edges into reads, so a slow disk
// never holds up the lines; the kernel stamps and keeps the edges meanwhile.
// The attendant stands at the desk: it commits, then speaks. It waits for the
// disk, never for the network: the directory is asked beside it, and each
// answer is one more input of its loop. All readers share the ledger and the
// panel.
package station

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/gpio"
	"stump/internal/books"
	"stump/internal/keyboard"
	"stump/internal/learned"
	"stump/internal/panel"
	"stump/internal/task"
	"stump/wiegand"
)

// Options are what the readers of a station share.
type Options struct {
	Ledger *ledger.Ledger
	Panel  *panel.Panel
	Desk   checkout.DeskOptions
	Policy checkout.Policy
	// Learned is what is known of the readers; nil keeps nothing.
	Learned *learned.Store
	// Directory knows tags that the register does not.
	Directory Directory
	// EnrolPeople says who may be enrolled at the station.
	EnrolPeople directory.EnrolPolicy
	// Keyboard is where the owner of an unknown badge types a name. Without
	// one only an admin can enrol.
	Keyboard Keyboard
	// Trace saves what is refused, for the admins' list; nil: there is none.
	Trace *Trace
	// Now is the clock that stamps the edges: nanoseconds of CLOCK_MONOTONIC.
	Now func() int64
	Log *slog.Logger // nil discards
}

// Directory is what a desk asks of the staff directory; *directory.Worker is
// one. Calls of one desk overlap.
type Directory interface {
	// WhatIs asks whose tag this is and has the register learn it. An error
	// means that the directory can't be asked now.
	WhatIs(ctx context.Context, tag checkout.Tag, kind checkout.SubjectKind) (books.SyncRow, error)
	// Seen refreshes, behind the tap, what the register has known of a tag for
	// long. It never blocks.
	Seen(tag checkout.Tag)
	// Enrol gives a tag to somebody by the directory's rule.
	Enrol(ctx context.Context, r directory.EnrolRequest) (books.SyncRow, error)
}

// Keyboard asks for a name; *keyboard.Keyboard is one.
type Keyboard interface {
	Ask(ctx context.Context, q keyboard.Question) (name string, err error)
	// Plugged lists the keyboards that are plugged in.
	Plugged() []string
}

// ReaderOptions describe one reader.
type ReaderOptions struct {
	Name    string
	Source  gpio.Adjustable
	Decoder wiegand.Options
	// Normal brings cards to the form of other readers. Formats are those of the
	// site's cards then; nil: those of Decoder.
	Normal  wiegand.Normal
	Formats []*wiegand.Format
	// Badge and Device tell the kind of a tag that the register does not know; nil
	// fits nothing.
	Badge, Device *wiegand.Range
	// Repeat is the interval at which the reader repeats a tag that lies on it; 0:
	// the desk learns it.
	Repeat time.Duration
	// Strict makes a tag that fits neither rule a bad read, as in the original
	// client, instead of an unknown tag.
	Strict bool
}

// Reader is one reader and the desk at it.
type Reader struct {
	ReaderOptions
	decoder   *decoder
	attendant *attendant
}

// NewReader returns a reader of a station.
func NewReader(o Options, r ReaderOptions) *Reader {
	if r.Formats == nil {
		r.Formats = r.Decoder.Formats
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler)).With("reader", r.Name)
	// A card takes tens of milliseconds, a commit may take seconds on a worn
	// SD card. If so many people tap meanwhile, the edges wait in the kernel.
	reads := make(chan wiegand.Read, 64)
	d := newDecoder(r, reads, o.Learned)
	return &Reader{ReaderOptions: r, decoder: d, attendant: newAttendant(o, r, reads, d.leased)}
}

// Tasks are what makes the reader run.
func (r *Reader) Tasks() []task.Task { return []task.Task{r.decoder, r.attendant} }

// Stats is a copy of what the decoder has counted.
func (r *Reader) Stats() wiegand.Stats { return r.decoder.stats() }

// LearnedCards is from how many cards the station knows what the reader sends, at
// most wiegand.KnownCards. It never waits.
func (r *Reader) LearnedCards() int { return int(r.decoder.cards.Load()) }

// Lease takes the lines from the decoder for a self-test or a scope, and says
// so on the display. ErrLeased is returned while somebody else has them.
func (r *Reader) Lease() (*Lease, error) {
	l, err := r.decoder.lease(r.attendant.o.Now, r.Resume)
	if err == nil {
		r.attendant.o.Panel.Show(panel.Message{Key: "testing"})
	}
	return l, err
}

// Leased reports whether a self-test or a scope has the lines. It never waits.
func (r *Reader) Leased() bool { return r.decoder.leased() }

// Resume ends what a self-test or a scope shows; the display then says what the
// desk waits for, or is idle.
func (r *Reader) Resume() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	_ = r.attendant.do(ctx, func() { r.attendant.o.Panel.Over(r.attendant.prompt(), "testing", "display-code") })
}

// Answered waits until the desk has answered a read whose last edge came after
// that time of the station's clock, and the panel shows the answer.
func (r *Reader) Answered(ctx context.Context, after int64) error {
	return r.attendant.answered.wait(ctx, after, r.attendant.o.Panel)
}

// Repeated reports whether the newest read was ignored because the reader
// repeated the tag.
func (r *Reader) Repeated() bool { return r.attendant.answered.newest().repeated }

// Alive returns when the desk has nothing else to do, or with ctx's error.
func (r *Reader) Alive(ctx context.Context) error { return r.attendant.do(ctx, func() {}) }

// answer is what came of a read.
type answer struct {
	shown    uint64 // the panel's number of what it shows
	repeated bool   // nothing: the reader repeats the tag
	asking   bool   // nothing yet: the directory is being asked
}

// answered is the newest read that the desk has answered, for whoever showed
// the card.
type answered struct {
	mu     sync.Mutex
	end    int64 // its last edge
	answer answer
	change chan struct{} // closed at the next answer
}

// note takes the answer to the read that ended at that time.
func (d *answered) note(end int64, a answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if end < d.end {
		return // a question's answer, after that to a newer read
	}
	if a.repeated {
		a.shown = d.answer.shown
	}
	d.end, d.answer = end, a
	close(d.change)
	d.change = make(chan struct{})
}

func (d *answered) newest() answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answer
}

// wait returns when a read that ended after that time was answered and the
// panel shows the answer.
func (d *answered) wait(ctx context.Context, after int64, p *panel.Panel) error {
	for {
		d.mu.Lock()
		end, shown, change := d.end, d.answer.shown, d.change
		d.mu.Unlock()
		if end > after {
			return p.Answered(ctx, shown)
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
