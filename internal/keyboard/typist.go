package keyboard

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// press is what a key means to the line that is typed: a letter, or one of the
// keys below.
type press rune

// Keys that are not letters. They are above all of Unicode.
const (
	enter press = unicode.MaxRune + 1 + iota
	backspace
	escape
	tab // also →: takes the offered name
	up
	down
	nothing // a key without a meaning; someone is typing
)

// Key codes that are not letters (linux/input-event-codes.h).
const (
	keyLeftCtrl, keyRightCtrl   = 29, 97
	keyLeftShift, keyRightShift = 42, 54
	keyLeftAlt, keyRightAlt     = 56, 100
	keyLeftMeta, keyRightMeta   = 125, 126
	keyCapsLock                 = 58
)

var named = map[uint16]press{
	1: escape, 14: backspace, 15: tab, 28: enter, 96: enter, 103: up, 106: tab, 108: down,
}

// typist turns the codes of one keyboard into presses.
type typist struct {
	layout layout
	held   map[uint16]bool // modifiers
	caps   bool
	dead   rune // a dead key that waits for its letter
}

func newTypist(l layout) *typist { return &typist{layout: l, held: map[uint16]bool{}} }

// key takes a key event: value 0 is up, 1 down, 2 the kernel's repeat. ok is
// whether it is a press.
func (t *typist) key(code uint16, value int32) (p press, ok bool) {
	switch code {
	case keyLeftCtrl, keyRightCtrl, keyLeftShift, keyRightShift, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta:
		t.held[code] = value != 0
		return nothing, value == 1
	case keyCapsLock:
		if value == 1 {
			t.caps = !t.caps
		}
		return nothing, value == 1
	}
	if value == 0 {
		return nothing, false
	}
	if p, ok := named[code]; ok {
		t.dead = 0
		return p, true
	}
	if t.any(keyLeftCtrl, keyRightCtrl, keyLeftAlt, keyLeftMeta, keyRightMeta) {
		return nothing, true // there are no shortcuts
	}
	return t.letter(code), true
}

// letter returns a key's letter, with the accent of a dead key before it.
func (t *typist) letter(code uint16) press {
	level := t.level()
	r := t.layout[code][level]
	if t.caps && unicode.IsLetter(r) && level < 2 {
		if level == 0 {
			r = unicode.ToUpper(r)
		} else {
			r = unicode.ToLower(r)
		}
	}
	switch {
	case r == 0:
		return nothing
	case unicode.Is(unicode.Mn, r):
		t.dead = r
		return nothing
	case t.dead == 0:
		return press(r)
	}
	both := []rune(norm.NFC.String(string(r) + string(t.dead)))
	t.dead = 0
	if len(both) == 1 {
		return press(both[0])
	}
	return press(r) // there is no such letter
}

// level is which of a key's letters is meant: 1 with Shift, 2 with AltGr, 3 with both.
func (t *typist) level() (level int) {
	if t.any(keyLeftShift, keyRightShift) {
		level |= 1
	}
	if t.any(keyRightAlt) {
		level |= 2
	}
	return level
}

// letter is the press as a [Stroke] has it.
func (p press) letter() rune {
	switch {
	case p == enter:
		return '\n'
	case p == tab:
		return '\t'
	case p < enter:
		return rune(p)
	}
	return 0
}

// any is whether one of the modifiers is held.
func (t *typist) any(codes ...uint16) bool {
	return slices.ContainsFunc(codes, func(c uint16) bool { return t.held[c] })
}

// lost forgets what is held, after the kernel dropped events.
func (t *typist) lost() { t.held, t.dead = map[uint16]bool{}, 0 }
