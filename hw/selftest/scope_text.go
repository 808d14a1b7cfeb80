package selftest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/hw/diagnose"
	"stump/internal/count"
	"stump/internal/wrap"
	"stump/wiegand"
)

// Lines draws a view for a terminal of that many columns and rows; 60 by 20 is
// enough. It never returns more than rows lines.
func (v *View) Lines(columns, rows int) []string {
	columns, rows = max(columns, 40), max(rows, 10)
	if v.Kind != "" {
		lines := v.sentLines(columns)
		return lines[:min(len(lines), rows)]
	}
	lines := append([]string{v.lineState(0), v.lineState(1), ""}, v.frameLines(columns)...)
	lines = append(append(append(lines, ""), DrawFrame(v.Edges, columns)...), "")
	half := (columns - 2) / 2
	left, right := v.Width.bars("width of pulses", 20e3, 100e3, half), v.Space.bars("distance of pulses", 200e3, 20e6, half)
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-*s  %s", half, l, r), " "))
	}
	for i, l := range lines {
		if r := []rune(l); len(r) > columns {
			lines[i] = string(r[:columns-1]) + "…"
		}
	}
	return lines[:min(len(lines), rows)]
}

func (v *View) lineState(i int) string {
	return fmt.Sprintf("DATA%d  %-4s  %6d pulses  %s", i, level(v.Levels[i]), v.Falls[i], cmp.Or(v.Names[i], "-"))
}

// frameLines are the bits as they arrive, the last frame, and the counts.
func (v *View) frameLines(columns int) []string {
	now := "silent"
	switch n := len(v.Open); {
	case n > 0:
		now = fmt.Sprintf("%3d bits  %s", n, v.Open[max(0, n-(columns-24)):])
	case v.Rate > 0:
		now = fmt.Sprintf("%.0f pulses in the last second", v.Rate)
	}
	last := "no frame yet: show a card"
	if v.Last != nil {
		last = fmt.Sprintf("%s (%.0f s ago)", v.Last.Text, v.Last.Ago)
	}
	lines := append([]string{"now    " + now}, wrap.Hang("last   ", last, columns)...)
	return append(lines, v.readsLine())
}

// readsLine counts what was read.
func (v *View) readsLine() string {
	reads := fmt.Sprintf("reads  %d good", v.Good)
	for _, k := range slices.Sorted(maps.Keys(v.Bad)) {
		reads += fmt.Sprintf(", %d %s", v.Bad[k], k)
	}
	return reads
}

// DrawFrame draws a frame's two lines over time: a dash is high, a tooth is a
// pulse, a double tooth more than one pulse in that column. Below is how long it
// took.
func DrawFrame(edges []wiegand.Edge, columns int) []string {
	width := columns - 3
	rows, scale := [2][]rune{}, ""
	for i := range rows {
		rows[i] = []rune(strings.Repeat("─", width))
	}
	if falls := diagnose.Falls(edges); len(falls) > 0 {
		first := falls[0].Time
		span := max(falls[len(falls)-1].Time-first, 1)
		for _, e := range falls {
			// A margin of two columns shows that the line was high before and after.
			c := &rows[e.Line][2+int((e.Time-first)*int64(width-5)/span)]
			*c = map[rune]rune{'─': '┬', '┬': '╥', '╥': '╥'}[*c]
		}
		scale = fmt.Sprintf("   %s in %s", count.Of(len(falls), "pulse"), seconds(time.Duration(span)))
	}
	return []string{"D0 " + string(rows[0]), "D1 " + string(rows[1]), scale}
}

// bars draws a histogram in that many columns, a title first: at most seven
// buckets that hold something, the fullest. Durations below low or from high on
// are outside of the standard, and marked.
func (h *Histogram) bars(title string, low, high int64, columns int) []string {
	const most = 7
	var used []int
	for i, n := range h.Counts {
		if n > 0 {
			used = append(used, i)
		}
	}
	if len(used) == 0 {
		return []string{title, "  nothing yet"}
	}
	slices.SortStableFunc(used, func(a, b int) int { return h.Counts[b] - h.Counts[a] })
	fullest := h.Counts[used[0]]
	used = used[:min(most, len(used))]
	slices.Sort(used)
	lines := []string{title}
	for _, i := range used {
		mark := " "
		if h.from(i) < low-1000 || h.from(i) >= high {
			mark = "!"
		}
		bar := strings.Repeat("█", max(1, h.Counts[i]*(columns-21)/fullest))
		lines = append(lines, fmt.Sprintf("%12s%s%s %d", h.label(i), mark, bar, h.Counts[i]))
	}
	return lines
}

func (h *Histogram) from(i int) int64 {
	if i == 0 {
		return 0
	}
	return h.Limits[i-1]
}

// label is a bucket's range: "45-60 µs".
func (h *Histogram) label(i int) string {
	unit, name := int64(1e3), "µs"
	if h.from(i) >= 900e3 {
		unit, name = 1e6, "ms"
	}
	number := func(ns int64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(ns)/float64(unit)), ".0") }
	if i == len(h.Limits) {
		return fmt.Sprintf("over %s %s", number(h.from(i)), name)
	}
	return fmt.Sprintf("%s-%s %s", number(h.from(i)), number(h.Limits[i]), name)
}
