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
	return l.update(func(t *txn) {
		if t.owner(tag).tree != 0 {
			return
		}
		key, now := l.keys.Find(tag, 0), l.o.Stamp()
		u := record.Unknown{Number: l.o.Mask(tag), Bits: int(tag.Bits), First: now.Wall}
		if b := t.get(record.TreeUnknown, key); b != nil {
			u = t.decodeUnknown(b)
		} else {
			t.makeRoom()
		}
		u.Count++
		u.Last = now
		t.put(record.TreeUnknown, key, record.UnknownForm.Encode(&u))
	})
}

func (t *txn) decodeUnknown(b []byte) record.Unknown {
	u, err := record.UnknownForm.Decode(b)
	if err != nil {
		t.damaged("an unknown tag: %v", err)
	}
	return u
}

// seenTag is a SeenTag and the key of its row.
type seenTag struct {
	checkout.SeenTag
	lookup []byte
}

// makeRoom forgets the tags that were not seen for the longest time.
func (t *txn) makeRoom() {
	all := t.unknown()
	for _, u := range all[:max(0, len(all)-maxUnknown+1)] {
		t.delete(record.TreeUnknown, u.lookup)
	}
}

// unknown returns the list, the one seen last at the end.
func (t *txn) unknown() (all []seenTag) {
	clock := times{t: t}
	t.each(record.TreeUnknown, nil, func(k, v []byte) {
		u := t.decodeUnknown(v)
		s := seenTag{checkout.SeenTag{Number: u.Number, Bits: u.Bits, Count: u.Count, First: u.First}, slices.Clone(k)}
		s.Last, s.ClockTrusted = clock.wall(u.Last)
		all = append(all, s)
	})
	slices.SortStableFunc(all, func(a, b seenTag) int { return a.Last.Compare(b.Last) })
	return all
}

// UnknownTags lists the tags that nobody has, the one seen last first.
func (l *Ledger) UnknownTags() (all []checkout.SeenTag, err error) {
	err = l.view(func(t *txn) {
		for _, s := range slices.Backward(t.unknown()) {
			all = append(all, s.SeenTag)
		}
	})
	return all, err
}
