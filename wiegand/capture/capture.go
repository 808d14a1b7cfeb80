package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"stump/wiegand"
	"unicode/utf16"
)

// The kinds of recordings.
const (
	KindTrace   = "trace"   // see TraceReader
	KindVCD     = "vcd"     // a value change dump (IEEE 1364-2005, clause 18)
	KindSaleae  = "saleae"  // raw digital data of Saleae Logic 1 or 2 as CSV
	KindGPIOMon = "gpiomon" // the text that gpiomon of libgpiod 1 or 2 prints
)

// A Capture reads the edges of a reader's two lines from a recording of any kind,
// packed with gzip or not, with a byte order mark or without. All lines start high.
type Recording struct {
	// Kind is what the recording is.
	Kind string
	// D0 and D1 are the signals that are taken for DATA0 and DATA1, "" in a trace.
	// Guessed: nobody named them, and their names don't say it.
	D0, D1  string
	Guessed bool

	trace *TraceReader
	src   signalSource
	ahead []change // read to find the signals
	line  map[int]uint8
	high  [2]bool
}

// change is a new level of a signal.
type change struct {
	time   int64
	signal int
	high   bool
	was    bool // the level that a signal had at the beginning: not an edge
}

// signalSource is a recording of named signals. next returns io.EOF at the end;
// signals are the names that are known by then.
type signalSource interface {
	next() (change, error)
	signals() []string
}

// lookAhead is how many changes are read to find out which signals there are.
const lookAhead = 1 << 16

// Open begins to read a recording. kind is one of the kinds, or "" to tell it by
// its beginning. d0 and d1 name the signals, or a part of their names such as "17"; ""
// are those that are called D0 and D1 or DATA0 and DATA1, or else the only two that
// change, the first in order being DATA0.
func Open(r io.Reader, kind, d0, d1 string) (*Recording, error) {
	b, err := plainText(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, err
	}
	if kind == "" {
		kind = kindOf(b)
	}
	c := &Recording{Kind: kind, line: map[int]uint8{}, high: [2]bool{true, true}}
	switch kind {
	case KindTrace:
		c.trace = NewTraceReader(b)
		return c, nil
	case KindVCD:
		c.src, err = newVCD(b)
	case KindSaleae:
		c.src, err = newSaleae(b)
	case KindGPIOMon:
		c.src = newGPIOMon(b)
	default:
		err = fmt.Errorf("%q is not a kind of recording", kind)
	}
	if err == nil {
		err = c.find(d0, d1)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Next returns the next edge, io.EOF at the end, or an error that says where it is.
func (c *Recording) Next() (wiegand.Edge, error) {
	if c.trace != nil {
		return c.trace.Next()
	}
	for {
		ch, err := c.change()
		if err != nil {
			return wiegand.Edge{}, err
		}
		line, ok := c.line[ch.signal]
		if !ok || c.high[line] == ch.high && c.Kind != KindGPIOMon {
			continue
		}
		c.high[line] = ch.high
		if !ch.was {
			return wiegand.Edge{Time: ch.time, Line: line, Rising: ch.high}, nil
		}
	}
}

func (c *Recording) change() (change, error) {
	if len(c.ahead) == 0 {
		return c.src.next()
	}
	ch := c.ahead[0]
	c.ahead = c.ahead[1:]
	return ch, nil
}

// find looks for the two signals.
func (c *Recording) find(d0, d1 string) error {
	moves := map[int]bool{}
	known := func() bool { // by the names in the header
		names := c.src.signals()
		return len(named(names, d0, "D0", "DATA0")) == 1 && len(named(names, d1, "D1", "DATA1")) == 1
	}
	for len(c.ahead) < lookAhead && !(c.Kind != KindGPIOMon && known()) {
		ch, err := c.src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && len(c.ahead) == 0 {
			return err
		}
		if err != nil {
			c.src = &failed{c.src, err} // after the edges before it
			break
		}
		moves[ch.signal] = moves[ch.signal] || !ch.was
		c.ahead = append(c.ahead, ch)
	}
	names := c.src.signals()
	zero, one := named(names, d0, "D0", "DATA0"), named(names, d1, "D1", "DATA1")
	if len(zero) != 1 && len(one) != 1 && d0+d1 == "" {
		if lines := inOrder(names, moves); len(lines) == 2 {
			zero, one, c.Guessed = lines[:1], lines[1:], true
		} else if len(names) == 0 {
			return nil // no edges, and so no names
		}
	}
	switch {
	case len(zero) > 1 || len(one) > 1:
		return fmt.Errorf("several signals of %q may be meant", names)
	case len(zero) == 0 || len(one) == 0:
		return fmt.Errorf("which of the signals %q are DATA0 and DATA1?", names)
	case zero[0] == one[0]:
		return fmt.Errorf("%q is DATA0 and DATA1", names[zero[0]])
	}
	c.line[zero[0]], c.line[one[0]] = 0, 1
	c.D0, c.D1 = names[zero[0]], names[one[0]]
	return nil
}

// failed is a source that ends in an error.
type failed struct {
	signalSource
	err error
}

func (f *failed) next() (change, error) { return change{}, f.err }

// named are the signals of a name: the one of just this name, else those that
// end in it, else, without a name, those of the usual ones.
func named(names []string, want string, usual ...string) (found []int) {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(" _-\"", r) {
				return -1
			}
			return r
		}, strings.ToUpper(s))
	}
	for i, name := range names {
		if want == "" && slices.Contains(usual, plain(name)) || want != "" && plain(name) == plain(want) {
			found = append(found, i)
		}
	}
	if len(found) > 0 || want == "" {
		return found
	}
	for i, name := range names { // "17" of "gpiochip0 17", "3" of "Channel 3"
		rest, ok := strings.CutSuffix(strings.ToUpper(name), strings.ToUpper(want))
		if ok && rest == strings.TrimRight(rest, "0123456789") {
			found = append(found, i)
		}
	}
	return found
}

// inOrder are the signals that change, in the order of their names and numbers.
func inOrder(names []string, moves map[int]bool) (lines []int) {
	for i := range names {
		if moves[i] || len(names) == 2 {
			lines = append(lines, i)
		}
	}
	sort.Slice(lines, func(i, j int) bool {
		a, b := names[lines[i]], names[lines[j]]
		if len(a) != len(b) && strings.TrimRight(a, "0123456789") == strings.TrimRight(b, "0123456789") {
			return len(a) < len(b)
		}
		return a < b
	})
	return lines
}

// plainText unpacks gzip, drops a byte order mark, and makes UTF-8 of UTF-16.
func plainText(b *bufio.Reader) (*bufio.Reader, error) {
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		b = bufio.NewReaderSize(z, 1<<16)
	}
	head, _ := b.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := b.Discard(3)
		return b, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return bufio.NewReaderSize(&wide{r: b, order: binary.LittleEndian}, 1<<16), nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return bufio.NewReaderSize(&wide{r: b, order: binary.BigEndian}, 1<<16), nil
	}
	return b, nil
}

// wide reads UTF-16 as UTF-8, without its mark.
type wide struct {
	r     io.Reader
	order binary.ByteOrder
	rest  []byte
}

func (w *wide) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		var unit [4096]byte
		n, err := io.ReadFull(w.r, unit[:])
		if n < 2 && !errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, err
		} else if n < 2 {
			return 0, io.EOF // half a letter
		}
		var units []uint16
		for i := 0; i+1 < n; i += 2 {
			if u := w.order.Uint16(unit[i:]); u != 0xfeff {
				units = append(units, u)
			}
		}
		w.rest = []byte(string(utf16.Decode(units)))
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// kindOf tells a recording by its beginning.
func kindOf(b *bufio.Reader) string {
	head, _ := b.Peek(4096)
	for row := range strings.Lines(string(head)) {
		row = strings.ToLower(strings.TrimSpace(row))
		switch {
		case row == "" || row[0] == '#':
			continue
		case row[0] == '$':
			return KindVCD
		case strings.Contains(row, "rising") || strings.Contains(row, "falling"):
			return KindGPIOMon
		case strings.HasPrefix(row, "time") || strings.ContainsAny(row, ",;"):
			return KindSaleae
		}
		break
	}
	return KindTrace
}
