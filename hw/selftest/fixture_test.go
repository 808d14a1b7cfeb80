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
	"sync/atomic"
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
type bridge struct {
	sim   *gpio.Sim
	chip  *gpiosim.Chip
	lines [2]int
	quit  chan struct{}
	done  sync.WaitGroup
	late  atomic.Int64 // by how much an edge came too late, at most
	apart atomic.Int64 // of edges that the reader has nearly at once, the most
}

// Times by which a host makes other pulses than the reader's.
const (
	stalled = time.Millisecond
	atOnce  = 50 * time.Microsecond // edges of a spike: less far apart than this
	blurred = 80 * time.Microsecond // and made further apart than this
)

// spoilt says what the host made of the reader's pulses that the reader did not
// do, empty if it made them well.
func (b *bridge) spoilt() string {
	if late := time.Duration(b.late.Load()); late >= stalled {
		return fmt.Sprintf("edges came up to %v late", late)
	}
	if apart := time.Duration(b.apart.Load()); apart >= blurred {
		return fmt.Sprintf("edges of spikes came up to %v apart", apart)
	}
	return ""
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

// drive makes the edges. It spins only towards one that is near.
func (b *bridge) drive() {
	runtime.LockOSThread()
	// Before every program in this kernel, as hardware is, but after the
	// kernel's interrupt threads, whose priority is 50.
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 20}, 0); err != nil {
		fmt.Fprintln(os.Stderr, "the bridge has no priority:", err)
	}
	level := [2]bool{true, true}
	var late, last, made int64 // no reader catches up after a stall
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
			since := e.Time - last
			if since > int64(30*time.Millisecond) {
				late = 0
			}
			last = e.Time
			for wait := e.Time + late - gpio.Monotonic(); wait > 0; wait = e.Time + late - gpio.Monotonic() {
				if wait > int64(3*time.Millisecond) {
					time.Sleep(time.Millisecond)
					b.follow(level)
				}
			}
			if by := gpio.Monotonic() - e.Time - late; by > int64(100*time.Microsecond) {
				late += by
				b.late.Store(max(b.late.Load(), by))
			}
			now := gpio.Monotonic()
			if since < int64(atOnce) {
				b.apart.Store(max(b.apart.Load(), now-made))
			}
			made = now
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

// TestKernelFaults makes every fault on lines of a real kernel. A host that is
// slow, or takes the processor away, makes other pulses than the fault's: then a
// wrong answer does not count, and the next try comes after a longer pause.
func TestKernelFaults(t *testing.T) {
	for _, fault := range append([]string{"off"}, gpio.Faults...) {
		t.Run(fault, func(t *testing.T) {
			for seed := range uint64(*kernelSeeds) {
				for tries := 1; ; tries++ {
					wrong, spoilt := onKernel(t, fault, seed+1)
					if wrong == "" {
						break
					}
					if spoilt == "" {
						t.Fatalf("variation %d: %s", seed+1, wrong)
					}
					if tries == 12 {
						t.Fatalf("variation %d: this host is too slow or too busy: %s", seed+1, spoilt)
					}
					time.Sleep(time.Duration(tries) * 500 * time.Millisecond)
				}
			}
		})
	}
}

// onKernel makes one self-test and says what is wrong with its answer, and what
// the host made of the pulses.
func onKernel(t *testing.T, fault string, seed uint64) (wrong, spoilt string) {
	t.Run("try", func(t *testing.T) {
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
		spoilt = b.spoilt()
		at := index(sum.Causes, fault)
		if fault == "off" && (sum.Result != Pass || len(sum.Causes) > 0) || fault != "off" && (at < 0 || at > 1 || sum.Result == Pass) {
			wrong = fmt.Sprintf("%v\n%s", sum.Causes, transcript(results, sum))
		}
	})
	return wrong, spoilt
}
