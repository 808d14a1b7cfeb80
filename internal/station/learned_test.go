package station

import (
	"strings"
	"testing"
	"time"

	"stump/gpio"
	"stump/internal/learned"
	"stump/wiegand"
)

// TestReaderIsLearned: a reader's cards are known from the fiftieth on, also to
// the next daemon. A card that is unlike them counts when it comes again.
func TestReaderIsLearned(t *testing.T) {
	dir := t.TempDir()
	inLab(t, func(o *Options, _ *ReaderOptions) { o.Learned = learned.Open(dir, nil) }, func(l *lab) {
		l.serve(l.o.Learned)
		for i := range wiegand.KnownCards {
			if n := l.reader.LearnedCards(); n != i {
				t.Fatalf("after %d cards: %d", i, n)
			}
			l.wants("ann", "Hello ANN")
			time.Sleep(time.Duration(5+i%7) * time.Second) // evenly would be a reader that repeats a tag
		}
	})
	kept := learned.Open(dir, nil)
	if p := kept.Reader("door").Cards; !p.Known() || p.Even != p.Cards || p.Shortest != 2e6 || p.Longest != 2e6 || len(p.Bits) != 1 || p.Bits[0] != 26 {
		t.Fatalf("kept: %+v", p)
	}
	inLab(t, func(o *Options, _ *ReaderOptions) { o.Learned = kept }, func(l *lab) {
		if n := l.reader.LearnedCards(); n != wiegand.KnownCards {
			t.Errorf("after a restart: %d", n)
		}
		l.wants("ann", "Hello ANN")
		l.sim.SetTiming(gpio.Timing{Width: 50 * time.Microsecond, Interval: time.Millisecond})
		l.wants("ipad", "tap again")
		l.wants("ipad", "Checked out")
		if n := l.reader.Stats().Faults[wiegand.FaultNoise]; n != 1 || !strings.Contains(l.log.String(), "noise") {
			t.Errorf("%d noise, log %s", n, l.log)
		}
	})
}
