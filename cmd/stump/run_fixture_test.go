//go:build linux && amd64 && fixture

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	evdev "github.com/holoplot/go-evdev"

	"stump/internal/api/wire"
	"stump/internal/credential"
	"stump/internal/gpiosim"
	"stump/internal/panel"
	"stump/internal/testkit"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

// This file runs `stump run` in a kernel, with a configuration file as a site
// has it: cards are pulses on GPIO lines, the display is behind /dev/i2c-0, the
// keyboard is an input device. People and devices are added, and what came of
// the bumps is asked, with the other commands.

func init() { gpiosim.Main() } // in the process that plays the reader

const stationConfig = `
station = "kernel"

[[reader]]
data0 = "GPIO17"
data1 = "pinctrl-bcm2711:18"
formats = ["H10301"]
badge = { facilities = [17] }
device = { facilities = [200] }

[display]
kind = "none"
size = "16x2"

[keyboard]
device = "off"
`

const i2cConfig = "kind = \"hd44780-i2c\"\nbus = \"/dev/i2c-0\""

// realStation is a daemon on the kernel's lines.
type realStation struct {
	*process
	chip  *gpiosim.Chip
	start func() *process
	log   testkit.Log
}

// newStation starts the daemon, with edits made to the configuration, and adds
// Ann, Zoë who has no badge yet, and two devices.
func newStation(t *testing.T, edits ...string) *realStation {
	t.Helper()
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{line0: "GPIO17", line1: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chip.Close)
	dir, err := os.MkdirTemp("/run", "st")
	if err != nil {
		t.Fatal(err)
	}
	config, socket := filepath.Join(dir, "stump.toml"), filepath.Join(dir, "s")
	if err := os.WriteFile(config, []byte(strings.NewReplacer(edits...).Replace(stationConfig)), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &realStation{chip: chip}
	s.start = func() *process {
		cmd := stumpCommand("run", "--config", config, "--state", filepath.Join(dir, "state"), "--socket", socket)
		cmd.Stderr = &s.log
		return startProcess(t, cmd, socket)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	s.process = s.start()
	s.stump("people", "add", "Ann", "--badge", cards["badge"])
	s.stump("people", "add", "Zoë Müller")
	s.stump("devices", "add", "iPad", "--tag", cards["ipad"])
	s.stump("devices", "add", "Pixel", "--tag", cards["pixel"])
	return s
}

var cards = map[string]string{
	"badge": "H10301:17:31001", "stranger": "H10301:17:31002", "ipad": "H10301:200:8101", "pixel": "H10301:200:8102",
}

// stump runs a command against the daemon and returns what it prints.
func (s *realStation) stump(args ...string) string {
	s.t.Helper()
	cmd := stumpCommand(append([]string{"--socket", s.socket}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("stump %q: %v: %s%s", args, err, out, &stderr)
	}
	return string(out)
}

// shows reports whether the panel shows a text; rows are parted by a bar.
func (s *realStation) shows(text string) func() bool {
	return func() bool {
		var state panel.State
		return s.get("panel", &state) && strings.Contains(strings.Join(state.Rows, "|"), text)
	}
}

// logged reports whether the daemon has logged a text n times.
func (s *realStation) logged(text string, n int) func() bool {
	return func() bool { return s.log.Count(text) >= n }
}

// bump shows a card until the panel answers. A host that takes the processor
// away tears a frame apart, and the decoder refuses it: then the card is shown
// again, as a person would.
func (s *realStation) bump(card, text string) {
	s.t.Helper()
	bits, err := credential.Parse(cards[card], nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for range 10 {
		wait, err := s.chip.Generate(gpiosim.Job{
			D0: line0, D1: line1, Frames: []string{bits.String()},
			Pulses: gpiosim.Pulses{Width: 50 * time.Microsecond, Interval: 2 * time.Millisecond},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := wait(); err != nil {
			s.t.Fatal(err)
		}
		// Sooner, the desk would take the same card for a repetition.
		for end := time.Now().Add(1700 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if s.shows(text)() {
				return
			}
		}
	}
	s.t.Fatalf("after bumps of the %s the panel never says %q:\n%s", card, text, s.stump("sim", "lcd"))
}

// wantHolders compares who has what with what `stump who` says.
func (s *realStation) wantHolders(want map[string]string) {
	s.t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(s.stump("who", "--json")) {
		var w wire.Who
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		got[*w.Device] = *w.Person
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("who says %v, want %v", got, want)
	}
}

// TestKernelRun: a badge and a device are bumped; the daemon is killed and
// started again; the chip is pulled out and put back; the device is returned.
func TestKernelRun(t *testing.T) {
	s := newStation(t)
	s.within("the lines are had", s.logged("gpiochip", 1))
	s.bump("badge", "Hello Ann")
	s.bump("ipad", "Checked out")
	s.wantHolders(map[string]string{"iPad": "Ann"})

	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.process = s.start()
	s.wantHolders(map[string]string{"iPad": "Ann"})

	if err := s.chip.Unplug(); err != nil {
		t.Fatal(err)
	}
	s.within("the log says that the lines are gone", s.logged("no lines", 1))
	s.within("the idle screen says so too", s.shows("Reader fault"))
	if err := s.chip.Replug(); err != nil {
		t.Fatal(err)
	}
	s.within("the lines are back", s.logged("msg=lines", 3))
	time.Sleep(5 * time.Second) // the same pair would be a repetition
	s.bump("ipad", "with Ann")
	s.bump("badge", "Returned")
	s.wantHolders(map[string]string{})

	begin := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

// TestKernelStorm: under edges as fast as this kernel makes them the daemon
// answers its socket and needs no more memory; a card after them is read.
func TestKernelStorm(t *testing.T) {
	s := newStation(t)
	before, most, asked := testkit.RSSAnon(t, s.cmd.Process.Pid), int64(0), 0
	stop, stormy := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n += 2 {
			select {
			case <-stop:
				stormy <- n
				return
			default:
			}
			for _, line := range []int{line0, line1} {
				s.chip.Set(line, false)
				s.chip.Set(line, true)
			}
		}
	}()
	for begin := time.Now(); time.Since(begin) < 3*time.Second; asked++ {
		var status wire.Status
		start := time.Now()
		if !s.get("status", &status) {
			t.Fatal("no answer")
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("an answer took %v", took)
		}
		most = max(most, testkit.RSSAnon(t, s.cmd.Process.Pid))
		time.Sleep(20 * time.Millisecond)
	}
	close(stop)
	t.Logf("%d falling edges in 3 s; asked %d times; anonymous memory %d KiB before, at most %d KiB", <-stormy, asked, before, most)
	if most > before+flat {
		t.Errorf("anonymous memory grew from %d KiB to %d KiB", before, most)
	}
	s.bump("badge", "Hello Ann")
}

// behind is a kernel with a modelled display on its bus, in which a test runs.
func behind(t *testing.T, test string) (*lcdtest.Backpack, *kernelGuest) {
	t.Helper()
	model := lcdtest.NewBackpack(lcdtest.NewController(lcd.Size{Cols: 16, Rows: 2}, "A00").Untimed())
	model.Hertz = 0 // the kernel's time is its own
	bus, err := model.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return model, startGuest(t, bus, test)
}

// seen waits until the display shows something, for as long as the kernel runs.
func seen(t *testing.T, m *lcdtest.Backpack, g *kernelGuest, text string) {
	t.Helper()
	if !g.eventually(func() bool { return strings.HasPrefix(m.String(), text) }) {
		t.Errorf("the display never showed %q; now it shows %q", text, m)
	}
}

// displayed compares, cell for cell, what the controller decoded with what the
// daemon said at the end that it shows.
func displayed(t *testing.T, m *lcdtest.Backpack, out, want string) {
	t.Helper()
	last := regexp.MustCompile(`(?m)^LCD (.*)$`).FindStringSubmatch(out)
	if last == nil {
		t.Fatalf("inside, nothing was said of the display:\n%s", out)
	}
	var s panel.State
	if err := json.Unmarshal([]byte(last[1]), &s); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.Rows(), "|")
	if got != want || strings.Join(s.Rows, "|") != want {
		t.Errorf("the controller shows %q, stump sim lcd says %q, want %q", got, s.Rows, want)
	}
	if m.Mode() != lcdtest.Healthy {
		t.Errorf("mode: %s", m.Mode())
	}
}

// leave says what the panel shows, and ends the kernel with the display as it
// is, for displayed to compare.
func (s *realStation) leave() {
	os.Stdout.WriteString("LCD " + s.stump("sim", "lcd", "--json"))
	if !s.t.Failed() {
		os.Exit(0)
	}
}

// A display behind I2C shows the bumps cell for cell. It is unplugged for five
// seconds while another device is bumped: no tap is lost, and it is repainted.
func TestRunBehindAKernel(t *testing.T) {
	m, g := behind(t, "TestGuestRun")
	seen(t, m, g, "Hello Ann / Tap a device")
	seen(t, m, g, "Checked out / iPad, Ann")
	m.Unplug(nil)
	time.Sleep(5 * time.Second)
	m.Plug()
	displayed(t, m, g.wait(), "Returned        |iPad, Ann       ")
}

func TestGuestRun(t *testing.T) {
	if !insideGuest() {
		t.Skip("runs inside the kernel of TestRunBehindAKernel")
	}
	s := newStation(t, `kind = "none"`, i2cConfig)
	s.within("the display is there", s.logged("display works", 1))
	s.bump("badge", "Hello Ann")
	s.bump("ipad", "Checked out     |iPad")
	time.Sleep(1700 * time.Millisecond) // here the plug is pulled; and the badge may come again
	s.bump("badge", "Hello Ann")
	s.bump("pixel", "Checked out     |Pixel")
	s.wantHolders(map[string]string{"iPad": "Ann", "Pixel": "Ann"})
	s.within("the display is missed, and back", s.logged("display works", 2))
	time.Sleep(5 * time.Second) // the same pair would be a repetition
	s.bump("badge", "Hello Ann")
	s.bump("ipad", "Returned        |iPad")
	s.wantHolders(map[string]string{"Pixel": "Ann"})
	s.leave()
}

// An unknown badge asks for its owner's name, which is typed on a keyboard
// that is plugged in just then: the display shows the line as it grows, and
// the tap goes on.
func TestTypingBehindAKernel(t *testing.T) {
	m, g := behind(t, "TestGuestTyping")
	for _, shown := range []string{"Type your name: / _", "Zoë Müller? / z_", "Hello Zoë Müller"} {
		seen(t, m, g, shown)
	}
	displayed(t, m, g.wait(), "Checked out     |iPad, Zoë Müller")
}

// settle is how long a screen stays for the test outside to see it too.
const settle = time.Second

// reads reports whether the daemon has a file open whose path begins so.
func (s *realStation) reads(prefix string) func() bool {
	return func() bool {
		dir := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
		fds, err := os.ReadDir(dir)
		if err != nil {
			s.t.Fatal(err)
		}
		return slices.ContainsFunc(fds, func(fd os.DirEntry) bool {
			path, _ := os.Readlink(filepath.Join(dir, fd.Name()))
			return strings.HasPrefix(path, prefix)
		})
	}
}

func TestGuestTyping(t *testing.T) {
	if !insideGuest() {
		t.Skip("runs inside the kernel of TestTypingBehindAKernel")
	}
	s := newStation(t, `kind = "none"`, i2cConfig, `device = "off"`, "device = \"auto\"\nlayout = \"de\"")
	s.within("the display is there", s.logged("display works", 1))
	keys := map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: nil}
	for c := evdev.EvCode(1); c < 128; c++ {
		keys[evdev.EV_KEY] = append(keys[evdev.EV_KEY], c)
	}
	kbd, err := evdev.CreateDevice("Keyboard", evdev.InputID{BusType: 3}, keys)
	if err != nil {
		t.Fatal(err)
	}
	s.within("the daemon reads the keyboard", s.reads("/dev/input/"))
	s.bump("stranger", "Type your name:")
	time.Sleep(settle)
	press := func(code evdev.EvCode, shows string) {
		t.Helper()
		for _, e := range []evdev.InputEvent{{Type: evdev.EV_KEY, Code: code, Value: 1}, {Type: evdev.EV_KEY, Code: code}, {Type: evdev.EV_SYN}} {
			if err := kbd.WriteOne(&e); err != nil {
				t.Fatal(err)
			}
		}
		s.within(shows, s.shows(shows))
		time.Sleep(settle)
	}
	press(evdev.KEY_Y, "Zoë Müller?") // a z in Germany
	press(evdev.KEY_ENTER, "Hello Zoë Müller")
	s.bump("ipad", "Checked out")
	s.wantHolders(map[string]string{"iPad": "Zoë Müller"})
	s.leave()
}
