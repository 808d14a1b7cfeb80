//go:build fixture

package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/config"
	"stump/internal/credential"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// The pulses come from a process of their own, this test binary run anew: a
// reader does not share a scheduler with the program that it is wired to.
const sendEnv = "STUMP_TEST_SEND"

func TestMain(m *testing.M) {
	if sysfs, bits, ok := strings.Cut(os.Getenv(sendEnv), " "); ok {
		gpiosim.Attach(sysfs).Send(17, 18, bits, gpiosim.Pulses{Width: 50 * time.Microsecond, Interval: 2 * time.Millisecond})
		return
	}
	os.Exit(m.Run())
}

func bump(t *testing.T, c *gpiosim.Chip, bits wiegand.Bits) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), sendEnv+"="+c.Sysfs()+" "+bits.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually waits until what holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within 20 s: %s", what)
			t.FailNow()
		}
	}
}

// TestKernelStation is the whole daemon on the kernel's lines: a badge and a
// device are bumped, the chip is pulled out and put back, and they are bumped
// again.
func TestKernelStation(t *testing.T) {
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{17: "GPIO17", 18: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	defer chip.Close()
	cfg, err := config.Parse("stump.toml", `
station = "kernel"
[[reader]]
data0 = "GPIO17"
data1 = "pinctrl-bcm2711:18"
formats = ["H10301"]
[display]
kind = "none"
`)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var log syncBuffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	ready := make(chan struct{})
	d, err := New(Options{
		Config: cfg, StateDir: dir, Socket: filepath.Join(dir, "s"), Ready: func() { close(ready) },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	badge, device := card(t, "H10301:17:31001"), card(t, "H10301:200:8101")
	if err := d.Ledger.AddPerson(checkout.Person{ID: "ann", Name: "Ann"}, credential.Tag(badge), "test", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	if err := d.Ledger.AddDevice(checkout.Device{ID: "ipad", Name: "iPad"}, credential.Tag(device), "test", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-ready
	shows := func(text string) func() bool {
		return func() bool { return strings.Contains(strings.Join(d.Panel.State().Rows, "|"), text) }
	}
	eventually(t, "the lines are had", func() bool {
		return strings.Contains(log.String(), "header pin 11") || strings.Contains(log.String(), "line 17")
	})

	// A host that takes the processor away tears a hole into a frame, and the
	// decoder refuses it; then the card is shown again, as a person would.
	bumpUntil := func(card wiegand.Bits, text string) {
		t.Helper()
		for range 10 {
			bump(t, chip, card)
			for range 25 {
				if shows(text)() {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		t.Fatalf("the display never says %q", text)
	}
	bumpUntil(badge, "Hello Ann")
	bumpUntil(device, "Checked out")
	if got := holder(t, d); got != "ann" {
		t.Errorf("the ledger says that %q has the iPad", got)
	}

	if err := chip.Unplug(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says that the lines are gone", func() bool { return strings.Contains(log.String(), "no lines") })
	eventually(t, "the idle screen says so too", shows("Reader fault"))
	if err := chip.Replug(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lines are back", func() bool { return strings.Count(log.String(), "msg=lines") == 2 })
	time.Sleep(5 * time.Second) // the same pair would be a repetition
	bumpUntil(device, "with Ann")
	bumpUntil(badge, "Returned")
	if got := holder(t, d); got != "" {
		t.Errorf("the ledger says that %q still has the iPad", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func card(t *testing.T, s string) wiegand.Bits {
	t.Helper()
	b, err := credential.Parse(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func holder(t *testing.T, d *Daemon) string {
	t.Helper()
	dev, err := d.Ledger.FindDevice("ipad")
	if err != nil {
		t.Fatal(err)
	}
	return dev.Holder
}
