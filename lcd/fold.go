package lcd

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Fold turns text into letters that the display can show, or the nearest ones:
// é stays é, or is drawn, or becomes e. Control characters become blanks, marks
// and joiners that mean nothing alone are dropped, and a letter that nothing
// resembles becomes a question mark. If the text needs more drawn letters than
// the display can hold at once, the first ones are drawn.
func (c *Charset) Fold(text string) []rune {
	f := folder{charset: c}
	return f.fold(text)
}

// folder folds the texts of one screen, which share the drawn letters.
type folder struct {
	charset *Charset
	drawn   []rune
}

func (f *folder) fold(text string) []rune {
	var out []rune
	for _, r := range norm.NFC.String(text) {
		out = f.letter(out, r, 0)
	}
	return out
}

// maxDepth ends the folding of a letter whose stand-ins form a circle.
const maxDepth = 4

// letter appends what stands for r.
func (f *folder) letter(out []rune, r rune, depth int) []rune {
	c := f.charset
	switch {
	case c.has(r), f.draw(r):
		return append(out, r)
	case depth > maxDepth:
		return append(out, '?')
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Z, r):
		return append(out, ' ')
	case unicode.In(r, unicode.M, unicode.Cf):
		return out
	}
	if s, ok := standIns[r]; ok {
		for _, q := range s {
			out = f.letter(out, q, depth+1)
		}
		return out
	}
	if k := katakana(r); k != 0 && c.has(k) {
		return append(out, k)
	}
	// The compatibility decomposition also takes apart ligatures, full-width
	// letters and superscripts.
	for _, form := range []norm.Form{norm.NFD, norm.NFKD} {
		if parts := []rune(form.String(string(r))); parts[0] != r {
			for _, q := range parts {
				if k := katakana(q); k != 0 && c.has(k) {
					out = append(out, k)
				} else if !unicode.Is(unicode.M, q) {
					out = f.letter(out, q, depth+1)
				}
			}
			return out
		}
	}
	return append(out, '?')
}

// draw is whether r is a letter that we draw and the display has room for it.
func (f *folder) draw(r rune) bool {
	if slices.Contains(f.drawn, r) {
		return true
	}
	if _, ok := Glyph(r); !ok || len(f.drawn) == f.charset.glyphs {
		return false
	}
	f.drawn = append(f.drawn, r)
	return true
}

// katakana returns the half-width katakana, which the Japanese ROM has, for a
// kana or voicing mark; 0 for any other letter.
func katakana(r rune) rune {
	switch {
	case r >= 'ぁ' && r <= 'ん': // hiragana are 0x60 below katakana
		r += 'ァ' - 'ぁ'
	case r == '\u3099':
		return 'ﾞ'
	case r == '\u309a':
		return 'ﾟ'
	}
	if n := width.LookupRune(r).Narrow(); n >= '｡' && n <= 'ﾟ' {
		return n
	}
	return 0
}
