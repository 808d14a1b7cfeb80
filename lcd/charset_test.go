package lcd

import (
	"testing"
	"unicode"
)

func TestFold(t *testing.T) {
	sparkfun := dialects["sparkfun"].charset(romA00)
	tests := []struct {
		charset *Charset
		in, out string
	}{
		{romA00, "Ann's iPad (2)", "Ann's iPad (2)"},
		{romA00, "Müller größer", "Müller größer"},
		{romA00, "Ärger", "Ärger"}, // drawn
		{romA00, "José Ñandú", "José Ñandú"},
		{romA00, `C:\dir ~ |x|`, "C:/dir - |x|"},
		{romA02, `C:\dir ~ |x|`, `C:\dir ~ |x|`},
		{romA02, "Łukasz Żółć", "Łukasz Żółć"},
		{sparkfun, "Ärger José", "Arger Jose"},
		{sparkfun, "Łukasz Ørsted æsir Þór", "Lukasz Orsted aesir Thor"},
		{sparkfun, "a|b\x7f\xfe", "a/b ?"},
		{ASCII, "“quoted” – dashed…", "\"quoted\" - dashed..."},
		{ASCII, "Ελένη Παπαδοπούλου", "Eleni Papadopoyloy"},
		{ASCII, "Щукин Юрий", "Shchukin Iurii"},
		{romA00, "カタカナ ひらがな ガ", "ｶﾀｶﾅ ﾋﾗｶﾞﾅ ｶﾞ"},
		{ASCII, "ﬁne ２０ x²", "fine 20 x2"},
		{ASCII, "李小龍", "???"},
		{Unicode, "José Łukasz Ελένη", "José Łukasz Ελένη"},
		{Unicode, "李", "?"}, // two cells wide
		{Unicode, "a\xffb", "a?b"},
		{Unicode, "a\u0301", "á"},
		{Unicode, "x\u0301\u200d\u202ey", "xy"},
		{Unicode, "a\tb\nc\x1b[2J\x00", "a b c [2J "},
		{ASCII, "a\xff\xc3", "a??"},
		{ASCII, "", ""},
	}
	for _, tc := range tests {
		if got := string(tc.charset.Fold(tc.in)); got != tc.out {
			t.Errorf("%v: Fold(%q) = %q, want %q", tc.charset, tc.in, got, tc.out)
		}
	}
}

// Eight letters are drawn; the ninth and later ones become plain letters.
func TestFoldDrawsEight(t *testing.T) {
	if got, want := string(romA00.Fold("éèêëàâîïôé")), "éèêëàâîïoé"; got != want {
		t.Errorf("Fold = %q, want %q", got, want)
	}
}

// Fold returns only letters that the display has a code for or that we draw.
func TestFoldGivesOnlyWhatCanBeShown(t *testing.T) {
	sets := []*Charset{ASCII, romA00, romA02, romASCII}
	for _, d := range dialects {
		sets = append(sets, d.charset(romA00), d.charset(romA02))
	}
	for _, c := range sets {
		for r := rune(0); r < 0x30000; r += 1 + r/0x3100 {
			for _, l := range c.Fold(string(r)) {
				_, coded := c.Code(l)
				_, drawn := Glyph(l)
				if !coded && (!drawn || c.glyphs == 0) {
					t.Fatalf("%v folds %U to %q, which it can't show", c, r, l)
				}
			}
		}
	}
}

// Every letter of a Latin name in Europe comes out as a letter.
func TestFoldKnowsEuropeanLetters(t *testing.T) {
	for r := rune(0xc0); r < 0x180; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		for _, l := range ASCII.Fold(string(r)) {
			if l == '?' {
				t.Errorf("%q (%U) has no stand-in", r, r)
			}
		}
	}
}

func TestNoTwoLettersLookTheSame(t *testing.T) {
	seen := map[Bitmap]rune{}
	for r := rune(0x80); r < 0x2200; r++ {
		b, ok := Glyph(r)
		if !ok {
			continue
		}
		// Unicode has some letters twice.
		if was, twice := seen[b]; twice && ASCII.Fold(string(r))[0] != ASCII.Fold(string(was))[0] {
			t.Errorf("%c and %c are drawn the same", was, r)
		}
		seen[b] = r
		for _, dots := range b {
			if dots > 0x1f {
				t.Errorf("%c has a row of more than five dots", r)
			}
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d letters are drawn", len(seen))
	}
}
