package lcd

import (
	"unicode"

	"golang.org/x/text/width"
)

// Charset is the letters that a display can show, and the codes it has for
// them. Every Charset has at least the letters, digits and punctuation of
// ASCII, or a stand-in for each of them in the folding table.
type Charset struct {
	name string
	// codes are the character generator's; nil shows any narrow letter.
	codes map[rune]byte
	// glyphs is how many letters of our own drawing it shows at a time.
	glyphs int
}

// Unicode is the character set of terminals and of memory: every printable
// letter that is one cell wide.
var Unicode = &Charset{name: "Unicode"}

// ASCII shows what every display shows: the letters that all character
// generators agree on.
var ASCII = &Charset{name: "ASCII", codes: asciiCodes()}

// String returns the name as the configuration has it.
func (c *Charset) String() string { return c.name }

// Code returns the display's own code for a letter. It has none for letters
// that are drawn by us, see [Glyph].
func (c *Charset) Code(r rune) (code byte, ok bool) {
	code, ok = c.codes[r]
	return code, ok
}

// has is whether the display shows the letter without our drawing it.
func (c *Charset) has(r rune) bool {
	if c.codes != nil {
		_, ok := c.codes[r]
		return ok
	}
	return r != unicode.ReplacementChar && unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && narrow(r)
}

// without returns the same character set less some codes that mean something
// else to a display.
func (c *Charset) without(codes ...byte) *Charset {
	d := &Charset{name: c.name, glyphs: c.glyphs, codes: make(map[rune]byte, len(c.codes))}
	for r, b := range c.codes {
		d.codes[r] = b
	}
	for r, b := range d.codes {
		for _, no := range codes {
			if b == no {
				delete(d.codes, r)
			}
		}
	}
	return d
}

// narrow is whether a terminal gives the letter one cell.
func narrow(r rune) bool {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return false
	}
	return true
}

// asciiCodes are the codes 0x20 to 0x7D except the backslash: the HD44780's
// Japanese ROM has a yen sign there, and arrows at 0x7E and 0x7F.
func asciiCodes() map[rune]byte {
	m := make(map[rune]byte, 96)
	for r := rune(' '); r <= '}'; r++ {
		if r != '\\' {
			m[r] = byte(r)
		}
	}
	return m
}
