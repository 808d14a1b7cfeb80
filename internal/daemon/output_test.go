package daemon

import (
	"errors"
	"syscall"
	"testing"

	"stump/gpio"
)

// fakeLine is an output line that may fail.
type fakeLine struct {
	on     bool
	closed bool
	err    error
}

func (f *fakeLine) Set(on bool) error { f.on = on; return f.err }
func (f *fakeLine) Close() error      { f.closed = true; return nil }
func (f *fakeLine) String() string    { return "GPIO22" }

func TestOutputComesBack(t *testing.T) {
	var lines []*fakeLine
	missing := true
	o := &output{name: "GPIO22", open: func() (gpio.Output, error) {
		if missing {
			return nil, syscall.ENOENT
		}
		lines = append(lines, &fakeLine{})
		return lines[len(lines)-1], nil
	}}
	if err := o.Set(true); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("err = %v, want that the line is not there", err)
	}
	missing = false // udev has come
	if err := o.Set(true); err != nil || !lines[0].on {
		t.Fatalf("err = %v, on = %v", err, lines[0].on)
	}
	lines[0].err = syscall.ENODEV // the chip is pulled out
	if err := o.Set(false); !errors.Is(err, syscall.ENODEV) || !lines[0].closed {
		t.Errorf("err = %v, closed = %v", err, lines[0].closed)
	}
	if err := o.Set(true); err != nil || len(lines) != 2 || !lines[1].on {
		t.Errorf("err = %v after the chip came back, lines taken: %d", err, len(lines))
	}
	if err := o.Close(); err != nil || !lines[1].closed {
		t.Errorf("err = %v, closed = %v", err, lines[1].closed)
	}
}
