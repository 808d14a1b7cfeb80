package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

// txn is a transaction with the ledger's own types. What it returns is copied
// out of the mapped file.
type txn struct {
	l       *Ledger
	tx      *bolt.Tx
	chained map[uint16]record.Chain // see chains; nil: not read yet
}

func (t *txn) damaged(format string, a ...any) error {
	return boltfile.Damaged(t.l.path, fmt.Sprintf(format, a...))
}

// get returns the body of a row, nil when there is none.
func (t *txn) get(tr record.Tree, key []byte) ([]byte, error) {
	b := t.tx.Bucket(tr.Bucket()).Get(key)
	if b == nil {
		return nil, nil
	}
	v, err := t.open(tr, key, b)
	return bytes.Clone(v), err
}

// open checks a row against its place; the body points into the file.
func (t *txn) open(tr record.Tree, key, b []byte) ([]byte, error) {
	v, err := record.Open(b)
	if err != nil || v.Tree != tr || !bytes.Equal(v.Key, key) || v.Size != len(b) {
		return nil, t.damaged("the row %q of %s: %v", key, tr, record.ErrNotRow)
	}
	if v.Body == nil {
		v.Body = []byte{}
	}
	return v.Body, nil
}

// put writes a row, unless it is too long to be read again.
func (t *txn) put(tr record.Tree, key, body []byte) error {
	if len(body) > record.MaxSize {
		return fmt.Errorf("the row %q of %s is too long: %d bytes of at most %d", key, tr, len(body), record.MaxSize)
	}
	v := record.Envelope{Tree: tr, Rev: uint64(t.tx.ID()), Key: key, Body: body}
	return t.tx.Bucket(tr.Bucket()).Put(key, v.Seal())
}

func (t *txn) delete(tr record.Tree, key []byte) error {
	return t.tx.Bucket(tr.Bucket()).Delete(key)
}

// each calls f with every row whose key starts with prefix, in the order of
// keys. The slices are valid during the call. f must not write to the tree.
func (t *txn) each(tr record.Tree, prefix []byte, f func(key, body []byte) error) error {
	c := t.tx.Bucket(tr.Bucket()).Cursor()
	for k, b := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, b = c.Next() {
		v, err := t.open(tr, k, b)
		if err != nil {
			return err
		}
		if err := f(k, v); err != nil {
			return err
		}
	}
	return nil
}

// row returns a person or device, nil when there is none.
func (t *txn) row(tr record.Tree, id string) (*record.Row, error) {
	if id == "" {
		return nil, nil
	}
	b, err := t.get(tr, []byte(id))
	if b == nil || err != nil {
		return nil, err
	}
	r, err := record.DecodeRow(b)
	if err != nil {
		return nil, t.damaged("%s %q: %v", tr, id, err)
	}
	return r, nil
}

func (t *txn) putRow(tr record.Tree, id string, r *record.Row) error {
	if r.Group != "" && !t.l.kits[r.Group] {
		t.l.kits = nil // a new group
	}
	return t.put(tr, []byte(id), r.Encode())
}

// eachRow calls f with every person or device, pending ones first.
func (t *txn) eachRow(tr record.Tree, f func(id string, r *record.Row) error) error {
	return t.each(tr, nil, func(k, v []byte) error {
		r, err := record.DecodeRow(v)
		if err != nil {
			return t.damaged("%s %q: %v", tr, k, err)
		}
		return f(string(k), r)
	})
}

// event returns the event at r.
func (t *txn) event(r record.Ref) (record.Event, error) {
	b := t.tx.Bucket(record.TreeEvents.Bucket()).Get(record.EventKey(r))
	if b == nil {
		return record.Event{}, t.damaged("event %d of chain %d is missing", r.Seq, r.Chain)
	}
	return t.decode(r, b)
}

// decode reads the record b, which lies at r.
func (t *txn) decode(r record.Ref, b []byte) (record.Event, error) {
	ev, err := record.Decode(b)
	if err != nil {
		return ev, t.damaged("event %d: %v", r.Seq, err)
	}
	c, err := t.chain(r.Chain)
	if err != nil {
		return ev, err
	}
	mine := ev.Chain == c.ID
	if ev.Version == 1 {
		mine, ev.Chain = ev.Station == c.Name, c.ID
	}
	if ev.Seq != r.Seq || !mine {
		return ev, t.damaged("event %d of station %q lies in the place of event %d of chain %d", ev.Seq, ev.Station, r.Seq, r.Chain)
	}
	return ev, nil
}

// putEvent writes a record at its place. Leaves are filled to the brim, since
// events only ever come behind the last.
func (t *txn) putEvent(r record.Ref, raw []byte) error {
	b := t.tx.Bucket(record.TreeEvents.Bucket())
	b.FillPercent = 1
	return b.Put(record.EventKey(r), raw)
}

// head returns the sequence number and hash of a chain's newest event.
func (t *txn) head(chain uint16) (seq uint64, hash checkout.Hash, err error) {
	b, err := t.get(record.TreeMeta, metaHead(chain))
	if b == nil || err != nil {
		return 0, hash, err
	}
	if len(b) != 8+record.HashLen {
		return 0, hash, t.damaged("the head of chain %d", chain)
	}
	return binary.BigEndian.Uint64(b), checkout.Hash(b[8:]), nil
}

func (t *txn) setHead(chain uint16, seq uint64, hash checkout.Hash) error {
	return t.put(record.TreeMeta, metaHead(chain), append(binary.BigEndian.AppendUint64(nil, seq), hash[:]...))
}
