package ledger

import (
	"encoding/binary"
	"math"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// A ledger continues one chain, whatever the station's name is. A file that was begun
// before schema 2 may hold more, since each name of the station had its own chain. The
// migration closed those.

// chains returns the chains of the file by index.
func (t *txn) chains() map[uint16]record.Chain {
	if t.l.old != nil {
		return t.l.old.Chains
	}
	if t.chained == nil {
		all := map[uint16]record.Chain{}
		prefix := []byte("chain/")
		t.each(record.TreeMeta, prefix, func(k, v []byte) {
			c, err := record.Unpack(record.ChainForm, v)
			if err != nil || len(k) != len(prefix)+2 {
				t.damaged("the row %q of a chain", k)
			}
			all[binary.BigEndian.Uint16(k[len(prefix):])] = c
		})
		t.chained = all
	}
	return t.chained
}

// chain returns a chain of the file.
func (t *txn) chain(index uint16) record.Chain {
	c, ok := t.chains()[index]
	if !ok {
		t.damaged("chain %d is not in the file", index)
	}
	return c
}

func (t *txn) putChain(index uint16, c record.Chain) {
	t.chained = nil
	t.put(record.TreeMeta, record.MetaChain(index), record.Pack(record.ChainForm(&c)))
}

// readOwn returns the index of the chain that is continued.
func (t *txn) readOwn() uint16 {
	if t.l.old != nil {
		return t.l.old.Own
	}
	b := t.get(record.TreeMeta, record.MetaOwn)
	if len(b) != 2 {
		t.damaged("the file does not say which chain is its own")
	}
	own := binary.BigEndian.Uint16(b)
	t.chain(own)
	return own
}

func (t *txn) setOwn(index uint16) {
	t.put(record.TreeMeta, record.MetaOwn, binary.BigEndian.AppendUint16(nil, index))
}

// runs returns all events in the order in which they happened. The last run is that of
// the own chain and has no end.
func (t *txn) runs() []record.Run {
	if t.l.old != nil {
		return t.l.old.Runs
	}
	b := t.get(record.TreeMeta, record.MetaOrder)
	if b == nil {
		return []record.Run{{Chain: t.l.own, First: 1, Last: math.MaxUint64}}
	}
	all, ok := record.ParseRuns(b)
	if !ok {
		t.damaged("the order of the chains")
	}
	return all
}

func (t *txn) setRuns(all []record.Run) {
	t.put(record.TreeMeta, record.MetaOrder, record.AppendRuns(nil, all))
}

// events calls f with every event after a place, in the order in which they happened,
// until f returns false. The zero place is before the first event.
func (t *txn) events(after record.Ref, f func(at record.Ref, raw []byte) bool) {
	begun := after.Seq == 0
	for _, r := range t.runs() {
		first := r.First
		if !begun {
			if r.Chain != after.Chain || after.Seq < r.First || after.Seq > r.Last {
				continue
			}
			begun, first = true, after.Seq+1
		}
		c := t.bucket(record.TreeEvents).Cursor()
		for k, b := c.Seek(record.EventKey(record.At(r.Chain, first))); k != nil; k, b = c.Next() {
			at := t.eventKey(k)
			if at.Chain != r.Chain || at.Seq > r.Last {
				break
			}
			if !f(at, b) {
				return
			}
		}
	}
}

func (t *txn) eventKey(k []byte) record.Ref {
	at, ok := record.ParseEventKey(k)
	if !ok {
		t.damaged("a key of %d bytes among the events", len(k))
	}
	return at
}

// place returns the place of an event in the lab; the zero Ref gives the zero Place.
func (t *txn) place(r record.Ref) checkout.Place {
	if r.Seq == 0 {
		return checkout.Place{}
	}
	if r.Chain >= record.ForeignChain {
		return checkout.Place{Chain: t.foreign(r.Chain), Seq: r.Seq}
	}
	return checkout.Place{Chain: t.chain(r.Chain).ID, Seq: r.Seq}
}
