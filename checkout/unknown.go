package checkout

import (
	"slices"
	"time"
)

// maxUnknown bounds the list of unknown tags: whoever waves foreign cards at
// the reader must not fill the disk.
const maxUnknown = 1000

// SeenTag is a tag that nobody has, seen at a reader.
type SeenTag struct {
	// Number is masked.
	Number      string
	Bits        int
	Count       int
	First, Last time.Time
	// ClockTrusted is whether Last is known to be right.
	ClockTrusted bool
}

// unknownRow is the row of a tag that nobody has.
type unknownRow struct {
	number      string // masked
	bits, count int
	first       time.Time
	last        Stamp
}

func (u unknownRow) encode() []byte {
	var e enc
	e.str(1, u.number)
	e.uint(2, uint64(u.bits))
	e.uint(3, uint64(u.count))
	e.int(4, u.first.UnixNano())
	e.stamp(u.last)
	return e.b
}

func decodeUnknown(body []byte) (u unknownRow, err error) {
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			u.number = d.str()
		case 2:
			u.bits = int(d.uint())
		case 3:
			u.count = int(d.uint())
		case 4:
			u.first = time.Unix(0, d.int())
		case rowBoot:
			d.fixed(u.last.BootID[:])
		case rowMono:
			u.last.Mono = time.Duration(d.int())
		case rowWall:
			u.last.Wall = time.Unix(0, d.int())
		case rowTrusted:
			u.last.Trusted = d.flag()
		}
	}
	return u, d.err
}

// NoteUnknown adds a sighting of a tag that is nobody's to the list. Of the
// tags only keyed hashes and masked numbers are kept.
func (l *Ledger) NoteUnknown(tag Tag) error {
	return l.update(func(t *txn) error {
		if who, err := t.owner(tag); err != nil || who.tree != 0 {
			return err
		}
		key := l.keys.find(tag, 0)
		b, err := t.get(treeUnknown, key)
		if err != nil {
			return err
		}
		u := unknownRow{number: l.o.Mask(tag), bits: int(tag.Bits)}
		now := l.o.Stamp()
		if b == nil {
			u.first = now.Wall
			err = t.makeRoom()
		} else {
			u, err = decodeUnknown(b)
		}
		if err != nil {
			return err
		}
		u.count++
		u.last = now
		return t.put(treeUnknown, key, u.encode())
	})
}

// seenTag is a SeenTag and the key of its row.
type seenTag struct {
	SeenTag
	lookup []byte
}

// makeRoom forgets the tags that were not seen for the longest time.
func (t *txn) makeRoom() error {
	all, err := t.unknown()
	if err != nil || len(all) < maxUnknown {
		return err
	}
	for _, u := range all[:len(all)-maxUnknown+1] {
		if err := t.delete(treeUnknown, u.lookup); err != nil {
			return err
		}
	}
	return nil
}

// unknown returns the list, the one seen last at the end.
func (t *txn) unknown() ([]seenTag, error) {
	var all []seenTag
	clock := times{t: t}
	err := t.each(treeUnknown, nil, func(k, v []byte) error {
		u, err := decodeUnknown(v)
		if err != nil {
			return t.damaged("an unknown tag: %v", err)
		}
		s := seenTag{SeenTag{Number: u.number, Bits: u.bits, Count: u.count, First: u.first}, slices.Clone(k)}
		s.Last, s.ClockTrusted, err = clock.wall(u.last)
		all = append(all, s)
		return err
	})
	slices.SortStableFunc(all, func(a, b seenTag) int { return a.Last.Compare(b.Last) })
	return all, err
}

// UnknownTags lists the tags that nobody has, the one seen last first.
func (l *Ledger) UnknownTags() ([]SeenTag, error) {
	var all []SeenTag
	err := l.view(func(t *txn) error {
		seen, err := t.unknown()
		for _, s := range slices.Backward(seen) {
			all = append(all, s.SeenTag)
		}
		return err
	})
	return all, err
}
