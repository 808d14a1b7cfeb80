package clock

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
