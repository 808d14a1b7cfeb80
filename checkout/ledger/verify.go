package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
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
		l.suspect(damagedAt(l.path, v.r.Faults[0].What+": "+v.r.Faults[0].Detail))
	}
	v.r.Took = time.Since(begin)
	return v.r, nil
}

// verifier goes through the events, each station's in their order.
type verifier struct {
	l      *Ledger
	r      *Report
	o      VerifyOptions
	seen   *replay
	chains []*chain // by station
	more   bool
	holes  []hole // that a salvage or restore must have told of
	told   []hole
}

// chain is how far a station's chain was checked, and its next event.
type chain struct {
	at     record.Ref
	prev   checkout.Hash // the hash of the event at
	cursor *bolt.Cursor
	ok     bool // there is a next one
	next   record.Ref
	record []byte
	ev     record.Event
	err    error
}

// hole is a run of numbers without events.
type hole struct {
	station     string
	first, last uint64
}

// batch checks the next events; the last batch checks the rows in the same
// transaction.
func (v *verifier) batch(t *txn) error {
	if v.chains == nil {
		v.findStations(t)
	}
	for _, c := range v.chains {
		c.cursor = t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
		k, b := c.cursor.Seek(record.EventKey(record.At(c.at.Station, c.at.Seq+1)))
		v.peek(t, c, k, b)
	}
	for range verifyBatch {
		c := v.turn()
		if c == nil {
			v.more = false
			break
		}
		v.event(t, c)
		k, b := c.cursor.Next()
		v.peek(t, c, k, b)
	}
	if v.o.Progress != nil {
		v.o.Progress(v.r.Events, t.total())
	}
	if v.more {
		return nil
	}
	v.endChains(t)
	v.findable(t)
	return errors.Join(v.rows(t), v.tags(t), v.outbox(t))
}

// findStations looks whose events there are, also under a number that no
// station has.
func (v *verifier) findStations(t *txn) {
	v.chains = []*chain{}
	c := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
	for k, _ := c.First(); k != nil; {
		r, ok := record.ParseEventKey(k)
		if !ok {
			v.r.fault("file", "a key of %d bytes among the events", len(k))
			k, _ = c.Next()
			continue
		}
		v.chains = append(v.chains, &chain{at: record.Ref{Station: r.Station}})
		if r.Station == math.MaxUint16 {
			break
		}
		k, _ = c.Seek(record.EventKey(record.At(r.Station+1, 0)))
	}
}

// peek looks at the next event of a chain.
func (v *verifier) peek(t *txn, c *chain, k, b []byte) {
	for ; k != nil; k, b = c.cursor.Next() {
		r, ok := record.ParseEventKey(k)
		if !ok {
			v.r.fault("file", "a key of %d bytes among the events", len(k))
			continue
		}
		if c.ok = r.Station == c.at.Station; !c.ok {
			return
		}
		if !t.finds(record.TreeEvents, k, b) {
			v.r.fault("file", "event %d is there, and not found by its number", r.Seq)
		}
		c.next, c.record = r, b
		c.ev, c.err = t.decode(r, b)
		return
	}
	c.ok = false
}

// turn returns the chain whose next event is the next, nil at the end.
func (v *verifier) turn() *chain {
	lines := make([]line, len(v.chains))
	done := map[uint16]uint64{}
	for i, c := range v.chains {
		lines[i].at.Station = c.at.Station
		if c.ok {
			lines[i] = line{c.next, c.ev.Links}
		}
		done[c.at.Station] = c.at.Seq
	}
	if i := turn(lines, done); i >= 0 {
		return v.chains[i]
	}
	return nil
}

// findable looks for every row by its key. Damage to an inner page may leave a
// row where going through all of them meets it, and looking for it does not.
func (v *verifier) findable(t *txn) {
	for _, tr := range record.Trees {
		if tr == record.TreeEvents {
			continue // done with the chain
		}
		c := t.tx.Bucket(tr.Bucket()).Cursor()
		for k, b := c.First(); k != nil; k, b = c.Next() {
			if !t.finds(tr, k, b) {
				v.r.fault("file", "a row of %s is there, and not found by its key", tr)
			}
		}
	}
}

// finds reports whether looking for a key leads to its value.
func (t *txn) finds(tr record.Tree, key, value []byte) bool {
	return bytes.Equal(t.tx.Bucket(tr.Bucket()).Get(key), value)
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

// event checks the next event of a chain against the one before it, and replays it.
func (v *verifier) event(t *txn, c *chain) {
	v.r.Events++
	ev, r := &c.ev, c.next
	if c.err != nil {
		v.r.fault("chain", "event %d: %v", r.Seq, c.err)
		c.at, c.prev = r, checkout.Hash{}
		return
	}
	gap := r.Seq != c.at.Seq+1
	if gap {
		v.holes = append(v.holes, hole{t.l.names[r.Station], c.at.Seq + 1, r.Seq - 1})
	}
	if ev.Gap != nil {
		v.ownUp(ev)
	}
	if !gap && ev.Prev != c.prev && !(ev.Gap != nil && ev.Gap.Hash == ev.Prev) {
		v.r.fault("chain", "event %d does not follow event %d: its hash is another", r.Seq, c.at.Seq)
	}
	c.at, c.prev = r, ev.Hash
	if ev.Erased {
		v.r.Erased++
	}
	for _, f := range v.seen.event(r, ev) {
		v.r.fault("links", "event %d: %s", r.Seq, f)
	}
}

// ownUp notes the holes that a salvage or restore tells of.
func (v *verifier) ownUp(ev *record.Event) {
	for _, lost := range ev.Gap.Lost {
		v.told = append(v.told, hole{ev.Station, lost[0], lost[1]})
	}
	for station, all := range ev.Gap.Others {
		for _, lost := range all {
			v.told = append(v.told, hole{station, lost[0], lost[1]})
		}
	}
}

// endChains compares each station's last event with its head, and the holes
// with what was told of them.
func (v *verifier) endChains(t *txn) {
	for _, c := range v.chains {
		seq, hash, err := t.head(c.at.Station)
		if err != nil || seq != c.at.Seq || hash != c.prev {
			v.r.fault("chain", "the last event of station %q is %d, it should be %d", t.l.names[c.at.Station], c.at.Seq, seq)
		}
	}
	for _, h := range v.holes {
		known := slices.ContainsFunc(v.told, func(o hole) bool {
			return o.station == h.station && o.first <= h.first && h.last <= o.last
		})
		if known {
			v.r.Gaps += h.last - h.first + 1
		} else {
			v.r.fault("chain", "events %d to %d of station %q are missing", h.first, h.last, h.station)
		}
	}
}

// rows compares devices and people with the replay.
func (v *verifier) rows(t *txn) error {
	devices, people := map[string]bool{}, map[string]bool{}
	err := t.eachRow(record.TreeDevices, func(id string, r *record.Row) error {
		devices[id] = true
		v.r.Devices++
		got, want := r.Loan, v.seen.loans[id]
		if got.Holder != want.Holder || got.Since != want.Since || got.Length != want.Length || got.Lost != want.Lost {
			v.r.fault("loans", "device %q: the loan says %q since event %d, the events say %q since event %d",
				id, got.Holder, got.Since.Seq, want.Holder, want.Since.Seq)
		}
		if r.Head != v.seen.devices[id] {
			v.r.fault("links", "device %q: its newest event is %d, not %d", id, v.seen.devices[id].Seq, r.Head.Seq)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = t.eachRow(record.TreePeople, func(id string, r *record.Row) error {
		people[id] = true
		v.r.People++
		if r.Head != v.seen.people[id] {
			v.r.fault("links", "person %q: the newest event is %d, not %d", id, v.seen.people[id].Seq, r.Head.Seq)
		}
		return nil
	})
	for id := range v.seen.devices {
		if !devices[id] {
			v.r.fault("loans", "device %q has events, but is not in the register", id)
		}
	}
	for id, s := range v.seen.loans {
		if s.Holder != "" && !people[s.Holder] {
			v.r.fault("loans", "%q has device %q, but is not in the register", s.Holder, id)
		}
	}
	return err
}

// tags compares the look-up tree with the register, both ways.
func (v *verifier) tags(t *txn) error {
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		err := t.eachRow(tr, func(id string, r *record.Row) error {
			if r.Lookup == nil {
				return nil
			}
			b, err := t.get(record.TreeTags, r.Lookup)
			if err == nil && !bytes.Equal(b, ownerBody(tr, id)) {
				v.r.fault("tags", "the tag of %s %q is not found", kindOf(tr), id)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return t.each(record.TreeTags, nil, func(k, _ []byte) error {
		if _, err := t.ownerByLookup(k); err != nil {
			v.r.fault("tags", "%v", err)
		}
		return nil
	})
}

// outbox compares the rows with the events and with the counts of each sink.
func (v *verifier) outbox(t *txn) error {
	rows := map[uint16]uint64{}
	err := t.each(record.TreeOutbox, nil, func(k, b []byte) error {
		v.r.Outbox++
		r, sink, ok := record.ParseOutboxKey(k)
		if !ok {
			v.r.fault("outbox", "a key of %d bytes", len(k))
			return nil
		}
		rows[sink]++
		o, err := record.DecodeOutbox(b)
		if err != nil {
			v.r.fault("outbox", "the row of event %d: %v", r.Seq, err)
			return nil
		}
		ev, err := t.event(r)
		if err != nil {
			v.r.fault("outbox", "a row waits for an event: %v", err)
		} else if ev.Device != o.Device {
			v.r.fault("outbox", "the row of event %d is about %q, the event about %q", r.Seq, o.Device, ev.Device)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name := range t.l.sinkIDs {
		b, err := t.get(record.TreeMeta, metaSink(name))
		if err != nil {
			return err
		}
		c, err := record.DecodeSink(b)
		if err != nil || c.Queued-c.Done != rows[c.Index] {
			v.r.fault("outbox", "%s for %q, it should be %d", count.Of(rows[c.Index], "row"), name, c.Queued-c.Done)
		}
	}
	return nil
}
