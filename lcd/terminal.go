package lcd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// terminal draws the frames on a terminal, in place. On a terminal that also
// shows the log, each frame is below the one before, and in a pipe or a file it
// is a line of text. There quiet frames are left out.
type terminal struct {
	none
	mu       sync.Mutex
	w        io.Writer
	patience patience
	tty      bool
	inPlace  bool
	ready    bool
	last     Frame // drawn or left out; no cells: none
}

func newTerminal(s Size, w io.Writer) *terminal {
	f, ok := w.(*os.File)
	tty := ok && term.IsTerminal(int(f.Fd()))
	return &terminal{none: none{s}, w: w, tty: tty, inPlace: tty && !same(f, os.Stderr)}
}

// same is whether two files are one, a terminal for example.
func same(a, b *os.File) bool {
	as, aerr := a.Stat()
	bs, berr := b.Stat()
	return aerr == nil && berr == nil && os.SameFile(as, bs)
}

// String names the display.
func (t *terminal) String() string { return "terminal " + t.size.String() }

// Init starts a new picture.
func (t *terminal) Init() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready, t.last = true, Frame{}
	return nil
}

// Show draws the frame if it changed.
func (t *terminal) Show(f Frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready {
		return ErrClosed
	}
	first := t.last.cells == nil
	if f.equal(t.last) {
		return nil
	}
	t.last = f
	var out string
	switch {
	case t.inPlace:
		out = box(f, first)
	case f.quiet && !first:
		return nil
	case t.tty:
		out = box(f, true)
	default:
		out = "|" + strings.Join(f.Rows(), "|") + "|\n"
	}
	if err := t.patience.write(t.w, []byte(out), stall, nil); err != nil {
		t.ready = false
		return fmt.Errorf("terminal display: %w", err)
	}
	return nil
}

// Close ends the drawing and leaves the last frame.
func (t *terminal) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = false
}

// box is the frame with a border, over the one drawn before unless it is the
// first.
func box(f Frame, first bool) string {
	var b strings.Builder
	if !first {
		fmt.Fprintf(&b, "\x1b[%dA", f.size.Rows+2) // cursor up
	}
	edge := strings.Repeat("─", f.size.Cols)
	fmt.Fprintf(&b, "\r┌%s┐\n", edge)
	for _, r := range f.Rows() {
		fmt.Fprintf(&b, "\r│%s│\n", r)
	}
	fmt.Fprintf(&b, "\r└%s┘\n", edge)
	return b.String()
}
