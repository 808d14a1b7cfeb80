package console

import (
	"sync"
	"time"
)

// parts keeps what was made of the books until something happens, such as what is in the
// frame of the board: all who watch ask for the same then, which is made once.
type parts[T any] struct {
	mu     sync.Mutex
	newest string // the event after which they were made
	made   time.Time
	all    map[string]T
}

// partLife is how long a part is kept: times are in it, and not every change of the
// register is an event. mostParts is of how many searches.
const (
	partLife  = 5 * time.Second
	mostParts = 32
)

// get returns the part of this name, made by make unless it is there.
func (p *parts[T]) get(newest func() (string, error), name string, make func() (T, error)) (T, error) {
	now, err := newest()
	if err != nil {
		return *new(T), err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now != p.newest || time.Since(p.made) > partLife || len(p.all) >= mostParts {
		p.newest, p.made, p.all = now, time.Now(), map[string]T{}
	}
	if part, ok := p.all[name]; ok {
		return part, nil
	}
	part, err := make()
	if err == nil {
		p.all[name] = part
	}
	return part, err
}

// forget has all parts made anew.
func (p *parts[T]) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.made = nil, time.Time{}
}
