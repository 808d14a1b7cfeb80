package keyboard

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNotAsked is Type's while nobody is asked for a name, or any more.
var ErrNotAsked = errors.New("nobody is asked for a name")

// NewSim returns a keyboard that only Type types on.
func NewSim() *Keyboard {
	k, err := New(Options{})
	if err != nil {
		panic(err) // the options are good
	}
	k.system = simSystem{}
	return k
}

// askedSoon is how long Type waits for a question: what shows it does not wait for
// its goroutine.
const askedSoon = time.Second

// Type types a text and Enter, the answer to the open question.
func (k *Keyboard) Type(ctx context.Context, text string) error {
	var q *question
	for began := time.Now(); q == nil; time.Sleep(time.Millisecond) {
		k.mu.Lock()
		q = k.asking
		k.mu.Unlock()
		if q == nil && time.Since(began) > askedSoon {
			return ErrNotAsked
		}
	}
	for _, r := range text + "\n" {
		p := press(r)
		if r == '\n' {
			p = enter
		}
		select {
		case q.presses <- p:
		case <-q.over:
			return ErrNotAsked
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// simSystem has one keyboard, on which nobody types.
type simSystem struct{}

func (simSystem) paths() []string             { return []string{"sim"} }
func (simSystem) open(string) (device, error) { return simDevice{make(chan struct{})}, nil }
func (simSystem) resolve(path string) string  { return path }
func (simSystem) watch(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

type simDevice struct{ gone chan struct{} }

func (simDevice) name() string { return "simulated keyboard" }
func (d simDevice) next() (uint16, int32, bool, error) {
	<-d.gone
	return 0, 0, false, io.EOF
}
func (d simDevice) close() error {
	close(d.gone)
	return nil
}
