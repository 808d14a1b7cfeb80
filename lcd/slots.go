package lcd

// slotCount is how many letters of our own an HD44780 holds (64 bytes of
// character generator RAM).
const slotCount = 8

// slots is which letter lies in which place of the display's own memory.
type slots struct {
	letters [slotCount]rune // 0: nothing that is known
	next    int             // where to look first for a place to reuse
}

// codes returns the display's code for every cell of a frame, and the places
// whose letters must be loaded before those codes are written. A letter that
// has no code and no place becomes its nearest relative that has a code.
func (s *slots) codes(c *Charset, f Frame) (codes []byte, load []int) {
	codes = make([]byte, len(f.cells))
	var wanted [slotCount]bool
	var missing []int // cells whose letter has no place yet
	for i, r := range f.cells {
		code, ok := c.Code(r)
		if !ok {
			slot := s.find(r)
			if slot < 0 {
				missing = append(missing, i)
				continue
			}
			wanted[slot], code = true, byte(slot)
		}
		codes[i] = code
	}
	for _, i := range missing {
		r := f.cells[i]
		slot := s.find(r)
		if slot < 0 {
			if slot = s.place(c, r, &wanted); slot >= 0 {
				load = append(load, slot)
			}
		}
		if slot < 0 {
			codes[i] = plain(c, r)
			continue
		}
		wanted[slot], codes[i] = true, byte(slot)
	}
	return codes, load
}

// plain returns the code of what stands for a letter in one cell.
func plain(c *Charset, r rune) byte {
	f := folder{charset: &Charset{codes: c.codes}}
	if letters := f.letter(nil, r, 0); len(letters) > 0 {
		return c.codes[letters[0]]
	}
	return ' '
}

// loaded returns the places that have a letter.
func (s *slots) loaded() []int {
	var all []int
	for i, r := range s.letters {
		if r != 0 {
			all = append(all, i)
		}
	}
	return all
}

// find returns the place of a letter, -1 if it has none.
func (s *slots) find(r rune) int {
	for i, l := range s.letters {
		if l == r && r != 0 {
			return i
		}
	}
	return -1
}

// place gives a letter a place that the frame doesn't need, the one that was
// filled the longest time ago.
func (s *slots) place(c *Charset, r rune, wanted *[slotCount]bool) int {
	if _, ok := Glyph(r); !ok {
		return -1
	}
	for range c.glyphs {
		i := s.next
		s.next = (s.next + 1) % c.glyphs
		if !wanted[i] {
			s.letters[i] = r
			return i
		}
	}
	return -1
}

// run is a stretch of cells of one row to be written.
type run struct{ row, col, n int }

// changes returns the stretches in which two screens differ. Between two
// changes at most gap cells are written again when that costs no more than to
// move the cursor.
func changes(s Size, old, new []byte, gap int) []run {
	var runs []run
	for row := range s.Rows {
		open := false
		for col := range s.Cols {
			i := row*s.Cols + col
			if old != nil && old[i] == new[i] {
				continue
			}
			if last := len(runs) - 1; open && col-(runs[last].col+runs[last].n) <= gap {
				runs[last].n = col - runs[last].col + 1
			} else {
				runs, open = append(runs, run{row, col, 1}), true
			}
		}
	}
	return runs
}
