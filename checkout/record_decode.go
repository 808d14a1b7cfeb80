package checkout

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// decodeEvent reads a record and checks its hash and checksum. The
// commitments are checked too: they cost as much again as the hash, and catch
// a side that was exchanged.
func decodeEvent(b []byte) (stored, error) {
	p, err := split(b)
	if err != nil {
		return stored{}, err
	}
	ev := stored{Event: Event{Hash: p.hash}}
	var commits [4]Hash
	self, err := ev.decodeCore(p.core, &commits)
	if err != nil {
		return stored{}, err
	}
	s, err := ev.decodeSide(p.side)
	if err != nil {
		return stored{}, err
	}
	for i, f := range s.fields() {
		switch {
		case *f.v == nil && !commits[i].IsZero() && !ev.Erased:
			return stored{}, fmt.Errorf("%w: a personal field is missing and not erased", errNotEvent)
		case *f.v != nil && commitment(f.tag, *f.v) != commits[i]:
			return stored{}, fmt.Errorf("%w: a personal field is not what was committed", errNotEvent)
		}
	}
	if err := ev.fill(s); err != nil {
		return stored{}, err
	}
	if self {
		ev.Actor = ev.Person
	}
	return ev, nil
}

// decodeCore reads the hashed part. commits are in the order of secrets.fields.
func (ev *stored) decodeCore(core []byte, commits *[4]Hash) (selfActor bool, err error) {
	if len(core) == 0 {
		return false, errNotEvent
	}
	if ev.Version = core[0]; ev.Version != recordVersion {
		return false, fmt.Errorf("event record of version %d: this program knows version %d", ev.Version, recordVersion)
	}
	d := dec{b: core[1:]}
	for d.next() {
		switch d.tag {
		case coreStation:
			ev.Station = d.str()
		case coreSeq:
			ev.Seq = d.uint()
		case coreID:
			d.fixed(ev.ID[:])
		case coreKind:
			ev.Kind = Kind(d.str())
		case coreSource:
			ev.Source = Source(d.str())
		case coreReader:
			ev.Reader = d.str()
		case coreDevice:
			ev.Device = d.str()
		case coreDevName:
			ev.DeviceName = d.str()
		case coreDevTag:
			ev.DeviceTag = d.str()
		case coreBoot:
			d.fixed(ev.At.BootID[:])
		case coreMono:
			ev.At.Mono = time.Duration(d.int())
		case coreWall:
			ev.At.Wall = time.Unix(0, d.int())
		case coreTrusted:
			ev.At.Trusted = d.flag()
		case corePrev:
			d.fixed(ev.Prev[:])
		case coreLoan:
			ev.Loan = time.Duration(d.int()) * time.Second
		case coreCondition:
			ev.Condition = d.str()
		case coreSelfActor:
			selfActor = d.flag()
		case coreResolved:
			ev.resolved = d.str()
		case coreWhose:
			ev.whose = bytes.Clone(d.v)
		case coreGapFile, coreGapSeq, coreGapHash, coreGapLost, coreGapOther:
			ev.decodeGap(&d)
		case corePerson, coreFrom, coreActor, coreNote:
			d.fixed(commits[d.tag-corePerson][:])
		}
	}
	return selfActor, d.err
}

func (ev *stored) decodeGap(d *dec) {
	if ev.Gap == nil {
		ev.Gap = new(Gap)
	}
	switch d.tag {
	case coreGapFile:
		ev.Gap.File = d.str()
	case coreGapSeq:
		ev.Gap.Seq = d.uint()
	case coreGapHash:
		d.fixed(ev.Gap.Hash[:])
	case coreGapLost:
		ev.Gap.Lost = d.pairs()
	case coreGapOther:
		d.others(&ev.Gap.Others)
	}
}

// others reads one field that enc.others wrote.
func (d *dec) others(into *map[string][][2]uint64) {
	var name string
	o := dec{b: d.v}
	for o.next() {
		switch o.tag {
		case 1:
			name = o.str()
		case 2:
			if *into == nil {
				*into = map[string][][2]uint64{}
			}
			(*into)[name] = o.pairs()
		}
	}
	if o.err != nil {
		d.err = o.err
	}
}

func (d *dec) pairs() (all [][2]uint64) {
	for b := d.v; len(b) > 0; {
		first, w := binary.Uvarint(b)
		if w <= 0 {
			d.err = errShort
			return nil
		}
		last, w2 := binary.Uvarint(b[w:])
		if w2 <= 0 {
			d.err = errShort
			return nil
		}
		all = append(all, [2]uint64{first, last})
		b = b[w+w2:]
	}
	return all
}

// decodeSide reads the links and cuts out the secrets.
func (ev *stored) decodeSide(side []byte) (secrets, error) {
	var s secrets
	d := dec{b: side}
	for d.next() {
		switch d.tag {
		case sideErased:
			ev.Erased = d.flag()
		case sideLinkDevice:
			ev.links.device = d.ref()
		case sideLinkPerson:
			ev.links.person = d.ref()
		case sideLinkFrom:
			ev.links.from = d.ref()
		case sideLinkResolved:
			ev.links.resolved = d.ref()
		case corePerson:
			s.person = d.v
		case coreFrom:
			s.from = d.v
		case coreActor:
			s.actor = d.v
		case coreNote:
			s.note = d.v
		}
	}
	return s, d.err
}

// fill takes the values out of the secrets.
func (ev *stored) fill(s secrets) error {
	for _, f := range s.fields() {
		if *f.v != nil && len(*f.v) < saltLen {
			return fmt.Errorf("%w: a personal field has no salt", errNotEvent)
		}
	}
	person := func(b []byte, id, name, tag, resolved *string) error {
		if b == nil {
			return nil
		}
		d := dec{b: b[saltLen:]}
		for d.next() {
			switch d.tag {
			case secretID:
				*id = d.str()
			case secretName:
				*name = d.str()
			case secretTag:
				*tag = d.str()
			case secretResolved:
				*resolved = d.str()
			}
		}
		return d.err
	}
	var none string
	if err := person(s.person, &ev.Person, &ev.PersonName, &ev.PersonTag, &ev.resolved); err != nil {
		return err
	}
	if err := person(s.from, &ev.From, &ev.FromName, &ev.FromTag, &none); err != nil {
		return err
	}
	if s.actor != nil {
		ev.Actor = string(s.actor[saltLen:])
	}
	if s.note != nil {
		ev.Note = string(s.note[saltLen:])
	}
	return nil
}

// rewriteRecord returns a copy of a record in which f changed the side: the
// personal values, the links, and whether it is erased.
func rewriteRecord(b []byte, f func(*secrets, *stored)) ([]byte, error) {
	p, err := split(b)
	if err != nil {
		return nil, err
	}
	var ev stored
	s, err := ev.decodeSide(p.side)
	if err != nil {
		return nil, err
	}
	f(&s, &ev)
	return assemble(p.core, p.hash, encodeSide(s, ev.links, ev.Erased)), nil
}
