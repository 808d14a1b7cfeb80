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
// analysers write it. The names may be in either case and within any scope,
// escaped or with an index; DATA0 and DATA1 will do as well. A line that nothing
// drives (z) is high, since a reader's lines are pulled up. Other signals,
// unknown levels (x) and what is within $comment are passed over. Times become
// nanoseconds.
type VCDReader struct {
	s       *bufio.Scanner
	unit    timeUnit
	line    map[string]uint8 // identifier code to line
	names   []string         // the signals that there are, for the error
	time    int64
	timed   bool
	dumping bool // within $dumpvars: levels, not edges
	level   [2]bool
	skip    bool // within a command that does not matter
	header  bool
}

// NewVCDReader returns a reader of the dump in r.
func NewVCDReader(r io.Reader) *VCDReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	s.Split(bufio.ScanWords)
	return &VCDReader{s: s, unit: timeUnit{1, 1}, line: map[string]uint8{}, level: [2]bool{true, true}, header: true}
}

// Next returns the next edge, io.EOF at the end, or an error that says what
// is wrong.
func (v *VCDReader) Next() (Edge, error) {
	for {
		word, ok := v.word()
		if !ok {
			return Edge{}, v.end()
		}
		if v.skip {
			v.skip = word != "$end"
			continue
		}
		var e Edge
		var edge bool
		var err error
		if v.header {
			err = v.declare(word)
		} else {
			e, edge, err = v.change(word)
		}
		if err != nil {
			return Edge{}, err
		}
		if edge {
			return e, nil
		}
	}
}

func (v *VCDReader) word() (string, bool) {
	if !v.s.Scan() {
		return "", false
	}
	return v.s.Text(), true
}

func (v *VCDReader) end() error {
	if err := v.s.Err(); err != nil {
		return fmt.Errorf("vcd: %w", err)
	}
	if v.header {
		return errors.New("vcd: no $enddefinitions: this is no value change dump")
	}
	return io.EOF
}

// words reads up to $end.
func (v *VCDReader) words() (list []string) {
	for {
		word, ok := v.word()
		if !ok || word == "$end" {
			return list
		}
		if len(list) < 16 {
			list = append(list, word)
		}
	}
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
		case have[0] == 0 || have[1] == 0:
			err = fmt.Errorf("vcd: want signals D0 and D1 of one bit, have only %q: rename the two data lines", v.names)
		case have[0] > 1 || have[1] > 1:
			err = fmt.Errorf("vcd: more than one D0 or D1 in %q: keep those of one reader", v.names)
		}
	default:
		if !strings.HasPrefix(word, "$") {
			return fmt.Errorf("vcd: %.20q before $enddefinitions: this is no value change dump", word)
		}
		v.skip = word != "$end"
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

func (v *VCDReader) change(word string) (e Edge, edge bool, err error) {
	switch word[0] {
	case '#':
		t, err := strconv.ParseUint(word[1:], 10, 64)
		if err != nil {
			return e, false, fmt.Errorf("vcd: %.30q is not a time", word)
		}
		ns, ok := v.unit.ns(t)
		if !ok || v.timed && ns < v.time {
			return e, false, fmt.Errorf("vcd: time %.30q is out of range or before the one before it", word)
		}
		v.time, v.timed = ns, true
	case '0', '1':
		return v.set(word[1:], word[0] == '1')
	case 'b', 'B', 'r', 'R':
		code, _ := v.word()
		if word == "b0" || word == "b1" || word == "B0" || word == "B1" {
			return v.set(code, word[1] == '1')
		}
	case 'z', 'Z':
		return v.set(word[1:], true)
	case 's', 'S': // a string, of GTKWave
		v.word()
	case 'x', 'X':
	case '$':
		switch word {
		case "$dumpvars":
			v.dumping = true
		case "$end":
			v.dumping = false
		case "$dumpall", "$dumpon", "$dumpoff":
		default:
			v.skip = true
		}
	default:
		return e, false, fmt.Errorf("vcd: %.20q is not a value change", word)
	}
	return e, false, nil
}

// set takes a level of a signal. The first levels of a dump are how the lines
// are, not edges.
func (v *VCDReader) set(code string, high bool) (e Edge, edge bool, err error) {
	line, ok := v.line[code]
	if !ok {
		return e, false, nil
	}
	was := v.level[line]
	v.level[line] = high
	if v.dumping || was == high {
		return e, false, nil
	}
	return Edge{Time: v.time, Line: line, Rising: high}, true, nil
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
