package store

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

// arrivals knows how far the monotonic clocks of stations are from the lab's. A request that
// waited in a broken network tells a time that is long past when it arrives, and all of its
// events would seem to be later than they were. Of the same boot the shortest way there is
// shows the difference best.
type arrivals struct {
	mu sync.Mutex
	of map[checkout.Hash]arrival
}

// arrival is the earliest that a boot can have begun, by the lab's clock: in the newest span
// of contacts, and in the one before it.
type arrival struct {
	boot      uuid.UUID
	now, then time.Time
	since     time.Time // of the newest span
	last      time.Time // contact
}

const (
	// arrivalSpan is for how long the shortest way counts, at least: clocks drift apart by up
	// to 10 s a day.
	arrivalSpan = 10 * time.Minute
	// mostDelay is how late a request can arrive, which its station gives a minute.
	mostDelay = 61 * time.Second
	// arrivalAge is how long nothing may be heard of a station until its clock is measured anew.
	arrivalAge = time.Hour
)

// sent is when a request was sent that arrives at a time, and had this monotonic time when
// it was sent. It is never later than the arrival.
func (a *arrivals) sent(chain checkout.Hash, boot uuid.UUID, mono time.Duration, at time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	began := at.Add(-mono)
	o, known := a.of[chain]
	if !known || o.boot != boot || at.Sub(o.last) > arrivalAge || at.Before(o.last) {
		o = arrival{boot: boot, now: began, then: began, since: at}
	}
	if at.Sub(o.since) > arrivalSpan {
		o.then, o.now, o.since = o.now, began, at
	}
	if o.last = at; began.Before(o.now) {
		o.now = began
	}
	if a.of == nil {
		a.of = map[checkout.Hash]arrival{}
	}
	a.of[chain] = o
	first := o.now
	if o.then.Before(first) {
		first = o.then
	}
	if began.Sub(first) > mostDelay { // the lab's clock was set
		return at
	}
	return first.Add(mono)
}
