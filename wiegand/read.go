package wiegand

import (
	"slices"
	"time"
)

// Fault says why a frame was refused. The empty Fault is none. Where several
// apply, a frame gets the first in the order of the constants.
type Fault string

// The faults, in order of precedence.
const (
	FaultOverrun   Fault = "overrun"   // the kernel lost edges within the frame
	FaultCollision Fault = "collision" // both lines fell together
	FaultNoise     Fault = "noise"     // edges that no reader sends
	FaultWidth     Fault = "width"     // a pulse unlike the others (both edges only)
	FaultInterval  Fault = "interval"  // bits missing or extra by the timing
	FaultCount     Fault = "count"     // no enabled format has so many bits
	FaultParity    Fault = "parity"    // parity, checksum or fixed bits of every enabled format fail
	FaultPrefix    Fault = "prefix"    // sound, but not a card of this site by facility and number
	FaultSwapped   Fault = "swapped"   // the third equal frame that passes only with the lines exchanged, or as many different cards as make chance unlikely
)

// Faults are all of them, in that order.
var Faults = [...]Fault{FaultOverrun, FaultCollision, FaultNoise, FaultWidth, FaultInterval, FaultCount,
	FaultParity, FaultPrefix, FaultSwapped}

// Repair says what was removed from, or put into, a frame before it passed.
type Repair string

// The repairs.
const (
	RepairGlitch Repair = "glitch" // extra pulses removed, by their width or because only that makes the spacing even
	RepairBounce Repair = "bounce" // repeated edges of one pulse removed
	RepairLost   Repair = "lost"   // a lost pulse put back at the hole it left, its value from the parity: see Options.RepairLost
)

// Read is what one frame turned out to be.
type Read struct {
	// Start and End are the times of the first and last edge of the card's
	// frame; stray edges around it are not counted.
	Start, End int64
	// Bits are the card's bits; of a refused frame, the first MaxBits that
	// were received.
	Bits Bits
	// Count is how many bits were received: more than Bits.Len() where there
	// were more than MaxBits or a repair removed some.
	Count int
	// Format is the first enabled format that fits; nil when refused.
	Format *Format
	Fields Fields
	// Fault is empty for a good read.
	Fault    Fault
	Repaired Repair
	// Key is '0' to '9', '*' or '#' for a key of a keypad, 0 for cards.
	Key byte
	// Text is what a reader typed that is no card: the address in a code that was scanned.
	Text string
	// Interval is the frame's median interval between bits in nanoseconds, 0
	// when it had fewer than two.
	Interval int64
	// Even: the spacing proves that each edge is a bit.
	Even bool
	// Unknown: no enabled format takes this frame, and nothing is wrong with the
	// wires: it is the third of its kind that came intact.
	Unknown bool
}

// OK reports whether the frame is a card or a key.
func (r *Read) OK() bool { return r.Fault == "" }

// Range is a rule for the cards of a site.
type Range struct {
	// Facilities that belong to the site; none: any.
	Facilities []uint64 `toml:"facilities"`
	// Min and Max limit the card number, both included; Max 0: no limit.
	Min uint64 `toml:"min"`
	Max uint64 `toml:"max"`
	// Raw: Min and Max are of the value of all bits instead, the number that
	// the original client used. Facilities are not looked at.
	Raw bool `toml:"raw"`
}

// Contains reports whether a card that reads as b, v in a format is in r.
func (r *Range) Contains(b Bits, v Fields) bool {
	n := v.Number
	if r.Raw {
		var ok bool
		if n, ok = b.Uint64(); !ok {
			return false
		}
	} else if len(r.Facilities) > 0 && !slices.Contains(r.Facilities, v.Facility) {
		return false
	}
	return n >= r.Min && (r.Max == 0 || n <= r.Max)
}

// Options configure a Decoder.
type Options struct {
	// Formats that are enabled, in order of preference.
	Formats []*Format
	// Accept: a card must be in one of these; none: every card.
	Accept []Range
	// BothEdges: rising edges are there and can be trusted. Without it they
	// are ignored.
	BothEdges bool
	// RepairLost delivers frames with one lost pulse whose place the timing
	// and whose value the parity shows, as good with Repaired RepairLost. That
	// uses the parity up: accept such a read only where the register knows
	// exactly this card.
	RepairLost bool
	// Keypad: "", "4bit" (a frame of 4 bits a key) or "8bit" (the key and its
	// complement before it).
	Keypad string
	// Known is what was learned of the reader earlier, as Decoder.Learned said;
	// the zero Profile when that is nothing.
	Known Profile
}

// CloseAfter, in nanoseconds, ends any frame: the longest legal interval is
// 20 ms.
const CloseAfter = int64(25 * time.Millisecond)
