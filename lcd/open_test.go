package lcd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/lcd"
)

func TestOpenRefuses(t *testing.T) {
	lines := map[string]string{"rs": "a", "e": "b", "d4": "c", "d5": "d", "d6": "e", "d7": "f"}
	without := func(name, value string) map[string]string {
		m := map[string]string{}
		for k, v := range lines {
			m[k] = v
		}
		m[name] = value
		return m
	}
	for want, c := range map[string]lcd.Config{
		`kind "lcd": use one of hd44780-gpio, hd44780-i2c, `:           {Kind: "lcd"},
		`size "16x3": use one of 16x2, 20x2, 16x4, 20x4, 40x2`:         {Kind: "terminal", Size: "16x3"},
		`rom "A01": use A00, A02 or ascii`:                             {Kind: "hd44780-i2c", ROM: "A01"},
		`map "e": "e" is not a line and a free bit`:                    {Kind: "hd44780-i2c", Map: "e"},
		`map "rs=0 e=1": d4 is missing`:                                {Kind: "hd44780-i2c", Map: "rs=0 e=1"},
		"7 is not an address":                                          {Kind: "hd44780-i2c", Address: 0x07},
		"120 is not an address":                                        {Kind: "hd44780-i2c", Address: 0x78},
		"line d6: name the GPIO line":                                  {Kind: "hd44780-gpio", Lines: without("d6", "")},
		"line rw: the display's lines are rs, e, d4, d5, d6, d7 and l": {Kind: "hd44780-gpio", Lines: without("rw", "x")},
		"-1 is not a speed":                                            {Kind: "matrix-orbital", Baud: -1},
		"115201 is not a speed":                                        {Kind: "matrix-orbital", Baud: 115201},
		`"ttyS0" is not a path`:                                        {Kind: "newhaven", Port: "ttyS0"},
		`"1" is not a path`:                                            {Kind: "hd44780-i2c", Bus: "1"},
	} {
		d, err := lcd.Open(c)
		if err == nil || !strings.HasPrefix(err.Error(), "display: "+want) {
			t.Errorf("%+v: %v, %v, want %s", c, d, err, want)
		}
	}
}

// Every kind opens without hardware; String says what it is and where.
func TestOpen(t *testing.T) {
	lines := map[string]string{"rs": "a", "e": "GPIO6", "d4": "c", "d5": "d", "d6": "e", "d7": "f"}
	for _, kind := range lcd.Kinds() {
		want := map[string]string{
			"none": "no display, 20x4", "terminal": "terminal 20x4", "hd44780-gpio": "20x4 display on GPIO lines, E on GPIO6",
			"hd44780-i2c": "20x4 display on /dev/i2c-1 address 0x27", "sparkfun": "SparkFun SerLCD display 20x4 on /dev/serial0 at 9600 baud",
			"openlcd": "SparkFun OpenLCD display 20x4 on /dev/serial0 at 9600 baud", "newhaven": "Newhaven display 20x4 on /dev/serial0 at 9600 baud",
			"matrix-orbital": "Matrix Orbital display 20x4 on /dev/serial0 at 19200 baud",
		}[kind]
		d, err := lcd.Open(lcd.Config{Kind: kind, Size: "20x4", Lines: lines})
		if err != nil || d.String() != want || d.Size() != (lcd.Size{Cols: 20, Rows: 4}) {
			t.Errorf("%s: %v, %v, want %s", kind, d, err, want)
		}
	}
	if !slices.IsSorted(lcd.Kinds()) {
		t.Errorf("kinds: %q", lcd.Kinds())
	}
	low := true
	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", LightLow: &low, Bus: "/dev/i2c-7", Address: 0x3f})
	if err != nil || d.String() != "16x2 display on /dev/i2c-7 address 0x3f" {
		t.Errorf("%v, %v", d, err)
	}
	if _, err := lcd.ParseROM("ASCII"); err != nil {
		t.Errorf("ASCII: %v", err)
	}
}

// A path that is not an I2C bus is an error with a hint.
func TestOpenI2C(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "ttyS0")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "lcd")
	if err := os.Symlink("ttyS0", link); err != nil {
		t.Fatal(err)
	}
	gone, number := filepath.Join(dir, "i2c-99"), filepath.Join(dir, "99")
	if err := os.WriteFile(number, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "i2c-1"): "is I2C switched on?", other: "is not an I2C bus", link: "is not an I2C bus", number: "is not an I2C bus",
	} {
		d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Bus: path})
		must(t, err)
		if err := d.Init(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Bus: gone})
	must(t, err)
	if err := d.Init(); err == nil || !strings.Contains(err.Error(), "may this user open it?") {
		t.Errorf("%s: %v", gone, err)
	}
}

// With light_low the light is on while its pin is low.
func TestLightLow(t *testing.T) {
	low := true
	w := i2c(t, "light-low", lcd.Size{Cols: 16, Rows: 2}, lcd.Config{LightLow: &low})
	w.model.Untimed()
	w.back.Hertz, w.back.Map.LightLow = 0, true
	must(t, w.display.Init())
	if !w.light() {
		t.Error("the light is off")
	}
}
