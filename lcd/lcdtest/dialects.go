package lcdtest

// sparkFun takes bytes as SerLCD v2.5 does, from its PIC's source, or as OpenLCD
// does, from updateDisplay in its firmware. more: the command goes on.
func (d *Serial) sparkFun(p []byte, openLCD bool) (more bool) {
	switch {
	case p[0] == 0x7c, p[0] == 0x7f && openLCD:
		if len(p) == 1 {
			return true
		}
		d.pipe(p[1])
	case p[0] == 8:
		d.fault("backspace")
	case p[0] != 0xfe:
		d.letter(p[0])
	case len(p) == 1:
		return true
	case openLCD && p[1]>>6 == 1: // a letter's drawing: eight bytes, written to EEPROM
		if len(p) < 10 {
			return true
		}
		d.set("drawing %d", p[1]&0x3f)
	default:
		d.passThrough(p[1], openLCD)
	}
	return false
}

// passThrough gives a byte to the display's controller.
func (d *Serial) passThrough(b byte, openLCD bool) {
	switch at := b & 0x7f; {
	case b&0x80 != 0:
		if openLCD && at > 39 && (at < 64 || at > 103) { // rows of 20, whatever the width
			at = 0
		}
		d.at = at
	case b>>4 == 3: // ignored by the firmware
	case b == 0x01:
		d.clear()
	case b&0xf8 == 0x08:
		d.on = b&0x04 != 0
	default:
		d.unknown()
	}
}

// pipe is a setting of either SparkFun display. All are stored.
func (d *Serial) pipe(b byte) {
	switch {
	case b >= 0x0b && b <= 0x17:
		d.set("baud rate %d", b)
		d.baud = 1
	case b >= 0x80 && b <= 0x9d:
		d.set("backlight %d", b)
	default:
		d.set("setting 0x%02x", b)
	}
}

// command is one of a display's commands, which follow 0xFE.
type command struct {
	params int
	do     func(d *Serial, params []byte)
}

// noEffect is for commands that set what a display shows text with anyway.
func noEffect(*Serial, []byte) {}

// stored is for settings, which a display keeps for good.
func stored(name string) func(*Serial, []byte) {
	return func(d *Serial, params []byte) { d.set("%s % x", name, params) }
}

// newSpeed is stored for settings that change the speed, after which the display
// understands nothing.
func newSpeed(d *Serial, params []byte) {
	d.set("baud rate % x", params)
	d.baud = 1
}

func (d *Serial) draw(params []byte) { copy(d.glyphs[params[0]&7][:], params[1:]) }

// command takes bytes as a display does whose commands are in a table. more: the
// command goes on.
func (d *Serial) command(p []byte, table map[byte]command) (more bool) {
	if p[0] != 0xfe {
		d.letter(p[0])
		return false
	}
	if len(p) == 1 {
		return true
	}
	c, ok := table[p[1]]
	switch {
	case !ok:
		d.unknown()
	case len(p) < 2+c.params:
		return true
	default:
		c.do(d, p[2:])
	}
	return false
}

// newhaven is the NHD-0216K3Z and its relatives, from the data sheet's table
// of commands.
var newhaven = map[byte]command{
	0x41: {0, func(d *Serial, _ []byte) { d.on = true }},
	0x42: {0, func(d *Serial, _ []byte) { d.on = false }},
	0x45: {1, func(d *Serial, p []byte) { d.at = p[0] }},
	0x46: {0, func(d *Serial, _ []byte) { d.at = 0 }},
	0x48: {0, noEffect}, 0x4c: {0, noEffect}, // no cursor
	0x51: {0, func(d *Serial, _ []byte) { d.clear() }},
	0x52: {1, stored("contrast")},
	0x53: {1, stored("backlight")},
	0x54: {9, (*Serial).draw},
	0x61: {1, newSpeed},
	0x62: {1, stored("i2c address")},
}

// matrixOrbital is the LK series, from the LK204-25 manual's command summary.
var matrixOrbital = map[byte]command{
	0x33: {1, stored("i2c address")},
	0x34: {2, stored("serial number")},
	0x37: {0, func(d *Serial, _ []byte) { d.reply = append(d.reply, 0x09) }}, // LK204-25
	0x39: {1, newSpeed},
	0x40: {32, stored("splash screen")},
	0x44: {0, noEffect}, // no wrap
	0x47: {2, func(d *Serial, p []byte) {
		col, row := int(p[0])-1, int(p[1])-1
		if col < 0 || col >= d.size.Cols || row < 0 || row >= d.size.Rows {
			d.unknown()
			return
		}
		d.at = d.address(row, col)
	}},
	0x48: {0, func(d *Serial, _ []byte) { d.at = 0 }},
	0x4b: {0, noEffect}, 0x54: {0, noEffect}, // no cursor
	0x4e: {9, (*Serial).draw},
	0x50: {1, stored("contrast")},
	0x52: {0, func(d *Serial, _ []byte) { d.scrolls = false }},
	0x58: {0, func(d *Serial, _ []byte) { d.clear() }},
	0x91: {1, stored("saved contrast")},
	0x93: {1, stored("memory")},
	0x98: {1, stored("saved backlight")},
	0x99: {1, stored("backlight")},
	0xa4: {2, newSpeed},
}
