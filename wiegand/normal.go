package wiegand

import (
	"fmt"
	"strings"
)

// A Normal brings the cards of one reader to the form that other readers of the
// site deliver, so that a tag is one credential at all of them. Its steps, in order:
//
//	reverse-bytes   the data, which is all but parity, with its last byte first
//	strip-parity    the data alone, as UID32, UID56, UID64 or a raw format
//	as NAME         the last bits of the data as a card of that format
//
// The result is a card of the last step's format, with parity of its own.
type Normal []normalStep

type normalStep struct {
	word string
	as   *Format // of "as NAME"
}

// ParseNormal reads steps. find looks a format up.
func ParseNormal(steps []string, find func(name string) (*Format, error)) (n Normal, err error) {
	for _, s := range steps {
		step := normalStep{word: s}
		if name, ok := strings.CutPrefix(s, "as "); ok {
			step.word = "as"
			if step.as, err = find(strings.TrimSpace(name)); err != nil {
				return nil, err
			}
		} else if s != "reverse-bytes" && s != "strip-parity" {
			return nil, fmt.Errorf("%q is not a step", s)
		}
		n = append(n, step)
	}
	return n, nil
}

// Format is the format of what becomes of cards of f. It fails where a step does.
func (n Normal) Format(f *Format) (*Format, error) {
	if len(n) == 0 {
		return f, nil
	}
	to, _, err := n.data(f, Bits{n: uint8(f.DataBits())})
	return to, err
}

// Apply brings a good read to its form. A key, and a card that the last format
// can't hold, stay as they are.
func (n Normal) Apply(r *Read) {
	if len(n) == 0 || !r.OK() || r.Format == nil {
		return
	}
	to, data, err := n.data(r.Format, r.Format.Data(r.Bits))
	if err != nil {
		return
	}
	if b, err := to.PackData(data); err == nil {
		r.Bits, r.Format = b, to
		r.Fields, _ = to.Unpack(b)
	}
}

// data is what the steps make of the data of a card of f, and their format.
func (n Normal) data(f *Format, data Bits) (*Format, Bits, error) {
	for _, step := range n {
		var err error
		switch step.word {
		case "reverse-bytes":
			data, err = data.ReverseBytes()
		case "strip-parity":
			f, err = plainFormat(data.Len())
		case "as":
			f = step.as
			if data.Len() < f.DataBits() {
				err = fmt.Errorf("a card of %d bits is too short for %s, which holds %d", data.Len(), f.Name, f.DataBits())
			}
			data = data.Last(f.DataBits())
		}
		if err != nil {
			return nil, data, err
		}
	}
	return f, data, nil
}

func plainFormat(bits int) (*Format, error) {
	if f, err := FormatByName(fmt.Sprintf("UID%d", bits)); err == nil && f.Len == bits {
		return f, nil
	}
	return FormatByName(fmt.Sprintf("raw%d", bits))
}
