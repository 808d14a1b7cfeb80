package journal

import (
	"bytes"
	"hash/maphash"
	"slices"

	"stump/internal/books"
)

// index finds rows by id and by tag. For 100,000 rows it takes 2 MB.
type index struct {
	seed  maphash.Seed
	place []uint32 // of each row
	// Each entry of ids and tags is a hash, with the row's number in the lowest rowBits.
	// They are sorted.
	ids, tags []uint64
	doubled   []Twice // what each row has in common with one before it; 0: nothing
}

const rowBits = 20 // 1<<rowBits ≥ Most

func (x *index) entry(key []byte, row int) uint64 {
	return maphash.Bytes(x.seed, key)>>rowBits<<rowBits | uint64(row)
}

// Index makes the rows findable, and calls twice for each with the id or the tag of one
// before it, which is first, in their order.
func (j *Journal) Index(twice func(r, first books.ImportRow, what Twice)) error {
	x := index{seed: maphash.MakeSeed(), place: make([]uint32, 0, j.rows), ids: make([]uint64, 0, j.rows)}
	err := j.each(0, func(s *stored, at, _ uint64) (bool, error) {
		n := len(x.place)
		x.place = append(x.place, uint32(at))
		x.ids = append(x.ids, x.entry([]byte(s.ID), n))
		if s.lookup != nil {
			x.tags = append(x.tags, x.entry(s.lookup, n))
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	slices.Sort(x.ids)
	slices.Sort(x.tags)
	x.doubled = make([]Twice, len(x.place))
	j.rows, j.index = len(x.place), x
	if err := j.twins(x.ids, SameID); err != nil {
		return err
	}
	if err := j.twins(x.tags, SameTag); err != nil {
		return err
	}
	for n, what := range x.doubled {
		if what == 0 {
			continue
		}
		s, err := j.at(uint64(x.place[n]))
		if err != nil {
			return err
		}
		first, _, _, err := j.ByID(s.ID)
		if what == SameTag {
			first, _, err = j.ByTag(s.lookup)
		}
		if err != nil {
			return err
		}
		twice(s.ImportRow, first, what)
	}
	return nil
}

// Doubled reports whether the row at a place has the id or the tag of one before it.
func (j *Journal) Doubled(at uint64) bool {
	n, _ := slices.BinarySearch(j.index.place, uint32(at))
	return j.index.doubled[n] != 0
}

// Twice is what two rows have in common.
type Twice byte

// What two rows may have in common.
const (
	SameID Twice = iota + 1
	SameTag
)

// twins finds the rows that are there twice, and are not doubled otherwise.
func (j *Journal) twins(all []uint64, what Twice) error {
	for i := 0; i < len(all); {
		same := i + 1
		for same < len(all) && all[same]>>rowBits == all[i]>>rowBits {
			same++
		}
		if same > i+1 {
			if err := j.compare(all[i:same], what); err != nil {
				return err
			}
		}
		i = same
	}
	return nil
}

// compare compares rows whose keys have one hash, in the order of the file.
func (j *Journal) compare(run []uint64, what Twice) error {
	var firsts []string
	for _, e := range run {
		n := rowOf(e)
		if j.index.doubled[n] != 0 {
			continue
		}
		s, err := j.at(uint64(j.index.place[n]))
		if err != nil {
			return err
		}
		key := s.ID
		if what == SameTag {
			key = string(s.lookup)
		}
		if slices.Contains(firsts, key) {
			j.index.doubled[n] = what
		} else {
			firsts = append(firsts, key)
		}
	}
	return nil
}

func rowOf(entry uint64) int { return int(entry & (1<<rowBits - 1)) }

// find returns the first row for which is is true among those whose key may be key.
func (j *Journal) find(all []uint64, key []byte, is func(*stored) bool) (s stored, at uint64, ok bool, err error) {
	hash := j.index.entry(key, 0)
	i, _ := slices.BinarySearch(all, hash)
	for ; i < len(all) && all[i]>>rowBits == hash>>rowBits; i++ {
		n := rowOf(all[i])
		if j.index.doubled[n] == SameID {
			continue
		}
		at = uint64(j.index.place[n])
		if s, err = j.at(at); err != nil || is(&s) {
			return s, at, err == nil, err
		}
	}
	return s, 0, false, nil
}

// ByID returns the row with an id, and its place.
func (j *Journal) ByID(id string) (r books.ImportRow, at uint64, ok bool, err error) {
	s, at, ok, err := j.find(j.index.ids, []byte(id), func(s *stored) bool { return s.ID == id })
	return s.ImportRow, at, ok, err
}

// ByTag returns the row that gives somebody the tag which is looked up so.
func (j *Journal) ByTag(lookup []byte) (r books.ImportRow, ok bool, err error) {
	s, _, ok, err := j.find(j.index.tags, lookup, func(s *stored) bool { return bytes.Equal(s.lookup, lookup) })
	return s.ImportRow, ok, err
}
