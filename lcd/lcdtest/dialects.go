package lcdtest

// sparkfun is SerLCD v2.5, from its PIC's source.
func (d *Serial) sparkfun(byte) {
	p := d.pending
	switch {
	case p[0] == 0x7c:
		d.pipe(p)
	case p[0] != 0xfe:
		d.plain(p[0])
	case len(p) == 2:
		d.passThrough(p[1])
	}
}

// openLCD is OpenLCD, from updateDisplay in its firmware.
func (d *Serial) openLCD(byte) {
	p := d.pending
	switch {
	case p[0] == 0x7c, p[0] == 0x7f:
		d.pipe(p)
	case p[0] != 0xfe:
		d.plain(p[0])
	case len(p) == 1:
	case p[1]>>6 == 1: // a letter's drawing: eight bytes, written to EEPROM
		if len(p) == 10 {
			d.set("drawing %d", p[1]&0x3f)
		}
	case p[1]&0x80 != 0:
		switch a := p[1] & 0x7f; { // rows of 20, whatever the width
		case a <= 39, a >= 64 && a <= 103:
			d.at = a
		default:
			d.at = 0
		}
		d.pending = nil
	default:
		d.passThrough(p[1])
	}
}

// plain shows a byte, except that 8 goes back.
func (d *Serial) plain(b byte) {
	if b == 8 {
		d.faults = append(d.faults, "backspace")
		d.pending = nil
		return
	}
	d.letter(b)
}

// passThrough gives a byte to the controller itself.
func (d *Serial) passThrough(b byte) {
	switch {
	case b&0x80 != 0:
		d.at = b & 0x7f
	case b>>4 == 3: // ignored by the firmware
	case b == 0x01:
		d.clear()
	case b&0xf8 == 0x08:
		d.on = b&0x04 != 0
	default:
		d.unknown()
		return
	}
	d.pending = nil
}

// pipe is a setting of either SparkFun display; all are stored.
func (d *Serial) pipe(p []byte) {
	if len(p) < 2 {
		return
	}
	switch b := p[1]; {
	case b >= 0x0b && b <= 0x17:
		d.set("baud rate %d", b)
		d.baud = 1
	case b >= 0x80 && b <= 0x9d:
		d.set("backlight %d", b)
	default:
		d.set("setting 0x%02x", b)
	}
}

// newhaven is the NHD-0216K3Z and its relatives, from the data sheet's table
// of commands.
func (d *Serial) newhaven(byte) {
	p := d.pending
	if p[0] != 0xfe {
		d.letter(p[0])
		return
	}
	if len(p) == 1 {
		return
	}
	params := map[byte]int{0x45: 1, 0x52: 1, 0x53: 1, 0x54: 9, 0x61: 1, 0x62: 1}[p[1]]
	if len(p) < 2+params {
		return
	}
	switch p[1] {
	case 0x41:
		d.on = true
	case 0x42:
		d.on = false
	case 0x45:
		d.at = p[2]
	case 0x46:
		d.at = 0
	case 0x48, 0x4c: // no cursor
	case 0x51:
		d.clear()
	case 0x52:
		d.set("contrast %d", p[2])
	case 0x53:
		d.set("backlight %d", p[2])
	case 0x54:
		copy(d.glyphs[p[2]&7][:], p[3:])
	case 0x61:
		d.set("baud rate %d", p[2])
		d.baud = 1
	case 0x62:
		d.set("i2c address %d", p[2])
	default:
		d.unknown()
		return
	}
	d.pending = nil
}

// matrixOrbital is the LK series, from the LK204-25 manual's command summary.
func (d *Serial) matrixOrbital(byte) {
	p := d.pending
	if p[0] != 0xfe {
		last := d.address(d.size.Rows-1, d.size.Cols-1)
		if d.scrolls && d.at == last {
			d.faults = append(d.faults, "the text scrolled")
		}
		d.letter(p[0])
		return
	}
	if len(p) == 1 {
		return
	}
	params := map[byte]int{0x47: 2, 0x4e: 9, 0x42: 1, 0x50: 1, 0x99: 1, 0x98: 1, 0x33: 1, 0x34: 2, 0x39: 1, 0x40: 32, 0x91: 1, 0x93: 1, 0xa4: 2}[p[1]]
	if len(p) < 2+params {
		return
	}
	switch p[1] {
	case 0x37:
		d.reply = append(d.reply, 0x09) // LK204-25
	case 0x44: // no wrap
	case 0x47:
		col, row := int(p[2])-1, int(p[3])-1
		if col < 0 || col >= d.size.Cols || row < 0 || row >= d.size.Rows {
			d.unknown()
			return
		}
		d.at = d.address(row, col)
	case 0x48:
		d.at = 0
	case 0x4b, 0x54: // no cursor
	case 0x4e:
		copy(d.glyphs[p[2]&7][:], p[3:])
	case 0x52:
		d.scrolls = false
	case 0x58:
		d.clear()
	case 0x33, 0x34, 0x39, 0x40, 0x50, 0x91, 0x93, 0x98, 0x99, 0xa4:
		d.set("setting 0x%02x", p[1])
		if p[1] == 0x39 || p[1] == 0xa4 {
			d.baud = 1
		}
	default:
		d.unknown()
		return
	}
	d.pending = nil
}
