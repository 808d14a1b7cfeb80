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
		pi, _ := board.ByKey("pi4")
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
			Lines:   func(context.Context) (gpio.Source, error) { return b.sim, nil },
			Present: func(n int) { b.sim.Present(cards[n]) },
			Say:     func(s string) { b.said = append(b.said, s) },
			readClock: func() (clockFact, error) {
				return clockFact{true, "set by systemd-timesyncd", time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}, nil
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
		b.env.ListenFree = b.sim.ListenFree
	})
	if r := b.result("card"); r.Result != Pass || len(b.sum.Causes) > 0 {
		t.Errorf("%+v\n%s", r, b.screen(80))
	}
}

// The reader beeps and nothing arrives: HOLD is first when it beeps, power
// when it does not.
func TestPersonTellsHoldFromNoPower(t *testing.T) {
	for answer, want := range map[string]string{"y": "hold", "n": "no-power"} {
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

// A card that is shown too early is no noise.
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
		"permission": {fmt.Errorf("open /dev/gpiochip0: %w", syscall.EACCES), "group"},
		"busy":       {fmt.Errorf("request GPIO17: held by \"spi0 CS0\": %w", syscall.EBUSY), "stop it"},
		"missing":    {fmt.Errorf("open /dev/gpiochip0: %w", fs.ErrNotExist), "chip"},
	} {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Source, error) { return nil, c.err }
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
	gpio.Source
	reads int
}

func (s *brokenSource) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	if s.reads--; s.reads < 0 {
		return 0, 0, fmt.Errorf("gpio: read: %w", syscall.ENODEV)
	}
	return s.Source.Read(buf, until)
}

func TestLinesVanish(t *testing.T) {
	for reads := range 40 {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Source, error) { return &brokenSource{b.sim, reads}, nil }
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
		env := &Env{root: fstest.MapFS{}, Simulated: true, Now: now, Lines: func(context.Context) (gpio.Source, error) { return sim, nil }}
		time.AfterFunc(300*ms, cancel)
		Run(ctx, env, func(r Result) { results = append(results, r) })
		if took := time.Since(start); took > 500*ms {
			t.Errorf("went on for %v", took)
		}
		if _, err := sim.Levels(); !errors.Is(err, gpio.ErrClosed) {
			t.Error("the lines were not given back")
		}
	})
	if len(results) != len(checks) || results[len(results)-1].Result != Skip {
		t.Errorf("%d results, the last %+v", len(results), results[len(results)-1])
	}
}

func TestPower(t *testing.T) {
	put := func(name, value string) func(*bench) {
		return func(b *bench) { b.env.root.(fstest.MapFS)[name] = &fstest.MapFile{Data: []byte(value)} }
	}
	if r := onBench(t, nil).result("power"); r.Result != Pass || !strings.Contains(r.Measured, "48 °C") {
		t.Errorf("healthy: %+v", r)
	}
	if r := onBench(t, put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")).result("power"); r.Result != Fail || !strings.Contains(r.Remedy, "2.5 A") {
		t.Errorf("under-voltage: %+v", r)
	}
	if r := onBench(t, put("sys/class/hwmon/hwmon1/name", "cpu_thermal\n")).result("power"); r.Result != Skip {
		t.Errorf("no alarm on this board: %+v", r)
	}
	if r := onBench(t, put("sys/class/thermal/thermal_zone0/temp", "81000\n")).result("power"); r.Result != Warn {
		t.Errorf("hot: %+v", r)
	}
}

func TestBoard(t *testing.T) {
	for model, want := range map[string]Verdict{
		"Raspberry Pi Zero W Rev 1.1\x00": Pass, "TI AM335x BeagleBone Black\x00": Pass,
		"Banana Pi\x00": Warn, "": Warn,
	} {
		b := onBench(t, func(b *bench) {
			b.env.root.(fstest.MapFS)["proc/device-tree/model"] = &fstest.MapFile{Data: []byte(model)}
		})
		if r := b.result("board"); r.Result != want || strings.Contains(r.Measured, "\x00") {
			t.Errorf("%q: %+v", model, r)
		}
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
	if r := onBench(t, devices(Device{Path: open}, Device{Path: gone, Use: "the display"})).result("permissions"); r.Result != Fail || !strings.Contains(r.Measured, "the display") {
		t.Errorf("%+v", r)
	}
	if r := (Device{Path: "/dev/gpiochip0", Group: "gpio"}).permit(); !strings.Contains(r, "usermod -aG gpio") {
		t.Errorf("%s", r)
	}
	for path, word := range map[string]string{"/dev/i2c-1": "I2C", "/dev/serial0": "serial", "/dev/gpiochip0": "driver", "/x": "path"} {
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
	gpio.Source
	every, n int
}

func (s *lossy) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	n, now, err := s.Source.Read(buf, until)
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
			b.env.Lines = func(context.Context) (gpio.Source, error) { return &lossy{Source: b.sim, every: every}, nil }
		})
		if r := b.result("card"); r.Result != want || !strings.Contains(r.Measured, "lost by the kernel") || len(r.Causes) > 0 {
			t.Errorf("every %d: %+v", every, r)
		}
	}
}

// A card of no configured format is no fault of the wires.
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
	gpio.Source
	rng  *rand.Rand
	last int64
}

func (s *tardy) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	n, now, err := s.Source.Read(buf, until)
	for i := range buf[:n] {
		if s.rng.IntN(50) == 0 {
			buf[i].Time += s.rng.Int64N(int64(300 * us))
		}
		buf[i].Time = max(buf[i].Time, s.last+1)
		s.last = buf[i].Time
	}
	return n, max(now, s.last), err
}

// Late stamps on a busy board are no fault of the wires.
func TestBusyBoard(t *testing.T) {
	for seed := range uint64(100) {
		b := onBench(t, func(b *bench) {
			b.env.Lines = func(context.Context) (gpio.Source, error) {
				return &tardy{Source: b.sim, rng: rand.New(rand.NewPCG(seed, 1))}, nil
			}
		})
		if b.sum.Result != Pass {
			t.Fatalf("%d: %s", seed, b.screen(80))
		}
	}
}
