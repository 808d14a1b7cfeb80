package lcdtest

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"stump/lcd"
)

// Serial is a display at the end of a serial line. It speaks one of the
// dialects: sparkfun, openlcd, newhaven, matrix-orbital.
type Serial struct {
	mu    sync.Mutex
	size  lcd.Size
	width int // of a row in the display's memory
	rom   *[256]rune
	baud  int
	take  func(pending []byte) (more bool) // takes a command, if it has all of it

	cells    [128]byte // by HD44780 address
	glyphs   [8]lcd.Bitmap
	at       byte
	on       bool
	scrolls  bool   // the last cell scrolls the text
	pending  []byte // a command that is not complete yet
	settings []string
	faults   []string

	open       int   // the speed that the port was opened with; 0: closed
	missing    error // the port is gone
	deaf       bool  // not in the port: bytes are lost
	mute       bool  // no wire back
	stalled    chan struct{}
	reply      []byte
	transcript []byte
}

// NewSerial returns a display with factory settings.
func NewSerial(dialect string, s lcd.Size) *Serial {
	d := &Serial{size: s, width: s.Cols, rom: &romA00, baud: 9600, on: true}
	switch dialect {
	case "sparkfun":
		d.take = func(p []byte) bool { return d.sparkFun(p, false) }
	case "openlcd":
		d.take, d.width = func(p []byte) bool { return d.sparkFun(p, true) }, 20
	case "newhaven":
		d.take = func(p []byte) bool { return d.command(p, newhaven) }
	case "matrix-orbital":
		d.take, d.baud = func(p []byte) bool { return d.command(p, matrixOrbital) }, 19200
	default:
		panic("no such dialect: " + dialect)
	}
	d.PowerOn()
	return d
}

// PowerOn is what plugging the display in does.
func (d *Serial) PowerOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
	d.glyphs = [8]lcd.Bitmap{}
	d.on, d.pending, d.scrolls = true, nil, d.baud == 19200
}

// Open opens the port, for lcd.Config.OpenPort.
func (d *Serial) Open(_ string, baud int) (lcd.Port, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.missing != nil {
		return nil, d.missing
	}
	d.open = baud
	return d, nil
}

// Unplug removes the port, as pulling a USB adapter does; nil brings it back.
func (d *Serial) Unplug(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missing = err
}

// Deafen takes the display out of the port, which stays; false plugs it in again.
func (d *Serial) Deafen(deaf bool) {
	if !deaf {
		d.PowerOn()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deaf = deaf
}

// Mute cuts the wire back.
func (d *Serial) Mute() { d.mu.Lock(); d.mute = true; d.mu.Unlock() }

// Stall makes writes hang until the returned function is called.
func (d *Serial) Stall() (resume func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	d.stalled = c
	return sync.OnceFunc(func() {
		d.mu.Lock()
		d.stalled = nil
		d.mu.Unlock()
		close(c)
	})
}

// Write takes bytes from the line.
func (d *Serial) Write(b []byte) (int, error) {
	d.mu.Lock()
	stalled := d.stalled
	d.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.missing != nil:
		return 0, d.missing
	case d.open == 0:
		return 0, os.ErrClosed
	}
	d.transcript = append(d.transcript, b...)
	if d.deaf {
		return len(b), nil
	}
	for _, v := range b {
		if d.open != d.baud {
			d.fault("%d baud for a display at %d", d.open, d.baud)
			break
		}
		if d.pending = append(d.pending, v); !d.take(d.pending) {
			d.pending = nil
		}
	}
	return len(b), nil
}

// Read returns what the display answered, if anything.
func (d *Serial) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.missing != nil:
		return 0, d.missing
	case d.open == 0:
		return 0, io.ErrClosedPipe
	case d.mute, d.deaf:
		d.reply = nil
	}
	n := copy(b, d.reply)
	d.reply = d.reply[n:]
	return n, nil
}

// SetReadTimeout has no effect: Read never waits.
func (d *Serial) SetReadTimeout(time.Duration) error { return nil }

// ResetOutputBuffer has no effect: Write holds nothing back.
func (d *Serial) ResetOutputBuffer() error { return nil }

// Close closes the port.
func (d *Serial) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = 0
	return nil
}

// Sent returns the bytes that came over the line since the last call.
func (d *Serial) Sent() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.transcript
	d.transcript = nil
	return b
}

// Settings returns what was stored for good. No driver may store anything.
func (d *Serial) Settings() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.settings)
}

// Faults returns what the display didn't understand.
func (d *Serial) Faults() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.faults)
}

// Rows returns what a person sees.
func (d *Serial) Rows() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return rows(d.size, func(row, col int) rune {
		code := d.cells[d.address(row, col)]
		switch {
		case !d.on:
			return ' '
		case code < 8:
			return drawn(d.glyphs[code])
		}
		return d.rom[code]
	})
}

// String returns the rows as "Ann / iPad Mini".
func (d *Serial) String() string { return join(d.Rows()) }

func (d *Serial) address(row, col int) byte {
	return byte([]int{0, 0x40, d.width, 0x40 + d.width}[row] + col)
}

func (d *Serial) clear() {
	for i := range d.cells {
		d.cells[i] = ' '
	}
	d.at = 0
}

// letter shows a byte at the cursor.
func (d *Serial) letter(b byte) {
	if d.scrolls && d.at == d.address(d.size.Rows-1, d.size.Cols-1) {
		d.fault("the text scrolled")
	}
	d.cells[d.at&0x7f] = b
	d.at = (d.at + 1) & 0x7f
}

func (d *Serial) set(format string, args ...any) {
	d.settings = append(d.settings, fmt.Sprintf(format, args...))
}

func (d *Serial) fault(format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

func (d *Serial) unknown() { d.fault("unknown command % x", d.pending) }
