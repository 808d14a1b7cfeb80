package snipeit

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/internal/books"
)

// assigned is who or what has an asset. Said is set when the server says so, which may
// be null.
type assigned struct {
	Said bool   `json:"-"`
	ID   number `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"` // user, location or asset; empty for nobody
}

// UnmarshalJSON tells null, nobody, from what it can't read, which is somebody.
func (a *assigned) UnmarshalJSON(b []byte) error {
	type bare assigned
	*a = assigned{Said: true}
	if string(b) != "null" && (json.Unmarshal(b, (*bare)(a)) != nil || a.Type == "") {
		a.Type = "holder"
	}
	return nil
}

// place is where an asset is: with a user, at a free location, or elsewhere; else it is
// not assigned.
type place struct {
	user  string // id
	name  string // of the user, for people
	home  string // key of the free location: its id and name
	other string // "the location Berlin"
	moves int    // how often it was checked out or in; -1: not known
	since string // when it was checked out last, in the server's own wall time
}

// moves is how often the asset was checked out or in; -1 if the server does not say.
func (a asset) moves() int {
	if a.Checkins == nil || a.Checkouts == nil {
		return -1
	}
	return int(*a.Checkins + *a.Checkouts)
}

// rev is the revision of who has the asset; empty if it is not known.
func (at place) rev() string {
	if at.moves < 0 {
		return ""
	}
	return strconv.Itoa(at.moves)
}

// place reads who or what has the asset.
func (s *SnipeIT) place(a asset) place {
	to, at := a.AssignedTo, place{moves: a.moves()}
	if a.LastOut != nil {
		at.since = a.LastOut.Datetime
	}
	name := text(to.Name)
	switch to.Type {
	case "":
		return at
	case "user":
		at.user, at.name = to.ID.text(), name
		return at
	case "location":
		if at.home = s.home(to.ID.text() + " " + name); at.home != "" {
			return at
		}
	}
	at.other = "the " + text(to.Type) + " " + name
	return at
}

// free reports whether nobody has the asset.
func (at place) free() bool { return at.user == "" && at.other == "" }

// unassigned reports whether Snipe-IT would check the asset out.
func (at place) unassigned() bool { return at.free() && at.home == "" }

// words says where the asset is: "Ann has it".
func (at place) words() string {
	switch _, location, _ := strings.Cut(at.home, " "); {
	case at.other != "":
		return "it is with " + at.other
	case at.home != "":
		return "it is free, at " + location
	}
	return cmp.Or(at.name, "nobody") + " has it"
}

// home is the key, if that location counts as free, else "".
func (s *SnipeIT) home(key string) string {
	_, name, _ := strings.Cut(key, " ")
	if slices.ContainsFunc(s.cfg.FreeLocations, func(free string) bool { return strings.EqualFold(strings.TrimSpace(free), name) }) {
		return key
	}
	return ""
}

// seen is who has the asset by Snipe-IT's word; false if it does not say.
func (s *SnipeIT) seen(a asset) (seen books.Seen, said bool) {
	at := s.place(a)
	seen = books.Seen{Device: a.ID.text(), Due: s.due(a.Expected), Elsewhere: at.other, Home: at.home}
	seen.Rev = at.rev()
	seen.Holding = books.Holding{Ref: at.user, Name: at.name, Free: at.free()}
	return seen, a.AssignedTo.Said && a.Deleted == nil
}

// due is the end of a day at the server, or the time of day that it has from v8.7.0 on,
// where midnight is what a date has become; zero for none.
func (s *SnipeIT) due(d *date) time.Time {
	if d == nil {
		return time.Time{}
	}
	if at, err := time.ParseInLocation(time.DateTime, d.Datetime, s.zone); err == nil && at.Format(time.TimeOnly) != "00:00:00" {
		return at
	}
	day, _, _ := strings.Cut(cmp.Or(d.Date, d.Datetime), " ")
	start, err := time.ParseInLocation(time.DateOnly, day, s.zone)
	if err != nil {
		return time.Time{}
	}
	return start.AddDate(0, 0, 1).Add(-time.Second)
}
