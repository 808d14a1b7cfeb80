package lcd_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	periph "periph.io/x/conn/v3/i2c"

	"stump/lcd"
	"stump/lcd/lcdtest"
)

// errStep is what a call fails with in the tests below.
var errStep = errors.New("failed step")

// steps counts calls on the way to a display, and fails one of them.
type steps struct{ n, fail int }

func (s *steps) next() error {
	s.n++
	if s.n == s.fail {
		return errStep
	}
	return nil
}

type failingBus struct {
	periph.BusCloser
	*steps
}

func (b failingBus) Tx(addr uint16, w, r []byte) error {
	if err := b.next(); err != nil {
		return err
	}
	return b.BusCloser.Tx(addr, w, r)
}

type failingPin struct {
	lcd.Pin
	*steps
}

func (p failingPin) Set(high bool) error {
	if err := p.next(); err != nil {
		return err
	}
	return p.Pin.Set(high)
}

type failingPort struct {
	lcd.Port
	*steps
}

func (p failingPort) Write(b []byte) (int, error) {
	if err := p.next(); err != nil {
		return 0, err
	}
	return p.Port.Write(b)
}

func (p failingPort) Read(b []byte) (int, error) {
	if err := p.next(); err != nil {
		return 0, err
	}
	return p.Port.Read(b)
}

func (p failingPort) SetReadTimeout(d time.Duration) error {
	if err := p.next(); err != nil {
		return err
	}
	return p.Port.SetReadTimeout(d)
}

// breakable returns a display whose way fails at a step, and its model.
func breakable(t *testing.T, kind string, s *steps) (lcd.Display, fmt.Stringer) {
	t.Helper()
	c := lcd.Config{Kind: kind}
	var model fmt.Stringer
	switch kind {
	case "hd44780-i2c", "one-way":
		b := lcdtest.NewBackpack(lcdtest.NewController(lcd.Size{Cols: 16, Rows: 2}, "A00"))
		b.Grounded = kind == "one-way"
		c.Kind, model = "hd44780-i2c", b
		c.OpenBus = func(path string) (periph.BusCloser, error) {
			bus, err := b.Open(path)
			return failingBus{bus, s}, err
		}
	case "hd44780-gpio":
		p := newPins(lcdtest.NewController(lcd.Size{Cols: 16, Rows: 2}, "A00"))
		model = p
		c.Lines, c.OpenLine = p.wiring(), func(name string) (lcd.Pin, error) {
			if err := s.next(); err != nil {
				return nil, err
			}
			pin, err := p.openLine(name)
			return failingPin{pin, s}, err
		}
	default:
		m := lcdtest.NewSerial(kind, lcd.Size{Cols: 16, Rows: 2})
		model = m
		c.OpenPort = func(path string, baud int) (lcd.Port, error) {
			port, err := m.Open(path, baud)
			return failingPort{port, s}, err
		}
	}
	d, err := lcd.Open(c)
	must(t, err)
	return d, model
}

// Whichever step fails, a display reports it, and is right again after Init.
func TestEveryStepMayFail(t *testing.T) {
	shown := lcd.FrameOf(lcd.Size{Cols: 16, Rows: 2}, "Žofie Ø", "iPad Mini")
	for _, kind := range append(serialDialects(), "hd44780-i2c", "one-way", "hd44780-gpio") {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(steps)
				d, model := breakable(t, kind, s)
				work := func() error {
					if err := d.Init(); err != nil {
						return err
					}
					if err := d.Show(shown); err != nil {
						return err
					}
					if _, err := d.Probe(); err != nil {
						return err
					}
					return d.Refresh()
				}
				must(t, work())
				all, want := s.n, model.String()
				if all < 6 || want == "" {
					t.Fatalf("it takes %d steps to show %q", all, want)
				}
				for fail := 1; fail <= all; fail += 1 + all/150 {
					s.n, s.fail = 0, fail
					if err := work(); !errors.Is(err, errStep) {
						t.Fatalf("step %d of %d fails: %v", fail, all, err)
					}
					s.fail = 0
					must(t, work())
					if got := model.String(); got != want {
						t.Fatalf("after step %d of %d failed it shows %q, want %q", fail, all, got, want)
					}
				}
				d.Close()
				if _, err := d.Probe(); err == nil && kind == "matrix-orbital" {
					t.Error("a closed display answers")
				}
			})
		})
	}
}

// After an error Show is refused until Init has worked.
func TestNothingIsShownAfterAnError(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, kind := range append(serialDialects(), "hd44780-i2c", "one-way", "hd44780-gpio") {
		synctest.Test(t, func(t *testing.T) {
			s := new(steps)
			d, model := breakable(t, kind, s)
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Lab open")))
			s.n, s.fail = 0, 1
			if err := d.Show(lcd.FrameOf(size, "Checked out")); !errors.Is(err, errStep) {
				t.Errorf("%s: Show: %v", kind, err)
			}
			for name, err := range map[string]error{"Show": d.Show(lcd.FrameOf(size, "Ann")), "Refresh": d.Refresh()} {
				if !errors.Is(err, lcd.ErrClosed) {
					t.Errorf("%s: %s after an error: %v", kind, name, err)
				}
			}
			if _, err := d.Probe(); !errors.Is(err, lcd.ErrClosed) {
				t.Errorf("%s: Probe after an error: %v", kind, err)
			}
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Returned")))
			if got := model.String(); got != "Returned" {
				t.Errorf("%s shows %q", kind, got)
			}
		})
	}
}

// Close, from another goroutine, ends a write.
func TestCloseWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 20, Rows: 4}
		w := i2c(t, "common", size, lcd.Config{})
		must(t, w.display.Init())
		done := make(chan error, 1)
		go func() {
			for i := 0; ; i++ {
				if err := w.display.Show(lcd.FrameOf(size, strings.Repeat(string(rune('a'+i%26)), 20), fmt.Sprint(i), "", fmt.Sprint(i))); err != nil {
					done <- err
					return
				}
			}
		}()
		time.Sleep(333 * time.Millisecond)
		w.display.Close()
		if err := <-done; !errors.Is(err, lcd.ErrClosed) && !strings.Contains(err.Error(), "closed") {
			t.Errorf("the write ended with %v", err)
		}
		must(t, w.display.Init())
		must(t, w.display.Show(lcd.FrameOf(size, "Ann")))
		if w.model.String() != "Ann" {
			t.Errorf("it shows %q", w.model)
		}
	})
}
