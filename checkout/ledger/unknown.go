package ledger

import (
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// maxUnknown bounds the list of unknown tags: whoever waves foreign cards at
// the reader must not fill the disk.
const maxUnknown = 1000

// NoteUnknown adds a sighting of a tag that is nobody's to the list. Of the
// tags only keyed hashes and masked numbers are kept.
func (l *Ledger) NoteUnknown(tag checkout.Tag) error {
	return l.update(func(t *txn) error {
		if who, err := t.owner(tag); err != nil || who.tree != 0 {
			return err
		}
		key := l.keys.Find(tag, 0)
		b, err := t.get(record.TreeUnknown, key)
		if err != nil {
			return err
		}
		u := record.Unknown{Number: l.o.Mask(tag), Bits: int(tag.Bits)}
		now := l.o.Stamp()
		if b == nil {
			u.First = now.Wall
			err = t.makeRoom()
		} else {
			u, err = record.UnknownForm.Decode(b)
		}
		if err != nil {
			return err
		}
		u.Count++
		u.Last = now
		return t.put(record.TreeUnknown, key, record.UnknownForm.Encode(&u))
	})
}

// seenTag is a SeenTag and the key of its row.
type seenTag struct {
	checkout.SeenTag
	lookup []byte
}

// makeRoom forgets the tags that were not seen for the longest time.
func (t *txn) makeRoom() error {
	all, err := t.unknown()
	if err != nil || len(all) < maxUnknown {
		return err
	}
	for _, u := range all[:len(all)-maxUnknown+1] {
		if err := t.delete(record.TreeUnknown, u.lookup); err != nil {
			return err
		}
	}
	return nil
}

// unknown returns the list, the one seen last at the end.
func (t *txn) unknown() ([]seenTag, error) {
	var all []seenTag
	clock := times{t: t}
	err := t.each(record.TreeUnknown, nil, func(k, v []byte) error {
		u, err := record.UnknownForm.Decode(v)
		if err != nil {
			return t.damaged("an unknown tag: %v", err)
		}
		s := seenTag{checkout.SeenTag{Number: u.Number, Bits: u.Bits, Count: u.Count, First: u.First}, slices.Clone(k)}
		s.Last, s.ClockTrusted, err = clock.wall(u.Last)
		all = append(all, s)
		return err
	})
	slices.SortStableFunc(all, func(a, b seenTag) int { return a.Last.Compare(b.Last) })
	return all, err
}

// UnknownTags lists the tags that nobody has, the one seen last first.
func (l *Ledger) UnknownTags() ([]checkout.SeenTag, error) {
	var all []checkout.SeenTag
	err := l.view(func(t *txn) error {
		seen, err := t.unknown()
		for _, s := range slices.Backward(seen) {
			all = append(all, s.SeenTag)
		}
		return err
	})
	return all, err
}
