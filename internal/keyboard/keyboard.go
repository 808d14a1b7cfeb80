// Package keyboard reads names that people type for an unknown badge.
//
//	/dev/input/event* ─grab─▶ typist (layout, Shift, dead keys) ─▶ presses
//	      ▲ hot plug                                                  │
//	                                                                  ▼
//	Ask ──▶ line: "ann f_"   offers: Ann Fisher     ──Enter──▶ a name
//	          │ letters, Backspace, ↑ ↓ Tab         ──Escape─▶ ErrCancelled
//	          └──── shown after every press          ──30 s──▶ ErrSilence
//
// A keyboard is grabbed while it is plugged in, even if there is no question:
// what is typed reaches no console and no login, and without a question it is
// dropped.
package keyboard

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// Silence is how long Ask waits for the next key.
const Silence = 30 * time.Second

// Reasons why there is no answer.
var (
	errNoKeyboard = errors.New("no keyboard is plugged in") // or the user, who must be in the group input, may read none
	ErrCancelled  = errors.New("typing was cancelled")
	ErrSilence    = errors.New("no key was pressed")
	errReplaced   = errors.New("another question took its place")
)

// Keyboard is all keyboards of the station together. It is a task: Ask works
// while Run runs.
type Keyboard struct {
	*Keys

	mu     sync.Mutex
	asking *question
}

// question receives the presses.
type question struct {
	presses chan press
	end     chan struct{} // closed when a newer one takes its place
	over    chan struct{} // closed when nobody takes presses any more
}

// New checks the options. Run looks for keyboards.
func New(o Options) (*Keyboard, error) {
	k := &Keyboard{}
	var err error
	k.Keys, err = NewKeys(o, func(s Stroke) { k.pressed(s.press) })
	return k, err
}

// String names the task.
func (k *Keyboard) String() string { return strings.TrimSpace("keyboard " + k.o.Device) }

// Question is what Ask needs to know.
type Question struct {
	// Names returns the register's names, which are offered as letters come. It
	// is called once.
	Names func() []string
	// Free is whether a name may be typed that the register doesn't have.
	Free bool
	// Show is called with the empty line and after every press. It must not
	// block.
	Show func(View)
}

// Ask reads a name: one of the register, or what was typed. Only one question is
// open at a time; a newer one ends it. The directory, or a policy, decides
// whether the name gets the badge.
func (k *Keyboard) Ask(ctx context.Context, q Question) (name string, err error) {
	if len(k.Plugged()) == 0 {
		return "", errNoKeyboard
	}
	l := &line{free: q.Free, names: q.Names()}
	q.Show(l.view())
	err = k.listen(ctx, func(p press) (done bool, err error) {
		if p == escape {
			return true, ErrCancelled
		}
		if name, done = l.press(p); !done {
			q.Show(l.view())
		}
		return done, nil
	})
	return name, err
}

// WaitEnter returns when Enter is pressed, for the self-test.
func (k *Keyboard) WaitEnter(ctx context.Context) error {
	if len(k.Plugged()) == 0 {
		return errNoKeyboard
	}
	return k.listen(ctx, func(p press) (bool, error) { return p == enter, nil })
}

// listen hands presses to f until f is done.
func (k *Keyboard) listen(ctx context.Context, f func(press) (done bool, err error)) error {
	me := &question{presses: make(chan press, 64), end: make(chan struct{}), over: make(chan struct{})}
	k.mu.Lock()
	if k.asking != nil {
		close(k.asking.end)
	}
	k.asking = me
	k.mu.Unlock()
	defer func() {
		close(me.over)
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.asking == me {
			k.asking = nil
		}
	}()
	silence := time.NewTimer(Silence)
	defer silence.Stop()
	for {
		select {
		case p := <-me.presses:
			silence.Reset(Silence)
			if done, err := f(p); done {
				return err
			}
		case <-silence.C:
			return ErrSilence
		case <-me.end:
			return errReplaced
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pressed hands a press to the question, if there is one.
func (k *Keyboard) pressed(p press) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asking == nil {
		return
	}
	select {
	case k.asking.presses <- p:
	default: // 64 presses wait already
	}
}
