// Package decade has only a test: it simulates a station for years, with all who use it and
// all that goes wrong, in fake time, and holds it to an oracle that knows the truth.
//
//	life: who comes when ─▶ oracle: what must be said ─┐
//	  │                                               ├─ differences
//	  └▶ cards ─▶ lines ─▶ the whole daemon ─▶ display, books, alarms, files
//
// docs/decade.md says what is simulated and what is not.
package decade

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the lab is in a zone with summer time

	"stump/checkout/ledger"
	"stump/internal/clock"
	"stump/internal/daemon"
	"stump/internal/task"
)

var (
	years = flag.Int("years", 0, "how many years are simulated; 0 for a month")
	days  = flag.Int("days", 0, "how many days instead, if that is more than a month")
	busy  = flag.Int("visits", 50, "how many visits a working day has at least")
	trace = flag.Bool("trace", false, "print each bump")
	seed  = flag.Uint64("seed", 1, "what happens in them")
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == daemon.CheckFileCommand { // the daemon checks its backups so
		if err := ledger.CheckFile(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	time.Local, task.Simulated = zone, true
	os.Exit(m.Run())
}

// begin is the first day.
func begin() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.Local) }

// shortest is how many days TestDecade simulates at least.
var shortest = 31

// TestDecade simulates a month, or so many -years with -seed. It prints what it did.
func TestDecade(t *testing.T) {
	end := begin().AddDate(0, 0, max(shortest, *days))
	if *years > 0 {
		end = begin().AddDate(*years, 0, 0)
	}
	w := play(t, *seed, end)
	t.Log("\n" + w.figures.String())
}

// TestReplays: a seed is one life, so that a failure can be looked at again.
func TestReplays(t *testing.T) {
	end := begin().AddDate(0, 0, min(shortest, 4))
	a, b, other := play(t, 7, end), play(t, 7, end), play(t, 8, end)
	if a.story() != b.story() {
		t.Errorf("one seed, two stories: %s, %s", a.story(), b.story())
	}
	if a.story() == other.story() {
		t.Error("two seeds, one story")
	}
}

// play simulates a life until a day.
func play(t *testing.T, seed uint64, end time.Time) (w *world) {
	t.Helper()
	v, dir := newVerifier(), memDir(t)
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed, dir, v)
		defer w.close()
		w.live(end)
	})
	for _, wrong := range v.close() {
		w.differ("%s", wrong)
	}
	clock.Simulated = nil // which the verifier looks at, too
	w.figures.verifiedEvents, w.figures.verifying, w.figures.ended = v.events, v.took, used()
	if n := len(w.wrong); n > 0 {
		t.Errorf("%d differences; once more: make decade SEED=%d YEARS=%d", n, seed, *years)
	}
	return w
}
