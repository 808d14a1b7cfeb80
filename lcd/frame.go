package lcd

import (
	"slices"
	"strings"
)

// Frame is what a display shows: one letter in every cell. The zero Frame has
// no cells; NewFrame returns a blank one.
type Frame struct {
	size  Size
	cells []rune // row by row
}

// NewFrame returns a blank frame.
func NewFrame(s Size) Frame {
	f := Frame{size: s, cells: make([]rune, s.cells())}
	for i := range f.cells {
		f.cells[i] = ' '
	}
	return f
}

// FrameOf returns a frame with the given rows, cut or filled up with blanks
// to the size. Letters are taken as they are; see [Charset.Fold].
func FrameOf(s Size, rows ...string) Frame {
	f := NewFrame(s)
	for i, r := range rows {
		if i < s.Rows {
			f.put(i, 0, []rune(r))
		}
	}
	return f
}

// Size returns the frame's size.
func (f Frame) Size() Size { return f.size }

// At returns the letter in a cell; row and column count from 0.
func (f Frame) At(row, col int) rune { return f.cells[row*f.size.Cols+col] }

// Row returns one row, as many letters as the display has columns.
func (f Frame) Row(row int) string {
	return string(f.cells[row*f.size.Cols : (row+1)*f.size.Cols])
}

// Rows returns every row.
func (f Frame) Rows() []string {
	rows := make([]string, f.size.Rows)
	for i := range rows {
		rows[i] = f.Row(i)
	}
	return rows
}

// Equal is whether both frames have the same size and the same letters.
func (f Frame) Equal(g Frame) bool {
	return f.size == g.size && slices.Equal(f.cells, g.cells)
}

// String returns the rows for logs and tests: "Checked out / iPad Mini".
func (f Frame) String() string {
	rows := f.Rows()
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.TrimRight(strings.Join(rows, " / "), " /")
}

// put writes letters into a row; what would leave the row is cut.
func (f Frame) put(row, col int, letters []rune) {
	if col < f.size.Cols {
		copy(f.cells[row*f.size.Cols+col:(row+1)*f.size.Cols], letters)
	}
}

// clone returns a frame of its own with the same letters.
func (f Frame) clone() Frame {
	return Frame{f.size, slices.Clone(f.cells)}
}
