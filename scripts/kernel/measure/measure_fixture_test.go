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
// up first; fewer than enough prove nothing, and fail. `make kernel-figures`
// shows more.
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
	possible := map[bool]gpiosim.Pulses{} // by whether hogs are busy
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.busy {
				stop, err := startHogs(4)
				if err != nil {
					t.Fatal(err)
				}
				defer stop()
			}
			if r.Pulses == fastest {
				if _, ok := possible[r.busy]; !ok {
					if possible[r.busy], err = slowDown(c, fastest); err != nil {
						t.Fatal(err)
					}
				}
				r.Pulses = possible[r.busy]
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
			t.Logf("%v / %v: %s (%v)", r.Width, r.Interval, res, time.Since(start).Round(time.Second))
			if r.original {
				return // that is what it is compared with
			}
			if res.wrong+res.misread > 0 {
				t.Errorf("%d cards were read as another, and %d spoilt ones", res.wrong, res.misread)
			}
			hard := r.busy || r.Interval < time.Millisecond
			if res.frames < enoughHard || res.frames < enough && !hard {
				t.Errorf("only %d frames were shown as a reader shows them, %d were spoilt: this host is too slow or too busy", res.frames, res.spoilt)
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

// slowDown doubles times until half of the frames that this host makes are a
// reader's: where a write to a line takes as long as an interval of the fastest
// readers, slower ones are shown.
func slowDown(c *gpiosim.Chip, p gpiosim.Pulses) (gpiosim.Pulses, error) {
	for ; p.Interval < usual.Interval; p.Width, p.Interval = 2*p.Width, 2*p.Interval {
		res, err := measure{Pulses: p}.run(c, 20, 3*time.Second)
		if err != nil || res.frames >= res.spoilt {
			return p, err
		}
	}
	return p, nil
}
