package lcdtest

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"stump/lcd"
)

// Backpack is an I2C bus with one chip, a PCF8574 that drives a Controller.
type Backpack struct {
	*Controller
	Addr uint16
	Map  lcd.PortMap
	// Grounded is whether the display's R/W is tied to ground, whatever Map has.
	Grounded bool
	// Hertz is the bus clock; 0: transfers take no time.
	Hertz int

	mu      lock
	open    bool
	missing error // of every transfer
	port    byte
	bits    int // clock cycles on the bus
	inPart  int // after so many bytes a transfer fails; 0: never
}

// lock is a mutex for transfers, which sleep while they hold it: unlike waiting
// for a sync.Mutex, waiting for it lets synctest's clock advance.
type lock chan struct{}

func (l lock) Lock()   { l <- struct{}{} }
func (l lock) Unlock() { <-l }

// NewBackpack returns a display at address 0x27 on a bus of 100 kHz, with the
// common wiring.
func NewBackpack(c *Controller) *Backpack {
	return &Backpack{Controller: c, Addr: 0x27, Map: lcd.MapCommon, Hertz: 100_000, port: 0xff, mu: make(lock, 1)}
}

// Open opens the bus, for lcd.Config.OpenBus.
func (b *Backpack) Open(string) (i2c.BusCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.missing, os.ErrNotExist) {
		return nil, b.missing
	}
	b.open = true
	return bus{b}, nil
}

// Unplug makes every transfer fail with err; nil is the errno of a chip that
// doesn't answer. os.ErrNotExist removes the bus too.
func (b *Backpack) Unplug(err error) {
	if err == nil {
		err = unix.EREMOTEIO
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missing = err
}

// Plug plugs the display in again.
func (b *Backpack) Plug() {
	b.PowerOn()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missing, b.port = nil, 0xff
}

// BreakAfter makes the next transfer fail after n bytes.
func (b *Backpack) BreakAfter(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inPart = n
}

// Bus returns the time that the transfers so far take at 100 kHz: start, nine
// bits for the address and for each byte, stop.
func (b *Backpack) Bus() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Duration(b.bits) * time.Second / 100_000
}

// bus is the bus as a driver sees it.
type bus struct{ b *Backpack }

// Tx is one transfer.
func (u bus) Tx(addr uint16, w, r []byte) error {
	b := u.b
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return os.ErrClosed
	case b.missing != nil:
		b.clock(11)
		return b.missing
	case addr != b.Addr:
		b.clock(11)
		return unix.EREMOTEIO
	}
	if len(w) > 0 {
		b.clock(10)
		for i, v := range w {
			if b.inPart > 0 && i == b.inPart {
				b.inPart = 0
				return unix.EREMOTEIO
			}
			b.clock(9)
			b.set(v)
		}
	}
	if len(r) > 0 {
		b.clock(10)
		for i := range r {
			b.clock(9)
			r[i] = b.get()
		}
	}
	b.clock(1)
	return nil
}

func (b *Backpack) clock(bits int) {
	b.bits += bits
	if b.Hertz > 0 {
		time.Sleep(time.Duration(bits) * time.Second / time.Duration(b.Hertz))
	}
}

// set puts a byte on the outputs.
func (b *Backpack) set(v byte) {
	b.port = v
	b.Lines(b.lines())
}

// lines is how the outputs reach the display.
func (b *Backpack) lines() (rs, rw, e bool, data byte) {
	bit := func(n int) bool { return n >= 0 && b.port>>n&1 != 0 }
	for i, n := range b.Map.Data {
		if bit(n) {
			data |= 1 << i
		}
	}
	return bit(b.Map.RS), bit(b.Map.RW) && !b.Grounded, bit(b.Map.E), data
}

// get reads the pins. An output that is high is weak: it reads low if the display
// pulls it down.
func (b *Backpack) get() byte {
	v := b.port
	out, driven := b.Lines(b.lines())
	if !driven {
		return v
	}
	for i, n := range b.Map.Data {
		if out>>i&1 == 0 {
			v &^= 1 << n
		}
	}
	return v
}

// Light is whether the backlight is on.
func (b *Backpack) Light() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Map.Light >= 0 && b.port>>b.Map.Light&1 != 0 != b.Map.LightLow
}

// SetSpeed is not supported.
func (u bus) SetSpeed(physic.Frequency) error { return unix.EOPNOTSUPP }

// Close closes the bus.
func (u bus) Close() error {
	u.b.mu.Lock()
	defer u.b.mu.Unlock()
	u.b.open = false
	return nil
}

// String names the bus.
func (u bus) String() string { return "model bus" }
