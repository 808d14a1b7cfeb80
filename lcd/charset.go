package lcd

import (
	"fmt"
	"strings"
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

// The character generators that modules are sold with. Software can't detect
// which one a module has; the marking on the chip or a look at the self-test's
// screen tells.
var (
	// romA00 is Hitachi's Japanese ROM, on most modules and their clones
	// (ST7066-0A, SPLC780-01, KS0066-00): katakana and a few Greek and German
	// letters, no accents. HD44780U data sheet, table 4, "ROM code: A00".
	romA00 = &Charset{codes: codesA00(), glyphs: slotCount}
	// romA02 is the European ROM: accented letters where ISO 8859-1 has them.
	// HD44780U data sheet, table 4, "ROM code: A02". Of its symbols it has only
	// those that lcdproc's hd44780-charmap.h agrees with.
	romA02 = &Charset{codes: codesA02(), glyphs: slotCount}
	// romASCII is for any module.
	romASCII = &Charset{codes: asciiCodes(), glyphs: slotCount}
)

// ParseROM returns the character set of an HD44780 with the named ROM: A00, A02
// or ascii, in any case; "" is A00.
func ParseROM(name string) (*Charset, error) {
	switch strings.ToLower(name) {
	case "", "a00":
		return romA00, nil
	case "a02":
		return romA02, nil
	case "ascii":
		return romASCII, nil
	}
	return nil, fmt.Errorf("rom %q: use A00, A02 or ascii", name)
}

// asciiCodes are the codes 0x20 to 0x7D except the backslash: the HD44780's
// Japanese ROM has a yen sign there, and arrows at 0x7E and 0x7F.
func asciiCodes() map[rune]byte {
	m := make(map[rune]byte, 256)
	for r := rune(' '); r <= '}'; r++ {
		m[r] = byte(r)
	}
	delete(m, '\\')
	return m
}

func codesA00() map[rune]byte {
	m := asciiCodes()
	for r := '｡'; r <= 'ﾟ'; r++ { // half-width katakana, in Unicode's order
		m[r] = byte(0xa1 + r - '｡')
	}
	for r, code := range map[rune]byte{
		'¥': 0x5c, '→': 0x7e, '←': 0x7f, '·': 0xa5, '°': 0xdf,
		'α': 0xe0, 'ä': 0xe1, 'ß': 0xe2, 'β': 0xe2, 'ε': 0xe3, 'µ': 0xe4, 'μ': 0xe4, 'σ': 0xe5,
		'ρ': 0xe6, '√': 0xe8, '¢': 0xec, '£': 0xed, 'ñ': 0xee, 'ö': 0xef,
		'θ': 0xf2, '∞': 0xf3, 'Ω': 0xf4, 'ü': 0xf5, 'Σ': 0xf6, 'π': 0xf7, '÷': 0xfd, '█': 0xff,
	} {
		m[r] = code
	}
	return m
}

func codesA02() map[rune]byte {
	m := asciiCodes()
	for _, r := range `\~¡¢£¥§©ª«®°±²³µ¶·¹º»¼½¾¿` {
		m[r] = byte(r)
	}
	for r := 'À'; r <= 'ÿ'; r++ {
		m[r] = byte(r)
	}
	return m
}
