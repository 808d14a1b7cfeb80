package selftest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/gpio"
	"stump/hw/diagnose"
	"stump/wiegand"
)

// scripted is a simulated reader whose calls are counted, one of which fails, and
// whose edges may be changed on their way.
type scripted struct {
	*gpio.Sim
	calls  int
	fail   int    // the call that fails, from 1; 0: none
	failed string // what failed
	both   []bool // what SetBothEdges was asked for
	change func(both bool, edges []wiegand.Edge) []wiegand.Edge
}

func (s *scripted) next(what string) error {
	if s.calls++; s.calls == s.fail {
		s.failed = what
		return fmt.Errorf("gpio: %s: %w", what, syscall.ENODEV)
	}
	return nil
}

func (s *scripted) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	if err := s.next("read"); err != nil {
		return 0, 0, err
	}
	n, now, err := s.Sim.Read(buf, until)
	if s.change != nil {
		n = copy(buf, s.change(len(s.both) > 0 && s.both[len(s.both)-1], append([]wiegand.Edge{}, buf[:n]...)))
	}
	return n, now, err
}

func (s *scripted) Levels() ([2]bool, error) {
	if err := s.next("levels"); err != nil {
		return [2]bool{}, err
	}
	return s.Sim.Levels()
}

func (s *scripted) SetBias(b gpio.Bias) error {
	return errors.Join(s.next("bias"), s.Sim.SetBias(b))
}

func (s *scripted) SetBothEdges(on bool) error {
	s.both = append(s.both, on)
	return errors.Join(s.next(fmt.Sprint("both edges ", on)), s.Sim.SetBothEdges(on))
}

// onScript makes a self-test with a scripted reader.
func onScript(t *testing.T, s *scripted, prepare func(*bench)) *bench {
	t.Helper()
	return onBench(t, func(b *bench) {
		s.Sim = b.sim
		b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return s, nil }
		if prepare != nil {
			prepare(b)
		}
	})
}

// A line that fails once, at whatever call, fails its check, and is not taken
// for a fault of the wires.
func TestLineFailsOnce(t *testing.T) {
	var healthy scripted
	if b := onScript(t, &healthy, nil); b.sum.Result != Pass {
		t.Fatal(b.screen(80))
	}
	for fail := 1; fail < healthy.calls; fail++ { // the last is the one that gives the lines back
		s := scripted{fail: fail}
		b := onScript(t, &s, nil)
		if s.failed == "both edges true" { // then pulses have no width
			if b.sum.Result != Pass {
				t.Fatal(b.screen(80))
			}
			continue
		}
		failed := 0
		for _, r := range b.results {
			if r.Result == Fail && strings.Contains(r.Measured, "no such device") && strings.Contains(r.Remedy, "vanished") {
				failed++
			}
		}
		if failed != 1 || len(b.sum.Causes) > 0 || b.sum.Result != Fail {
			t.Fatalf("call %d of %d: %v\n%s", fail, healthy.calls, b.sum.Causes, b.screen(80))
		}
	}
	// Where something is wrong already, the error is shown as well.
	for _, c := range []struct {
		change  func(bool, []wiegand.Edge) []wiegand.Edge
		prepare func(*bench)
	}{
		{nil, func(b *bench) { b.env.Present = func(int) {} }},
		{nil, func(b *bench) { b.fault("no-power", 1) }},
		{mistaken, func(*bench) {}},
	} {
		whole := scripted{change: c.change}
		onScript(t, &whole, c.prepare)
		for fail := 1; fail < whole.calls; fail += 2 {
			s := scripted{change: c.change, fail: fail}
			if b := onScript(t, &s, c.prepare); !strings.Contains(b.screen(500), "no such device") && s.failed != "both edges true" {
				t.Fatalf("call %d of %d, %s: %s", fail, whole.calls, s.failed, b.screen(80))
			}
		}
	}
	b := onBench(t, func(b *bench) {
		b.fault("d0-open", 1)
		b.env.ListenFree = func() (func() ([]gpio.Activity, error), error) {
			return func() ([]gpio.Activity, error) { return nil, errors.New("lost the pins") }, nil
		}
	})
	if r := b.result("card"); r.Result != Fail || r.Measured != "lost the pins" {
		t.Errorf("%+v", r)
	}
}

// mistaken has a kernel that mistakes a fall for a rise where both are asked for.
func mistaken(both bool, edges []wiegand.Edge) []wiegand.Edge {
	for i := range edges {
		if both && !edges[i].Rising {
			edges[i].Rising = true
			break
		}
	}
	return edges
}

// Rising edges are asked for with the last card only, and where all was well.
func TestWidthsOfTheLastCard(t *testing.T) {
	var s scripted
	b := onScript(t, &s, nil)
	if fmt.Sprint(s.both) != "[false true false false]" || !strings.Contains(b.result("second-card").Measured, "wide") {
		t.Errorf("both edges %v, %+v", s.both, b.result("second-card"))
	}
	s = scripted{}
	onScript(t, &s, func(b *bench) { b.fault("crosstalk", 1) })
	if fmt.Sprint(s.both) != "[false false]" {
		t.Errorf("with crosstalk: both edges %v", s.both)
	}
	// A kernel that mistakes a fall for a rise: the card is shown again.
	lossy := scripted{change: mistaken}
	b = onScript(t, &lossy, nil)
	if said := strings.Join(b.said, "\n"); b.sum.Result != Pass || !strings.Contains(said, "And a last time.") {
		t.Errorf("%s\n%s", said, b.screen(80))
	}
	// Falls that no reader sends are evidence all the same.
	noisy := scripted{change: func(both bool, edges []wiegand.Edge) (out []wiegand.Edge) {
		for _, e := range edges {
			out = append(out, e)
			if both && !e.Rising {
				e.Time += int64(100 * us)
				out = append(out, e)
			}
		}
		return out
	}}
	b = onScript(t, &noisy, nil)
	if said := strings.Join(b.said, "\n"); b.result("second-card").Result == Pass || strings.Contains(said, "And a last time.") {
		t.Errorf("%s\n%s", said, b.screen(80))
	}
	b = onBench(t, func(b *bench) { // a source that knows falls only
		b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return plain{b.sim}, nil }
	})
	if r := b.result("second-card"); r.Result != Pass || strings.Contains(r.Measured, "wide") {
		t.Errorf("falls only: %+v", r)
	}
}

// still is a reader that sends nothing.
type still struct {
	plain
	levels [2]bool
	now    func() int64
}

func (s *still) Read(_ []wiegand.Edge, until int64) (int, int64, error) {
	time.Sleep(time.Duration(until - s.now()))
	return 0, until, nil
}
func (s *still) Levels() ([2]bool, error) { return s.levels, nil }
func (s *still) Close() error             { return nil }
func (s *still) String() string           { return "still" }

// A person is told to take the HOLD wire off only where that can be the cause.
func TestNothingArrives(t *testing.T) {
	for _, c := range []struct {
		levels [2]bool
		hold   bool
	}{{[2]bool{true, true}, true}, {[2]bool{false, true}, false}, {[2]bool{true, false}, false}, {[2]bool{false, false}, false}} {
		watched := 0
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return &still{levels: c.levels, now: b.env.Now}, nil }
			b.env.Ask = func(_ context.Context, q string) (string, error) { b.asked = append(b.asked, q); return "y", nil }
			b.env.ListenFree = func() (func() ([]gpio.Activity, error), error) {
				watched++
				return func() ([]gpio.Activity, error) { return nil, nil }, nil
			}
		})
		r := b.result("card")
		if r.Result != Fail || len(r.Causes) == 0 || watched != 1 {
			t.Errorf("%v: watched %d times, %+v", c.levels, watched, r)
		}
		if told := strings.Contains(strings.Join(b.said, "\n"), "take it off now"); told != c.hold {
			t.Errorf("%v: told to take HOLD off: %v", c.levels, told)
		}
		if len(b.asked) > 0 { // the simulated reader shows the cards
			t.Errorf("%v: asked %q", c.levels, b.asked)
		}
		if skipped := b.result("second-card"); skipped.Result != Skip {
			t.Errorf("%v: %+v", c.levels, skipped)
		}
	}
	// Without a way to watch other pins, that is left out; an error of it is one.
	for _, listen := range []func() (func() ([]gpio.Activity, error), error){nil, func() (func() ([]gpio.Activity, error), error) {
		return func() ([]gpio.Activity, error) { return nil, errors.New("lost the pins") }, nil
	}} {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) {
				return &still{levels: [2]bool{true, true}, now: b.env.Now}, nil
			}
			b.env.ListenFree = listen
		})
		if r := b.result("card"); r.Result != Fail || strings.Contains(r.Measured, "lost the pins") != (listen != nil) {
			t.Errorf("%+v", r)
		}
	}
	b := onBench(t, func(b *bench) {
		b.person(nil)
		b.env.Say = nil
		b.env.Ask = func(context.Context, string) (string, error) { return "", errors.New("hung up") }
	})
	if r := b.result("card"); r.Result != Fail || r.Measured != "hung up" {
		t.Errorf("%+v", r)
	}
}

// The configured way to watch free pins goes before the source's own.
func TestFreePinsOfTheConfiguration(t *testing.T) {
	b := onBench(t, func(b *bench) {
		b.fault("wrong-gpio", 1)
		b.env.ListenFree = func() (func() ([]gpio.Activity, error), error) {
			return func() ([]gpio.Activity, error) {
				return []gpio.Activity{{Line: "GPIO5 = header pin 29", Falls: []int64{1, 2, 3}}}, nil
			}, nil
		}
	})
	if r := b.result("card"); !strings.Contains(r.Measured, "GPIO5 = header pin 29") {
		t.Errorf("%+v", r)
	}
}

// shown is what came of showing cards, each a word of bits 2 ms apart; a dot
// after a bit is a stray fall, and an exclamation mark a bit that the kernel lost.
func shown(words ...string) (spells []diagnose.Spell) {
	seq := uint32(0)
	for i, word := range words {
		from := int64(i) * int64(time.Second)
		spell := diagnose.Spell{From: from, To: from + int64(time.Second), Start: [2]bool{true, true}, End: [2]bool{true, true}}
		at := from + int64(10*ms)
		for _, c := range word {
			seq++
			switch c {
			case '.':
				spell.Edges = append(spell.Edges, wiegand.Edge{Time: at - int64(1700*us), Seq: seq, Line: spell.Edges[len(spell.Edges)-1].Line})
			case '!':
				at += int64(2 * ms)
			default:
				spell.Edges = append(spell.Edges, wiegand.Edge{Time: at, Seq: seq, Line: uint8(c - '0')})
				at += int64(2 * ms)
			}
		}
		spells = append(spells, spell)
	}
	return spells
}

func newTestTester(t *testing.T) *tester {
	t.Helper()
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	other, err := wiegand.FormatByName("H10306")
	if err != nil {
		t.Fatal(err)
	}
	s := newTester(&Env{Formats: []*wiegand.Format{other, format}})
	s.evidence.Idle = shown("")[0]
	return s
}

// TestJudge: what came of showing one card three times.
func TestJudge(t *testing.T) {
	a := card(t, "H10301", wiegand.Fields{Facility: 17, Number: 31066}).String()
	b := card(t, "H10301", wiegand.Fields{Facility: 200, Number: 1042}).String()
	const foreign, another = "010011000111010110011010101101", "110011000111010110011010101100"
	short := a[:20]
	for _, c := range []struct {
		why    string
		words  []string
		want   Verdict
		says   string // of what was measured
		remedy string
	}{
		{"well", []string{a, a, a}, Pass, "26 bits, H10301, parity OK, number …066, 3 of 3 equal, 2 ms apart", ""},
		{"nothing", []string{"", ""}, Fail, "0 and 0 pulses on DATA0 and DATA1, but no card: no pulses came", "no power"},
		{"two cards", []string{a, a, b}, Warn, "3 of 3 reads good, 2 of the same card", "More than one card"},
		{"two cards, the first once", []string{a, b, b}, Warn, "3 of 3 reads good, 2 of the same card", "More than one card"},
		{"one card in three brought nothing", []string{a, a, ""}, Warn, "2 of 2 reads good, 2 of the same card, 1 card brought nothing", "until it beeps"},
		{"two cards, and one brought nothing", []string{a, b, ""}, Warn, "2 of 2 reads good, 1 of the same card, 1 card brought nothing", "until it beeps"},
		{"a repair", []string{a, a[:9] + "." + a[9:], a}, Warn, "3 of 3 reads good (1 after a repair), 3 of the same card, 1 pulse too many", "sparks"},
		{"one of three bad", []string{a, a, short}, Warn, "2 of 3 reads good, 2 of the same card", "Pulses were lost"},
		{"two of three bad", []string{a, short, short}, Fail, "1 of 3 reads good, 1 of the same card", "Pulses were lost"},
		{"a foreign card", []string{foreign, foreign}, Fail, "2 reads of 30 bits, none good: no card of this site has so many bits", "formats in the configuration"},
		{"two foreign cards", []string{foreign, another}, Fail, "2 reads of 30 bits, none good", "Pulses were lost"},
		{"exchanged wires", []string{invert(a), invert(a), invert(a)}, Fail, "3 reads of 26 bits, none good: 3 of 3 reads make a valid card only", "swapped"},
		{"lost edges", []string{a, a[:5] + "!" + a[6:], a}, Warn, "1 edge lost by the kernel, 2 of 3 reads good", "too busy"},
		{"lost edges, and no read", []string{a[:5] + "!!" + a[7:]}, Fail, "2 edges lost by the kernel, 0 of 1 read good", "too busy"},
	} {
		s := newTestTester(t)
		spells := shown(c.words...)
		s.evidence.Cards = spells
		r := s.judge(spells)
		if r.Result != c.want || !strings.HasPrefix(r.Measured, c.says) || !strings.Contains(r.Remedy, c.remedy) || (c.remedy == "") != (r.Remedy == "") {
			t.Errorf("%s: %+v, want %s with %q", c.why, r, c.want, c.says)
		}
	}
	// Good reads over wiring that showed a fault are luck.
	s := newTestTester(t)
	s.evidence.Cards = shown(a, a, a)
	for i := range 3 {
		s.evidence.Idle.Edges = append(s.evidence.Idle.Edges, wiegand.Edge{Time: int64(i*i) * int64(13*ms)})
	}
	if r := s.judge(s.evidence.Cards); r.Result != Warn || len(r.Causes) == 0 || !strings.HasPrefix(r.Measured, "26 bits, H10301") {
		t.Errorf("over noise: %+v", r)
	}
}

func invert(word string) string { return strings.NewReplacer("0", "1", "1", "0").Replace(word) }

func TestUnexplained(t *testing.T) {
	s := newTestTester(t)
	equal := []wiegand.Read{{Count: 30}, {Count: 30}}
	different := []wiegand.Read{{Bits: wiegand.BitsFromUint64(1, 30)}, {Bits: wiegand.BitsFromUint64(2, 30)}}
	const formats, many, flat, lost = "formats in the configuration", "More than one card", "until it beeps", "Pulses were lost"
	for _, c := range []struct {
		f    diagnose.Findings
		t    tally
		want string
	}{
		{diagnose.Findings{}, tally{reads: equal}, formats},
		{diagnose.Findings{Quiet: 1}, tally{reads: equal}, formats},
		{diagnose.Findings{Extra: 1}, tally{reads: equal}, lost},
		{diagnose.Findings{}, tally{reads: different}, lost},
		{diagnose.Findings{}, tally{reads: equal, good: 1}, lost},
		{diagnose.Findings{}, tally{reads: different, good: 2}, many},
		{diagnose.Findings{Quiet: 1}, tally{reads: equal, good: 2}, flat},
		{diagnose.Findings{Quiet: 1}, tally{reads: equal, good: 2, repaired: 1}, lost},
		{diagnose.Findings{Quiet: 1, Extra: 1}, tally{reads: equal, good: 2}, lost},
	} {
		if got := s.unexplained(&c.f, c.t); !strings.Contains(got, c.want) {
			t.Errorf("%+v, %+v: %s", c.f, c.t, got)
		}
	}
}

func TestReadLengths(t *testing.T) {
	for want, counts := range map[string][]int{
		"1 read of 26 bits":             {26},
		"3 reads of 24, 26 bits":        {26, 24, 26},
		"5 reads of 1, 2, 3, 4, 5 bits": {5, 4, 3, 2, 1},
		"6 reads of 1, 2, 3, …, 6 bits": {6, 5, 4, 3, 2, 1},
	} {
		var y tally
		for _, n := range counts {
			y.reads = append(y.reads, wiegand.Read{Count: n})
		}
		if got := y.lengths(); got != want {
			t.Errorf("%v: %s, want %s", counts, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	edge := func(us int64, line uint8, rising bool) wiegand.Edge {
		return wiegand.Edge{Time: us * 1000, Line: line, Rising: rising}
	}
	edges := []wiegand.Edge{edge(1, 0, true), edge(2, 0, true), edge(3, 0, true), edge(4, 0, true), edge(10, 0, false), edge(60, 0, true), edge(65, 0, true), edge(2010, 1, false), edge(2060, 1, true)}
	if got := shape([]diagnose.Spell{{Edges: edges}}); got != ", pulses 50 µs wide, 2 ms apart" {
		t.Error(got)
	}
	if got := shape([]diagnose.Spell{{Edges: diagnose.Falls(edges)}}); got != ", 2 ms apart" {
		t.Error(got)
	}
}

func TestLostEdgeNumbers(t *testing.T) {
	var edges []wiegand.Edge
	for _, seq := range []uint32{5, 6, 9, 1, 2, 2, 3} { // the lines were taken again after the third
		edges = append(edges, wiegand.Edge{Seq: seq})
	}
	if n := lostEdges(edges); n != 2 {
		t.Errorf("%d lost, want 2", n)
	}
}

func TestAffirmative(t *testing.T) {
	for answer, want := range map[string]bool{"y": true, " Yes\n": true, "": false, "n": false, "yesterday": false} {
		if affirmative(answer) != want {
			t.Errorf("%q: %v", answer, !want)
		}
	}
}
