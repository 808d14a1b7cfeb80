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

	lookup []byte
	stamp  Stamp
}

func (u SeenTag) encode() []byte {
	var e enc
	e.str(1, u.Number)
	e.uint(2, uint64(u.Bits))
	e.uint(3, uint64(u.Count))
	e.int(4, u.First.UnixNano())
	e.stamp(u.stamp)
	return e.b
}

func decodeUnknown(body []byte) (u SeenTag, err error) {
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			u.Number = d.str()
		case 2:
			u.Bits = int(d.uint())
		case 3:
			u.Count = int(d.uint())
		case 4:
			u.First = time.Unix(0, d.int())
		case rowBoot:
			d.fixed(u.stamp.BootID[:])
		case rowMono:
			u.stamp.Mono = time.Duration(d.int())
		case rowWall:
			u.stamp.Wall = time.Unix(0, d.int())
		case rowTrusted:
			u.stamp.Trusted = d.flag()
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
		u := SeenTag{Number: l.o.Mask(tag), Bits: int(tag.Bits)}
		now := l.o.Stamp()
		if b == nil {
			u.First = now.Wall
			err = t.makeRoom()
		} else {
			u, err = decodeUnknown(b)
		}
		if err != nil {
			return err
		}
		u.Count++
		u.stamp = now
		return t.put(treeUnknown, key, u.encode())
	})
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
func (t *txn) unknown() ([]SeenTag, error) {
	var all []SeenTag
	clock := times{t: t}
	err := t.each(treeUnknown, nil, func(k, v []byte) error {
		u, err := decodeUnknown(v)
		if err != nil {
			return t.damaged("an unknown tag: %v", err)
		}
		u.lookup = slices.Clone(k)
		u.Last, u.ClockTrusted, err = clock.wall(u.stamp)
		all = append(all, u)
		return err
	})
	slices.SortStableFunc(all, func(a, b SeenTag) int { return a.Last.Compare(b.Last) })
	return all, err
}

// UnknownTags lists the tags that nobody has, the one seen last first.
func (l *Ledger) UnknownTags() ([]SeenTag, error) {
	var all []SeenTag
	err := l.view(func(t *txn) (err error) {
		all, err = t.unknown()
		return err
	})
	slices.Reverse(all)
	return all, err
}
