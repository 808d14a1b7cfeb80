package lcd

import (
	"fmt"
	"slices"
)

// Size is a display's size in character cells.
type Size struct{ Cols, Rows int }

// Sizes are the sizes that layouts and drivers are made and tested for.
func Sizes() []Size {
	return []Size{{16, 2}, {20, 2}, {16, 4}, {20, 4}, {40, 2}}
}

// ParseSize reads one of [Sizes], columns first: "16x2". The drivers don't know
// at which addresses other displays have their rows.
func ParseSize(s string) (Size, error) {
	for _, size := range Sizes() {
		if size.String() == s {
			return size, nil
		}
	}
	return Size{}, fmt.Errorf("size %q: use one of 16x2, 20x2, 16x4, 20x4, 40x2", s)
}

// String returns the size as ParseSize reads it.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Cols, s.Rows) }

// address returns the HD44780's display data address of a cell. The second
// line starts at 0x40; the third and fourth are the second halves of the
// first and second (Hitachi HD44780U data sheet, "display data RAM"; Linux'
// hd44780_common.c computes the same).
func (s Size) address(row, col int) byte {
	return byte(row&1*0x40 + row>>1*s.Cols + col)
}

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
