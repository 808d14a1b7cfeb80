//go:build fixture

package selftest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

	"stump/gpio"
	"stump/hw/board"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// The kernel's simulated chip is driven by the simulated reader: what the
// reader does to its two lines is done to two lines of the chip, at its time,
// and the reader learns which pull a program asks the kernel for, so
// that it can hold against it or not.
//
// The kernel's time is simulated, too: it stands still while a program works and
// jumps when all sleep, so that each edge comes when the reader makes it, however
// slow and busy the host is.
type bridge struct {
	sim   *gpio.Sim
	chip  *gpiosim.Chip
	lines [2]int
	quit  chan struct{}
	done  sync.WaitGroup
}

// ahead is how much earlier the bridge knows of an edge than it makes it.
const ahead = int64(15 * time.Millisecond)

func newBridge(t *testing.T) *bridge {
	t.Helper()
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{17: "GPIO17", 18: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{
		sim:   gpio.NewSim(func() int64 { return gpio.Monotonic() + ahead }),
		chip:  chip,
		lines: [2]int{17, 18},
		quit:  make(chan struct{}),
	}
	b.sim.SetBothEdges(true)
	b.done.Go(b.drive)
	t.Cleanup(func() { close(b.quit); b.done.Wait(); b.sim.Close(); chip.Close() })
	return b
}

// drive makes the edges.
func (b *bridge) drive() {
	runtime.LockOSThread()
	// Before every program in this kernel, as hardware is, but after the
	// kernel's interrupt threads, whose priority is 50.
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 20}, 0); err != nil {
		fmt.Fprintln(os.Stderr, "the bridge has no priority:", err)
	}
	level := [2]bool{true, true}
	buf := make([]wiegand.Edge, 256)
	for {
		select {
		case <-b.quit:
			return
		default:
		}
		n, _, err := b.sim.Read(buf, gpio.Monotonic()+ahead+int64(time.Millisecond))
		if err != nil {
			return
		}
		for _, e := range buf[:n] {
			for wait := e.Time - gpio.Monotonic(); wait > 0; wait = e.Time - gpio.Monotonic() {
				if wait > int64(3*time.Millisecond) {
					b.follow(level)
					wait = int64(time.Millisecond)
				}
				sleep(wait)
			}
			level[e.Line] = e.Rising
			b.chip.Set(b.lines[e.Line], e.Rising)
		}
		if n == 0 {
			if now, err := b.sim.Levels(); err == nil && b.follow(level) {
				level = now
			}
		}
	}
}

// sleep takes d ns, where [time.Sleep] may take a millisecond longer.
func sleep(d int64) {
	left := unix.NsecToTimespec(d)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &left, &left) == unix.EINTR {
	}
}

// follow looks whether a program has asked for another pull, which in gpio-sim
// is the line's level itself, tells the simulated reader and sets the line
// right again.
func (b *bridge) follow(level [2]bool) (asked bool) {
	for i, line := range b.lines {
		pull, err := os.ReadFile(fmt.Sprintf("%s/sim_gpio%d/pull", b.chip.Sysfs(), line))
		if err != nil {
			continue
		}
		up := strings.TrimSpace(string(pull)) == "pull-up"
		if up == level[i] {
			continue
		}
		bias := gpio.BiasPullDown
		if up {
			bias = gpio.BiasPullUp
		}
		b.sim.SetBias(bias)
		time.Sleep(100 * time.Microsecond)
		now, _ := b.sim.Levels()
		for j, l := range b.lines {
			b.chip.Set(l, now[j])
		}
		return true
	}
	return false
}

var kernelSeeds = flag.Int("kernel.seeds", 1, "variations of each fault on the kernel's lines")

// TestKernelFaults makes every fault on lines of a real kernel.
func TestKernelFaults(t *testing.T) {
	if cmdline, _ := os.ReadFile("/proc/cmdline"); !strings.Contains(string(cmdline), "time-travel=inf-cpu") {
		t.Fatal("edges come at their time only in a kernel that was started by scripts/uml -a time-travel=inf-cpu")
	}
	for _, fault := range append([]string{"off"}, gpio.Faults...) {
		for seed := range uint64(*kernelSeeds) {
			t.Run(fmt.Sprintf("%s-%d", fault, seed+1), func(t *testing.T) { onKernel(t, fault, seed+1) })
		}
	}
}

// onKernel makes one self-test and looks at its answer.
func onKernel(t *testing.T, fault string, seed uint64) {
	b := newBridge(t)
	if err := b.sim.SetVariation(fault, seed); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	cards := [2]wiegand.Bits{
		card(t, "H10301", wiegand.Fields{Facility: 17, Number: 31066}),
		card(t, "H10301", wiegand.Fields{Facility: 200, Number: 1042}),
	}
	env := &Env{
		root: fstest.MapFS{}, Simulated: true, Formats: []*wiegand.Format{format},
		Lines: func(context.Context) (gpio.Adjustable, error) {
			return (&board.Board{}).OpenReader("GPIO17", "GPIO18", gpio.Request{})
		},
		ListenFree: b.sim.ListenFree,
		Present:    func(n int) { b.sim.Present(cards[n]) },
	}
	var results []Result
	sum := Run(t.Context(), env, func(r Result) { results = append(results, r) })
	at := index(sum.Causes, fault)
	if fault == "off" && (sum.Result != Pass || len(sum.Causes) > 0) || fault != "off" && (at < 0 || at > 1 || sum.Result == Pass) {
		t.Errorf("%v\n%s", sum.Causes, transcript(results, sum))
	}
}
