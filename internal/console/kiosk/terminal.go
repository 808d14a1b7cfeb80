package kiosk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"stump/internal/books"
	"stump/internal/console/board"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/lcd"
)

// Terminal is a display that is a whole screen: a monitor on which the board has a text
// console (/dev/tty1), for boards too small for a browser. The display's rows are on top, and
// below them is what the page shows.
type Terminal struct {
	o TerminalOptions

	mu            sync.Mutex
	f             *os.File // nil: closed
	columns, rows int
	head          []string // the display's rows
	body          View
	trouble       error // why the body is an old one
}

// TerminalOptions say where the screen is, and what it shows.
type TerminalOptions struct {
	Path     string
	Size     lcd.Size // of the display, whose rows are on top
	Language string
	Holders  bool // whether people are named
	Books    books.Keeper
	Changed  func() <-chan struct{} // is closed at the next change of the books
}

// NewTerminal returns a screen, which is not open.
func NewTerminal(o TerminalOptions) *Terminal {
	t := &Terminal{o: o}
	t.body = t.empty()
	return t
}

func (t *Terminal) Size() lcd.Size         { return t.o.Size }
func (t *Terminal) Charset() *lcd.Charset  { return lcd.Unicode }
func (t *Terminal) String() string         { return "terminal " + t.o.Path }
func (t *Terminal) Probe() (bool, error)   { return false, nil } // the console is there without a monitor, too
func (t *Terminal) Refresh() error         { return t.paint(nil) }
func (t *Terminal) Show(f lcd.Frame) error { return t.paint(f.Rows()) }

// patience is how long a screen may take no bytes: somebody pressed Ctrl-S.
const patience = 2 * time.Second

// Control sequences of Linux' console, console_codes(4).
const (
	begin = "\x1b[?25l\x1b[9;0]\x1b[2J" // no cursor, never dark, nothing on it
	home  = "\x1b[H"
	leave = usual + "\x1b[2J" + home + "\x1b[?25h"
)

// Init opens the screen, and blanks it.
func (t *Terminal) Init() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shut()
	// Without O_NONBLOCK a write could not be given up.
	f, err := os.OpenFile(t.o.Path, os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hint.Wrap(err, "add the user that runs Stump to the group tty")
	case errors.Is(err, fs.ErrNotExist):
		return hint.Wrap(err, "the first console of a monitor is /dev/tty1: write it as port under [display]")
	case err != nil:
		return err
	}
	t.f, t.head = f, nil
	return t.write(begin)
}

// Close leaves an empty screen.
func (t *Terminal) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f != nil {
		_ = t.write(leave)
	}
	t.shut()
}

func (t *Terminal) shut() {
	if t.f != nil {
		_ = t.f.Close() // nothing waits to be written
		t.f = nil
	}
}

// write writes to the screen, or closes it.
func (t *Terminal) write(s string) error {
	err := t.f.SetWriteDeadline(time.Now().Add(patience))
	if err == nil {
		_, err = t.f.WriteString(s)
	}
	if err != nil {
		t.shut()
		return fmt.Errorf("terminal %s: %w", t.o.Path, err)
	}
	return nil
}

// paint draws the rows of the display, and all of the screen if rows is nil.
func (t *Terminal) paint(rows []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return lcd.ErrClosed
	}
	whole := t.measure() || rows == nil || t.head == nil
	if rows != nil {
		t.head = rows
	}
	var b strings.Builder
	b.WriteString(home)
	draw(&b, Head(t.head, t.columns))
	if whole {
		t.drawBody(&b)
	}
	return t.write(b.String())
}

// drawBody draws what is below the display's rows, but not in the last line: the console
// would scroll.
func (t *Terminal) drawBody(b *strings.Builder) {
	draw(b, []string{text{}.line(t.columns)})
	left := t.rows - len(t.head) - 4
	if t.trouble != nil {
		draw(b, []string{text{letters: t.trouble.Error(), look: late}.line(t.columns)})
		left--
	}
	draw(b, Body(t.body, t.columns, left))
	b.WriteString(usual + "\x1b[J")
}

func draw(b *strings.Builder, lines []string) {
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\r\n")
	}
}

// measure asks how large the screen is, and reports whether that has changed: a console
// gets another font while the board starts.
func (t *Terminal) measure() bool {
	columns, rows := 0, 0
	if c, err := t.f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { columns, rows, _ = term.GetSize(int(fd)) })
	}
	if columns <= 0 || rows <= 0 {
		columns, rows = 80, 25 // a serial terminal that doesn't tell
	}
	changed := columns != t.columns || rows != t.rows
	t.columns, t.rows = columns, rows
	return changed
}

// empty is the page without anything in it.
func (t *Terminal) empty() View {
	return View{View: board.View{Frame: ui.Frame{Words: ui.Spoken(t.o.Language)}, Holders: t.o.Holders}}
}

// rest is how long a list stands at least: one that is read takes a moment.
const rest = time.Second

// Run follows what changes until ctx is done.
func (t *Terminal) Run(ctx context.Context) error {
	for {
		changed := t.o.Changed()
		v, err := Make(t.empty(), t.o.Books, panel.State{}, time.Now())
		t.mu.Lock()
		t.trouble = err
		if err == nil {
			t.body = v
		}
		t.mu.Unlock()
		_ = t.Refresh() // a screen that is gone, the panel opens again
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(time.Minute): // what is due passes
		}
	}
}
