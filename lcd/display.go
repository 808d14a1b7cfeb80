package lcd

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// Display shows frames. One goroutine calls its methods, except Close, which
// may be called at any time and makes a method that hangs return.
//
// A Display shows nothing before Init and after an error of Show, Refresh or
// Probe: what is on it is then unknown. The caller calls Init again, with
// growing pauses, until it succeeds, and then shows its frame.
type Display interface {
	// Size is the display's size in cells.
	Size() Size
	// Charset is what the display can show.
	Charset() *Charset
	// Init opens the display and blanks it, whatever its state, even after half
	// a byte. It takes 0.1 s, on a serial display up to 0.8 s, most of it the
	// pauses that data sheets ask for.
	Init() error
	// Show writes the cells that differ from the last frame. A letter that is
	// not in the Charset is shown as the nearest one that is.
	Show(Frame) error
	// Refresh writes the mode and every cell again, without a flicker. It
	// repairs a display that lost its mode or its letters unnoticed, by a spark
	// or a replugged plug.
	Refresh() error
	// Probe asks the display, or the chip that drives it, whether it is alive.
	// It changes nothing that is shown. Without an error, answers is false if
	// nothing on the way to the display can answer.
	Probe() (answers bool, err error)
	// Close closes the way to the display and leaves it as it is.
	Close()
	// String says which display it is, and where.
	String() string
}

// ErrClosed is returned by Show, Refresh and Probe before Init and after Close.
var ErrClosed = errors.New("display is not initialised")

// ErrGarbled means that the display's controller answers but did not understand
// what was sent: it lost its mode or half a byte. Init repairs it.
var ErrGarbled = errors.New("display is out of step")

// none is a display that shows nothing.
type none struct{ size Size }

// None returns a display that shows nothing.
func None(s Size) Display { return none{s} }

func (n none) Size() Size           { return n.size }
func (n none) Charset() *Charset    { return Unicode }
func (n none) Init() error          { return nil }
func (n none) Show(Frame) error     { return nil }
func (n none) Refresh() error       { return nil }
func (n none) Probe() (bool, error) { return false, nil }
func (n none) Close()               {}
func (n none) String() string       { return "no display, " + n.size.String() }

// driven is a display of cells, with the driver for its make.
type driven struct {
	driver
	charset *Charset
	shown   []byte // codes in the cells; nil: unknown, and Init is needed
	slots   slots
}

// driver is what makes of displays differ in.
type driver interface {
	Size() Size
	start() error // opens the way to the display and blanks it, as Display.Init
	mode() error  // sets the mode again, as Display.Refresh
	probe() (answers bool, err error)
	// paint loads letters and writes the cells in which now differs from old; old
	// nil: all.
	paint(letters []letter, old, now []byte) error
	Close()
	String() string
}

// letter is a drawing for the display's own memory.
type letter struct {
	slot byte
	dots Bitmap
}

// Charset implements Display.
func (d *driven) Charset() *Charset { return d.charset }

// Init implements Display.
func (d *driven) Init() error {
	d.shown = nil
	if err := d.start(); err != nil {
		return err
	}
	d.shown, d.slots = bytes.Repeat([]byte{' '}, d.Size().Cols*d.Size().Rows), slots{}
	return nil
}

// Show implements Display.
func (d *driven) Show(f Frame) error {
	if d.shown == nil {
		return ErrClosed
	}
	codes, load := d.slots.codes(d.charset, f)
	return d.repaint(d.shown, codes, load)
}

// Refresh implements Display.
func (d *driven) Refresh() error {
	codes := d.shown
	if codes == nil {
		return ErrClosed
	}
	d.shown = nil
	if err := d.mode(); err != nil {
		return err
	}
	return d.repaint(nil, codes, d.slots.loaded())
}

// Probe implements Display.
func (d *driven) Probe() (answers bool, err error) {
	if d.shown == nil {
		return false, ErrClosed
	}
	return d.probe()
}

// repaint paints codes over old, with the letters of the slots to be loaded.
func (d *driven) repaint(old, codes []byte, load []int) error {
	var letters []letter
	for _, slot := range load {
		dots, _ := Glyph(d.slots.letters[slot])
		letters = append(letters, letter{byte(slot), dots})
	}
	d.shown = nil
	if err := d.paint(letters, old, codes); err != nil {
		return err
	}
	d.shown = codes
	return nil
}

// link is the open way to a display. Close may come from any goroutine.
type link[T io.Closer] struct {
	mu   sync.Mutex
	open bool
	way  T
}

func (l *link[T]) set(way T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.way = true, way
}

func (l *link[T]) get() (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		return l.way, ErrClosed
	}
	return l.way, nil
}

// Close closes the way if it is open.
func (l *link[T]) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open {
		l.way.Close()
		l.open = false
	}
}
