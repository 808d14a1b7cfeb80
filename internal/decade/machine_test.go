package decade

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

// machine is the board's clocks. The truth is time.Now in the bubble; the wall clock is off
// by as much as it has not been told.
type machine struct {
	mu      sync.Mutex
	dice    *rand.Rand
	booted  time.Time
	id      uuid.UUID
	off     time.Duration // of the wall clock
	trusted bool          // the network has told the time since the start
	all     []*boot
}

// boot is a time in which the board was on. heard is when it heard the time, zero for never.
type boot struct{ began, heard, ended time.Time }

// boots returns the newest boot.
func (m *machine) boots() *boot { return m.all[len(m.all)-1] }

// boot starts the machine, which has no clock of its own: it begins in 1970.
func (m *machine) boot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.all = append(m.all, &boot{began: now})
	m.booted, m.trusted, m.off = now, false, time.Unix(0, 0).Sub(now)
	binary.BigEndian.PutUint64(m.id[:8], m.dice.Uint64())
	binary.BigEndian.PutUint64(m.id[8:], m.dice.Uint64())
}

// over is whether a boot has ended.
func (m *machine) over(b *boot) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !b.ended.IsZero()
}

// end is the end of a boot.
func (m *machine) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots().ended = time.Now()
}

// when is when a boot heard the time and for how long it then went on; ok is false if it
// never did.
func (m *machine) when(b *boot) (heard time.Time, on time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if on = time.Since(b.heard); !b.ended.IsZero() {
		on = b.ended.Sub(b.heard)
	}
	return b.heard, on, !b.heard.IsZero()
}

// step sets the wall clock off by so much; whoever is asked says that it is right.
func (m *machine) step(off time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trusted {
		m.off = off
	}
}

// hear sets the wall clock, off by a little.
func (m *machine) hear(off time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off, m.trusted = off, true
	if b := m.boots(); b.heard.IsZero() {
		b.heard = time.Now()
	}
}

// now is CLOCK_MONOTONIC.
func (m *machine) now() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(time.Since(m.booted))
}

// stamp is what clock.Now returns.
func (m *machine) stamp() checkout.Stamp {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return checkout.Stamp{Wall: now.Add(m.off), Mono: now.Sub(m.booted), BootID: m.id, Trusted: m.trusted}
}

// right is whether the wall clock is trusted.
func (m *machine) right() bool { return m.stamp().Trusted }
