package ledger

import (
	"encoding/binary"
	"maps"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/oldchains"
	"stump/checkout/ledger/record"
)

// chains1 returns the chains of a file of schema 1.
func (t *txn) chains1() map[uint16]record.Chain {
	chains, err := oldchains.Chains(t.tx)
	t.mustRead(err)
	return chains
}

// readSchema1 reads a file of schema 1.
func (t *txn) readSchema1() *oldchains.File {
	s, err := oldchains.Read(t.tx, t.l.o.Station)
	t.mustRead(err)
	return s
}

// applySchema2 replaces the rows of stations by rows of chains, writes the station's name
// into each loan, and appends an event that closes the chains of earlier names.
func (t *txn) applySchema2(s *oldchains.File) {
	for i, c := range s.Chains {
		t.delete(record.TreeMeta, record.MetaStation(c.Name))
		t.delete(record.TreeMeta, oldchains.MetaSwept(c.Name))
		t.putChain(i, c)
	}
	t.setOwn(s.Own)
	if len(s.Runs) > 1 {
		t.setRuns(s.Runs)
	}
	if s.Swept.Seq != 0 {
		t.setSwept(s.Swept)
	}
	for _, d := range t.rowsWhere(record.TreeDevices, func(_ string, r *record.Row) bool { return r.Loan.Since.Seq != 0 }) {
		d.row.Loan.Station = s.Chains[d.row.Loan.Since.Chain].Name
		t.save(d)
	}
	t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema))
	ev := record.Event{Event: checkout.Event{Kind: checkout.Migrate, Source: checkout.SourceSystem,
		Note: "the chains of earlier names of the station are closed"}}
	for _, i := range slices.Sorted(maps.Keys(s.Chains)) {
		if seq, hash := t.head(i); i != s.Own && seq > 0 {
			ev.Closed = append(ev.Closed, checkout.Head{Station: s.Chains[i].Name, Chain: s.Chains[i].ID, Seq: seq, Hash: hash})
		}
	}
	if len(ev.Closed) > 0 {
		t.append(&ev, nobody, nobody)
	}
}
