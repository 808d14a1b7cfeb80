package lcd

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTerminalIntoALog(t *testing.T) {
	var out bytes.Buffer
	d := NewTerminal(Size{16, 2}, &out)
	if err := d.Show(NewFrame(d.Size())); !errors.Is(err, ErrClosed) {
		t.Errorf("Show before Init: %v", err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][2]string{
		{"Lab open   10:42", "3 out"},
		{"Lab open   10:42", "3 out"},
		{"Lab open   10:43", "3 out"}, // no news
		{"Lab open   10:43", "4 out"},
		{"Checked out", "iPod Touch 5th Generation"},
		{"Checked out", "Pod Touch 5th Generation"}, // it rolls
		{"Checked out", "od Touch 5th Generation"},
		{"Checked out", "iPod Touch 5th Generation"}, // and starts again
		{"Checked out", "Pod Touch 5th Generation"},
		{"Returned", "iPod"},
		{"", ""},
		{"", "               ↑"},
	} {
		if err := d.Show(FrameOf(d.Size(), rows[0], rows[1])); err != nil {
			t.Fatal(err)
		}
	}
	want := `|Lab open   10:42|3 out           |
|Lab open   10:43|4 out           |
|Checked out     |iPod Touch 5th G|
|Returned        |iPod            |
|                |                |
|                |               ↑|
`
	if got := out.String(); got != want {
		t.Errorf("the log has\n%swant\n%s", got, want)
	}
}

func TestTerminalDrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	d := NewTerminal(Size{16, 2}, &out)
	d.tty, d.inPlace = true, true
	d.Init()
	d.Show(FrameOf(d.Size(), "Ann"))
	if got, want := out.String(), "\r┌────────────────┐\n\r│Ann             │\n\r│                │\n\r└────────────────┘\n"; got != want {
		t.Errorf("first:\n%q", got)
	}
	out.Reset()
	d.Show(FrameOf(d.Size(), "Ben"))
	if got := out.String(); !strings.HasPrefix(got, "\x1b[4A\r┌") || !strings.Contains(got, "│Ben  ") {
		t.Errorf("second:\n%q", got)
	}
	d.Close()
	if err := d.Show(NewFrame(d.Size())); !errors.Is(err, ErrClosed) {
		t.Errorf("Show after Close: %v", err)
	}
}

// Where the log is written, too, going back up would draw over it.
func TestTerminalBesideTheLog(t *testing.T) {
	log, err := os.Create(filepath.Join(t.TempDir(), "tty"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if !same(log, log) || same(log, os.Stderr) {
		t.Error("one file is taken for two, or two for one")
	}
	var out bytes.Buffer
	d := NewTerminal(Size{16, 2}, &out)
	d.tty = true
	d.Init()
	for _, text := range []string{"Ann", "Lab open   10:42", "Lab open   10:43"} {
		d.Show(FrameOf(d.Size(), text))
	}
	if got := out.String(); strings.Contains(got, "\x1b") || strings.Count(got, "┌") != 2 {
		t.Errorf("written:\n%s", got)
	}
}

// A name can't steer the terminal.
func TestTerminalTakesNoEscapes(t *testing.T) {
	var out bytes.Buffer
	d := NewTerminal(Size{40, 2}, &out)
	d.Init()
	f, _ := Lay(d.Charset(), d.Size(), "a\x1b]0;title\x07\x9b2J\u202e\nb\x7f\x00").At(0)
	d.Show(f)
	if got := out.String(); strings.ContainsAny(got, "\x1b\x07\u009b\u202e\x00\x7f") {
		t.Errorf("written: %q", got)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("hung up") }

func TestTerminalHangsUp(t *testing.T) {
	d := NewTerminal(Size{16, 2}, brokenWriter{})
	d.Init()
	if err := d.Show(NewFrame(d.Size())); err == nil || !strings.Contains(err.Error(), "hung up") {
		t.Errorf("Show: %v", err)
	}
	if err := d.Show(NewFrame(d.Size())); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
}

// Ctrl-S stops a terminal: the display is given up until Ctrl-Q.
func TestTerminalStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		d := NewTerminal(Size{16, 2}, w)
		d.Init()
		begin := time.Now()
		if err := d.Show(FrameOf(d.Size(), "Ann")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != stall {
			t.Errorf("Show: %v after %v", err, time.Since(begin))
		}
		d.Init()
		if err := d.Show(FrameOf(d.Size(), "Ann")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != stall {
			t.Errorf("the next Show: %v after %v", err, time.Since(begin))
		}
		go io.Copy(io.Discard, r)
		synctest.Wait()
		d.Init()
		if err := d.Show(FrameOf(d.Size(), "Ann")); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		w.Close()
	})
}

func TestMemory(t *testing.T) {
	m := NewMemory(Size{16, 2})
	f := FrameOf(m.Size(), "Ann", "iPad Mini", "a third row")
	if err := m.Show(f); !errors.Is(err, ErrClosed) {
		t.Errorf("Show before Init: %v", err)
	}
	if err := errors.Join(m.Init(), m.Show(f), m.Refresh()); err != nil {
		t.Fatal(err)
	}
	if !m.Frame().Equal(f) || m.Frame().String() != "Ann / iPad Mini" || m.Frame().At(1, 3) != 'd' {
		t.Errorf("it shows %q", m.Frame())
	}
	broken := errors.New("gone")
	m.Break(broken)
	if err := m.Show(f); !errors.Is(err, broken) || m.Frame().String() != "" {
		t.Errorf("broken: %v, %q", err, m.Frame())
	}
	m.Break(nil)
	if err := m.Show(f); !errors.Is(err, ErrClosed) {
		t.Errorf("plugged in again it needs Init: %v", err)
	}
	m.Init()
	if inits, writes := m.Counts(); inits != 2 || writes != 1 {
		t.Errorf("%d inits, %d writes", inits, writes)
	}
}
