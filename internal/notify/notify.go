// Package notify wakes those who wait for a change.
package notify

import "sync"

// Listeners are told of changes. The zero value has none.
type Listeners struct {
	mu    sync.Mutex
	chans []chan struct{}
}

// Join returns a channel that gets a value after changes. One value may stand for several.
func (l *Listeners) Join() <-chan struct{} {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chans = append(l.chans, c)
	return c
}

// Tell tells all of them. It never waits.
func (l *Listeners) Tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.chans {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Bell wakes all who wait for the next change. The zero value is ready for use.
type Bell struct {
	mu   sync.Mutex
	next chan struct{}
}

// Next returns a channel that is closed at the next change.
func (b *Bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

// Tell wakes them.
func (b *Bell) Tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
