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

// A row shows this many frames, unless the host spoils so many that the limit comes
// first. Fewer than enough prove nothing: they fail, after four times the limit.
// `make kernel-figures` shows more.
const (
	frames     = 200
	limit      = 20 * time.Second
	enough     = 50
	enoughHard = 10 // beside busy processes, or with intervals no longer than a write to a line
)

// TestKernelRows checks every row of the table. It logs times without checking
// them, since they depend on what else this machine does.
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
			if r.Pulses == fastest {
				if r.Pulses, err = slowDown(c, fastest); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			res, err := r.untilEnough(c)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v / %v: %s (%v)", r.Width, r.Interval, res, time.Since(start).Round(time.Second))
			if !r.original {
				r.check(t, res)
			}
		})
	}
}

// need returns how many frames a row needs.
func (r row) need() int {
	if r.busy || r.Interval < usual.Interval {
		return enoughHard
	}
	return enough
}

// overflows reports whether the row is about the buffer's overflow.
func (r row) overflows() bool { return r.stall > time.Second }

func (r row) untilEnough(c *gpiosim.Chip) (result, error) {
	if r.original {
		return r.run(c, 20, 8*time.Second) // not checked
	}
	start := time.Now()
	res, err := r.run(c, frames, limit)
	for err == nil && time.Since(start) < 4*limit && (res.frames < r.need() || r.overflows() && !res.overflown()) {
		var more result
		more, err = r.run(c, frames, limit)
		res.add(more)
	}
	return res, err
}

func (r result) overflown() bool { return r.lost > 0 && r.overrun > 0 }

func (r row) check(t *testing.T, res result) {
	if res.wrong+res.misread > 0 {
		t.Errorf("%d cards were read as another, and %d of the spoilt", res.wrong, res.misread)
	}
	if res.frames < r.need() {
		t.Errorf("only %d frames had a reader's timing, %d were spoilt: this host is too slow or too busy", res.frames, res.spoilt)
	}
	if res.silent > 0 {
		t.Errorf("%d cards were lost and not reported\n%s", res.silent, strings.Join(res.stories, "\n"))
	}
	switch {
	case r.overflows() && !res.overflown():
		t.Errorf("the buffer did not overflow: %d lost, %d refused as overrun", res.lost, res.overrun)
	case !r.overflows() && !r.busy && res.lost > 0:
		t.Errorf("%d cards were lost", res.lost)
	case r.busy && res.lost*1000 > res.frames+1000:
		t.Errorf("%d of %d cards were lost", res.lost, res.frames)
	}
}

// slowDown doubles the times until half of the frames have a reader's timing: on
// some hosts a write to a line takes as long as an interval of the fastest readers.
func slowDown(c *gpiosim.Chip, p gpiosim.Pulses) (gpiosim.Pulses, error) {
	for ; 2*p.Interval < usual.Interval; p.Width, p.Interval = 2*p.Width, 2*p.Interval {
		res, err := measure{Pulses: p}.run(c, 20, 3*time.Second)
		if err != nil || res.frames >= res.spoilt {
			return p, err
		}
	}
	return p, nil
}
