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

// show puts a text up, and lets it roll.
func show(t *testing.T, d Display, text string, quiet bool) {
	t.Helper()
	l := Lay(d.Charset(), d.Size(), text)
	l.Quiet = quiet
	for at := time.Duration(0); at <= l.Pass(); {
		f, next := l.At(at)
		if err := d.Show(f); err != nil {
			t.Fatal(err)
		}
		at = next
		if next == Forever {
			break
		}
	}
}

// A log gets only news: no new minute, and no name that rolls.
func TestTerminalIntoALog(t *testing.T) {
	var out bytes.Buffer
	d := newTerminal(Size{16, 2}, &out)
	if err := d.Show(NewFrame(d.Size())); !errors.Is(err, ErrClosed) {
		t.Errorf("Show before Init: %v", err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		text  string
		quiet bool
	}{
		{"Lab open\t10:42\n3 out", true}, // the first is news, whatever it is
		{"Lab open\t10:42\n3 out", false},
		{"Lab open\t10:43\n3 out", true},
		{"Lab open\t10:43\n4 out", false},
		{"Checked out\niPod Touch 5th Gen", false}, // it rolls
		{"Returned\niPod", false},
		{" ", false},
		{"\t\n\t↑", false},
	} {
		show(t, d, s.text, s.quiet)
	}
	want := `|Lab open   10:42|3 out           |
|Lab open   10:43|4 out           |
|Checked out     |iPod Touch 5th G|
|Returned        |iPod            |
|                |                |
|               ↑|                |
`
	if got := out.String(); got != want {
		t.Errorf("the log has\n%swant\n%s", got, want)
	}
	out.Reset()
	d.Init()
	show(t, d, "Lab open\t10:44", true)
	if got := out.String(); got != "|Lab open   10:44|                |\n" {
		t.Errorf("after Init: %q", got)
	}
}

// In place every frame is drawn, over the one before.
func TestTerminalDrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	d := newTerminal(Size{16, 2}, &out)
	d.tty, d.inPlace = true, true
	d.Init()
	show(t, d, "Ann", false)
	if got, want := out.String(), "\r┌────────────────┐\n\r│Ann             │\n\r│                │\n\r└────────────────┘\n"; got != want {
		t.Errorf("first:\n%q", got)
	}
	out.Reset()
	show(t, d, "Ben", true)
	if got := out.String(); !strings.HasPrefix(got, "\x1b[4A\r┌") || !strings.Contains(got, "│Ben  ") {
		t.Errorf("second:\n%q", got)
	}
	if err := d.Refresh(); err != nil {
		t.Errorf("Refresh: %v", err)
	}
	if answers, err := d.Probe(); answers || err != nil {
		t.Errorf("Probe: %v, %v", answers, err)
	}
	d.Close()
	if err := d.Show(NewFrame(d.Size())); !errors.Is(err, ErrClosed) {
		t.Errorf("Show after Close: %v", err)
	}
}

// On a terminal that also shows the log, going back up would draw over it.
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
	d := newTerminal(Size{16, 2}, &out)
	d.tty = true
	d.Init()
	show(t, d, "Ann", false)
	show(t, d, "Lab open\t10:42", false)
	show(t, d, "Lab open\t10:43", true)
	if got := out.String(); strings.Contains(got, "\x1b") || strings.Count(got, "┌") != 2 {
		t.Errorf("written:\n%s", got)
	}
}

// A name can't steer the terminal.
func TestTerminalTakesNoEscapes(t *testing.T) {
	var out bytes.Buffer
	d := newTerminal(Size{40, 2}, &out)
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
	d := newTerminal(Size{16, 2}, brokenWriter{})
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
		d := newTerminal(Size{16, 2}, w)
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

// Without a display everything succeeds, and nothing answers.
func TestNone(t *testing.T) {
	d := None(Size{20, 4})
	if err := errors.Join(d.Init(), d.Show(NewFrame(d.Size())), d.Refresh()); err != nil {
		t.Error(err)
	}
	if answers, err := d.Probe(); answers || err != nil {
		t.Errorf("Probe: %v, %v", answers, err)
	}
	d.Close()
	if d.String() != "no display, 20x4" || d.Charset() != Unicode {
		t.Errorf("%s with %v", d, d.Charset())
	}
}
