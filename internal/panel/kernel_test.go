//go:build linux && amd64 && fixture

package panel_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	evdev "github.com/holoplot/go-evdev"

	"stump/checkout"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/daemon"
	"stump/internal/gpiosim"
	"stump/internal/panel"
	"stump/lcd"
	"stump/lcd/lcdtest"
	"stump/lcd/lcdtest/vhost"
	"stump/wiegand"
)

// sendEnv makes this test binary a card at a reader: the pulses come from a
// process of their own.
const sendEnv = "STUMP_PANEL_SEND"

func TestMain(m *testing.M) {
	if sysfs, bits, ok := strings.Cut(os.Getenv(sendEnv), " "); ok {
		gpiosim.Attach(sysfs).Send(17, 18, bits, gpiosim.Pulses{Width: 50 * time.Microsecond, Interval: 2 * time.Millisecond})
		return
	}
	os.Exit(m.Run())
}

// outside is a modelled display on the bus of a kernel in which a test runs.
func outside(t *testing.T, size lcd.Size, test string) (*lcdtest.Backpack, *vhost.Guest) {
	t.Helper()
	model := lcdtest.NewBackpack(lcdtest.NewController(size, "A00").Untimed())
	model.Hertz = 0 // the kernel's time is its own
	bus, err := model.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return model, vhost.Start(t, bus, test)
}

// pull unplugs the display when it shows a text, for as long as d.
func pull(t *testing.T, m *lcdtest.Backpack, g *vhost.Guest, text string, d time.Duration) {
	t.Helper()
	if !g.Eventually(func() bool { return strings.Contains(m.String(), text) }) {
		t.Errorf("the display never showed %q", text)
		return
	}
	m.Unplug(nil)
	time.Sleep(d)
	m.Plug()
}

// wantState compares what the controller decoded with what the guest said at
// its end that the panel shows, cell for cell.
func wantState(t *testing.T, m *lcdtest.Backpack, out, contains string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^STATE (.*)$`).FindStringSubmatch(out)
	if line == nil {
		t.Fatalf("the guest didn't say what it shows:\n%s", out)
	}
	var s panel.State
	if err := json.Unmarshal([]byte(strings.TrimSpace(line[1])), &s); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.Rows(), "|")
	if got != strings.Join(s.Rows, "|") || !strings.Contains(got, contains) {
		t.Errorf("the controller shows %q, the panel says %q", got, s.Rows)
	}
	if m.Mode() != lcdtest.Healthy {
		t.Errorf("mode: %s", m.Mode())
	}
}

// leave says what the panel shows and ends the guest with the display as it
// is, for the host to compare.
func leave(t *testing.T, p *panel.Panel) {
	t.Helper()
	out, err := json.Marshal(p.State())
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("STATE " + string(out) + "\n")
	if !t.Failed() {
		os.Exit(0)
	}
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// The panel in a kernel writes to /dev/i2c-0. A missing chip is noticed, the
// controller is proven by its address counter, and the plug is pulled during
// taps, none of which waits for it.
func TestDisplayBehindAKernel(t *testing.T) {
	m, g := outside(t, lcd.Size{Cols: 20, Rows: 4}, "TestGuestPanel")
	pull(t, m, g, "Tap 2", time.Second)
	wantState(t, m, g.Wait(), "Žofie's iPad")
}

func TestGuestPanel(t *testing.T) {
	if !vhost.Inside() {
		t.Skip("runs inside the kernel of TestDisplayBehindAKernel")
	}
	wrong, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Size: "20x4", Bus: "/dev/i2c-0", Address: 0x3f})
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Init(); err == nil {
		t.Error("a display at an address where none is was initialised")
	}
	wrong.Close()

	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Size: "20x4", Bus: "/dev/i2c-0", Address: 0x27})
	if err != nil {
		t.Fatal(err)
	}
	p := panel.New(panel.Options{Display: d})
	go p.Run(t.Context())
	up := func() bool { return p.Health().Up }
	within(t, "the display is up", up)
	if proof, err := p.Prove(t.Context()); proof != lcd.ProofController || err != nil {
		t.Errorf("the controller is not proven: %v, %v", proof, err)
	}
	for _, device := range []string{"Tap 1", "Tap 2", "Tap 3", "Tap 4", "Tap 5", "Žofie's iPad"} {
		begin := time.Now()
		n := p.Show(panel.Message{Key: "checked-out", Device: device, Person: "José Müller", For: time.Minute})
		if err := p.Answered(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s was answered after %v", device, took)
		}
		if !strings.Contains(strings.Join(p.State().Rows, "|"), device) {
			t.Errorf("after %s: %q", device, p.State().Rows)
		}
		time.Sleep(400 * time.Millisecond)
	}
	within(t, "the display is back", up)
	leave(t, p)
}

// The whole station in a kernel: cards are shown as pulses on GPIO lines, and
// what they mean is on a display behind /dev/i2c-0, which is unplugged while
// the second device is bumped. No tap is lost.
func TestStationBehindAKernel(t *testing.T) {
	m, g := outside(t, lcd.Size{Cols: 16, Rows: 2}, "TestGuestStation")
	pull(t, m, g, "Checked out / iPad", 5*time.Second)
	wantState(t, m, g.Wait(), "Returned        |iPad, Ann")
}

const stationConfig = `
station = "kernel"
[[reader]]
data0 = "GPIO17"
data1 = "GPIO18"
formats = ["H10301"]
badge = { facilities = [17] }
device = { facilities = [200] }
[display]
kind = "hd44780-i2c"
size = "16x2"
bus = "/dev/i2c-0"
[keyboard]
device = "off"
`

func TestGuestStation(t *testing.T) {
	if !vhost.Inside() {
		t.Skip("runs inside the kernel of TestStationBehindAKernel")
	}
	l := openLab(t, stationConfig)
	l.bump("badge", "Hello Ann")
	l.bump("ipad", "Checked out     |iPad")
	time.Sleep(1700 * time.Millisecond) // here the plug is pulled; and the badge may come again
	l.bump("badge", "Hello Ann")
	l.bump("pixel", "Checked out     |Pixel")
	time.Sleep(5 * time.Second) // the same pair would be a repetition
	within(t, "the display is back", func() bool { return l.Panel.Health().Up })
	l.bump("badge", "Hello Ann")
	l.bump("ipad", "Returned        |iPad")
	l.wantHolders(map[string]string{"ipad": "", "pixel": "ann"})
	leave(t, l.Panel)
}

// An unknown badge asks for its owner's name, which is typed on a keyboard
// that is plugged in just then: the display shows the line as it grows, and
// the tap goes on.
func TestTypingBehindAKernel(t *testing.T) {
	m, g := outside(t, lcd.Size{Cols: 16, Rows: 2}, "TestGuestTyping")
	for _, shown := range []string{"Type your name: / _", "Zoë Müller? / z_", "Hello Zoë Müller"} {
		if !g.Eventually(func() bool { return strings.HasPrefix(m.String(), shown) }) {
			t.Errorf("the display never showed %q", shown)
			break
		}
	}
	wantState(t, m, g.Wait(), "Checked out     |iPad, Zoë Müller")
}

func TestGuestTyping(t *testing.T) {
	if !vhost.Inside() {
		t.Skip("runs inside the kernel of TestTypingBehindAKernel")
	}
	l := openLab(t, strings.Replace(stationConfig, `device = "off"`, "device = \"auto\"\nlayout = \"de\"", 1))
	keys := map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: nil}
	for c := evdev.EvCode(1); c < 128; c++ {
		keys[evdev.EV_KEY] = append(keys[evdev.EV_KEY], c)
	}
	kbd, err := evdev.CreateDevice("Keyboard", evdev.InputID{BusType: 3}, keys)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // it is found
	l.bump("stranger", "Type your name:")
	press := func(code evdev.EvCode, shows string) {
		t.Helper()
		for _, e := range []evdev.InputEvent{{Type: evdev.EV_KEY, Code: code, Value: 1}, {Type: evdev.EV_KEY, Code: code}, {Type: evdev.EV_SYN}} {
			if err := kbd.WriteOne(&e); err != nil {
				t.Fatal(err)
			}
		}
		within(t, shows, func() bool { return l.shows(shows) })
		time.Sleep(100 * time.Millisecond) // for the host to see it too
	}
	press(evdev.KEY_Y, "Zoë Müller?") // a z in Germany
	press(evdev.KEY_ENTER, "Hello Zoë Müller")
	l.bump("ipad", "Checked out")
	l.wantHolders(map[string]string{"ipad": "zoe"})
	leave(t, l.Panel)
}

// lab is a station on the kernel's lines.
type lab struct {
	*daemon.Daemon
	t     *testing.T
	chip  *gpiosim.Chip
	cards map[string]wiegand.Bits
}

// openLab starts the daemon and waits for its display.
func openLab(t *testing.T, config string) *lab {
	t.Helper()
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{17: "GPIO17", 18: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chip.Close() })
	l := &lab{t: t, chip: chip, cards: map[string]wiegand.Bits{}}
	for name, number := range map[string]string{"badge": "17:31001", "stranger": "17:31002", "ipad": "200:8101", "pixel": "200:8102"} {
		if l.cards[name], err = credential.Parse("H10301:"+number, nil); err != nil {
			t.Fatal(err)
		}
	}
	l.Daemon = station(t, config, l.cards)
	go l.Run(t.Context())
	within(t, "the display is up", func() bool { return l.Panel.Health().Up })
	return l
}

func (l *lab) shows(text string) bool {
	return strings.Contains(strings.Join(l.Panel.State().Rows, "|"), text)
}

// bump shows a card until the panel answers. A busy host may tear a frame
// apart: then the card is shown again, as a person would.
func (l *lab) bump(card, text string) {
	l.t.Helper()
	for range 10 {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), sendEnv+"="+l.chip.Sysfs()+" "+l.cards[card].String())
		if out, err := cmd.CombinedOutput(); err != nil {
			l.t.Fatalf("%v: %s", err, out)
		}
		for range 170 { // sooner, the desk would take the same card for a repetition
			if l.shows(text) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	l.t.Fatalf("the panel never says %q but %q", text, l.Panel.State().Rows)
}

func (l *lab) wantHolders(want map[string]string) {
	l.t.Helper()
	for id, holder := range want {
		dev, err := l.Ledger.FindDevice(id)
		if err != nil || dev.Holder != holder {
			l.t.Errorf("%s is with %q, want %q (%v)", id, dev.Holder, holder, err)
		}
	}
}

// station puts the daemon together, with Ann, Zoë who has no badge yet, and
// two devices.
func station(t *testing.T, toml string, cards map[string]wiegand.Bits) *daemon.Daemon {
	t.Helper()
	cfg, err := config.Parse("stump.toml", toml)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	d, err := daemon.New(daemon.Options{Config: cfg, StateDir: dir, Socket: filepath.Join(dir, "s"), Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	tag := func(card string) checkout.Tag { return credential.Tag(cards[card]) }
	for _, err := range []error{
		d.Ledger.AddPerson(checkout.Person{ID: "ann", Name: "Ann"}, tag("badge"), "test", checkout.SourceCLI),
		d.Ledger.AddPerson(checkout.Person{ID: "zoe", Name: "Zoë Müller"}, checkout.Tag{}, "test", checkout.SourceCLI),
		d.Ledger.AddDevice(checkout.Device{ID: "ipad", Name: "iPad"}, tag("ipad"), "test", checkout.SourceCLI),
		d.Ledger.AddDevice(checkout.Device{ID: "pixel", Name: "Pixel"}, tag("pixel"), "test", checkout.SourceCLI),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}
