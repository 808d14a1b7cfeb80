package gpio

import (
	"errors"
	"slices"
)

// Activity is what a line that nobody configured did while it was listened to.
// Pulses on it say where wires went that should be elsewhere.
type Activity struct {
	Line  string  // the line in every notation
	Falls []int64 // times at which it fell
}

// ListenFree watches the free pins of the header until stop is called, which
// returns what every one of them did. Only one may listen at a time.
func (s *Sim) ListenFree() (stop func() ([]Activity, error), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.free != nil:
		return nil, errors.New("somebody listens on the free pins already")
	}
	s.update()
	s.free = []Activity{{Line: simNames[2]}, {Line: simNames[3]}}
	return func() ([]Activity, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.update()
		free := slices.Clone(s.free)
		s.free = nil
		return free, nil
	}, nil
}
