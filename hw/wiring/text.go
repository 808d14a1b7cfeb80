package wiring

import (
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
	"stump/internal/count"
)

// Text draws the plan for a terminal of that many columns, at least 56: the
// header with what goes to each pin, the way of each wire, warnings, and the
// parts to buy. With ansi, wires have their colours.
func (p *Plan) Text(columns int, ansi bool) (string, error) {
	all, err := p.connections()
	if err != nil {
		return "", err
	}
	columns = min(max(columns, 56), 100)
	paint := func(colour, s string) string {
		if code := palette[colour].sgr; ansi && code != "" {
			return "\x1b[" + code + "m" + s + "\x1b[0m"
		}
		return s
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, its header from above\n\n", p.Board.Name)
	for _, h := range headers(all) {
		p.drawHeader(&b, paint, h, all, columns)
		b.WriteByte('\n')
	}
	const format = "%s%-20s%-12s %s\n"
	fmt.Fprintf(&b, format, "wire    ", "from", "through", "to header pin")
	for _, c := range all {
		fmt.Fprintf(&b, format, paint(c.colour, fmt.Sprintf("%-8s", c.colour)), c.from, c.via, fmt.Sprintf("%s (%s)", c.pin.Name, short(c.pin)))
	}
	if p.Keyboard {
		fmt.Fprintf(&b, format, "USB     ", "keyboard", "-", "any USB socket")
	}
	b.WriteString("\nBefore you switch on\n")
	for _, s := range p.warnings() {
		b.WriteString(strings.Join(Hang("! ", s, columns), "\n") + "\n")
	}
	b.WriteString("\nParts\n" + p.PartsText(columns))
	return b.String(), nil
}

// PartsText lists what to buy, in lines of at most that many columns.
func (p *Plan) PartsText(columns int) string {
	var b strings.Builder
	for _, part := range p.parts() {
		text := part.what
		if part.why != "" {
			text += ": " + part.why
		}
		b.WriteString(strings.Join(Hang(fmt.Sprintf("%2d  ", part.count), text, columns), "\n") + "\n")
	}
	return b.String()
}

// headers are the names of the headers that have wires. A Raspberry Pi has one
// without a name.
func headers(all []connection) (names []string) {
	for _, c := range all {
		h, _, _ := c.pin.Position()
		names = append(names, h)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// drawHeader draws one header, down to its last used row.
func (p *Plan) drawHeader(b *strings.Builder, paint func(colour, s string) string, header string, all []connection, columns int) {
	const (
		signal = 8
		number = 2
	)
	width := (columns - 2*(signal+number) - 9) / 2
	last, rows := 0, 0
	pins := map[[2]int]board.Pin{}
	for _, pin := range p.Board.Pins {
		h, row, col := pin.Position()
		if h != header {
			continue
		}
		rows = max(rows, row)
		if _, twice := pins[[2]int{row, col}]; !twice {
			pins[[2]int{row, col}] = pin
		}
		if _, used := wireOf(all, pin); used {
			last = max(last, row)
		}
	}
	if header != "" {
		fmt.Fprintf(b, "%*s\n", width+signal+number+6, "header "+header)
	}
	// cell is what goes to a pin, and the dot for the pin.
	cell := func(pin board.Pin) (colour, label, dot string) {
		c, used := wireOf(all, pin)
		if !used {
			return "", "", "○"
		}
		label = c.label + ", " + c.colour
		if len(label) > width {
			label = c.label
		}
		return c.colour, label, "●"
	}
	for row := range last + 1 {
		left, right := pins[[2]int{row, 0}], pins[[2]int{row, 1}]
		leftColour, leftLabel, leftDot := cell(left)
		rightColour, rightLabel, rightDot := cell(right)
		line := fmt.Sprintf("%s %*s %*s %s%s %-*s %-*s %s",
			paint(leftColour, fmt.Sprintf("%*s", width, leftLabel)), signal, short(left), number, pinNumber(left),
			leftDot, rightDot, number, pinNumber(right), signal, short(right), paint(rightColour, rightLabel))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if rest := rows - last; rest > 0 {
		fmt.Fprintf(b, "%*s\n", width+signal+number+14, count.Of(rest, "more row")+", not used")
	}
}

// short is a pin's signal, short enough to stand beside it.
func short(p board.Pin) string {
	s, _, _ := strings.Cut(p.Signal, " ")
	switch s {
	case "SYS_RESETn":
		return "RESET"
	case "GNDA_ADC":
		return "AGND"
	}
	return s
}

func pinNumber(p board.Pin) string {
	if _, n, ok := strings.Cut(p.Name, "_"); ok {
		return strings.TrimRight(n, "AB")
	}
	return p.Name
}

// wireOf is the wire that goes to a pin.
func wireOf(all []connection, p board.Pin) (connection, bool) {
	i := slices.IndexFunc(all, func(c connection) bool { return c.pin.Name == p.Name })
	if i < 0 {
		return connection{}, false
	}
	return all[i], true
}

// palette is how colours are drawn: in SVG, and on a terminal (ECMA-48 select
// graphic rendition).
var palette = map[string]struct{ svg, sgr string }{
	"red": {"#d32f2f", "31"}, "black": {"#222222", "90"}, "green": {"#2e9e3f", "32"},
	"white": {"#ffffff", "97"}, "orange": {"#f57c00", "38;5;208"}, "brown": {"#795548", "38;5;130"},
	"yellow": {"#fdd835", "33"}, "blue": {"#1e6fd0", "34"}, "purple": {"#8e44ad", "35"},
	"violet": {"#8e44ad", "35"}, "grey": {"#9e9e9e", "37"}, "tan": {"#d2b48c", "38;5;180"},
	"pink": {"#f48fb1", "38;5;218"},
}

// Hang breaks a text at spaces into lines of at most columns characters, unless
// a single word is longer. The first line begins with mark, and the others are
// indented by as much.
func Hang(mark, text string, columns int) (lines []string) {
	indent := strings.Repeat(" ", len([]rune(mark)))
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(mark+line+" "+word)) > columns {
			lines = append(lines, mark+line)
			mark, line = indent, ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, mark+line)
}
