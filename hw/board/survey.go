package board

import (
	"cmp"
	"fmt"
	"strings"

	"stump/gpio"
	"stump/internal/count"
	"stump/internal/hint"
)

// Wanted is a line to look up.
type Wanted struct {
	Role string // what the line is for: "stump DATA0", "beeper"
	Name string // as configured
}

// Survey is what `stump config check --board` prints: the board, its chips, and
// what each line is. ok reports whether every line was found and is free.
func (b *Board) Survey(wanted []Wanted) (text string, ok bool) {
	var out strings.Builder
	fmt.Fprintf(&out, "board: %s (%s)\n", b, cmp.Or(b.Key, "not in the table: lines go by name, or by chip and number"))
	said := ""
	problem := func(role string, err error) { // a remedy that several lines share is printed once
		fmt.Fprintf(&out, "%s: %v\n", role, err)
		if h := cmp.Or(hint.Of(err), gpio.Hint(err)); h != "" && h != said {
			fmt.Fprintf(&out, "  %s\n", h)
			said = h
		}
	}
	chips, err := b.host.scan()
	for _, c := range chips {
		fmt.Fprintf(&out, "chip: %s, %s, %s\n", c.Name, c.Label, count.Of(c.Lines, "line"))
	}
	if err != nil {
		problem("chips", err)
	}
	ok = true
	for _, w := range wanted {
		switch l, err := b.Lookup(w.Name); {
		case err != nil:
			problem(w.Role, err)
			ok = false
		case l.info.Used:
			fmt.Fprintf(&out, "%s = %s: held by %q\n", w.Role, l, l.info.Consumer)
			ok = false
		default:
			fmt.Fprintf(&out, "%s = %s\n", w.Role, l)
		}
	}
	return out.String(), ok
}
