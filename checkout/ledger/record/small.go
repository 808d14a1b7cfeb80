package record

import (
	"time"

	"stump/checkout"
)

// Boot is what the events of a boot need when its clock was not trusted from
// the beginning.
type Boot struct {
	First    Ref           // the first event whose time was not trusted
	Resolved bool          // a Clock event told the offset
	Offset   time.Duration // wall time minus monotonic time
}

// BootForm is the form of a Boot.
var BootForm = Form[Boot]{
	Place(1, func(b *Boot) *Ref { return &b.First }),
	Flag(2, func(b *Boot) *bool { return &b.Resolved }),
	Span(3, 1, func(b *Boot) *time.Duration { return &b.Offset }),
}

// Unknown is a tag that nobody has.
type Unknown struct {
	Number      string // masked
	Bits, Count int
	First       time.Time
	Last        checkout.Stamp
}

// UnknownForm is the form of an Unknown.
var UnknownForm = Form[Unknown]{
	Text(1, func(u *Unknown) *string { return &u.Number }),
	Uint(2, func(u *Unknown) *int { return &u.Bits }),
	Uint(3, func(u *Unknown) *int { return &u.Count }),
	Time(4, func(u *Unknown) *time.Time { return &u.First }),
	stampBoot(func(u *Unknown) *checkout.Stamp { return &u.Last }),
	stampMono(func(u *Unknown) *checkout.Stamp { return &u.Last }),
	stampWall(func(u *Unknown) *checkout.Stamp { return &u.Last }),
	stampTrusted(func(u *Unknown) *checkout.Stamp { return &u.Last }),
}

// Chain is a chain of events in this file.
type Chain struct {
	// ID is the hash of its first event; zero while it has none.
	ID checkout.Hash
	// Name is that of the station in its events of version 1, which don't name
	// their chain; empty if it has none.
	Name string
}

// ChainForm is the form of a Chain.
var ChainForm = Form[Chain]{
	Array(1, func(c *Chain) []byte { return c.ID[:] }),
	Text(2, func(c *Chain) *string { return &c.Name }),
}
