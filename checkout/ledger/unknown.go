package ledger

import (
	"encoding/hex"
	"slices"
	"sort"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// maxUnknown is the length of the list of unknown tags, so that no one can fill the disk
// with foreign cards.
const maxUnknown = 1000

// NoteRefusals records refused bumps in one transaction: an event for each that has
// none, and tags without an owner in the list. The list shows masked numbers; the numbers
// themselves are sealed, so that a tag can be given to somebody who has left.
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
	u.Last, u.Reader = now, r.Reader
	if r.Fits != checkout.Unknown {
		u.Fits = r.Fits.String()
	}
	if u.Sealed == nil {
		u.Sealed = t.l.keys.Seal(r.Tag)
	}
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
	row    record.Unknown
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
		s := seenTag{books.SeenTag{ID: hex.EncodeToString(k[:8]), Number: u.Number, Bits: u.Bits, Count: u.Count, Reader: orNull(u.Reader), Fits: orNull(u.Fits)}, slices.Clone(k), u}
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
			if !s.row.Ignored {
				all = append(all, s.SeenTag)
			}
		}
	})
	return all, err
}

// UnknownTag returns the tag of a row of UnknownTags.
func (l *Ledger) UnknownTag(id string) (tag checkout.Tag, err error) {
	err = l.view(func(t *txn) {
		s := t.unknownTag(id)
		if s.row.Sealed == nil {
			t.fail(hint.Errorf("show it at the reader once more, then try again", "the number of the tag %s was not kept", s.Number))
		}
		var err error
		tag, err = t.l.keys.Unseal(s.lookup, s.row.Sealed)
		t.must(err)
	})
	return tag, err
}

// IgnoreTag leaves a tag out of UnknownTags from now on, however often it is shown. It can
// be given to somebody as before.
func (l *Ledger) IgnoreTag(id string) error {
	return l.update(func(t *txn) {
		s := t.unknownTag(id)
		s.row.Ignored = true
		t.put(record.TreeUnknown, s.lookup, record.Pack(record.UnknownForm(&s.row)))
	})
}

func (t *txn) unknownTag(id string) seenTag {
	all := t.unknown()
	i := slices.IndexFunc(all, func(s seenTag) bool { return s.ID == id && !s.row.Ignored })
	if i < 0 {
		t.fail(books.ErrNoTag)
	}
	return all[i]
}

// orNull is null for what is not known.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
