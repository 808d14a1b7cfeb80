// Package lcdtest has models of displays: they take the bytes or levels that a
// driver sends, and show what a person would see.
//
// The models are strict. Faults and Settings report what a real display would
// lose, garble or store for good, because it came too early, in the wrong mode,
// or as a setting. The models use the time package, so that under
// testing/synctest every pause is checked and takes no time.
package lcdtest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"stump/lcd"
)

// OutOfStep is the fault that the halves of two bytes were taken for one byte.
const OutOfStep = "RS changed between the halves of a byte"

// Controller is an HD44780 with its display. It takes levels on its lines.
type Controller struct {
	mu      sync.Mutex
	size    lcd.Size
	rom     *[256]rune
	faults  []string
	untimed bool // times are not checked

	ddram   [128]byte
	cgram   [64]byte
	ac      byte
	inCG    bool // ac counts letters' memory
	eight   bool // 8-bit mode
	lines2  bool
	on      bool
	right   bool // the cursor moves right
	shifts  bool // every write shifts the display
	offset  int  // how far the display is shifted
	wakes   int  // function sets since power-up
	busy    time.Time
	half    bool // the high half of a byte came
	hi      byte
	rs      bool // RS with the high half
	e       bool
	reading bool
	out     byte // what a read gives
	writes  int  // letters written
}

// NewController returns a display that was just switched on, with the ROM "A00"
// or "A02".
func NewController(s lcd.Size, rom string) *Controller {
	c := &Controller{size: s, rom: &romA00}
	if rom == "A02" {
		c.rom = &romA02
	}
	c.PowerOn()
	return c
}

// Untimed makes the controller accept bytes that come too early, for tests
// outside of a synctest bubble.
func (c *Controller) Untimed() *Controller { c.untimed = true; return c }

// PowerOn is what plugging the display in does: 8-bit mode, display off, garbage
// in the memory.
func (c *Controller) PowerOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.ddram {
		c.ddram[i] = byte(i*37 + 11)
	}
	for i := range c.cgram {
		c.cgram[i] = byte(i * 7)
	}
	c.ac, c.inCG, c.eight, c.lines2, c.on, c.right, c.shifts = 0, false, true, false, false, true, false
	c.offset, c.wakes, c.half = 0, 0, false
	c.wait(40 * time.Millisecond)
}

// Spark garbles the controller as a discharge does: half of a byte is lost, and
// letters change.
func (c *Controller) Spark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.half, c.hi, c.rs = !c.half, 0x6, true
	for i := 3; i < len(c.ddram); i += 9 {
		c.ddram[i] ^= 0x15
	}
}

// Faults returns what would have gone wrong on a real display.
func (c *Controller) Faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.faults)
}

// Writes returns how many letters were written since the start.
func (c *Controller) Writes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// Mode describes the controller's mode. It is [Healthy] while text is shown.
func (c *Controller) Mode() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("8-bit %v, 2 lines %v, on %v, right %v, shifts %v, offset %d, half %v", c.eight, c.lines2, c.on, c.right, c.shifts, c.offset, c.half)
}

// Healthy is the mode of a display that shows text.
const Healthy = "8-bit false, 2 lines true, on true, right true, shifts false, offset 0, half false"

// Rows returns what a person sees.
func (c *Controller) Rows() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return rows(c.size, c.letter)
}

func (c *Controller) letter(row, col int) rune {
	if !c.on {
		return ' '
	}
	base := []int{0, 0x40, c.size.Cols, 0x40 + c.size.Cols}[row]
	line := base &^ 0x3f
	code := c.ddram[line+(base-line+col+c.offset+40)%40]
	if code >= 16 {
		return c.rom[code]
	}
	var b lcd.Bitmap
	copy(b[:], c.cgram[8*(code&7):])
	return drawn(b)
}

// String returns the rows as "Ann / iPad Mini".
func (c *Controller) String() string { return join(c.Rows()) }

func (c *Controller) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *Controller) wait(d time.Duration) {
	if !c.untimed {
		c.busy = time.Now().Add(d)
	}
}

// Lines sets the levels of the controller's lines; data are D4 to D7 in the
// low half. It returns what the controller puts on D4 to D7 while it is read.
func (c *Controller) Lines(rs, rw, e bool, data byte) (out byte, driven bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rose, fell := e && !c.e, !e && c.e
	c.e = e
	switch {
	case rw && rose:
		if !c.half {
			c.out = c.ac
			if !c.untimed && time.Now().Before(c.busy) {
				c.out |= 0x80
			}
		}
		c.reading = true
	case rw && fell:
		c.half, c.reading = !c.half && !c.eight, false
	case fell:
		c.latch(rs, data)
	}
	if rw && e {
		if c.half {
			return c.out & 0x0f, true
		}
		return c.out >> 4, true
	}
	return 0, false
}

// latch takes the levels of the lines when E falls.
func (c *Controller) latch(rs bool, n byte) {
	switch {
	case c.eight:
		c.take(rs, n<<4) // D0 to D3 are not wired and read as 0
	case !c.half:
		c.early(rs, n<<4)
		c.half, c.hi, c.rs = true, n, rs
	default:
		if rs != c.rs {
			c.fault(OutOfStep)
		}
		c.half = false
		c.take(rs, c.hi<<4|n)
	}
}

// early reports a byte that comes while the controller is busy.
func (c *Controller) early(rs bool, b byte) {
	if now := time.Now(); !c.untimed && now.Before(c.busy) {
		c.fault("byte 0x%02x (RS %v) came %v too early", b, rs, c.busy.Sub(now))
	}
}

// take executes a whole byte.
func (c *Controller) take(rs bool, b byte) {
	if c.eight {
		c.early(rs, b)
	}
	c.wait(37 * time.Microsecond)
	if rs {
		c.data(b)
		return
	}
	switch {
	case b&0x80 != 0:
		c.ac, c.inCG = b&0x7f, false
	case b&0x40 != 0:
		c.ac, c.inCG = b&0x3f, true
	case b&0x20 != 0:
		c.function(b)
	case b&0x10 != 0:
		if b&0x08 != 0 {
			c.offset += map[bool]int{true: -1, false: 1}[b&0x04 != 0]
		}
	case b&0x08 != 0:
		c.on = b&0x04 != 0
	case b&0x04 != 0:
		c.right, c.shifts = b&0x02 != 0, b&0x01 != 0
	case b&0x02 != 0:
		c.ac, c.inCG, c.offset = 0, false, 0
		c.wait(1520 * time.Microsecond)
	case b&0x01 != 0:
		for i := range c.ddram {
			c.ddram[i] = ' '
		}
		c.ac, c.inCG, c.offset, c.right = 0, false, 0, true
		c.wait(1520 * time.Microsecond)
	}
}

// function is "function set". After power-up the first two need pauses that
// the busy flag doesn't show.
func (c *Controller) function(b byte) {
	c.eight = b&0x10 != 0
	c.lines2 = b&0x08 != 0
	if c.eight {
		switch c.wakes++; c.wakes {
		case 1:
			c.wait(4100 * time.Microsecond)
		case 2:
			c.wait(100 * time.Microsecond)
		}
	}
}

// data writes a byte to the memory that the address counter is in.
func (c *Controller) data(b byte) {
	if c.inCG {
		c.cgram[c.ac&0x3f] = b & 0x1f
		c.ac = (c.ac + 1) & 0x3f
		return
	}
	c.writes++
	c.ddram[c.ac&0x7f] = b
	if !c.right {
		c.ac--
		return
	}
	switch c.ac++; c.ac {
	case 0x28:
		c.ac = 0x40
	case 0x68:
		c.ac = 0
	}
}
