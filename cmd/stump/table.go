package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// table prints rows in columns for people. A long one is printed in blocks, so that
// a history of years needs no memory. A later block's columns are never narrower.
type table struct {
	w      io.Writer
	limit  int // columns of the terminal; 0: everything in full
	whole  int // how many columns are never cut
	widths []int
	rows   [][]string
}

// tableBlock is how many rows are looked at for the widths of their columns.
const tableBlock = 1000

const (
	columnGap  = 2
	leastWidth = 20 // of a column that is cut: a time is never cut
)

// newTable returns a table with its header. An id is never cut: it is typed again.
func newTable(w io.Writer, columns []string) *table {
	t := &table{w: w, rows: [][]string{columns}}
	if columns[0] == "ID" {
		t.whole = 1
	}
	t.limit, _ = terminalSize(w)
	return t
}

func (t *table) add(row []string) error {
	t.rows = append(t.rows, row)
	if len(t.rows) < tableBlock {
		return nil
	}
	return t.flush()
}

// flush prints what was added.
func (t *table) flush() error {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], cellWidth(cell))
		}
	}
	shown := fitColumns(slices.Clone(t.widths), t.limit, t.whole)
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			cell = cutCell(cell, shown[i])
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", shown[i]-cellWidth(cell)+columnGap))
		}
		if _, err := fmt.Fprintln(t.w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}

// fitColumns narrows the widest columns after the first whole ones until the table
// fits, or none can be narrowed further.
func fitColumns(widths []int, limit, whole int) []int {
	total := -columnGap
	for _, w := range widths {
		total += w + columnGap
	}
	for ; limit > 0 && total > limit && len(widths) > whole; total-- {
		widest := whole
		for i := whole; i < len(widths); i++ {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= leastWidth {
			break
		}
		widths[widest]--
	}
	return widths
}

// cutCell shortens a cell to so many columns.
func cutCell(cell string, columns int) string {
	if cellWidth(cell) <= columns {
		return cell
	}
	end := 0
	for i := range cell {
		if cellWidth(cell[:i]) > columns-1 {
			break
		}
		end = i
	}
	return cell[:end] + "…"
}

// cellWidth is how many columns a text takes on a terminal: two for a letter of
// Chinese, Japanese or Korean and for an emoji, none for a mark and for what is
// joined to the emoji before it.
func cellWidth(s string) int {
	n, joined := 0, false
	for _, r := range s {
		switch {
		case joined || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case wide(r):
			n += 2
		default:
			n++
		}
		joined = r == '\u200d'
	}
	return n
}

func wide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}
