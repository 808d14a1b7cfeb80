//go:build linux

package kiosk

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/notify"
	"stump/internal/testkit"
	"stump/lcd"
)

// monitor is what somebody sees on the far end of a terminal.
type monitor struct {
	*testing.T
	far   *os.File
	mu    sync.Mutex
	lines []string
	row   int
	blank bool // has been blanked, and got no letter since
	hides bool // the cursor is hidden
}

func newMonitor(t *testing.T, columns, rows uint16) (*monitor, string) {
	far, path := testkit.Pty(t)
	m := &monitor{T: t, far: far}
	m.resize(columns, rows)
	go m.look()
	return m, path
}

func (m *monitor) resize(columns, rows uint16) {
	m.Helper()
	raw, err := m.far.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
		})
	}
	if err != nil {
		m.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines, m.row = make([]string, rows), 0
}

var part = regexp.MustCompile("^(?:\x1b\\[[?0-9;]*[A-Za-z\\]]|\r*\n|[^\x1b\r\n]+)")

func (m *monitor) look() {
	var rest string
	buf := make([]byte, 1<<16)
	for {
		n, err := m.far.Read(buf)
		if errors.Is(err, syscall.EIO) { // nobody has opened the terminal
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			return
		}
		m.mu.Lock()
		for rest += string(buf[:n]); rest != ""; {
			p := part.FindString(rest)
			if p == "" {
				break // half of one
			}
			m.take(p)
			rest = rest[len(p):]
		}
		m.mu.Unlock()
	}
}

func (m *monitor) take(p string) {
	switch {
	case p == home:
		m.row = 0
	case p == "\x1b[2J":
		clear(m.lines)
		m.blank = true
	case p == "\x1b[J":
		clear(m.lines[m.row:])
	case p == "\x1b[?25l":
		m.hides = true
	case p == "\x1b[?25h":
		m.hides = false
	case strings.HasSuffix(p, "\n"):
		if m.row++; m.row == len(m.lines) {
			m.Error("the screen scrolls")
			m.row--
		}
	case p[0] != '\x1b':
		if m.blank = false; strings.HasPrefix(m.lines[m.row], "\x00") {
			m.lines[m.row] = ""
		}
		m.lines[m.row] += p
	case p == "\x1b[K": // the next letters are those of another picture
		m.lines[m.row] = "\x00" + m.lines[m.row]
	}
}

// shows waits until the lines that are not empty are these.
func (m *monitor) shows(want ...string) {
	m.Helper()
	var got []string
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got = nil
		m.mu.Lock()
		for _, l := range m.lines {
			if l = strings.TrimSpace(strings.TrimPrefix(l, "\x00")); l != "" {
				got = append(got, strings.Join(strings.Fields(l), " "))
			}
		}
		m.mu.Unlock()
		if strings.Join(got, "\n") == strings.Join(want, "\n") {
			return
		}
		if time.Now().After(end) {
			m.Fatalf("it shows\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func frame(s string) lcd.Frame {
	f, _ := lcd.Lay(lcd.Unicode, lcd.Size{Cols: 16, Rows: 2}, s).At(0)
	return f
}

// TestTerminal: a screen shows what the display says at once, and soon what has changed; it
// fits another size, and is left empty.
func TestTerminal(t *testing.T) {
	m, path := newMonitor(t, 80, 12)
	s, changes := lab(), notify.Bell{}
	s.out[1].Due = time.Now().Add(-84 * time.Hour)
	var now atomic.Pointer[shelf]
	now.Store(s)
	x := NewTerminal(TerminalOptions{Path: path, Size: lcd.Size{Cols: 16, Rows: 2}, Language: "en", Holders: true, Books: current{Pointer: &now}, Changed: changes.Next})
	if err := x.Show(frame("too early")); !errors.Is(err, lcd.ErrClosed) {
		t.Errorf("not open: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	if err := x.Init(); err != nil {
		t.Fatal(err)
	}
	if err := x.Show(frame("Lab open\nTap badge")); err != nil {
		t.Fatal(err)
	}
	loans := []string{"3 out 3 free", "Pixel 9 Ben Lindqvist 3 d late Tripod", "iPad Pro 13 Ann Okafor WHEN laptop", "Quest 3S Cem Yıldız MacBook Air", "tablet", "iPad mini"}
	_, ends, _ := x.empty().Terms(s.out[0], time.Now())
	loans[2] = strings.Replace(loans[2], "WHEN", ends, 1)
	m.shows(append([]string{"Lab open", "Tap badge"}, loans...)...)
	if err := x.Show(frame("Hello Ann Okafor\nTap a device")); err != nil {
		t.Fatal(err)
	}
	m.shows(append([]string{"Hello Ann Okafor", "Tap a device"}, loans...)...)
	now.Store(&shelf{out: s.out[2:]})
	changes.Tell()
	m.shows("Hello Ann Okafor", "Tap a device", "1 out 0 free", "Quest 3S Cem Yıldız")
	m.resize(30, 10)
	if err := x.Refresh(); err != nil {
		t.Fatal(err)
	}
	m.shows("Hello Ann Okafor", "Tap a device", "1 out", "Quest 3S Cem Yıldız", "0 free")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	x.Close()
	m.shows()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hides {
		t.Error("the cursor stays hidden")
	}
}

// TestTerminalStops: somebody pressed Ctrl-S. The screen is given up after a moment, and
// opened again.
func TestTerminalStops(t *testing.T) {
	far, path := testkit.Pty(t)
	x := NewTerminal(TerminalOptions{Path: path, Size: lcd.Size{Cols: 16, Rows: 2}, Language: "en", Books: lab()})
	if err := x.Init(); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 1000 { // nobody reads, and the buffer is small
		if err = x.Show(frame("Lab open")); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody takes the bytes: %v", err)
	}
	if err := x.Refresh(); !errors.Is(err, lcd.ErrClosed) {
		t.Errorf("then: %v", err)
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
		}
	}()
	for end := time.Now().Add(20 * time.Second); x.Init() != nil || x.Show(frame("Lab open")) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not open again")
		}
	}
	x.Close()
}

// TestNoTerminal: a screen that isn't there, or is not ours, says what helps.
func TestNoTerminal(t *testing.T) {
	for path, want := range map[string]error{"/dev/no-tty": fs.ErrNotExist, "/dev/tty99": fs.ErrNotExist} {
		err := NewTerminal(TerminalOptions{Path: path}).Init()
		if !errors.Is(err, want) || !strings.Contains(hint.Of(err), "/dev/tty1") {
			t.Errorf("%s: %v, %s", path, err, hint.Of(err))
		}
	}
}

// current are books that change.
type current struct {
	books.Keeper
	*atomic.Pointer[shelf]
}

func (c current) Loans(f books.LoanFilter) iter.Seq2[books.Loan, error] { return c.Load().Loans(f) }
func (c current) Devices(p books.Page) iter.Seq2[books.Device, error]   { return c.Load().Devices(p) }
