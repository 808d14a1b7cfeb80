package lcd

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"go.bug.st/serial"
)

// Port is a serial line.
type Port interface {
	io.ReadWriteCloser
	// SetReadTimeout makes Read return nothing after a time without a byte.
	SetReadTimeout(time.Duration) error
}

// serialDisplay is a display at the end of a serial line. The line is one-way:
// that a write went through says only that the port is there.
type serialDisplay struct {
	size    Size
	charset *Charset
	dialect *dialect
	path    string
	baud    int
	dial    func(path string, baud int) (Port, error)

	mu       sync.Mutex // guards port: Close may come from elsewhere
	port     Port
	patience patience

	shown   []byte // codes in the cells; nil: unknown
	slots   slots
	answers bool // it once answered when asked
}

// Size returns the display's size.
func (d *serialDisplay) Size() Size { return d.size }

// Charset returns the ROM's letters less those that the dialect can't send.
func (d *serialDisplay) Charset() *Charset { return d.charset }

// String says which display, and where.
func (d *serialDisplay) String() string {
	return fmt.Sprintf("%s display %s on %s at %d baud", d.dialect.name, d.size, d.path, d.baud)
}

// Init opens the port and blanks the display.
func (d *serialDisplay) Init() error {
	d.Close()
	d.shown, d.slots = nil, slots{}
	port, err := d.dial(d.path, d.baud)
	if err != nil {
		return fmt.Errorf("display port %s: %w", d.path, err)
	}
	d.mu.Lock()
	d.port = port
	d.mu.Unlock()
	for _, step := range []struct {
		bytes []byte
		pause time.Duration
	}{{d.dialect.sync, d.dialect.splash}, {d.dialect.mode, 0}, {d.dialect.clear, clearTime}} {
		if err := d.write(step.bytes); err != nil {
			return err
		}
		time.Sleep(step.pause + d.airtime(len(step.bytes)))
	}
	d.shown = make([]byte, d.size.cells())
	for i := range d.shown {
		d.shown[i] = ' '
	}
	if d.dialect.ask == nil {
		return nil
	}
	_, err = d.Probe()
	return err
}

// airtime is how long bytes take on the line, ten bits each.
func (d *serialDisplay) airtime(n int) time.Duration {
	return time.Duration(n*10) * time.Second / time.Duration(d.baud)
}

// answerTime is what a display gets to answer in.
const answerTime = 200 * time.Millisecond

// Probe asks the display what it is. A display that never answered may have
// no wire back; one that did and doesn't now is gone.
func (d *serialDisplay) Probe() (Proof, error) {
	if d.shown == nil {
		return ProofNone, ErrClosed
	}
	if d.dialect.ask == nil {
		return ProofNone, nil
	}
	d.mu.Lock()
	port := d.port
	d.mu.Unlock()
	if port == nil {
		return ProofNone, ErrClosed
	}
	if err := port.SetReadTimeout(answerTime); err != nil {
		return ProofNone, fmt.Errorf("display port %s: %w", d.path, err)
	}
	if err := d.write(d.dialect.ask); err != nil {
		return ProofNone, err
	}
	var reply [16]byte
	n, err := port.Read(reply[:])
	switch {
	case err != nil:
		return ProofNone, fmt.Errorf("display port %s: %w", d.path, err)
	case n > 0:
		d.answers = true
		return ProofController, nil
	case d.answers:
		return ProofNone, fmt.Errorf("display port %s: no answer within %v", d.path, answerTime)
	}
	return ProofNone, nil
}

// Show writes the cells that changed.
func (d *serialDisplay) Show(f Frame) error {
	if d.shown == nil {
		return ErrClosed
	}
	codes, load := d.slots.codes(d.charset, f)
	return d.paint(codes, load)
}

// Refresh writes the mode and every cell again: if the display was unplugged
// and is back, this is how its letters come back.
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

// write sends bytes.
func (d *serialDisplay) write(b []byte) error {
	d.mu.Lock()
	port := d.port
	d.mu.Unlock()
	switch {
	case port == nil:
		return ErrClosed
	case len(b) == 0:
		return nil
	}
	err := d.patience.write(port, b, stall+d.airtime(len(b)), func() {
		if p, ok := port.(interface{ ResetOutputBuffer() error }); ok {
			p.ResetOutputBuffer() // makes room, so that the write ends after all
		}
	})
	if err != nil {
		return fmt.Errorf("display port %s: %w", d.path, err)
	}
	return nil
}

// Close closes the port.
func (d *serialDisplay) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.port == nil {
		return nil
	}
	err := d.port.Close()
	d.port = nil
	return err
}

// openPort opens a serial port, 8 bits, no parity, 1 stop bit, raw.
func openPort(path string, baud int) (Port, error) {
	p, err := serial.Open(path, &serial.Mode{BaudRate: baud})
	if err != nil {
		return nil, err
	}
	return p, nil
}
