// Package station joins the parts of one running stump. A tap goes one way:
//
//	gpio.Source ───edges──▶ decoder ─reads─▶ attendant ─▶ panel
//	reader.Source ─chars──▶ scanner ───┘
//	                                          │  ▲
//	                                    asks  ▼  │ answers
//	                                         directory
//
// A reader is two tasks. The decoder turns edges into reads, so a slow disk
// never holds up the lines; the kernel stamps and keeps the edges meanwhile. Of a
// reader without data lines the scanner does so with the characters that it sends.
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
	"stump/internal/reader"
	"stump/internal/task"
	"stump/wiegand"
)

// Options are what the readers of a station share.
type Options struct {
	Ledger *ledger.Ledger
	Panel  *panel.Panel
	Desk   checkout.DeskOptions
	Policy checkout.Policy
	// Overdue is what it means that somebody with something overdue takes another device.
	Overdue checkout.OverduePolicy
	// Reserved is what it means that somebody takes a device that another has reserved.
	Reserved checkout.ReservedPolicy
	// CheckKits: the parts of a kit that comes back are asked for, if they have a tag.
	CheckKits bool
	// Learned is what is known of the readers; nil keeps nothing.
	Learned *learned.Store
	// Directory knows tags that the register does not.
	Directory Directory
	// EnrolPeople says who may be enrolled at the station.
	EnrolPeople directory.EnrolPolicy
	// Keyboard is where the owner of an unknown badge types a name. Without
	// one only an admin can enrol.
	Keyboard Keyboard
	// LogIn returns the digits with which the browser logs in that waits for a bump, ""
	// if none waits. It must be quick. Nil: none ever does.
	LogIn func(person checkout.Subject) (digits string)
	// Counting is for how long a stock-taking that was under way goes on at the readers; 0:
	// there is none.
	Counting time.Duration
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
	Source  gpio.Adjustable // the lines; nil for a reader without
	Decoder wiegand.Options
	// Sender is a reader without data lines, and Sent how what it sends is decoded.
	Sender reader.Source
	Sent   reader.Options
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
	// KeypadEnrols lets the owner of an unknown badge type their id on the reader's
	// keypad.
	KeypadEnrols bool
	// ReturnsAlone: devices come back here without a badge, and nothing is lent.
	ReturnsAlone bool
	// Strict makes a tag that fits neither rule a bad read, as in the original
	// client, instead of an unknown tag.
	Strict bool
}

// Reader is one reader and the desk at it.
type Reader struct {
	ReaderOptions
	decoder   *decoder // of a reader with data lines, or nil
	scanner   *scanner // of another one, or nil
	origin    origin   // the one that is there
	attendant *attendant
}

// origin is where a reader's reads come from.
type origin interface {
	task.Task
	stats() wiegand.Stats
	// held is who has the reader for a self-test or a scope, if somebody has. It never waits.
	held() (Holder, bool)
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
	made := &Reader{ReaderOptions: r}
	if r.Sender != nil {
		made.scanner = newScanner(r, o.Now, reads)
		made.origin = made.scanner
	} else {
		made.decoder = newDecoder(r, reads, o.Learned)
		made.origin = made.decoder
	}
	made.attendant = newAttendant(o, r, reads, made.Leased)
	return made
}

// Tasks are what makes the reader run.
func (r *Reader) Tasks() []task.Task { return []task.Task{r.origin, r.attendant} }

// Stats is a copy of what the decoder has counted.
func (r *Reader) Stats() wiegand.Stats { return r.origin.stats() }

// String names what the reader is connected to.
func (r *Reader) String() string {
	if r.Sender != nil {
		return r.Sender.String()
	}
	return r.Source.String()
}

// Down is why a reader without data lines is not there, nil if it is.
func (r *Reader) Down() error {
	if r.Sender != nil {
		return r.Sender.Up()
	}
	return nil
}

// LearnedCards is from how many cards the station knows what the reader sends, at
// most wiegand.KnownCards. It never waits.
func (r *Reader) LearnedCards() int { return int(r.decoder.cards.Load()) }

// Lease takes the lines from the decoder for a self-test or a scope, and says so and
// for whom on the display. The error is a *LeasedError while somebody else has them.
func (r *Reader) Lease(h Holder) (*Lease, error) {
	l, err := r.decoder.lease(h, r.attendant.o.Now, r.Resume)
	if err == nil {
		r.attendant.o.Panel.Show(h.message())
	}
	return l, err
}

// LeaseCharacters is Lease of a reader without data lines.
func (r *Reader) LeaseCharacters(h Holder) (*Characters, error) {
	c, err := r.scanner.lease(h, r.Resume)
	if err == nil {
		r.attendant.o.Panel.Show(h.message())
	}
	return c, err
}

// Held is who has the reader for a self-test or a scope, if somebody has. It never waits.
func (r *Reader) Held() (Holder, bool) { return r.origin.held() }

// Leased reports whether a self-test or a scope has the reader. It never waits.
func (r *Reader) Leased() bool {
	_, leased := r.Held()
	return leased
}

// Resume ends what a self-test or a scope shows; the display then says what the
// desk waits for, or is idle.
func (r *Reader) Resume() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	_ = r.attendant.do(ctx, func() {
		r.attendant.o.Panel.Over(r.attendant.prompt(), string(ForTest), string(ForScope), "display-code")
	})
}

// Answered waits until the desk has answered a read whose last edge came after
// that time of the station's clock, and the panel shows the answer.
func (r *Reader) Answered(ctx context.Context, after int64) error {
	return r.attendant.answered.wait(ctx, after, r.attendant.o.Panel)
}

// settleTime is how long a typed line is looked at for its end.
const settleTime = 100 * time.Millisecond

// Settled waits until a line that was typed is ended or left alone, nobody waits
// for the directory's answer, and the panel shows what came of it.
func (r *Reader) Settled(ctx context.Context) error {
	busy := true
	for began := time.Now(); busy; time.Sleep(time.Millisecond) {
		err := r.attendant.do(ctx, func() {
			a := r.attendant
			busy = (a.naming != nil || a.parts != nil) && time.Since(began) < settleTime
			for tag := range a.asked {
				busy = busy || a.asking(tag)
			}
		})
		if err != nil {
			return err
		}
	}
	return r.attendant.o.Panel.Answered(ctx, r.attendant.o.Panel.Newest())
}

// Waits reports whether somebody is at the desk, a tag is expected, or a self-test or a
// scope has the lines.
func (r *Reader) Waits(ctx context.Context) (waits bool, err error) {
	err = r.attendant.do(ctx, func() { waits = r.attendant.prompt() != nil || r.attendant.leased() })
	return waits, err
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
