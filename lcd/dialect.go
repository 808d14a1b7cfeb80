package lcd

import (
	"maps"
	"slices"
	"time"
)

// dialect is the commands of a make of serial displays. All of them show the
// bytes that they receive, and take commands after 0xFE.
//
// Displays store none of these commands. Their commands for settings (baud
// rate, address, contrast, splash screen, backlight) write EEPROM, wear it out,
// and can make a display unusable for good. No code here can send one: the bytes
// that begin them are not letters of a dialect's character set.
type dialect struct {
	name string
	baud int
	// sync is harmless as the rest of a command that was cut off; splash is how
	// long a display may be busy after power-up.
	sync   []byte
	splash time.Duration
	// mode switches off cursors and scrolling, until power-off.
	mode  []byte
	clear []byte
	// cursor moves to a cell.
	cursor func(s Size, row, col int) []byte
	// avoid are cell addresses that no cursor command may name: if the byte
	// before it were lost, the address would be a setting's command.
	avoid []byte
	// never are codes above 0x1F that are not letters to the display.
	never []byte
	// glyph defines a letter until power-off; nil: the display has none, or
	// keeps them in EEPROM.
	glyph func(slot byte, b Bitmap) []byte
	// ask makes a display answer with one byte; nil: it can't.
	ask []byte
}

// clearTime is how long a display is busy after clear: 1.5 ms by the data
// sheets, 6.2 ms for an OLED module.
const clearTime = 10 * time.Millisecond

// prefix begins a command in all four dialects.
const prefix = 0xfe

// dialects by the configuration's kind of display.
var dialects = map[string]*dialect{
	// SparkFun SerLCD v2.5 (PIC): the controller's own instructions pass
	// through after 0xFE, except those that would leave 4-bit mode; 0x7C
	// begins settings. From the firmware, serlcd-v2_7_2line_10MHz.c in
	// sparkfun/OpenLCD. The splash screen takes half a second, during which
	// 0x12 would set the baud rate.
	"sparkfun": {
		name: "SparkFun SerLCD", baud: 9600,
		sync: []byte{insOn}, splash: 600 * time.Millisecond,
		mode: []byte{prefix, insOn}, clear: []byte{prefix, insClear},
		cursor: func(s Size, row, col int) []byte { return []byte{prefix, insCursor | s.address(row, col)} },
		never:  []byte{0x7c, 0x7f, 0xfe},
	},
	// SparkFun OpenLCD (AVR): the same, except that rows have the addresses of
	// a display with 20 columns whatever the width, and that drawing a letter
	// writes EEPROM. From the firmware, updateDisplay in OpenLCD.ino; an old
	// version had its settings at 0x7F.
	"openlcd": {
		name: "SparkFun OpenLCD", baud: 9600,
		sync: []byte{insOn}, splash: 600 * time.Millisecond,
		mode: []byte{prefix, insOn}, clear: []byte{prefix, insClear},
		cursor: func(s Size, row, col int) []byte {
			return []byte{prefix, insCursor | Size{20, s.Rows}.address(row, col)}
		},
		never: []byte{0x7c, 0x7f, 0xfe},
	},
	// Newhaven NHD-xxxxK3Z, S3Z, D3Z, B3Z, sold by NKC as well. Data sheet
	// NHD-0216K3Z, "table of commands": 0x41 on, 0x45 n cursor, 0x51 clear
	// (1.5 ms), 0x48 and 0x4C no cursor, 0x54 n and eight rows draws a letter;
	// 100 ms after power-up.
	"newhaven": {
		name: "Newhaven", baud: 9600,
		sync: []byte{0x41, 0x41}, splash: 100 * time.Millisecond,
		mode: []byte{prefix, 0x41, prefix, 0x48, prefix, 0x4c}, clear: []byte{prefix, 0x51},
		cursor: func(s Size, row, col int) []byte { return []byte{prefix, 0x45, s.address(row, col)} },
		avoid:  []byte{0x52, 0x53, 0x61, 0x62}, // contrast, backlight, baud rate, address
		never:  []byte{0xfe},
		glyph: func(slot byte, b Bitmap) []byte {
			return append([]byte{prefix, 0x54, slot}, b[:]...)
		},
	},
	// Matrix Orbital LK, LCD and VK series. Manual LK204-25: 0x47 column row
	// from 1, 0x58 clear, 0x48 home, 0x4E n and eight rows draws a letter,
	// 0x37 asks for the module's type. At power-up it scrolls when the last
	// cell is written (0x52 stops that) and wraps (0x44); 0x4B and 0x54 hide
	// the cursors.
	"matrix-orbital": {
		name: "Matrix Orbital", baud: 19200,
		sync: []byte{0x48, 0x48}, splash: 50 * time.Millisecond,
		mode: []byte{prefix, 0x52, prefix, 0x44, prefix, 0x4b, prefix, 0x54}, clear: []byte{prefix, 0x58},
		cursor: func(_ Size, row, col int) []byte {
			return []byte{prefix, 0x47, byte(col + 1), byte(row + 1)}
		},
		never: []byte{0xfe},
		glyph: func(slot byte, b Bitmap) []byte {
			return append([]byte{prefix, 0x4e, slot}, b[:]...)
		},
		ask: []byte{prefix, 0x37},
	},
}

// charset returns the letters of a ROM that the dialect can send: not those whose
// codes mean something else to the display.
func (d *dialect) charset(rom *Charset) *Charset {
	c := &Charset{codes: maps.Clone(rom.codes)}
	maps.DeleteFunc(c.codes, func(_ rune, b byte) bool { return b < 0x20 || slices.Contains(d.never, b) })
	if d.glyph != nil {
		c.glyphs = rom.glyphs
	}
	return c
}
