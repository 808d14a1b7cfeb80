package booking

import (
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"stump/checkout/ledger/record"
	"stump/checkout/reservation"
	"stump/internal/books"
)

// ofKind returns the ids of all devices of a kind, maybe of others, too.
func (d *Desk) ofKind(kind string) (ids []string) {
	if d.Kinds == nil {
		d.Each(record.TreeDevices, func(id string, r *record.Row) {
			if r.Kind == kind {
				ids = append(ids, id)
			}
		})
		return ids
	}
	return slices.Sorted(maps.Keys(d.Kinds.Of(kind, func() {
		d.Each(record.TreeDevices, func(id string, r *record.Row) { d.Kinds.Note(r.Kind, id) })
	})))
}

// Shown is a reservation as lists show it.
func (d *Desk) Shown(r Row) books.Reservation {
	v := books.Reservation{ID: d.id(r.At), DeviceID: r.Device, Kind: r.Kind, PersonID: r.Person, Person: d.nameOf(r.Person), From: r.From, To: r.To, Kept: r.Kept}
	if r.Device != "" {
		v.Device = d.name(r.Device)
	}
	return v.At(r.Key())
}

// List returns reservations in the order in which they begin; the line comes first.
func (d *Desk) List(f books.ReservationFilter) (all []books.Reservation, err error) {
	prefix := byTime
	if f.Device != "" {
		f.Device = d.Find(record.TreeDevices, f.Device)
	}
	switch {
	case f.Person != "":
		prefix = byPerson(d.Find(record.TreePeople, f.Person))
	case f.Device != "":
		prefix = byDevice(f.Device)
	case f.Kind != "":
		prefix = byKind(f.Kind)
	}
	place, err := hex.DecodeString(f.After)
	if err != nil {
		return nil, &books.CursorError{Key: f.After}
	}
	if f.After != "" {
		place = append(place, 0)
	}
	for r, err := range d.between(prefix, place, time.Time{}, time.Time{}) {
		if err != nil {
			return nil, err
		}
		if f.Device != "" && r.Device != f.Device || f.Kind != "" && r.Kind != f.Kind {
			continue
		}
		if v := d.Shown(r); f.Finds(v.Device, v.DeviceID, v.Kind, v.Person, v.PersonID) {
			if all = append(all, v); len(all) == f.Limit {
				break
			}
		}
	}
	return all, nil
}

// Free returns the devices that can be reserved for all of a time, which begins now
// if it has begun.
func (d *Desk) Free(from, to time.Time) (free []books.Device, err error) {
	if d.Now.IsZero() {
		return nil, &reservation.RefusedError{Reason: reservation.NoClock}
	}
	if from.Before(d.Now) {
		from = d.Now.Truncate(time.Second)
	}
	if !to.After(from) {
		return nil, refused("give a later end", "%s is before it begins", stamp(to))
	}
	booked, err := d.around(from, to)
	if err != nil {
		return nil, err
	}
	ofDevice := map[string][]reservation.Booking{}
	shelves := map[string]*reservation.Shelf{}
	shelf := func(kind string) *reservation.Shelf {
		if shelves[kind] == nil {
			shelves[kind] = &reservation.Shelf{Now: d.Now}
		}
		return shelves[kind]
	}
	for _, r := range booked {
		if r.Device != "" {
			ofDevice[r.Device] = append(ofDevice[r.Device], r.booking())
		} else {
			s := shelf(r.Kind)
			s.Booked = append(s.Booked, r.booking())
		}
	}
	rows := map[string]*record.Row{}
	d.Each(record.TreeDevices, func(id string, r *record.Row) {
		if lent(r) {
			s := shelf(r.Kind)
			s.Devices, rows[id] = append(s.Devices, d.onShelf(id, r, ofDevice[id])), r
		}
	})
	var ids []string
	for _, s := range shelves {
		ids = append(ids, s.Free(from, to)...)
	}
	slices.Sort(ids)
	free = make([]books.Device, len(ids))
	for i, id := range ids {
		free[i] = books.Device{ID: id, Name: rows[id].Name, Kind: rows[id].Kind}
	}
	return free, nil
}

// around returns the reservations that a time meets, and those that meet one of a kind that
// does: whether that one can still be kept depends on them. It reads the order of time once or
// twice, and not that of each device and kind.
func (d *Desk) around(from, to time.Time) (booked []Row, err error) {
	if booked, err = d.overlapping(byTime, from, to, 0); err != nil {
		return nil, err
	}
	begin, end := from, to
	for _, r := range booked {
		if r.Device == "" {
			begin, end = earlier(begin, r.From), later(end, r.To)
		}
	}
	if begin.Equal(from) && end.Equal(to) {
		return booked, nil
	}
	return d.overlapping(byTime, begin, end, 0)
}
