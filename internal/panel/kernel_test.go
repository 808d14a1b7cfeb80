//go:build linux && amd64

package panel

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/lcd"
	"stump/lcd/lcdtest"
	"stump/lcd/lcdtest/vhost"
)

// guest tells the test binary that it runs inside the kernel.
const guest = "STUMP_PANEL_GUEST"

// A display through a real kernel: the panel inside User Mode Linux writes to
// /dev/i2c-0, and what the controller behind that bus decoded is what the
// panel says it shows, cell for cell. The plug is pulled during taps.
func TestDisplayBehindAKernel(t *testing.T) {
	uml := kernelRunner(t)
	model := lcdtest.NewBackpack(lcdtest.NewController(lcd.Size{Cols: 20, Rows: 4}, "A00").Untimed())
	model.Hertz = 0 // the kernel's time is its own
	socket := filepath.Join(t.TempDir(), "i2c")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bus, err := model.Open("")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- vhost.Serve(l, bus) }()

	cmd := exec.Command(uml, "-t", "60", "-a", "virtio_uml.device="+socket+":34", os.Args[0], "-test.run=^TestGuestPanel$", "-test.v")
	cmd.Env = append(os.Environ(), guest+"=1")
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	plugged := make(chan bool)
	go func() { plugged <- pullThePlug(model, done) }()
	if !<-plugged {
		t.Error("the display never showed the second tap")
	}
	if err := <-done; err != nil {
		t.Fatalf("inside: %v\n%s", err, out.b.String())
	}
	l.Close()
	if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("bus: %v", err)
	}
	m := regexp.MustCompile(`(?m)^STATE (.*)$`).FindStringSubmatch(out.b.String())
	if m == nil {
		t.Fatalf("the guest didn't say what it shows:\n%s", out.b.String())
	}
	var s State
	if err := json.Unmarshal([]byte(strings.TrimSpace(m[1])), &s); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(model.Rows(), "|"); got != rows(s) || !strings.Contains(got, "Checked out") {
		t.Errorf("the controller shows %q, the panel says %q", got, rows(s))
	}
	if model.Mode() != lcdtest.Healthy {
		t.Errorf("mode: %s", model.Mode())
	}
}

// pullThePlug unplugs the display when the second tap is on it, and plugs it
// in again a second later.
func pullThePlug(model *lcdtest.Backpack, done chan error) bool {
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-done:
			done <- err
			return false
		default:
		}
		if strings.Contains(model.String(), "Tap 2") {
			model.Unplug(nil)
			time.Sleep(time.Second)
			model.Plug()
			return true
		}
	}
	return false
}

// TestGuestPanel is the part of TestDisplayBehindAKernel that runs inside.
func TestGuestPanel(t *testing.T) {
	if os.Getenv(guest) == "" {
		t.Skip("runs inside the kernel that TestDisplayBehindAKernel starts")
	}
	// Nothing is at this address: a missing chip must not look alive.
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
	p := New(Options{Display: d})
	go p.Run(t.Context())
	wait(t, p, func() bool { return p.Health().Up })
	if proof, err := p.Prove(t.Context()); proof != lcd.ProofController || err != nil {
		t.Errorf("the controller is not proven: %v, %v", proof, err)
	}
	for _, device := range []string{"Tap 1", "Tap 2", "Tap 3", "Tap 4", "Tap 5", "Žofie's iPad"} {
		begin := time.Now()
		n := p.Show(Message{Key: "checked-out", Device: device, Person: "José Müller", For: time.Minute})
		if err := p.Answered(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s was answered after %v", device, took)
		}
		if !strings.Contains(rows(p.State()), device) {
			t.Errorf("after %s: %q", device, rows(p.State()))
		}
		time.Sleep(400 * time.Millisecond)
	}
	wait(t, p, func() bool { return p.Health().Up })
	out, err := json.Marshal(p.State())
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("STATE " + string(out) + "\n")
	// Leave the display as it is: the host compares.
	if !t.Failed() {
		os.Exit(0)
	}
}

func wait(t *testing.T, p *Panel, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("it didn't come: %+v", p.Health())
		}
	}
}

// kernelRunner returns the program that runs others in a kernel of their own,
// if that kernel is built.
func kernelRunner(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	built, _ := filepath.Glob(filepath.Join(cache, "stump", "linux-*", "linux"))
	if len(built) == 0 || testing.Short() {
		t.Skip("the test kernel is not built: make kernel")
	}
	path, err := filepath.Abs("../../scripts/uml")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
