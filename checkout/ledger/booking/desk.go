package booking

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/grouped"
	"stump/checkout/ledger/record"
	"stump/checkout/reservation"
	"stump/internal/books"
	"stump/internal/hint"
)

// Desk is where reservations are made and asked for, in one transaction of a ledger.
type Desk struct {
	Tree
	Rules reservation.Rules
	Own   uint16    // the chain of the reservations
	Now   time.Time // zero while nobody knows the time
	// Row returns a person or device of the register, nil if it is not there; Each calls f
	// with all.
	Row  func(tree record.Tree, id string) *record.Row
	Each func(tree record.Tree, f func(id string, r *record.Row))
	// Find returns the id of a person or device, by id or name; it does not return if there
	// is none.
	Find func(tree record.Tree, ref string) string
	// Kinds has the devices of each kind in memory; nil to look at all devices.
	Kinds *grouped.IDs
	// Wall returns a wall time, and whether it is known to be right; Began when a loan began,
	// or the latest that it can have, and whether anybody knows.
	Wall  func(checkout.Stamp) (at time.Time, trusted bool)
	Began func(record.Loan) (at time.Time, known bool)
	// Chain is the name of a chain, and Index finds one by how the name begins, in hexadecimal
	// digits.
	Chain func(index uint16) checkout.Hash
	Index func(begins string) (index uint16, ok bool)
	// Made is when an event of the file happened.
	Made func(at record.Ref) time.Time
	// Append commits an event of a person and a device, each of which may be "".
	Append func(ev *record.Event, person, device string)
}

// mostOfKind is how many reservations of a kind a loan is compared with: one that meets more
// ends before the last of them.
const mostOfKind = 200

func (d *Desk) device(id string) *record.Row { return d.Row(record.TreeDevices, id) }
func (d *Desk) person(id string) *record.Row { return d.Row(record.TreePeople, id) }

// ends is when a loan ends, zero if it has no end, or nobody knows.
func (d *Desk) ends(s record.Loan) (end time.Time) {
	if began, known := d.Began(s); known && s.Length > 0 {
		return began.Truncate(time.Second).Add(s.Length)
	}
	return end
}

// moved is since when a device is where it is, zero if that is not known.
func (d *Desk) moved(s record.Loan) (at time.Time) {
	if wall, known := d.Wall(s.At); known {
		at = wall
	}
	return at
}

// lent reports whether a device takes part.
func lent(r *record.Row) bool {
	return r != nil && r.Status == checkout.Active && !r.Loan.Lost && !r.Pending
}

// shelf returns what the rules need to know of a device, or of a kind, for a time. Without
// the kind's reservations they need no other device.
func (d *Desk) shelf(device, kind string, from, to time.Time, most int) (*reservation.Shelf, error) {
	s := &reservation.Shelf{Now: d.Now}
	ids := []string{device}
	if device == "" {
		ids = d.ofKind(kind)
	}
	begin, end := from, to
	if kind != "" {
		booked, err := d.overlapping(byKind(kind), from, to, most)
		if err != nil {
			return nil, err
		}
		for _, r := range booked { // what runs when they begin, and what is free until they are over
			begin = earlier(begin, r.From)
			if !end.IsZero() {
				end = later(end, r.To)
			}
		}
		if begin.Before(from) {
			if booked, err = d.overlapping(byKind(kind), begin, to, most); err != nil {
				return nil, err
			}
		}
		s.Booked = bookings(booked)
		if len(booked) > 0 {
			ids = d.ofKind(kind)
		}
	}
	s.Devices = make([]reservation.Device, 0, len(ids))
	for _, id := range ids {
		r := d.device(id)
		if !lent(r) || kind != "" && r.Kind != kind {
			continue
		}
		booked, err := d.overlapping(byDevice(id), begin, end, mostOfKind)
		if err != nil {
			return nil, err
		}
		s.Devices = append(s.Devices, d.onShelf(id, r, bookings(booked)))
	}
	return s, nil
}

// onShelf is what the rules need to know of one device.
func (d *Desk) onShelf(id string, r *record.Row, booked []reservation.Booking) reservation.Device {
	one := reservation.Device{ID: id, Holder: r.Loan.Holder, Booked: booked}
	if one.Holder != "" {
		one.Until = d.ends(r.Loan)
	}
	return one
}

// bookings are rows as the rules see them.
func bookings(rows []Row) (all []reservation.Booking) {
	for _, r := range rows {
		all = append(all, r.booking())
	}
	return all
}

// Taken is what the reservations mean for who takes a device.
type Taken struct {
	Fulfils checkout.Booking // by its Seq and Chain; zero for none
	// By and From are who else has reserved the device, by name, and from when; empty for
	// nobody now, or before the loan would end.
	By   string
	From time.Time
	End  time.Time // of the loan; zero for none
}

// Take is what it means that a person takes a device for a loan until end, zero for one without
// an end. asSaid: an admin says so, and the loan is not made shorter.
func (d *Desk) Take(device, person string, end time.Time, asSaid bool) (t Taken, err error) {
	t.End = end
	if d.Now.IsZero() || !d.Any() {
		return t, nil
	}
	kind, until := d.device(device).Kind, end
	if soon := d.Now.Add(reservation.Early); !end.IsZero() && soon.After(end) {
		until = soon // what is reserved for them may begin then
	}
	s, err := d.shelf(device, kind, d.Now, until, mostOfKind)
	if err != nil {
		return t, err
	}
	got := s.Take(device, person, end)
	if !until.IsZero() && got.End.After(until) { // it lasts longer than usual
		if s, err = d.shelf(device, kind, d.Now, got.End, mostOfKind); err != nil {
			return t, err
		}
		got = s.Take(device, person, end)
	}
	if at, ok := place(got.Fulfils); ok {
		t.Fulfils = d.about(at)
	}
	if got.Before.ID != "" {
		t.By, t.From = d.nameOf(got.Before.Person), got.Before.From
	}
	if asSaid {
		if b := s.Longer(device, person, end); b.ID != "" && b.ID != got.Fulfils.ID && b.From.After(d.Now) {
			return t, refused("say an earlier end, or cancel the reservation: `stump reservations cancel "+d.idOf(b)+"`",
				"%s is reserved for %s from %s", d.name(device), d.nameOf(b.Person), stamp(b.From))
		}
		return t, nil
	}
	if t.End = got.End; len(s.Booked) == mostOfKind {
		if last := s.Booked[mostOfKind-1].From; last.After(d.Now) && (t.End.IsZero() || t.End.After(last)) {
			t.End = last
		}
	}
	return t, nil
}

// Longer returns from when, and for whom by name, a device is reserved that its holder would
// keep until end; zero if it is not.
func (d *Desk) Longer(device, holder string, end time.Time) (from time.Time, by string, err error) {
	if d.Now.IsZero() || !d.Any() {
		return from, "", nil
	}
	s, err := d.shelf(device, d.device(device).Kind, d.Now, end, mostOfKind)
	if err != nil {
		return from, "", err
	}
	b := s.Longer(device, holder, end)
	return b.From, d.nameOf(b.Person), err
}

// Next returns who has reserved a device by name, by name, and from when, if that is now or
// before a loan would end that begins now and lasts for a length, 0 for one without an end.
func (d *Desk) Next(device string, length time.Duration) (by string, from time.Time, err error) {
	if d.Now.IsZero() {
		return "", from, nil
	}
	end := time.Time{}
	if length > 0 {
		end = d.Now.Add(length)
	}
	all, err := d.overlapping(byDevice(device), d.Now, end, 1)
	if len(all) == 0 {
		return "", from, err
	}
	return d.nameOf(all[0].Person), all[0].From, nil
}

// Reserve makes reservations of a device or a kind for a person.
func (d *Desk) Reserve(w books.Booking) (made []books.Reservation, err error) {
	if err := mayAsk(w.Actor, w.Note); err != nil {
		return nil, err
	}
	if d.Now.IsZero() {
		return nil, &reservation.RefusedError{Reason: reservation.NoClock}
	}
	w.Person = d.Find(record.TreePeople, w.Person)
	if p := d.person(w.Person); p.Status != checkout.Active {
		return nil, &checkout.RefusedError{Subject: checkout.Subject{Kind: checkout.KindPerson, ID: w.Person, Name: d.nameOf(w.Person), Status: p.Status}}
	}
	if w.Device != "" {
		w.Device, w.Kind = d.Find(record.TreeDevices, w.Device), ""
	}
	if err := d.Lapse(); err != nil {
		return nil, err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Reserve, Actor: w.Actor, Note: w.Note, Source: w.Source, Booking: checkout.Booking{Kind: w.Kind}}}
	rows, err := d.reserve(ev, w)
	for _, r := range rows {
		made = append(made, d.Shown(r))
	}
	return made, err
}

func (d *Desk) reserve(ev record.Event, w books.Booking) (made []Row, err error) {
	switch {
	case w.From.IsZero() && w.To.IsZero() && w.Weekly.IsZero():
		return d.queue(ev, w)
	case w.From.IsZero() || w.To.IsZero():
		return nil, &reservation.RefusedError{Reason: reservation.HalfTimes}
	}
	b, err := reservation.Check(reservation.Booking{Device: w.Device, Kind: w.Kind, Person: w.Person, From: w.From, To: w.To}, d.Now)
	if err != nil {
		return nil, err
	}
	all := []reservation.Booking{b}
	if !w.Weekly.IsZero() {
		all = reservation.Weekly(b, w.Weekly, time.Local)
	}
	for _, b := range all {
		r, err := d.book(ev, b)
		if err != nil {
			return nil, err
		}
		made = append(made, r)
	}
	return made, nil
}

// mayAsk checks who asks, and what they say of it.
func mayAsk(actor, note string) error {
	if actor == "" {
		return errors.New("the actor is missing")
	}
	return checkout.CheckText("note", note, checkout.MaxNote)
}

// book makes one reservation.
func (d *Desk) book(ev record.Event, b reservation.Booking) (r Row, err error) {
	kind := b.Kind
	if b.Device != "" {
		kind = d.device(b.Device).Kind
	}
	s, err := d.shelf(b.Device, kind, b.From, b.To, 0)
	if err != nil {
		return r, err
	}
	if c := s.Book(b); c != nil {
		return r, d.conflict(b, c)
	}
	ev.Booking.From, ev.Booking.To = b.From, b.To
	return d.make(ev, b.Person, b.Device)
}

// make appends the event that makes a reservation, and returns what has become of it.
func (d *Desk) make(ev record.Event, person, device string) (r Row, err error) {
	d.Append(&ev, person, device)
	r, _, err = d.Get(record.At(d.Own, ev.Seq))
	return r, err
}

// queue gives somebody a place in the line, or keeps a device for them that is there.
func (d *Desk) queue(ev record.Event, w books.Booking) (made []Row, err error) {
	mine, err := d.of(w.Person)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(mine, func(r Row) bool { return r.From.IsZero() && r.Device == w.Device && r.Kind == w.Kind }) {
		return nil, &reservation.RefusedError{Reason: reservation.Waits, By: d.nameOf(w.Person)}
	}
	ids := []string{w.Device}
	if w.Device == "" {
		ids = d.ofKind(w.Kind)
	}
	can := 0
	for _, id := range ids {
		if r := d.device(id); lent(r) && (w.Kind == "" || r.Kind == w.Kind) {
			can++
			if r.Loan.Holder == w.Person && w.Device != "" {
				return nil, &reservation.RefusedError{Reason: reservation.Has, By: d.nameOf(w.Person), What: d.name(id)}
			}
		}
	}
	if can == 0 {
		return nil, d.conflict(reservation.Booking{Device: w.Device, Kind: w.Kind}, &reservation.Conflict{})
	}
	r, err := d.make(ev, w.Person, w.Device)
	for _, id := range ids {
		if err == nil && r.From.IsZero() {
			if err = d.Turn(id, false); err == nil {
				r, _, err = d.Get(r.At)
			}
		}
	}
	return []Row{r}, err
}

// conflict says what is in the way of a reservation.
func (d *Desk) conflict(b reservation.Booking, c *reservation.Conflict) error {
	e := &reservation.RefusedError{What: d.name(b.Device), Kind: b.Kind, Count: c.Count, From: c.Booked.From, To: c.Booked.To}
	if c.Booked.ID != "" {
		e.By = d.nameOf(c.Booked.Person)
	}
	switch {
	case c.Holder != "":
		e.Reason, e.By, e.To = reservation.Lent, d.nameOf(c.Holder), c.Until
	case c.Count > 0:
		e.Reason, e.Kind = reservation.Few, d.kindOf(b)
	case e.By != "":
		e.Reason = reservation.Booked
	case b.Device == "":
		e.Reason = reservation.NoKind
	default:
		e.Reason = reservation.Unused
	}
	return e
}

// kindOf is the kind that a reservation is of, also one by name.
func (d *Desk) kindOf(b reservation.Booking) string {
	if b.Device == "" {
		return b.Kind
	}
	return d.device(b.Device).Kind
}

// Cancel ends the reservation with an id, by an event like ev. own is the id of somebody who
// may only end theirs; "" for an admin.
func (d *Desk) Cancel(ev *record.Event, id, own string) error {
	if err := mayAsk(ev.Actor, ev.Note); err != nil {
		return err
	}
	r, ok, err := d.find(id)
	switch {
	case err != nil:
		return err
	case !ok:
		return &books.UnreservedError{ID: id}
	case own != "" && own != r.Person:
		return &reservation.RefusedError{Reason: reservation.Others}
	}
	return d.end(ev, r)
}

// end ends a reservation, and keeps what waited for it for who is next.
func (d *Desk) end(ev *record.Event, r Row) error {
	ev.Kind, ev.Booking = checkout.Cancel, d.about(r.At)
	ev.Booking.Kind, ev.Booking.From, ev.Booking.To = r.Kind, r.From, r.To
	d.Append(ev, r.Person, r.Device)
	if r.Device == "" || r.From.IsZero() || r.From.After(d.Now) {
		return nil
	}
	return d.Turn(r.Device, false)
}

// EndAll ends the reservations of a person, or of a device, that has left the register.
func (d *Desk) EndAll(tree record.Tree, id string) error {
	prefix := byPerson(id)
	if tree == record.TreeDevices {
		prefix = byDevice(id)
	}
	var all []Row
	for r, err := range d.between(prefix, nil, time.Time{}, time.Time{}) {
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	for _, r := range all {
		if err := d.endByItself(&record.Event{Event: checkout.Event{Source: checkout.SourceSystem}}, r); err != nil {
			return err
		}
	}
	return nil
}

// endByItself ends a reservation that nobody ends by hand. The event is that of the station
// which has made it.
func (d *Desk) endByItself(ev *record.Event, r Row) error {
	if r.Elsewhere() {
		return d.Drop(r.At)
	}
	return d.end(ev, r)
}

// Lapsed returns the reservations that are over, or that nobody has come for, and when the
// next may be; zero for never.
func (d *Desk) Lapsed() (over []Row, next time.Time, err error) {
	if d.Now.IsZero() {
		return nil, next, nil
	}
	for r, err := range d.between(byTime, begin(time.Unix(1, 0)), time.Time{}, time.Time{}) {
		if err != nil {
			return nil, next, err
		}
		if r.From.After(d.Now) {
			return over, earlier(next, r.From), nil
		}
		at := r.To
		if !r.Elsewhere() {
			at = d.Rules.Lapses(r.booking(), d.there(r))
		}
		if at.After(d.Now) {
			next = earlier(next, at)
		} else {
			over = append(over, r)
		}
	}
	return over, next, nil
}

// Lapse ends the reservations that are over, or that nobody has come for.
func (d *Desk) Lapse() error {
	over, _, err := d.Lapsed()
	if err != nil {
		return err
	}
	for _, r := range over {
		ev := &record.Event{Event: checkout.Event{Source: checkout.SourceSystem, Note: "nobody came"}}
		if !r.To.After(d.Now) {
			ev.Note = "it is over"
		}
		if err := d.endByItself(ev, r); err != nil {
			return err
		}
	}
	return nil
}

// earlier is the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// there is since when a device lies in the lab that is reserved, or the first of the kind;
// zero if none does.
func (d *Desk) there(row Row) (since time.Time) {
	ids := []string{row.Device}
	if row.Device == "" {
		ids = d.ofKind(row.Kind)
	}
	for _, id := range ids {
		r := d.device(id)
		if !lent(r) || r.Loan.Holder != "" || row.Device == "" && r.Kind != row.Kind {
			continue
		}
		if at := d.moved(r.Loan); at.After(row.From) {
			since = earlier(since, at)
		} else {
			return row.From // it was there when the reservation began
		}
	}
	return since
}

// Turn keeps a device that is there for who is first in the line, and tells them. back: it has
// just come back, and whoever has reserved it, and waits, is told first.
func (d *Desk) Turn(device string, back bool) error {
	if d.Now.IsZero() || !d.Any() {
		return nil
	}
	r := d.device(device)
	if !lent(r) || r.Loan.Holder != "" {
		return nil
	}
	prefixes := [][]byte{byDevice(device)}
	if r.Kind != "" {
		prefixes = append(prefixes, byKind(r.Kind))
	}
	var line, next []Row
	for _, prefix := range prefixes {
		waits, err := d.line(prefix)
		if err != nil {
			return err
		}
		begun, err := d.overlapping(prefix, d.Now, d.Now.Add(time.Second), mostOfKind)
		if err != nil {
			return err
		}
		line, next = append(line, waits...), append(next, begun...)
	}
	if len(line) == 0 && (len(next) == 0 || !back) {
		return nil
	}
	d.inOrder(line)
	s, err := d.shelf(device, r.Kind, d.Now, d.Now.Add(d.Rules.Keeps()), mostOfKind)
	if err != nil {
		return err
	}
	b := s.Turn(device, bookings(line), d.Rules.Keeps())
	if !back {
		next = nil
	}
	for _, w := range slices.Concat(line, next) {
		if w.booking().ID == b.ID && !w.Elsewhere() { // whose station tells them
			d.ready(w, device, b)
		}
	}
	return nil
}

func (d *Desk) ready(r Row, device string, b reservation.Booking) {
	d.Append(&record.Event{Event: checkout.Event{Kind: checkout.Ready, Source: checkout.SourceSystem,
		Booking: checkout.Booking{Seq: r.At.Seq, From: b.From, To: b.To}}}, r.Person, device)
}

// name is how people call a device, nameOf a person.
func (d *Desk) name(device string) string {
	if r := d.device(device); r != nil {
		return cmp.Or(r.Name, device)
	}
	return device
}

func (d *Desk) nameOf(person string) string {
	if r := d.person(person); r != nil {
		return cmp.Or(r.Name, person)
	}
	return person
}

func stamp(t time.Time) string { return t.Local().Format(time.RFC3339) }

func refused(remedy, format string, args ...any) error {
	return hint.Errorf(remedy, "%w: "+format, append([]any{checkout.ErrRefused}, args...)...)
}
