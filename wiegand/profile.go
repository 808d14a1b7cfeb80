package wiegand

import "slices"

// Profile is what the cards of one reader have looked like. It is kept over
// restarts, as JSON.
type Profile struct {
	// Cards is how many good cards it rests on, at most [KnownCards]. From
	// there on the reader is known, and the profile stays as it is.
	Cards int `json:"cards"`
	// Even is how many of them were evenly spaced.
	Even int `json:"even"`
	// Shortest and Longest limit the median interval between the bits of an even
	// card, in nanoseconds.
	Shortest int64 `json:"shortest_ns"`
	Longest  int64 `json:"longest_ns"`
	// Narrowest and Widest limit the median width of a card's pulses, in
	// nanoseconds; 0 while no rising edges were used.
	Narrowest int64 `json:"narrowest_ns"`
	Widest    int64 `json:"widest_ns"`
	// Pause is the longest pause that the reader makes inside a card, in
	// nanoseconds; 0 for a reader that makes none.
	Pause int64 `json:"pause_ns"`
	// Bits are the lengths of its cards, the shortest first.
	Bits []int `json:"bits"`
}

// KnownCards is how many good cards make a reader known.
const KnownCards = 50

// Known reports whether the profile rests on enough cards to speak against one
// that is unlike them.
func (p *Profile) Known() bool { return p.Cards >= KnownCards }

// like reports whether a known reader sends cards of that shape and interval. The
// number of bits alone is never unlike, and a reader that is uneven now and then
// has no interval.
func (p *Profile) like(s shape, interval int64) bool {
	return p.Even*50 < p.Cards*49 ||
		s == shapeEven && interval*5 >= p.Shortest*4 && interval*4 <= p.Longest*5
}

// add takes one more good card.
func (p *Profile) add(s shape, interval, width int64, bits int) {
	if p.Known() {
		return
	}
	p.Cards++
	if s == shapeEven {
		if p.Even++; p.Even == 1 {
			p.Shortest = interval
		}
		p.Shortest, p.Longest = min(p.Shortest, interval), max(p.Longest, interval)
	}
	if width > 0 {
		if p.Widest == 0 {
			p.Narrowest = width
		}
		p.Narrowest, p.Widest = min(p.Narrowest, width), max(p.Widest, width)
	}
	if i, seen := slices.BinarySearch(p.Bits, bits); !seen {
		p.Bits = slices.Insert(p.Bits, i, bits)
	}
}

// valid reports whether a profile can be what a decoder has learned: a file may
// say anything.
func (p *Profile) valid() bool {
	return p.Cards >= 0 && p.Cards <= KnownCards && p.Even >= 0 && p.Even <= p.Cards &&
		p.Shortest >= 0 && p.Shortest <= p.Longest && p.Longest <= CloseAfter &&
		p.Narrowest >= 0 && p.Narrowest <= p.Widest && p.Pause >= 0 && p.Pause <= maxPause &&
		!slices.ContainsFunc(p.Bits, func(n int) bool { return n < 1 || n > MaxBits })
}

// clone is a copy that shares nothing.
func (p *Profile) clone() Profile {
	c := *p
	c.Bits = slices.Clone(p.Bits)
	return c
}
