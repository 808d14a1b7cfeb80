package clock

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
)

func TestTrust(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "synchronized")
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ok, why, err := trust(mark); !ok || why != "set by systemd-timesyncd" || err != nil {
		t.Errorf("timesyncd has set it: %v, %q, %v", ok, why, err)
	}
	var kernel syscall.Timex
	if _, err := syscall.Adjtimex(&kernel); err != nil {
		t.Fatal(err)
	}
	ok, why, err := trust(mark + ".missing")
	if ok != (kernel.Maxerror < 16_000_000) || !strings.HasPrefix(why, "the kernel estimates an error of up to ") || err != nil {
		t.Errorf("the kernel says up to %d µs: %v, %q, %v", kernel.Maxerror, ok, why, err)
	}
}

func TestNow(t *testing.T) {
	first, second := Now(), Now()
	if first.Mono == 0 || second.Mono < first.Mono || first.BootID != second.BootID || first.Wall.IsZero() {
		t.Errorf("%+v, then %+v", first, second)
	}
}

// TestOwnClock: a good clock of the board's own needs no network, and is not believed
// when it has lost the time.
func TestOwnClock(t *testing.T) {
	if s := (Source{RTC: true}).Now(); !s.Trusted || s.Mono == 0 || s.Wall.IsZero() {
		t.Errorf("%+v, want it trusted", s)
	}
	for wall, want := range map[time.Time]bool{
		time.Unix(0, 0): false, time.Date(2000, 1, 1, 0, 5, 0, 0, time.UTC): false,
		made.Add(-time.Second): false, made: true, time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC): true,
	} {
		if ok, why, err := ownClock(wall); ok != want || why == "" || err != nil {
			t.Errorf("%v: %v, %q, %v", wall, ok, why, err)
		}
	}
}

// TestSimulated: tests may take the place of the machine's clocks.
func TestSimulated(t *testing.T) {
	want := checkout.Stamp{Wall: time.Unix(7, 0), Mono: 3}
	Simulated = func() checkout.Stamp { return want }
	defer func() { Simulated = nil }()
	if got := (Source{RTC: true}).Now(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if (Source{RTC: true}).Trusted() {
		t.Error("the simulated clock is not right")
	}
	if want.Trusted = true; !(Source{}).Trusted() {
		t.Error("the simulated clock is right")
	}
}
