package lcd

import (
	"maps"
	"slices"
	"unicode"

	"golang.org/x/text/width"
)

// Charset is the letters that a display can show, and its codes for them. Every
// Charset has the letters, digits and punctuation of ASCII, or a stand-in for
// each of them.
type Charset struct {
	// codes are the character generator's; nil shows any narrow letter.
	codes map[rune]byte
	// glyphs is how many letters of our own drawing it shows at a time.
	glyphs int
}

// Unicode is the character set of terminals: every printable letter that is one
// cell wide.
var Unicode = &Charset{}

// ASCII is the letters that all character generators have.
var ASCII = &Charset{codes: asciiCodes()}

// has is whether the display shows the letter without our drawing it.
func (c *Charset) has(r rune) bool {
	if c.codes != nil {
		_, ok := c.codes[r]
		return ok
	}
	kind := width.LookupRune(r).Kind()
	return r != unicode.ReplacementChar && unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && kind != width.EastAsianWide && kind != width.EastAsianFullwidth
}

// without returns the character set less control codes and the given codes,
// which mean something else to a display.
func (c *Charset) without(codes []byte) *Charset {
	d := &Charset{codes: maps.Clone(c.codes), glyphs: c.glyphs}
	maps.DeleteFunc(d.codes, func(_ rune, b byte) bool { return b < 0x20 || slices.Contains(codes, b) })
	return d
}
