// Package oldchains reads files of schema 1 in the terms of schema 2: which chains there are,
// which one goes on, and in which order their events happened.
//
// Schema 1 had a row "station/NAME" and a chain for each name of the station. Only the
// links of events gave an order between the chains. Errors of this package say what is
// damaged in a file.
package oldchains

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
)

// File has the chains of a file of schema 1.
type File struct {
	Chains map[uint16]record.Chain
	Own    uint16       // the index of the chain to continue
	Runs   []record.Run // all events, in an order in which they may have happened
	Swept  record.Ref   // how far retention has come
}

// MetaSwept returns the key of the row that says how far retention has come in a chain.
func MetaSwept(name string) []byte { return append([]byte("swept/"), name...) }

// Read reads the chains of a file. station is the station's name now.
func Read(tx *bolt.Tx, station string) (f *File, err error) {
	f = &File{}
	if f.Chains, err = Chains(tx); err != nil {
		return nil, err
	}
	f.findOwn(station)
	if err := f.order(tx); err != nil {
		return nil, err
	}
	return f, f.readSwept(tx)
}

// get returns the body of a row of the meta tree, nil if there is none.
func get(tx *bolt.Tx, key []byte) ([]byte, error) {
	b := tx.Bucket(record.TreeMeta.Bucket()).Get(key)
	if b == nil {
		return nil, nil
	}
	return record.OpenAt(record.TreeMeta, key, b)
}

// Chains returns the chains of a file by index.
func Chains(tx *bolt.Tx) (map[uint16]record.Chain, error) {
	chains, prefix := map[uint16]record.Chain{}, record.MetaStation("")
	c := tx.Bucket(record.TreeMeta.Bucket()).Cursor()
	for k, b := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, b = c.Next() {
		v, err := record.OpenAt(record.TreeMeta, k, b)
		if err != nil {
			return nil, err
		}
		if len(v) != 2 {
			return nil, fmt.Errorf("the row %q of a station", k)
		}
		chains[binary.BigEndian.Uint16(v)] = record.Chain{Name: string(bytes.TrimPrefix(k, prefix))}
	}
	for i, c := range chains {
		k, b := tx.Bucket(record.TreeEvents.Bucket()).Cursor().Seek(record.EventKey(record.At(i, 0)))
		if at, ok := record.ParseEventKey(k); !ok || at.Chain != i {
			continue
		}
		p, err := record.Split(b)
		if err != nil {
			return nil, fmt.Errorf("the first event of station %q: %w", c.Name, err)
		}
		c.ID = p.Hash
		chains[i] = c
	}
	return chains, nil
}

// findOwn chooses the chain to continue: the one begun last, because a place in a later
// chain counts as later. If the station has gone back to an earlier name, it begins
// another chain.
func (f *File) findOwn(station string) {
	for i, c := range f.Chains {
		if !c.ID.IsZero() || c.Name == station {
			f.Own = max(f.Own, i)
		}
	}
	again := false
	for i, c := range f.Chains {
		again = again || i < f.Own && c.Name == station
	}
	if f.Own == 0 || again {
		f.Own = uint16(len(f.Chains) + 1)
		f.Chains[f.Own] = record.Chain{}
	}
}

// order finds an order in which the events of several chains may have happened:
// an event comes after those that it links to.
func (f *File) order(tx *bolt.Tx) error {
	var lines []*line
	for _, i := range slices.Sorted(maps.Keys(f.Chains)) {
		l := &line{chain: i, cursor: tx.Bucket(record.TreeEvents.Bucket()).Cursor()}
		if err := l.take(l.cursor.Seek(record.EventKey(record.At(i, 0)))); err != nil {
			return err
		}
		lines = append(lines, l)
	}
	for next := ready(lines); next != nil; next = ready(lines) {
		if n := len(f.Runs); n > 0 && f.Runs[n-1].Chain == next.chain {
			f.Runs[n-1].Last = next.seq
		} else {
			f.Runs = append(f.Runs, record.Run{Chain: next.chain, First: next.seq, Last: next.seq})
		}
		next.done = next.seq
		if err := next.take(next.cursor.Next()); err != nil {
			return err
		}
	}
	b, err := get(tx, record.MetaHead(f.Own))
	if err != nil {
		return err
	}
	head, _, ok := record.ParseHead(b)
	if !ok {
		return fmt.Errorf("the head of chain %d", f.Own)
	}
	if n := len(f.Runs); n > 0 && f.Runs[n-1].Chain == f.Own {
		f.Runs[n-1].Last = math.MaxUint64
	} else {
		f.Runs = append(f.Runs, record.Run{Chain: f.Own, First: head + 1, Last: math.MaxUint64})
	}
	return nil
}

// line is a chain whose events are being ordered.
type line struct {
	chain     uint16
	seq, done uint64 // of the next event, 0 at the end; of the last one ordered
	links     record.Links
	cursor    *bolt.Cursor
}

// take takes the next key and record.
func (l *line) take(k, b []byte) error {
	at, ok := record.ParseEventKey(k)
	if l.seq = at.Seq; !ok || at.Chain != l.chain {
		l.seq = 0
		return nil
	}
	ev, err := record.Decode(b)
	if err != nil {
		return fmt.Errorf("event %d: %w", at.Seq, err)
	}
	l.links = ev.Links
	return nil
}

// ready returns a line whose next event links only to events that are ordered already.
// If there is none, because an event is lost, it returns the first line with an event.
func ready(lines []*line) *line {
	was := func(r record.Ref) bool {
		i := slices.IndexFunc(lines, func(l *line) bool { return l.chain == r.Chain })
		return r.Seq == 0 || i < 0 || lines[i].seq == 0 || lines[i].done >= r.Seq
	}
	var first *line
	for _, l := range lines {
		if l.seq == 0 {
			continue
		}
		if was(l.links.Device) && was(l.links.Person) && was(l.links.From) && was(l.links.Resolved) {
			return l
		}
		first = cmp.Or(first, l)
	}
	return first
}

// readSwept finds how far retention has come over all chains.
func (f *File) readSwept(tx *bolt.Tx) error {
	for _, r := range f.Runs {
		b, err := get(tx, MetaSwept(f.Chains[r.Chain].Name))
		if err != nil || len(b) != 8 {
			return err
		}
		seq := binary.BigEndian.Uint64(b)
		if seq >= r.First {
			f.Swept = record.At(r.Chain, min(seq, r.Last))
		}
		if seq < r.Last {
			return nil
		}
	}
	return nil
}
