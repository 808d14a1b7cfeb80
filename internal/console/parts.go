package console

import (
	"sync"
	"time"
)

// parts keeps what was made of the books until something happens, such as what is in the
// frame of the board: all who watch ask for the same then, which is made once.
type parts[T any] struct {
	mu    sync.Mutex
	until <-chan struct{} // is closed when something happens; nil: none were made
	made  time.Time
	all   map[string]T
}

// partLife is how long a part is kept: times are in it. mostParts is of how many searches.
const (
	partLife  = 5 * time.Second
	mostParts = 32
)

// get returns the part of this name, made by make unless it is there. next returns what is
// closed when something happens the next time.
func (p *parts[T]) get(next func() <-chan struct{}, name string, make func() (T, error)) (T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.old() {
		p.until, p.made, p.all = next(), time.Now(), map[string]T{} // before the books are read
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

// old reports whether all parts are to be made anew.
func (p *parts[T]) old() bool {
	select {
	case <-p.until:
		return true
	default:
		return p.until == nil || time.Since(p.made) > partLife || len(p.all) >= mostParts
	}
}

// forget has all parts made anew.
func (p *parts[T]) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = nil
}
