// Package keyboard reads names that people type for an unknown badge.
//
//	/dev/input/event* ─grab─▶ typist (layout, Shift, dead keys) ─▶ presses
//	      ▲ hot plug                                                  │
//	                                                                  ▼
//	Ask ──▶ line: "ann f_"   offers: Ann Fisher     ──Enter──▶ Answer
//	          │ letters, Backspace, ↑ ↓ Tab         ──Escape─▶ ErrCancelled
//	          └──── shown after every press          ──30 s──▶ ErrSilence
//
// A keyboard is grabbed as long as it is plugged in, also while nobody asks:
// what is typed reaches no console and no login, and without a question it
// goes nowhere at all.
package keyboard

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Silence is how long Ask waits for the next key.
const Silence = 30 * time.Second

// Why there is no answer.
var (
	// ErrCancelled: somebody pressed Escape.
	ErrCancelled = errors.New("typing was cancelled")
	// ErrSilence: no key was pressed for Silence.
	ErrSilence = errors.New("nobody typed")
	// ErrNoKeyboard: none is plugged in, or none may be read. See that the
	// user is in the group input.
	ErrNoKeyboard = errors.New("no keyboard is plugged in")
	// ErrReplaced: a newer question took its place.
	ErrReplaced = errors.New("another question took its place")
)

// Options say which keyboards are read, and how.
type Options struct {
	// Layout is one of [Layouts]; "" is us.
	Layout string
	// Device is the one keyboard to read, such as
	// "/dev/input/by-id/usb-…-event-kbd"; "" reads every one there is.
	Device string
	// Logger is told of keyboards that come and go; nil is silent. What is
	// typed is never logged.
	Logger *slog.Logger
}

// Keyboard is all keyboards of the station, taken for one. It is a task: Run
// must run for Ask to work.
type Keyboard struct {
	layout *Layout
	device string
	log    *slog.Logger
	system system
	ready  chan struct{}

	mu      sync.Mutex
	plugged map[string]string // path to name
	asking  *question
}

// question is who gets the presses.
type question struct {
	presses chan Press
	end     chan struct{} // closed when a newer one takes its place
}

// New checks the options. Keyboards are looked for by Run.
func New(o Options) (*Keyboard, error) {
	l, err := LayoutByName(o.Layout)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keyboard{
		layout: l, device: o.Device, log: o.Logger, system: linux{dir: inputDir},
		ready: make(chan struct{}), plugged: map[string]string{},
	}, nil
}

// String names the task.
func (k *Keyboard) String() string {
	if k.device != "" {
		return "keyboard " + k.device
	}
	return "keyboard"
}

// Ready is closed when the keyboards that are there were found; there may be
// none.
func (k *Keyboard) Ready() <-chan struct{} { return k.ready }

// Plugged returns the names of the keyboards that are read now, sorted.
func (k *Keyboard) Plugged() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for _, n := range k.plugged {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Question is what Ask needs to know.
type Question struct {
	// Names returns the register's names, which are offered as letters come;
	// nil offers none. It is called once.
	Names func() []string
	// Free is whether a name may be typed that the register doesn't have.
	Free bool
	// Show is called with the empty line and after every press. It must not
	// block.
	Show func(View)
}

// Ask reads a name. Only one question is open at a time: a newer one ends an
// older one. The answer is a request; whether the name gets the badge is for
// the directory, or a policy, to say.
func (k *Keyboard) Ask(ctx context.Context, q Question) (Answer, error) {
	if len(k.Plugged()) == 0 {
		return Answer{}, ErrNoKeyboard
	}
	l := &line{free: q.Free}
	if q.Names != nil {
		l.names = q.Names()
	}
	show := func() {
		if q.Show != nil {
			q.Show(l.view())
		}
	}
	show()
	var answer Answer
	err := k.listen(ctx, func(p Press) (done bool, err error) {
		if p == Escape {
			return true, ErrCancelled
		}
		answer, done = l.press(p)
		if !done {
			show()
		}
		return done, nil
	})
	return answer, err
}

// WaitEnter returns when Enter is pressed, for the self-test.
func (k *Keyboard) WaitEnter(ctx context.Context) error {
	if len(k.Plugged()) == 0 {
		return ErrNoKeyboard
	}
	return k.listen(ctx, func(p Press) (bool, error) { return p == Enter, nil })
}

// listen hands presses to f until it has enough.
func (k *Keyboard) listen(ctx context.Context, f func(Press) (done bool, err error)) error {
	me := &question{presses: make(chan Press, 64), end: make(chan struct{})}
	k.mu.Lock()
	if k.asking != nil {
		close(k.asking.end)
	}
	k.asking = me
	k.mu.Unlock()
	defer func() {
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
			return ErrReplaced
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pressed hands a press to who asks; without a question it is forgotten.
func (k *Keyboard) pressed(p Press) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asking == nil {
		return
	}
	select {
	case k.asking.presses <- p:
	default: // nobody types 64 letters before the first is shown
	}
}

// matches is whether a keyboard at path is one that is wanted.
func (k *Keyboard) matches(path string) bool {
	return k.device == "" || k.system.resolve(k.device) == path || strings.TrimSpace(k.device) == path
}
