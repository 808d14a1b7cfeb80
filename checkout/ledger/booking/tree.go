// Package booking keeps the reservations of a ledger, and applies the rules of package
// reservation to them.
//
// A reservation is a row of a tree of its own, from the event that makes it until the event
// that ends it. What an event means for the rows, [Apply] says; a replay of the events needs
// no other rule. Beside each row lie entries by which it is found, with the time when it is
// over:
//
//	r  place of the event                          → reservation
//	d  device, 0, begin (8 bytes), place           → when it is over
//	k  kind, 0, begin, place                       → when it is over
//	p  person, 0, begin, place                     → when it is over
//	t  begin, place                                → when it is over
//	c  begin, place                                → when it is over, of one that clashes
//
// A place in the line begins at 0, and so lies before all others. The tree is made with the
// first row: a ledger without reservations is the same file as before there were any.
package booking

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
	"stump/checkout/reservation"
)

// Row is a reservation.
type Row struct {
	At                   record.Ref // the event that made it
	Device, Kind, Person string
	From, To             time.Time // zero in the line
	Kept                 bool
	// Made is when it was made, of one of another station. Clash: there was no room for it.
	Made  time.Time
	Clash bool
}

// Elsewhere reports whether another station of the lab has made it. Its rows are the lab's
// word, and it ends there what nobody ends by hand.
func (r Row) Elsewhere() bool { return r.At.Chain >= record.ForeignChain }

func rowForm(r *Row) []record.Field {
	return []record.Field{record.Of(1, &r.Device), record.Of(2, &r.Kind), record.Of(3, &r.Person),
		record.Of(4, &r.From), record.Of(5, &r.To), record.Of(6, &r.Kept), record.Of(7, &r.Made), record.Of(8, &r.Clash)}
}

// booking is the row as the rules see it.
func (r Row) booking() reservation.Booking {
	return reservation.Booking{ID: string(record.EventKey(r.At)), Device: r.Device, Kind: r.Kind, Person: r.Person, From: r.From, To: r.To, Kept: r.Kept}
}

// Key is the place of the row in every list: by when it begins, then by its event.
func (r Row) Key() string { return hex.EncodeToString(r.place()) }

func (r Row) place() []byte { return append(begin(r.From), record.EventKey(r.At)...) }

// begin is a time as keys have it.
func begin(t time.Time) []byte {
	if t.IsZero() {
		return make([]byte, 8)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(t.Unix()))
}

// entries are the keys under which a row is found.
func (r Row) entries() [][]byte {
	what := byDevice(r.Device)
	if r.Device == "" {
		what = byKind(r.Kind)
	}
	at := r.place()
	all := [][]byte{slices.Concat(what, at), slices.Concat(byPerson(r.Person), at), slices.Concat(byTime, at)}
	if r.Clash {
		all = append(all, slices.Concat(byClash, at))
	}
	return all
}

// The beginnings of the keys of a kind of entry.
var byTime, byClash = []byte("t"), []byte("c")

func byDevice(id string) []byte { return []byte("d" + id + "\x00") }
func byKind(kind string) []byte { return []byte("k" + kind + "\x00") }
func byPerson(id string) []byte { return []byte("p" + id + "\x00") }

func rowKey(at record.Ref) []byte { return append([]byte("r"), record.EventKey(at)...) }

// Tree has the reservations of a ledger in a transaction.
type Tree struct{ tx *bolt.Tx }

// In returns the reservations in a transaction.
func In(tx *bolt.Tx) Tree { return Tree{tx} }

// bucket is nil while there never was a reservation.
func (t Tree) bucket() *bolt.Bucket { return t.tx.Bucket(record.TreeReservations.Bucket()) }

// Any reports whether there ever was a reservation.
func (t Tree) Any() bool { return t.bucket() != nil }

// body reads the body of a row or entry.
func body(key, b []byte) ([]byte, error) { return record.OpenAt(record.TreeReservations, key, b) }

func (t Tree) write(key, body []byte) error {
	b, err := t.tx.CreateBucketIfNotExists(record.TreeReservations.Bucket())
	if err != nil {
		return err
	}
	v := record.Envelope{Tree: record.TreeReservations, Rev: uint64(t.tx.ID()), Key: key, Body: body}
	return b.Put(key, v.Seal())
}

// Get returns the reservation that an event made; false if it has ended.
func (t Tree) Get(at record.Ref) (r Row, ok bool, err error) {
	b := t.bucket()
	if b == nil {
		return r, false, nil
	}
	key := rowKey(at)
	v := b.Get(key)
	if v == nil {
		return r, false, nil
	}
	r, err = read(key, v)
	return r, err == nil, err
}

// read reads the row that lies under a key.
func read(key, v []byte) (r Row, err error) {
	v, err = body(key, v)
	if err != nil {
		return r, err
	}
	r, err = record.Unpack(rowForm, v)
	r.At, _ = record.ParseEventKey(key[1:])
	return r, err
}

// Put writes a reservation, in place of the one of the same event.
func (t Tree) Put(r Row) error {
	if err := t.Drop(r.At); err != nil {
		return err
	}
	for _, key := range r.entries() {
		if err := t.write(key, begin(r.To)); err != nil {
			return err
		}
	}
	return t.write(rowKey(r.At), record.Pack(rowForm(&r)))
}

// Drop removes the reservation that an event made, if it has not ended.
func (t Tree) Drop(at record.Ref) error {
	r, ok, err := t.Get(at)
	if !ok || err != nil {
		return err
	}
	for _, key := range append(r.entries(), rowKey(at)) {
		if err := t.bucket().Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// Forget removes what a person has reserved at other stations; the lab ends it there.
func (t Tree) Forget(person string) error {
	all, err := t.of(person)
	for _, r := range all {
		if err == nil && r.Elsewhere() {
			err = t.Drop(r.At)
		}
	}
	return err
}

// of returns all reservations of a person.
func (t Tree) of(person string) (all []Row, err error) {
	for r, err := range t.between(byPerson(person), nil, time.Time{}, time.Time{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// between yields the reservations that entries lead to from a place on, in the order in which
// they begin: those that begin before until and are not over at since. Zero times are no limit.
func (t Tree) between(prefix, place []byte, since, until time.Time) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		b := t.bucket()
		if b == nil {
			return
		}
		c, end, over := b.Cursor(), begin(until), begin(since)
		for k, v := c.Seek(slices.Concat(prefix, place)); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			at := k[len(prefix):]
			if !until.IsZero() && bytes.Compare(at[:min(8, len(at))], end) >= 0 {
				return
			}
			to, err := body(k, v)
			if err == nil && !since.IsZero() && bytes.Compare(to, over) <= 0 {
				continue
			}
			var r Row
			if err == nil {
				r, err = t.found(at)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// found returns the row of an entry with a place.
func (t Tree) found(place []byte) (Row, error) {
	if len(place) == 18 {
		if at, ok := record.ParseEventKey(place[8:]); ok {
			r, ok, err := t.Get(at)
			if ok || err != nil {
				return r, err
			}
		}
	}
	return Row{}, record.ErrNotRow
}

// overlapping returns the reservations of a device or kind that a time meets, in the order
// in which they begin; at most most of them, if that is not 0. A zero end is never.
func (t Tree) overlapping(prefix []byte, from, to time.Time, most int) (all []Row, err error) {
	// One that runs then has begun at most so long before.
	for r, err := range t.between(prefix, begin(from.Add(-reservation.Longest)), from, to) {
		if err != nil {
			return nil, err
		}
		if all = append(all, r); len(all) == most {
			break
		}
	}
	return all, nil
}

// line returns who waits for a device or a kind, in the order in which they came.
func (t Tree) line(prefix []byte) (all []Row, err error) {
	for r, err := range t.between(prefix, nil, time.Time{}, time.Unix(1, 0)) {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// All returns all reservations, and what is wrong with the entries by which they are found.
func (t Tree) All() (all Replayed, err error) {
	all = Replayed{}
	b := t.bucket()
	if b == nil {
		return all, nil
	}
	entries := map[string][]byte{}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if k[0] != 'r' {
			to, err := body(k, v)
			if err != nil {
				return all, err
			}
			entries[string(k)] = to
			continue
		}
		r, err := read(k, v)
		if err != nil {
			return all, err
		}
		all[r.At] = r
	}
	for _, r := range all {
		for _, k := range r.entries() {
			if !bytes.Equal(entries[string(k)], begin(r.To)) {
				return all, fmt.Errorf("reservation %d is not found under %q", r.At.Seq, k)
			}
			delete(entries, string(k))
		}
	}
	for k := range entries {
		return all, fmt.Errorf("there is no reservation for the entry %q", k)
	}
	return all, nil
}

// Same reports whether two reservations are the same.
func (r Row) Same(o Row) bool {
	return r.At == o.At && bytes.Equal(record.Pack(rowForm(&r)), record.Pack(rowForm(&o)))
}
