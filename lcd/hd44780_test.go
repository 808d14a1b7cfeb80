package lcd_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/lcd"
	"stump/lcd/lcdtest"
)

// wiring is an HD44780 display and its model.
type wiring struct {
	name    string
	display lcd.Display
	model   *lcdtest.Controller
	back    *lcdtest.Backpack // nil on GPIO lines
	light   func() bool
	shaken  bool // the controller was brought out of step by the test
}

func i2c(t testing.TB, name string, s lcd.Size, c lcd.Config) wiring {
	t.Helper()
	model := lcdtest.NewController(s, c.ROM)
	b := lcdtest.NewBackpack(model)
	pins, err := lcd.ParsePortMap(c.Map)
	if err != nil {
		t.Fatal(err)
	}
	b.Map = pins
	c.Kind, c.Size, c.OpenBus = "hd44780-i2c", s.String(), b.Open
	d, err := lcd.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return wiring{name: name, display: d, model: model, back: b, light: b.Light}
}

func gpio4(t testing.TB, s lcd.Size) wiring {
	t.Helper()
	model := lcdtest.NewController(s, "A00")
	p := newPins(model)
	d, err := lcd.Open(lcd.Config{Kind: "hd44780-gpio", Size: s.String(), Lines: p.wiring(), OpenLine: p.openLine})
	if err != nil {
		t.Fatal(err)
	}
	return wiring{name: "gpio", display: d, model: model, light: p.light}
}

func wirings(t testing.TB, s lcd.Size) []wiring {
	return []wiring{
		i2c(t, "common", s, lcd.Config{}),
		i2c(t, "lcdproc", s, lcd.Config{Map: "lcdproc"}),
		i2c(t, "custom", s, lcd.Config{Map: "e=0 rs=1 d7=2 d6=3 d5=4 d4=5 light=6 light-low"}),
		gpio4(t, s),
	}
}

// wantRows checks what is seen, the mode, and that nothing came too early.
func (w wiring) wantRows(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(w.model.Rows(), "|"); got != want {
		t.Errorf("%s shows %q, want %q", w.name, got, want)
	}
	w.wantHealthy(t)
}

func (w wiring) wantHealthy(t *testing.T) {
	t.Helper()
	if got := w.model.Mode(); got != lcdtest.Healthy {
		t.Errorf("%s is in the mode %s", w.name, got)
	}
	for _, f := range w.model.Faults() {
		// A controller that waits for the second half of a byte takes the
		// first byte of Init for it: that is how it gets back in step.
		if w.shaken && f == lcdtest.OutOfStep {
			continue
		}
		t.Errorf("%s: %s", w.name, f)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHD44780ShowsFrames(t *testing.T) {
	for _, size := range lcd.Sizes() {
		t.Run(size.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, w := range wirings(t, size) {
					must(t, w.display.Init())
					blank := strings.Repeat(" ", size.Cols)
					w.wantRows(t, strings.Join(slices.Repeat([]string{blank}, size.Rows), "|"))
					if !w.light() {
						t.Errorf("%s: the light is off", w.name)
					}
					var rows []string
					for i := range size.Rows {
						rows = append(rows, strings.Repeat(string(rune('A'+i)), size.Cols-1)+"$")
					}
					must(t, w.display.Show(lcd.FrameOf(size, rows...)))
					w.wantRows(t, strings.Join(rows, "|"))
					must(t, w.display.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
					if got := w.model.String(); got != "Ann / iPad Mini" {
						t.Errorf("%s shows %q", w.name, got)
					}
					w.wantHealthy(t)
				}
			})
		})
	}
}

// The controller may be anywhere when the daemon starts: just switched on, in
// the middle of a byte, shifted, off.
func TestHD44780InitFromAnyState(t *testing.T) {
	states := map[string][]struct {
		rs bool
		n  byte
	}{
		"switched on":          nil,
		"8 bits, one function": {{false, 3}},
		"4 bits, half data":    {{false, 3}, {false, 3}, {false, 3}, {false, 2}, {true, 5}},
		"4 bits, half command": {{false, 3}, {false, 3}, {false, 3}, {false, 2}, {false, 0}},
		"4 bits, whole":        {{false, 3}, {false, 3}, {false, 3}, {false, 2}, {false, 0}, {false, 8}},
		"shifted":              {{false, 3}, {false, 3}, {false, 3}, {false, 2}, {false, 1}, {false, 8}},
		"letters' memory":      {{false, 3}, {false, 3}, {false, 3}, {false, 2}, {false, 4}, {false, 9}},
	}
	size := lcd.Size{Cols: 16, Rows: 2}
	for name, nibbles := range states {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, w := range wirings(t, size) {
					w.shaken = true
					for _, n := range nibbles {
						time.Sleep(50 * time.Millisecond)
						w.model.Lines(n.rs, false, true, n.n)
						w.model.Lines(n.rs, false, false, n.n)
					}
					must(t, w.display.Init())
					must(t, w.display.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
					w.wantRows(t, "Ann             |iPad Mini       ")
				}
			})
		})
	}
}

// Only what changed is written: counted in letters and in time on the bus.
func TestHD44780WritesWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		w := i2c(t, "common", size, lcd.Config{})
		must(t, w.display.Init())
		show := func(rows ...string) (letters int, bus time.Duration) {
			t.Helper()
			n, at := w.model.Writes(), w.back.Bus()
			must(t, w.display.Show(lcd.FrameOf(size, rows...)))
			return w.model.Writes() - n, w.back.Bus() - at
		}
		n, full := show("ABCDEFGHIJKLMNOP", "abcdefghijklmnop")
		if n != 32 || full > 20*time.Millisecond {
			t.Errorf("full repaint: %d letters, %v on the bus; at most 20 ms", n, full)
		}
		n, same := show("ABCDEFGHIJKLMNOP", "abcdefghijklmnop")
		if n != 0 || same != 0 {
			t.Errorf("no change: %d letters, %v", n, same)
		}
		n, word := show("ABCDEFGHIJKLMNOP", "abcdReturnedmnop")
		if n != 8 || word > 5*time.Millisecond {
			t.Errorf("one word: %d letters, %v on the bus; at most 5 ms", n, word)
		}
		n, one := show("ABCDEFGH:JKLMNOP", "abcdReturnedmnop")
		if n != 1 {
			t.Errorf("one letter: %d letters", n)
		}
		t.Logf("on the bus: full repaint %v, a word of 8 %v, one letter %v", full, word, one)
	})
}

func TestHD44780Recovers(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	first := lcd.FrameOf(size, "Lab open", "3 out")
	next := lcd.FrameOf(size, "Checked out", "iPad Mini")
	tests := map[string]struct {
		hurt func(wiring)
		want error
		heal func(wiring)
	}{
		"unplugged":         {func(w wiring) { w.back.Unplug(nil) }, nil, func(w wiring) { w.back.Plug() }},
		"replugged":         {func(w wiring) { w.back.Plug() }, lcd.ErrGarbled, nil},
		"half a byte lost":  {func(w wiring) { w.model.Spark() }, lcd.ErrGarbled, nil},
		"broken transfer":   {func(w wiring) { w.back.BreakAfter(7) }, nil, nil},
		"broken in a half":  {func(w wiring) { w.back.BreakAfter(3) }, nil, nil},
		"the bus went away": {func(w wiring) { w.back.Unplug(os.ErrNotExist) }, os.ErrNotExist, func(w wiring) { w.back.Plug() }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := i2c(t, "common", size, lcd.Config{})
				must(t, w.display.Init())
				must(t, w.display.Show(first))
				time.Sleep(time.Second)
				tc.hurt(w)
				w.shaken = true
				time.Sleep(time.Second)
				err := w.display.Show(next)
				if err == nil {
					t.Fatalf("nothing was noticed; it shows %q", w.model)
				}
				if tc.want != nil && !errors.Is(err, tc.want) {
					t.Errorf("the error is %v, want %v", err, tc.want)
				}
				if tc.heal != nil {
					if err := w.display.Init(); err == nil {
						t.Error("Init works without a display")
					}
					tc.heal(w)
				}
				must(t, w.display.Init())
				must(t, w.display.Show(next))
				w.wantRows(t, "Checked out     |iPad Mini       ")
			})
		})
	}
}

// A wrong address is an error that names the address.
func TestBackpackAtAnotherAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := i2c(t, "common", lcd.Size{Cols: 16, Rows: 2}, lcd.Config{Address: 0x3f})
		err := w.display.Init()
		if err == nil || !strings.Contains(err.Error(), "0x3f") {
			t.Errorf("Init: %v", err)
		}
	})
}

// Without R/W the display can't be checked, but Refresh repairs it.
func TestHD44780RefreshRepairs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		grounded := i2c(t, "grounded", size, lcd.Config{})
		grounded.back.Grounded = true
		for _, w := range []wiring{grounded, gpio4(t, size)} {
			must(t, w.display.Init())
			must(t, w.display.Show(lcd.FrameOf(size, "Žofie Ø", "iPad Mini")))
			w.wantRows(t, "Žofie Ø         |iPad Mini       ")
			time.Sleep(time.Second)
			w.model.Spark()
			w.shaken = true
			must(t, w.display.Refresh())
			w.wantRows(t, "Žofie Ø         |iPad Mini       ")
			w.model.PowerOn()
			time.Sleep(time.Second)
			must(t, w.display.Refresh())
			w.wantRows(t, "Žofie Ø         |iPad Mini       ")
		}
	})
}

func TestHD44780Probe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		wired, grounded := i2c(t, "wired", size, lcd.Config{}), i2c(t, "grounded", size, lcd.Config{})
		grounded.back.Grounded = true
		for _, tc := range []struct {
			wiring
			want bool
		}{{wired, true}, {grounded, true}, {gpio4(t, size), false}} {
			p := tc.display
			if _, err := p.Probe(); !errors.Is(err, lcd.ErrClosed) {
				t.Errorf("%s: Probe before Init: %v", tc.name, err)
			}
			must(t, tc.display.Init())
			must(t, tc.display.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
			got, err := p.Probe()
			if got != tc.want || err != nil {
				t.Errorf("%s: %v, %v, want %v", tc.name, got, err, tc.want)
			}
			tc.wantRows(t, "Ann             |iPad Mini       ")
		}
		wired.model.Spark()
		if _, err := wired.display.Probe(); !errors.Is(err, lcd.ErrGarbled) {
			t.Errorf("after a spark: %v", err)
		}
	})
}

// Letters that the ROM lacks are drawn, at most eight at a time, and a slot is
// reused when another frame needs it.
func TestHD44780DrawsLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		for _, w := range wirings(t, size) {
			must(t, w.display.Init())
			for _, rows := range [][]string{
				{"éèêçàâîô", "Łukasz"}, {"éèêçàâîô", "Ann"}, {"ÄÖÜäöüß", "ğşıİ"}, {"äöüß", "ñ"}, {"é", "è"}, {"è", "é"}, {"ê", "é"},
				{"ÁÂÀÉÊÈ", "ÓÔ"}, {"áâàéêè", "óô"},
			} {
				f := lcd.FrameOf(size, rows...)
				must(t, w.display.Show(f))
				want := f.Rows()
				if strings.HasPrefix(rows[1], "Ł") { // the ninth letter
					want[1] = strings.Replace(want[1], "Ł", "L", 1)
				}
				w.wantRows(t, strings.Join(want, "|"))
				time.Sleep(time.Second)
			}
		}
	})
}

// A line that fails is an error, and Init opens the lines again.
func TestGPIOLinesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		model := lcdtest.NewController(size, "A00")
		p := newPins(model)
		d, err := lcd.Open(lcd.Config{Kind: "hd44780-gpio", Lines: p.wiring(), OpenLine: p.openLine})
		must(t, err)
		must(t, d.Init())
		gone := errors.New("no such device")
		p.breakAll(gone)
		if err := d.Show(lcd.FrameOf(size, "Ann")); !errors.Is(err, gone) {
			t.Errorf("Show: %v", err)
		}
		if err := d.Init(); !errors.Is(err, gone) {
			t.Errorf("Init: %v", err)
		}
		p.breakAll(nil)
		must(t, d.Init())
		must(t, d.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
		if got := model.String(); got != "Ann / iPad Mini" || p.opened() != 7 {
			t.Errorf("it shows %q, %d lines are open", got, p.opened())
		}
		d.Close()
		if p.opened() != 0 {
			t.Errorf("%d lines are open after Close", p.opened())
		}
	})
	for _, lines := range []map[string]string{nil, {"rs": "x"}, {"rs": "a", "e": "b", "d4": "c", "d5": "d", "d6": "e", "d7": "f", "rw": "g"}} {
		if _, err := lcd.Open(lcd.Config{Kind: "hd44780-gpio", Lines: lines}); err == nil {
			t.Errorf("%v: taken", lines)
		}
	}
}

func TestParsePortMap(t *testing.T) {
	for _, bad := range []string{"rs=0", "x", "rs=0 rw=1 e=2 light=3 d4=4 d5=5 d6=6 d7=8", "rs=0 e=0 d4=4 d5=5 d6=6 d7=7", "rs=0 rs=1 e=2 d4=4 d5=5 d6=6 d7=7", "rs=0 e d4=4 d5=5 d6=6 d7=7"} {
		if m, err := lcd.ParsePortMap(bad); err == nil {
			t.Errorf("ParsePortMap(%q) = %+v", bad, m)
		}
	}
	m, err := lcd.ParsePortMap("RS=0 rw=1 e=2 light=3 d4=4 d5=5 d6=6 d7=7")
	if err != nil || m != lcd.MapCommon {
		t.Errorf("the common map by hand: %+v, %v", m, err)
	}
}
