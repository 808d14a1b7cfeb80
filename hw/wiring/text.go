package wiring

import (
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
	"stump/internal/count"
)

// Text draws the wiring for a terminal of that many columns, at least 56: the
// header with what goes to each pin, how the reader gets there, warnings, and
// the bill of materials. With ansi, wires are drawn in their colours.
func (w *Plan) Text(columns int, ansi bool) (string, error) {
	ties, err := w.connections()
	if err != nil {
		return "", err
	}
	columns = min(max(columns, 56), 100)
	var b strings.Builder
	p := painter{ansi}
	fmt.Fprintf(&b, "%s, its header from above\n\n", w.Board.Name)
	for _, h := range w.headers(ties) {
		w.drawHeader(&b, p, h, ties, columns)
		b.WriteByte('\n')
	}
	w.drawPaths(&b, p, ties)
	b.WriteString("\nBefore you switch on\n")
	for _, s := range w.warnings() {
		bullet(&b, "! ", s, columns)
	}
	b.WriteString("\nParts\n" + w.PartsText(columns))
	return b.String(), nil
}

// PartsText is what to buy, one part a line or more.
func (w *Plan) PartsText(columns int) string {
	var b strings.Builder
	for _, part := range w.parts() {
		line := part.String()
		bullet(&b, line[:4], line[4:], columns)
	}
	return b.String()
}

func bullet(b *strings.Builder, mark, text string, columns int) {
	n := len([]rune(mark))
	for i, l := range Wrap(text, columns-n) {
		if i > 0 {
			mark = strings.Repeat(" ", n)
		}
		b.WriteString(mark + l + "\n")
	}
}

// headers are the headers that have wires, by name; a Raspberry Pi has one
// without a name.
func (w *Plan) headers(ties []connection) (names []string) {
	for _, t := range ties {
		h, _, _ := t.Pin.Position()
		if !slices.Contains(names, h) {
			names = append(names, h)
		}
	}
	slices.Sort(names)
	return names
}

// drawHeader draws one header, down to its last used row.
func (w *Plan) drawHeader(b *strings.Builder, p painter, header string, ties []connection, columns int) {
	const (
		signal = 8
		number = 2
	)
	label := (columns - 2*(signal+number) - 9) / 2
	last, rows := 0, 0
	pins := map[[2]int]board.Pin{}
	for _, pin := range w.Board.Pins {
		h, row, col := pin.Position()
		if h != header {
			continue
		}
		rows = max(rows, row)
		if _, twice := pins[[2]int{row, col}]; !twice {
			pins[[2]int{row, col}] = pin
		}
		if _, tied := tieOf(ties, pin); tied {
			last = max(last, row)
		}
	}
	if header != "" {
		fmt.Fprintf(b, "%*s\n", label+signal+number+6, "header "+header)
	}
	for row := range last + 1 {
		left, right := pins[[2]int{row, 0}], pins[[2]int{row, 1}]
		lt, lok := tieOf(ties, left)
		rt, rok := tieOf(ties, right)
		line := fmt.Sprintf("%s %*s %*s %s%s %-*s %-*s %s",
			p.paint(lt.Colour, pad(lt.label(lok, label), label, true)), signal, short(left), number, pinNumber(left),
			dot(lok), dot(rok), number, pinNumber(right), signal, short(right), p.paint(rt.Colour, rt.label(rok, label)))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if rest := rows - last; rest > 0 {
		fmt.Fprintf(b, "%s\n", pad(count.Of(rest, "more row")+", not used", label+signal+number+14, true))
	}
}

func dot(used bool) string {
	if used {
		return "●"
	}
	return "○"
}

// short is a signal that fits beside its pin.
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

func tieOf(ties []connection, p board.Pin) (connection, bool) {
	i := slices.IndexFunc(ties, func(t connection) bool { return t.Pin.Name == p.Name && p.Name != "" })
	if i < 0 {
		return connection{}, false
	}
	return ties[i], true
}

// label is what goes to a pin: "DATA0 green".
func (t connection) label(tied bool, width int) string {
	if !tied {
		return ""
	}
	s := t.Wire + ", " + t.Colour
	if len(s) > width {
		s = t.Wire
	}
	return s
}

// drawPaths lists each wire from its part to its pin.
func (w *Plan) drawPaths(b *strings.Builder, p painter, ties []connection) {
	const format = "%s%-20s%-12s %s\n"
	fmt.Fprintf(b, format, pad("wire", 8, false), "from", "through", "to header pin")
	for _, t := range ties {
		from, via := t.path()
		fmt.Fprintf(b, format, p.paint(t.Colour, pad(t.Colour, 8, false)), from, via, fmt.Sprintf("%s (%s)", t.Pin.Name, short(t.Pin)))
	}
	if w.Keyboard {
		fmt.Fprintf(b, format, pad("USB", 8, false), "keyboard", "-", "any USB socket")
	}
}

// path says where a wire comes from and what it goes through.
func (t connection) path() (from, via string) {
	switch from = t.Wire; {
	case t.part == partSwitch:
		return "reader " + from, "transistor"
	case t.part == partDisplay:
		return "display " + t.Point, "-"
	case strings.HasPrefix(from, "DATA"):
		from = "reader " + from
	}
	switch {
	case t.part == partDivider && strings.HasPrefix(t.Point, "LV"):
		return from, "10k / 20k"
	case t.part == partDivider:
		return from, "-"
	case len(t.Point) > 2 && t.Point != "GND":
		if !strings.Contains(from, " ") || strings.HasSuffix(from, "light") {
			from = "reader " + from
		}
		return from, strings.Replace(strings.TrimSuffix(t.Point, " (2nd)"), "LV", "HV", 1) + " to " + t.Point
	}
	return from, t.Point
}

// pad fills to a width, in characters, with the text at the right or left.
func pad(s string, width int, right bool) string {
	n := max(0, width-len([]rune(s)))
	if right {
		return strings.Repeat(" ", n) + s
	}
	return s + strings.Repeat(" ", n)
}

// painter colours text where the terminal does.
type painter struct{ ansi bool }

// sgr are the terminal's colours (ECMA-48 select graphic rendition).
var sgr = map[string]string{
	"red": "31", "green": "32", "yellow": "33", "orange": "38;5;208", "brown": "38;5;130", "blue": "34",
	"purple": "35", "violet": "35", "white": "97", "black": "90", "grey": "37", "tan": "38;5;180", "pink": "38;5;218",
}

func (p painter) paint(colour, s string) string {
	code := sgr[colour]
	if !p.ansi || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Wrap breaks text at spaces so that no line has more than width characters,
// unless a single word has.
func Wrap(text string, width int) (lines []string) {
	line, n := "", 0
	for word := range strings.FieldsSeq(text) {
		w := len([]rune(word))
		if n > 0 && n+1+w > width {
			lines = append(lines, line)
			line, n = "", 0
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+w
	}
	if n > 0 {
		lines = append(lines, line)
	}
	return lines
}
