package lcd_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"stump/lcd"
	"stump/lcd/lcdtest"
)

func serialDialects() []string {
	return []string{"sparkfun", "openlcd", "newhaven", "matrix-orbital"}
}

func serialDisplay(t testing.TB, dialect string, s lcd.Size) (lcd.Display, *lcdtest.Serial) {
	t.Helper()
	model := lcdtest.NewSerial(dialect, s)
	d, err := lcd.Open(lcd.Config{Kind: dialect, Size: s.String(), OpenPort: model.Open})
	if err != nil {
		t.Fatal(err)
	}
	return d, model
}

// wantUntouched checks that the display stored nothing and understood all.
func wantUntouched(t *testing.T, m *lcdtest.Serial) {
	t.Helper()
	if s := m.Settings(); len(s) > 0 {
		t.Errorf("stored for good: %q", s)
	}
	if f := m.Faults(); len(f) > 0 {
		t.Errorf("faults: %q", f)
	}
}

func TestSerialShowsFrames(t *testing.T) {
	for _, dialect := range serialDialects() {
		for _, size := range lcd.Sizes() {
			if dialect == "openlcd" && size.Cols > 20 {
				continue // there is none
			}
			t.Run(dialect+" "+size.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, m := serialDisplay(t, dialect, size)
					if err := d.Show(lcd.NewFrame(size)); !errors.Is(err, lcd.ErrClosed) {
						t.Errorf("Show before Init: %v", err)
					}
					must(t, d.Init())
					var rows []string
					for i := range size.Rows {
						rows = append(rows, strings.Repeat(string(rune('A'+i)), size.Cols-1)+"$")
					}
					must(t, d.Show(lcd.FrameOf(size, rows...)))
					if got := strings.Join(m.Rows(), "|"); got != strings.Join(rows, "|") {
						t.Errorf("it shows %q", got)
					}
					must(t, d.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
					if got := m.String(); got != "Ann / iPad Mini" {
						t.Errorf("it shows %q", got)
					}
					wantUntouched(t, m)
				})
			})
		}
	}
}

// The bytes themselves, against each maker's table of commands.
func TestSerialTranscripts(t *testing.T) {
	size := lcd.Size{Cols: 20, Rows: 4}
	want := map[string]struct{ init, show string }{
		"sparkfun":       {"\x0c\xfe\x0c\xfe\x01", "\xfe\x80Ann\xfe\xc0iPad Mini\xfe\x94three\xfe\xd4four"},
		"openlcd":        {"\x0c\xfe\x0c\xfe\x01", "\xfe\x80Ann\xfe\xc0iPad Mini\xfe\x94three\xfe\xd4four"},
		"newhaven":       {"AA\xfeA\xfeH\xfeL\xfeQ", "\xfeE\x00Ann\xfeE\x40iPad Mini\xfeE\x14three\xfeE\x54four"},
		"matrix-orbital": {"HH\xfeR\xfeD\xfeK\xfeT\xfeX\xfe7", "\xfeG\x01\x01Ann\xfeG\x01\x02iPad Mini\xfeG\x01\x03three\xfeG\x01\x04four"},
	}
	for _, dialect := range serialDialects() {
		synctest.Test(t, func(t *testing.T) {
			d, m := serialDisplay(t, dialect, size)
			must(t, d.Init())
			if got := string(m.Sent()); got != want[dialect].init {
				t.Errorf("%s Init sent %q, want %q", dialect, got, want[dialect].init)
			}
			must(t, d.Show(lcd.FrameOf(size, "Ann", "iPad Mini", "three", "four")))
			if got := string(m.Sent()); got != want[dialect].show {
				t.Errorf("%s Show sent %q, want %q", dialect, got, want[dialect].show)
			}
		})
	}
}

// A full repaint of a 16x2 display takes at most 45 ms at 9600 baud, ten bits
// a byte, and the next frame only what changed.
func TestSerialAirtime(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, dialect := range serialDialects() {
		synctest.Test(t, func(t *testing.T) {
			d, m := serialDisplay(t, dialect, size)
			must(t, d.Init())
			m.Sent()
			airtime := func(rows ...string) time.Duration {
				must(t, d.Show(lcd.FrameOf(size, rows...)))
				return time.Duration(len(m.Sent())) * 10 * time.Second / 9600
			}
			full := airtime("ABCDEFGHIJKLMNOP", "abcdefghijklmnop")
			word := airtime("ABCDEFGHIJKLMNOP", "abcdReturnedmnop")
			same := airtime("ABCDEFGHIJKLMNOP", "abcdReturnedmnop")
			if full > 45*time.Millisecond || word > 15*time.Millisecond || same != 0 {
				t.Errorf("%s: full %v, a word %v, nothing %v", dialect, full, word, same)
			}
			t.Logf("%s at 9600 baud: full repaint %v, a word of 8 %v", dialect, full, word)
		})
	}
}

// The display may have heard the beginning of a command when the daemon
// starts: what Init sends first must end it without harm.
func TestSerialInitAfterHalfACommand(t *testing.T) {
	halves := map[string][]string{
		"sparkfun":       {"\xfe", "text"},
		"openlcd":        {"\xfe", "text"},
		"newhaven":       {"\xfe", "\xfeE", "\xfeT\x01"},
		"matrix-orbital": {"\xfe", "\xfeG", "\xfeG\x01"},
	}
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, dialect := range serialDialects() {
		for _, half := range halves[dialect] {
			synctest.Test(t, func(t *testing.T) {
				d, m := serialDisplay(t, dialect, size)
				must(t, d.Init())
				port, err := m.Open("", map[bool]int{true: 19200, false: 9600}[dialect == "matrix-orbital"])
				must(t, err)
				port.Write([]byte(half))
				must(t, d.Init())
				must(t, d.Show(lcd.FrameOf(size, "Ann", "iPad Mini")))
				must(t, d.Refresh())
				if got := m.String(); got != "Ann / iPad Mini" && !strings.HasPrefix(half, "\xfeT") {
					t.Errorf("%s after %q shows %q", dialect, half, got)
				}
				if s := m.Settings(); len(s) > 0 {
					t.Errorf("%s after %q: stored %q", dialect, half, s)
				}
			})
		}
	}
}

func TestSerialRecovers(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, dialect := range serialDialects() {
		synctest.Test(t, func(t *testing.T) {
			d, m := serialDisplay(t, dialect, size)
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Lab open")))
			m.Unplug(unix.EIO)
			if err := d.Show(lcd.FrameOf(size, "Checked out")); !errors.Is(err, unix.EIO) {
				t.Errorf("%s unplugged: %v", dialect, err)
			}
			m.Unplug(os.ErrNotExist)
			if err := d.Init(); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s without its port: %v", dialect, err)
			}
			m.Unplug(nil)
			m.PowerOn()
			must(t, d.Init())
			must(t, d.Show(lcd.FrameOf(size, "Checked out", "Žofie")))
			// A display that was away while its port stayed comes back by Refresh.
			m.Deafen(true)
			if dialect != "matrix-orbital" { // which notices
				must(t, d.Show(lcd.FrameOf(size, "Returned", "Žofie")))
				m.Deafen(false)
				must(t, d.Refresh())
			} else {
				if err := d.Refresh(); err == nil {
					t.Errorf("%s is gone, and Refresh works", dialect)
				}
				m.Deafen(false)
				must(t, d.Init())
				must(t, d.Show(lcd.FrameOf(size, "Returned", "Žofie")))
			}
			want := "Returned / Žofie"
			if d.Charset().Fold("Ž")[0] == 'Z' {
				want = "Returned / Zofie"
			}
			if got := m.String(); got != want {
				t.Errorf("%s shows %q, want %q", dialect, got, want)
			}
			wantUntouched(t, m)
		})
	}
}

// A port that takes no bytes delays the caller for two seconds, once, and
// leaves one goroutine behind, not one a try.
func TestSerialPortHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 16, Rows: 2}
		d, m := serialDisplay(t, "newhaven", size)
		must(t, d.Init())
		resume := m.Stall()
		defer resume()
		start := time.Now()
		if err := d.Show(lcd.FrameOf(size, "Ann")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Show: %v", err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		start = time.Now()
		if err := d.Init(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("Init: %v after %v", err, time.Since(start))
		}
		resume()
		synctest.Wait()
		must(t, d.Init())
		must(t, d.Show(lcd.FrameOf(size, "Ann")))
		if m.String() != "Ann" {
			t.Errorf("it shows %q", m)
		}
	})
}

// A display that lost its power and got it back while the port stayed is in
// the mode it comes with: Refresh sets the mode before it writes every cell.
func TestSerialRefreshAfterPowerLoss(t *testing.T) {
	size := lcd.Size{Cols: 20, Rows: 4}
	full := lcd.FrameOf(size, "AAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCCCCCC", "DDDDDDDDDDDDDDDDDDDD")
	for _, dialect := range serialDialects() {
		synctest.Test(t, func(t *testing.T) {
			d, m := serialDisplay(t, dialect, size)
			must(t, d.Init())
			must(t, d.Show(full))
			m.PowerOn()
			must(t, d.Refresh())
			if got := strings.Join(m.Rows(), "|"); got != strings.Join(full.Rows(), "|") {
				t.Errorf("%s shows %q", dialect, got)
			}
			wantUntouched(t, m)
		})
	}
}

func TestSerialProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := lcd.Size{Cols: 20, Rows: 4}
		d, m := serialDisplay(t, "matrix-orbital", size)
		must(t, d.Init())
		if answers, err := d.Probe(); !answers || err != nil {
			t.Errorf("an answering display: %v, %v", answers, err)
		}
		m.Mute()
		if p, err := d.Probe(); err == nil {
			t.Errorf("a display that fell silent: %v", p)
		}
		d, m = serialDisplay(t, "matrix-orbital", size)
		m.Mute()
		must(t, d.Init())
		if answers, err := d.Probe(); answers || err != nil {
			t.Errorf("a display without a wire back: %v, %v", answers, err)
		}
	})
}

// A line that loses a byte garbles letters until the next refresh, but no
// setting: what follows the lost byte is not a command that stores anything.
// (OpenLCD stores a drawing when the address of a cursor command is lost.)
func TestSerialLosesAByte(t *testing.T) {
	for _, dialect := range []string{"sparkfun", "newhaven", "matrix-orbital"} {
		for _, size := range []lcd.Size{{Cols: 16, Rows: 2}, {Cols: 20, Rows: 4}} {
			synctest.Test(t, func(t *testing.T) {
				d, m := serialDisplay(t, dialect, size)
				must(t, d.Init())
				m.Sent()
				// A change that begins in every cell in turn.
				for i := range size.Cols * size.Rows {
					f := lcd.FrameOf(size, slices.Repeat([]string{strings.Repeat("abRST", 4)}, size.Rows)...)
					cells := []rune(strings.Join(f.Rows(), ""))
					copy(cells[i:], []rune("9aaRSbb")[:min(7, len(cells)-i)])
					var rows []string
					for row := range size.Rows {
						rows = append(rows, string(cells[row*size.Cols:(row+1)*size.Cols]))
					}
					must(t, d.Show(lcd.FrameOf(size, rows...)))
					sent := m.Sent()
					for lost := range sent {
						other := lcdtest.NewSerial(dialect, size)
						port, _ := other.Open("", map[bool]int{true: 19200, false: 9600}[dialect == "matrix-orbital"])
						port.Write(sent[:lost])
						port.Write(sent[lost+1:])
						if s := other.Settings(); len(s) > 0 {
							t.Fatalf("%s %v: % x without byte %d stores %q", dialect, size, sent, lost, s)
						}
					}
				}
			})
		}
	}
}

// What the original did wrong with these displays.
func TestSerialOriginalsSlips(t *testing.T) {
	size := lcd.Size{Cols: 16, Rows: 2}
	for _, dialect := range serialDialects() {
		synctest.Test(t, func(t *testing.T) {
			d, m := serialDisplay(t, dialect, size)
			must(t, d.Init())
			for _, name := range []string{"|\x0bAnn", "\xfea\x01", "~A", "|" + string(rune(0x9d)), "ÿþ", "a\xfea\x07b"} {
				f, _ := lcd.Lay(d.Charset(), size, "Hello "+name+"\n"+name).At(0)
				must(t, d.Show(f))
				must(t, d.Show(lcd.NewFrame(size)))
			}
			if i := bytes.IndexByte(m.Sent(), 0x7c); i >= 0 && (dialect == "sparkfun" || dialect == "openlcd") {
				t.Errorf("%s was sent a |", dialect)
			}
			wantUntouched(t, m)
		})
	}
}

func ExampleOpen() {
	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Size: "20x4", Bus: "/dev/i2c-1", Address: 0x27})
	fmt.Println(d, err)
	_, err = lcd.Open(lcd.Config{Kind: "hd44780"})
	fmt.Println(err)
	// Output:
	// 20x4 display on /dev/i2c-1 address 0x27 <nil>
	// display: kind "hd44780": use one of hd44780-gpio, hd44780-i2c, matrix-orbital, newhaven, none, openlcd, sparkfun, terminal
}
