package gpio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHint: an error keeps its errno, and has a remedy where there is one.
func TestHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // part of the hint; "": none
	}{
		{syscall.EACCES, "udev rule"},
		{syscall.EPERM, "udev rule"},
		{fs.ErrNotExist, "At boot it may still come"},
		{syscall.ENOENT, "At boot it may still come"},
		{syscall.EBUSY, "stop it"},
		{syscall.ENODEV, "used again when it returns"},
		{syscall.EINVAL, "Linux 5.10"},
		{syscall.ENOTTY, "not a GPIO chip"},
		{syscall.ENOMEM, ""},
		{ErrClosed, ""},
		{errors.New("something else"), ""},
		{nil, ""},
	} {
		for _, err := range []error{c.err, fmt.Errorf("while reading: %w", c.err), fail("request", "GPIO17", c.err)} {
			if c.err == nil && err != nil {
				continue
			}
			if got := Hint(err); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("%v: %q, want %q", err, got, c.want)
			}
			if !errors.Is(err, c.err) {
				t.Errorf("%v has lost %v", err, c.err)
			}
		}
	}
	err := fail("open", "/dev/gpiochip9", syscall.ENOENT)
	if err.Error() != "gpio: open /dev/gpiochip9: no such file or directory" || err.Hint() != Hint(syscall.ENOENT) {
		t.Errorf("%v; %s", err, err.Hint())
	}
	own := &lineError{"request", "GPIO17", syscall.EBUSY, "ask the holder"}
	if got := Hint(fmt.Errorf("twice: %w", own)); got != "ask the holder" {
		t.Error(got)
	}
}

// TestOpenWithoutChip are failures that need no chip: each says which file or
// line, and nothing is left open.
func TestOpenWithoutChip(t *testing.T) {
	before := descriptors(t)
	missing := filepath.Join(t.TempDir(), "gpiochip0")
	none, null := Line{Chip: missing}, Line{Chip: os.DevNull}
	open := func(data0, data1 Line) error {
		_, err := Open(Request{Data0: data0, Data1: data1})
		return err
	}
	_, output := OpenOutput(OutputRequest{Line: null})
	_, listen := ListenLines([]Line{none, null})
	_, nothing := ListenLines(nil)
	_, chip := OpenChip(os.DevNull)
	_, noChip := OpenChip(missing)
	for _, c := range []struct {
		name  string
		err   error
		errno syscall.Errno
		text  string
	}{
		{"one line twice", open(null, null), 0, "both are the same line"},
		{"no chip", open(none, Line{Chip: missing, Offset: 1}), syscall.ENOENT, "gpio: open " + missing},
		{"not a chip", open(null, Line{Chip: os.DevNull, Offset: 1}), syscall.ENOTTY, "gpio: request /dev/null line 0, /dev/null line 1"},
		{"two chips, neither is one", open(null, none), syscall.ENOTTY, "gpio: request /dev/null line 0: "},
		{"output", output, syscall.ENOTTY, "gpio: request /dev/null line 0: "},
		{"listen", listen, syscall.ENOENT, "gpio: listen: gpio: open " + missing},
		{"listen to nothing", nothing, 0, "no free lines are known"},
		{"chip", chip, syscall.ENOTTY, "/dev/null is not a GPIO chip"},
		{"no such chip", noChip, syscall.ENOENT, "open " + missing},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%s: %v, want %s", c.name, c.err, c.text)
		}
		if c.errno != 0 && !errors.Is(c.err, c.errno) {
			t.Errorf("%s: %v has lost its errno", c.name, c.err)
		}
	}
	if !errors.Is(listen, syscall.ENOTTY) {
		t.Errorf("listen: %v says nothing of the second line", listen)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d file descriptors, then %d", before, after)
	}
}

// descriptors is how many file descriptors this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestBusyHint: the usual holders are known by what they call themselves.
func TestBusyHint(t *testing.T) {
	for consumer, want := range map[string]string{
		"stump": "another stump is running", "stump listens": "another stump is running",
		"P9_12 (gpio1_28)": "enable_uboot_cape_universal", "P8_7": "enable_uboot_cape_universal",
		"w1": "1-Wire", "onewire@0": "1-Wire", "sysfs": "unexport it",
		"snd-pwm": "another program, or the kernel", "": "another program, or the kernel",
	} {
		if got := busyHint(consumer); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", consumer, got, want)
		}
	}
}

// TestHoldsLine reads what the kernel writes of a file descriptor.
func TestHoldsLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "7")
	const fdinfo = "pos:\t0\nflags:\t02000002\ngpio-chip:\tgpiochip0\ngpio-line:\t17\ngpio-line:\t1\n"
	if err := os.WriteFile(file, []byte(fdinfo), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		chip   string
		offset int
		want   bool
	}{{"gpiochip0", 17, true}, {"gpiochip0", 1, true}, {"gpiochip0", 7, false}, {"gpiochip1", 17, false}} {
		if got := holdsLine(file, c.chip, c.offset); got != c.want {
			t.Errorf("%s line %d: %v", c.chip, c.offset, got)
		}
	}
	if holdsLine(file+"0", "gpiochip0", 17) {
		t.Error("a file that is gone holds a line")
	}
	if got := holder("no such chip", 1, ""); got != "a holder without a name" {
		t.Error(got)
	}
	if got := holder("no such chip", 1, "snd-pwm"); got != `"snd-pwm"` {
		t.Error(got)
	}
}
