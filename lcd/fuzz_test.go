package lcd_test

import (
	"strings"
	"testing"

	"stump/lcd"
	"stump/lcd/lcdtest"
)

// target is a display under fuzzing: what it should show is what it shows,
// and nothing else happens to it.
type target struct {
	name    string
	display lcd.Display
	rows    func() []string
	upset   func() string // what is wrong with the display's mode or settings
}

// targets are every driver on every size it is made for, initialised.
func targets(t testing.TB) []target {
	var out []target
	for i, size := range lcd.Sizes() {
		rom := []string{"A00", "A02"}[i%2]
		wires := []wiring{i2c(t, "i2c "+rom, size, lcd.Config{ROM: rom}), i2c(t, "i2c lcdproc", size, lcd.Config{Map: "lcdproc"})}
		if i == 0 { // slow: it sleeps for every byte
			wires = append(wires, gpio4(t, size))
		}
		for _, w := range wires {
			w.model.Untimed()
			if w.back != nil {
				w.back.Hertz = 0
			}
			out = append(out, target{w.name, w.display, w.model.Rows, func() string {
				if m := w.model.Mode(); m != lcdtest.Healthy {
					return m
				}
				return strings.Join(w.model.Faults(), "; ")
			}})
		}
		for _, dialect := range serialDialects() {
			if dialect == "openlcd" && size.Cols > 20 {
				continue
			}
			d, m := serialDisplay(t, dialect, size)
			out = append(out, target{dialect, d, m.Rows, func() string {
				return strings.Join(append(m.Settings(), m.Faults()...), "; ")
			}})
		}
	}
	done := make(chan error)
	for _, d := range out {
		go func() { done <- d.display.Init() }()
	}
	for range out {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// FuzzText puts any text on every display, laid out and raw. Whatever it is,
// the display shows the frame's letters (or, of a raw frame, none that is not
// a letter), stays in its mode and stores nothing.
func FuzzText(f *testing.F) {
	all := targets(f)
	for _, s := range []string{
		"Ann", "iPad Mini", "|\x0b", "\xfe\x61\x08", "\xfe|\x80", "þÿ ý", "\\~\x7f", "\x00\x01\x02\x03\x04\x05\x06\x07\x08", "a\tb\nc\rd",
		"éèêëàâîïôö", strings.Repeat("Ž", 500), strings.Repeat("🦊", 250), "\u202eabc", "カタカナ", "\r" + strings.Repeat("|", 60), "{person}\n\t{x}",
	} {
		f.Add(s, "x")
		f.Add("Checked out", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 4000 {
			return // no display shows so much
		}
		for _, d := range all {
			size := d.display.Size()
			layout := lcd.Lay(d.display.Charset(), size, a+"\n"+b)
			frame, next := layout.At(0)
			for range 3 {
				if err := d.display.Show(frame); err != nil {
					t.Fatalf("%s %v: %v", d.name, size, err)
				}
				if got := strings.Join(d.rows(), "|"); got != twin(frame.Rows()) {
					t.Errorf("%s %v shows %q, want %q", d.name, size, got, frame.Rows())
				}
				if frame, next = layout.At(next); next == lcd.Forever {
					break
				}
			}
			if err := d.display.Show(lcd.FrameOf(size, a, b)); err != nil {
				t.Fatalf("%s %v: %v", d.name, size, err)
			}
			if bad := d.upset(); bad != "" {
				t.Fatalf("%s %v after %q and %q: %s", d.name, size, a, b, bad)
			}
		}
	})
}

// twin puts letters that share a code under one name.
func twin(rows []string) string {
	return strings.NewReplacer("β", "ß", "μ", "µ", "ﾟ", "°", "·", "･").Replace(strings.Join(rows, "|"))
}
