// Package selftest tests a station from the board to the ledger, and watches
// its lines (Scope) and its hardware (Health) while it works.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/diagnose"
	"stump/wiegand"
)

// Env is what a self-test looks at. The daemon lends what it holds; without a
// daemon the command opens the same things itself. What is nil is skipped, and
// the result says so.
type Env struct {
	// Simulated is true for a station without hardware. The machine it runs on
	// is then no part of the test.
	Simulated bool
	Site      board.Site
	// Others are the station's other readers, which this self-test says
	// nothing about.
	Others []string
	// Formats are those of the reader's configuration. None: all that are known.
	Formats []*wiegand.Format

	// Now is the clock that stamps the lines' edges; nil: CLOCK_MONOTONIC.
	Now func() int64
	// Devices are the files that a station like this one has to open.
	Devices []Device
	// Lines takes the reader's lines; closing them gives them back. SetBias,
	// SetBothEdges and ListenFree are used where the source has them.
	Lines func(context.Context) (gpio.Source, error)
	// Bias is what the lines are configured with, to be restored.
	Bias gpio.Bias
	// NoFloat says why this board's pulls can't be changed; empty: they can.
	NoFloat string
	// ListenFree watches pins that nothing is connected to, when the source
	// itself can't.
	ListenFree func() (stop func() ([]gpio.Activity, error), err error)
	// Present has the simulated reader show card 0 or 1. nil: a person does.
	Present func(card int)

	Outputs  []Lamp
	Display  func(ctx context.Context, code string) (DisplayFact, error)
	Keyboard *KeyboardProbe

	StateDir  string // where the ledger is
	Network   func(context.Context) (NetworkFact, error)
	Directory func(context.Context) (DirectoryFact, error)
	Queue     func(context.Context) (QueueFact, error)
	Ledger    func(context.Context) (LedgerFact, error)

	// Say tells the person what to do; Ask asks, and returns what was typed.
	// A nil Ask means that nobody is there: what needs hands is skipped.
	Say func(string)
	Ask func(ctx context.Context, question string) (string, error)
	// ShowNumbers prints card numbers in full.
	ShowNumbers bool

	// Tests set these; otherwise they are of this machine and of who shows cards.
	root      fs.FS // proc, sys and run
	timing    patience
	readClock func(context.Context) (clockFact, error)
	writeSync func(dir string) (time.Duration, error) // 4 KiB
}

// patience is how long things may take.
type patience struct {
	Idle  time.Duration // listening with no card
	Card  time.Duration // until a card brings its first edge
	Quiet time.Duration // a card is over when the lines were quiet for so long
	Limit time.Duration // or when it has lasted so long
	Late  time.Duration // for what was held back
	Times int           // how often each card is shown
}

// forPeople and forSim are the two patiences. The simulated reader's whole
// self-test takes less than 5 s.
var (
	forPeople = patience{Idle: 2 * time.Second, Card: 20 * time.Second, Quiet: 400 * time.Millisecond, Limit: 4 * time.Second, Late: 10 * time.Second, Times: 3}
	forSim    = patience{Idle: 900 * time.Millisecond, Card: 400 * time.Millisecond, Quiet: 150 * time.Millisecond, Limit: 900 * time.Millisecond, Late: 1500 * time.Millisecond, Times: 3}
)

// tester is one self-test under way.
type tester struct {
	*Env
	src      gpio.Source
	evidence diagnose.Evidence
	noisy    bool // with no card
	first    wiegand.Bits
}

// Run makes the checks in order, hands each result to emit as it comes, and
// returns the summary. A cancelled context ends it early: the rest is skipped.
func Run(ctx context.Context, env *Env, emit func(Result)) Summary {
	s := newTester(env)
	defer s.release()
	checks := map[string]func(context.Context) Result{
		"board": s.board, "power": s.power, "permissions": s.permissions,
		"lines": s.lines, "idle": s.idle, "float": s.float, "outputs": s.outputs,
		"card": s.card, "second-card": s.secondCard,
		"display": s.display, "keyboard": s.keyboard,
		"clock": s.clock, "storage": s.storage,
		"network": s.network, "directory": s.directory, "queue": s.queue, "ledger": s.ledger,
	}
	var results []Result
	for _, name := range checkNames {
		r := skip("the self-test was stopped")
		if ctx.Err() == nil {
			r = checks[name](ctx)
		}
		r.Check = name
		if name == "display" {
			s.release() // what follows does not need the lines
		}
		results = append(results, r)
		emit(r)
	}
	return summarise(results, diagnose.Diagnose(&s.evidence, &s.Site))
}

func newTester(env *Env) *tester {
	e := *env
	if e.root == nil {
		e.root = os.DirFS("/")
	}
	if len(e.Formats) == 0 {
		for _, f := range wiegand.VerifiedFormats() {
			if f.Checked() {
				e.Formats = append(e.Formats, f)
			}
		}
	}
	if e.writeSync == nil {
		e.writeSync = syncedWrite
	}
	if e.readClock == nil {
		e.readClock = func(context.Context) (clockFact, error) { return readClock(e.root) }
	}
	if e.Now == nil {
		e.Now = gpio.Monotonic
	}
	if e.Say == nil {
		e.Say = func(string) {}
	}
	if e.timing == (patience{}) {
		e.timing = forPeople
		if e.Present != nil {
			e.timing = forSim
		}
	}
	s := &tester{Env: &e}
	s.evidence.Formats = e.Formats
	return s
}

func (s *tester) release() {
	if s.src == nil {
		return
	}
	if b, ok := s.src.(interface{ SetBothEdges(bool) error }); ok {
		b.SetBothEdges(false)
	}
	s.src.Close()
	s.src = nil
}

func pass(format string, a ...any) Result {
	return Result{Result: Pass, Measured: fmt.Sprintf(format, a...)}
}

func skip(format string, a ...any) Result {
	return Result{Result: Skip, Measured: fmt.Sprintf(format, a...)}
}

func bad(v Verdict, remedy, format string, a ...any) Result {
	return Result{Result: v, Remedy: remedy, Measured: fmt.Sprintf(format, a...)}
}

// failed is a check that ended in an error.
func failed(err error, remedy string) Result {
	var h interface{ Hint() string }
	if remedy == "" && errors.As(err, &h) {
		remedy = capital(h.Hint() + ".")
	}
	return bad(Fail, remedy, "%v", err)
}

// seconds prints a duration as a person says it.
func seconds(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
