package lcd

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Fold turns text into letters that the display can show, the nearest ones
// where it has no better: é stays é, or is drawn, or becomes e. Control
// characters become blanks, marks and joiners that stand for nothing alone
// are dropped, and a letter without any likeness becomes a question mark. At
// most as many different letters are drawn as the display can hold at once;
// the first ones in the text win.
func (c *Charset) Fold(text string) []rune {
	f := folder{charset: c}
	return f.fold(text)
}

// folder folds several texts for one screen, which share the drawn letters.
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

// maxDepth ends the folding of a letter whose stand-ins lead in a circle.
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
	// The compatibility decomposition also unpacks ligatures, full-width
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

// draw is whether r is a letter that we draw and there is still room for it.
func (f *folder) draw(r rune) bool {
	if f.charset.glyphs == 0 {
		return false
	}
	for _, d := range f.drawn {
		if d == r {
			return true
		}
	}
	if _, ok := Glyph(r); !ok || len(f.drawn) == f.charset.glyphs {
		return false
	}
	f.drawn = append(f.drawn, r)
	return true
}

// katakana returns the half-width katakana for a kana or voicing mark, which
// the Japanese ROM has; 0 for any other letter.
func katakana(r rune) rune {
	switch {
	case r >= 'ぁ' && r <= 'ん': // hiragana lie 0x60 below katakana
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
