package selftest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

var matrixNoFloat = flag.Bool("matrix.nofloat", false, "without the float test, as on a BeagleBone")

var matrixN = flag.Int("matrix.n", 50, "variations of each fault")

// timings are those that readers were seen to send.
type timings struct {
	name            string
	width, interval [2]time.Duration // from, to
}

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// readers are the pulses of readers that are sold, from their manuals and from
// captures, and the corners of SIA AC-01-1996.10 as vendors quote it.
var readers = []timings{
	{"HID MaxiProx 5375A", [2]time.Duration{30 * us, 50 * us}, [2]time.Duration{1800 * us, 2200 * us}},
	{"ZKTeco", [2]time.Duration{100 * us, 100 * us}, [2]time.Duration{ms, ms}},
	{"iClock 560", [2]time.Duration{20 * us, 100 * us}, [2]time.Duration{200 * us, 20 * ms}},
	{"iClock 560, wide", [2]time.Duration{100 * us, 800 * us}, [2]time.Duration{1000 * us, 20 * ms}},
	{"Nedap uPASS Reach", [2]time.Duration{50 * us, 50 * us}, [2]time.Duration{ms, ms}},
	{"TagMaster XT-3", [2]time.Duration{80 * us, 80 * us}, [2]time.Duration{2 * ms, 2 * ms}},
	{"RF Solutions MFPROT", [2]time.Duration{50 * us, 50 * us}, [2]time.Duration{2 * ms, 2 * ms}},
	{"a 13.56 MHz reader, captured", [2]time.Duration{350 * us, 400 * us}, [2]time.Duration{2300 * us, 2400 * us}},
	{"Tasmota's", [2]time.Duration{125 * us, 125 * us}, [2]time.Duration{1075 * us, 1375 * us}},
	{"uhppoted's emulator", [2]time.Duration{900 * us, 1100 * us}, [2]time.Duration{2 * ms, 2 * ms}},
	{"HydraFW", [2]time.Duration{100 * us, 100 * us}, [2]time.Duration{20 * ms, 20 * ms}},
	{"Linux wiegand-bus", [2]time.Duration{50 * us, 50 * us}, [2]time.Duration{2 * ms, 2 * ms}},
	{"SIA shortest", [2]time.Duration{20 * us, 20 * us}, [2]time.Duration{200 * us, 200 * us}},
	{"SIA longest", [2]time.Duration{100 * us, 100 * us}, [2]time.Duration{20 * ms, 20 * ms}},
	{"Baltech", [2]time.Duration{10 * us, 1000 * us}, [2]time.Duration{2 * ms, 20 * ms}},
}

// matrixFormats are formats whose checks show exchanged wires.
var matrixFormats = []string{"H10301", "H10306", "H10302"}

// setup is one station of the matrix.
type setup struct {
	fault  string
	seed   uint64
	people bool // patience for people, otherwise for the simulated reader
}

func (u setup) String() string {
	return fmt.Sprintf("%s, variation %d", u.fault, u.seed)
}

// try makes a self-test of one station in virtual time.
func (u setup) try(t *testing.T) (sum Summary, results []Result, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rng := rand.New(rand.NewPCG(u.seed, 99))
		now := func() int64 { return int64(time.Since(start)) }
		sim := gpio.NewSim(now)
		if err := sim.SetVariation(u.fault, u.seed); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * ms) // what breaking it does is not part of the fault
		bias := []gpio.Bias{gpio.BiasPullUp, gpio.BiasAsIs, gpio.BiasDisabled}[rng.IntN(3)]
		sim.SetBias(bias)
		row := readers[int(u.seed)%len(readers)]
		between := func(r [2]time.Duration) time.Duration {
			return r[0] + time.Duration(rng.Float64()*float64(r[1]-r[0]))
		}
		timing := gpio.Timing{Width: between(row.width), Interval: between(row.interval), Jitter: []float64{0, 0.02, 0.08}[rng.IntN(3)]}
		sim.SetTiming(timing)
		format, err := wiegand.FormatByName(matrixFormats[rng.IntN(len(matrixFormats))])
		if err != nil {
			t.Fatal(err)
		}
		var cards [2]wiegand.Bits
		for i := range cards {
			v := wiegand.Fields{Number: rng.Uint64N(65000) + 1}
			if format.HasFacility() {
				v.Facility = rng.Uint64N(254) + 1
			}
			if cards[i], err = format.Pack(v); err != nil {
				t.Fatal(err)
			}
		}
		env := &Env{
			root:      fstest.MapFS{},
			Simulated: true,
			Now:       now,
			Bias:      bias,
			Formats:   []*wiegand.Format{format},
			Lines:     func(context.Context) (gpio.Adjustable, error) { return sim, nil },

			ListenFree: sim.ListenFree,
			Present:    func(n int) { sim.Present(cards[n]) },
		}
		if *matrixNoFloat {
			env.NoFloat = "this board's pulls can't be changed"
		}
		if u.people {
			env.timing = forPeople
			env.timing.Card = 3 * time.Second
		}
		begin := time.Now()
		sum = Run(t.Context(), env, func(r Result) { results = append(results, r) })
		took = time.Since(begin)
		sim.Close()
	})
	return sum, results, took
}

// TestMatrix breaks the reader in every way, many times over, and holds what
// the self-test says against what was done. It prints the matrix:
//
//	go test ./hw/selftest -run TestMatrix -v -matrix.n 50
func TestMatrix(t *testing.T) {
	n := *matrixN
	firsts := 0
	t.Logf("%-20s %5s %6s %6s  %s", "fault", "runs", "first", "top 2", "what else was named first")
	for _, fault := range gpio.Faults {
		first, second, confused := 0, 0, map[string]int{}
		for seed := range uint64(n) {
			u := setup{fault, seed, seed%2 == 1}
			sum, results, took := u.try(t)
			if sum.Result == Pass {
				t.Errorf("%v: PASS\n%s", u, transcript(results, sum))
			}
			if !u.people && took > 5*time.Second && readers[int(seed)%len(readers)].interval[1] <= 3*ms {
				t.Errorf("%v: took %v", u, took)
			}
			switch at := index(sum.Causes, fault); {
			case at == 0:
				first++
			case at == 1:
				second++
				confused[sum.Causes[0]]++
			case len(sum.Causes) == 0:
				confused["nothing"]++
			default:
				confused[sum.Causes[0]]++
			}
			if testing.Verbose() && index(sum.Causes, fault) < 0 {
				t.Logf("%v: %v\n%s", u, sum.Causes, transcript(results, sum))
			}
		}
		if first*10 >= n*9 {
			firsts++
		}
		if (first+second)*100 < n*95 {
			t.Errorf("%s: among the first two in %d of %d", fault, first+second, n)
		}
		t.Logf("%-20s %5d %5.0f%% %5.0f%%  %v", fault, n, percent(first, n), percent(first+second, n), confused)
	}
	t.Logf("the right cause is named first in 90 %% or more for %d of %d faults", firsts, len(gpio.Faults))
	if firsts < 14 {
		t.Errorf("only %d faults are named first in 90 %%", firsts)
	}
}

// TestNoFalseAlarm makes 500 self-tests of healthy readers of all kinds.
func TestNoFalseAlarm(t *testing.T) {
	alarms, slowest := 0, time.Duration(0)
	for seed := range uint64(500) {
		u := setup{"off", seed, seed%2 == 1}
		sum, results, took := u.try(t)
		if sum.Result != Pass || len(sum.Causes) > 0 {
			if alarms++; alarms < 4 {
				t.Errorf("%v, %s: %v\n%s", u, readers[int(seed)%len(readers)].name, sum.Causes, transcript(results, sum))
			}
		}
		if !u.people {
			slowest = max(slowest, took)
			if d := readers[int(seed)%len(readers)].interval[1]; took > 5*time.Second && d <= 2*ms {
				t.Errorf("%v: took %v", u, took)
			}
		}
	}
	t.Logf("500 healthy readers: %d false alarms, the slowest self-test took %v", alarms, slowest)
	if alarms > 0 {
		t.Errorf("%d false alarms", alarms)
	}
}

func percent(a, of int) float64 { return 100 * float64(a) / float64(of) }

func index(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}

func transcript(results []Result, sum Summary) string {
	p := Printer{Columns: 80}
	var lines []string
	for _, r := range results {
		lines = append(lines, p.Lines(r)...)
	}
	return strings.Join(append(lines, p.Summary(sum)...), "\n")
}
