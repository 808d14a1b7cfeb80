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
}

// boot starts the machine, which has no clock of its own: it begins in 1970.
func (m *machine) boot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.booted, m.trusted, m.off = now, false, time.Unix(0, 0).Sub(now)
	binary.BigEndian.PutUint64(m.id[:8], m.dice.Uint64())
	binary.BigEndian.PutUint64(m.id[8:], m.dice.Uint64())
}

// hear sets the wall clock, off by a little.
func (m *machine) hear(off time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off, m.trusted = off, true
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
