package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lines reads a text line by line and keeps the time.
type lines struct {
	s    *bufio.Scanner
	row  int
	last int64
}

func newLines(r io.Reader) lines {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	return lines{s: s, last: math.MinInt64}
}

// line returns the next one that is not empty.
func (l *lines) line() (string, error) {
	for l.s.Scan() {
		l.row++
		if text := strings.TrimSpace(l.s.Text()); text != "" {
			return text, nil
		}
	}
	if err := l.s.Err(); err != nil {
		return "", fmt.Errorf("row %d: %w", l.row+1, err)
	}
	return "", io.EOF
}

// at reads a time, in seconds or as RFC 3339 with or without a zone.
func (l *lines) at(text string) (int64, error) {
	ns, ok := nanoseconds(text)
	if !ok {
		for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
			if t, err := time.Parse(form, text); err == nil && !ok {
				ns, ok = t.UnixNano(), t.Year() > 1700 && t.Year() < 2200
			}
		}
	}
	switch {
	case !ok:
		return 0, fmt.Errorf("row %d: %.40q is not a time in seconds", l.row, text)
	case ns < l.last:
		return 0, fmt.Errorf("row %d: time %s is before the one before it", l.row, text)
	}
	l.last = ns
	return ns, nil
}

// nanoseconds reads seconds, exactly where they have no exponent.
func nanoseconds(sec string) (ns int64, ok bool) {
	f, err := strconv.ParseFloat(sec, 64)
	if err != nil || !(math.Abs(f) < 9e9) {
		return 0, false
	}
	whole, part, _ := strings.Cut(strings.TrimPrefix(sec, "-"), ".")
	w, err1 := strconv.ParseInt(whole, 10, 64)
	p, err2 := strconv.ParseInt((part + "0000000000")[:10], 10, 64)
	if err1 != nil || err2 != nil || strings.Trim(part, "0123456789") != "" {
		return int64(math.Round(f * 1e9)), true
	}
	ns = w*1e9 + (p+5)/10
	if sec[0] == '-' {
		ns = -ns
	}
	return ns, true
}

// saleae reads raw digital data as Saleae's program exports them: a header that
// begins with "Time [s]" or "Time[s]" and names the channels, then a row for each
// change, with the time and a level 0 or 1 of each channel. Logic 1 writes spaces
// behind the commas, may use tabs, and may leave out the header; Logic 2 may write
// times as RFC 3339.
// (support.saleae.com, "Data Export File Formats"; pastebin.com/et1AHHqB is one.)
type saleae struct {
	lines
	names   []string
	levels  []int8 // of the row before; -1 unknown
	pending []change
}

func newSaleae(r io.Reader) (*saleae, error) {
	s := &saleae{lines: newLines(r)}
	first, err := s.line()
	if errors.Is(err, io.EOF) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	cells := cellsOf(first)
	if strings.HasPrefix(strings.ToLower(cells[0]), "time") {
		s.names = cells[1:]
	} else {
		for i := range cells[1:] {
			s.names = append(s.names, fmt.Sprintf("Channel %d", i))
		}
	}
	s.levels = slices.Repeat([]int8{-1}, len(s.names))
	if len(s.names) == 0 {
		return nil, fmt.Errorf("row 1: %.40q: want a time and the level of each channel", first)
	}
	if !strings.HasPrefix(strings.ToLower(cells[0]), "time") {
		err = s.take(cells)
	}
	return s, err
}

func cellsOf(row string) []string {
	cells := strings.FieldsFunc(row, func(r rune) bool { return r == ',' || r == ';' || r == '\t' })
	for i, cell := range cells {
		cells[i] = strings.Trim(strings.TrimSpace(cell), `"`)
	}
	return append(cells, make([]string, max(0, 1-len(cells)))...)
}

func (s *saleae) signals() []string { return s.names }

func (s *saleae) next() (change, error) {
	for len(s.pending) == 0 {
		row, err := s.line()
		if err != nil {
			return change{}, err
		}
		if err := s.take(cellsOf(row)); err != nil {
			return change{}, err
		}
	}
	ch := s.pending[0]
	s.pending = s.pending[1:]
	return ch, nil
}

// take makes changes of a row.
func (s *saleae) take(cells []string) error {
	if len(cells) != len(s.names)+1 {
		return fmt.Errorf("row %d: %d columns, want %d: a time and a level of each channel", s.row, len(cells), len(s.names)+1)
	}
	at, err := s.at(cells[0])
	if err != nil {
		return err
	}
	s.pending = s.pending[:0]
	for i, cell := range cells[1:] {
		level := int8(slices.Index([]string{"0", "1"}, cell))
		if level < 0 {
			return fmt.Errorf("row %d: %.20q is not a level: use 0 for low, 1 for high", s.row, cell)
		}
		if level != s.levels[i] {
			s.pending = append(s.pending, change{at, i, level == 1, s.levels[i] < 0})
			s.levels[i] = level
		}
	}
	return nil
}

// gpiomon reads what libgpiod's program prints of edges (tools/gpiomon.c):
//
//	event: FALLING EDGE offset: 17 timestamp: [  1234.567890123]      version 1
//	1234.567890123  falling  gpiochip0 17                             version 2
//	1234.567890123  falling  "GPIO17"
//	2026-01-02T03:04:05.123456789Z  falling  gpiochip0 17 "GPIO17"
type gpiomon struct {
	lines
	names []string
}

func newGPIOMon(r io.Reader) *gpiomon { return &gpiomon{lines: newLines(r)} }

func (g *gpiomon) signals() []string { return g.names }

func (g *gpiomon) next() (change, error) {
	row, err := g.line()
	for err == nil && strings.HasPrefix(row, "#") {
		row, err = g.line()
	}
	if err != nil {
		return change{}, err
	}
	var stamp, edge, name string
	if rest, ok := strings.CutPrefix(row, "event:"); ok {
		edge, rest, _ = strings.Cut(rest, "offset:")
		name, rest, _ = strings.Cut(rest, "timestamp:")
		stamp = strings.Trim(rest, " []")
		edge, _ = strings.CutSuffix(strings.TrimSpace(edge), " EDGE")
	} else if col := strings.Fields(row); len(col) >= 3 {
		stamp, edge, name = col[0], col[1], strings.Join(col[2:], " ")
	}
	edge, name = strings.ToLower(edge), strings.ReplaceAll(strings.TrimSpace(name), `"`, "")
	if edge != "rising" && edge != "falling" || name == "" {
		return change{}, fmt.Errorf("row %d: %.60q is not an edge as gpiomon prints it", g.row, row)
	}
	at, err := g.at(stamp)
	if err != nil {
		return change{}, err
	}
	i := slices.Index(g.names, name)
	if i < 0 {
		if i = len(g.names); i >= 64 {
			return change{}, fmt.Errorf("row %d: more than 64 lines", g.row)
		}
		g.names = append(g.names, name)
	}
	return change{time: at, signal: i, high: edge == "rising"}, nil
}
