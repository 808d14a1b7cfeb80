package directory

import (
	"sync"
	"time"

	"stump/directory/call"
)

// Health says how a place does.
type Health string

// The states of a place.
const (
	Starting Health = "starting" // not asked yet
	Up       Health = "up"
	Unheard  Health = "down"    // asked again and again
	Stopped  Health = "stopped" // a person must change something
)

// place is the health of one directory or webhook, shared by all who call it.
type place struct {
	back Backoff
	rnd  func(int64) int64
	up   chan struct{} // poked when the place came back

	mu       sync.Mutex
	health   Health
	since    time.Time    // when health began
	failures int          // in a row
	last     time.Time    // last failure
	next     time.Time    // not before
	outcome  call.Outcome // last failure
	good     time.Time    // last event that got through
	change   func(Health, call.Outcome)
}

func newPlace(b Backoff, rnd func(int64) int64) *place {
	return &place{back: b.withDefaults(), rnd: rnd, health: Starting, since: time.Now(), up: make(chan struct{}, 1)}
}

// ok notes that the place answered rightly.
func (p *place) ok() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.next = 0, time.Time{}
	if p.health != Up {
		p.set(Up, call.Outcome{})
		poke(p.up)
	}
}

// trouble notes a failure that is the place's own.
func (p *place) trouble(o call.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	h := Unheard
	if o.Verdict == call.BadConfig {
		h = Stopped
	}
	if p.health == Up || p.health == Starting {
		p.failures = 0
	}
	p.failures++
	p.set(h, o)
	wait := p.back.Late
	if h == Unheard {
		wait = p.back.Wait(p.failures, now.Sub(p.since), o.After, p.rnd)
	}
	p.last, p.next, p.outcome = now, now.Add(wait), o
}

// set changes the health. An outage that a login page interrupts goes on: its
// beginning stays.
func (p *place) set(h Health, o call.Outcome) {
	if p.health == h {
		return
	}
	if !(h == Stopped && p.health == Unheard || h == Unheard && p.health == Stopped) {
		p.since = time.Now()
	}
	p.health = h
	if p.change != nil {
		p.change(h, o)
	}
}

// hurry lets the next try happen now.
func (p *place) hurry() { p.hurryAfter(p.back.Hurried) }

// hurryAfter lets the next try happen now, or d after the last one.
func (p *place) hurryAfter(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if soon := p.last.Add(d); p.next.After(soon) {
		p.next = soon
	}
}

// wait returns how long the place must be left alone, and its health.
func (p *place) wait() (time.Duration, Health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(time.Until(p.next), 0), p.health
}

// heard notes that the place answered something rightly, without saying that
// it takes events.
func (p *place) heard() {
	p.mu.Lock()
	starting := p.health == Starting
	p.mu.Unlock()
	if starting {
		p.ok()
	}
}

// isDown reports whether the place is known not to answer, and why.
func (p *place) isDown() (call.Outcome, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	down := p.health == Unheard || p.health == Stopped
	return p.outcome, down && time.Until(p.next) > 0
}

// delivered notes that an event got through.
func (p *place) delivered() {
	p.ok()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = time.Now()
}

// deliveredSince reports whether an event got through after t.
func (p *place) deliveredSince(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.good.After(t)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
