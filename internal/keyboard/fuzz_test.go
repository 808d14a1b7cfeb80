package keyboard

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzTyping hits keys at random, on every layout: what comes out is a name
// that can be shown and stored.
func FuzzTyping(f *testing.F) {
	f.Add([]byte{30, 1, 48, 1, 28, 1})
	f.Add([]byte{42, 1, 30, 1, 42, 0, 13, 1, 18, 1, 108, 1, 15, 1, 14, 1, 28, 1})
	f.Fuzz(func(t *testing.T, events []byte) {
		for name, layout := range layouts {
			ty, l := newTypist(layout), &line{names: people, free: len(events)%2 == 0}
			for i := 0; i+1 < len(events); i += 2 {
				p, ok := ty.key(uint16(events[i]), int32(events[i+1]%3))
				if !ok || p == escape {
					continue
				}
				a, done := l.press(p)
				if done && (a == "" || len(a) > 1000) {
					t.Errorf("%s: the answer is %q", name, a)
				}
				v := l.view()
				if !utf8.ValidString(v.Typed) || utf8.RuneCountInString(v.Typed) > maxTyped {
					t.Fatalf("%s: typed %q", name, v.Typed)
				}
				for _, r := range v.Typed {
					if unicode.IsControl(r) || r == none {
						t.Fatalf("%s: typed %q", name, v.Typed)
					}
				}
			}
		}
	})
}
