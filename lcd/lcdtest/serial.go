package lcdtest

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"stump/lcd"
)

// Serial is a display at the end of a serial line. It speaks one of the
// dialects: sparkfun, openlcd, newhaven, matrix-orbital.
type Serial struct {
	mu      sync.Mutex
	size    lcd.Size
	width   int // of a row in the display's memory
	rom     *[256]rune
	baud    int
	machine func(*Serial, byte)

	cells    [128]byte // by HD44780 address
	glyphs   [8]lcd.Bitmap
	at       byte
	on       bool
	scrolls  bool   // the last cell scrolls the text
	pending  []byte // a command that is not whole yet
	settings []string
	faults   []string

	open       int   // the speed the port was opened with, 0 closed
	missing    error // the port is gone
	deaf       bool  // plugged out of the port: bytes are lost
	mute       bool  // nothing comes back
	stalled    chan struct{}
	reply      []byte
	transcript []byte
}

// NewSerial returns a display of a dialect, as it is out of the box.
func NewSerial(dialect string, s lcd.Size) *Serial {
	d := &Serial{size: s, width: s.Cols, rom: &romA00, baud: 9600, on: true}
	switch dialect {
	case "sparkfun":
		d.machine = (*Serial).sparkfun
	case "openlcd":
		d.machine, d.width = (*Serial).openLCD, 20
	case "newhaven":
		d.machine = (*Serial).newhaven
	case "matrix-orbital":
		d.machine, d.baud = (*Serial).matrixOrbital, 19200
	default:
		panic("no such dialect: " + dialect)
	}
	d.PowerOn()
	return d
}

// PowerOn is what a plug that went in does.
func (d *Serial) PowerOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.cells {
		d.cells[i] = ' '
	}
	d.glyphs = [8]lcd.Bitmap{}
	d.at, d.on, d.pending, d.scrolls = 0, true, nil, true
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

// Unplug takes the port away, as pulling a USB adapter does; nil brings it
// back.
func (d *Serial) Unplug(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missing = err
}

// Deafen pulls the display off the port, which goes on; false plugs it in
// again, freshly switched on.
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
			d.faults = append(d.faults, fmt.Sprintf("%d baud for a display at %d", d.open, d.baud))
			break
		}
		d.pending = append(d.pending, v)
		d.machine(d, v)
	}
	return len(b), nil
}

// Read returns what the display answered; nothing if it has not.
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

// SetReadTimeout is taken.
func (d *Serial) SetReadTimeout(time.Duration) error { return nil }

// Close closes the port.
func (d *Serial) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = 0
	return nil
}

// Sent returns how many bytes came over the line, and forgets them.
func (d *Serial) Sent() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.transcript
	d.transcript = nil
	return b
}

// Settings returns what was stored for good, which no driver may.
func (d *Serial) Settings() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.settings...)
}

// Faults returns what the display could make no sense of.
func (d *Serial) Faults() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.faults...)
}

// Rows returns what a person sees.
func (d *Serial) Rows() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := make([]string, d.size.Rows)
	for row := range rows {
		var b strings.Builder
		for col := range d.size.Cols {
			code := d.cells[d.address(row, col)]
			switch {
			case !d.on:
				b.WriteByte(' ')
			case code < 8:
				b.WriteRune(drawn(d.glyphs[code]))
			default:
				b.WriteRune(d.rom[code])
			}
		}
		rows[row] = b.String()
	}
	return rows
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
	d.cells[d.at&0x7f] = b
	d.at = (d.at + 1) & 0x7f
	d.pending = nil
}

func (d *Serial) set(format string, args ...any) {
	d.settings = append(d.settings, fmt.Sprintf(format, args...))
	d.pending = nil
}

func (d *Serial) unknown() {
	d.faults = append(d.faults, fmt.Sprintf("unknown command % x", d.pending))
	d.pending = nil
}
