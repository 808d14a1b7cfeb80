package lcd

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Terminal draws the display's frame on a terminal, in place. On a terminal
// that the log is written to, too, each frame stands below the one before, and
// into a pipe or a file it is a line of text; then only a change that is news
// is written: not a clock that goes on or a name that rolls.
type Terminal struct {
	size Size

	mu       sync.Mutex
	w        io.Writer
	patience patience
	tty      bool
	inPlace  bool
	ready    bool
	last     Frame
	told     Frame // the last that was news
}

// NewTerminal returns a display on w; nil is the standard output.
func NewTerminal(s Size, w io.Writer) *Terminal {
	if w == nil {
		w = os.Stdout
	}
	f, ok := w.(*os.File)
	tty := ok && term.IsTerminal(int(f.Fd()))
	return &Terminal{size: s, w: w, tty: tty, inPlace: tty && !same(f, os.Stderr)}
}

// same is whether two files are one, a terminal for example.
func same(a, b *os.File) bool {
	as, aerr := a.Stat()
	bs, berr := b.Stat()
	return aerr == nil && berr == nil && os.SameFile(as, bs)
}

// Size returns the display's size.
func (t *Terminal) Size() Size { return t.size }

// Charset returns Unicode.
func (t *Terminal) Charset() *Charset { return Unicode }

// String names the display.
func (t *Terminal) String() string { return "terminal " + t.size.String() }

// Init makes room for the frame.
func (t *Terminal) Init() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready, t.last, t.told = true, Frame{}, Frame{}
	return nil
}

// Show draws the frame if it changed.
func (t *Terminal) Show(f Frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready {
		return ErrClosed
	}
	if f.Equal(t.last) {
		return nil
	}
	var out string
	switch news := t.news(f); {
	case t.inPlace:
		out = t.box(f, t.last.cells == nil)
	case news && t.tty:
		out = t.box(f, true)
	case news:
		out = t.lines(f)
	}
	if out != "" {
		if err := t.patience.write(t.w, []byte(out), stall, nil); err != nil {
			t.ready = false
			return fmt.Errorf("terminal display: %w", err)
		}
	}
	t.last = f.clone()
	if out != "" {
		t.told = t.last
	}
	return nil
}

// Refresh draws nothing: a terminal keeps what it was given.
func (t *Terminal) Refresh() error { return nil }

// Close ends the drawing and leaves the last frame.
func (t *Terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = false
	return nil
}

// news is whether more than the time of day or the place of a rolling name
// changed.
func (t *Terminal) news(f Frame) bool {
	if t.last.size != f.size {
		return true
	}
	for row := range f.size.Rows {
		last, told, now := timeless(t.last.Row(row)), timeless(t.told.Row(row)), timeless(f.Row(row))
		if now != last && now != told && !rolled([]rune(last), []rune(now)) {
			return true
		}
	}
	return false
}

func timeless(row string) string { return clock.ReplaceAllString(row, "00:00") }

var clock = regexp.MustCompile(`\b[0-2][0-9]:[0-5][0-9]\b`)

// rolled is whether b is a rolling line one step after a.
func rolled(a, b []rune) bool {
	n := len(a) - 1
	return string(a[:2]) != "  " && slices.Equal(a[1:], b[:n])
}

// lines is the frame as one line of text.
func (t *Terminal) lines(f Frame) string {
	return "|" + strings.Join(f.Rows(), "|") + "|\n"
}

// box is the frame with a border, over the one drawn before.
func (t *Terminal) box(f Frame, first bool) string {
	var b strings.Builder
	if !first {
		fmt.Fprintf(&b, "\x1b[%dA", t.size.Rows+2) // cursor up
	}
	edge := strings.Repeat("─", t.size.Cols)
	fmt.Fprintf(&b, "\r┌%s┐\n", edge)
	for _, r := range f.Rows() {
		fmt.Fprintf(&b, "\r│%s│\n", r)
	}
	fmt.Fprintf(&b, "\r└%s┘\n", edge)
	return b.String()
}
