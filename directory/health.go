package directory

import (
	"sync"
	"time"

	"stump/directory/call"
)

// The states of a place.
const (
	starting = "starting" // not asked yet
	up       = "up"
	down     = "down"    // tried again and again
	stopped  = "stopped" // a person must change something
)

// health is the state of one directory or webhook, shared by all its callers.
type health struct {
	back   backoff
	change func(state string, o call.Outcome) // called when the state changes
	up     chan struct{}                      // gets a value when the place comes back

	mu        sync.Mutex
	state     string
	since     time.Time // when state began
	failures  int       // in a row
	last      time.Time // last failure
	next      time.Time // not before
	outcome   call.Outcome
	delivered time.Time // last event that got through
}

func newHealth(b backoff, change func(string, call.Outcome)) *health {
	return &health{back: b, change: change, state: starting, since: time.Now(), up: make(chan struct{}, 1)}
}

// ok notes that the place answered as it should.
func (h *health) ok() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures, h.next = 0, time.Time{}
	if h.state != up {
		h.set(up, call.Outcome{})
		poke(h.up)
	}
}

// trouble notes a failure that is the place's own.
func (h *health) trouble(o call.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if h.state == up || h.state == starting {
		h.failures = 0
	}
	h.failures++
	wait := h.back.late
	if o.Verdict == call.BadConfig {
		h.set(stopped, o)
	} else {
		h.set(down, o)
		wait = h.back.wait(h.failures, now.Sub(h.since), o.After)
	}
	h.last, h.next, h.outcome = now, now.Add(wait), o
}

// set changes the state. Between down and stopped it is the same outage, with the
// same beginning.
func (h *health) set(state string, o call.Outcome) {
	if h.state == state {
		return
	}
	if h.state == up || h.state == starting || state == up {
		h.since = time.Now()
	}
	h.state = state
	h.change(state, o)
}

// hurry allows the next try now, or d after the last one.
func (h *health) hurry(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if soon := h.last.Add(d); h.next.After(soon) {
		h.next = soon
	}
}

// wait returns how long the place must be left alone, and its state.
func (h *health) wait() (time.Duration, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(time.Until(h.next), 0), h.state
}

// heard notes that the place answered, though not whether it accepts events.
func (h *health) heard() {
	if _, state := h.wait(); state == starting {
		h.ok()
	}
}

// isDown reports whether the place is known not to answer, and why.
func (h *health) isDown() (call.Outcome, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.outcome, (h.state == down || h.state == stopped) && time.Until(h.next) > 0
}

// gotThrough notes that an event was delivered.
func (h *health) gotThrough() {
	h.ok()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered = time.Now()
}

// deliveredSince reports whether an event was delivered after t.
func (h *health) deliveredSince(t time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.delivered.After(t)
}

func (h *health) status() SinkStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	st := SinkStatus{State: h.state, Since: wallOf(h.since), Failures: h.failures, Stuck: []Row{}}
	if h.state == down || h.state == stopped {
		st.Reason, st.Remedy, st.Next = orNull(h.outcome.Reason), orNull(h.outcome.Remedy), orNull(wallOf(h.next))
	}
	return st
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
