package lcd_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"stump/lcd"
)

// Every letter with a code of its own looks right in the data sheet's table.
func TestROMCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 40, Rows: 2}
		for _, rom := range []string{"A00", "A02"} {
			w := i2c(t, rom, size, lcd.Config{ROM: rom})
			must(t, w.display.Init())
			twins := strings.NewReplacer("β", "ß", "μ", "µ", "ﾟ", "°", "·", "･") // one code, two names
			for r := rune(' '); r < 0x10000; r++ {
				code, ok := w.display.Charset().Code(r)
				if !ok || rom == "A02" && code >= 0xa0 && code < 0xc0 {
					continue // symbols that the model's table leaves out
				}
				must(t, w.display.Show(lcd.FrameOf(size, string(r))))
				if got, want := []rune(w.model.Rows()[0])[0], []rune(twins.Replace(string(r)))[0]; got != want {
					t.Errorf("ROM %s: %q has the code 0x%02x, which is %q", rom, r, code, got)
				}
			}
		}
	})
}

func TestParseROM(t *testing.T) {
	european, err := lcd.ParseROM("A02")
	if c, again := lcd.ParseROM("a02"); c != european || err != nil || again != nil {
		t.Errorf("a02: %v, %v", err, again)
	}
	if _, err := lcd.ParseROM("A01"); err == nil {
		t.Error("A01 is taken")
	}
}

func TestParseSize(t *testing.T) {
	for _, s := range lcd.Sizes() {
		if got, err := lcd.ParseSize(s.String()); got != s || err != nil {
			t.Errorf("%v: %v, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "16", "2x16", "16x2x", "16 x 2", "-16x2", "8x1"} {
		if s, err := lcd.ParseSize(bad); err == nil {
			t.Errorf("%q: %v", bad, s)
		}
	}
}
