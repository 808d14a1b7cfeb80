package keyboard

import (
	"maps"
	"slices"
)

// layout is the letters of the keys, by the kernel's key code
// (linux/input-event-codes.h): alone, with Shift, with AltGr, and with both. A
// combining mark (U+0300 and on) is a dead key: it goes onto the next letter.
type layout map[uint16][4]rune

// Layouts returns the names of the layouts, sorted.
func Layouts() []string { return slices.Sorted(maps.Keys(layouts)) }

// Letter is what a key types in a layout, 0 for nothing.
func Letter(layout string, code uint16, level int) rune { return layouts[layout][code][level] }

// Key is the inverse of [Letter]: the key that types a letter, the first if
// several do.
func Key(layout string, letter rune) (code uint16, level int, ok bool) {
	for _, row := range codes {
		for _, code := range row {
			if level := slices.Index(levels(layout, code), letter); level >= 0 {
				return code, level, true
			}
		}
	}
	return 0, 0, false
}

func levels(layout string, code uint16) []rune {
	k := layouts[layout][code]
	return k[:]
}

// none marks a place without a letter in the tables below.
const none = '␣'

// codes are the keys of the letter block, row by row from the top left. The last
// one of the third row is beside Enter; the first one of the fourth row, beside
// the left Shift, is only on ISO keyboards.
var codes = [4][]uint16{
	{41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13},
	{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27},
	{30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43},
	{86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53},
}

// Dead keys.
const (
	grave, acute, circumflex, tilde, diaeresis = "\u0300", "\u0301", "\u0302", "\u0303", "\u0308"
)

// layouts as printed on the keys: for each row the keys alone, with Shift, and
// with AltGr. Rows may end early.
var layouts = map[string]layout{
	"us": newLayout([4][3]string{
		{"`1234567890-=", "~!@#$%^&*()_+"},
		{"qwertyuiop[]", "QWERTYUIOP{}"},
		{`asdfghjkl;'\`, `ASDFGHJKL:"|`},
		{`\zxcvbnm,./`, "|ZXCVBNM<>?"},
	}),
	"gb": newLayout([4][3]string{
		{"`1234567890-=", `¬!"£$%^&*()_+`, "¦␣␣␣€"},
		{"qwertyuiop[]", "QWERTYUIOP{}", "␣␣é␣␣␣úíó"},
		{"asdfghjkl;'#", "ASDFGHJKL:@~", "á"},
		{`\zxcvbnm,./`, "|ZXCVBNM<>?"},
	}),
	"de": newLayout([4][3]string{
		{circumflex + "1234567890ß" + acute, `°!"§$%&/()=?` + grave, `␣␣²³␣␣␣{[]}\`},
		{"qwertzuiopü+", "QWERTZUIOPÜ*", "@␣€␣␣␣␣␣␣␣␣~"},
		{"asdfghjklöä#", "ASDFGHJKLÖÄ'"},
		{"<yxcvbnm,.-", ">YXCVBNM;:_", "|␣␣␣␣␣␣µ"},
	}),
	"fr": newLayout([4][3]string{
		{`²&é"'(-è_çà)=`, "␣1234567890°+", "␣␣" + tilde + "#{[|" + grave + `\^@]}`},
		{"azertyuiop" + circumflex + "$", "AZERTYUIOP" + diaeresis + "£", "␣␣€␣␣␣␣␣␣␣␣¤"},
		{"qsdfghjklmù*", "QSDFGHJKLM%µ"},
		{"<wxcvbn,;:!", ">WXCVBN?./§"},
	}),
}

// newLayout reads the rows of a table.
func newLayout(rows [4][3]string) layout {
	l := layout{57: {' ', ' ', ' ', ' '}}
	for i, row := range rows {
		for level, letters := range row {
			for j, r := range []rune(letters) {
				k := l[codes[i][j]]
				if r != none {
					k[level] = r
				}
				l[codes[i][j]] = k
			}
		}
	}
	for code, r := range keypad {
		l[code] = [4]rune{r, r}
	}
	return l
}

// keypad is the number block. It types numbers whatever NumLock says, because
// nothing here needs its other keys.
var keypad = map[uint16]rune{
	71: '7', 72: '8', 73: '9', 74: '-', 75: '4', 76: '5', 77: '6', 78: '+',
	79: '1', 80: '2', 81: '3', 82: '0', 83: '.', 55: '*', 98: '/',
}
