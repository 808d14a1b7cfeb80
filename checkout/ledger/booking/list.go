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
	byKind := map[string][]string{}
	rows := map[string]*record.Row{}
	d.Each(record.TreeDevices, func(id string, r *record.Row) { byKind[r.Kind], rows[id] = append(byKind[r.Kind], id), r })
	with := *d
	with.Row = func(tree record.Tree, id string) *record.Row {
		if tree == record.TreeDevices {
			return rows[id]
		}
		return d.Row(tree, id)
	}
	ids := make([]string, 0, len(rows))
	for kind, all := range byKind {
		with.Each = func(_ record.Tree, f func(string, *record.Row)) {
			for _, id := range all {
				f(id, rows[id])
			}
		}
		with.Kinds = nil
		s, err := with.shelf("", kind, from, to, 0)
		if err != nil {
			return nil, err
		}
		ids = append(ids, s.Free(from, to)...)
	}
	slices.Sort(ids)
	free = make([]books.Device, len(ids))
	for i, id := range ids {
		free[i] = books.Device{ID: id, Name: rows[id].Name, Kind: rows[id].Kind}
	}
	return free, nil
}
