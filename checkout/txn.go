package checkout

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// txn is a transaction with the ledger's own types. What it returns is copied
// out of the mapped file.
type txn struct {
	l  *Ledger
	tx *bolt.Tx
}

func (t *txn) damaged(format string, a ...any) error {
	return damagedAt(t.l.path, fmt.Sprintf(format, a...))
}

// get returns the body of a row, nil when there is none.
func (t *txn) get(tr tree, key []byte) ([]byte, error) {
	b := t.tx.Bucket(tr.bucket()).Get(key)
	if b == nil {
		return nil, nil
	}
	v, err := t.open(tr, key, b)
	return bytes.Clone(v), err
}

// open checks a row against its place; the body points into the file.
func (t *txn) open(tr tree, key, b []byte) ([]byte, error) {
	v, err := openRow(b)
	if err != nil || v.tree != tr || !bytes.Equal(v.key, key) || v.size != len(b) {
		return nil, t.damaged("the row %q of %s: %v", key, tr, errNotRow)
	}
	if v.body == nil {
		v.body = []byte{}
	}
	return v.body, nil
}

// put writes a row, unless it is too long to be read again.
func (t *txn) put(tr tree, key, body []byte) error {
	if len(body) > maxEvent {
		return fmt.Errorf("the row %q of %s is too long: %d bytes of at most %d", key, tr, len(body), maxEvent)
	}
	v := envelope{tree: tr, rev: uint64(t.tx.ID()), key: key, body: body}
	return t.tx.Bucket(tr.bucket()).Put(key, v.seal())
}

func (t *txn) delete(tr tree, key []byte) error {
	return t.tx.Bucket(tr.bucket()).Delete(key)
}

// each calls f with every row whose key starts with prefix, in the order of
// keys. The slices are valid during the call. f must not write to the tree.
func (t *txn) each(tr tree, prefix []byte, f func(key, body []byte) error) error {
	c := t.tx.Bucket(tr.bucket()).Cursor()
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
func (t *txn) row(tr tree, id string) (*row, error) {
	if id == "" {
		return nil, nil
	}
	b, err := t.get(tr, []byte(id))
	if b == nil || err != nil {
		return nil, err
	}
	r, err := decodeRow(b)
	if err != nil {
		return nil, t.damaged("%s %q: %v", tr, id, err)
	}
	return r, nil
}

func (t *txn) putRow(tr tree, id string, r *row) error {
	if r.group != "" && !t.l.kits[r.group] {
		t.l.kits = nil // a new group
	}
	return t.put(tr, []byte(id), r.encode())
}

// eachRow calls f with every person or device, pending ones first.
func (t *txn) eachRow(tr tree, f func(id string, r *row) error) error {
	return t.each(tr, nil, func(k, v []byte) error {
		r, err := decodeRow(v)
		if err != nil {
			return t.damaged("%s %q: %v", tr, k, err)
		}
		return f(string(k), r)
	})
}

// event returns the event at r.
func (t *txn) event(r ref) (stored, error) {
	b := t.tx.Bucket(treeEvents.bucket()).Get(eventKey(r))
	if b == nil {
		return stored{}, t.damaged("event %d of station %q is missing", r.seq, t.l.names[r.station])
	}
	return t.decode(r, b)
}

// decode reads the record b, which lies at r.
func (t *txn) decode(r ref, b []byte) (stored, error) {
	ev, err := decodeEvent(b)
	if err != nil {
		return ev, t.damaged("event %d: %v", r.seq, err)
	}
	if ev.Seq != r.seq || ev.Station != t.l.names[r.station] {
		return ev, t.damaged("event %d of station %q lies in the place of %d of %q", ev.Seq, ev.Station, r.seq, t.l.names[r.station])
	}
	return ev, nil
}

// putEvent writes a record at its place. Leaves are filled to the brim, since
// events only ever come behind the last.
func (t *txn) putEvent(r ref, record []byte) error {
	b := t.tx.Bucket(treeEvents.bucket())
	b.FillPercent = 1
	return b.Put(eventKey(r), record)
}

// head returns the sequence number and hash of a station's newest event.
func (t *txn) head(station uint16) (seq uint64, hash Hash, err error) {
	b, err := t.get(treeMeta, metaHead(station))
	if b == nil || err != nil {
		return 0, hash, err
	}
	if len(b) != 8+hashLen {
		return 0, hash, t.damaged("the head of station %d", station)
	}
	return binary.BigEndian.Uint64(b), Hash(b[8:]), nil
}

func (t *txn) setHead(station uint16, seq uint64, hash Hash) error {
	return t.put(treeMeta, metaHead(station), append(binary.BigEndian.AppendUint64(nil, seq), hash[:]...))
}
