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
	FaultPrefix    Fault = "prefix"    // sound, but no card of this site by facility and number
	FaultSwapped   Fault = "swapped"   // third equal frame that passes only with the lines exchanged
)

// Faults lists every fault in order of precedence.
func Faults() []Fault { return slices.Clone(faults[:]) }

var faults = [...]Fault{FaultOverrun, FaultCollision, FaultNoise, FaultWidth, FaultInterval, FaultCount,
	FaultParity, FaultPrefix, FaultSwapped}

func faultIndex(f Fault) int {
	switch f {
	case FaultOverrun:
		return 0
	case FaultCollision:
		return 1
	case FaultNoise:
		return 2
	case FaultWidth:
		return 3
	case FaultInterval:
		return 4
	case FaultCount:
		return 5
	case FaultParity:
		return 6
	case FaultPrefix:
		return 7
	}
	return 8
}

// Repair says what was taken out of, or put into, a frame before it passed.
type Repair string

// The repairs.
const (
	RepairGlitch Repair = "glitch" // extra pulses taken out, by their width or because only so the spacing is even
	RepairBounce Repair = "bounce" // repeated edges of one pulse taken out
	RepairLost   Repair = "lost"   // a lost pulse put back at the hole it left, its value from the parity: see Options.RepairLost
)

var repairs = [...]Repair{RepairGlitch, RepairBounce, RepairLost}

// Read is what one frame turned out to be.
type Read struct {
	// Start and End are the times of the first and last edge of the card's
	// frame; stray edges around it are not counted.
	Start, End int64
	// Bits are the card's bits or, of a refused frame, what was received, the
	// first MaxBits of it.
	Bits Bits
	// Count is how many bits were received; more than Bits.Len() where
	// there were more than MaxBits or a repair took some out.
	Count int
	// Format is the first enabled format that fits; nil when refused.
	Format *Format
	Fields Fields
	// Fault is empty for a good read.
	Fault    Fault
	Repaired Repair
	// Key is '0' to '9', '*' or '#' for a key of a keypad, 0 for cards.
	Key byte
	// Interval is the frame's median distance of bits in nanoseconds, 0 when
	// it had less than two.
	Interval int64
}

// OK reports whether the frame is a card or a key.
func (r *Read) OK() bool { return r.Fault == "" }

// Range is a rule for the cards of a site.
type Range struct {
	// Facilities that belong to the site; none: any.
	Facilities []uint64
	// Min and Max limit the card number, both included; Max 0: no limit.
	Min, Max uint64
	// Raw: Min and Max are of the value of all bits instead, the number that
	// the original client used. Facilities are not looked at.
	Raw bool
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

// The ranges of the original client (etsy/rfid-checkout), which compared the
// value of all 26 bits: person 90000 < n < 8000000, device 8000000 < n <
// 9990000. Used with the format raw26.
var (
	OriginalBadge  = Range{Min: 90001, Max: 7999999, Raw: true}
	OriginalDevice = Range{Min: 8000001, Max: 9989999, Raw: true}
)

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
	// and whose value the parity shows, as good with Repaired RepairLost. The
	// parity is spent on it: such a read must be accepted only where the
	// register knows exactly this card.
	RepairLost bool
	// Keypad: "", "4bit" (a frame of 4 bits a key) or "8bit" (the key and its
	// complement before it).
	Keypad string
}

// CloseAfter ends any frame: the longest interval that is legal is 20 ms.
const CloseAfter = int64(25 * time.Millisecond)
