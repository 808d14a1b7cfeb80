package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Schema 1 had a row "station/NAME" for every name that the station had had, a
// chain for each of them, and no order between them but the links of events.

// schema1 is what a file of schema 1 says of its chains, in the words of schema 2.
type schema1 struct {
	chains map[uint16]record.Chain
	own    uint16
	runs   []run
	swept  record.Ref
}

func metaStation(name string) []byte { return append([]byte("station/"), name...) }

func metaSwept1(name string) []byte { return append([]byte("swept/"), name...) }

// chains1 returns the chains of a file of schema 1.
func (t *txn) chains1() (map[uint16]record.Chain, error) {
	chains := map[uint16]record.Chain{}
	err := t.each(record.TreeMeta, metaStation(""), func(k, v []byte) error {
		if len(v) != 2 {
			return t.damaged("the row %q of a station", k)
		}
		chains[binary.BigEndian.Uint16(v)] = record.Chain{Name: string(bytes.TrimPrefix(k, metaStation("")))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, c := range chains {
		k, b := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor().Seek(record.EventKey(record.At(i, 0)))
		if at, ok := record.ParseEventKey(k); !ok || at.Chain != i {
			continue
		}
		p, err := record.Split(b)
		if err != nil {
			return nil, t.damaged("the first event of station %q: %v", c.Name, err)
		}
		c.ID = p.Hash
		chains[i] = c
	}
	return chains, nil
}

// readSchema1 reads what a file of schema 1 says of its chains.
func (t *txn) readSchema1() (*schema1, error) {
	chains, err := t.chains1()
	if err != nil {
		return nil, err
	}
	s := &schema1{chains: chains}
	s.findOwn(t)
	if err := s.order(t); err != nil {
		return nil, err
	}
	return s, s.readSwept(t)
}

// findOwn chooses the chain that goes on: the last that was begun, since a place
// in a later chain counts as later. A station that has an earlier name again
// begins one more.
func (s *schema1) findOwn(t *txn) {
	for i, c := range s.chains {
		if !c.ID.IsZero() || c.Name == t.l.o.Station {
			s.own = max(s.own, i)
		}
	}
	again := slices.ContainsFunc(slices.Collect(maps.Keys(s.chains)), func(i uint16) bool {
		return i < s.own && s.chains[i].Name == t.l.o.Station
	})
	if s.own == 0 || again {
		s.own = uint16(len(s.chains) + 1)
		s.chains[s.own] = record.Chain{}
	}
}

// order finds an order in which the events of several chains may have happened:
// an event comes after those that it links to.
func (s *schema1) order(t *txn) error {
	var lines []*line1
	for _, i := range slices.Sorted(maps.Keys(s.chains)) {
		l := &line1{chain: i, cursor: t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()}
		k, b := l.cursor.Seek(record.EventKey(record.At(i, 0)))
		if err := l.take(t, k, b); err != nil {
			return err
		}
		lines = append(lines, l)
	}
	for {
		next := next1(lines)
		if next == nil {
			break
		}
		if n := len(s.runs); n > 0 && s.runs[n-1].chain == next.chain {
			s.runs[n-1].last = next.seq
		} else {
			s.runs = append(s.runs, run{next.chain, next.seq, next.seq})
		}
		next.done = next.seq
		k, b := next.cursor.Next()
		if err := next.take(t, k, b); err != nil {
			return err
		}
	}
	head, _, err := t.head(s.own)
	if err != nil {
		return err
	}
	if n := len(s.runs); n > 0 && s.runs[n-1].chain == s.own {
		s.runs[n-1].last = math.MaxUint64
	} else {
		s.runs = append(s.runs, run{s.own, head + 1, math.MaxUint64})
	}
	return nil
}

// line1 is a chain while its events are put in order.
type line1 struct {
	chain     uint16
	seq, done uint64 // of the next event, 0 at the end; of the last that is in order
	links     record.Links
	cursor    *bolt.Cursor
}

func (l *line1) take(t *txn, k, b []byte) error {
	at, ok := record.ParseEventKey(k)
	if l.seq = at.Seq; !ok || at.Chain != l.chain {
		l.seq = 0
		return nil
	}
	ev, err := record.Decode(b)
	if err != nil {
		return t.damaged("event %d: %v", at.Seq, err)
	}
	l.links = ev.Links
	return nil
}

// next1 returns the line whose next event links only to events that are in order
// already, or the first that goes on: what it links to may be lost.
func next1(lines []*line1) *line1 {
	was := func(r record.Ref) bool {
		i := slices.IndexFunc(lines, func(l *line1) bool { return l.chain == r.Chain })
		return r.Seq == 0 || i < 0 || lines[i].seq == 0 || lines[i].done >= r.Seq
	}
	var first *line1
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

// readSwept finds up to where retention has dealt with the events of all chains.
func (s *schema1) readSwept(t *txn) error {
	for _, r := range s.runs {
		b, err := t.get(record.TreeMeta, metaSwept1(s.chains[r.chain].Name))
		if err != nil {
			return err
		}
		if len(b) != 8 {
			return nil
		}
		seq := binary.BigEndian.Uint64(b)
		if seq < r.first {
			return nil
		}
		s.swept = record.At(r.chain, min(seq, r.last))
		if seq < r.last {
			return nil
		}
	}
	return nil
}

// applySchema2 writes what schema 2 has: rows of chains in place of stations', the
// station's name in each loan, and, where there are chains of earlier names, an
// event that closes them.
func (t *txn) applySchema2(s *schema1) error {
	for i, c := range s.chains {
		if err := errors.Join(t.delete(record.TreeMeta, metaStation(c.Name)), t.delete(record.TreeMeta, metaSwept1(c.Name)),
			t.putChain(i, c)); err != nil {
			return err
		}
	}
	if err := t.setOwn(s.own); err != nil {
		return err
	}
	if len(s.runs) > 1 {
		if err := t.setRuns(s.runs); err != nil {
			return err
		}
	}
	if s.swept.Seq != 0 {
		if err := t.setSwept(s.swept); err != nil {
			return err
		}
	}
	if err := t.labelLoans(s); err != nil {
		return err
	}
	if err := t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema)); err != nil {
		return err
	}
	return t.closeChains(s)
}

// labelLoans notes in each loan what the station was called when it began.
func (t *txn) labelLoans(s *schema1) error {
	rows := map[string]*record.Row{}
	err := t.eachRow(record.TreeDevices, func(id string, r *record.Row) error {
		if r.Loan.Since.Seq != 0 {
			r.Loan.Station = s.chains[r.Loan.Since.Chain].Name
			rows[id] = r
		}
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if err == nil {
			err = t.putRow(record.TreeDevices, id, rows[id])
		}
	}
	return err
}

// closeChains appends the event that names the heads of the chains of earlier
// names.
func (t *txn) closeChains(s *schema1) error {
	ev := record.Event{Event: checkout.Event{Kind: checkout.Migrate, Source: checkout.SourceSystem,
		Note: "the chains of earlier names of the station are closed"}}
	for _, i := range slices.Sorted(maps.Keys(s.chains)) {
		seq, hash, err := t.head(i)
		if err != nil {
			return err
		}
		if c := s.chains[i]; i != s.own && seq > 0 {
			ev.Closed = append(ev.Closed, checkout.Head{Station: c.Name, Chain: c.ID, Seq: seq, Hash: hash})
		}
	}
	if len(ev.Closed) == 0 {
		return nil
	}
	return t.append(&ev, nil, nil)
}
