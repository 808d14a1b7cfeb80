//go:build linux && fixture

package measure

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"stump/internal/gpiosim"
)

// What scripts/kernel/figures asks for.
var (
	figures = flag.Bool("figures", false, "print the table")
	busy    = flag.Bool("busy", false, "print the rows with busy processes, not the others")
	frames  = flag.Int("frames", 0, "frames in each row at most; 0: as many as in the table")
	ends    = flag.Duration("limit", 0, "end each row after about this time; 0: with its last frame")
)

func TestMain(m *testing.M) {
	gpiosim.Main()
	original()
	hog()
	os.Exit(m.Run())
}

// The paces of readers in the table.
var (
	usual   = gpiosim.Pulses{Width: 40 * time.Microsecond, Interval: 2 * time.Millisecond}
	fastest = gpiosim.Pulses{Width: 20 * time.Microsecond, Interval: 200 * time.Microsecond}
)

// row is one row of the table.
type row struct {
	name   string
	frames int
	busy   bool
	measure
}

var rows = []row{
	{"40 µs / 2 ms", 10_000, false, measure{Pulses: usual}},
	{"20 / 200 µs", 1_000, false, measure{Pulses: fastest}},
	{"reading stalls for 500 ms in mid-card", 1_000, false, measure{Pulses: usual, stall: 500 * time.Millisecond, every: 26*10 + 13}},
	{"reading stalls until the buffer overflows", 1_000, false, measure{Pulses: fastest, stall: 4 * time.Second, every: 26*60 + 13}},
	{"both edges, 40 µs / 2 ms", 1_000, false, measure{Pulses: usual, both: true}},
	{"the original's way, 40 µs / 2 ms", 500, false, measure{Pulses: usual, original: true}},
	{"the original's way, 20 / 200 µs", 200, false, measure{Pulses: fastest, original: true}},
	{"40 µs / 2 ms, busy", 1_000, true, measure{Pulses: usual}},
	{"20 / 200 µs, busy", 1_000, true, measure{Pulses: fastest}},
	{"the original's way, 40 µs / 2 ms, busy", 500, true, measure{Pulses: usual, original: true}},
	{"the original's way, 20 / 200 µs, busy", 200, true, measure{Pulses: fastest, original: true}},
}

const hogVariable = "MEASURE_HOG"

// hog keeps a processor busy forever, if this process was started for that.
func hog() {
	if os.Getenv(hogVariable) == "" {
		return
	}
	for i := 0; ; i++ {
		runtime.KeepAlive(i)
	}
}

// hogs are n busy processes until the end of the test.
func hogs(t *testing.T, n int) {
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), hogVariable+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	}
}

// TestFigures prints the rows of the table.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("prints the table of docs/kernel.md for scripts/kernel/figures")
	}
	c := chip(t)
	if *busy {
		hogs(t, 4)
	}
	for _, r := range rows {
		if r.busy != *busy {
			continue
		}
		if *frames > 0 {
			r.frames = min(r.frames, *frames)
		}
		var res result
		if err := r.run(c, &res, r.frames, *ends); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		fmt.Printf("| %s | %s |\n", r.name, res)
	}
}

func chip(t *testing.T) *gpiosim.Chip {
	t.Helper()
	c, err := gpiosim.New("measure", 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A row shows this many frames, unless the host spoils so many that the limit comes
// first. Fewer than enough prove nothing: they fail, after four times the limit.
// `make kernel-figures` shows more.
const (
	most       = 200
	limit      = 20 * time.Second
	enough     = 50
	enoughHard = 10 // beside busy processes, or with intervals no longer than a write to a line
)

// TestKernelRows checks every row of the table. It logs times without checking
// them, since they depend on what else this machine does.
func TestKernelRows(t *testing.T) {
	c := chip(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.busy {
				hogs(t, 4)
			}
			if r.Pulses == fastest {
				var err error
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

func (r row) untilEnough(c *gpiosim.Chip) (res result, err error) {
	if r.original {
		return res, r.run(c, &res, 20, 8*time.Second) // not checked
	}
	start := time.Now()
	err = r.run(c, &res, most, limit)
	for err == nil && time.Since(start) < 4*limit && (res.frames < r.need() || r.overflows() && !res.overflown()) {
		err = r.run(c, &res, most, limit)
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
		var res result
		err := measure{Pulses: p}.run(c, &res, 20, 3*time.Second)
		if err != nil || res.frames >= res.spoilt {
			return p, err
		}
	}
	return p, nil
}
