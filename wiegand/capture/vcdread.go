package capture

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

// vcd reads the changes of all signals of one bit from a value change dump, as
// GTKWave, sigrok-cli, PulseView and logic analysers write it. A line that nothing
// drives (z) is high, because a reader's lines are pulled up. Wider signals, unknown
// levels (x) and comments are passed over. Times become nanoseconds.
type vcd struct {
	s       *bufio.Scanner
	unit    timeUnit
	code    map[string]int // identifier code to signal
	names   []string
	time    int64
	dumping bool // within $dumpvars: levels, not edges
}

func newVCD(r io.Reader) (*vcd, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), 1<<20)
	s.Split(bufio.ScanWords)
	v := &vcd{s: s, unit: timeUnit{1, 1}, code: map[string]int{}}
	for v.s.Scan() {
		switch word := v.s.Text(); {
		case word == "$enddefinitions":
			v.words()
			return v, nil
		default:
			if err := v.declare(word); err != nil {
				return nil, err
			}
		}
	}
	if err := v.s.Err(); err != nil {
		return nil, fmt.Errorf("vcd: %w", err)
	}
	return nil, errors.New("vcd: no $enddefinitions: this is not a value change dump")
}

func (v *vcd) signals() []string { return v.names }

func (v *vcd) next() (change, error) {
	for v.s.Scan() {
		code, high, err := v.change(v.s.Text())
		if err != nil {
			return change{}, err
		}
		if signal, ok := v.code[code]; ok {
			return change{v.time, signal, high, v.dumping}, nil
		}
	}
	if err := v.s.Err(); err != nil {
		return change{}, fmt.Errorf("vcd: %w", err)
	}
	return change{}, io.EOF
}

// words reads up to $end, and keeps the first words.
func (v *vcd) words() (list []string) {
	for v.s.Scan() && v.s.Text() != "$end" {
		if len(list) < 16 {
			list = append(list, v.s.Text())
		}
	}
	return list
}

func (v *vcd) declare(word string) (err error) {
	switch word {
	case "$timescale":
		v.unit, err = parseTimescale(strings.Join(v.words(), ""))
	case "$var":
		v.declareSignal(v.words())
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
func (v *vcd) declareSignal(words []string) {
	if len(words) < 4 || words[1] != "1" || len(v.names) >= 1024 {
		return
	}
	name := strings.TrimPrefix(words[3], "\\")
	name, _, _ = strings.Cut(name[strings.LastIndexByte(name, '.')+1:], "[")
	if _, same := v.code[words[2]]; !same { // else another name of it
		v.code[words[2]] = len(v.names)
		v.names = append(v.names, name)
	}
}

// change takes a word after the header. code is the signal whose level it
// gives, "" for none.
func (v *vcd) change(word string) (code string, high bool, err error) {
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

func (v *vcd) setTime(digits string) error {
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
