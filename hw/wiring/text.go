package wiring

import (
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
	"stump/internal/count"
	"stump/internal/wrap"
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
		if code := drawn[colour].sgr; ansi && code != "" {
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
	if !p.wired() {
		fmt.Fprintf(&b, format, "USB     ", p.readerName(), "-", "any USB socket")
	}
	if p.Keyboard {
		fmt.Fprintf(&b, format, "USB     ", "keyboard", "-", "any USB socket")
	}
	b.WriteString("\nBefore you switch on\n")
	for _, s := range p.warnings() {
		b.WriteString(strings.Join(wrap.Hang("! ", s, columns), "\n") + "\n")
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
		b.WriteString(strings.Join(wrap.Hang(fmt.Sprintf("%2d  ", part.count), text, columns), "\n") + "\n")
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

// place is one pin of a header as the pictures show it.
type place struct {
	board.Pin
	row, column int
	wire        *connection // nil: none
}

// places are the pins of one header in order, of two lines that share a pin the
// first, and its number of rows.
func (p *Plan) places(header string, all []connection) (places []place, rows int) {
	for _, pin := range p.Board.Pins {
		h, row, column := pin.Position()
		n := len(places)
		if h != header || n > 0 && places[n-1].row == row && places[n-1].column == column {
			continue
		}
		at := place{pin, row, column, nil}
		if i := slices.IndexFunc(all, func(c connection) bool { return c.pin.Name == pin.Name }); i >= 0 {
			at.wire = &all[i]
		}
		places, rows = append(places, at), max(rows, row+1)
	}
	return places, rows
}

// drawHeader draws one header, down to its last used row.
func (p *Plan) drawHeader(b *strings.Builder, paint func(colour, s string) string, header string, all []connection, columns int) {
	places, rows := p.places(header, all)
	signal, mark := 8, 2
	for _, at := range places {
		signal, mark = max(signal, len(short(at.Pin))), max(mark, len(at.Mark()))
	}
	width := (columns - 2*(signal+mark) - 9) / 2
	if header != "" {
		fmt.Fprintf(b, "%*s\n", width+signal+mark+6, "header "+header)
	}
	used := 0
	lines := make([]string, rows)
	for _, at := range places {
		colour, label, dot := "", "", "○"
		if at.wire != nil {
			used = max(used, at.row+1)
			colour, label, dot = at.wire.colour, at.wire.label+", "+at.wire.colour, "●"
			if len(label) > width {
				label = at.wire.label
			}
		}
		if at.column == 0 {
			lines[at.row] = fmt.Sprintf("%s %*s %*s %s", paint(colour, fmt.Sprintf("%*s", width, label)), signal, short(at.Pin), mark, at.Mark(), dot)
		} else {
			lines[at.row] += fmt.Sprintf("%s %-*s %-*s %s", dot, mark, at.Mark(), signal, short(at.Pin), paint(colour, label))
		}
	}
	for _, line := range lines[:used] {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if rest := rows - used; rest > 0 {
		fmt.Fprintf(b, "%*s\n", width+signal+mark+14, count.Of(rest, "more row")+", not used")
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
