package lcd

import (
	"fmt"
	"strings"
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
	var names []string
	for _, size := range Sizes() {
		if size.String() == s {
			return size, nil
		}
		names = append(names, size.String())
	}
	return Size{}, fmt.Errorf("size %q: use one of %s", s, strings.Join(names, ", "))
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
