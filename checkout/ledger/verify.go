package ledger

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"stump/checkout/ledger/audit"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/kits"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
	"stump/internal/count"
)

// VerifyOptions say how to verify a ledger.
type VerifyOptions struct {
	// Progress, if not nil, is called from time to time with the number of events checked
	// and of all events.
	Progress func(done, total uint64)
	// Check runs bbolt's own check on the file at path: in another process, which calls
	// CheckFile, since bbolt may panic in its own goroutine. Nil: no such check.
	Check func(ctx context.Context, path string) error
	// Note leaves a note of faults, so that the next OpenOrSalvage salvages.
	Note bool
}

// verifyBatch is how many events are read in one transaction.
const verifyBatch = 5000

// Verify checks the chains; the loans, links and heads against a replay of all events; the
// outbox against the events; the tags against the register; and bbolt's file. It needs
// memory for the register, not for all events, and taps go on. Faults are in the report;
// an error means that the check did not finish.
func (l *Ledger) Verify(ctx context.Context, o VerifyOptions) (*Report, error) {
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	begin := time.Now()
	v := newVerifier(l, o)
	for v.more {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := l.view(v.batch); err != nil {
			var damaged *DamagedError
			if !errors.As(err, &damaged) {
				return nil, err
			}
			v.r.Add("file", "%s", damaged.Reason)
			break
		}
	}
	v.r.Loans = len(v.audit.Seen.Open())
	if n, ok := beside.ReadNewest(l.path); ok && l.readOnly { // otherwise it was compared when the file was opened
		err := l.view(func(t *txn) {
			if why := t.older(n); why != "" {
				v.r.Add(report.OtherCopy, "%s", why)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if o.Check != nil {
		if err := l.checkCopy(ctx, o.Check, v.r); err != nil {
			return nil, err
		}
	}
	damage := func(f Fault) bool { return f.What != report.OtherCopy } // else there is nothing to salvage
	if i := slices.IndexFunc(v.r.Faults, damage); o.Note && i >= 0 {
		l.suspect(boltfile.Damaged(l.path, v.r.Faults[i].What+": "+v.r.Faults[i].Detail))
	}
	v.r.Took = time.Since(begin)
	return v.r, nil
}

// verifier reads the events in the order in which they happened, and then the rows.
type verifier struct {
	l     *Ledger
	r     *Report
	o     VerifyOptions
	audit *audit.Audit
	at    record.Ref // the last event that was checked
	more  bool
}

func newVerifier(l *Ledger, o VerifyOptions) *verifier {
	r := &Report{Bbolt: "not made"}
	return &verifier{l: l, r: r, o: o, audit: audit.New(r), more: true}
}

// batch checks the next events. The last batch also checks the rows, in the same
// transaction.
func (v *verifier) batch(t *txn) {
	n := 0
	v.more = false
	t.events(v.at, func(at record.Ref, raw []byte) bool {
		if v.more = n == verifyBatch; !v.more {
			n++
			v.at = at
			v.event(t, at, raw)
		}
		return !v.more
	})
	if v.o.Progress != nil {
		v.o.Progress(v.r.Events, t.total())
	}
	if v.more {
		return
	}
	v.audit.Chains(t.chains(), t.head)
	v.countEvents(t)
	v.audit.Gaps()
	v.findable(t)
	v.audit.Devices(func(f func(string, *record.Row)) { t.eachRow(record.TreeDevices, f) })
	v.audit.People(func(f func(string, *record.Row)) { t.eachRow(record.TreePeople, f) })
	v.tags(t)
	v.kits(t)
	v.outbox(t)
}

// findable looks every row up by its key. After damage to an inner page, a row may be
// reachable by iteration but not by its key.
func (v *verifier) findable(t *txn) {
	for _, tr := range record.Trees {
		if tr == record.TreeEvents {
			continue // checked with the chains
		}
		c := t.bucket(tr).Cursor()
		for k, b := c.First(); k != nil; k, b = c.Next() {
			if !t.finds(tr, k, b) {
				v.r.Add("file", "a row of %s exists, but is not found by its key", tr)
			}
		}
	}
}

// finds reports whether looking for a key leads to its value.
func (t *txn) finds(tr record.Tree, key, value []byte) bool {
	return bytes.Equal(t.bucket(tr).Get(key), value)
}

// total is the number of events by the heads of the chains.
func (t *txn) total() (n uint64) {
	for i := range t.chains() {
		seq, _ := t.head(i)
		n += seq
	}
	return n
}

// event checks that an event can be found and read, and then against those before it.
func (v *verifier) event(t *txn, at record.Ref, raw []byte) {
	v.r.Events++
	if !t.finds(record.TreeEvents, record.EventKey(at), raw) {
		v.r.Add("file", "event %d exists, but is not found by its number", at.Seq)
	}
	c := t.chain(at.Chain)
	ev, err := t.decode(at, raw)
	if err != nil {
		v.audit.Unreadable(at, err)
		return
	}
	v.audit.Event(at, c, &ev)
}

// countEvents finds events that no chain leads to.
func (v *verifier) countEvents(t *txn) {
	there := uint64(0)
	all := t.bucket(record.TreeEvents).Cursor()
	for k, _ := all.First(); k != nil; k, _ = all.Next() {
		there++
	}
	if there != v.r.Events {
		v.r.Add("chain", "%s outside of the chains", count.Of(there-v.r.Events, "event"))
	}
}

// tags compares the tree of tags with the register, in both directions.
func (v *verifier) tags(t *txn) {
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		t.eachRow(tr, func(id string, r *record.Row) {
			if r.Lookup != nil && !bytes.Equal(t.get(record.TreeTags, r.Lookup), ownerBody(tr, id)) {
				v.r.Add("tags", "the tag of %s %q is not found", kindOf(tr), id)
			}
		})
	}
	t.each(record.TreeTags, nil, func(k, _ []byte) {
		if err := t.try(func(t *txn) {
			if t.whose(t.ownerByLookup(k)).tree == 0 {
				t.failf("the badge of somebody who is not in the register")
			}
		}); err != nil {
			v.r.Add("tags", "%v", err)
		}
	})
}

// kits compares the list of parts with the register.
func (v *verifier) kits(t *txn) {
	if !kits.Made(t.tx) {
		return
	}
	left := maps.Collect(kits.All(t.tx))
	for part, kit := range t.inKits() {
		if left[part] != kit {
			v.r.Add("kits", "%q is a part of %q, where it is not found", part, kit)
		}
		delete(left, part)
	}
	for _, part := range slices.Sorted(maps.Keys(left)) {
		v.r.Add("kits", "%q is found in %q, and is no part of it", part, left[part])
	}
}

// outbox compares the rows with the events and with the counts of each sink.
func (v *verifier) outbox(t *txn) {
	rows := map[uint16]uint64{}
	t.each(record.TreeOutbox, nil, func(k, b []byte) {
		v.r.Outbox++
		r, sink, ok := record.ParseOutboxKey(k)
		rows[sink]++
		o, err := record.Unpack(record.OutboxForm, b)
		if !ok || err != nil {
			v.r.Add("outbox", "the row of event %d: a key of %d bytes, %v", r.Seq, len(k), err)
			return
		}
		if err := t.try(func(t *txn) {
			if ev := t.event(r); ev.Device != o.Device {
				t.failf("the row of event %d is about %q, the event about %q", r.Seq, o.Device, ev.Device)
			}
		}); err != nil {
			v.r.Add("outbox", "%v", err)
		}
	})
	for name := range t.l.sinkIDs {
		c, err := record.Unpack(record.SinkForm, t.get(record.TreeMeta, record.MetaSink(name)))
		if err != nil || c.Queued-c.Done != rows[c.Index] {
			v.r.Add("outbox", "%s for %q, it should be %d", count.Of(rows[c.Index], "row"), name, c.Queued-c.Done)
		}
	}
}
