package lcd

import (
	"fmt"
	"io"
	"slices"
	"time"

	"go.bug.st/serial"
)

// Port is a serial line.
type Port interface {
	io.ReadWriteCloser
	// SetReadTimeout makes Read return 0 bytes after a time without any.
	SetReadTimeout(time.Duration) error
}

// serialDisplay is a display at the end of a serial line. On a one-way line a
// write that succeeds proves only that the port is there.
type serialDisplay struct {
	screen
	link[Port]
	dialect  *dialect
	path     string
	baud     int
	dial     func(path string, baud int) (Port, error)
	patience patience
	answers  bool // it once answered when asked
}

// String says which display it is, and where.
func (d *serialDisplay) String() string {
	return fmt.Sprintf("%s display %s on %s at %d baud", d.dialect.name, d.size, d.path, d.baud)
}

func (d *serialDisplay) fail(err error) error { return fmt.Errorf("display port %s: %w", d.path, err) }

// Init opens the port and blanks the display.
func (d *serialDisplay) Init() error {
	d.Close()
	d.shown = nil
	port, err := d.dial(d.path, d.baud)
	if err != nil {
		return d.fail(err)
	}
	d.set(port)
	for _, step := range []struct {
		bytes []byte
		pause time.Duration
	}{{d.dialect.sync, d.dialect.splash}, {d.dialect.mode, 0}, {d.dialect.clear, clearTime}} {
		if err := d.write(step.bytes); err != nil {
			return err
		}
		time.Sleep(step.pause + d.airtime(len(step.bytes)))
	}
	d.blank()
	_, err = d.Probe()
	return err
}

// airtime is how long bytes take on the line, ten bits each.
func (d *serialDisplay) airtime(n int) time.Duration {
	return time.Duration(n*10) * time.Second / time.Duration(d.baud)
}

// answerTime is how long a display may take to answer.
const answerTime = 200 * time.Millisecond

// Probe asks the display what it is. A display that has never answered may have
// no wire back; one that has, and doesn't now, is gone.
func (d *serialDisplay) Probe() (answers bool, err error) {
	if d.shown == nil {
		return false, ErrClosed
	}
	if d.dialect.ask == nil {
		return false, nil
	}
	port, err := d.get()
	if err != nil {
		return false, err
	}
	if err := port.SetReadTimeout(answerTime); err != nil {
		return false, d.fail(err)
	}
	if err := d.write(d.dialect.ask); err != nil {
		return false, err
	}
	var reply [16]byte
	n, err := port.Read(reply[:])
	switch {
	case err != nil:
		return false, d.fail(err)
	case n == 0 && d.answers:
		return false, d.fail(fmt.Errorf("no answer within %v", answerTime))
	}
	d.answers = n > 0
	return d.answers, nil
}

// Show writes the cells that changed.
func (d *serialDisplay) Show(f Frame) error { return d.show(f, d.paint) }

// Refresh writes the mode and every cell again. A display that was unplugged
// while its port stayed gets its text back by it.
func (d *serialDisplay) Refresh() error {
	if d.shown == nil {
		return ErrClosed
	}
	if d.answers {
		if _, err := d.Probe(); err != nil {
			return err
		}
	}
	codes := d.shown
	d.shown = nil
	if err := d.write(d.dialect.mode); err != nil {
		return err
	}
	return d.paint(codes, d.slots.loaded())
}

// paint loads letters and writes what differs from what is shown.
func (d *serialDisplay) paint(codes []byte, load []int) error {
	var out []byte
	for _, slot := range load {
		bitmap, _ := Glyph(d.slots.letters[slot])
		out = append(out, d.dialect.glyph(byte(slot), bitmap)...)
	}
	gap := len(d.dialect.cursor(d.size, 0, 0))
	for _, r := range changes(d.size, d.shown, codes, gap) {
		for slices.Contains(d.dialect.avoid, d.size.address(r.row, r.col)) {
			r.col, r.n = r.col-1, r.n+1
		}
		i := r.row*d.size.Cols + r.col
		out = append(out, d.dialect.cursor(d.size, r.row, r.col)...)
		out = append(out, codes[i:i+r.n]...)
	}
	d.shown = nil
	if err := d.write(out); err != nil {
		return err
	}
	d.shown = codes
	return nil
}

func (d *serialDisplay) write(b []byte) error {
	port, err := d.get()
	if err != nil || len(b) == 0 {
		return err
	}
	err = d.patience.write(port, b, stall+d.airtime(len(b)), func() {
		if p, ok := port.(interface{ ResetOutputBuffer() error }); ok {
			p.ResetOutputBuffer() // makes room, so that the write ends after all
		}
	})
	if err != nil {
		return d.fail(err)
	}
	return nil
}

// openPort opens a serial port, 8 bits, no parity, 1 stop bit, raw.
func openPort(path string, baud int) (Port, error) {
	return serial.Open(path, &serial.Mode{BaudRate: baud})
}
