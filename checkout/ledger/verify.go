package ledger

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/replay"
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
	v.r.Loans = len(v.seen.Open())
	if n, ok := readNewest(l.path); ok && l.readOnly { // otherwise it was compared when the file was opened
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

// verifier goes through the events in the order in which they happened.
type verifier struct {
	l     *Ledger
	r     *Report
	o     VerifyOptions
	seen  *replay.Replay
	at    record.Ref           // the last event that was checked
	heads map[uint16]chainHead // by chain
	more  bool
	holes []hole          // each must be among told
	told  []hole          // declared by salvages and restores
	ended []checkout.Head // closed chains, by the event of the migration
}

// chainHead is how far a chain was checked.
type chainHead struct {
	seq  uint64
	hash checkout.Hash
}

// hole is a run of numbers without events.
type hole struct {
	chain       checkout.Hash
	name        string // of a closed chain's station
	first, last uint64
}

func newVerifier(l *Ledger, o VerifyOptions) *verifier {
	return &verifier{l: l, r: &Report{Bbolt: "not made"}, o: o, seen: replay.New(), heads: map[uint16]chainHead{}, more: true}
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
	v.endChains(t)
	v.endGaps()
	v.findable(t)
	v.devices(t)
	v.people(t)
	v.tags(t)
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

// event checks an event against the one before it in its chain, and replays it.
func (v *verifier) event(t *txn, at record.Ref, raw []byte) {
	v.r.Events++
	if !t.finds(record.TreeEvents, record.EventKey(at), raw) {
		v.r.Add("file", "event %d exists, but is not found by its number", at.Seq)
	}
	c, before := t.chain(at.Chain), v.heads[at.Chain]
	ev, err := t.decode(at, raw)
	if err != nil {
		v.heads[at.Chain] = chainHead{seq: at.Seq}
		v.r.Add("chain", "event %d: %v", at.Seq, err)
		return
	}
	v.heads[at.Chain] = chainHead{at.Seq, ev.Hash}
	gap := at.Seq != before.seq+1
	if gap {
		v.holes = append(v.holes, hole{c.ID, c.Name, before.seq + 1, at.Seq - 1})
	}
	if ev.Gap != nil {
		v.ownUp(&ev)
	}
	v.ended = append(v.ended, ev.Closed...)
	if !gap && ev.Prev != before.hash && !(ev.Gap != nil && ev.Gap.Hash == ev.Prev) {
		v.r.Add("chain", "event %d does not follow event %d: its hash is another", at.Seq, before.seq)
	}
	if ev.Erased {
		v.r.Erased++
	}
	for _, f := range v.seen.Event(at, &ev) {
		v.r.Add("links", "event %d: %s", at.Seq, f)
	}
}

// ownUp notes the holes that a salvage or restore has declared.
func (v *verifier) ownUp(ev *record.Event) {
	for _, lost := range ev.Gap.Lost {
		v.told = append(v.told, hole{ev.Chain, "", lost[0], lost[1]})
	}
	for name, all := range ev.Gap.Others {
		for _, lost := range all {
			v.told = append(v.told, hole{name: name, first: lost[0], last: lost[1]})
		}
	}
}

// endChains compares each chain's last event with its head, and closed chains with the
// event of the migration.
func (v *verifier) endChains(t *txn) {
	for i, c := range t.chains() {
		at := v.heads[i]
		if seq, hash := t.head(i); seq != at.seq || hash != at.hash {
			v.r.Add("chain", "the last event of chain %d is %d, it should be %d", i, at.seq, seq)
		}
		for _, e := range v.ended {
			if e.Chain == c.ID && (e.Seq != at.seq || e.Hash != at.hash) {
				v.r.Add("chain", "the closed chain of station %q ends with event %d, it should be %d", e.Station, at.seq, e.Seq)
			}
		}
		if at.seq > 0 && c.ID.IsZero() {
			v.r.Add("chain", "chain %d has events, but no name", i)
		}
	}
	there := uint64(0)
	all := t.bucket(record.TreeEvents).Cursor()
	for k, _ := all.First(); k != nil; k, _ = all.Next() {
		there++
	}
	if there != v.r.Events {
		v.r.Add("chain", "%s outside of the chains", count.Of(there-v.r.Events, "event"))
	}
}

// endGaps checks that every hole was declared.
func (v *verifier) endGaps() {
	for _, h := range v.holes {
		known := slices.ContainsFunc(v.told, func(o hole) bool {
			mine := o.chain == h.chain || o.chain.IsZero() && o.name == h.name
			return mine && o.first <= h.first && h.last <= o.last
		})
		if known {
			v.r.Gaps += h.last - h.first + 1
		} else {
			v.r.Add("chain", "events %d to %d of chain %x are missing", h.first, h.last, h.chain[:4])
		}
	}
}

// devices compares the rows of devices with the replay.
func (v *verifier) devices(t *txn) {
	there := map[string]bool{}
	t.eachRow(record.TreeDevices, func(id string, r *record.Row) {
		there[id] = true
		v.r.Devices++
		got, want := r.Loan, v.seen.Loans[id]
		if got.Holder != want.Holder || got.Since != want.Since || got.Length != want.Length || got.Lost != want.Lost || got.Mark != want.Mark {
			v.r.Add("loans", "device %q: the loan says %q since event %d, the events say %q since event %d",
				id, got.Holder, got.Since.Seq, want.Holder, want.Since.Seq)
		}
		if r.Head != v.seen.Devices[id] {
			v.r.Add("links", "device %q: its newest event is %d, not %d", id, v.seen.Devices[id].Seq, r.Head.Seq)
		}
	})
	for id := range v.seen.Devices {
		if !there[id] {
			v.r.Add("loans", "device %q has events, but is not in the register", id)
		}
	}
}

// people compares the rows of people with the replay.
func (v *verifier) people(t *txn) {
	there := map[string]bool{}
	t.eachRow(record.TreePeople, func(id string, r *record.Row) {
		there[id] = true
		v.r.People++
		if r.Head != v.seen.People[id] {
			v.r.Add("links", "person %q: the newest event is %d, not %d", id, v.seen.People[id].Seq, r.Head.Seq)
		}
	})
	for id, s := range v.seen.Loans {
		if s.Holder != "" && !there[s.Holder] {
			v.r.Add("loans", "%q has device %q, but is not in the register", s.Holder, id)
		}
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
