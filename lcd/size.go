package lcd

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a display's size in character cells.
type Size struct{ Cols, Rows int }

// Sizes are the sizes that layouts and drivers are made and tested for.
func Sizes() []Size {
	return []Size{{16, 2}, {20, 2}, {16, 4}, {20, 4}, {40, 2}}
}

// ParseSize reads a size such as "16x2", columns first. Only the sizes of
// [Sizes] are taken: another one has its rows at addresses that the drivers
// don't know.
func ParseSize(s string) (Size, error) {
	c, r, ok := strings.Cut(s, "x")
	cols, err1 := strconv.Atoi(c)
	rows, err2 := strconv.Atoi(r)
	if ok && err1 == nil && err2 == nil {
		for _, z := range Sizes() {
			if z == (Size{cols, rows}) {
				return z, nil
			}
		}
	}
	return Size{}, fmt.Errorf("size %q: use one of %s", s, sizeNames())
}

// String returns the size as ParseSize reads it.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Cols, s.Rows) }

// cells is how many character cells the display has.
func (s Size) cells() int { return s.Cols * s.Rows }

// address returns the HD44780's display data address of a cell. The second
// line starts at 0x40; the third and fourth are the second halves of the
// first and second (Hitachi HD44780U data sheet, "display data RAM"; the
// Linux driver hd44780_common.c computes the same).
func (s Size) address(row, col int) byte {
	a := col
	if row&1 != 0 {
		a += 0x40
	}
	if row&2 != 0 {
		a += s.Cols
	}
	return byte(a)
}

func sizeNames() string {
	var names []string
	for _, z := range Sizes() {
		names = append(names, z.String())
	}
	return strings.Join(names, ", ")
}
