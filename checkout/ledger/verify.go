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
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/kits"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
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
	v.audit.Strays(t.tx)
	v.audit.Gaps()
	v.audit.Findable(t.tx)
	v.audit.Devices(func(f func(string, *record.Row)) { t.eachRow(record.TreeDevices, f) })
	v.audit.People(func(f func(string, *record.Row)) { t.eachRow(record.TreePeople, f) })
	v.audit.Reservations(booking.In(t.tx).All())
	v.tags(t)
	v.kits(t)
	v.audit.Outbox(t.tx, maps.Keys(t.l.sinkIDs), func(r record.Ref) (ev record.Event, err error) {
		err = t.try(func(t *txn) { ev = t.event(r) })
		return ev, err
	})
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
	if !audit.Finds(t.bucket(record.TreeEvents), record.EventKey(at), raw) {
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

// tags compares the tree of tags with the register, in both directions.
func (v *verifier) tags(t *txn) {
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		t.eachRow(tr, func(id string, r *record.Row) {
			if r.Lookup != nil && !bytes.Equal(t.get(record.TreeTags, r.Lookup), ownerBody(tr, id)) {
				v.r.Add("tags", "the tag of %s %q is not found", tr.Kind(), id)
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
