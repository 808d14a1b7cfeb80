// Package reservation has the rules of reservations: what can be reserved, whose turn it is,
// and what a reservation means for who takes a device. They are pure: each brings its time.
//
// A booking is of a device, or of any device of a kind, from a time on until before another.
// Nothing is promised twice: no two bookings of a device overlap, nor one of them and a loan
// that ends later than the booking begins. Bookings of a kind are counted. In the moment when
// one begins, no more bookings of the kind may run than there are devices that stay free
// until its end. Then each finds a device that it keeps: handed out in the order in which
// they begin, each meets fewer devices in use than are free for it.
//
// A booking without times is a place in the line: whoever has it is next.
package reservation

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Booking is a reservation.
type Booking struct {
	ID string
	// Device is its id; empty: any device of the Kind.
	Device, Kind string
	Person       string // by id
	// From and To are when it begins, and when it is over; zero in the line.
	From, To time.Time
	// Kept is a place in the line whose turn has come: who fetches it has it as long as usual.
	Kept bool
}

// InLine reports whether a booking is a place in the line.
func (b Booking) InLine() bool { return b.From.IsZero() }

// overlaps reports whether a booking and a time, without its end, have something in common.
// A zero end is never.
func (b Booking) overlaps(from, to time.Time) bool {
	return b.To.After(from) && (to.IsZero() || b.From.Before(to))
}

// Limits of bookings.
const (
	// Longest is how long a booking can last.
	Longest = 92 * 24 * time.Hour
	// Early is how long before a booking its person may come for it.
	Early = 12 * time.Hour
	// keep is for how long a device is kept for who is next, where no booking lapses.
	keep = 24 * time.Hour
)

// Rules are what a lab has chosen.
type Rules struct {
	// NoShow is how long a device waits for who has reserved it, from when both the booking
	// has begun and the device is there. Then the booking lapses; 0 for never.
	NoShow time.Duration
}

// Keeps is for how long a device is kept for who was in the line.
func (r Rules) Keeps() time.Duration { return cmp.Or(r.NoShow, keep) }

// Lapses returns when a booking ends, if nobody comes. there is since when a device for it
// lies in the lab, zero if none does: nobody can come for it then. It is zero in the line.
func (r Rules) Lapses(b Booking, there time.Time) time.Time {
	if r.NoShow <= 0 || there.IsZero() || b.InLine() {
		return b.To
	}
	at := b.From
	if there.After(at) {
		at = there
	}
	if at = at.Add(r.NoShow); at.Before(b.To) {
		return at
	}
	return b.To
}

// Check returns a booking as it can be made at a time: what has begun already begins then.
// Errors say what is wrong with its times.
func Check(b Booking, now time.Time) (Booking, error) {
	b.From, b.To = b.From.Truncate(time.Second), b.To.Truncate(time.Second)
	if b.From.Before(now) {
		b.From = now.Truncate(time.Second)
	}
	switch {
	case !b.To.After(b.From):
		return b, &RefusedError{Reason: Backwards, To: b.To}
	case b.To.Sub(b.From) > Longest:
		return b, &RefusedError{Reason: TooLong}
	}
	return b, nil
}

// Weekly are a booking and the same in every week after it that begins before until, by the
// clock of a zone; at most a year of them.
func Weekly(b Booking, until time.Time, zone *time.Location) []Booking {
	all := []Booking{b}
	for from, to := b.From.In(zone), b.To.In(zone); len(all) < 53; all = append(all, b) {
		from, to = from.AddDate(0, 0, 7), to.AddDate(0, 0, 7)
		if !from.Before(until) {
			break
		}
		b.From, b.To = from, to
	}
	return all
}

// Device is a device of the lab that can be lent.
type Device struct {
	ID string
	// Holder has it, until Until as far as that is known; empty: it lies in the lab.
	Holder string
	Until  time.Time
	Booked []Booking // of this very device
}

// Shelf is what a lab has of a kind: the devices that can be lent, and the bookings of the
// kind, in the order in which they begin. It must have all that overlap what is asked.
type Shelf struct {
	Now     time.Time
	Devices []Device
	Booked  []Booking
}

// device returns a device of the shelf, nil if it is not there.
func (s *Shelf) device(id string) *Device {
	if i := slices.IndexFunc(s.Devices, func(d Device) bool { return d.ID == id }); i >= 0 {
		return &s.Devices[i]
	}
	return nil
}

// begins is when a booking begins, or now if it has.
func (s *Shelf) begins(b Booking) time.Time {
	if b.From.Before(s.Now) {
		return s.Now
	}
	return b.From
}

// out reports whether a device is out at a time to come. One that should be back, or may be
// at any time, is then out if sure is asked for.
func (s *Shelf) out(d *Device, at time.Time, sure bool) bool {
	if d.Holder == "" || d.Until.After(s.Now) {
		return d.Holder != "" && d.Until.After(at)
	}
	return sure
}

// free reports whether a device is free for all of a booking.
func (s *Shelf) free(d *Device, b Booking, sure bool) bool {
	from := s.begins(b)
	return !s.out(d, from, sure) && !slices.ContainsFunc(d.Booked, func(o Booking) bool { return o.ID != b.ID && o.overlaps(from, b.To) })
}

// spare is how many more devices are free for a booking of the kind than it and others need
// that run when it begins.
func (s *Shelf) spare(b Booking, sure bool) (n int) {
	for i := range s.Devices {
		if s.free(&s.Devices[i], b, sure) {
			n++
		}
	}
	at := s.begins(b)
	for _, o := range s.Booked {
		if o.ID == b.ID || o.overlaps(at, at.Add(1)) {
			n--
		}
	}
	return n
}

// needed reports whether a booking of the kind needs a device that is free for it, or may
// be, since there are just enough.
func (s *Shelf) needed(d *Device, b Booking, sure bool) bool {
	return s.free(d, b, sure) && s.spare(b, sure) < 1
}

// Conflict is why something can't be reserved: a booking that was made before, or a loan.
type Conflict struct {
	// Booked is the booking in the way, one of them where they are of a kind.
	Booked Booking
	// Holder has the device, until Until; empty where no loan is in the way.
	Holder string
	Until  time.Time
	// Count is how many devices of the kind there are.
	Count int
}

// Book reports what is in the way of a booking; nil if nothing is.
func (s *Shelf) Book(b Booking) *Conflict {
	if b.Device == "" {
		return s.bookKind(b)
	}
	d := s.device(b.Device)
	if d == nil {
		return &Conflict{}
	}
	for _, o := range d.Booked {
		if o.overlaps(b.From, b.To) {
			return &Conflict{Booked: o}
		}
	}
	if s.out(d, s.begins(b), false) {
		return &Conflict{Holder: d.Holder, Until: d.Until}
	}
	for _, o := range s.Booked {
		if o.overlaps(b.From, b.To) && s.needed(d, o, false) {
			return &Conflict{Booked: o, Count: len(s.Devices)}
		}
	}
	return nil
}

func (s *Shelf) bookKind(b Booking) *Conflict {
	with := *s
	with.Booked = append(slices.Clone(s.Booked), b)
	for _, o := range with.Booked {
		// What runs when o begins is one more where b does.
		if at := s.begins(o); b.overlaps(at, at.Add(1)) && with.spare(o, false) < 0 {
			c := &Conflict{Count: len(s.Devices)}
			if i := slices.IndexFunc(s.Booked, func(o Booking) bool { return o.overlaps(b.From, b.To) }); i >= 0 {
				c.Booked = s.Booked[i]
			}
			return c
		}
	}
	return nil
}

// Taken is what reservations mean for who takes a device.
type Taken struct {
	// Fulfils is the booking of who takes it which is fulfilled; its ID is empty for none.
	Fulfils Booking
	// Before is the booking of somebody else that is in the way first: it runs, or begins
	// before the loan would end. Its ID is empty for none.
	Before Booking
	// End is when the loan ends: as usual, when the fulfilled booking is over, or when the
	// next of others begins. Zero is never.
	End time.Time
}

// Take is what it means that a person takes a device for a loan that would end at end, zero
// for never. It does not matter who has it now.
func (s *Shelf) Take(device, person string, end time.Time) (t Taken) {
	with, d := s.withBack(device)
	if t.End = end; d == nil {
		return t
	}
	if t.Fulfils = s.fulfils(d, person); t.Fulfils.ID != "" {
		if !t.Fulfils.Kept {
			t.End = t.Fulfils.To
		}
		with.Booked = slices.DeleteFunc(with.Booked, func(b Booking) bool { return b.ID == t.Fulfils.ID })
	}
	mine := t.Fulfils
	for _, o := range with.inTheWay(d, person, t.End) {
		if mine.Kind != "" && o.Device == "" && !s.begins(o).Before(s.begins(mine)) {
			continue // both have been counted, and it is first come, first served
		}
		if t.Before.ID == "" && o.Person != person {
			t.Before = o
		}
		if o.From.After(s.Now) {
			t.End = o.From
			break
		}
	}
	return t
}

// Longer returns the booking that is in the way when who has a device keeps it until end,
// zero for ever; its ID is empty for none.
func (s *Shelf) Longer(device, person string, end time.Time) (b Booking) {
	with, d := s.withBack(device)
	if d == nil {
		return b
	}
	if all := with.inTheWay(d, person, end); len(all) > 0 {
		return all[0]
	}
	return b
}

// Without returns a copy of the shelf that lacks a booking.
func (s *Shelf) Without(id string) *Shelf {
	is := func(b Booking) bool { return b.ID == id }
	with := &Shelf{s.Now, slices.Clone(s.Devices), slices.DeleteFunc(slices.Clone(s.Booked), is)}
	for i, d := range with.Devices {
		with.Devices[i].Booked = slices.DeleteFunc(slices.Clone(d.Booked), is)
	}
	return with
}

// withBack returns a copy of the shelf with the device on it that somebody may have.
func (s *Shelf) withBack(device string) (with *Shelf, d *Device) {
	with = &Shelf{s.Now, slices.Clone(s.Devices), slices.Clone(s.Booked)}
	if d = with.device(device); d != nil {
		d.Holder, d.Until = "", time.Time{}
	}
	return with, d
}

// fulfils returns the booking that a person fulfils who takes a device: the first, by name
// if it can be.
func (s *Shelf) fulfils(d *Device, person string) (first Booking) {
	for _, b := range slices.Concat(d.Booked, s.Booked) {
		mine := b.Person == person && !b.From.After(s.Now.Add(Early)) && b.To.After(s.Now)
		if mine && (first.ID == "" || s.begins(b).Before(s.begins(first))) {
			first = b
		}
	}
	return first
}

// inTheWay returns the bookings that a loan to a person until end would take a device from,
// in the order in which they begin. Nobody is in their own way but where they have reserved
// another of the kind.
func (s *Shelf) inTheWay(d *Device, person string, end time.Time) []Booking {
	all := slices.DeleteFunc(slices.Concat(d.Booked, s.Booked), func(b Booking) bool {
		return !b.overlaps(s.Now, end) || b.Device != "" && b.Person == person || b.Device == "" && !s.needed(d, b, true)
	})
	sort.SliceStable(all, func(i, j int) bool { return all[i].From.Before(all[j].From) })
	return all
}

// Turn returns the booking that a device is kept for which has come back, or was not fetched:
// one that has begun and waits for it, or else the first in the line for whom it is free,
// from now on for at most keeps. Its ID is empty for none. line has who waits for the device
// or for its kind, in order.
func (s *Shelf) Turn(device string, line []Booking, keeps time.Duration) (b Booking) {
	d := s.device(device)
	if d == nil {
		return b
	}
	for _, b := range d.Booked {
		if b.overlaps(s.Now, s.Now.Add(1)) {
			return b
		}
	}
	if waits := s.waiting(d); len(waits) > 0 {
		return waits[0]
	}
	for _, b := range line {
		taken := s.Take(device, b.Person, s.Now.Add(keeps))
		if taken.Before.ID != "" && !taken.Before.From.After(s.Now) || taken.Fulfils.ID != "" {
			continue
		}
		for _, o := range d.Booked { // their own, too
			if o.From.After(s.Now) && o.From.Before(taken.End) {
				taken.End = o.From
			}
		}
		b.Device, b.Kind, b.Kept, b.From, b.To = device, "", true, s.Now.Truncate(time.Second), taken.End.Truncate(time.Second)
		if b.To.After(b.From) {
			return b
		}
	}
	return Booking{}
}

// waiting returns the bookings of the kind that have begun and for which no other device
// lies in the lab.
func (s *Shelf) waiting(d *Device) []Booking {
	there := 0
	for i := range s.Devices {
		o := &s.Devices[i]
		if o.ID != d.ID && o.Holder == "" && s.free(o, Booking{From: s.Now, To: s.Now.Add(1)}, true) {
			there++
		}
	}
	begun := slices.DeleteFunc(slices.Clone(s.Booked), func(b Booking) bool { return !b.overlaps(s.Now, s.Now.Add(1)) })
	return begun[min(there, len(begun)):]
}

// Free returns the devices that could be reserved for all of a time.
func (s *Shelf) Free(from, to time.Time) (ids []string) {
	tight := slices.DeleteFunc(slices.Clone(s.Booked), func(b Booking) bool { return !b.overlaps(from, to) || s.spare(b, false) > 0 })
	for i := range s.Devices {
		d := &s.Devices[i]
		span := Booking{From: from, To: to}
		if s.free(d, span, false) && !slices.ContainsFunc(tight, func(b Booking) bool { return s.free(d, b, false) }) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }
