package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"stump/wiegand"
)

// A TraceReader reads edges in the text form: one edge a line, as the time in
// nanoseconds, the line 0 or 1, the level after the edge 0 or 1; further columns
// are ignored, and # starts a comment. Both lines start high. Times never go
// backwards. A trace may have falling edges alone, so every row is an edge, also
// where it repeats its line's level.
//
//	2350000 0 0
//	2400000 0 1
type TraceReader struct {
	s    *bufio.Scanner
	row  int
	last int64
}

// NewTraceReader returns a reader of the trace in r.
func NewTraceReader(r io.Reader) *TraceReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	return &TraceReader{s: s, last: math.MinInt64}
}

// Next returns the next edge, io.EOF at the end, or an error that names the
// row.
func (t *TraceReader) Next() (wiegand.Edge, error) {
	for t.s.Scan() {
		t.row++
		row, _, _ := bytes.Cut(t.s.Bytes(), []byte("#"))
		col := bytes.Fields(row)
		if len(col) == 0 {
			continue
		}
		e, err := parseEdge(col)
		if err == nil && e.Time < t.last {
			err = fmt.Errorf("time %d is before %d: sort the trace by time", e.Time, t.last)
		}
		if err != nil {
			return wiegand.Edge{}, fmt.Errorf("row %d: %w", t.row, err)
		}
		t.last = e.Time
		return e, nil
	}
	if err := t.s.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errors.New("longer than 1 MiB: this is not a trace")
		}
		return wiegand.Edge{}, fmt.Errorf("row %d: %w", t.row+1, err)
	}
	return wiegand.Edge{}, io.EOF
}

func parseEdge(col [][]byte) (e wiegand.Edge, err error) {
	if len(col) < 3 {
		return e, errors.New("want three columns: time in ns, line 0 or 1, level 0 or 1")
	}
	e.Time, err = strconv.ParseInt(string(col[0]), 10, 64)
	line, level := string(col[1]), string(col[2])
	switch {
	case err != nil:
		return e, fmt.Errorf("%q is not a time in nanoseconds", col[0])
	case line != "0" && line != "1":
		return e, fmt.Errorf("%q is not a line: use 0 for DATA0, 1 for DATA1", line)
	case level != "0" && level != "1":
		return e, fmt.Errorf("%q is not a level: use 0 for low, 1 for high", level)
	}
	e.Line, e.Rising = line[0]-'0', level == "1"
	return e, nil
}
