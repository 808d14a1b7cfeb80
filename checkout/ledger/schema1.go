package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Schema 1 had a row "station/NAME" and a chain for each name of the station. Only the
// links of events gave an order between the chains.

// schema1 holds the chains of a file of schema 1, in the terms of schema 2.
type schema1 struct {
	chains map[uint16]record.Chain
	own    uint16
	runs   []record.Run
	swept  record.Ref
}

func metaSwept1(name string) []byte { return append([]byte("swept/"), name...) }

// chains1 returns the chains of a file of schema 1.
func (t *txn) chains1() map[uint16]record.Chain {
	chains := map[uint16]record.Chain{}
	t.each(record.TreeMeta, record.MetaStation(""), func(k, v []byte) {
		if len(v) != 2 {
			t.damaged("the row %q of a station", k)
		}
		chains[binary.BigEndian.Uint16(v)] = record.Chain{Name: string(bytes.TrimPrefix(k, record.MetaStation("")))}
	})
	for i, c := range chains {
		k, b := t.bucket(record.TreeEvents).Cursor().Seek(record.EventKey(record.At(i, 0)))
		if at, ok := record.ParseEventKey(k); !ok || at.Chain != i {
			continue
		}
		p, err := record.Split(b)
		if err != nil {
			t.damaged("the first event of station %q: %v", c.Name, err)
		}
		c.ID = p.Hash
		chains[i] = c
	}
	return chains
}

// readSchema1 reads the chains of a file of schema 1.
func (t *txn) readSchema1() *schema1 {
	s := &schema1{chains: t.chains1()}
	s.findOwn(t.l.o.Station)
	s.order(t)
	s.readSwept(t)
	return s
}

// findOwn chooses the chain to continue: the one begun last, because a place in a later
// chain counts as later. If the station has gone back to an earlier name, it begins
// another chain.
func (s *schema1) findOwn(station string) {
	for i, c := range s.chains {
		if !c.ID.IsZero() || c.Name == station {
			s.own = max(s.own, i)
		}
	}
	again := false
	for i, c := range s.chains {
		again = again || i < s.own && c.Name == station
	}
	if s.own == 0 || again {
		s.own = uint16(len(s.chains) + 1)
		s.chains[s.own] = record.Chain{}
	}
}

// order finds an order in which the events of several chains may have happened:
// an event comes after those that it links to.
func (s *schema1) order(t *txn) {
	var lines []*line1
	for _, i := range slices.Sorted(maps.Keys(s.chains)) {
		l := &line1{chain: i, cursor: t.bucket(record.TreeEvents).Cursor()}
		l.take(t)(l.cursor.Seek(record.EventKey(record.At(i, 0))))
		lines = append(lines, l)
	}
	for next := next1(lines); next != nil; next = next1(lines) {
		if n := len(s.runs); n > 0 && s.runs[n-1].Chain == next.chain {
			s.runs[n-1].Last = next.seq
		} else {
			s.runs = append(s.runs, record.Run{Chain: next.chain, First: next.seq, Last: next.seq})
		}
		next.done = next.seq
		next.take(t)(next.cursor.Next())
	}
	head, _ := t.head(s.own)
	if n := len(s.runs); n > 0 && s.runs[n-1].Chain == s.own {
		s.runs[n-1].Last = math.MaxUint64
	} else {
		s.runs = append(s.runs, record.Run{Chain: s.own, First: head + 1, Last: math.MaxUint64})
	}
}

// line1 is a chain whose events are being ordered.
type line1 struct {
	chain     uint16
	seq, done uint64 // of the next event, 0 at the end; of the last one ordered
	links     record.Links
	cursor    *bolt.Cursor
}

// take returns a function that takes the next key and record.
func (l *line1) take(t *txn) func(k, b []byte) {
	return func(k, b []byte) {
		at, ok := record.ParseEventKey(k)
		if l.seq = at.Seq; !ok || at.Chain != l.chain {
			l.seq = 0
			return
		}
		ev, err := record.Decode(b)
		if err != nil {
			t.damaged("event %d: %v", at.Seq, err)
		}
		l.links = ev.Links
	}
}

// next1 returns a line whose next event links only to events that are ordered already.
// If there is none, because an event is lost, it returns the first line with an event.
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

// readSwept finds how far retention has come over all chains.
func (s *schema1) readSwept(t *txn) {
	for _, r := range s.runs {
		b := t.get(record.TreeMeta, metaSwept1(s.chains[r.Chain].Name))
		if len(b) != 8 {
			return
		}
		seq := binary.BigEndian.Uint64(b)
		if seq >= r.First {
			s.swept = record.At(r.Chain, min(seq, r.Last))
		}
		if seq < r.Last {
			return
		}
	}
}

// applySchema2 replaces the rows of stations by rows of chains, writes the station's name
// into each loan, and appends an event that closes the chains of earlier names.
func (t *txn) applySchema2(s *schema1) {
	for i, c := range s.chains {
		t.delete(record.TreeMeta, record.MetaStation(c.Name))
		t.delete(record.TreeMeta, metaSwept1(c.Name))
		t.putChain(i, c)
	}
	t.setOwn(s.own)
	if len(s.runs) > 1 {
		t.setRuns(s.runs)
	}
	if s.swept.Seq != 0 {
		t.setSwept(s.swept)
	}
	for _, d := range t.rowsWhere(record.TreeDevices, func(_ string, r *record.Row) bool { return r.Loan.Since.Seq != 0 }) {
		d.row.Loan.Station = s.chains[d.row.Loan.Since.Chain].Name
		t.save(d)
	}
	t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema))
	ev := record.Event{Event: checkout.Event{Kind: checkout.Migrate, Source: checkout.SourceSystem,
		Note: "the chains of earlier names of the station are closed"}}
	for _, i := range slices.Sorted(maps.Keys(s.chains)) {
		if seq, hash := t.head(i); i != s.own && seq > 0 {
			ev.Closed = append(ev.Closed, checkout.Head{Station: s.chains[i].Name, Chain: s.chains[i].ID, Seq: seq, Hash: hash})
		}
	}
	if len(ev.Closed) > 0 {
		t.append(&ev, nobody, nobody)
	}
}
