package selftest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/hw/diagnose"
	"stump/hw/wiring"
	"stump/internal/count"
	"stump/wiegand"
)

// Lines draws a view for a terminal of that many columns and rows; 60 by 20 is
// enough. It never returns more than rows lines.
func (v *View) Lines(columns, rows int) []string {
	columns, rows = max(columns, 40), max(rows, 10)
	lines := []string{v.lineState(0), v.lineState(1), ""}
	lines = append(lines, v.frameLines(columns)...)
	lines = append(lines, "")
	lines = append(lines, DrawFrame(v.Edges, columns)...)
	lines = append(lines, "")
	left, right := v.Width.bars((columns-2)/2, true), v.Space.bars((columns-2)/2, false)
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-*s  %s", (columns-2)/2, l, r), " "))
	}
	for i, l := range lines {
		if r := []rune(l); len(r) > columns {
			lines[i] = string(r[:columns-1]) + "…"
		}
	}
	return lines[:min(len(lines), rows)]
}

func (v *View) lineState(i int) string {
	name := v.Names[i]
	if name == "" {
		name = "-"
	}
	return fmt.Sprintf("DATA%d  %-4s  %6d pulses  %s", i, level(v.Levels[i]), v.Falls[i], name)
}

// frameLines are the bits as they arrive, the last frame, and the counts.
func (v *View) frameLines(columns int) []string {
	now := "silent"
	switch n := len(v.Open); {
	case n > 0:
		room := columns - 24
		shown := v.Open[max(0, n-room):]
		now = fmt.Sprintf("%3d bits  %s", n, shown)
	case v.Rate > 0:
		now = fmt.Sprintf("%.0f pulses in the last second", v.Rate)
	}
	last := "no frame yet: show a card"
	if v.Last != nil {
		last = fmt.Sprintf("%s (%.0f s ago)", v.Last.Text, v.Last.Ago)
	}
	count := fmt.Sprintf("%d good", v.Good)
	for _, k := range slices.Sorted(maps.Keys(v.Bad)) {
		count += fmt.Sprintf(", %d %s", v.Bad[k], k)
	}
	lines := append([]string{"now    " + now}, wiring.Hang("last   ", last, columns)...)
	return append(lines, "reads  "+count)
}

// DrawFrame draws a frame's two lines over time: a dash is high, a tooth is a
// pulse, a double one is more than one pulse in that column. Below is how long
// it took.
func DrawFrame(edges []wiegand.Edge, columns int) []string {
	width := columns - 3
	fallen := diagnose.Falls(edges)
	if len(fallen) == 0 {
		return []string{"D0 " + strings.Repeat("─", width), "D1 " + strings.Repeat("─", width), ""}
	}
	first, last := fallen[0].Time, fallen[len(fallen)-1].Time
	span := max(last-first, 1)
	rows := [2][]rune{[]rune(strings.Repeat("─", width)), []rune(strings.Repeat("─", width))}
	for _, e := range fallen {
		// A margin of two columns shows that the line was high before and after.
		at := 2 + int((e.Time-first)*int64(width-5)/span)
		if c := &rows[e.Line][at]; *c == '─' {
			*c = '┬'
		} else {
			*c = '╥'
		}
	}
	scale := fmt.Sprintf("%s in %s", count.Of(len(fallen), "pulse"), seconds(time.Duration(span)))
	return []string{"D0 " + string(rows[0]), "D1 " + string(rows[1]), "   " + scale}
}

// bars draws a histogram in that many columns, a title first. The buckets that
// hold something are shown, at most seven: the fullest.
func (h *Histogram) bars(columns int, width bool) []string {
	title, low, high := "distance of pulses", int64(200e3), int64(20e6)
	if width {
		title, low, high = "width of pulses", 20e3, 100e3
	}
	var used []int
	most := 0
	for i, n := range h.Counts {
		if n > 0 {
			used = append(used, i)
			most = max(most, n)
		}
	}
	if len(used) == 0 {
		return []string{title, "  nothing yet"}
	}
	const show = 7
	if len(used) > show {
		slices.SortFunc(used, func(a, b int) int { return h.Counts[b] - h.Counts[a] })
		used = used[:show]
		slices.Sort(used)
	}
	lines := []string{title}
	for _, i := range used {
		label, mark := h.label(i), " "
		if h.from(i) < low-1000 || h.from(i) >= high {
			mark = "!" // outside of what the standard allows
		}
		room := columns - 21
		bar := strings.Repeat("█", max(1, h.Counts[i]*room/most))
		lines = append(lines, fmt.Sprintf("%12s%s%s %d", label, mark, bar, h.Counts[i]))
	}
	return lines
}

func (h *Histogram) from(i int) int64 {
	if i == 0 {
		return 0
	}
	return h.Limits[i-1]
}

// label is a bucket's range: "45 to 60 µs".
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
