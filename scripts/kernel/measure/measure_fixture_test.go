//go:build fixture

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"stump/internal/gpiosim"
)

func TestMain(m *testing.M) {
	gpiosim.Main()
	original()
	hog()
	os.Exit(m.Run())
}

// A row has this many frames, unless the host spoils so many that its time is
// up first; fewer than enough prove nothing. `make kernel-figures` shows more.
const (
	frames     = 200
	limit      = 20 * time.Second
	enough     = 50
	enoughHard = 10 // beside hogs, or with pulses as near as a write is long
)

// TestKernelRows holds every row of the table to what it promises. Times are
// stated, not tested: another program on this machine would fail them.
func TestKernelRows(t *testing.T) {
	c, err := gpiosim.New("measure", 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.busy {
				stop, err := startHogs(4)
				if err != nil {
					t.Fatal(err)
				}
				defer stop()
			}
			start := time.Now()
			n, limit := frames, limit
			if r.original {
				n, limit = 20, 8*time.Second // nothing is asked of it
			}
			res, err := r.run(c, n, limit)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s (%v)", res, time.Since(start).Round(time.Second))
			if r.original {
				return // that is what it is compared with
			}
			if res.wrong+res.misread > 0 {
				t.Errorf("%d cards were read as another, and %d spoilt ones", res.wrong, res.misread)
			}
			hard := r.busy || r.Interval < time.Millisecond
			if res.frames < enoughHard || res.frames < enough && !hard {
				t.Skipf("only %d frames were shown as a reader shows them: this host is too slow to say more", res.frames)
			}
			if res.unsaid > 0 {
				t.Errorf("%d cards were lost without a word\n%s", res.unsaid, strings.Join(res.stories, "\n"))
			}
			switch overflows := r.stall > time.Second; {
			case overflows && (res.lost == 0 || res.overrun == 0):
				t.Errorf("the buffer did not overflow: %d lost, %d refused as overrun", res.lost, res.overrun)
			case !overflows && !r.busy && res.lost > 0:
				t.Errorf("%d cards were lost", res.lost)
			case r.busy && res.lost*1000 > res.frames+1000:
				t.Errorf("%d of %d cards were lost", res.lost, res.frames)
			}
		})
	}
}
