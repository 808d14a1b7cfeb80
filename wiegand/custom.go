package wiegand

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CustomFormat is a site's own card format, as the configuration declares it:
//
//	[[format]]
//	name = "site34"
//	bits = 34
//	facility = "2-16"
//	number = "17-32"
//	parity = [
//	  { bit = 0, kind = "even", covers = "1-16" },
//	  { bit = 33, kind = "odd", covers = "17-32" },
//	]
//	fixed = [{ bit = 1, value = 0 }]
//
// Bits count from 0, the first sent. A field lists its bits most significant
// first: "1-8", or in any order as "9,4,6,5,0-3". Parity bits are computed in
// the order given when a card is made, so one that covers another comes after
// it.
type CustomFormat struct {
	Name        string         `toml:"name"`
	Description string         `toml:"description"` // a note of the admin's own
	Bits        int            `toml:"bits"`
	Facility    string         `toml:"facility"`
	Number      string         `toml:"number"`
	Issue       string         `toml:"issue"`
	OEM         string         `toml:"oem"`
	Parity      []CustomParity `toml:"parity"`
	Fixed       []CustomFixed  `toml:"fixed"`
}

// CustomParity is a parity bit of a CustomFormat. Kind is "even" or "odd": of
// the ones among the covered bits and the parity bit.
type CustomParity struct {
	Bit    int    `toml:"bit"`
	Kind   string `toml:"kind"`
	Covers string `toml:"covers"`
}

// CustomFixed is a bit that is the same on every card of a CustomFormat.
type CustomFixed struct {
	Bit   int `toml:"bit"`
	Value int `toml:"value"`
}

// NewFormat checks a declaration and makes the format. The error joins
// a [FormatError] for everything that is wrong.
func NewFormat(c CustomFormat) (*Format, error) {
	p := formatParser{name: c.Name, len: c.Bits, use: map[int]string{}}
	if strings.Trim(c.Name, "0123456789") == "" || strings.ContainsAny(c.Name, ":, \t\n") {
		p.fail("name", "%q: a name is needed, not of digits alone, without spaces, colons and commas", c.Name)
	} else if _, err := FormatByName(c.Name); err == nil {
		p.fail("name", "there is a format of this name already: choose another")
	}
	if c.Bits < 1 || c.Bits > MaxBits {
		p.fail("bits", "%d: a frame has 1 to %d bits", c.Bits, MaxBits)
		return nil, errors.Join(p.errs...)
	}
	f := &Format{
		Name: c.Name, Len: c.Bits,
		facility: p.field("facility", c.Facility), number: p.field("number", c.Number),
		issue: p.field("issue", c.Issue), oem: p.field("oem", c.OEM),
	}
	if len(f.number.bits) == 0 {
		p.fail("number", "the card number's bits are needed, such as \"1-%d\"", max(1, c.Bits-2))
	}
	for i, x := range c.Fixed {
		part := fmt.Sprintf("fixed %d", i+1)
		if x.Value != 0 && x.Value != 1 {
			p.fail(part, "value %d: a bit is 0 or 1", x.Value)
		}
		if p.claim(part, x.Bit) {
			f.fixed = append(f.fixed, fixed{x.Bit, uint8(x.Value & 1)})
		}
	}
	for i, x := range c.Parity {
		f.parity = append(f.parity, p.parity(i, x))
	}
	p.order(f.parity)
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return f.compile(), nil
}

// formatParser collects what is wrong with a declaration.
type formatParser struct {
	name string
	len  int
	use  map[int]string // which part has claimed a bit
	errs []error
}

func (p *formatParser) fail(part, format string, args ...any) {
	p.errs = append(p.errs, &FormatError{p.name, part, fmt.Errorf(format, args...)})
}

// FormatError is one thing that is wrong with a CustomFormat.
type FormatError struct {
	Format string // its name
	Part   string // a key of CustomFormat, with a number from 1 where the key is a list: "number", "parity 2"
	Err    error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("format %q, %s: %v", e.Format, e.Part, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// Key is the key of CustomFormat that Part is in.
func (e *FormatError) Key() string {
	key, _, _ := strings.Cut(e.Part, " ")
	return key
}

// inside reports whether a bit is in the frame.
func (p *formatParser) inside(part string, bit int) bool {
	ok := bit >= 0 && bit < p.len
	if !ok {
		p.fail(part, "bit %d is outside the frame, whose bits are 0 to %d", bit, p.len-1)
	}
	return ok
}

// claim gives a bit to one part of the frame.
func (p *formatParser) claim(part string, bit int) bool {
	if !p.inside(part, bit) {
		return false
	}
	if other, taken := p.use[bit]; taken {
		p.fail(part, "bit %d is in %s already", bit, other)
		return false
	}
	p.use[bit] = part
	return true
}

func (p *formatParser) places(part, s string) []int {
	places, err := parsePlaces(s)
	if err != nil {
		p.fail(part, "%w", err)
	}
	return places
}

func (p *formatParser) field(part, s string) (fl field) {
	if s == "" {
		return fl
	}
	places := p.places(part, s)
	if len(places) > 64 {
		p.fail(part, "%d bits: a field has 64 at most", len(places))
	}
	for _, bit := range places {
		if p.claim(part, bit) {
			fl.bits = append(fl.bits, bit)
		}
	}
	return fl
}

func (p *formatParser) parity(i int, x CustomParity) parity {
	part := fmt.Sprintf("parity %d", i+1)
	p.claim(part, x.Bit)
	if x.Kind != "even" && x.Kind != "odd" {
		p.fail(part, "kind %q: use \"even\" or \"odd\"", x.Kind)
	}
	r := parity{bit: x.Bit, odd: x.Kind == "odd"}
	for _, bit := range p.places(part, x.Covers) {
		switch {
		case !p.inside(part, bit):
		case bit == x.Bit:
			p.fail(part, "bit %d covers itself: leave it out, it always counts", bit)
		case slices.Contains(r.covers, bit):
			p.fail(part, "bit %d is covered twice", bit)
		default:
			r.covers = append(r.covers, bit)
		}
	}
	return r
}

// order refuses a parity bit that covers one which is computed after it.
func (p *formatParser) order(groups []parity) {
	for i, g := range groups {
		for j, later := range groups[i+1:] {
			if slices.Contains(g.covers, later.bit) {
				p.fail(fmt.Sprintf("parity %d", i+1), "it covers bit %d, which is parity %d: list that one first", later.bit, i+j+2)
			}
		}
	}
}
