// Package panel is what staff see and hear: the display, the reader's lights
// and the beeper. (What they type on is package keyboard.)
//
//	             ┌─▶ lights loop ──▶ green, red, beeper      first, and never late
//	Show ─newest─┤
//	             └─▶ display loop ─▶ text ─▶ lcd.Lay ─▶ lcd.Display
//	                      ▲                                 │ error
//	                      │    message over: idle screen    ▼
//	                      └──── up ◀──Init works── down, retried, slower
//
// Show never blocks: each loop takes the newest message when it is ready for
// one, so a display that hangs delays neither the next tap nor the beep. While
// the display is down everything else goes on, and State is what it would show.
package panel

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stump/lcd"
)

// Options say what the panel is made of. The zero Options is a panel without
// hardware, in English.
type Options struct {
	Display lcd.Display // nil: none, of 16x2
	// Green, Red and Beeper are the reader's lines; nil ones show only in State.
	Green, Red, Beeper Output
	Catalogue          *Catalogue // nil: English
	// Window is the desk's window, for which a waiting message stays; 0 is 60 s.
	Window time.Duration
	// Idle returns what the idle screen shows. It is called when a message is
	// over, when the minute changes, and after Poke, and must be quick. Nil:
	// nothing is out.
	Idle func() IdleInfo
	// Behind is whether events can't be delivered to the directory now; what is
	// done then sounds as saved but not synced. It must be quick. Nil: never.
	Behind func() bool
	Logger *slog.Logger // nil: silent
}

// Panel shows messages. Its methods may be called from any goroutine.
type Panel struct {
	o      Options
	texts  atomic.Pointer[Catalogue]
	lights lights

	wake, lightWake chan struct{} // something new for the loops
	probes          chan func(*displayLoop)
	ready           chan struct{}
	readyOnce       sync.Once

	mu      sync.Mutex
	last    uint64    // number of the newest message
	message *Message  // not yet taken by the display loop
	shown   time.Time // when the newest message came, if it says that something was saved; else zero
	signal  signal    // not yet taken by the lights loop
	goesOn  bool      // the pattern that is played goes on
	key     string    // of the newest message
	poked   bool
	over    *over // not nil: the newest message is over
	state   State
	lit     uint64        // messages up to this one have begun to sound
	drawn   uint64        // messages up to this one are on the display, or it is down
	changed chan struct{} // closed and replaced at every change
	stopped bool
	subs    map[chan State]struct{}
	health  Health
}

// New returns a panel that shows nothing yet; Run starts it.
func New(o Options) *Panel {
	if o.Display == nil {
		o.Display = lcd.None(lcd.Size{Cols: 16, Rows: 2})
	}
	o.Window = cmp.Or(o.Window, time.Minute)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Idle == nil {
		o.Idle = func() IdleInfo { return IdleInfo{} }
	}
	if o.Behind == nil {
		o.Behind = func() bool { return false }
	}
	newLamp := func(name string, out Output) *lamp { return &lamp{name: name, out: out, log: o.Logger} }
	p := &Panel{
		o:         o,
		lights:    lights{newLamp("green light", o.Green), newLamp("red light", o.Red), newLamp("beeper", o.Beeper)},
		wake:      make(chan struct{}, 1),
		lightWake: make(chan struct{}, 1),
		probes:    make(chan func(*displayLoop)),
		ready:     make(chan struct{}),
		changed:   make(chan struct{}),
		subs:      map[chan State]struct{}{},
		state:     State{Rows: lcd.NewFrame(o.Display.Size()).Rows()},
	}
	p.texts.Store(cmp.Or(o.Catalogue, &Catalogue{texts: english}))
	return p
}

// Speak changes the texts, beginning with the next message.
func (p *Panel) Speak(c *Catalogue) {
	p.texts.Store(c)
	p.Poke()
}

// String names the task.
func (p *Panel) String() string { return "panel " + p.o.Display.String() }

// Ready is closed when messages are taken. It doesn't wait for the display, which
// needs a second to start and may not be there.
func (p *Panel) Ready() <-chan struct{} { return p.ready }

// Show replaces the message that is up and returns the number of the new one,
// for Answered. It never blocks.
func (p *Panel) Show(m Message) uint64 {
	signal := cues[m.Key].signal
	if signal == signalDone && p.o.Behind() {
		signal = signalSavedNotSynced
	}
	p.mu.Lock()
	// A pattern goes on only if it has begun.
	p.goesOn = typing(m.Key) && typing(p.key) && (p.goesOn || p.lit == p.last)
	p.last++
	n := p.last
	p.message, p.key, p.signal, p.over = &m, m.Key, signal, nil
	if p.shown = (time.Time{}); signal == signalDone || signal == signalSavedNotSynced {
		p.shown = time.Now()
	}
	p.mu.Unlock()
	poke(p.lightWake) // the beep comes first
	poke(p.wake)
	return n
}

// waitsOn makes the lights blink silently for what goes on waiting, unless there
// is a newer message.
func (p *Panel) waitsOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.message == nil {
		p.signal = signalWaitsOn
		poke(p.lightWake)
	}
}

// over ends the message that is up; then follows it.
type over struct{ then *Message }

// Over ends the newest message early if its key is one of keys. then is shown
// next, as Message.Then would be. The idle screen is brought up to date.
func (p *Panel) Over(then *Message, keys ...string) {
	p.mu.Lock()
	p.poked = true
	if slices.Contains(keys, p.key) {
		p.over = &over{then}
	}
	p.mu.Unlock()
	poke(p.wake)
}

// Poke brings the idle screen up to date after a change without a message.
func (p *Panel) Poke() { p.Over(nil) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// errStopped is returned by Answered after the end of Run.
var errStopped = errors.New("the panel has stopped")

// Newest is the number of what was shown last.
func (p *Panel) Newest() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// Answered waits until message n, or a newer one, has begun to sound and is on
// the display, or the display is known to be down.
func (p *Panel) Answered(ctx context.Context, n uint64) error {
	for {
		p.mu.Lock()
		done, stopped, changed := p.lit >= n && p.drawn >= n, p.stopped, p.changed
		p.mu.Unlock()
		switch {
		case done:
			return nil
		case stopped:
			return errStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// State returns the display's text and the lights, even while the display is
// down.
func (p *Panel) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Changed returns a channel that is closed when the state changes next.
func (p *Panel) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// Subscribe returns a channel that receives the state now and after every
// change. A slow receiver misses changes, but never the newest. cancel closes the
// channel.
func (p *Panel) Subscribe() (states <-chan State, cancel func()) {
	c := make(chan State, 16)
	p.mu.Lock()
	c <- p.state
	p.subs[c] = struct{}{}
	p.mu.Unlock()
	return c, sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.subs, c)
		close(c)
	})
}

// publish changes the state and notifies subscribers and callers of Answered.
// Rows are never changed in place, so a State may be handed out.
func (p *Panel) publish(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
	for c := range p.subs {
		select {
		case c <- p.state:
		default:
			select { // drop the oldest
			case <-c:
			default:
			}
			c <- p.state
		}
	}
}

// Run shows messages and the idle screen until ctx is done. The display then says
// that the station is out of service.
func (p *Panel) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { p.runLights(ctx) })
	p.runDisplay(ctx)
	wg.Wait()
	p.publish(func() { p.stopped = true })
	return nil
}
