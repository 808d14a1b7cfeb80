package ledger

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// A ledger has one chain of its own, which it continues whatever the station is
// called. A file from before schema 2 may hold more: it began a chain for every
// name that the station had. The migration closed those.

var (
	metaOwn   = []byte("own")   // index of the chain that goes on
	metaOrder = []byte("order") // of the runs of several chains; absent where there is one
)

func metaChain(index uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("chain/"), index)
}

func metaHead(index uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("head/"), index)
}

// chains returns the chains of the file by index.
func (t *txn) chains() (map[uint16]record.Chain, error) {
	if t.l.old != nil {
		return t.l.old.chains, nil
	}
	if t.chained != nil {
		return t.chained, nil
	}
	all := map[uint16]record.Chain{}
	prefix := []byte("chain/")
	err := t.each(record.TreeMeta, prefix, func(k, v []byte) error {
		c, err := record.ChainForm.Decode(v)
		if err != nil || len(k) != len(prefix)+2 {
			return t.damaged("the row %q of a chain", k)
		}
		all[binary.BigEndian.Uint16(k[len(prefix):])] = c
		return nil
	})
	if err == nil {
		t.chained = all
	}
	return all, err
}

// chain returns a chain of the file.
func (t *txn) chain(index uint16) (record.Chain, error) {
	all, err := t.chains()
	if err != nil {
		return record.Chain{}, err
	}
	c, ok := all[index]
	if !ok {
		return c, t.damaged("an event is in chain %d, which is not in the file", index)
	}
	return c, nil
}

func (t *txn) putChain(index uint16, c record.Chain) error {
	t.chained = nil
	return t.put(record.TreeMeta, metaChain(index), record.ChainForm.Encode(&c))
}

// readOwn returns the index of the chain that goes on.
func (t *txn) readOwn() (uint16, error) {
	if t.l.old != nil {
		return t.l.old.own, nil
	}
	b, err := t.get(record.TreeMeta, metaOwn)
	if err != nil {
		return 0, err
	}
	if len(b) != 2 {
		return 0, t.damaged("the file does not say which chain is its own")
	}
	own := binary.BigEndian.Uint16(b)
	_, err = t.chain(own)
	return own, err
}

func (t *txn) setOwn(index uint16) error {
	return t.put(record.TreeMeta, metaOwn, binary.BigEndian.AppendUint16(nil, index))
}

// run is a run of events of one chain.
type run struct {
	chain       uint16
	first, last uint64
}

// runs returns all events in the order in which they happened. The last run is
// that of the own chain and has no end.
func (t *txn) runs() ([]run, error) {
	if t.l.old != nil {
		return t.l.old.runs, nil
	}
	b, err := t.get(record.TreeMeta, metaOrder)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return []run{{t.l.own, 1, math.MaxUint64}}, nil
	}
	all, ok := parseRuns(b)
	if !ok {
		return nil, t.damaged("the order of the chains")
	}
	return all, nil
}

func parseRuns(b []byte) (all []run, ok bool) {
	for ; len(b) >= 18; b = b[18:] {
		be := binary.BigEndian
		all = append(all, run{be.Uint16(b), be.Uint64(b[2:]), be.Uint64(b[10:])})
	}
	return all, len(b) == 0 && len(all) > 0
}

func (t *txn) setRuns(all []run) error {
	var b []byte
	for _, r := range all {
		b = binary.BigEndian.AppendUint16(b, r.chain)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.first), r.last)
	}
	return t.put(record.TreeMeta, metaOrder, b)
}

// events calls f with every event from the place after in the order in which
// they happened, until f returns false; the zero place is before the first. The
// event is set where the record could be read, else the error says why.
func (t *txn) events(after record.Ref, f func(at record.Ref, raw []byte) (bool, error)) error {
	runs, err := t.runs()
	if err != nil {
		return err
	}
	begun := after.Seq == 0
	c := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
	for _, r := range runs {
		first := r.first
		if !begun {
			if r.chain != after.Chain || after.Seq < r.first || after.Seq > r.last {
				continue
			}
			begun, first = true, after.Seq+1
		}
		for k, b := c.Seek(record.EventKey(record.At(r.chain, first))); k != nil; k, b = c.Next() {
			at, ok := record.ParseEventKey(k)
			if !ok {
				return t.damaged("a key of %d bytes among the events", len(k))
			}
			if at.Chain != r.chain || at.Seq > r.last {
				break
			}
			if more, err := f(at, b); !more || err != nil {
				return err
			}
		}
	}
	return nil
}

// sortedChains are the indexes of the chains in the file.
func (t *txn) sortedChains() ([]uint16, error) {
	all, err := t.chains()
	return slices.Sorted(maps.Keys(all)), err
}

// place is where an event is in the lab; the zero place for no event.
func (t *txn) place(r record.Ref) (checkout.Place, error) {
	if r.Seq == 0 {
		return checkout.Place{}, nil
	}
	c, err := t.chain(r.Chain)
	return checkout.Place{Chain: c.ID, Seq: r.Seq}, err
}
