package board

import (
	"fmt"
	"strings"

	"stump/gpio"
	"stump/internal/count"
)

// Survey is what `stump config check --board` shows: the board, its chips, and
// what each configured line turned out to be.
type Survey struct {
	Board *Board
	Chips []gpio.ChipInfo
	Err   error // chips that could not be read
	Rows  []SurveyRow
}

// SurveyRow is one configured line.
type SurveyRow struct {
	Role string // "stump DATA0", "beeper": for whom the line is
	Name string // as configured
	Line Line   // when Err is nil
	Err  error
}

// Wanted is a line to look up.
type Wanted struct{ Role, Name string }

// Survey looks up lines on a board.
func (b *Board) Survey(wanted []Wanted) Survey {
	chips, err := b.host.scan()
	s := Survey{Board: b, Err: err}
	for _, c := range chips {
		s.Chips = append(s.Chips, c.ChipInfo)
	}
	for _, w := range wanted {
		l, err := b.Lookup(w.Name)
		s.Rows = append(s.Rows, SurveyRow{w.Role, w.Name, l, err})
	}
	return s
}

// OK reports whether every line was found and is free.
func (s Survey) OK() bool {
	for _, r := range s.Rows {
		if r.Err != nil || r.Line.Used {
			return false
		}
	}
	return true
}

// String is the survey for people.
func (s Survey) String() string {
	var b strings.Builder
	kind := "not in the table: lines go by name, or by chip and number"
	if s.Board.Known() {
		kind = s.Board.Key
	}
	fmt.Fprintf(&b, "board: %s (%s)\n", s.Board, kind)
	said := ""
	hint := func(err error) { // not once a line when all lack the same
		if h := hintOf(err); h != "" && h != said {
			fmt.Fprintf(&b, "  %s\n", h)
			said = h
		}
	}
	for _, c := range s.Chips {
		fmt.Fprintf(&b, "chip: %s, %s, %s\n", c.Name, c.Label, count.Of(c.Lines, "line"))
	}
	if s.Err != nil {
		fmt.Fprintf(&b, "chips: %v\n", s.Err)
		hint(s.Err)
	}
	for _, r := range s.Rows {
		switch {
		case r.Err != nil:
			fmt.Fprintf(&b, "%s: %v\n", r.Role, r.Err)
			hint(r.Err)
		case r.Line.Used:
			fmt.Fprintf(&b, "%s = %s: held by %q\n", r.Role, r.Line, r.Line.Consumer)
		default:
			fmt.Fprintf(&b, "%s = %s\n", r.Role, r.Line)
		}
	}
	return b.String()
}

// hintOf is what to do about an error.
func hintOf(err error) string {
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return h.Hint()
	}
	return gpio.Hint(err)
}
