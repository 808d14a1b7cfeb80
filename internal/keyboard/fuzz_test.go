package keyboard

import (
	"maps"
	"slices"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzTyping hits keys at random, on a layout: what comes out is a name that can be
// shown and stored. A person hits no more keys than mostKeys before they see the desk.
func FuzzTyping(f *testing.F) {
	const mostKeys = 300
	names := slices.Sorted(maps.Keys(layouts))
	f.Add(uint8(0), []byte{30, 1, 48, 1, 28, 1})
	f.Add(uint8(1), []byte{42, 1, 30, 1, 42, 0, 13, 1, 18, 1, 108, 1, 15, 1, 14, 1, 28, 1})
	f.Fuzz(func(t *testing.T, layout uint8, events []byte) {
		name := names[int(layout)%len(names)]
		ty, l := newTypist(layouts[name]), &line{names: people, free: len(events)%2 == 0}
		for i := 0; i+1 < min(len(events), 2*mostKeys); i += 2 {
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
	})
}
