package lcdtest

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"stump/lcd"
)

// ready is a controller in 4-bit mode that takes bytes at any time.
func ready(t *testing.T, rom string) *Controller {
	t.Helper()
	c := NewController(size16x2, rom).Untimed()
	for _, n := range []byte{3, 3, 3, 2} {
		c.Lines(false, false, true, n)
		c.Lines(false, false, false, n)
	}
	clock(c, false, 0x28, 0x0c, 0x06, 0x01)
	return c
}

// read reads a byte in two nibbles, as the data lines would give it.
func read(c *Controller) (b byte) {
	for range 2 {
		n, driven := c.Lines(false, true, true, 0x0f)
		if !driven {
			return 0xff
		}
		b = b<<4 | n
		c.Lines(false, true, false, 0x0f)
	}
	return b
}

// Each instruction does what the data sheet says (table 6).
func TestControllerInstructions(t *testing.T) {
	for name, tc := range map[string]struct {
		do      func(*Controller)
		want    string
		counter byte
	}{
		"clear":                     {func(c *Controller) { clock(c, true, 'A'); clock(c, false, 0x01); clock(c, true, 'B') }, "B", 0x01},
		"home":                      {func(c *Controller) { clock(c, true, 'A', 'B'); clock(c, false, 0x02); clock(c, true, 'C') }, "CB", 0x01},
		"an address":                {func(c *Controller) { clock(c, false, 0x80|0x42); clock(c, true, 'A') }, " /   A", 0x43},
		"the first line goes on":    {func(c *Controller) { clock(c, false, 0x80|0x27); clock(c, true, 'x', 'A') }, " / A", 0x41},
		"the last cell, then first": {func(c *Controller) { clock(c, false, 0x80|0x67); clock(c, true, 'x', 'A') }, "A", 0x01},
		"the cursor to the left":    {func(c *Controller) { clock(c, false, 0x85, 0x04); clock(c, true, 'A', 'B') }, "    BA", 0x03},
		"shifted left, and right":   {func(c *Controller) { clock(c, true, 'A', 'B'); clock(c, false, 0x18, 0x18, 0x1c) }, "B", 0x02},
		"off":                       {func(c *Controller) { clock(c, true, 'A'); clock(c, false, 0x08) }, "", 0x01},
		"off and on":                {func(c *Controller) { clock(c, true, 'A'); clock(c, false, 0x08, 0x0c) }, "A", 0x01},
		"a drawing":                 {draw('é'), "é", 0x01},
		"a drawing of nothing we know": {func(c *Controller) {
			clock(c, false, 0x40)
			clock(c, true, 1, 2, 3)
			clock(c, false, 0x80)
			clock(c, true, 0)
		}, "□", 0x01},
		"the drawings' memory is full": {func(c *Controller) { clock(c, false, 0x40|0x3f); clock(c, true, 1, 2) }, "", 0x01},
	} {
		c := ready(t, "A00")
		tc.do(c)
		if got := c.String(); got != strings.TrimRight(tc.want, " /") && strings.TrimSpace(got) != strings.TrimSpace(tc.want) {
			t.Errorf("%s: it shows %q, want %q", name, got, tc.want)
		}
		if got := read(c) & 0x7f; got != tc.counter {
			t.Errorf("%s: the counter is 0x%02x, want 0x%02x", name, got, tc.counter)
		}
		if f := c.Faults(); len(f) > 0 {
			t.Errorf("%s: %q", name, f)
		}
	}
}

// draw draws a letter in the first place, and shows it.
func draw(r rune) func(*Controller) {
	return func(c *Controller) {
		b, _ := lcd.Glyph(r)
		clock(c, false, 0x40)
		clock(c, true, b[:]...)
		clock(c, false, 0x80)
		clock(c, true, 0)
	}
}

// Both ROMs have the letters that their tables have.
func TestROMs(t *testing.T) {
	for rom, want := range map[string]string{"A00": "A¥→αｱ", "A02": `A\~É¿`} {
		codes := map[string][]byte{"A00": {'A', 0x5c, 0x7e, 0xe0, 0xb1}, "A02": {'A', 0x5c, 0x7e, 0xc9, 0xbf}}[rom]
		c := ready(t, rom)
		clock(c, true, codes...)
		if c.String() != want {
			t.Errorf("%s: %q, want %q", rom, c, want)
		}
	}
}

// The busy flag is read while an instruction lasts.
func TestBusyFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewController(size16x2, "A00")
		wake(c)
		clock(c, false, 0x01)
		if b := read(c); b&0x80 == 0 {
			t.Errorf("0x%02x: not busy right after clear", b)
		}
		time.Sleep(2 * time.Millisecond)
		if b := read(c); b != 0 {
			t.Errorf("0x%02x: 2 ms after clear", b)
		}
	})
}

// What a spark does is seen, and counted writes are the letters.
func TestSparkAndWrites(t *testing.T) {
	c := ready(t, "A00")
	clock(c, true, 'A', 'n', 'n', ' ', 'F')
	if c.Writes() != 5 || c.Mode() != Healthy {
		t.Errorf("%d letters, mode %s", c.Writes(), c.Mode())
	}
	c.Spark()
	if c.String() == "Ann F" || c.Mode() == Healthy {
		t.Errorf("after a spark it shows %q in the mode %s", c, c.Mode())
	}
	c.PowerOn()
	if c.String() != "" || c.Mode() == Healthy {
		t.Errorf("after power-up it shows %q in the mode %s", c, c.Mode())
	}
}

// A transfer goes to the chip's address, takes its time, and fails as an
// adapter's does.
func TestBackpackTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBackpack(NewController(size16x2, "A00"))
		port, err := b.Open("")
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := port.Tx(0x27, []byte{0x08, 0x08}, nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 290*time.Microsecond || b.Bus() != took {
			t.Errorf("two bytes took %v, %v on the bus", took, b.Bus())
		}
		if err := port.Tx(0x26, []byte{0}, nil); !errors.Is(err, unix.EREMOTEIO) {
			t.Errorf("another address: %v", err)
		}
		in := []byte{0xff}
		if err := port.Tx(0x27, nil, in); err != nil || in[0] != 0x08 {
			t.Errorf("the port reads 0x%02x, %v", in[0], err)
		}
		b.BreakAfter(1)
		if err := port.Tx(0x27, []byte{0x00, 0xff}, nil); !errors.Is(err, unix.EREMOTEIO) {
			t.Errorf("a transfer that breaks off: %v", err)
		}
		if port.Tx(0x27, nil, in); in[0] != 0x00 {
			t.Errorf("of two bytes the second went through: 0x%02x", in[0])
		}
		b.Unplug(unix.ETIMEDOUT)
		if err := port.Tx(0x27, []byte{0}, nil); !errors.Is(err, unix.ETIMEDOUT) {
			t.Errorf("unplugged: %v", err)
		}
		b.Unplug(os.ErrNotExist)
		if _, err := b.Open(""); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without the bus: %v", err)
		}
		b.Plug()
		if err := port.Tx(0x27, nil, in); err != nil || in[0]&0x0f != 0x0f { // E and R/W too: the display drives the rest
			t.Errorf("plugged in the port is 0x%02x, %v", in[0], err)
		}
		if err := errors.Join(port.Close(), port.SetSpeed(0)); !errors.Is(err, unix.EOPNOTSUPP) || port.String() != "model bus" {
			t.Errorf("%s: %v", port, err)
		}
		if err := port.Tx(0x27, nil, in); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// The backlight follows its bit, either way round.
func TestBackpackLight(t *testing.T) {
	b := NewBackpack(NewController(size16x2, "A00").Untimed())
	b.Hertz = 0
	port, _ := b.Open("")
	for _, tc := range []struct {
		bit  int
		low  bool
		port byte
		want bool
	}{{3, false, 0x08, true}, {3, false, 0x00, false}, {3, true, 0x08, false}, {3, true, 0x00, true}, {-1, false, 0xff, false}} {
		b.Map.Light, b.Map.LightLow = tc.bit, tc.low
		port.Tx(0x27, []byte{tc.port}, nil)
		if b.Light() != tc.want {
			t.Errorf("%+v: light %v", tc, b.Light())
		}
	}
}

// Every command of every dialect that shows text.
func TestSerialCommands(t *testing.T) {
	bitmap, _ := lcd.Glyph('é')
	for _, tc := range []struct {
		dialect, bytes, want string
		faults               []string
	}{
		{"sparkfun", "Ann\xfe\xc0iPad", "Ann / iPad", nil},
		{"sparkfun", "Ann\xfe\x01B", "B", nil},
		{"sparkfun", "Ann\xfe\x08", "", nil},
		{"sparkfun", "Ann\xfe\x08\xfe\x0c", "Ann", nil},
		{"sparkfun", "A\xfe\x38B", "AB", nil}, // 8-bit mode is ignored
		{"sparkfun", "A\x08B", "AB", []string{"backspace"}},
		{"sparkfun", "A\xfe\x18B", "AB", []string{"unknown command fe 18"}},
		{"openlcd", "Ann\xfe\xc0iPad", "Ann / iPad", nil},
		{"openlcd", "Ann\xfe\xb0B", "Bnn", nil}, // an address that no row has
		{"openlcd", "A\xfe\x01\xfe\x0cB", "B", nil},
		{"newhaven", "Ann\xfeE\x40iPad", "Ann / iPad", nil},
		{"newhaven", "Ann\xfeFB\xfeB\xfeA", "Bnn", nil},
		{"newhaven", "Ann\xfeB", "", nil},
		{"newhaven", "Ann\xfeQ\xfeH\xfeLB", "B", nil},
		{"newhaven", "\xfeT\x01" + string(bitmap[:]) + "\x01", "é", nil},
		{"newhaven", "A\xfe\x99B", "AB", []string{"unknown command fe 99"}},
		{"matrix-orbital", "\xfeG\x01\x02iPad\xfeHAnn", "Ann / iPad", nil},
		{"matrix-orbital", "Ann\xfeX\xfeD\xfeK\xfeTB", "B", nil},
		{"matrix-orbital", "\xfeN\x07" + string(bitmap[:]) + "\x07", "é", nil},
		{"matrix-orbital", "\xfeG\x11\x01A", "A", []string{"unknown command fe 47 11 01"}},
		{"matrix-orbital", "\xfeG\x10\x02A", " / \x00A", []string{"the text scrolled"}},
		{"matrix-orbital", "\xfeR\xfeG\x10\x02A", " / \x00A", nil},
	} {
		d := NewSerial(tc.dialect, size16x2)
		port, err := d.Open("", d.baud)
		if err != nil {
			t.Fatal(err)
		}
		port.Write([]byte(tc.bytes))
		if got := d.String(); got != tc.want && !strings.HasPrefix(tc.want, " / \x00") {
			t.Errorf("%s %q shows %q, want %q", tc.dialect, tc.bytes, got, tc.want)
		}
		if rows := d.Rows(); strings.HasPrefix(tc.want, " / \x00") && rows[1] != "               A" {
			t.Errorf("%s %q shows %q", tc.dialect, tc.bytes, rows)
		}
		if got := d.Faults(); !slices.Equal(got, tc.faults) {
			t.Errorf("%s %q: faults %q, want %q", tc.dialect, tc.bytes, got, tc.faults)
		}
		if s := d.Settings(); len(s) > 0 {
			t.Errorf("%s %q stores %q", tc.dialect, tc.bytes, s)
		}
	}
}

// The port and the wires can be taken away, and given back.
func TestSerialPort(t *testing.T) {
	d := NewSerial("matrix-orbital", size16x2)
	port, err := d.Open("", 19200)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	ask := func() int {
		t.Helper()
		if err := port.SetReadTimeout(time.Second); err != nil {
			t.Fatal(err)
		}
		port.Write([]byte("\xfe7"))
		n, err := port.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := ask(); n != 1 || b[0] != 0x09 {
		t.Errorf("it answers % x", b[:n])
	}
	d.Deafen(true)
	if n := ask(); n != 0 || d.String() != "" {
		t.Errorf("out of the port it answers % x", b[:n])
	}
	port.Write([]byte("lost"))
	d.Deafen(false)
	port.Write([]byte("Ann"))
	if d.String() != "Ann" || ask() != 1 {
		t.Errorf("in the port again it shows %q", d)
	}
	d.Mute()
	if n := ask(); n != 0 || d.String() != "Ann" {
		t.Errorf("without a wire back it answers % x and shows %q", b[:n], d)
	}
	if sent := d.Sent(); !strings.HasSuffix(string(sent), "\xfe7") || len(d.Sent()) != 0 {
		t.Errorf("sent: %q", sent)
	}
	d.Unplug(unix.EIO)
	if _, err := port.Write([]byte("x")); !errors.Is(err, unix.EIO) {
		t.Errorf("Write without a port: %v", err)
	}
	if _, err := port.Read(b); !errors.Is(err, unix.EIO) {
		t.Errorf("Read without a port: %v", err)
	}
	if _, err := d.Open("", 19200); !errors.Is(err, unix.EIO) {
		t.Errorf("Open without a port: %v", err)
	}
	d.Unplug(nil)
	port.Close()
	_, werr := port.Write([]byte("x"))
	if _, rerr := port.Read(b); !errors.Is(werr, os.ErrClosed) || rerr == nil {
		t.Errorf("closed: Write %v, Read %v", werr, rerr)
	}
}

// A stalled port takes a write only when it goes on.
func TestSerialStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewSerial("newhaven", size16x2)
		port, _ := d.Open("", 9600)
		resume := d.Stall()
		done := make(chan error, 1)
		go func() {
			_, err := port.Write([]byte("Ann"))
			done <- err
		}()
		time.Sleep(time.Hour)
		if len(done) > 0 || d.String() != "" {
			t.Errorf("stalled it shows %q", d)
		}
		resume()
		resume()
		if err := <-done; err != nil || d.String() != "Ann" {
			t.Errorf("going on it shows %q, %v", d, err)
		}
	})
}

// Only the four dialects are modelled.
func TestNoSuchDialect(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("morse is a dialect")
		}
	}()
	NewSerial("morse", size16x2)
}
