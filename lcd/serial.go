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
	// ResetOutputBuffer drops what was not sent yet.
	ResetOutputBuffer() error
}

// serialDisplay is a display at the end of a serial line. On a one-way line a
// write that succeeds proves only that the port is there.
type serialDisplay struct {
	link[Port]
	size     Size
	dialect  *dialect
	path     string
	baud     int
	dial     func(path string, baud int) (Port, error)
	patience patience
	answers  bool // it once answered when asked
}

func (d *serialDisplay) Size() Size { return d.size }

func (d *serialDisplay) String() string {
	return fmt.Sprintf("%s display %s on %s at %d baud", d.dialect.name, d.size, d.path, d.baud)
}

func (d *serialDisplay) fail(err error) error { return fmt.Errorf("display port %s: %w", d.path, err) }

func (d *serialDisplay) start() error {
	d.Close()
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
	_, err = d.probe()
	return err
}

// airtime is how long bytes take on the line, ten bits each.
func (d *serialDisplay) airtime(n int) time.Duration {
	return time.Duration(n*10) * time.Second / time.Duration(d.baud)
}

// answerTime is how long a display may take to answer.
const answerTime = 200 * time.Millisecond

// probe asks the display what it is. A display that has never answered may have
// no wire back; one that has, and doesn't now, is gone.
func (d *serialDisplay) probe() (answers bool, err error) {
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

// mode gives a display that was unplugged while its port stayed its text back.
func (d *serialDisplay) mode() error {
	if d.answers {
		if _, err := d.probe(); err != nil {
			return err
		}
	}
	return d.write(d.dialect.mode)
}

func (d *serialDisplay) paint(letters []letter, old, now []byte) error {
	var out []byte
	for _, l := range letters {
		out = append(out, d.dialect.glyph(l.slot, l.dots)...)
	}
	gap := len(d.dialect.cursor(d.size, 0, 0))
	for _, r := range changes(d.size, old, now, gap) {
		for slices.Contains(d.dialect.avoid, d.size.address(r.row, r.col)) {
			r.col, r.n = r.col-1, r.n+1
		}
		i := r.row*d.size.Cols + r.col
		out = append(out, d.dialect.cursor(d.size, r.row, r.col)...)
		out = append(out, now[i:i+r.n]...)
	}
	return d.write(out)
}

func (d *serialDisplay) write(b []byte) error {
	port, err := d.get()
	if err != nil || len(b) == 0 {
		return err
	}
	// Dropping what waits makes room, so that a write that hangs ends after all.
	drop := func() { port.ResetOutputBuffer() }
	if err := d.patience.write(port, b, stall+d.airtime(len(b)), drop); err != nil {
		return d.fail(err)
	}
	return nil
}

// openPort opens a serial port, 8 bits, no parity, 1 stop bit, raw.
func openPort(path string, baud int) (Port, error) {
	return serial.Open(path, &serial.Mode{BaudRate: baud})
}
