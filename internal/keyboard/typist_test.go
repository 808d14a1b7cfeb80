package keyboard

import (
	"strings"
	"testing"
)

// stroke is a key code with the modifiers held for it.
type stroke struct {
	code uint16
	mods []uint16
}

func (t *typist) strike(s stroke) (out []press) {
	note := func(code uint16, value int32) {
		if p, ok := t.key(code, value); ok && p != nothing {
			out = append(out, p)
		}
	}
	for _, m := range s.mods {
		note(m, 1)
	}
	note(s.code, 1)
	note(s.code, 0)
	for _, m := range s.mods {
		note(m, 0)
	}
	return out
}

func typed(presses []press) string {
	var b strings.Builder
	for _, p := range presses {
		b.WriteRune(rune(p))
	}
	return b.String()
}

func TestLayouts(t *testing.T) {
	shift, altgr := []uint16{keyLeftShift}, []uint16{keyRightAlt}
	tests := []struct {
		layout string
		keys   []stroke
		want   string
	}{
		// The same keys, as they are labelled in each country.
		{"us", keysOf(16, 21, 44, 2, 12), "qyz1-"},
		{"gb", keysOf(16, 21, 44, 2, 12), "qyz1-"},
		{"de", keysOf(16, 21, 44, 2, 12), "qzy1ß"},
		{"fr", keysOf(16, 21, 44, 2, 12), "ayw&)"},
		{"us", []stroke{{30, shift}, {3, shift}, {40, shift}}, "A@\""},
		{"gb", []stroke{{30, shift}, {3, shift}, {40, shift}, {43, nil}}, "A\"@#"},
		{"de", []stroke{{40, nil}, {40, shift}, {16, altgr}, {12, nil}, {86, nil}}, "äÄ@ß<"},
		{"fr", []stroke{{3, nil}, {3, shift}, {8, nil}, {11, altgr}, {40, nil}}, "é2è@ù"},
		{"gb", []stroke{{18, altgr}}, "é"},
		// Dead keys.
		{"de", keysOf(13, 18, 41, 30), "éâ"},
		{"de", []stroke{{13, shift}, {22, nil}}, "ù"},
		{"fr", []stroke{{26, shift}, {18, nil}, {26, nil}, {24, nil}}, "ëô"},
		{"fr", []stroke{{3, altgr}, {49, nil}}, "ñ"},
		{"de", keysOf(13, 57, 30), " a"},
		{"de", keysOf(13, 45, 30), "xa"}, // no such letter as x with an acute
		// Keypad and space.
		{"fr", keysOf(79, 57, 82), "1 0"},
		// Shortcuts say nothing.
		{"us", []stroke{{46, []uint16{keyLeftCtrl}}, {30, []uint16{keyLeftAlt}}, {30, nil}}, "a"},
		// Caps lock is for letters.
		{"us", []stroke{{keyCapsLock, nil}, {30, nil}, {2, nil}, {30, shift}, {keyCapsLock, nil}, {30, nil}}, "A1aa"},
		{"de", []stroke{{keyCapsLock, nil}, {40, nil}}, "Ä"},
	}
	for _, tc := range tests {
		ty := newTypist(layouts[tc.layout])
		var got []press
		for _, s := range tc.keys {
			got = append(got, ty.strike(s)...)
		}
		if typed(got) != tc.want {
			t.Errorf("%s %v: %q, want %q", tc.layout, tc.keys, typed(got), tc.want)
		}
	}
}

func keysOf(codes ...uint16) []stroke {
	var out []stroke
	for _, c := range codes {
		out = append(out, stroke{c, nil})
	}
	return out
}

// Every layout has the letters, digits and signs that names have.
func TestLayoutsAreWhole(t *testing.T) {
	for name, l := range layouts {
		have := map[rune]bool{}
		for _, levels := range l {
			for _, r := range levels {
				have[r] = true
			}
		}
		for _, r := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -.',()/@&+" {
			if !have[r] {
				t.Errorf("%s has no %q", name, r)
			}
		}
		if have[none] {
			t.Errorf("%s types the stand-in for no letter", name)
		}
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Options{Layout: "dvorak"}); err == nil || !strings.Contains(err.Error(), "de, fr, gb, us") {
		t.Errorf("dvorak: %v", err)
	}
	k, err := New(Options{})
	if err != nil || k.o.Layout != "us" || k.String() != "keyboard" {
		t.Errorf("%s: %v", k, err)
	}
}

func TestNamedKeysAndRepeat(t *testing.T) {
	ty := newTypist(layouts["us"])
	for code, want := range map[uint16]press{1: escape, 14: backspace, 15: tab, 28: enter, 96: enter, 103: up, 108: down, 106: tab} {
		if p, ok := ty.key(code, 1); !ok || p != want {
			t.Errorf("code %d: %v", code, p)
		}
	}
	if p, ok := ty.key(30, 2); !ok || p != 'a' {
		t.Errorf("repeat: %v", p)
	}
	if _, ok := ty.key(30, 0); ok {
		t.Error("letting go of a key is a press")
	}
	ty.key(keyLeftShift, 1)
	ty.lost()
	if p, _ := ty.key(30, 1); p != 'a' {
		t.Errorf("after dropped events Shift is still held: %c", p)
	}
}
