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
	insEntry    = 0x06 // the cursor moves right, the display doesn't shift
	insOff      = 0x08
	insOn       = 0x0c // display on, no cursor
	insFunction = 0x28 // 4 bits, 2 lines, 5x8 dots
	insGlyph    = 0x40 // character generator address
	insCursor   = 0x80 // display data address
)

// Pauses. Where the data sheet has a longer figure for 3.3 V than for 5 V, it is
// that one. Clear and home get more, because some clones and OLED modules take
// up to 6.2 ms (Winstar).
const (
	pausePower  = 50 * time.Millisecond // 40 ms after 2.7 V
	pauseWake1  = 5 * time.Millisecond  // 4.1 ms after the first wake-up
	pauseWake2  = time.Millisecond      // 100 µs after the second and third
	pauseClear  = 10 * time.Millisecond
	pauseResync = 2 * time.Millisecond // home, without a clear
)

// op is one byte for the controller.
type op struct {
	data bool // for its memory, not an instruction
	b    byte
}

// wires carry bytes to an HD44780 in 4-bit mode. After each byte they wait the
// 37 µs that the controller is busy.
type wires interface {
	open() error
	Close()
	// nibble sends the high half of an instruction alone.
	nibble(n byte) error
	send([]op) error
	// counter reads the controller's address counter. errOneWay: R/W is not
	// wired.
	counter() (byte, error)
	String() string
}

// errOneWay means that nothing can be read from the display.
var errOneWay = errors.New("the display's R/W line is not wired")

// hd44780 is a display with that controller or one of its many clones.
//
// Where R/W is wired, the address counter is read back after every change. It
// has the right value only if the controller is alive, in 4-bit mode, and lost
// no half of a byte.
type hd44780 struct {
	size     Size
	wires    wires
	acks     bool // a chip on the way acknowledges what is sent
	readable bool // R/W is wired: the counter was once read back right
}

func (d *hd44780) Size() Size     { return d.size }
func (d *hd44780) String() string { return fmt.Sprintf("%s display on %s", d.size, d.wires) }
func (d *hd44780) Close()         { d.wires.Close() }

// start brings the controller from any state into 4-bit mode with a blank
// screen: "initializing by instruction", data sheet figure 24.
func (d *hd44780) start() error {
	if err := d.wires.open(); err != nil {
		return err
	}
	time.Sleep(pausePower)
	if err := d.wake(); err != nil {
		return err
	}
	for _, s := range []struct {
		ins   byte
		pause time.Duration
	}{
		{insFunction, 0}, {insOff, 0}, {insClear, pauseClear},
		{insHome, pauseClear}, // some clones don't reset the address on clear (Linux, hd44780_common.c)
		{insEntry, 0}, {insOn, 0},
	} {
		if err := d.wires.send([]op{{b: s.ins}}); err != nil {
			return err
		}
		time.Sleep(s.pause)
	}
	return d.prove()
}

// wake brings the controller into 4-bit mode. If it was waiting for the second
// half of a byte, it takes the first 3 for that half. Two more then make 0x33,
// which sets 8-bit mode, where every half counts as a byte, and the 2 sets 4-bit
// mode.
func (d *hd44780) wake() error {
	pause := pauseWake1
	for _, n := range []byte{3, 3, 3, 2} {
		if err := d.wires.nibble(n); err != nil {
			return err
		}
		time.Sleep(pause)
		pause = pauseWake2
	}
	return nil
}

// prove reads back two addresses. Until it has worked once, a failure only means
// that R/W may not be wired; after that, that the controller is not there.
func (d *hd44780) prove() error {
	for _, a := range []byte{0x45, 0x0a} {
		if err := d.wires.send([]op{{b: insCursor | a}}); err != nil {
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

// probe asks the controller for an address that it was given.
func (d *hd44780) probe() (answers bool, err error) {
	if err := d.prove(); err != nil {
		return false, err
	}
	return d.readable || d.acks, nil
}

// mode doesn't blank the screen. A controller that can be read is asked whether
// it is in step. Any other is brought into step blindly, which takes it through
// 8-bit mode with one line: the second line is dark for 8 ms.
func (d *hd44780) mode() error {
	if !d.readable {
		if err := d.wake(); err != nil {
			return err
		}
	}
	// Home also undoes a shift of the display by a garbled byte.
	if err := d.wires.send([]op{{b: insFunction}, {b: insEntry}, {b: insOn}, {b: insHome}}); err != nil {
		return err
	}
	time.Sleep(pauseResync)
	return d.prove()
}

// paint also reads back where it left the cursor.
func (d *hd44780) paint(letters []letter, old, now []byte) error {
	var ops []op
	data := func(bytes ...byte) {
		for _, b := range bytes {
			ops = append(ops, op{data: true, b: b})
		}
	}
	runs := changes(d.size, old, now, 1)
	for _, l := range letters {
		ops = append(ops, op{b: insGlyph | l.slot<<3})
		data(l.dots[:]...)
	}
	if len(letters) > 0 && len(runs) == 0 { // leave the letters' memory
		ops = append(ops, op{b: insCursor})
	}
	var end byte
	for _, r := range runs {
		at, i := d.size.address(r.row, r.col), r.row*d.size.Cols+r.col
		ops = append(ops, op{b: insCursor | at})
		data(now[i : i+r.n]...)
		end = afterLast(at + byte(r.n) - 1)
	}
	if len(ops) == 0 {
		return nil
	}
	if err := d.wires.send(ops); err != nil || !d.readable {
		return err
	}
	got, err := d.wires.counter()
	if err == nil && got != end {
		err = fmt.Errorf("%w: %s: the cursor is at 0x%02x, not at 0x%02x", ErrGarbled, d.wires, got, end)
	}
	return err
}

// afterLast is the address counter after a write at a: lines have 40 cells and
// follow each other in a circle (data sheet, figure 5).
func afterLast(a byte) byte {
	switch a {
	case 0x27:
		return 0x40
	case 0x67:
		return 0x00
	}
	return a + 1
}
