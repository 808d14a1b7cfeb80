package reader

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"stump/wiegand"
)

// Card makes a card of a tag's number: in the first of formats that has room for
// all its bits; if none has, the last takes the low ones, as a reader with data
// lines does that sends fewer bits than the tag has. H10301 has room for 24 bits,
// facility and number; H10306 for 32; raw40 for 40. One tag is thus the same card
// at every reader of these formats.
func Card(number uint64, formats []*wiegand.Format) (wiegand.Bits, *wiegand.Format, wiegand.Fields, error) {
	var f *wiegand.Format
	for _, f = range formats {
		if facility, low := room(f); bits.Len64(number) <= facility+low {
			break
		}
	}
	if f == nil {
		return wiegand.Bits{}, nil, wiegand.Fields{}, fmt.Errorf("no format")
	}
	facility, low := room(f)
	v := wiegand.Fields{Facility: number >> low & (1<<facility - 1), Number: number & (1<<low - 1)}
	b, err := f.Pack(v)
	return b, f, v, err
}

// number is the inverse of Card.
func number(b wiegand.Bits, formats []*wiegand.Format) (uint64, bool) {
	for _, f := range formats {
		if v, ok := f.Unpack(b); ok {
			_, low := room(f)
			return v.Facility<<low | v.Number, true
		}
	}
	return 0, false
}

// room is how many bits of a number fit in a format's facility and number.
func room(f *wiegand.Format) (facility, number int) {
	v := f.Largest()
	return bits.Len64(v.Facility), bits.Len64(v.Number)
}

// parse reads what a reader typed.
func parse(typed, meaning string) (uint64, wiegand.Fault) {
	switch meaning {
	case "hex":
		if strings.Trim(typed, "0123456789abcdefABCDEF") != "" {
			return 0, FaultLayout
		}
		return value(typed, 16)
	case "3+5":
		typed = strings.NewReplacer(",", "", ":", "", "-", "", " ", "").Replace(typed)
	}
	if strings.Trim(typed, "0123456789") != "" {
		return 0, FaultLayout
	}
	if meaning != "3+5" {
		return value(typed, 10)
	}
	if len(typed) != 8 {
		return 0, wiegand.FaultCount
	}
	facility, _ := strconv.ParseUint(typed[:3], 10, 64)
	low, _ := strconv.ParseUint(typed[3:], 10, 64)
	if facility > 0xff || low > 0xffff {
		return 0, wiegand.FaultCount
	}
	return facility<<16 | low, ""
}

// value is a number of at least four digits that is not zero: no tag has that.
func value(digits string, base int) (uint64, wiegand.Fault) {
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil || n == 0 || len(digits) < 4 {
		return 0, wiegand.FaultCount
	}
	return n, ""
}

// unframe reads the digits of a serial frame, without what stands around them.
func unframe(digits string) (uint64, wiegand.Fault) {
	switch n, err := strconv.ParseUint(digits, 16, 64); {
	case len(digits) != 12:
		return 0, wiegand.FaultCount
	case err != nil || byte(n) != checksum(n>>8):
		return 0, FaultChecksum
	default:
		return n >> 8, ""
	}
}

// checksum is the exclusive or of the five bytes of an EM4100 tag.
func checksum(tag uint64) (sum byte) {
	for range 5 {
		sum ^= byte(tag)
		tag >>= 8
	}
	return sum
}

// Frame is what a serial reader sends for a tag of at most 40 bits.
func frame(tag uint64) string { return fmt.Sprintf("\x02%010X%02X\x03", tag, checksum(tag)) }
