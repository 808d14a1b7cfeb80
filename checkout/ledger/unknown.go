package ledger

import (
	"slices"
	"sort"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// maxUnknown is the length of the list of unknown tags, so that no one can fill the disk
// with foreign cards.
const maxUnknown = 1000

// NoteUnknown adds a tag without an owner to the list. The list keeps only keyed hashes
// and masked numbers.
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
		t.put(record.TreeUnknown, key, record.Pack(record.UnknownForm(&u)))
	})
}

func (t *txn) decodeUnknown(b []byte) record.Unknown {
	u, err := record.Unpack(record.UnknownForm, b)
	if err != nil {
		t.damaged("an unknown tag: %v", err)
	}
	return u
}

// seenTag is a SeenTag and the key of its row.
type seenTag struct {
	books.SeenTag
	lookup []byte
}

// makeRoom removes the tags that were seen longest ago.
func (t *txn) makeRoom() {
	all := t.unknown()
	for _, u := range all[:max(0, len(all)-maxUnknown+1)] {
		t.delete(record.TreeUnknown, u.lookup)
	}
}

// unknown returns the list, sorted by the time last seen.
func (t *txn) unknown() (all []seenTag) {
	clock := times{t: t}
	t.each(record.TreeUnknown, nil, func(k, v []byte) {
		u := t.decodeUnknown(v)
		s := seenTag{books.SeenTag{Number: u.Number, Bits: u.Bits, Count: u.Count}, slices.Clone(k)}
		s.Last, s.ClockTrusted = clock.wall(u.Last)
		all = append(all, s)
	})
	sort.SliceStable(all, func(i, j int) bool { return all[i].Last.Before(all[j].Last) })
	return all
}

// UnknownTags lists the tags without an owner, the one seen last first.
func (l *Ledger) UnknownTags() (all []books.SeenTag, err error) {
	err = l.view(func(t *txn) {
		for _, s := range slices.Backward(t.unknown()) {
			all = append(all, s.SeenTag)
		}
	})
	return all, err
}
