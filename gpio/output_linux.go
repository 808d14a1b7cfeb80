package gpio

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// OutputLine is an Output on a real line.
//
// It is off from the moment it is acquired (the request carries the level, so
// that there is no flash) until Set(true), and off again when it is closed. When
// the process ends in another way the kernel releases the line, and the pin does
// what its driver likes: Raspberry Pi OS keeps the level until the next start
// turns it off (raspberrypi/linux#6150); mainline kernels, and Raspberry Pi OS
// with dtparam=strict_gpiod, make it an input, and the pin's pull decides. So
// choose a pin whose reset pull is the off level: that is also what the reader
// sees from power-on until the daemon runs.
type OutputLine struct {
	line Line

	mu sync.Mutex
	fd int // -1 when closed
}

// OpenOutput acquires an output line and turns it off. Errors are as from Open.
func OpenOutput(req OutputRequest) (*OutputLine, error) {
	flags := uint64(flagOutput)
	if req.ActiveLow {
		flags |= flagActiveLow
	}
	if req.OpenDrain {
		flags |= flagOpenDrain
	}
	k := unix.GPIOV2LineRequest{Config: unix.GPIOV2LineConfig{Flags: flags, Num_attrs: 1}}
	// The values are logical: 0 is off, whatever level that is.
	k.Config.Attrs[0].Attr.Id = unix.GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES
	k.Config.Attrs[0].Mask = 1
	fd, err := acquireOn([]Line{req.Line}, req.Consumer, &k)
	if err != nil {
		return nil, err
	}
	return &OutputLine{line: req.Line, fd: fd}, nil
}

// Set is Output's.
func (o *OutputLine) Set(on bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.set(on)
}

func (o *OutputLine) set(on bool) error {
	if o.fd < 0 {
		return ErrClosed
	}
	var bits uint64
	if on {
		bits = 1
	}
	if err := setValues(o.fd, 1, bits); err != nil {
		return fmt.Errorf("gpio: set %s: %w", o.line, err)
	}
	return nil
}

// Close is Output's.
func (o *OutputLine) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.set(false)
	if o.fd >= 0 {
		_ = unix.Close(o.fd)
		o.fd = -1
	}
	return err
}

// String is Output's.
func (o *OutputLine) String() string { return o.line.String() }
