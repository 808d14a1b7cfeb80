//go:build linux && amd64 && fixture

package panel_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{17: "GPIO17", 18: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	defer chip.Close()
	d, badge, devices := station(t)
	ready := make(chan struct{})
	go func() {
		for d.Panel.Health().Err == nil && !d.Panel.Health().Up {
			time.Sleep(10 * time.Millisecond)
		}
		close(ready)
	}()
	go d.Run(t.Context())
	<-ready
	if h := d.Panel.Health(); !h.Up {
		t.Fatalf("display: %v", h.Err)
	}
	shows := func(text string) bool { return strings.Contains(strings.Join(d.Panel.State().Rows, "|"), text) }
	// A busy host may tear a frame apart: then the card is shown again, as a
	// person would.
	bump := func(card wiegand.Bits, text string) {
		t.Helper()
		for range 10 {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), sendEnv+"="+chip.Sysfs()+" "+card.String())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for range 170 { // sooner, the desk would take the same card for a repetition
				if shows(text) {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		t.Fatalf("the panel never says %q but %q", text, d.Panel.State().Rows)
	}
	bump(badge, "Hello Ann")
	bump(devices[0], "Checked out     |iPad")
	time.Sleep(1700 * time.Millisecond) // here the plug is pulled; and the badge may come again
	bump(badge, "Hello Ann")
	bump(devices[1], "Checked out     |Pixel")
	time.Sleep(5 * time.Second) // the same pair would be a repetition
	within(t, "the display is back", func() bool { return d.Panel.Health().Up })
	bump(badge, "Hello Ann")
	bump(devices[0], "Returned        |iPad")
	for id, want := range map[string]string{"ipad": "", "pixel": "ann"} {
		dev, err := d.Ledger.FindDevice(id)
		if err != nil || dev.Holder != want {
			t.Errorf("%s is with %q, want %q (%v)", id, dev.Holder, want, err)
		}
	}
	leave(t, d.Panel)
}

// station puts the daemon together, with Ann and two devices.
func station(t *testing.T) (d *daemon.Daemon, badge wiegand.Bits, devices [2]wiegand.Bits) {
	t.Helper()
	cfg, err := config.Parse("stump.toml", stationConfig)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if d, err = daemon.New(daemon.Options{Config: cfg, StateDir: dir, Socket: filepath.Join(dir, "s")}); err != nil {
		t.Fatal(err)
	}
	card := func(s string) wiegand.Bits {
		b, err := credential.Parse(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	badge, devices = card("H10301:17:31001"), [2]wiegand.Bits{card("H10301:200:8101"), card("H10301:200:8102")}
	err = d.Ledger.AddPerson(checkout.Person{ID: "ann", Name: "Ann"}, credential.Tag(badge), "test", checkout.SourceCLI)
	for i, dev := range []checkout.Device{{ID: "ipad", Name: "iPad"}, {ID: "pixel", Name: "Pixel"}} {
		if err == nil {
			err = d.Ledger.AddDevice(dev, credential.Tag(devices[i]), "test", checkout.SourceCLI)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return d, badge, devices
}
