package lcd

import (
	"errors"
	"fmt"
	"time"
)

// Instructions of the HD44780 (data sheet, table 6).
const (
	insClear    = 0x01 // 1.52 ms
	insHome     = 0x02 // 1.52 ms
	insEntry    = 0x06 // the cursor moves right, the display stands
	insOff      = 0x08
	insOn       = 0x0c // display on, no cursor
	insFunction = 0x28 // 4 bits, 2 lines, 5x8 dots
	insGlyph    = 0x40 // character generator address
	insCursor   = 0x80 // display data address
)

// Pauses. Where the data sheet has a figure for 5 V and a longer one for 3.3 V
// the longer is taken; clear and home are longer yet because some clones and
// OLED modules take up to 6.2 ms (Winstar).
const (
	pausePower  = 50 * time.Millisecond // 40 ms after 2.7 V
	pauseWake1  = 5 * time.Millisecond  // 4.1 ms after the first wake-up
	pauseWake2  = time.Millisecond      // 100 µs after the second and third
	pauseClear  = 10 * time.Millisecond
	pauseResync = 2 * time.Millisecond // home, when only resynchronising
)

// op is one byte for the controller.
type op struct {
	data bool // to the memory, not an instruction
	b    byte
}

// wires carries bytes to an HD44780 in 4-bit mode. Every byte keeps the
// controller busy for 37 µs; wires waits that out.
type wires interface {
	open() error
	close() error
	// nibble sends the high half of an instruction alone.
	nibble(n byte) error
	// send sends bytes.
	send([]op) error
	// counter reads the controller's address counter. errOneWay: R/W is not
	// wired.
	counter() (byte, error)
	// acks is whether something on the way acknowledges what is sent.
	acks() bool
	String() string
}

// errOneWay means that nothing can be read from the display.
var errOneWay = errors.New("the display's R/W line is not wired")

// hd44780 is a display with that controller or one of its many clones.
//
// Where R/W is wired the address counter is read back after every change. It
// is where the last letter should have put it exactly if the controller lives,
// is in 4-bit mode, and lost no half of a byte.
type hd44780 struct {
	size    Size
	charset *Charset
	wires   wires

	ready    bool
	shown    []byte // codes in the cells; nil: unknown
	slots    slots
	readable bool // R/W is wired: the counter was read back right once
}

func newHD44780(s Size, c *Charset, w wires) *hd44780 {
	return &hd44780{size: s, charset: c, wires: w}
}

// Size returns the display's size.
func (d *hd44780) Size() Size { return d.size }

// Charset returns what the ROM has, and eight letters of our own.
func (d *hd44780) Charset() *Charset { return d.charset }

// String says how the display is wired.
func (d *hd44780) String() string { return fmt.Sprintf("%s display on %s", d.size, d.wires) }

// Init brings the controller from any state into 4-bit mode with a blank
// screen: "initializing by instruction", data sheet figure 24.
func (d *hd44780) Init() error {
	d.ready, d.shown, d.slots = false, nil, slots{}
	if err := d.wires.open(); err != nil {
		return err
	}
	time.Sleep(pausePower)
	if err := d.wake(); err != nil {
		return err
	}
	steps := []struct {
		ins   byte
		pause time.Duration
	}{
		{insFunction, 0}, {insOff, 0}, {insClear, pauseClear},
		{insHome, pauseClear}, // some clones don't reset the address on clear (Linux, hd44780_common.c)
		{insEntry, 0}, {insOn, 0},
	}
	for _, s := range steps {
		if err := d.wires.send([]op{{b: s.ins}}); err != nil {
			return err
		}
		time.Sleep(s.pause)
	}
	if err := d.prove(); err != nil {
		return err
	}
	d.shown = make([]byte, d.size.cells())
	for i := range d.shown {
		d.shown[i] = ' '
	}
	d.ready = true
	return nil
}

// wake brings the controller into 4-bit mode. If it was waiting for the second
// half of a byte, the first 3 is that half; two more then make 0x33, which is
// 8-bit mode, where every single half counts, and the 2 goes to 4 bits.
func (d *hd44780) wake() error {
	for i, n := range []byte{3, 3, 3, 2} {
		if err := d.wires.nibble(n); err != nil {
			return err
		}
		if i == 0 {
			time.Sleep(pauseWake1)
		} else {
			time.Sleep(pauseWake2)
		}
	}
	return nil
}

// prove reads back two addresses. The first time it fails the line may not be
// wired; once it has worked, a failure means that the controller is not there.
func (d *hd44780) prove() error {
	for _, a := range []byte{0x45, 0x0a} {
		err := d.wires.send([]op{{b: insCursor | a}})
		if err != nil {
			return err
		}
		got, err := d.wires.counter()
		switch {
		case errors.Is(err, errOneWay):
			return nil
		case err != nil:
			return err
		case got != a && !d.readable:
			return nil
		case got != a:
			return fmt.Errorf("%w: %s: address 0x%02x reads back as 0x%02x", ErrGarbled, d.wires, a, got)
		}
	}
	d.readable = true
	return nil
}

// Probe asks the controller for an address that it was given.
func (d *hd44780) Probe() (Proof, error) {
	if !d.ready {
		return ProofNone, ErrClosed
	}
	if err := d.prove(); err != nil {
		return ProofNone, err
	}
	switch {
	case d.readable:
		return ProofController, nil
	case d.wires.acks():
		return ProofBus, nil
	}
	return ProofNone, nil
}
