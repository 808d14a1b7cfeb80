package lcd

import "slices"

// slotCount is how many letters of our own an HD44780 holds (64 bytes of
// character generator RAM).
const slotCount = 8

// slots are the letters in the display's own memory.
type slots struct {
	letters [slotCount]rune // 0: unknown
	next    int             // the slot to reuse first
}

// codes returns the display's code for every cell of a frame, and the slots
// that must be loaded before those codes are written. A letter that has no code
// and finds no free slot gets the code of the nearest letter that has one.
func (s *slots) codes(c *Charset, f Frame) (codes []byte, load []int) {
	codes = make([]byte, len(f.cells))
	var wanted [slotCount]bool
	var missing []int // cells whose letter has no slot yet
	for i, r := range f.cells {
		code, ok := c.codes[r]
		if slot := s.find(r); !ok && slot >= 0 {
			wanted[slot], code, ok = true, byte(slot), true
		}
		if codes[i] = code; !ok {
			missing = append(missing, i)
		}
	}
	for _, i := range missing {
		r := f.cells[i]
		slot := s.find(r)
		if slot < 0 {
			if slot = s.place(c, r, &wanted); slot < 0 {
				codes[i] = plain(c, r)
				continue
			}
			load = append(load, slot)
		}
		wanted[slot], codes[i] = true, byte(slot)
	}
	return codes, load
}

// plain returns the code of the letter that stands for r in one cell.
func plain(c *Charset, r rune) byte {
	f := folder{charset: &Charset{codes: c.codes}}
	if letters := f.letter(nil, r, 0); len(letters) > 0 {
		return c.codes[letters[0]]
	}
	return ' '
}

// loaded returns the slots that have a letter.
func (s *slots) loaded() []int {
	var all []int
	for i, r := range s.letters {
		if r != 0 {
			all = append(all, i)
		}
	}
	return all
}

// find returns the slot of a letter, -1 if it has none.
func (s *slots) find(r rune) int {
	if r == 0 {
		return -1
	}
	return slices.Index(s.letters[:], r)
}

// place gives a letter the slot that was filled the longest time ago of those
// that the frame doesn't need, -1 if there is none or the letter has no drawing.
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

// run is n cells of one row to be written.
type run struct{ row, col, n int }

// changes returns the runs in which two screens differ. Two changes with at most
// gap cells between them are one run: writing those again costs no more than
// moving the cursor.
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
