package keyboard

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Press is what a key means to the line that is typed: a letter, or one of the
// keys below.
type Press rune

// Keys that are not letters. They lie above all of Unicode.
const (
	Enter Press = unicode.MaxRune + 1 + iota
	Backspace
	Escape
	Tab // also →: takes the offered name
	Up
	Down
	nothing // a key without meaning: somebody is there
)

// Key codes that are not letters (linux/input-event-codes.h).
const (
	keyLeftCtrl, keyRightCtrl   = 29, 97
	keyLeftShift, keyRightShift = 42, 54
	keyLeftAlt, keyRightAlt     = 56, 100
	keyLeftMeta, keyRightMeta   = 125, 126
	keyCapsLock                 = 58
)

var named = map[uint16]Press{
	1: Escape, 14: Backspace, 15: Tab, 28: Enter, 96: Enter, 103: Up, 106: Tab, 108: Down,
}

// typist turns the codes of one keyboard into presses.
type typist struct {
	layout *Layout
	held   map[uint16]bool // modifiers
	caps   bool
	dead   rune // a dead key that waits for its letter
}

// key takes a key event: value 0 is up, 1 down, 2 the kernel's repeat. ok is
// whether it means anything to the line.
func (t *typist) key(code uint16, value int32) (p Press, ok bool) {
	switch code {
	case keyLeftCtrl, keyRightCtrl, keyLeftShift, keyRightShift, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta:
		if t.held == nil {
			t.held = map[uint16]bool{}
		}
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
		return nothing, true // a shortcut, of which there are none
	}
	return t.letter(code)
}

// letter returns a key's letter, put together with a dead key before it.
func (t *typist) letter(code uint16) (Press, bool) {
	level := 0
	if t.any(keyLeftShift, keyRightShift) {
		level |= 1
	}
	if t.any(keyRightAlt) {
		level |= 2
	}
	r := t.layout.keys[code][level]
	if t.caps && unicode.IsLetter(r) && level < 2 {
		if level == 0 {
			r = unicode.ToUpper(r)
		} else {
			r = unicode.ToLower(r)
		}
	}
	switch {
	case r == 0:
		return nothing, true
	case unicode.Is(unicode.Mn, r):
		t.dead = r
		return nothing, true
	case t.dead == 0:
		return Press(r), true
	}
	both := []rune(norm.NFC.String(string(r) + string(t.dead)))
	t.dead = 0
	if len(both) == 1 {
		return Press(both[0]), true
	}
	return Press(r), true // there is no such letter
}

func (t *typist) any(codes ...uint16) bool {
	for _, c := range codes {
		if t.held[c] {
			return true
		}
	}
	return false
}

// lost forgets what is held: the kernel dropped events.
func (t *typist) lost() { t.held, t.dead = nil, 0 }
