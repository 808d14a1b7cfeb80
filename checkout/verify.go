package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"stump/internal/count"
)

// VerifyOptions tell how to check a ledger.
type VerifyOptions struct {
	// Progress is called now and then with the events done and their number;
	// it may be nil.
	Progress func(done, total uint64)
	// Check runs bbolt's own check over the file at path, in another process,
	// since bbolt panics in goroutines of its own when the file is damaged: that
	// process calls CheckFile. Nil: bbolt's check is left out.
	Check func(ctx context.Context, path string) error
	// Note leaves a note of faults, so that the next OpenOrSalvage salvages.
	Note bool
}

// Fault is something that is not as it should be.
type Fault struct {
	// What it is about: "chain", "loans", "links", "outbox", "tags", "clock",
	// "file" or "bbolt".
	What   string
	Detail string
}

// Report is what Verify found.
type Report struct {
	Events, Erased uint64
	Devices        int
	People         int
	Loans          int
	Outbox         int
	// Gaps are the numbers of events that an earlier salvage or restore could
	// not keep, or did not dare to give again, and said so.
	Gaps uint64
	// Faults are at most 100.
	Faults []Fault
	// Bbolt tells of bbolt's own check: "passed", "failed", or why it was not made.
	Bbolt string
	Took  time.Duration
}

const maxFaults = 100

// OK reports whether the ledger is as it should be.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

// String is the sentence that says what was found.
func (r *Report) String() string {
	s := count.Of(r.Events, "event") + ", " + count.Of(r.Loans, "open loan") + ", " + count.Of(r.Outbox, "outbox row") + ": "
	if r.OK() {
		s += "everything holds"
	} else {
		s += fmt.Sprintf("%s, the first: %s: %s", count.Of(len(r.Faults), "fault"), r.Faults[0].What, r.Faults[0].Detail)
	}
	if r.Gaps > 0 {
		s += fmt.Sprintf("; %s without an event, by an earlier salvage or restore that says so", count.Of(r.Gaps, "number"))
	}
	return s + "; bbolt's own check: " + r.Bbolt
}

func (r *Report) fault(what, format string, a ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{what, fmt.Sprintf(format, a...)})
	}
}

// verifyBatch is how many events are read in one transaction.
const verifyBatch = 5000

// Verify checks the chain of every station, the loans, links and heads against
// a replay of all events, the outbox against the events, the tags against the
// register, and bbolt's file. Memory is in proportion to the register, not to
// the events. Taps go on meanwhile. The error is for what kept it from looking;
// what it found is in the report.
func (l *Ledger) Verify(ctx context.Context, o VerifyOptions) (*Report, error) {
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	begin := time.Now()
	v := &verifier{l: l, r: &Report{Bbolt: "not made"}, o: o, seen: newReplay()}
	for v.more = true; v.more; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := l.view(v.batch); err != nil {
			var damaged *DamagedError
			if !errors.As(err, &damaged) {
				return nil, err
			}
			v.r.fault("file", "%s", damaged.Reason)
			break
		}
	}
	v.r.Loans = len(v.seen.open())
	if o.Check != nil {
		if err := l.checkCopy(ctx, o.Check, v.r); err != nil {
			return nil, err
		}
	}
	if o.Note && !v.r.OK() {
		l.suspect(&DamagedError{Path: l.path, Reason: v.r.Faults[0].What + ": " + v.r.Faults[0].Detail})
	}
	v.r.Took = time.Since(begin)
	return v.r, nil
}

// verifier goes through the events in the order of the file.
type verifier struct {
	l    *Ledger
	r    *Report
	o    VerifyOptions
	seen *replay
	at   ref  // the event before
	prev Hash // its hash
	more bool
	gaps []gap
}

// gap is a hole in the sequence that a later event must own up to.
type gap struct {
	station     uint16
	first, last uint64
	known       bool
}

// batch checks the next events; the last batch checks the rows in the same
// transaction.
func (v *verifier) batch(t *txn) error {
	c := t.tx.Bucket(treeEvents.bucket()).Cursor()
	n := 0
	for k, b := c.Seek(eventKey(ref{v.at.station, v.at.seq + 1})); k != nil; k, b = c.Next() {
		r, ok := parseEventKey(k)
		if !ok {
			v.r.fault("file", "a key of %d bytes among the events", len(k))
			continue
		}
		if !t.finds(treeEvents, k, b) {
			v.r.fault("file", "event %d is there, and not found by its number", r.seq)
		}
		v.event(t, r, b)
		if n++; n == verifyBatch {
			if v.o.Progress != nil {
				v.o.Progress(v.r.Events, t.total())
			}
			return nil
		}
	}
	v.more = false
	if v.o.Progress != nil {
		v.o.Progress(v.r.Events, v.r.Events)
	}
	v.endStation(t)
	for _, g := range v.gaps {
		if !g.known {
			v.r.fault("chain", "events %d to %d of station %q are missing", g.first, g.last, t.l.names[g.station])
		} else {
			v.r.Gaps += g.last - g.first + 1
		}
	}
	v.findable(t)
	return errors.Join(v.rows(t), v.tags(t), v.outbox(t))
}

// findable looks for every row by its key. Damage to an inner page may leave a
// row where going through all of them meets it, and looking for it does not.
func (v *verifier) findable(t *txn) {
	for _, tr := range allTrees {
		if tr == treeEvents {
			continue // done with the chain
		}
		c := t.tx.Bucket(tr.bucket()).Cursor()
		for k, b := c.First(); k != nil; k, b = c.Next() {
			if !t.finds(tr, k, b) {
				v.r.fault("file", "a row of %s is there, and not found by its key", tr)
			}
		}
	}
}

// finds reports whether looking for a key leads to its value.
func (t *txn) finds(tr tree, key, value []byte) bool {
	return bytes.Equal(t.tx.Bucket(tr.bucket()).Get(key), value)
}

// total is the number of events by the heads of the stations.
func (t *txn) total() (n uint64) {
	for i := range t.l.names {
		seq, _, err := t.head(i)
		if err == nil {
			n += seq
		}
	}
	return n
}

// event checks one event against the one before it, and replays it.
func (v *verifier) event(t *txn, r ref, record []byte) {
	v.r.Events++
	if r.station != v.at.station {
		v.endStation(t)
		v.at, v.prev = ref{r.station, 0}, Hash{}
	}
	ev, err := t.decode(r, record)
	if err != nil {
		v.r.fault("chain", "event %d: %v", r.seq, err)
		v.at, v.prev = r, Hash{}
		return
	}
	hole := r.seq != v.at.seq+1
	if hole {
		v.gaps = append(v.gaps, gap{r.station, v.at.seq + 1, r.seq - 1, false})
	}
	if ev.Gap != nil {
		v.ownUp(ev.Gap, r.station)
	}
	if !hole && ev.Prev != v.prev && !(ev.Gap != nil && ev.Gap.Hash == ev.Prev) {
		v.r.fault("chain", "event %d does not follow event %d: its hash is another", r.seq, v.at.seq)
	}
	v.at, v.prev = r, ev.Hash
	if ev.Erased {
		v.r.Erased++
	}
	for _, f := range v.seen.event(r, &ev) {
		v.r.fault("links", "event %d: %s", r.seq, f)
	}
}

// ownUp marks the holes that a salvage or restore has told of.
func (v *verifier) ownUp(g *Gap, station uint16) {
	for i := range v.gaps {
		h := &v.gaps[i]
		for _, lost := range g.Lost {
			if h.station == station && lost[0] <= h.first && h.last <= lost[1] {
				h.known = true
			}
		}
	}
}

// endStation compares a station's last event with its head.
func (v *verifier) endStation(t *txn) {
	if v.at.station == 0 {
		return
	}
	seq, hash, err := t.head(v.at.station)
	if err != nil || seq != v.at.seq || hash != v.prev {
		v.r.fault("chain", "the last event of station %q is %d, it should be %d", t.l.names[v.at.station], v.at.seq, seq)
	}
}

// rows compares devices and people with the replay.
func (v *verifier) rows(t *txn) error {
	devices, people := map[string]bool{}, map[string]bool{}
	err := t.eachRow(treeDevices, func(id string, r *row) error {
		devices[id] = true
		v.r.Devices++
		got, want := r.loan, v.seen.loans[id]
		if got.holder != want.holder || got.since != want.since || got.length != want.length || got.lost != want.lost {
			v.r.fault("loans", "device %q: the loan says %q since event %d, the events say %q since event %d",
				id, got.holder, got.since.seq, want.holder, want.since.seq)
		}
		if r.head != v.seen.devices[id] {
			v.r.fault("links", "device %q: its newest event is %d, not %d", id, v.seen.devices[id].seq, r.head.seq)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = t.eachRow(treePeople, func(id string, r *row) error {
		people[id] = true
		v.r.People++
		if r.head != v.seen.people[id] {
			v.r.fault("links", "person %q: the newest event is %d, not %d", id, v.seen.people[id].seq, r.head.seq)
		}
		return nil
	})
	for id := range v.seen.devices {
		if !devices[id] {
			v.r.fault("loans", "device %q has events, but is not in the register", id)
		}
	}
	for id, s := range v.seen.loans {
		if s.holder != "" && !people[s.holder] {
			v.r.fault("loans", "%q has device %q, but is not in the register", s.holder, id)
		}
	}
	return err
}

// tags compares the look-up tree with the register, both ways.
func (v *verifier) tags(t *txn) error {
	for _, tr := range []tree{treeDevices, treePeople} {
		err := t.eachRow(tr, func(id string, r *row) error {
			if r.lookup == nil {
				return nil
			}
			b, err := t.get(treeTags, r.lookup)
			if err == nil && !bytes.Equal(b, ownerBody(tr, id)) {
				v.r.fault("tags", "the tag of %s %q is not found", kindOf(tr), id)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return t.each(treeTags, nil, func(k, _ []byte) error {
		if _, err := t.ownerByLookup(k); err != nil {
			v.r.fault("tags", "%v", err)
		}
		return nil
	})
}

// outbox compares the rows with the events and with the counts of each sink.
func (v *verifier) outbox(t *txn) error {
	rows := map[uint16]uint64{}
	err := t.each(treeOutbox, nil, func(k, b []byte) error {
		v.r.Outbox++
		r, sink, ok := parseOutboxKey(k)
		if !ok {
			v.r.fault("outbox", "a key of %d bytes", len(k))
			return nil
		}
		rows[sink]++
		o, err := decodeOutbox(b)
		if err != nil {
			v.r.fault("outbox", "the row of event %d: %v", r.seq, err)
			return nil
		}
		ev, err := t.event(r)
		if err != nil {
			v.r.fault("outbox", "a row waits for an event: %v", err)
		} else if ev.Device != o.device {
			v.r.fault("outbox", "the row of event %d is about %q, the event about %q", r.seq, o.device, ev.Device)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name := range t.l.sinkIDs {
		b, err := t.get(treeMeta, metaSink(name))
		if err != nil {
			return err
		}
		c, err := decodeSink(b)
		if err != nil || c.queued-c.done != rows[c.index] {
			v.r.fault("outbox", "%s for %q, it should be %d", count.Of(rows[c.index], "row"), name, c.queued-c.done)
		}
	}
	return nil
}
