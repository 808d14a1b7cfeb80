// Package selftest tests a station from the board to the ledger, and watches
// its lines (Scope) and its hardware (Health) while it works.
package selftest

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/diagnose"
	"stump/internal/hint"
	"stump/internal/reader"
	"stump/wiegand"
)

// Env is what a self-test looks at. The daemon lends what it holds; without a
// daemon the command opens the same things itself. A check whose part is nil is
// skipped, and its result says so.
type Env struct {
	// Simulated is true for a station without hardware. The machine that it runs
	// on is then not tested.
	Simulated bool
	Site      board.Site
	// Others are the names of the station's other readers, which this self-test
	// says nothing about.
	Others  []string
	Formats []*wiegand.Format // that the reader's cards may have

	// Now is the clock that stamps the lines' edges; nil: CLOCK_MONOTONIC.
	Now func() int64
	// Devices are the files that the station has to open.
	Devices []Device
	// Lines takes the reader's lines; closing them gives them back.
	Lines func(context.Context) (gpio.Adjustable, error)
	// Sent takes a reader without data lines instead; nil for one with. SentBy says
	// how what it sends is decoded.
	Sent   func(context.Context) (Sender, error)
	SentBy reader.Options
	// Bias is the configured pull of the lines, to be restored.
	Bias gpio.Bias
	// NoFloat says why this board's pulls can't be changed; empty: they can.
	NoFloat string
	// ListenFree watches pins that nothing is connected to; nil: it can't be done.
	ListenFree func() (stop func() ([]gpio.Activity, error), err error)
	// Present has the simulated reader show card 0 or 1. nil: a person does.
	Present func(card int)

	Outputs []Lamp
	// Display shows a code of four digits.
	Display func(ctx context.Context, code string) (DisplayFact, error)
	// Keyboard takes the keyboards, until release.
	Keyboard func(context.Context) (k Keyboard, release func(), err error)

	Clock     func(context.Context) (ClockFact, error)
	StateDir  string // where the ledger is
	Network   func(context.Context) (NetworkFact, error)
	Directory func(context.Context) (DirectoryFact, error)
	Queue     func(context.Context) (QueueFact, error)
	Ledger    func(context.Context) (LedgerFact, error)

	// Untested says of checks, by their names, why they are not made although their
	// part is configured, and how they can be.
	Untested map[string]string
	// Close gives back what the checks opened; nil: nothing is to be given back.
	Close func()

	// Say tells the person what to do. Ask asks, and returns what was typed; nil
	// means that nobody is there, and what needs hands is skipped.
	Say func(string)
	Ask func(ctx context.Context, question string) (string, error)
	// ShowNumbers prints card numbers in full.
	ShowNumbers bool

	// Only tests set these.
	root      fs.FS // proc, sys and run
	timing    patience
	writeSync func(dir string) (time.Duration, error) // 4 KiB
	freeSpace func(dir string) int64
}

// patience is how long things may take.
type patience struct {
	Idle  time.Duration // listening with no card
	Card  time.Duration // until a card brings its first edge
	Quiet time.Duration // a card is over when the lines were quiet for so long
	Limit time.Duration // or when it has lasted so long
	Late  time.Duration // for what was held back
}

// The simulated reader's whole self-test takes less than 5 s.
var (
	forPeople = patience{Idle: 2 * time.Second, Card: 20 * time.Second, Quiet: 400 * time.Millisecond, Limit: 4 * time.Second, Late: 10 * time.Second}
	forSim    = patience{Idle: 900 * time.Millisecond, Card: 400 * time.Millisecond, Quiet: 150 * time.Millisecond, Limit: 900 * time.Millisecond, Late: 1500 * time.Millisecond}
)

// tester is one self-test under way.
type tester struct {
	Env
	src      gpio.Adjustable // nil until taken
	sender   Sender          // of a reader without data lines
	evidence diagnose.Evidence
	noisy    bool // with no card
	first    wiegand.Bits

	sentCauses []string // that a reader without data lines shows
}

// Why checks are skipped.
const (
	noLines  = "the lines could not be taken"
	noReader = "the reader is not there"
	offline  = "this station does not need the network"
)

// checks are made in this order. One that lacks what it looks at is skipped.
var checks = []struct {
	name  string
	make  func(*tester, context.Context) Result
	lacks func(*tester) bool
	why   string
}{
	{"board", (*tester).board, func(*tester) bool { return false }, ""},
	{"power", (*tester).power, func(s *tester) bool { return s.Simulated }, "a simulated reader needs no supply"},
	{"permissions", (*tester).permissions, func(s *tester) bool { return len(s.Devices) == 0 && !s.Simulated }, "no device files are configured"},
	{"lines", (*tester).lines, func(s *tester) bool { return s.Lines == nil }, "no reader is configured"},
	{"idle", (*tester).idle, (*tester).untaken, noLines},
	{"float", (*tester).float, (*tester).untaken, noLines},
	{"outputs", (*tester).outputs, func(s *tester) bool { return len(s.Outputs) == 0 }, "no lights or beeper are configured"},
	{"card", (*tester).card, (*tester).untaken, noLines},
	{"second-card", (*tester).secondCard, (*tester).untaken, noLines},
	{"display", (*tester).display, func(s *tester) bool { return s.Display == nil }, "no display is configured"},
	{"keyboard", (*tester).keyboard, func(s *tester) bool { return s.Keyboard == nil }, "no keyboard is configured"},
	{"clock", (*tester).clock, func(s *tester) bool { return s.Clock == nil }, "nobody knows the clock's state"},
	{"storage", (*tester).storage, func(s *tester) bool { return s.StateDir == "" }, "no state directory"},
	{"network", (*tester).network, func(s *tester) bool { return s.Network == nil }, offline},
	{"directory", (*tester).directory, func(s *tester) bool { return s.Directory == nil }, "no directory is configured"},
	{"queue", (*tester).queue, func(s *tester) bool { return s.Queue == nil }, "nothing is to be reported"},
	{"ledger", (*tester).ledger, func(s *tester) bool { return s.Ledger == nil }, "no ledger is open"},
}

func (s *tester) untaken() bool { return s.src == nil }

// Run makes the checks in order, hands each result to emit as it comes, and
// returns the summary. A cancelled context ends it early: the rest is skipped.
func Run(ctx context.Context, env *Env, emit func(Result)) Summary {
	s := newTester(env)
	defer s.release()
	if s.Close != nil {
		defer s.Close()
	}
	sum := Summary{Summary: true, Result: Pass}
	for _, c := range checks {
		var r Result
		switch {
		case ctx.Err() != nil:
			r = skip("the self-test was stopped")
		case s.Sent != nil && sentChecks[c.name] != nil:
			r = skip(noReader)
			if s.sender != nil || c.name == "lines" {
				r = sentChecks[c.name](s, ctx)
			}
		case c.lacks(s):
			r = skip("%s", cmp.Or(s.Untested[c.name], c.why))
		default:
			r = c.make(s, ctx)
		}
		r.Check = c.name
		if r.Causes == nil {
			r.Causes = []string{} // a list in JSON
		}
		if c.name == "display" {
			s.release() // the other checks do not need the lines
		}
		sum.add(r)
		emit(r)
	}
	if s.Sent == nil {
		s.sentCauses = diagnose.Names(s.diagnose())
	}
	sum.Causes = append([]string{}, s.sentCauses...)
	return sum
}

func newTester(env *Env) *tester {
	s := &tester{Env: *env}
	if s.root == nil {
		s.root = os.DirFS("/")
	}
	if s.writeSync == nil {
		s.writeSync = syncedWrite
	}
	if s.freeSpace == nil {
		s.freeSpace = freeSpace
	}
	if s.Now == nil {
		s.Now = gpio.Monotonic
	}
	if s.Say == nil {
		s.Say = func(string) {}
	}
	if s.timing == (patience{}) {
		s.timing = forPeople
		if s.Present != nil {
			s.timing = forSim
		}
	}
	s.evidence.Formats = s.Formats
	return s
}

func (s *tester) diagnose() []diagnose.Cause { return diagnose.Diagnose(&s.evidence, &s.Site) }

func (s *tester) release() {
	if s.sender != nil {
		s.sender.Close()
		s.sender = nil
	}
	if s.src != nil {
		_ = s.src.SetBothEdges(false)
		s.src.Close()
		s.src = nil
	}
}

// verdicts are a check's cases: the first that holds is its result.
type verdicts []struct {
	holds  bool
	result Result
}

func (v verdicts) first() Result {
	for _, c := range v {
		if c.holds {
			return c.result
		}
	}
	return Result{}
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

func failed(err error) Result {
	remedy := cmp.Or(hint.Of(err), gpio.Hint(err))
	if remedy != "" {
		remedy = capital(remedy + ".")
	}
	return bad(Fail, remedy, "%v", err)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

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
