package wiegand

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A TraceReader reads edges in the text form: a line an edge, the time in
// nanoseconds, the line 0 or 1, the level after the edge 0 or 1, further
// columns ignored; # starts a comment. Both lines start high. Times never go
// backwards. A trace of falling edges alone is a trace too, so every row is an
// edge, also where it repeats its line's level.
//
//	2350000 0 0
//	2400000 0 1
type TraceReader struct {
	s    *bufio.Scanner
	row  int
	last int64
	any  bool
}

// NewTraceReader returns a reader of the trace in r.
func NewTraceReader(r io.Reader) *TraceReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	return &TraceReader{s: s}
}

// Next returns the next edge, io.EOF at the end, or an error that names the
// row.
func (t *TraceReader) Next() (Edge, error) {
	for t.s.Scan() {
		t.row++
		row := t.s.Bytes()
		if i := bytes.IndexByte(row, '#'); i >= 0 {
			row = row[:i]
		}
		col := bytes.Fields(row)
		if len(col) == 0 {
			continue
		}
		e, err := parseEdge(col)
		if err == nil && t.any && e.Time < t.last {
			err = fmt.Errorf("time %d is before %d: sort the trace by time", e.Time, t.last)
		}
		if err != nil {
			return Edge{}, fmt.Errorf("row %d: %w", t.row, err)
		}
		t.last, t.any = e.Time, true
		return e, nil
	}
	if err := t.s.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("longer than 1 MiB: this is no trace")
		}
		return Edge{}, fmt.Errorf("row %d: %w", t.row+1, err)
	}
	return Edge{}, io.EOF
}

func parseEdge(col [][]byte) (e Edge, err error) {
	if len(col) < 3 {
		return e, errors.New("want three columns: time in ns, line 0 or 1, level 0 or 1")
	}
	e.Time, err = strconv.ParseInt(string(col[0]), 10, 64)
	if err != nil {
		return e, fmt.Errorf("%q is not a time in nanoseconds", col[0])
	}
	line, ok := parseBit(col[1])
	if !ok {
		return e, fmt.Errorf("%q is not a line: use 0 for DATA0, 1 for DATA1", col[1])
	}
	level, ok := parseBit(col[2])
	if !ok {
		return e, fmt.Errorf("%q is not a level: use 0 for low, 1 for high", col[2])
	}
	e.Line, e.Rising = line, level == 1
	return e, nil
}

func parseBit(b []byte) (uint8, bool) {
	if len(b) == 1 && (b[0] == '0' || b[0] == '1') {
		return b[0] - '0', true
	}
	return 0, false
}

// A TraceWriter writes edges in the text form that TraceReader reads.
type TraceWriter struct {
	w   io.Writer
	buf []byte
}

// NewTraceWriter returns a writer of a trace to w. Writes are not buffered
// beyond an edge.
func NewTraceWriter(w io.Writer) *TraceWriter { return &TraceWriter{w: w} }

// Write writes one edge.
func (t *TraceWriter) Write(e Edge) error {
	level := byte('0')
	if e.Rising {
		level = '1'
	}
	t.buf = strconv.AppendInt(t.buf[:0], e.Time, 10)
	t.buf = append(t.buf, ' ', '0'+e.Line&1, ' ', level, '\n')
	_, err := t.w.Write(t.buf)
	return err
}
