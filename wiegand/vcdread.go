package wiegand

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// A VCDReader reads the edges of the signals D0 and D1 from a value change
// dump (IEEE 1364-2005, clause 18), as GTKWave, sigrok-cli, PulseView and logic
// analysers write it. The names may be DATA0 and DATA1, in either case, within
// any scope, escaped or with an index. A line that nothing drives (z) is high,
// because a reader's lines are pulled up. Other signals, unknown levels (x) and
// comments are passed over. Times become nanoseconds.
type VCDReader struct {
	s       *bufio.Scanner
	unit    timeUnit
	line    map[string]uint8 // identifier code to line
	names   []string         // the signals that there are, for the error
	time    int64
	header  bool // before $enddefinitions
	dumping bool // within $dumpvars: levels, not edges
	high    [2]bool
}

// NewVCDReader returns a reader of the dump in r.
func NewVCDReader(r io.Reader) *VCDReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	s.Split(bufio.ScanWords)
	return &VCDReader{s: s, unit: timeUnit{1, 1}, line: map[string]uint8{}, high: [2]bool{true, true}, header: true}
}

// Next returns the next edge, io.EOF at the end, or an error that says what
// is wrong.
func (v *VCDReader) Next() (Edge, error) {
	for v.s.Scan() {
		if v.header {
			if err := v.declare(v.s.Text()); err != nil {
				return Edge{}, err
			}
			continue
		}
		code, high, err := v.change(v.s.Text())
		if err != nil {
			return Edge{}, err
		}
		if line, ok := v.line[code]; ok && v.high[line] != high {
			v.high[line] = high
			if !v.dumping { // else it is how the line was, not an edge
				return Edge{Time: v.time, Line: line, Rising: high}, nil
			}
		}
	}
	if err := v.s.Err(); err != nil {
		return Edge{}, fmt.Errorf("vcd: %w", err)
	}
	if v.header {
		return Edge{}, errors.New("vcd: no $enddefinitions: this is not a value change dump")
	}
	return Edge{}, io.EOF
}

// words reads up to $end, and keeps the first words.
func (v *VCDReader) words() (list []string) {
	for v.s.Scan() && v.s.Text() != "$end" {
		if len(list) < 16 {
			list = append(list, v.s.Text())
		}
	}
	return list
}

func (v *VCDReader) declare(word string) (err error) {
	switch word {
	case "$timescale":
		v.unit, err = parseTimescale(strings.Join(v.words(), ""))
	case "$var":
		v.declareSignal(v.words())
	case "$enddefinitions":
		v.words()
		v.header = false
		var have [2]int
		for _, line := range v.line {
			have[line]++
		}
		switch {
		case min(have[0], have[1]) == 0:
			err = fmt.Errorf("vcd: want signals D0 and D1 of one bit, have only %q: rename the two data lines", v.names)
		case max(have[0], have[1]) > 1:
			err = fmt.Errorf("vcd: more than one D0 or D1 in %q: keep those of one reader", v.names)
		}
	case "$end":
	default:
		if !strings.HasPrefix(word, "$") {
			return fmt.Errorf("vcd: %.20q before $enddefinitions: this is not a value change dump", word)
		}
		v.words()
	}
	return err
}

// declareSignal takes "wire 1 ! D0".
func (v *VCDReader) declareSignal(words []string) {
	if len(words) < 4 {
		return
	}
	code, name := words[2], strings.TrimPrefix(words[3], "\\")
	name, _, _ = strings.Cut(name[strings.LastIndexByte(name, '.')+1:], "[")
	if words[1] != "1" {
		name += " (" + words[1] + " bits)"
	}
	switch strings.ToUpper(name) {
	case "D0", "DATA0":
		v.line[code] = 0
	case "D1", "DATA1":
		v.line[code] = 1
	}
	if len(v.names) < 8 {
		v.names = append(v.names, name)
	}
}

// change takes a word after the header. code is the signal whose level it
// gives, "" for none.
func (v *VCDReader) change(word string) (code string, high bool, err error) {
	switch kind, rest := word[0], word[1:]; kind {
	case '#':
		return "", false, v.setTime(rest)
	case '0', '1', 'z', 'Z':
		return rest, kind != '0', nil
	case 'x', 'X':
	case 'b', 'B', 'r', 'R', 's', 'S': // several bits, a real number, a string of GTKWave
		if v.s.Scan() && (kind == 'b' || kind == 'B') && (rest == "0" || rest == "1") {
			return v.s.Text(), rest == "1", nil
		}
	case '$':
		switch word {
		case "$dumpvars", "$end":
			v.dumping = word == "$dumpvars"
		case "$dumpall", "$dumpon", "$dumpoff":
		default:
			v.words()
		}
	default:
		return "", false, fmt.Errorf("vcd: %.20q is not a value change", word)
	}
	return "", false, nil
}

func (v *VCDReader) setTime(digits string) error {
	t, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("vcd: %.30q is not a time", "#"+digits)
	}
	ns, ok := v.unit.ns(t)
	if !ok || ns < v.time {
		return fmt.Errorf("vcd: time %.30q is out of range or before the one before it", "#"+digits)
	}
	v.time = ns
	return nil
}

// timeUnit is a time scale in nanoseconds: mul/div.
type timeUnit struct{ mul, div uint64 }

// ns converts a time, rounded down; ok is false when it does not fit.
func (u timeUnit) ns(t uint64) (ns int64, ok bool) {
	hi, lo := bits.Mul64(t, u.mul)
	if hi != 0 || lo/u.div > math.MaxInt64 {
		return 0, false
	}
	return int64(lo / u.div), true
}

func parseTimescale(s string) (timeUnit, error) {
	digits := strings.TrimRight(s, "munpfs")
	n := map[string]uint64{"1": 1, "10": 10, "100": 100}[digits]
	scale, ok := map[string]timeUnit{
		"s": {1e9, 1}, "ms": {1e6, 1}, "us": {1e3, 1}, "ns": {1, 1}, "ps": {1, 1e3}, "fs": {1, 1e6},
	}[s[len(digits):]]
	if n == 0 || !ok {
		return timeUnit{}, fmt.Errorf("vcd: time scale %.20q: want 1, 10 or 100 and s, ms, us, ns, ps or fs", s)
	}
	return timeUnit{scale.mul * n, scale.div}, nil
}
