package wiegand

// Profile is what the cards of one reader have looked like. It is kept over
// restarts, as JSON.
type Profile struct {
	// Cards is how many good cards it rests on, at most [KnownCards]. From
	// there on the reader is known, and the profile stays as it is.
	Cards int `json:"cards"`
	// Even is how many of them were evenly spaced.
	Even int `json:"even"`
	// Shortest and Longest limit the median interval between a card's bits, in
	// nanoseconds.
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
