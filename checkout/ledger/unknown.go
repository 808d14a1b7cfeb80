package ledger

import (
	"encoding/hex"
	"slices"
	"sort"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// maxUnknown is the length of the list of unknown tags, so that no one can fill the disk
// with foreign cards.
const maxUnknown = 1000

// NoteRefusals records refused bumps in one transaction: an event for each that has
// none, and tags without an owner in the list. The list keeps only keyed hashes and
// masked numbers.
func (l *Ledger) NoteRefusals(all []checkout.Refusal) error {
	return l.update(func(t *txn) {
		for _, r := range all {
			if r.Unknown && t.holding(r.Tag).tree != 0 {
				continue // it has an owner by now
			}
			if r.Unknown {
				t.noteUnknown(r)
			}
			if r.Noted {
				continue
			}
			ev := record.Event{Event: checkout.Event{Kind: checkout.Refuse, Source: checkout.SourceReader, Reader: r.Reader, Note: r.Reason}}
			t.append(&ev, t.whose(t.known(record.TreePeople, r.Person)), t.known(record.TreeDevices, r.Device))
		}
	})
}

// noteUnknown adds a tag without an owner to the list.
func (t *txn) noteUnknown(r checkout.Refusal) {
	key, now := t.l.keys.Find(r.Tag, 0), t.l.o.Stamp()
	u := record.Unknown{Number: t.l.o.Mask(r.Tag), Bits: int(r.Tag.Bits), First: now.Wall}
	if b := t.get(record.TreeUnknown, key); b != nil {
		u = t.decodeUnknown(b)
	} else {
		t.makeRoom()
	}
	u.Count += r.Count
	u.Last = now
	t.put(record.TreeUnknown, key, record.Pack(record.UnknownForm(&u)))
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
	clock := t.times()
	t.each(record.TreeUnknown, nil, func(k, v []byte) {
		u := t.decodeUnknown(v)
		s := seenTag{books.SeenTag{ID: hex.EncodeToString(k[:8]), Number: u.Number, Bits: u.Bits, Count: u.Count}, slices.Clone(k)}
		s.Last, s.ClockTrusted = clock.Wall(u.Last)
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
