package ledger

import (
	"fmt"
	"maps"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// DirectorySink is the sink of the staff directory. It doesn't get events that came from
// the directory itself (SourceSync).
const DirectorySink = record.DirectorySink

// OutboxPage is a page of a sink's outbox.
type OutboxPage struct {
	Rows []OutboxRow
	// Next is where the next page begins. End: it has no rows yet.
	Next RowKey
	End  bool
}

// pageKeys is how many keys of any sink are read for one page at most, which keeps the
// transaction short.
const pageKeys = 4096

// OutboxFrom returns up to limit rows of a sink in any state, from a place on. The zero
// RowKey is the beginning. A page may have fewer rows, or none, before the end.
func (l *Ledger) OutboxFrom(sink string, from RowKey, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, false)
}

// StuckFrom is OutboxFrom for rows that wait for an admin.
func (l *Ledger) StuckFrom(sink string, from RowKey, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, true)
}

func (l *Ledger) outboxPage(sink string, from RowKey, limit int, stuck bool) (p OutboxPage, err error) {
	err = l.view(func(t *txn) { p = t.outboxPage(sink, from, limit, stuck) })
	return p, err
}

func (t *txn) outboxPage(sink string, from RowKey, limit int, stuck bool) OutboxPage {
	p := OutboxPage{Next: from}
	index, c := t.l.sinkIDs[sink], t.bucket(record.TreeOutbox).Cursor()
	passed := 0
	for k, b := c.Seek(record.EventKey(from)); k != nil; k, b = c.Next() {
		r, i, ok := record.ParseOutboxKey(k)
		if !ok {
			t.damaged("an outbox key")
		}
		if r.Compare(p.Next) > 0 {
			p.Next = r // before the row, in case the page ends here
		}
		if passed++; passed > pageKeys || len(p.Rows) == limit {
			return p
		}
		if i != index {
			continue
		}
		o := t.openOutbox(k, b)
		p.Next = r.Next()
		if !stuck || o.State.Stuck() {
			p.Rows = append(p.Rows, t.rowOf(sink, r, o))
		}
	}
	head, _ := t.head(t.l.own)
	if next := record.At(t.l.own, head+1); next.Compare(p.Next) > 0 {
		p.Next = next
	}
	p.End = true
	return p
}

// rowOf is a row of a sink.
func (t *txn) rowOf(sink string, r RowKey, o record.OutboxRow) OutboxRow {
	row := t.outboxRow(r, o)
	row.Alone = sink == MailSink
	return row
}

func (t *txn) openOutbox(k, b []byte) record.OutboxRow {
	o, err := record.UnpackOutbox(t.open(record.TreeOutbox, k, b))
	if err != nil {
		t.damaged("an outbox row: %v", err)
	}
	return o
}

// getOutbox returns the row of an event; there is false if there is none.
func (t *txn) getOutbox(sink string, r RowKey) (o record.OutboxRow, there bool) {
	k := t.outboxKey(sink, r)
	b := t.bucket(record.TreeOutbox).Get(k)
	if b == nil {
		return o, false
	}
	return t.openOutbox(k, b), true
}

func (t *txn) outboxKey(sink string, r RowKey) []byte { return record.OutboxKey(r, t.l.sinkIDs[sink]) }

// OutboxOf returns the row of one event. The error is ErrNotQueued if there is none.
func (l *Ledger) OutboxOf(sink string, key RowKey) (row OutboxRow, err error) {
	err = l.view(func(t *txn) {
		o, there := t.getOutbox(sink, key)
		if !there {
			t.fail(ErrNotQueued)
		}
		row = t.rowOf(sink, key, o)
	})
	return row, err
}

// SaveOutbox stores the state of rows of a sink in one transaction. Rows that no longer
// exist are ignored.
func (l *Ledger) SaveOutbox(sink string, rows ...OutboxRow) error {
	return l.update(func(t *txn) {
		for _, r := range rows {
			if o, there := t.getOutbox(sink, r.Key); there {
				r.Device = o.Device
				t.put(record.TreeOutbox, t.outboxKey(sink, r.Key), record.PackOutbox(&r.OutboxRow))
			}
		}
	})
}

// Delivered removes rows of a sink in one transaction, after the sink got the events or
// did not want them.
func (l *Ledger) Delivered(sink string, keys ...RowKey) error {
	return l.update(func(t *txn) {
		t.removeOutbox(sink, keys, func(key RowKey, o record.OutboxRow) {
			if sink == MailSink && o.Touched {
				t.reminded(key)
			}
		})
	})
}

// Told removes a row of a sink after the sink got the event, and notes its revision of
// who has the event's device.
func (l *Ledger) Told(sink string, key RowKey, rev string) error {
	return l.update(func(t *txn) {
		t.removeOutbox(sink, []RowKey{key}, func(_ RowKey, o record.OutboxRow) {
			about := t.event(key)
			t.resolve(&about)
			if d := t.deviceOr(about.Device); d != nobody {
				d.row.Rev = rev
				t.save(d)
			}
		})
	})
}

// Drop removes rows of a sink that will not be delivered, in one transaction, with an
// event for each, whose note says why. The error is ErrNotQueued if none of them exists.
func (l *Ledger) Drop(sink string, keys []RowKey, actor string, source checkout.Source, note string) error {
	if err := checkout.CheckText("note", note, checkout.MaxNote); err != nil {
		return err
	}
	return l.update(func(t *txn) {
		n := t.removeOutbox(sink, keys, func(key RowKey, o record.OutboxRow) {
			ev := by(actor, source)
			ev.Kind, ev.Note = checkout.Correct, fmt.Sprintf("event %d for %s: not delivered: %s", key.Seq, sink, note)
			d := t.deviceOr(o.Device)
			if d != nobody && sink == DirectorySink && d.row.Loan.Since == key {
				ev.Mark = checkout.MarkUntold // so that its word about the device does not count
			}
			t.append(ev, nobody, d)
		})
		if n == 0 {
			t.fail(ErrNotQueued)
		}
	})
}

// deviceOr is a device of the register, or nobody.
func (t *txn) deviceOr(id string) party {
	if r := t.row(record.TreeDevices, id); r != nil {
		return party{record.TreeDevices, id, r}
	}
	return nobody
}

// removeOutbox removes the rows that exist, calls f with each, and returns how many there
// were. f may be nil.
func (t *txn) removeOutbox(sink string, keys []RowKey, f func(RowKey, record.OutboxRow)) (n uint64) {
	for _, key := range keys {
		o, there := t.getOutbox(sink, key)
		if !there {
			continue
		}
		n++
		t.delete(record.TreeOutbox, t.outboxKey(sink, key))
		if f != nil {
			f(key, o)
		}
	}
	if n > 0 {
		t.count(sink, 0, n)
	}
	return n
}

// Backlog returns how many rows a sink has.
func (l *Ledger) Backlog(sink string) (rows int, err error) {
	err = l.view(func(t *txn) {
		c, err := record.Unpack(record.SinkForm, t.get(record.TreeMeta, record.MetaSink(sink)))
		t.must(err)
		rows = int(c.Queued - c.Done)
	})
	return rows, err
}

// Sinks returns the names of all sinks that ever had rows.
func (l *Ledger) Sinks() (names []string, err error) {
	err = l.view(func(*txn) { names = slices.Collect(maps.Keys(l.sinkIDs)) })
	return names, err
}

// AcceptTheirs settles a conflict in the sink's favour: it removes the row, and a return,
// check-out or hand-over gives the device to holder, "" for nobody. If the device has
// moved since the row's event, the loan stays as it is.
func (l *Ledger) AcceptTheirs(sink string, key RowKey, holder, actor string) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Actor, ev.Source, ev.Note = actor, checkout.SourceSync, fmt.Sprintf("event %d: the directory's word accepted", key.Seq)
		if t.removeOutbox(sink, []RowKey{key}, nil) == 0 {
			t.fail(ErrNotQueued)
		}
		about := t.event(key)
		t.resolve(&about)
		t.moveTo(ev, t.deviceOr(about.Device), holder, key)
	})
}

// moveTo appends the event that gives the device to holder, unless it has moved since the
// event at.
func (t *txn) moveTo(ev *record.Event, device party, holder string, at record.Ref) {
	holder = t.isNow(holder)
	if device == nobody || device.row.Loan.Holder == holder || device.row.Loan.Since != at {
		ev.Kind = checkout.Correct
		t.append(ev, nobody, device)
		return
	}
	has, who := device.row.Loan.Holder, holder
	switch {
	case holder == "":
		ev.Kind, who = checkout.Return, has
	case has == "":
		ev.Kind = checkout.Checkout
	default:
		ev.Kind = checkout.Handover
		t.setFrom(ev, has)
	}
	row := t.row(record.TreePeople, who)
	if row == nil {
		t.failf("%w: no person %q in the register", checkout.ErrRefused, who)
	}
	if ev.Kind != checkout.Return && ev.Loan == 0 {
		ev.Loan = asUsual
	}
	t.append(ev, party{record.TreePeople, who, row}, device)
}

// OutboxChanged returns a channel that gets a value after rows were added, or can be sent
// because a tag was resolved. One value may stand for several changes.
func (l *Ledger) OutboxChanged() <-chan struct{} { return l.changes.Join() }
