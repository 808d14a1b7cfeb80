package lcd

import "slices"

// Frame is what a display shows: one letter in each cell.
type Frame struct {
	size  Size
	cells []rune // row by row
	quiet bool   // only the clock or a rolling name changed
}

// NewFrame returns a blank frame.
func NewFrame(s Size) Frame {
	return Frame{size: s, cells: slices.Repeat([]rune{' '}, s.Cols*s.Rows)}
}

// Rows returns the rows, each with as many letters as the display has columns.
func (f Frame) Rows() []string {
	var rows []string
	for row := range slices.Chunk(f.cells, max(1, f.size.Cols)) {
		rows = append(rows, string(row))
	}
	return rows
}

// equal is whether both frames have the same size and the same letters.
func (f Frame) equal(g Frame) bool {
	return f.size == g.size && slices.Equal(f.cells, g.cells)
}

// put writes letters into a row and cuts what doesn't fit.
func (f Frame) put(row, col int, letters []rune) {
	copy(f.cells[row*f.size.Cols+col:(row+1)*f.size.Cols], letters)
}
