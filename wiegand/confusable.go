package wiegand

import "fmt"

// Confusions are the weaknesses of the enabled formats together, which no decoder
// can make up for: each says what may happen and what to do. They are the formats
// that can't see a changed bit, and the pairs whose lengths differ by one or two: a
// card of the longer that loses its first or last bits may pass as a card of the
// shorter. Two names for the same bits are not a weakness: the first is used.
func Confusions(formats []*Format) (reasons []string) {
	for _, f := range formats {
		switch n := f.uncovered(); {
		case !f.Checked():
			reasons = append(reasons, fmt.Sprintf("%s has no parity: a changed bit is another card, and only the site's ranges or the register can refuse it", f.Name))
		case n > 0:
			reasons = append(reasons, fmt.Sprintf("%s leaves %d of its %d bits without parity: if one of them changes it is another card", f.Name, n, f.Len))
		}
	}
	for i, a := range formats {
		for _, b := range formats[i+1:] {
			short, long := a, b
			if a.Len > b.Len {
				short, long = b, a
			}
			if n := long.Len - short.Len; n == 1 || n == 2 {
				reasons = append(reasons, fmt.Sprintf(
					"a card of %s that loses its first or last %s can pass as one of %s (%s): enable only the formats that the site's cards have, or give the reader badge and device ranges",
					long.Name, [3]string{"", "bit", "two bits"}[n], short.Name, odds(short)))
			}
		}
	}
	return reasons
}

// uncovered is how many bits may change without any check failing.
func (f *Format) uncovered() (n int) {
	for i := range f.Len {
		if !f.covers(i) && f.fixedMask.Bit(i) == 0 {
			n++
		}
	}
	return n
}

// odds is the chance that any bits pass as a card of f.
func odds(f *Format) string {
	checks := len(f.parity) + len(f.fixed) + 8*min(f.xorBytes, 1)
	if checks == 0 {
		return "always"
	}
	return fmt.Sprintf("1 time in %d", 1<<checks)
}
