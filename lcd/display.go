package lcd

import (
	"errors"
)

// Display shows frames. Its methods are called by one goroutine, except Close,
// which may be called at any time and makes a method that hangs return.
//
// A Display that was opened or has failed shows nothing until Init. Any error
// of Show or Refresh means that what the display shows is unknown: the caller
// calls Init, again and again with growing pauses, until it works, and then
// shows its frame.
type Display interface {
	// Size is the display's size in cells.
	Size() Size
	// Charset is what the display can show.
	Charset() *Charset
	// Init opens the way to the display and brings it from any state, a half
	// sent byte included, to a blank screen. It takes 0.1 s, a serial display
	// 0.8 s, most of it the pauses that the data sheets ask for.
	Init() error
	// Show writes the cells that differ from what was written last. A letter
	// that the Charset doesn't have is shown as the nearest that it has.
	Show(Frame) error
	// Refresh brings a display back that lost its mode or its letters without
	// an error showing it (a spark, a replugged plug on a one-way wire): it
	// writes the mode and every cell again, without a flicker.
	Refresh() error
	// Close leaves the display as it is and closes the way to it. Init opens
	// it again.
	Close() error
	// String says which display, and where: for the log and the self-test.
	String() string
}

// Proof is how much an answer says about a display.
type Proof int

// What an answer proves.
const (
	// ProofNone: the wire is one-way, nothing can be known.
	ProofNone Proof = iota
	// ProofBus: the chip on the bus answers; the display behind it may be dead.
	ProofBus
	// ProofController: the display's own controller answers.
	ProofController
)

// String says what was proven, for the self-test.
func (p Proof) String() string {
	switch p {
	case ProofBus:
		return "the bus chip answers"
	case ProofController:
		return "the controller answers"
	default:
		return "one-way, can't be asked"
	}
}

// Prober is a Display that can be asked whether it is alive.
type Prober interface {
	// Probe asks the display. It changes nothing that is shown.
	Probe() (Proof, error)
}

// ErrClosed is returned by Show and Refresh before Init and after Close.
var ErrClosed = errors.New("display is not initialised")

// ErrGarbled means that the display's controller answers, but not as one that
// understood what was sent: it lost its mode or half a byte. Init repairs it.
var ErrGarbled = errors.New("display is out of step")
