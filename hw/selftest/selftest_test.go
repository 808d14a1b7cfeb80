package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/wiring"
	"stump/internal/testkit"
	"stump/wiegand"
)

// bench is a station on a bench: a simulated reader, and a technician who does
// what the self-test says.
type bench struct {
	sim     *gpio.Sim
	env     *Env
	said    []string
	asked   []string
	results []Result
	sum     Summary
}

// onBench makes a self-test in virtual time after prepare.
func onBench(t *testing.T, prepare func(*bench)) *bench {
	t.Helper()
	b := &bench{}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() int64 { return int64(time.Since(start)) }
		b.sim = gpio.NewSim(now)
		format, err := wiegand.FormatByName("H10301")
		if err != nil {
			t.Fatal(err)
		}
		cards := [2]wiegand.Bits{
			card(t, "H10301", wiegand.Fields{Facility: 17, Number: 31066}),
			card(t, "H10301", wiegand.Fields{Facility: 200, Number: 1042}),
		}
		pi, _ := board.ByName("pi4")
		b.env = &Env{
			root: fstest.MapFS{
				"proc/device-tree/model":                 {Data: []byte("Raspberry Pi 4 Model B Rev 1.4\x00")},
				"proc/sys/kernel/osrelease":              {Data: []byte("6.12.25+rpt-rpi-v8\n")},
				"sys/class/hwmon/hwmon1/name":            {Data: []byte("rpi_volt\n")},
				"sys/class/hwmon/hwmon1/in0_lcrit_alarm": {Data: []byte("0\n")},
				"sys/class/thermal/thermal_zone0/temp":   {Data: []byte("48200\n")},
				"run/systemd/timesync/synchronized":      {},
			},
			Site:    (&wiring.Plan{Board: pi}).Site(),
			Now:     now,
			Formats: []*wiegand.Format{format},
			Lines:   func(context.Context) (gpio.Adjustable, error) { return b.sim, nil },

			ListenFree: b.sim.ListenFree,
			Present:    func(n int) { b.sim.Present(cards[n]) },
			Say:        func(s string) { b.said = append(b.said, s) },
			Clock: func(context.Context) (ClockFact, error) {
				return ClockFact{time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), true, "set by systemd-timesyncd"}, nil
			},
		}
		if prepare != nil {
			prepare(b)
		}
		time.Sleep(10 * ms)
		b.sum = Run(t.Context(), b.env, func(r Result) { b.results = append(b.results, r) })
		b.sim.Close()
	})
	return b
}

func (b *bench) result(check string) Result {
	i := slices.IndexFunc(b.results, func(r Result) bool { return r.Check == check })
	if i < 0 {
		return Result{}
	}
	return b.results[i]
}

func (b *bench) fault(name string, seed uint64) {
	if err := b.sim.SetVariation(name, seed); err != nil {
		panic(err)
	}
}

// person makes a technician of the callbacks: cards are shown when the
// self-test asks for them, questions are answered with what is given by a word
// in them, else with y.
func (b *bench) person(answers map[string]string) {
	show := b.env.Present
	b.env.Present = nil
	card := 0
	b.env.Say = func(s string) {
		b.said = append(b.said, s)
		if strings.Contains(s, "other kind") {
			card = 1
		}
		if strings.Contains(s, "card") && !strings.Contains(s, "Hands off") || strings.Contains(s, "once more") {
			go func() { time.Sleep(time.Second); show(card) }()
		}
	}
	b.env.Ask = func(_ context.Context, q string) (string, error) {
		b.asked = append(b.asked, q)
		for word, a := range answers {
			if strings.Contains(q, word) {
				return a, nil
			}
		}
		return "y", nil
	}
}

// withFault makes a self-test of a station with a fault, or "healthy".
func withFault(t *testing.T, fault string) *bench {
	t.Helper()
	return onBench(t, func(b *bench) {
		if fault != "healthy" {
			b.fault(fault, 1)
		}
	})
}

// screen is what a technician sees at a terminal.
func (b *bench) screen(columns int) string {
	p := Printer{Columns: columns}
	var lines []string
	for _, r := range b.results {
		lines = append(lines, p.Lines(r)...)
	}
	return strings.Join(append(lines, p.Summary(b.sum)...), "\n") + "\n"
}

// TestTranscripts keeps what a technician sees for every fault, in two widths,
// to be read: go test ./hw/selftest -run TestTranscripts -update.
func TestTranscripts(t *testing.T) {
	for _, fault := range append([]string{"healthy"}, gpio.Faults...) {
		b := withFault(t, fault)
		for _, columns := range []int{80, 60} {
			text := b.screen(columns)
			for l := range strings.Lines(text) {
				if utf8.RuneCountInString(strings.TrimRight(l, "\n")) > columns {
					t.Errorf("%s: wider than %d: %s", fault, columns, l)
				}
			}
			testkit.Golden(t, *update, fmt.Sprintf("testdata/selftest/%s-%d.txt", fault, columns), text)
		}
		if want := map[bool]Verdict{true: Pass, false: Fail}[fault == "healthy"]; b.sum.Result != want && fault != "crosstalk" {
			t.Errorf("%s: %s, want %s", fault, b.sum.Result, want)
		}
	}
}

// TestJSON holds the lines of --json against the contract.
func TestJSON(t *testing.T) {
	b := onBench(t, func(b *bench) { b.fault("swapped", 1) })
	var names []string
	for _, r := range b.results {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		if err := json.Unmarshal(line, &keys); err != nil {
			t.Fatal(err)
		}
		if len(keys) != 5 {
			t.Errorf("keys of %s", line)
		}
		if _, ok := keys["causes"].([]any); !ok {
			t.Errorf("causes are no list: %s", line)
		}
		names = append(names, keys["check"].(string))
	}
	if want := "board power permissions lines idle float outputs card second-card display keyboard clock storage network directory queue ledger"; strings.Join(names, " ") != want {
		t.Errorf("checks %v", names)
	}
	line, _ := json.Marshal(b.sum)
	if string(line) != `{"summary":true,"result":"fail","causes":["swapped"]}` {
		t.Errorf("summary %s", line)
	}
	line, _ = json.Marshal(onBench(t, nil).sum)
	if string(line) != `{"summary":true,"result":"pass","causes":[]}` {
		t.Errorf("summary of a healthy station %s", line)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		50 * us: "50 µs", 999 * us: "999 µs", ms: "1 ms", 1234 * us: "1.23 ms", time.Second: "1 s", 2500 * ms: "2.5 s",
	} {
		if got := seconds(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for v, want := range map[Verdict]int{Pass: 0, Fail: 1, Warn: 3} {
		if got := (Summary{Result: v}).ExitStatus(); got != want {
			t.Errorf("%s: %d", v, got)
		}
	}
	worst := func(results ...Verdict) Verdict {
		s := Summary{Result: Pass}
		for _, r := range results {
			s.add(Result{Result: r})
		}
		return s.Result
	}
	for _, c := range []struct {
		results []Verdict
		want    Verdict
	}{
		{[]Verdict{Warn, Skip, Fail, Warn, Pass}, Fail}, {[]Verdict{Skip, Warn, Pass}, Warn}, {[]Verdict{Pass, Skip}, Pass},
	} {
		if got := worst(c.results...); got != c.want {
			t.Errorf("the worst of %v is %s", c.results, got)
		}
	}
}

// A technician without any simulation: told what to do, asked what is seen.
func TestWithPerson(t *testing.T) {
	b := onBench(t, func(b *bench) { b.person(nil) })
	if b.sum.Result != Pass || len(b.sum.Causes) > 0 {
		t.Errorf("%+v\n%s", b.sum, transcript(b.results, b.sum))
	}
	if len(b.said) != 7 {
		t.Errorf("told: %q", b.said)
	}
}

// A technician who is slow, and a reader that repeats a card which stays, are
// no faults.
func TestSlowTechnician(t *testing.T) {
	b := onBench(t, func(b *bench) {
		show := b.env.Present
		b.person(nil)
		b.env.Say = func(s string) {
			b.said = append(b.said, s)
			card := 0
			if strings.Contains(s, "other kind") {
				card = 1
			}
			if strings.HasPrefix(s, "Show a card to") || strings.Contains(s, "Hands off") {
				return // looks for the card
			}
			for i := range 3 { // the reader repeats it
				time.AfterFunc(time.Duration(1000+i*250)*ms, func() { show(card) })
			}
		}
	})
	if r := b.result("card"); r.Result != Pass || len(b.sum.Causes) > 0 {
		t.Errorf("%+v\n%s", r, b.screen(80))
	}
}

// The reader beeps and nothing arrives, also with HOLD off: it does not send
// Wiegand. When it does not beep, it has no power.
func TestPersonTellsWhatTheReaderDoes(t *testing.T) {
	for answer, want := range map[string]string{"y": "no-wiegand", "n": "no-power"} {
		b := onBench(t, func(b *bench) {
			b.person(map[string]string{"beep": answer})
			b.env.Say = func(s string) { b.said = append(b.said, s) } // no card reaches the lines
			b.env.ListenFree = nil
		})
		if len(b.sum.Causes) == 0 || b.sum.Causes[0] != want {
			t.Errorf("beeps %q: %v", answer, b.sum.Causes)
		}
		if !strings.Contains(strings.Join(b.said, "\n"), "HOLD") {
			t.Errorf("nobody was told to take HOLD off: %q", b.said)
		}
		for _, way := range []string{"stand-alone", "OSDP", "serial"} {
			if got := strings.Contains(b.result("card").Remedy, way); got != (want == "no-wiegand") {
				t.Errorf("beeps %q: %s is named: %v: %s", answer, way, got, b.result("card").Remedy)
			}
		}
	}
}

// Both lines are low: whether the reader beeps tells where power is missing.
func TestPersonTellsConverterFromNoPower(t *testing.T) {
	for answer, want := range map[string]string{"y": "converter-unpowered", "n": "no-power"} {
		b := onBench(t, func(b *bench) {
			b.fault("no-power", 2)
			b.person(map[string]string{"beep": answer})
		})
		if len(b.sum.Causes) == 0 || b.sum.Causes[0] != want || !strings.Contains(b.result("card").Remedy, "HV needs") {
			t.Errorf("beeps %q: %v\n%s", answer, b.sum.Causes, b.screen(80))
		}
	}
}

// --yes without a simulated reader does what needs no hands.
func TestNobodyThere(t *testing.T) {
	b := onBench(t, func(b *bench) { b.env.Present = nil })
	if r := b.result("card"); r.Result != Skip {
		t.Errorf("card: %+v", r)
	}
	if r := b.result("float"); r.Result != Pass {
		t.Errorf("float: %+v", r)
	}
	if b.sum.Result != Pass {
		t.Errorf("%+v", b.sum)
	}
}

// A card that is shown too early is not noise.
func TestCardDuringIdle(t *testing.T) {
	b := onBench(t, func(b *bench) {
		present := b.env.Present
		time.AfterFunc(300*ms, func() { present(1) })
	})
	if r := b.result("idle"); r.Result != Warn || !strings.Contains(r.Measured, "a card was read") || len(r.Causes) > 0 {
		t.Errorf("%+v", r)
	}
	if len(b.sum.Causes) > 0 || b.result("card").Result != Pass {
		t.Errorf("%+v", b.sum)
	}
}

// A line that reads low because nothing holds it is not called held low.
func TestLowForWantOfAPull(t *testing.T) {
	for seed := range uint64(8) {
		b := onBench(t, func(b *bench) {
			b.fault("converter-unpowered", seed)
			b.sim.SetBias(gpio.BiasPullDown)
			b.env.Bias = gpio.BiasPullDown
		})
		r := b.result("idle")
		if r.Result != Fail || len(r.Causes) == 0 || r.Causes[0] != "converter-unpowered" {
			t.Errorf("%+v", r)
		}
	}
}

func TestSameCardTwice(t *testing.T) {
	b := onBench(t, func(b *bench) {
		present := b.env.Present
		b.env.Present = func(int) { present(0) }
	})
	if r := b.result("second-card"); r.Result != Warn || !strings.Contains(r.Measured, "same card") {
		t.Errorf("%+v", r)
	}
}

// Numbers of cards are credentials.
func TestNumbersAreMasked(t *testing.T) {
	for _, fault := range append([]string{"off"}, gpio.Faults...) {
		b := onBench(t, func(b *bench) { b.fault(fault, 3) })
		if text := transcript(b.results, b.sum); strings.Contains(text, "31066") || regexp.MustCompile("[01]{20}").MatchString(text) {
			t.Errorf("%s shows the card:\n%s", fault, text)
		}
	}
}

func TestLinesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		remedy string
	}{
		"permission": {fmt.Errorf("open /dev/gpiochip0: %w", syscall.EACCES), "Let this user use /dev/gpiochip*: install the package's udev rule and add the user to the group gpio."},
		"busy":       {fmt.Errorf("request GPIO17: held by \"spi0 CS0\": %w", syscall.EBUSY), "stop it"},
		"missing":    {fmt.Errorf("open /dev/gpiochip0: %w", fs.ErrNotExist), "chip"},
	} {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return nil, c.err }
		})
		r := b.result("lines")
		if r.Result != Fail || !strings.Contains(r.Remedy, c.remedy) || !strings.Contains(r.Measured, c.err.Error()) {
			t.Errorf("%s: %+v", name, r)
		}
		for _, check := range []string{"idle", "float", "card", "second-card"} {
			if got := b.result(check); got.Result != Skip {
				t.Errorf("%s: %s is %s", name, check, got.Result)
			}
		}
		if b.sum.ExitStatus() != 1 {
			t.Errorf("%s: exit status %d", name, b.sum.ExitStatus())
		}
	}
}

// closedSource fails in the middle of the self-test.
type brokenSource struct {
	plain
	reads int
}

func (s *brokenSource) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	if s.reads--; s.reads < 0 {
		return 0, 0, fmt.Errorf("gpio: read: %w", syscall.ENODEV)
	}
	return s.plain.Read(buf, until)
}

func TestLinesVanish(t *testing.T) {
	for reads := range 40 {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return &brokenSource{plain{b.sim}, reads}, nil }
		})
		if b.sum.Result != Fail || len(b.results) != len(checks) {
			t.Fatalf("after %d reads: %+v, %d results", reads, b.sum, len(b.results))
		}
	}
}

func TestCancelled(t *testing.T) {
	var results []Result
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() int64 { return int64(time.Since(start)) }
		sim := gpio.NewSim(now)
		ctx, cancel := context.WithCancel(t.Context())
		env := &Env{root: fstest.MapFS{}, Simulated: true, Now: now, Lines: func(context.Context) (gpio.Adjustable, error) { return sim, nil }}
		time.AfterFunc(300*ms, cancel)
		Run(ctx, env, func(r Result) { results = append(results, r) })
		if took := time.Since(start); took > 500*ms {
			t.Errorf("went on for %v", took)
		}
		if _, err := sim.Levels(); !errors.Is(err, gpio.ErrClosed) {
			t.Error("the lines were not given back")
		}
	})
	if len(results) != len(checks) || results[len(results)-1].Measured != "the self-test was stopped" {
		t.Errorf("%d results, the last %+v", len(results), results[len(results)-1])
	}
}

// Without anything to look at, a self-test looks at this machine.
func TestNothingLent(t *testing.T) {
	var names []string
	sum := Run(t.Context(), &Env{}, func(r Result) {
		if r.Result == Fail && r.Check != "power" {
			t.Errorf("%+v", r)
		}
		names = append(names, r.Check)
	})
	if newTester(&Env{}).Now() == 0 {
		t.Error("no clock")
	}
	if len(names) != len(checks) || sum.Causes == nil || len(sum.Causes) > 0 {
		t.Errorf("%q, %+v", names, sum)
	}
}

// The lines are given back before the checks that do not need them.
func TestLinesAreGivenBack(t *testing.T) {
	closed := false
	onBench(t, func(b *bench) {
		read := b.env.Clock
		b.env.Clock = func(ctx context.Context) (ClockFact, error) {
			_, err := b.sim.Levels()
			closed = errors.Is(err, gpio.ErrClosed)
			return read(ctx)
		}
	})
	if !closed {
		t.Error("the lines are held while the clock is read")
	}
}

func TestPower(t *testing.T) {
	put := func(name, value string) func(*bench) {
		return func(b *bench) { b.env.root.(fstest.MapFS)[name] = &fstest.MapFile{Data: []byte(value)} }
	}
	none := func(name string) func(*bench) {
		return func(b *bench) { delete(b.env.root.(fstest.MapFS), name) }
	}
	const alarm, name, temp = "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "sys/class/hwmon/hwmon1/name", "sys/class/thermal/thermal_zone0/temp"
	runCases(t, "power", []checkCase{
		{"healthy", nil, Pass, "no under-voltage, board at 48 °C"},
		{"under-voltage", put(alarm, "1\n"), Fail, "2.5 A"},
		{"no alarm on this board", put(name, "cpu_thermal\n"), Skip, "can't measure"},
		{"an alarm without a file", none(alarm), Skip, "can't measure"},
		{"hot", put(temp, "80000\n"), Warn, "hot, board at 80 °C"},
		{"warm", put(temp, "79999\n"), Pass, ""},
		{"the hottest counts", put("sys/class/thermal/thermal_zone1/temp", "91000\n"), Warn, "91 °C"},
		{"simulated", func(b *bench) { b.env.Simulated = true }, Skip, "simulated"},
	})
	for _, zone := range []string{"", "broken"} {
		prepare := put(temp, zone)
		if zone == "" {
			prepare = none(temp)
		}
		if r := onBench(t, prepare).result("power"); r.Result != Pass || r.Measured != "no under-voltage" {
			t.Errorf("thermometer %q: %+v", zone, r)
		}
	}
}

func TestBoard(t *testing.T) {
	model := func(s string) func(*bench) {
		return func(b *bench) {
			b.env.root.(fstest.MapFS)["proc/device-tree/model"] = &fstest.MapFile{Data: []byte(s)}
		}
	}
	runCases(t, "board", []checkCase{
		{"a Pi", model("Raspberry Pi Zero W Rev 1.1\x00"), Pass, "Raspberry Pi Zero W Rev 1.1, Linux 6.12.25"},
		{"a BeagleBone", model("TI AM335x BeagleBone Black\x00"), Pass, "BeagleBone Black, Linux"},
		{"a PocketBeagle", model("TI AM335x PocketBeagle\x00"), Pass, "PocketBeagle, Linux"},
		{"a BeaglePlay", model("BeagleBoard.org BeaglePlay\x00"), Pass, "BeaglePlay, Linux"},
		{"a Beagle that is not in the table", model("BeagleBoard.org BeagleY-AI\x00"), Warn, "BeagleY-AI, Linux 6.12.25+rpt-rpi-v8 Stump does not know"},
		{"another board", model("Banana Pi\x00"), Warn, "Banana Pi, Linux 6.12.25+rpt-rpi-v8 Stump does not know"},
		{"no device tree", model(""), Warn, "unknown board without a device tree"},
		{"simulated", func(b *bench) { b.env.Simulated = true }, Pass, "simulated reader on Linux"},
	})
}

// What the self-test may not or need not look at is skipped, by name.
func TestLinesCheck(t *testing.T) {
	runCases(t, "lines", []checkCase{
		{"no reader", func(b *bench) { b.env.Lines = nil }, Skip, "no reader is configured"},
		{"one reader of two", func(b *bench) { b.env.Others = []string{"gate"} }, Pass, "--reader gate"},
		{"one reader", nil, Pass, "simulated line 1"},
	})
	if r := onBench(t, nil).result("lines"); strings.Contains(r.Measured, "--reader") {
		t.Errorf("%+v", r)
	}
	if r := onBench(t, func(b *bench) { b.env.Lines = nil }).result("float"); r.Measured != "the lines could not be taken" {
		t.Errorf("%+v", r)
	}
	b := onBench(t, nil)
	if len(b.said) == 0 || strings.Contains(strings.Join(b.said, " "), "Hands off") { // the simulated reader needs no telling
		t.Errorf("said %q", b.said)
	}
}

// A hand at the cable is a warning; what is repaired is not a good read.
func TestIdleCheck(t *testing.T) {
	pulses := func(n int) func(*bench) {
		return func(b *bench) {
			s := &scripted{Sim: b.sim}
			left := n
			s.change = func(_ bool, edges []wiegand.Edge) []wiegand.Edge {
				for ; left > 0; left-- {
					edges = append(edges, wiegand.Edge{Time: b.env.Now() - int64(left*left)*int64(ms)})
				}
				return edges
			}
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return s, nil }
		}
	}
	runCases(t, "idle", []checkCase{
		{"quiet", pulses(0), Pass, "DATA0 high, DATA1 high, no pulse in 900 ms"},
		{"a hand", pulses(2), Warn, "a hand at the cable"},
		{"noise", pulses(3), Fail, "irregular pulses with no card"},
	})
	s := newTestTester(t)
	word := card(t, "H10301", wiegand.Fields{Facility: 17, Number: 31066}).String()
	for w, want := range map[string]bool{word: true, word[:9] + "." + word[9:]: false, word[:20]: false, "": false} {
		if got := s.onlyCards(shown(w)[0]); got != want {
			t.Errorf("%s is only cards: %v", w, got)
		}
	}
}

// biases is a source that notes the pulls that were asked for.
type biases struct {
	*gpio.Sim
	asked []gpio.Bias
	err   error
}

func (s *biases) SetBias(b gpio.Bias) error {
	s.asked = append(s.asked, b)
	if s.err != nil {
		return s.err
	}
	return s.Sim.SetBias(b)
}

// The lines are pulled up and down once, and then as they are configured.
func TestPullsAreRestored(t *testing.T) {
	run := func(err error, prepare func(*bench)) (*bench, []gpio.Bias) {
		s := biases{err: err}
		b := onBench(t, func(b *bench) {
			prepare(b)
			s.Sim = b.sim
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return &s, nil }
		})
		return b, s.asked
	}
	for configured, want := range map[gpio.Bias]gpio.Bias{gpio.BiasAsIs: gpio.BiasPullUp, gpio.BiasDisabled: gpio.BiasDisabled, gpio.BiasPullDown: gpio.BiasPullDown} {
		_, asked := run(nil, func(b *bench) { b.fault("no-power", 1); b.env.Bias = configured }) // low while idle
		if !slices.Equal(asked, []gpio.Bias{gpio.BiasPullUp, gpio.BiasPullDown, want}) {
			t.Errorf("configured %v: asked for %v", configured, asked)
		}
	}
	b, _ := run(errors.ErrUnsupported, func(*bench) {})
	if r := b.result("float"); r.Result != Skip || !strings.Contains(r.Measured, "can't be changed") {
		t.Errorf("%+v", r)
	}
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	open, gone := filepath.Join(dir, "open"), filepath.Join(dir, "gone")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	devices := func(d ...Device) func(*bench) { return func(b *bench) { b.env.Devices = d } }
	if r := onBench(t, devices(Device{Path: open})).result("permissions"); r.Result != Pass {
		t.Errorf("%+v", r)
	}
	if r := onBench(t, devices(Device{Path: open}, Device{Path: gone, Use: "the display"})).result("permissions"); r.Result != Fail || !strings.HasSuffix(r.Measured, "gone is missing; it is for the display") {
		t.Errorf("%+v", r)
	}
	if r := onBench(t, devices(Device{Path: filepath.Join(open, "x")})).result("permissions"); r.Result != Fail || !strings.HasSuffix(r.Measured, "not a directory") {
		t.Errorf("%+v", r)
	}
	if r := onBench(t, nil).result("permissions"); r.Result != Skip {
		t.Errorf("%+v", r)
	}
	if r := onBench(t, func(b *bench) { b.env.Simulated = true }).result("permissions"); r.Result != Pass {
		t.Errorf("%+v", r)
	}
	if r := (Device{Path: "/dev/gpiochip0", Group: "gpio"}).permit(); !strings.Contains(r, "usermod -aG gpio") {
		t.Errorf("%s", r)
	}
	for path, word := range map[string]string{"/dev/i2c-1": "I2C", "/dev/serial0": "serial", "/dev/ttyAMA0": "serial", "/dev/gpiochip0": "driver", "/x": "path"} {
		if r := (Device{Path: path}).appear(); !strings.Contains(r, word) {
			t.Errorf("%s: %s", path, r)
		}
	}
	if os.Geteuid() == 0 {
		return // root may open everything
	}
	if err := os.Chmod(open, 0); err != nil {
		t.Fatal(err)
	}
	if r := onBench(t, devices(Device{Path: open, Group: "gpio"})).result("permissions"); r.Result != Fail || !strings.Contains(r.Remedy, "usermod -aG gpio") {
		t.Errorf("%+v", r)
	}
}

// lossy is a source that drops every nth edge, as a kernel whose buffer is full.
type lossy struct {
	plain
	every, n int
}

func (s *lossy) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	n, now, err := s.plain.Read(buf, until)
	kept := 0
	for _, e := range buf[:n] {
		if s.n++; s.n%s.every != 0 {
			buf[kept] = e
			kept++
		}
	}
	return kept, now, err
}

// What the kernel lost is not blamed on a wire.
func TestLostEdges(t *testing.T) {
	for every, want := range map[int]Verdict{40: Warn, 5: Fail} {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) { return &lossy{plain: plain{b.sim}, every: every}, nil }
		})
		if r := b.result("card"); r.Result != want || !strings.Contains(r.Measured, "lost by the kernel") || len(r.Causes) > 0 {
			t.Errorf("every %d: %+v", every, r)
		}
	}
}

// A card of no configured format is not a fault of the wires.
func TestForeignCard(t *testing.T) {
	foreign := card(t, "H10306", wiegand.Fields{Facility: 17714, Number: 1160})
	b := onBench(t, func(b *bench) { b.env.Present = func(int) { b.sim.Present(foreign) } })
	r := b.result("card")
	if r.Result != Fail || len(r.Causes) > 0 || !strings.Contains(r.Measured, "no card of this site has so many bits") || !strings.Contains(r.Remedy, "formats") {
		t.Errorf("%+v", r)
	}
}

// tardy is a source whose stamps are now and then late, as on a board whose
// interrupts are held off by a driver.
type tardy struct {
	plain
	rng  *rand.Rand
	last int64
}

func (s *tardy) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	n, now, err := s.plain.Read(buf, until)
	for i := range buf[:n] {
		if s.rng.IntN(50) == 0 {
			buf[i].Time += s.rng.Int64N(int64(300 * us))
		}
		buf[i].Time = max(buf[i].Time, s.last+1)
		s.last = buf[i].Time
	}
	return n, max(now, s.last), err
}

// Late stamps on a busy board are not a fault of the wires.
func TestBusyBoard(t *testing.T) {
	for seed := range uint64(100) {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Adjustable, error) {
				return &tardy{plain: plain{b.sim}, rng: rand.New(rand.NewPCG(seed, 1))}, nil
			}
		})
		if b.sum.Result != Pass {
			t.Fatalf("%d: %s", seed, b.screen(80))
		}
	}
}
