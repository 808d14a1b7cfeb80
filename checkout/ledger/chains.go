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

var (
	metaOwn   = []byte("own")   // index of the chain that is continued
	metaOrder = []byte("order") // of the runs of several chains; absent where there is one
)

func metaChain(index uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("chain/"), index)
}

func metaHead(index uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("head/"), index)
}

// chains returns the chains of the file by index.
func (t *txn) chains() map[uint16]record.Chain {
	if t.l.old != nil {
		return t.l.old.chains
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
	t.put(record.TreeMeta, metaChain(index), record.Pack(record.ChainForm(&c)))
}

// readOwn returns the index of the chain that is continued.
func (t *txn) readOwn() uint16 {
	if t.l.old != nil {
		return t.l.old.own
	}
	b := t.get(record.TreeMeta, metaOwn)
	if len(b) != 2 {
		t.damaged("the file does not say which chain is its own")
	}
	own := binary.BigEndian.Uint16(b)
	t.chain(own)
	return own
}

func (t *txn) setOwn(index uint16) {
	t.put(record.TreeMeta, metaOwn, binary.BigEndian.AppendUint16(nil, index))
}

// run is a sequence of events of one chain.
type run struct {
	chain       uint16
	first, last uint64
}

// runs returns all events in the order in which they happened. The last run is that of
// the own chain and has no end.
func (t *txn) runs() []run {
	if t.l.old != nil {
		return t.l.old.runs
	}
	b := t.get(record.TreeMeta, metaOrder)
	if b == nil {
		return []run{{t.l.own, 1, math.MaxUint64}}
	}
	all, ok := parseRuns(b)
	if !ok {
		t.damaged("the order of the chains")
	}
	return all
}

func parseRuns(b []byte) (all []run, ok bool) {
	for ; len(b) >= 18; b = b[18:] {
		be := binary.BigEndian
		all = append(all, run{be.Uint16(b), be.Uint64(b[2:]), be.Uint64(b[10:])})
	}
	return all, len(b) == 0 && len(all) > 0
}

func (t *txn) setRuns(all []run) {
	var b []byte
	for _, r := range all {
		b = binary.BigEndian.AppendUint16(b, r.chain)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.first), r.last)
	}
	t.put(record.TreeMeta, metaOrder, b)
}

// events calls f with every event after a place, in the order in which they happened,
// until f returns false. The zero place is before the first event.
func (t *txn) events(after record.Ref, f func(at record.Ref, raw []byte) bool) {
	begun := after.Seq == 0
	for _, r := range t.runs() {
		first := r.first
		if !begun {
			if r.chain != after.Chain || after.Seq < r.first || after.Seq > r.last {
				continue
			}
			begun, first = true, after.Seq+1
		}
		c := t.bucket(record.TreeEvents).Cursor()
		for k, b := c.Seek(record.EventKey(record.At(r.chain, first))); k != nil; k, b = c.Next() {
			at := t.eventKey(k)
			if at.Chain != r.chain || at.Seq > r.last {
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
	return checkout.Place{Chain: t.chain(r.Chain).ID, Seq: r.Seq}
}
