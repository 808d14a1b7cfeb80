package selftest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/wiring"
	"stump/wiegand"
)

var rigN = flag.Int("rig.n", 10, "stations of each fault on the second bench")

// rig is a second bench beside gpio.Sim, made from the table of faults alone
// and without a look at the rules or the simulation: where both agree, it is
// not because the same assumption went into both. Its faults vary more widely:
// noise that both wires pick up, levels that twitch, hum that chatters, wires
// without a converter, a single wire on a wrong pin.
type rig struct {
	mu     sync.Mutex
	now    func() int64
	rng    *rand.Rand
	people bool // the self-test has a person's patience
	pulse  int64
	gap    int64
	jitter float64
	send   func(at int64, card wiegand.Bits) // what a card does; a plain frame unless a fault changes it

	rest   [2]rest
	fixed  bool // a BeagleBone: its pins are pulled down whatever is asked
	pullUp bool
	both   bool
	acts   []act // of the cards
	noises []act // for the whole test
	lows   [2]int
	kicks  [2]int
	level  [2]bool
	seq    uint32
	queue  []wiegand.Edge
	free   map[string][]int64 // while the free pins are watched
}

// rest is what a line does when nothing is sent.
type rest int

const (
	restHigh rest = iota
	restLow
	restLoose // it follows the board's pull
)

// act begins or ends something on a line at a time: a pull to low, or a kick
// away from wherever it rests.
type act struct {
	at   int64
	line int
	by   int
	kick bool
}

// high is a line's level now.
func (r *rig) high(i int) bool {
	rests := r.rest[i] == restHigh || r.rest[i] == restLoose && r.pullUp && !r.fixed
	return r.lows[i] == 0 && rests != (r.kicks[i] > 0)
}

// look makes edges of what has changed.
func (r *rig) look(at int64) {
	for i := range 2 {
		h := r.high(i)
		if h == r.level[i] {
			continue
		}
		if r.level[i] = h; h && !r.both {
			continue
		}
		r.seq++
		r.queue = append(r.queue, wiegand.Edge{Time: at, Seq: r.seq, Line: uint8(i), Rising: h})
	}
}

func (r *rig) update(to int64) {
	for {
		from := r.soonest()
		if len(*from) == 0 || (*from)[0].at > to {
			break
		}
		a := (*from)[0]
		*from = (*from)[1:]
		if a.kick {
			r.kicks[a.line] += a.by
		} else {
			r.lows[a.line] += a.by
		}
		r.look(a.at)
	}
	r.look(to)
}

// soonest is where the next act is: among those of a card, or of the noise,
// which is made for the whole test at once.
func (r *rig) soonest() *[]act {
	if len(r.acts) == 0 || len(r.noises) > 0 && r.noises[0].at < r.acts[0].at {
		return &r.noises
	}
	return &r.acts
}

func (r *rig) act(line int, from, to int64, kick bool) {
	to = max(to, from+1000)
	r.acts = append(r.acts, act{from, line, 1, kick}, act{to, line, -1, kick})
}

func (r *rig) sort() {
	slices.SortStableFunc(r.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
}

func (r *rig) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		r.mu.Lock()
		now := r.now()
		r.update(now)
		n := copy(buf, r.queue)
		r.queue = r.queue[n:]
		next := until // the reader of this source also shows the cards
		if acts := *r.soonest(); len(acts) > 0 {
			next = min(until, max(acts[0].at, now+1000))
		}
		r.mu.Unlock()
		if n > 0 {
			return n, buf[n-1].Time, nil
		}
		if now >= until {
			return 0, until, nil
		}
		time.Sleep(time.Duration(next - now))
	}
}

func (r *rig) Levels() ([2]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.update(r.now())
	return r.level, nil
}

func (r *rig) SetBias(b gpio.Bias) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.update(r.now())
	r.pullUp = b == gpio.BiasPullUp
	r.look(r.now())
	return nil
}

func (r *rig) SetBothEdges(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.update(r.now())
	r.both = on
	return nil
}

const otherPin0, otherPin1 = "GPIO27 = header pin 13 = rig 2", "GPIO24 = header pin 18 = rig 3"

func (r *rig) ListenFree() (func() ([]gpio.Activity, error), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = map[string][]int64{}
	return func() ([]gpio.Activity, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		var heard []gpio.Activity
		for _, pin := range []string{otherPin0, otherPin1} {
			heard = append(heard, gpio.Activity{Line: pin, Falls: r.free[pin]})
		}
		r.free = nil
		return heard, nil
	}, nil
}

func (r *rig) Close() error   { return nil }
func (r *rig) String() string { return "DATA0 = rig 0, DATA1 = rig 1" }

func (r *rig) present(card wiegand.Bits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.update(now)
	r.send(now+int64(ms), card)
	r.sort()
}

// bits hands each pulse of a frame to f, and returns when the frame is over.
func (r *rig) bits(at int64, card wiegand.Bits, f func(line int, from, to int64)) int64 {
	vary := func(d int64) int64 { return int64(float64(d) * (1 + r.jitter*(2*r.rng.Float64()-1))) }
	for i := range card.Len() {
		width := vary(r.pulse)
		f(int(card.Bit(i)), at, at+width)
		at += max(vary(r.gap), width+20_000)
	}
	return at
}

func (r *rig) frame(at int64, card wiegand.Bits) int64 {
	return r.bits(at, card, func(line int, from, to int64) { r.act(line, from, to, false) })
}

func (r *rig) between(a, b float64) int64 { return int64(a + (b-a)*r.rng.Float64()) }
func (r *rig) oneOf(v ...float64) float64 { return v[r.rng.IntN(len(v))] }
func (r *rig) chance(p float64) bool      { return r.rng.Float64() < p }

// noise calls f at random times for as long as a self-test takes.
func (r *rig) noise(mean float64, f func(at int64)) {
	r.acts = slices.Grow(r.acts, int(4*30/mean))
	for at := 0.0; at < 30e9; at += max(r.rng.ExpFloat64()*mean*1e9, 1000) {
		f(int64(at))
	}
}

// rigFaults break a rig, each by its row of the table of faults.
var rigFaults = map[string]func(*rig){
	"no-power": func(r *rig) {
		r.rest = [2]rest{restLow, restLow}
		r.send = func(int64, wiegand.Bits) {}
		if r.chance(0.4) { // a level in between
			mean := r.oneOf(0.1, 0.3, 1)
			for i := range 2 {
				r.noise(mean, func(at int64) { r.act(i, at, at+r.between(1e4, 3e6), true) })
			}
		}
	},
	"swapped": func(r *rig) { r.send = func(at int64, card wiegand.Bits) { r.frame(at, card.Invert()) } },
	"d0-open": func(r *rig) { r.open(0) },
	"d1-open": func(r *rig) { r.open(1) },
	"d0-low":  func(r *rig) { r.rest[0] = restLow },
	"d1-low":  func(r *rig) { r.rest[1] = restLow },
	"shorted": func(r *rig) {
		r.send = func(at int64, card wiegand.Bits) {
			r.bits(at, card, func(line int, from, to int64) {
				late := int64(r.oneOf(0, 500, 2000, 5000))
				r.act(line, from, to, false)
				r.act(1-line, from+late, to+late, false)
			})
		}
	},
	"no-ground": (*rig).noGround,
	"converter-unpowered": func(r *rig) {
		r.rest = [2]rest{restLoose, restLoose}
		r.send = func(int64, wiegand.Bits) {}
	},
	"floating": func(r *rig) {
		line, lost := r.rng.IntN(2), r.rng.Float64()*0.9+0.05
		r.rest[line] = restLoose
		r.noise(r.oneOf(0.05, 0.3, 2, 10), func(at int64) { r.act(line, at, at+r.between(5e3, 2e6), true) })
		r.send = func(at int64, card wiegand.Bits) {
			r.bits(at, card, func(l int, from, to int64) {
				if l != line || !r.chance(lost) {
					r.act(l, from, to, false)
				}
			})
		}
	},
	"hum":   (*rig).hum,
	"burst": (*rig).burst,
	"crosstalk": func(r *rig) {
		share, from := r.oneOf(0.05, 0.15, 0.3, 0.6), r.rng.IntN(3) // 2: from either wire
		r.send = func(at int64, card wiegand.Bits) {
			r.bits(at, card, func(line int, begin, end int64) {
				r.act(line, begin, end, false)
				if (from == 2 || from == line) && r.chance(share) {
					ghost := begin + r.between(1e3, 100e3)
					r.act(1-line, ghost, ghost+r.between(1e3, 2e4), false)
				}
			})
		}
	},
	"wrong-gpio": func(r *rig) {
		r.rest = [2]rest{restLoose, restLoose}
		r.elsewhere(0, 1)
	},
	"one on a wrong pin": func(r *rig) {
		line := r.rng.IntN(2)
		r.rest[line] = restLoose
		r.elsewhere(line)
	},
	"keypad":     (*rig).keypad,
	"clock-data": (*rig).clockData,
	"hold":       (*rig).hold,
}

// open: the wire is off, on the reader's side of a converter or at the pin.
func (r *rig) open(line int) {
	if r.chance(0.3) {
		r.rest[line] = restLoose
	}
	r.send = func(at int64, card wiegand.Bits) {
		r.bits(at, card, func(l int, from, to int64) {
			if l != line {
				r.act(l, from, to, false)
			}
		})
	}
}

func (r *rig) elsewhere(moved ...int) {
	r.send = func(at int64, card wiegand.Bits) {
		r.bits(at, card, func(line int, from, to int64) {
			pin := []string{otherPin0, otherPin1}[line]
			switch {
			case !slices.Contains(moved, line):
				r.act(line, from, to, false)
			case r.free != nil:
				r.free[pin] = append(r.free[pin], from)
			}
		})
	}
}

// noGround: both wires wander, in part together.
func (r *rig) noGround() {
	mean, common, lost := 1/r.oneOf(4, 20, 100, 400, 1500), r.oneOf(0, 0.2, 0.5), r.rng.Float64()
	width := min(r.oneOf(2e4, 3e5, 3e6), mean*1e9/3)
	if r.chance(0.5) {
		r.rest[r.rng.IntN(2)] = restLoose
	}
	for i := range 2 {
		r.noise(mean, func(at int64) {
			r.act(i, at, at+r.between(width/10, width), true)
			if r.chance(common) {
				at += r.between(0, 2e3)
				r.act(1-i, at, at+r.between(width/10, width), true)
			}
		})
	}
	r.send = func(at int64, card wiegand.Bits) {
		r.bits(at, card, func(line int, from, to int64) {
			if !r.chance(lost) {
				r.act(line, from, to, false)
			}
		})
	}
}

// hum: a slow wave chatters on its way through the threshold, down and up.
func (r *rig) hum() {
	line, hertz, duty, jitter, chatter := r.rng.IntN(2), r.oneOf(50, 60), r.oneOf(0.005, 0.05, 0.3, 0.5, 0.7), r.oneOf(0, 0.01, 0.04), r.rng.IntN(4)
	if r.chance(0.5) {
		r.rest[line] = restLoose
	}
	for k := range int(30 * hertz) {
		at := int64((float64(k) + jitter*(2*r.rng.Float64()-1)) / hertz * 1e9)
		end := at + int64(duty/hertz*1e9)
		r.act(line, at, end, true)
		for range chatter {
			for _, t := range []int64{at - r.between(3e4, 3e5), end + r.between(3e4, 3e5)} {
				if r.chance(0.3) {
					r.act(line, t, t+r.between(1e3, 2e4), true)
				}
			}
		}
	}
}

// burst: groups of spikes on one wire or both, and in some frames only.
func (r *rig) burst() {
	lines, damaged := r.rng.IntN(3), r.oneOf(0.05, 0.2, 0.5, 1)
	group := func(at int64) {
		for range 2 + r.rng.IntN(8) {
			line := lines
			if lines == 2 {
				line = r.rng.IntN(2)
			}
			r.act(line, at, at+r.between(1e3, 8e3), true)
			at += r.between(4e3, 20e3)
		}
	}
	r.noise(r.oneOf(0.1, 0.4, 1), group)
	r.send = func(at int64, card wiegand.Bits) {
		if end := r.frame(at, card); r.chance(damaged) {
			group(r.between(float64(at), float64(end)))
		}
	}
}

func (r *rig) keypad() {
	long, keys, pause := r.chance(0.5), 1+r.rng.IntN(8), int64(r.oneOf(30e6, 60e6, 120e6, 300e6))
	r.send = func(at int64, _ wiegand.Bits) {
		for range keys {
			key := wiegand.BitsFromUint64(uint64(r.rng.IntN(10)), 4)
			if long {
				v := uint64(r.rng.IntN(10))
				key = wiegand.BitsFromUint64((^v&15)<<4|v, 8)
			}
			at = r.frame(at, key) + pause
		}
	}
}

// clockData is ABA track 2: a clock on one wire, and the other low for ones.
func (r *rig) clockData() {
	clock, digits, lead, period := r.rng.IntN(2), 8+r.rng.IntN(9), 10+r.rng.IntN(15), r.between(3e5, 2.5e6)
	r.send = func(at int64, card wiegand.Bits) {
		number, _ := card.Uint64()
		rng := rand.New(rand.NewPCG(number, 1))
		ones := make([]bool, lead)
		for i := range digits + 3 {
			v := rng.IntN(10)
			switch i {
			case 0:
				v = 11
			case digits + 1:
				v = 15
			}
			odd := true
			for b := range 4 {
				one := v>>b&1 == 1
				odd = odd != one
				ones = append(ones, one)
			}
			ones = append(ones, odd)
		}
		for _, one := range append(ones, make([]bool, lead)...) {
			if one {
				r.act(1-clock, at, at+period, false)
			}
			r.act(clock, at+period/4, at+period/2, false)
			at += period
		}
	}
}

// hold: cards are kept until the wire comes off, all or the last one.
func (r *rig) hold() {
	wait := r.between(0.9e9, 1.9e9)
	if r.people {
		wait = r.between(7e9, 12e9)
	}
	one, pause := r.chance(0.25), int64(r.oneOf(30e6, 60e6, 100e6))
	var release, next int64
	r.send = func(at int64, card wiegand.Bits) {
		switch {
		case release == 0:
			release = at + wait
			next = release
		case at > release:
			r.frame(at, card)
			return
		case one:
			return
		}
		next = r.frame(next, card) + pause
	}
}

// rigRun is a self-test on the second bench.
type rigRun struct {
	fault   string
	and     string // another fault of the reader or its wires
	seed    uint64
	bone    bool // a BeagleBone: no float test
	partial bool // the fault is there at half of the cards
}

func (u rigRun) try(t *testing.T) (sum Summary, results []Result) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rng := rand.New(rand.NewPCG(u.seed, 4242))
		r := &rig{now: func() int64 { return int64(time.Since(start)) }, rng: rng, level: [2]bool{true, true}, people: u.seed%2 == 1, fixed: u.bone}
		r.pulse = r.between(20e3, 100e3)
		r.gap = max(r.between(200e3, 3e6), r.pulse+100e3)
		r.jitter = r.oneOf(0, 0.02, 0.05)
		r.pullUp = r.chance(0.5)
		env := &Env{
			root: fstest.MapFS{}, Simulated: true, Now: r.now,
			Lines: func(context.Context) (gpio.Adjustable, error) { return r, nil }, ListenFree: r.ListenFree,
		}
		key := "pi4"
		if u.bone {
			key, env.NoFloat = "bbb", "this board's pulls can't be changed"
		}
		b, _ := board.ByName(key)
		env.Site = (&wiring.Plan{Board: b}).Site()
		var cards [2]wiegand.Bits
		for i := range cards { // often of two formats
			f, err := wiegand.FormatByName(matrixFormats[rng.IntN(len(matrixFormats))])
			if err != nil {
				t.Fatal(err)
			}
			env.Formats = append(env.Formats, f)
			v := wiegand.Fields{Number: rng.Uint64N(65000) + 1}
			if f.HasFacility() {
				v.Facility = rng.Uint64N(254) + 1
			}
			cards[i], _ = f.Pack(v)
		}
		env.Present = func(n int) { r.present(cards[n]) }
		r.send = func(at int64, card wiegand.Bits) { r.frame(at, card) }
		if f := rigFaults[u.fault]; f != nil {
			f(r)
		}
		if f := rigFaults[u.and]; f != nil {
			rests := r.rest
			f(r)
			for i := range rests {
				r.rest[i] = max(r.rest[i], rests[i])
			}
		}
		if bad := r.send; u.partial {
			r.send = func(at int64, card wiegand.Bits) {
				if r.chance(0.5) {
					r.frame(at, card)
					return
				}
				bad(at, card)
			}
		}
		r.sort()
		r.acts, r.noises = nil, r.acts
		time.Sleep(10 * ms)
		r.update(r.now())
		r.queue, r.seq = nil, 0
		if r.people {
			env.timing = forPeople
			env.timing.Card = 3 * time.Second
		}
		sum = Run(t.Context(), env, func(x Result) { results = append(results, x) })
	})
	return sum, results
}

// count says how often a fault is named, and holds every result against what
// a person needs: whatever is not well says what to do.
func (u rigRun) count(t *testing.T, n int) (first, second, passes int) {
	t.Helper()
	cause := u.fault
	if cause == "one on a wrong pin" {
		cause = "wrong-gpio"
	}
	others := map[string]int{}
	for seed := range uint64(n) {
		u.seed = seed
		sum, results := u.try(t)
		switch index(sum.Causes, cause) {
		case 0:
			first++
		case 1:
			second++
		}
		if index(sum.Causes, cause) != 0 {
			others[fmt.Sprint(sum.Result, " ", strings.Join(sum.Causes[:min(2, len(sum.Causes))], " "))]++
		}
		if sum.Result == Pass {
			passes++
		}
		for _, x := range results {
			if (x.Result == Warn || x.Result == Fail) && x.Remedy == "" {
				t.Errorf("%+v: %s says nothing to do: %s", u, x.Check, x.Measured)
			}
		}
	}
	t.Logf("%-20s first %3.0f%%, top 2 %3.0f%%, %d passes %v", u.fault, percent(first, n), percent(first+second, n), passes, others)
	return first, second, passes
}

// TestSecondBench holds the rules against faults that their author did not
// write: go test ./hw/selftest -run TestSecondBench -v -rig.n 100.
func TestSecondBench(t *testing.T) {
	n := *rigN
	for fault := range rigFaults {
		first, second, passes := rigRun{fault: fault}.count(t, n)
		if first*10 < n*9 || (first+second)*100 < n*95 || passes > 0 {
			t.Errorf("%s: named first in %d of %d, second in %d, passed %d", fault, first, n, second, passes)
		}
		// Without the float test a wire without a pull is like one held low.
		first, second, passes = rigRun{fault: fault, bone: true}.count(t, n)
		if (first+second)*100 < n*95 && fault != "floating" || passes > 0 {
			t.Errorf("%s on a BeagleBone: named first in %d of %d, second in %d, passed %d", fault, first, n, second, passes)
		}
	}
	for _, bone := range []bool{false, true} {
		if _, _, passes := (rigRun{fault: "healthy", bone: bone}).count(t, 5*n); passes < 5*n {
			t.Errorf("%d of %d healthy readers pass", passes, 5*n)
		}
	}
}

// A fault that comes and goes is seen all the same, and a wire that does is
// named, as broken or as loose.
func TestFaultsThatComeAndGo(t *testing.T) {
	n := *rigN
	for fault := range rigFaults {
		first, second, passes := rigRun{fault: fault, partial: true}.count(t, n)
		if passes*10 > n { // a healthy moment of luck
			t.Errorf("%s: %d of %d passed", fault, passes, n)
		}
		switch fault {
		case "d0-open", "d1-open", "shorted", "crosstalk", "floating", "hum", "no-ground":
			if (first+second)*10 < n*9 {
				t.Errorf("%s now and then: named first in %d of %d, second in %d", fault, first, n, second)
			}
		}
	}
}

// Of two faults at once one is among the first two causes: with that mended,
// the next self-test names the other.
func TestTwoFaults(t *testing.T) {
	for _, noise := range []string{"hum", "burst", "floating", "d1-low"} {
		for _, wires := range []string{"swapped", "d0-open", "shorted", "keypad", "clock-data", "hold"} {
			u := rigRun{fault: noise, and: wires}
			for u.seed = range 5 {
				sum, results := u.try(t)
				first := sum.Causes[:min(2, len(sum.Causes))]
				if sum.Result == Pass || index(first, noise) < 0 && index(first, wires) < 0 {
					t.Errorf("%+v: %v\n%s", u, sum.Causes, transcript(results, sum))
				}
			}
		}
	}
}
