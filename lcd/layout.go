package lcd

import (
	"math"
	"slices"
	"strings"
	"time"
)

// A line that doesn't fit stands, rolls letter by letter, stands, and starts
// again.
const (
	rollHold = 1500 * time.Millisecond
	rollStep = 300 * time.Millisecond
)

// maxLetters is the most of one line that is shown: a name of 1,000 bytes would
// roll for minutes.
const maxLetters = 80

// Forever is the time of the next change of a layout that never changes.
const Forever = time.Duration(math.MaxInt64)

// Layout is a text on a display: a frame, and the rows that roll.
type Layout struct {
	// Quiet marks a text that differs from the one before only by the clock: a
	// terminal doesn't log it.
	Quiet bool

	still Frame
	rolls []roll
}

type roll struct {
	row     int
	letters []rune
}

// Lay fits a text on a display.
//
// Each line of the text, up to "\n", gets a row; blank lines get none. Spare rows
// go to the lines that are too long, the first line first; they are broken
// between words. If there are too few rows, the last lines share one or are left
// out: the first lines matter most. A line that still doesn't fit rolls in its
// last row.
//
// Two control characters have a meaning: what follows a "\t" is put at the right
// edge, and of a line that begins with "\r" the end is shown if it is too long,
// for text that is being typed.
func Lay(c *Charset, s Size, text string) *Layout {
	lines := foldLines(c, s.Cols, text)
	for len(lines) > s.Rows {
		lines = mergeLast(lines, s.Cols)
	}
	l := &Layout{still: NewFrame(s)}
	spare, row := s.Rows-len(lines), 0
	for _, ln := range lines {
		if ln.right != nil {
			l.putEdges(row, ln)
			row++
			continue
		}
		broken := wrap(ln.left, s.Cols, 1+spare)
		for i, letters := range broken {
			l.put(row+i, letters)
		}
		row += len(broken)
		spare -= len(broken) - 1
	}
	return l
}

// At returns the frame at time t after the text was put up, and the time of the
// next change, or Forever.
func (l *Layout) At(t time.Duration) (f Frame, next time.Duration) {
	f, next = l.still, Forever
	f.quiet = l.Quiet || t > 0
	if len(l.rolls) > 0 {
		f.cells = slices.Clone(f.cells)
	}
	for _, r := range l.rolls {
		over := len(r.letters) - f.size.Cols
		offset, change := rollAt(t, over)
		f.put(r.row, 0, r.letters[offset:])
		next = min(next, change)
	}
	return f, next
}

// Pass is how long it takes to show every letter once; 0 if nothing rolls.
func (l *Layout) Pass() time.Duration {
	var d time.Duration
	for _, r := range l.rolls {
		d = max(d, rollPass(len(r.letters)-l.still.size.Cols))
	}
	return d
}

func rollPass(over int) time.Duration {
	return 2*rollHold + time.Duration(over-1)*rollStep
}

// rollAt returns how far a row has rolled that is over letters too long, and
// when it moves next.
func rollAt(t time.Duration, over int) (offset int, next time.Duration) {
	pass := rollPass(over)
	start := t - t%pass
	t -= start
	switch last := rollHold + time.Duration(over-1)*rollStep; {
	case t < rollHold:
		return 0, start + rollHold
	case t < last:
		n := int((t - rollHold) / rollStep)
		return n + 1, start + rollHold + time.Duration(n+1)*rollStep
	default:
		return over, start + pass
	}
}

// put places a line that rolls if it is too long for the row.
func (l *Layout) put(row int, letters []rune) {
	l.still.put(row, 0, letters)
	if len(letters) > l.still.size.Cols {
		l.rolls = append(l.rolls, roll{row, letters})
	}
}

// putEdges places the left and the right part of a line. The right part is kept
// whole if it fits the row; the left one is cut after a word.
func (l *Layout) putEdges(row int, ln line) {
	cols := l.still.size.Cols
	right := ln.right[:min(len(ln.right), cols)]
	room := max(0, cols-len(right)-1)
	left := ln.left
	if len(left) > room {
		left = left[:breakAt(left, room)]
	}
	l.still.put(row, 0, left)
	l.still.put(row, cols-len(right), right)
}

// line is one line of a text in letters. right is nil if it has none.
type line struct{ left, right []rune }

// foldLines folds the lines of a text and drops the blank ones.
func foldLines(c *Charset, cols int, text string) []line {
	f := folder{charset: c}
	var lines []line
	for s := range strings.SplitSeq(text, "\n") {
		typed, isTyped := strings.CutPrefix(s, "\r")
		if isTyped {
			letters := f.fold(typed)
			lines = append(lines, line{left: letters[max(0, len(letters)-cols):]})
			continue
		}
		left, right, _ := strings.Cut(s, "\t")
		ln := line{left: shorten(f.fold(left))}
		if r := trim(f.fold(right)); len(r) > 0 {
			ln.right = r
		}
		if ln.right != nil || len(trim(ln.left)) > 0 {
			lines = append(lines, ln)
		}
	}
	return lines
}

// mergeLast makes one of the last two lines, or drops the last.
func mergeLast(lines []line, cols int) []line {
	n := len(lines)
	a, b := lines[n-2], lines[n-1]
	if a.right == nil && b.right == nil && len(a.left)+2+len(b.left) <= cols {
		lines[n-2].left = slices.Concat(a.left, []rune(", "), b.left)
	}
	return lines[:n-1]
}

// shorten cuts a line to maxLetters.
func shorten(letters []rune) []rune {
	if len(letters) <= maxLetters {
		return letters
	}
	return append(letters[:maxLetters-3], '.', '.', '.')
}

// wrap breaks a line into at most rows rows of cols letters. The rest is in the
// last row, which may be longer.
func wrap(letters []rune, cols, rows int) [][]rune {
	if len(letters) <= cols {
		return [][]rune{letters} // blanks at the edges are part of the text
	}
	var out [][]rune
	rest := trim(letters)
	for len(rest) > cols && len(out) < rows-1 {
		n := breakAt(rest, cols)
		out = append(out, trimRight(rest[:n]))
		rest = trim(rest[n:])
	}
	if len(rest) > 0 {
		out = append(out, rest)
	}
	return out
}

// breakAt returns after how many letters to break a line that is longer than
// cols: before the first word that doesn't fit, or after a hyphen or a slash in
// it. It breaks inside a word only if the word fits no row and would leave this
// one nearly empty.
func breakAt(letters []rune, cols int) int {
	best := 0
	for i := 1; i <= cols && i < len(letters); i++ {
		if after := letters[i]; after == ' ' || after == '(' || strings.ContainsRune(" -/", letters[i-1]) {
			best = i
		}
	}
	word := trim(letters[best:])
	if i := slices.Index(word, ' '); i >= 0 {
		word = word[:i]
	}
	if best == 0 || best*3 < cols && len(word) > cols {
		return min(cols, len(letters))
	}
	return best
}

func trimRight(letters []rune) []rune {
	for len(letters) > 0 && letters[len(letters)-1] == ' ' {
		letters = letters[:len(letters)-1]
	}
	return letters
}

func trim(letters []rune) []rune {
	for len(letters) > 0 && letters[0] == ' ' {
		letters = letters[1:]
	}
	return trimRight(letters)
}
