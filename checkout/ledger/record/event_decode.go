package record

import (
	"encoding/binary"
	"fmt"

	"stump/checkout"
)

// decodeEvent reads a record and checks its hash and checksum. The
// commitments are checked too: they cost as much again as the hash, and catch
// a side that was exchanged.
func Decode(b []byte) (Event, error) {
	p, err := Split(b)
	if err != nil {
		return Event{}, err
	}
	ev := Event{Event: checkout.Event{Hash: p.Hash}}
	var commits [4]checkout.Hash
	self, err := ev.decodeCore(p.Core, &commits)
	if err != nil {
		return Event{}, err
	}
	s, err := ev.decodeSide(p.Side)
	if err != nil {
		return Event{}, err
	}
	for i, f := range s.fields() {
		switch {
		case *f.v == nil && !commits[i].IsZero() && !ev.Erased:
			return Event{}, fmt.Errorf("%w: a personal field is missing and not erased", ErrNotEvent)
		case *f.v != nil && commitment(f.tag, *f.v) != commits[i]:
			return Event{}, fmt.Errorf("%w: a personal field is not what was committed", ErrNotEvent)
		}
	}
	if err := ev.fill(s); err != nil {
		return Event{}, err
	}
	if self {
		ev.Actor = ev.Person
	}
	return ev, nil
}

// others reads one field that enc.others wrote.
func (d *Decoder) Others(into *map[string][][2]uint64) {
	var name string
	o := Decoder{B: d.Value}
	for o.Next() {
		switch o.Tag {
		case 1:
			name = o.Str()
		case 2:
			if *into == nil {
				*into = map[string][][2]uint64{}
			}
			(*into)[name] = o.Pairs()
		}
	}
	if o.Err != nil {
		d.Err = o.Err
	}
}

func (d *Decoder) Pairs() (all [][2]uint64) {
	for b := d.Value; len(b) > 0; {
		first, w := binary.Uvarint(b)
		if w <= 0 {
			d.Err = errShort
			return nil
		}
		last, w2 := binary.Uvarint(b[w:])
		if w2 <= 0 {
			d.Err = errShort
			return nil
		}
		all = append(all, [2]uint64{first, last})
		b = b[w+w2:]
	}
	return all
}

// rewriteRecord returns a copy of a record in which f changed the side: the
// personal values, the links, and whether it is erased.
func Rewrite(b []byte, f func(*Secrets, *Event)) ([]byte, error) {
	p, err := Split(b)
	if err != nil {
		return nil, err
	}
	var ev Event
	s, err := ev.decodeSide(p.Side)
	if err != nil {
		return nil, err
	}
	f(&s, &ev)
	return assemble(p.Core, p.Hash, encodeSide(s, ev.Links, ev.Erased)), nil
}
