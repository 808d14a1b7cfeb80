package kiosk

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"stump/internal/plain"
)

// Look is how letters look on a terminal (ECMA-48, "select graphic rendition").
const (
	usual  = "\x1b[0m"
	strong = "\x1b[0;1m"
	dim    = "\x1b[0;2m"
	late   = "\x1b[0;1;31m"
	soon   = "\x1b[0;33m"
	words  = "\x1b[0;1;7m" // what the display says, in reverse
)

// widest is the most that a device's name may take of a line.
const widest = 24

// narrow is below how many columns what is free is below what is out, not beside it.
const narrow = 64

// text is a line of a terminal: letters that need no control characters, and how they look.
type text struct {
	letters string
	look    string
	end     string // at the right edge, of the same look
}

// line makes a line of exactly so many columns. What does not fit ends in "…".
func (t text) line(columns int) string {
	end := plain.Line(t.end)
	if end != "" && utf8.RuneCountInString(end)+8 > columns {
		end = ""
	}
	room := columns
	if end != "" {
		room -= utf8.RuneCountInString(end) + 1
	}
	left := fit(plain.Line(t.letters), room)
	if end != "" {
		left += " " + end
	}
	return cmp.Or(t.look, usual) + left + usual
}

// fit cuts or fills letters to so many columns.
func fit(s string, columns int) string {
	if columns <= 0 {
		return ""
	}
	n := utf8.RuneCountInString(s)
	if n <= columns {
		return s + strings.Repeat(" ", columns-n)
	}
	return string([]rune(s)[:columns-1]) + "…"
}

// Head is what the display says, in the middle of a terminal with so many columns, in as
// many lines as the display has rows and two.
func Head(rows []string, columns int) []string {
	lines := []string{text{look: words}.line(columns)}
	for _, row := range rows {
		row = strings.TrimSpace(row)
		lines = append(lines, text{letters: strings.Repeat(" ", max(columns-utf8.RuneCountInString(row), 0)/2) + row, look: words}.line(columns))
	}
	return append(lines, text{look: words}.line(columns))
}

// Body is what is out and what is free, in so many lines of so many columns.
func Body(v View, columns, lines int) []string {
	if lines <= 0 || columns <= 0 {
		return nil
	}
	var out []text
	if v.Holders {
		out = outTexts(v)
	}
	free := freeTexts(v)
	var all []string
	switch {
	case len(out) == 0:
		all = column(free, columns, lines)
	case columns < narrow:
		half := min(len(out), max(lines-len(free)-1, (lines+1)/2))
		all = column(out, columns, half)
		if rest := lines - half - 1; rest > 0 {
			all = append(append(all, text{}.line(columns)), column(free, columns, rest)...)
		}
	default:
		right := columns / 3
		left := columns - right - 3
		a, b := column(out, left, lines), column(free, right, lines)
		for i := range max(len(a), len(b)) {
			l, r := text{}.line(left), text{}.line(right)
			if i < len(a) {
				l = a[i]
			}
			if i < len(b) {
				r = b[i]
			}
			all = append(all, l+"   "+r)
		}
	}
	for len(all) < lines {
		all = append(all, text{}.line(columns))
	}
	return all[:lines]
}

// column is texts one below the other. How many do not fit stands in the last line.
func column(texts []text, columns, lines int) (all []string) {
	for i, t := range texts {
		if i == lines-1 && i < len(texts)-1 {
			return append(all, text{letters: fmt.Sprintf("… +%d", len(texts)-i), look: dim}.line(columns))
		}
		all = append(all, t.line(columns))
	}
	return all
}

func outTexts(v View) []text {
	all := []text{{letters: strconv.Itoa(v.Count[""]) + " " + v.Out, look: strong}}
	if len(v.Loans) == 0 {
		all = append(all, text{letters: v.NothingOut})
	}
	width := 0 // of the devices' names, so that the people's stand below each other
	for _, l := range v.Loans {
		width = min(max(width, utf8.RuneCountInString(plain.Line(cmp.Or(l.Device, l.DeviceTag)))), widest)
	}
	for _, l := range v.Loans {
		t := text{letters: fit(plain.Line(cmp.Or(l.Device, l.DeviceTag)), width) + "  " + cmp.Or(l.Person, l.PersonTag)}
		switch {
		case l.Overdue:
			t.look, t.end = late, l.Late
		case l.DueSoon:
			t.look, t.end = soon, l.Ends
		case !l.Loan.Due.IsZero():
			t.end = l.Ends
		}
		all = append(all, t)
	}
	return all
}

func freeTexts(v View) []text {
	all := []text{{letters: strconv.Itoa(v.Open()) + " " + v.Free, look: strong}}
	for _, k := range v.Kinds {
		indent := ""
		if k.Kind != "" {
			indent = "  "
			all = append(all, text{letters: k.Kind, look: dim})
		}
		for _, d := range k.Devices {
			all = append(all, text{letters: indent + d.Name})
		}
	}
	return all
}
