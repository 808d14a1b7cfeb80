package lcd

import (
	"math"
	"strings"
	"time"
)

// How a line moves that doesn't fit: it stands, rolls by letter, stands, and
// starts again.
const (
	rollHold = 1500 * time.Millisecond
	rollStep = 300 * time.Millisecond
)

// maxLetters is how much of one line is shown at all. A name of 1,000 bytes
// would roll for minutes; nobody waits for that.
const maxLetters = 80

// Forever is the time of the next change of a layout that never changes.
const Forever = time.Duration(math.MaxInt64)

// Layout is a text on a display: a frame, and rows that roll when a name is
// too long.
type Layout struct {
	still Frame
	rolls []roll
}

type roll struct {
	row     int
	letters []rune
}

// Lay fits a text on a display, as a person would who has that little room.
//
// Every line of the text (up to "\n") wants a row. Rows that are left over go
// to lines that are too long, first come first served, broken between words.
// When rows are missing, the last lines are put on one row if they fit there
// together, or left out: the first lines say what matters. A line that still
// doesn't fit its rows rolls in the last of them. Blank lines take no room.
//
// Two control characters steer a line: what follows a "\t" stands at the right
// edge; a line that begins with "\r" shows its end if it is too long, for text
// that is being typed.
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

// At returns what is shown a time after the text was put up, and when that
// changes next, on the same count; Forever if never.
func (l *Layout) At(t time.Duration) (f Frame, next time.Duration) {
	if len(l.rolls) == 0 {
		return l.still, Forever
	}
	f, next = l.still.clone(), Forever
	for _, r := range l.rolls {
		over := len(r.letters) - f.size.Cols
		offset, change := rollAt(t, over)
		f.put(r.row, 0, r.letters[offset:])
		next = min(next, change)
	}
	return f, next
}

// Pass is how long it takes until every letter was seen once; 0 if nothing
// rolls.
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

// put places a row, rolling if it is too long.
func (l *Layout) put(row int, letters []rune) {
	l.still.put(row, 0, letters)
	if len(letters) > l.still.size.Cols {
		l.rolls = append(l.rolls, roll{row, letters})
	}
}

// putEdges places what stands left and right in a row. The right part is
// short and always whole; the left is cut after a word.
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

// line is one line of a text in letters.
type line struct{ left, right []rune }

func (n line) blank() bool { return len(trim(n.left)) == 0 && len(n.right) == 0 }

// foldLines folds the lines of a text that aren't blank.
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
		if !ln.blank() {
			lines = append(lines, ln)
		}
	}
	return lines
}

// mergeLast makes one line less of the last ones.
func mergeLast(lines []line, cols int) []line {
	n := len(lines)
	a, b := lines[n-2], lines[n-1]
	if a.right == nil && b.right == nil && len(a.left)+2+len(b.left) <= cols {
		both := append(append(append([]rune(nil), a.left...), ',', ' '), b.left...)
		return append(lines[:n-2:n-2], line{left: both})
	}
	return lines[:n-1]
}

// shorten cuts what nobody would wait for.
func shorten(letters []rune) []rune {
	if len(letters) <= maxLetters {
		return letters
	}
	return append(letters[:maxLetters-3:maxLetters-3], '.', '.', '.')
}
