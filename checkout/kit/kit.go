// Package kit has the rules of kits: boxes with a tag of their own, and what becomes of the
// parts that belong into one when it changes hands. They are pure.
package kit

import "stump/internal/hint"

// Move is what happens to a kit.
type Move uint8

// The moves.
const (
	Out  Move = iota // it leaves the lab
	On               // it goes from one person to another
	Back             // it comes back to the lab
)

// Fate is what becomes of a part when its kit moves.
type Fate uint8

// The fates. Only what Goes changes hands at once.
const (
	Stays Fate = iota // nothing is said
	Goes              // it changes hands with the kit
	Lacks             // it stays where it is, and whoever takes the kit is told
	Asked             // whoever brings the kit is asked for it
)

// Part is a part of a kit that moves.
type Part struct {
	Retired bool // no longer in use: nobody expects it in the kit
	Lost    bool
	Held    bool // somebody has it
	In      bool // it went out with the kit, and has been with it since
	Tagged  bool // it can be bumped
}

// Check is which parts are asked for when a kit comes back. The others that went out with it
// are taken to be in it.
type Check uint8

// The checks.
const (
	Trust  Check = iota // none
	Tagged              // those that can be bumped
	Every
)

// Fate is what becomes of the part.
func (p Part) Fate(m Move, check Check) Fate {
	switch {
	case p.Retired:
		return Stays
	case p.In && m == Back && (check == Every || check == Tagged && p.Tagged):
		return Asked
	case p.In, m == Out && !p.Held && !p.Lost:
		return Goes
	case m == Back: // it was known not to be in it
		return Stays
	}
	return Lacks
}

// Device is a device of which a kit may be made.
type Device struct {
	ID, Name string
	Kit      string // the id of the kit that it is a part of, empty for none
	Retired  bool
	HasParts bool
}

// MayJoin says why part can't be a part of box: each kit has one tag and one place, and a
// part lies in one kit at most. Errors say what to do.
func MayJoin(part, box Device) error {
	switch {
	case part.ID == box.ID:
		return hint.Errorf("name the box that it belongs into", "%s can't be a part of itself", part.Name)
	case box.Kit != "":
		return hint.Errorf("use that one, or take it out first, with --kit none", "%s is itself a part of %s: a kit has no kit in it", box.Name, box.Kit)
	case part.HasParts:
		return hint.Errorf("take its parts out first, with --kit none", "%s has parts itself: a kit has no kit in it", part.Name)
	case part.Kit != "" && part.Kit != box.ID:
		return hint.Errorf("take it out first, with --kit none", "%s is a part of %s already", part.Name, part.Kit)
	case box.Retired:
		return hint.Errorf("use another, or make it active first", "%s is no longer in use", box.Name)
	}
	return nil
}
