package console

import (
	"sync"
	"time"
)

// parts keeps what is in the frame of the board: when something happens, all who watch ask
// for the same, which is then made once.
type parts struct {
	mu     sync.Mutex
	newest string // the event after which they were made
	made   time.Time
	pages  map[string][]byte
}

// partLife is how long a part is kept: times are in it, and not every change of the
// register is an event. mostParts is of how many searches.
const (
	partLife  = 5 * time.Second
	mostParts = 32
)

// get returns the part of this name, made by make unless it is there. A whole page, which
// has a name in it, is made each time.
func (p *parts) get(part bool, newest func() (string, error), name string, make func() ([]byte, error)) ([]byte, error) {
	if !part {
		return make()
	}
	now, err := newest()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now != p.newest || time.Since(p.made) > partLife || len(p.pages) >= mostParts {
		p.newest, p.made, p.pages = now, time.Now(), map[string][]byte{}
	}
	if page := p.pages[name]; page != nil {
		return page, nil
	}
	page, err := make()
	if err == nil {
		p.pages[name] = page
	}
	return page, err
}
