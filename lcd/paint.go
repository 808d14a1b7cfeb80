package lcd

import (
	"fmt"
	"time"
)

// Show writes the cells that changed.
func (d *hd44780) Show(f Frame) error {
	if !d.ready {
		return ErrClosed
	}
	codes, load := d.slots.codes(d.charset, f)
	return d.paint(codes, load)
}

// Refresh writes the mode and every cell again. Neither blanks the screen.
//
// A controller that can be read is asked whether it is in step. One that can't
// be, or couldn't until now, is brought into step blindly, for which it must go through 8-bit
// mode with one line: its second line is dark for 8 ms, half a picture.
func (d *hd44780) Refresh() error {
	if !d.ready {
		return ErrClosed
	}
	codes := d.shown
	d.ready, d.shown = false, nil
	if !d.readable {
		if err := d.wake(); err != nil {
			return err
		}
	}
	// The address home undoes a shift of the display by a garbled byte.
	if err := d.wires.send([]op{{b: insFunction}, {b: insEntry}, {b: insOn}, {b: insHome}}); err != nil {
		return err
	}
	time.Sleep(pauseResync)
	if err := d.prove(); err != nil {
		return err
	}
	d.ready = true
	return d.paint(codes, d.slots.loaded())
}

// paint loads letters, writes what differs from what is shown, and reads back
// where that left the cursor.
func (d *hd44780) paint(codes []byte, load []int) error {
	var ops []op
	runs := changes(d.size, d.shown, codes, 1)
	for _, slot := range load {
		ops = append(ops, op{b: insGlyph | byte(slot)<<3})
		bitmap, _ := Glyph(d.slots.letters[slot])
		for _, dots := range bitmap {
			ops = append(ops, op{data: true, b: dots})
		}
	}
	if len(load) > 0 && len(runs) == 0 { // out of the letters' memory again
		ops = append(ops, op{b: insCursor})
	}
	var end byte
	for _, r := range runs {
		at := d.size.address(r.row, r.col)
		ops = append(ops, op{b: insCursor | at})
		for i := range r.n {
			ops = append(ops, op{data: true, b: codes[r.row*d.size.Cols+r.col+i]})
		}
		end = afterLast(at + byte(r.n) - 1)
	}
	if len(ops) == 0 {
		return nil
	}
	d.ready, d.shown = false, nil
	if err := d.wires.send(ops); err != nil {
		return err
	}
	if d.readable {
		got, err := d.wires.counter()
		if err != nil {
			return err
		}
		if got != end {
			return fmt.Errorf("%w: %s: the cursor is at 0x%02x, not at 0x%02x", ErrGarbled, d.wires, got, end)
		}
	}
	d.ready, d.shown = true, codes
	return nil
}

// afterLast is where the address counter stands after a write at a: lines are
// 40 long and follow each other in a circle (data sheet, figure 5).
func afterLast(a byte) byte {
	switch a {
	case 0x27:
		return 0x40
	case 0x67:
		return 0x00
	}
	return a + 1
}

// Close leaves the display as it is.
func (d *hd44780) Close() error {
	return d.wires.close()
}
