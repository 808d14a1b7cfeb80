// Package panel is what staff see and hear: the display, the reader's lights
// and the beeper. (What they type on is package keyboard.)
//
//	             ┌─▶ lights loop ──▶ green, red, beeper      first, and never late
//	Show ─newest─┤
//	             └─▶ display loop ─▶ Text ─▶ lcd.Lay ─▶ lcd.Display
//	                      ▲                                 │ error
//	                      │    message over: idle screen    ▼
//	                      └──── up ◀──Init works── down, tried again, slower
//
// Show never blocks: each loop takes the newest message when it comes round,
// so a display that hangs delays neither the next tap nor the beep. When the
// display is down, everything else goes on, and State tells what it would
// show.
package panel

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"stump/lcd"
)

// Options say what the panel is made of. The zero Options is a panel without
// hardware, in English.
type Options struct {
	// Display is what shows the text; nil is a 16x2 one in memory.
	Display lcd.Display
	// Green, Red and Beeper are the reader's lines; nil ones are only counted.
	Green, Red, Beeper Output
	// Catalogue is the texts; nil is English.
	Catalogue *Catalogue
	// Window is the desk's window, the time that a waiting message stays; 0 is
	// 60 s.
	Window time.Duration
	// Idle tells what the idle screen shows. It is called when a message is
	// over, when the minute changes, and after Poke; it must not wait for
	// anything slow. Nil: nothing is out.
	Idle func() IdleInfo
	// Behind tells whether the directory can't be told now: what is done then
	// sounds as saved but not synced. It must cost nothing. Nil: never.
	Behind func() bool
	// Logger is told when the display goes and comes; nil is silent.
	Logger *slog.Logger
}

// Panel shows messages. Its methods may be called from any goroutine.
type Panel struct {
	display   lcd.Display
	catalogue *Catalogue
	window    time.Duration
	idle      func() IdleInfo
	behind    func() bool
	log       *slog.Logger
	lights    lights

	wake, lightWake chan struct{} // something new for the loops
	probes          chan probe
	ready           chan struct{}
	readyOnce       sync.Once

	mu      sync.Mutex
	last    uint64   // number of the newest message
	message *Message // not yet taken by the display loop
	signal  Signal   // not yet taken by the lights loop
	signalN uint64
	goesOn  bool   // the pattern that is played goes on
	key     string // of the newest message
	poked   bool
	over    *over // that the newest message is, for the display loop
	state   State
	lit     uint64        // messages up to here have begun to sound
	drawn   uint64        // messages up to here are on the display, or it is down
	changed chan struct{} // closed and replaced at every change
	stopped bool
	subs    map[chan State]struct{}
	health  Health
}

// New returns a panel that shows nothing yet; Run starts it.
func New(o Options) *Panel {
	if o.Display == nil {
		o.Display = lcd.NewMemory(lcd.Size{Cols: 16, Rows: 2})
	}
	if o.Catalogue == nil {
		o.Catalogue = &Catalogue{texts: english}
	}
	if o.Window == 0 {
		o.Window = time.Minute
	}
	if o.Idle == nil {
		o.Idle = func() IdleInfo { return IdleInfo{} }
	}
	if o.Behind == nil {
		o.Behind = func() bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	newLamp := func(name string, out Output) *lamp { return &lamp{name: name, out: out, log: o.Logger} }
	return &Panel{
		display: o.Display, catalogue: o.Catalogue, window: o.Window, idle: o.Idle, behind: o.Behind, log: o.Logger,
		lights:    lights{newLamp("green light", o.Green), newLamp("red light", o.Red), newLamp("beeper", o.Beeper)},
		wake:      make(chan struct{}, 1),
		lightWake: make(chan struct{}, 1),
		probes:    make(chan probe),
		ready:     make(chan struct{}),
		changed:   make(chan struct{}),
		subs:      map[chan State]struct{}{},
		state:     State{Rows: lcd.NewFrame(o.Display.Size()).Rows()},
	}
}

// String names the task.
func (p *Panel) String() string { return "panel " + p.display.String() }

// Ready is closed when messages are taken. Taps don't wait for the display,
// which needs a second to start, or may not be there.
func (p *Panel) Ready() <-chan struct{} { return p.ready }

// Show puts a message up in place of the one before and returns its number,
// for Answered. It never blocks.
func (p *Panel) Show(m Message) uint64 {
	signal := m.Signal
	if signal == SignalDefault {
		if signal = keys[m.Key].signal; signal == SignalDone && p.behind() {
			signal = SignalSavedNotSynced
		}
	}
	p.mu.Lock()
	p.last++
	n := p.last
	p.message = &m
	// A pattern that nobody heard begin is not gone on with.
	p.goesOn = typing(m.Key) && typing(p.key) && (p.goesOn || p.lit == p.signalN)
	p.key, p.over = m.Key, nil
	p.signal, p.signalN = signal, n
	p.mu.Unlock()
	poke(p.lightWake) // the beep comes first
	poke(p.wake)
	return n
}

// waitsOn has the lights blink for what goes on waiting, without a sound, if
// no newer message has come.
func (p *Panel) waitsOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.message == nil {
		p.signal = signalWaitsOn
		poke(p.lightWake)
	}
}

// over ends the message that is up.
type over struct{ then *Message }

// Over ends the newest message, if it is one of keys, before its time is over:
// then is shown, as Message.Then would be. The idle screen is made anew.
func (p *Panel) Over(then *Message, keys ...string) {
	p.mu.Lock()
	p.poked = true
	if slices.Contains(keys, p.key) {
		p.over = &over{then}
	}
	p.mu.Unlock()
	poke(p.wake)
}

// Poke has the idle screen made anew, after a change that no message told of.
func (p *Panel) Poke() {
	p.mu.Lock()
	p.poked = true
	p.mu.Unlock()
	poke(p.wake)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Answered waits until message n, or a newer one, is on the display and has
// begun to sound, or the display is known to be down.
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

// State returns what is on the display and the lights now. While the display
// is down it is what would be there.
func (p *Panel) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Subscribe returns a channel that gets the state now and after every change.
// A reader that is too slow misses changes, never the newest. Cancel ends it
// and closes the channel.
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

// publish changes the state and tells who waits for it. Rows are never
// changed in place, so a State may be handed out.
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

// takeSignal returns the pattern to begin, nil if the one that is played goes
// on, and its message's number.
func (p *Panel) takeSignal() ([]step, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goesOn {
		p.goesOn = false
		return nil, p.signalN
	}
	return patterns[p.signal], p.signalN
}

// Run shows messages and the idle screen until ctx is done. It then leaves the
// display with the text that says that nobody is listening.
func (p *Panel) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { p.runLights(ctx) })
	p.runDisplay(ctx)
	wg.Wait()
	p.publish(func() { p.stopped = true })
	return nil
}
