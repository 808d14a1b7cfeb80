package lcd

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzLay lays out any text on every size: the frames are whole, in the
// display's own letters, change when they say they do, and the first line is
// seen whole.
func FuzzLay(f *testing.F) {
	for _, s := range []string{"", "Checked out\niPad Mini\nAnn", "a\tb\tc\nd\n\re", "Donaudampfschifffahrtsgesellschaftskapitän", " ( - / ) ", strings.Repeat("ab ", 300)} {
		f.Add(s)
	}
	sets := []*Charset{Unicode, ASCII, romA00, dialects["openlcd"].charset(romA02)}
	f.Fuzz(func(t *testing.T, text string) {
		for i, size := range Sizes() {
			c := sets[i%len(sets)]
			l := Lay(c, size, text)
			var seen []string
			at := time.Duration(0)
			for at <= l.Pass() {
				frame, next := l.At(at)
				wantWhole(t, c, size, frame)
				seen = append(seen, frame.Rows()...)
				if next <= at {
					t.Fatalf("%v %q: at %v the next change is at %v", size, text, at, next)
				}
				if next == Forever {
					break
				}
				at = next
			}
			first := string(c.Fold(strings.Split(text, "\n")[0]))
			if strings.ContainsAny(text, "\t\r") || len([]rune(first)) > maxLetters || strings.TrimSpace(first) == "" {
				continue
			}
			for _, word := range strings.Fields(first) {
				if len([]rune(word)) <= size.Cols && !strings.ContainsAny(word, "-/(") && !contains(seen, word) {
					t.Errorf("%v %q: %q is not shown in %q", size, text, word, seen)
				}
			}
		}
	})
}

// wantWhole checks a frame's size and letters.
func wantWhole(t *testing.T, c *Charset, size Size, f Frame) {
	t.Helper()
	if f.size != size || len(f.cells) != size.Cols*size.Rows {
		t.Fatalf("a frame of %v with %d cells on %v", f.size, len(f.cells), size)
	}
	drawn := map[rune]bool{}
	for _, r := range f.cells {
		if unicode.IsControl(r) {
			t.Fatalf("%v: control character %U", c, r)
		}
		if !c.has(r) {
			drawn[r] = true
		}
	}
	if len(drawn) > c.glyphs {
		t.Fatalf("%v: %d letters must be drawn", c, len(drawn))
	}
}

func contains(rows []string, word string) bool {
	for _, r := range rows {
		if strings.Contains(r, word) {
			return true
		}
	}
	return false
}
