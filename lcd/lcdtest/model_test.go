package lcdtest

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/lcd"
)

var size16x2 = lcd.Size{Cols: 16, Rows: 2}

// clock gives a controller whole bytes, in 4-bit mode, without a pause.
func clock(c *Controller, rs bool, bytes ...byte) {
	for _, b := range bytes {
		for _, n := range []byte{b >> 4, b & 0x0f} {
			c.Lines(rs, false, true, n)
			c.Lines(rs, false, false, n)
		}
	}
}

// wake brings a controller into 4-bit mode with the pauses that it needs.
func wake(c *Controller) {
	time.Sleep(50 * time.Millisecond)
	for _, n := range []byte{3, 3, 3, 2} {
		c.Lines(false, false, true, n)
		c.Lines(false, false, false, n)
		time.Sleep(5 * time.Millisecond)
	}
	for _, b := range []byte{0x28, 0x0c, 0x06, 0x01} {
		clock(c, false, b)
		time.Sleep(2 * time.Millisecond)
	}
}

// A model that forgave everything would prove nothing.
func TestControllerIsStrict(t *testing.T) {
	tests := map[string]struct {
		do   func(*Controller)
		want string // part of a fault, or of the mode
	}{
		"nothing wrong":        {func(c *Controller) { wake(c); clock(c, true, 'A') }, ""},
		"too early":            {func(c *Controller) { clock(c, false, 0x28) }, "too early"},
		"no pause after clear": {func(c *Controller) { wake(c); clock(c, false, 0x01, 0x80) }, "too early"},
		"no pause at all":      {func(c *Controller) { wake(c); clock(c, true, 'A', 'B') }, "too early"},
		"half a byte": {func(c *Controller) {
			wake(c)
			c.Lines(false, false, true, 0)
			c.Lines(false, false, false, 0)
			time.Sleep(time.Millisecond)
			clock(c, true, 'A')
		}, OutOfStep},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := NewController(size16x2, "A00")
				tc.do(c)
				all := strings.Join(c.Faults(), "; ")
				if tc.want == "" && all != "" || !strings.Contains(all, tc.want) {
					t.Errorf("faults: %q, want %q", all, tc.want)
				}
			})
		})
	}
}

func TestControllerShowsWhatAPersonSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewController(size16x2, "A00")
		if c.String() != "" {
			t.Errorf("just switched on it shows %q", c)
		}
		wake(c)
		for _, b := range []byte("Ann") {
			clock(c, true, b)
			time.Sleep(time.Millisecond)
		}
		if c.String() != "Ann" || c.Mode() != Healthy {
			t.Errorf("it shows %q in the mode %s", c, c.Mode())
		}
		clock(c, false, 0x18) // shift left
		time.Sleep(time.Millisecond)
		if c.String() != "nn" || c.Mode() == Healthy {
			t.Errorf("shifted it shows %q in the mode %s", c, c.Mode())
		}
		clock(c, false, 0x08) // off
		if c.String() != "" {
			t.Errorf("off it shows %q", c)
		}
	})
}

// What each maker's settings do to a display, which no driver may.
func TestSerialKeepsSettings(t *testing.T) {
	tests := map[string][]string{
		"sparkfun":       {"|\x0b", "|\x90", "|\x0a"},
		"openlcd":        {"|\x18\x40", "|+\x01\x02\x03", "\xfeA12345678"},
		"newhaven":       {"\xfe\x61\x04", "\xfe\x52\x20", "\xfe\x53\x01", "\xfe\x62\x28"},
		"matrix-orbital": {"\xfe\x39\x19", "\xfe\x33\x28", "\xfe\x99\x10", "\xfe\x40" + strings.Repeat("x", 32)},
	}
	for dialect, commands := range tests {
		for _, command := range commands {
			d := NewSerial(dialect, size16x2)
			port, err := d.Open("", d.baud)
			if err != nil {
				t.Fatal(err)
			}
			port.Write([]byte(command))
			if len(d.Settings()) == 0 {
				t.Errorf("%s stores nothing after %q", dialect, command)
			}
		}
	}
	d := NewSerial("newhaven", size16x2)
	port, _ := d.Open("", 9600)
	port.Write([]byte("\xfe\x61\x04Ann"))
	if d.String() != "" || len(d.Faults()) == 0 {
		t.Errorf("at another speed it still shows %q", d)
	}
}

func TestSerialAtTheWrongSpeed(t *testing.T) {
	d := NewSerial("matrix-orbital", size16x2)
	port, _ := d.Open("", 9600)
	port.Write([]byte("Ann"))
	if d.String() != "" || !slices.Equal(d.Faults(), []string{"9600 baud for a display at 19200"}) {
		t.Errorf("it shows %q, faults %q", d, d.Faults())
	}
}
