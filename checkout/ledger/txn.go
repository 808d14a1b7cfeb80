package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/internal/clock"
)

// txn is a transaction with the ledger's own types. It returns copies, never slices
// of the mapped file.
//
// An error ends the transaction, and nothing is written. The methods of txn therefore
// don't return errors: they call fail, and view or update returns the error.
type txn struct {
	l        *Ledger
	tx       *bolt.Tx
	chained  map[uint16]record.Chain // see chains; nil: not read yet
	further  map[string][]party      // see furtherBadges; nil: not read yet
	people   map[string]string       // see isNow
	unsaid   map[party]bool          // rows that were changed, see saveSaid
	newest   record.Newest           // event that was appended
	together *together               // nil: each event by itself
	seen     int                     // rows and events
	goesOn   bool                    // see giveWay
	ends     time.Time               // of the loan that begins; zero: by its length
	back     []string                // devices that have come back, and
	left     []party                 // who and what has left the register; see settleBookings
}

// abort is how fail ends a transaction.
type abort struct{ err error }

// fail ends the transaction with an error.
func (t *txn) fail(err error) { panic(abort{err}) }

// must ends the transaction if err is not nil; with a *DamagedError if a row was damaged.
func (t *txn) must(err error) {
	if errors.Is(err, record.ErrNotRow) {
		t.damaged("%v", err)
	}
	if err != nil {
		t.fail(err)
	}
}

// failf ends the transaction with an error as from fmt.Errorf.
func (t *txn) failf(format string, a ...any) { t.fail(fmt.Errorf(format, a...)) }

// damaged ends the transaction with a *DamagedError.
func (t *txn) damaged(format string, a ...any) { t.fail(t.damage(format, a...)) }

// mustRead ends the transaction with a *DamagedError if err, which says what is damaged, is
// not nil.
func (t *txn) mustRead(err error) {
	if err != nil {
		t.damaged("%v", err)
	}
}

func (t *txn) damage(format string, a ...any) error {
	return boltfile.Damaged(t.l.path, fmt.Sprintf(format, a...))
}

// try calls f and returns the error with which it failed.
func (t *txn) try(f func(*txn)) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case abort:
			err = r.err
		default:
			panic(r)
		}
	}()
	f(t)
	return nil
}

// yieldRows is after how many rows, half a millisecond, a reader lets a bump go first.
const yieldRows = 64

// giveWay is called for each row that is read. Who has given way in vain reads on, since the
// bump may wait for the end of it. In simulated time nobody else has less of the processor,
// and that time stands still while a bump waits so.
func (t *txn) giveWay() {
	if t.seen++; t.seen%yieldRows == 0 && !t.tx.Writable() && !t.goesOn && clock.Simulated == nil {
		t.goesOn = !t.l.writing.GiveWay()
	}
}

func (t *txn) bucket(tr record.Tree) *bolt.Bucket { return t.tx.Bucket(tr.Bucket()) }

// get returns the body of a row, or nil if there is no such row.
func (t *txn) get(tr record.Tree, key []byte) []byte {
	b := t.bucket(tr).Get(key)
	if b == nil {
		return nil
	}
	return bytes.Clone(t.open(tr, key, b))
}

// open checks that a row lies in its place. The body points into the file.
func (t *txn) open(tr record.Tree, key, b []byte) []byte {
	t.giveWay()
	body, err := record.OpenAt(tr, key, b)
	t.mustRead(err)
	return body
}

// put writes a row. A body of more than record.MaxSize bytes ends the transaction.
func (t *txn) put(tr record.Tree, key, body []byte) {
	if len(body) > record.MaxSize {
		t.failf("the row %q of %s is too long: %d bytes of at most %d", key, tr, len(body), record.MaxSize)
	}
	v := record.Envelope{Tree: tr, Rev: uint64(t.tx.ID()), Key: key, Body: body}
	t.must(t.bucket(tr).Put(key, v.Seal()))
}

func (t *txn) delete(tr record.Tree, key []byte) { t.must(t.bucket(tr).Delete(key)) }

// each calls f with every row whose key starts with prefix, sorted by key. The slices
// are valid during the call. f must not write to the tree.
func (t *txn) each(tr record.Tree, prefix []byte, f func(key, body []byte)) {
	c := t.bucket(tr).Cursor()
	for k, b := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, b = c.Next() {
		f(k, t.open(tr, k, b))
	}
}

// row returns a person or device, or nil if there is no such row.
func (t *txn) row(tr record.Tree, id string) *record.Row { return t.look(tr, id).Own() }

// look is row for who changes nothing of it.
func (t *txn) look(tr record.Tree, id string) *record.Row {
	if id == "" {
		return nil
	}
	if t.together != nil && tr == record.TreePeople && t.together.people[id] != nil {
		return t.together.people[id]
	}
	if b := t.bucket(tr).Get([]byte(id)); b != nil {
		return t.readRow(tr, id, t.open(tr, []byte(id), b))
	}
	return nil
}

// decodeRow returns the row of a body.
func (t *txn) decodeRow(tr record.Tree, id string, body []byte) *record.Row {
	return t.readRow(tr, id, body).Own()
}

// readRow is decodeRow for who changes nothing of it.
func (t *txn) readRow(tr record.Tree, id string, body []byte) *record.Row {
	r, err := record.ReadRow(body)
	if err != nil {
		t.damaged("%s %q: %v", tr, id, err)
	}
	return r
}

func (t *txn) putRow(tr record.Tree, id string, r *record.Row) {
	if tr == record.TreeDevices {
		t.l.ofKind.Note(r.Kind, id)
		t.l.held.Note(r.Loan.Holder, id)
	} else if t.together != nil {
		t.together.people[id] = r
		return
	}
	t.put(tr, []byte(id), record.PackRow(r))
}

// eachRow calls f with every person or device, pending ones first.
func (t *txn) eachRow(tr record.Tree, f func(id string, r *record.Row)) {
	t.each(tr, nil, func(k, v []byte) { f(string(k), t.decodeRow(tr, string(k), v)) })
}

// rowsWhere returns the people or devices for which want is true.
func (t *txn) rowsWhere(tr record.Tree, want func(id string, r *record.Row) bool) (all []party) {
	t.eachRow(tr, func(id string, r *record.Row) {
		if want(id, r) {
			all = append(all, party{tr, id, r})
		}
	})
	return all
}

// event returns the event at r.
func (t *txn) event(r record.Ref) record.Event {
	b := t.bucket(record.TreeEvents).Get(record.EventKey(r))
	if b == nil {
		t.damaged("event %d of chain %d is missing", r.Seq, r.Chain)
	}
	ev, err := t.decode(r, b)
	t.must(err)
	return ev
}

// decode reads the record b, which lies at r.
func (t *txn) decode(r record.Ref, b []byte) (record.Event, error) {
	t.giveWay()
	ev, err := record.Decode(b)
	if err != nil {
		return ev, t.damage("event %d: %v", r.Seq, err)
	}
	c := t.chain(r.Chain)
	mine := ev.Chain == c.ID
	if ev.Version == 1 {
		mine, ev.Chain = ev.Station == c.Name, c.ID
	}
	if ev.Seq != r.Seq || !mine {
		return ev, t.damage("event %d of station %q lies in the place of event %d of chain %d", ev.Seq, ev.Station, r.Seq, r.Chain)
	}
	return ev, nil
}

// putEvent writes a record at its place. Events are only appended, so pages are filled
// completely.
func (t *txn) putEvent(r record.Ref, raw []byte) {
	b := t.bucket(record.TreeEvents)
	b.FillPercent = 1
	t.must(b.Put(record.EventKey(r), raw))
}

// head returns the sequence number and hash of a chain's newest event.
func (t *txn) head(chain uint16) (seq uint64, hash checkout.Hash) {
	if t.together != nil && chain == t.l.own && t.newest.Seq != 0 {
		return t.newest.Seq, t.newest.Hash
	}
	seq, hash, ok := record.ParseHead(t.get(record.TreeMeta, record.MetaHead(chain)))
	if !ok {
		t.damaged("the head of chain %d", chain)
	}
	return seq, hash
}

func (t *txn) setHead(chain uint16, seq uint64, hash checkout.Hash) {
	t.put(record.TreeMeta, record.MetaHead(chain), record.PackHead(seq, hash))
}
