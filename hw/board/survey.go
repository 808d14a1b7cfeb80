package board

import (
	"cmp"
	"fmt"
	"strings"

	"stump/gpio"
	"stump/internal/count"
	"stump/internal/hint"
)

// Survey is what `stump config check --board` prints: the board, its chips, and
// what each configured line is.
type Survey struct {
	board *Board
	chips []*chip
	err   error // chips that could not be read
	rows  []surveyRow
}

type surveyRow struct {
	Wanted
	line Line // when err is nil
	err  error
}

// Wanted is a line to look up.
type Wanted struct {
	Role string // what the line is for: "stump DATA0", "beeper"
	Name string // as configured
}

// Survey looks up lines on this board.
func (b *Board) Survey(wanted []Wanted) Survey {
	s := Survey{board: b}
	s.chips, s.err = b.host.scan()
	for _, w := range wanted {
		l, err := b.Lookup(w.Name)
		s.rows = append(s.rows, surveyRow{w, l, err})
	}
	return s
}

// OK reports whether every line was found and is free.
func (s Survey) OK() bool {
	for _, r := range s.rows {
		if r.err != nil || r.line.info.Used {
			return false
		}
	}
	return true
}

// String is the survey for people.
func (s Survey) String() string {
	var b strings.Builder
	kind := cmp.Or(s.board.Key, "not in the table: lines go by name, or by chip and number")
	fmt.Fprintf(&b, "board: %s (%s)\n", s.board, kind)
	said := ""
	problem := func(role string, err error) { // a remedy that several lines share is printed once
		fmt.Fprintf(&b, "%s: %v\n", role, err)
		if h := cmp.Or(hint.Of(err), gpio.Hint(err)); h != "" && h != said {
			fmt.Fprintf(&b, "  %s\n", h)
			said = h
		}
	}
	for _, c := range s.chips {
		fmt.Fprintf(&b, "chip: %s, %s, %s\n", c.Name, c.Label, count.Of(c.Lines, "line"))
	}
	if s.err != nil {
		problem("chips", s.err)
	}
	for _, r := range s.rows {
		switch {
		case r.err != nil:
			problem(r.Role, r.err)
		case r.line.info.Used:
			fmt.Fprintf(&b, "%s = %s: held by %q\n", r.Role, r.line, r.line.info.Consumer)
		default:
			fmt.Fprintf(&b, "%s = %s\n", r.Role, r.line)
		}
	}
	return b.String()
}
