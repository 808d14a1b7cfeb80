// Package station joins the parts of one running stump. A tap goes one way:
//
//	gpio.Source → reader (wiegand.Decoder) → attendant (checkout.Desk → checkout.Ledger) → panel
//
// A reader only decodes, so that no slow disk holds up the lines; the kernel
// stamps and keeps the edges meanwhile. The attendant stands at the desk: it
// commits, then speaks. Each reader has an attendant of its own; all share the
// ledger and the panel.
package station

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/gpio"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/internal/task"
	"stump/wiegand"
)

// Options are the parts that a station is made of.
type Options struct {
	Ledger *ledger.Ledger
	Panel  *panel.Panel
	Desk   checkout.DeskOptions
	Policy checkout.Policy
	// Directory knows tags that the register does not; nil: the register is
	// all there is.
	Directory Directory
	// EnrolPeople says who may be enrolled at the station.
	EnrolPeople directory.EnrolPolicy
	// Keyboard is what the owner of an unknown badge types a name on; nil: an
	// admin enrols.
	Keyboard Keyboard
	// Now is the clock that stamps the edges: nanoseconds of CLOCK_MONOTONIC.
	Now func() int64
	Log *slog.Logger
}

// Directory is what a desk asks of the staff directory; *directory.Worker is
// one.
type Directory interface {
	// WhatIs asks whose tag this is and has the register learn it. An error
	// means that the directory can't be asked now.
	WhatIs(ctx context.Context, tag checkout.Tag, kind directory.Kind) (directory.Answer, error)
	// Seen has the directory asked again, behind the tap, about a tag that the
	// register has known for long. It never blocks.
	Seen(tag checkout.Tag)
	// Enrol gives a tag to somebody by the directory's rule.
	Enrol(ctx context.Context, r directory.EnrolRequest) (directory.Record, error)
}

// Keyboard asks for a name; *keyboard.Keyboard is one.
type Keyboard interface {
	Ask(ctx context.Context, q keyboard.Question) (keyboard.Answer, error)
	// Plugged lists the keyboards that are there.
	Plugged() []string
}

// ReaderOptions describe one reader.
type ReaderOptions struct {
	Name    string
	Source  gpio.Source
	Decoder wiegand.Options
	// Badge and Device tell the kind of a tag that the register does not know.
	Badge, Device Rule
	// Strict makes a tag that fits neither rule a bad read, as the original
	// client had it, instead of an unknown tag.
	Strict bool
}

// Rule reports whether a card is of a kind; nil fits nothing.
type Rule func(wiegand.Read) bool

// Reader decodes one reader's lines and stands at its desk.
type Reader struct {
	ReaderOptions
	o   Options
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	dec     *wiegand.Decoder
	lastSeq uint32 // of the last edge that the decoder had
	skipped uint32 // how many edges borrowers have had
	resume  bool   // the next edge is the first after a borrower

	lent    atomic.Pointer[Lent] // who has the lines for a while; changed under mu
	reads   chan wiegand.Read
	calls   chan func()
	decoded *task.Signal

	attendant
}

// NewReader returns a reader of a station.
func NewReader(o Options, r ReaderOptions) *Reader {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Reader{
		ReaderOptions: r,
		o:             o,
		log:           o.Log.With("reader", r.Name),
		dec:           wiegand.NewDecoder(r.Decoder),
		// A card takes tens of milliseconds, a commit may take seconds on a
		// worn card: nobody bumps this many meanwhile, and if they do, the
		// edges wait in the kernel.
		reads:   make(chan wiegand.Read, 64),
		calls:   make(chan func()),
		decoded: task.NewSignal(),
		attendant: attendant{
			desk: checkout.NewDesk(o.Desk), atDesk: task.NewSignal(), gone: make(chan struct{}),
			bumped:   bumps{change: make(chan struct{})},
			stranger: stranger{repeat: cmp.Or(o.Desk.Repeat, checkout.DefaultRepeat)},
		},
	}
}

// Tasks are what makes the reader run.
func (r *Reader) Tasks() []task.Task {
	return []task.Task{(*decodeTask)(r), (*attendTask)(r)}
}

// Stats is a copy of what the decoder has counted.
func (r *Reader) Stats() wiegand.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dec.Stats()
}

type decodeTask Reader

func (d *decodeTask) String() string         { return `reader "` + d.Name + `"` }
func (d *decodeTask) Ready() <-chan struct{} { return d.decoded.C() }

// Run reads edges until ctx is done. The decoder decides by time stamps
// alone: it is told that the lines were silent only when the source says that
// every edge up to then has been handed over.
func (d *decodeTask) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { d.Source.Close() })
	defer stop()
	d.decoded.Give()
	edges := make([]wiegand.Edge, 1024)
	for {
		until := int64(math.MaxInt64)
		if t, open := d.dec.Deadline(); open {
			until = t
		}
		n, now, err := d.Source.Read(edges, until)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.hand(ctx, edges[:n])
		if t, open := d.dec.Deadline(); open && now >= t {
			d.deliver(ctx, d.dec.Advance(now))
		}
		d.mu.Unlock()
	}
}

func (d *decodeTask) deliver(ctx context.Context, reads []wiegand.Read) {
	for _, read := range reads {
		select {
		case d.reads <- read:
		case <-ctx.Done():
		}
	}
}
