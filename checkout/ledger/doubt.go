package ledger

import (
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Doubt is a device of which nobody knows for sure who has it.
type Doubt struct {
	// Key is of the event that says who has it, and ID its written form.
	Key RowKey
	ID  string
	// Event is that event as it is known now, and Note the other story.
	Event checkout.Event
	Note  string
}

// Doubt marks the device of an event as doubtful, with an event whose note tells the
// actor's story. It does nothing where the device is marked already.
func (l *Ledger) Doubt(key RowKey, actor, note string) error {
	return l.update(func(t *txn) {
		about := t.event(key)
		t.resolve(&about)
		if d := t.deviceOr(about.Device); d != nobody && d.row.Loan.Mark != checkout.MarkDoubtful {
			t.mark(d, checkout.MarkDoubtful, by(actor, checkout.SourceSync), fmt.Sprintf("doubtful since event %d: %s", key.Seq, note))
		}
	})
}

func (t *txn) mark(d party, m checkout.Mark, ev *record.Event, note string) record.Event {
	ev.Kind, ev.Mark, ev.Note = checkout.Correct, m, note
	t.append(ev, nobody, d)
	return *ev
}

// Doubts lists the doubtful devices, by device id.
func (l *Ledger) Doubts() (all []Doubt, err error) {
	err = l.view(func(t *txn) {
		t.eachRow(record.TreeDevices, func(_ string, r *record.Row) {
			if r.Loan.Mark != checkout.MarkDoubtful || r.Loan.Since.Seq == 0 || r.Loan.Since.Chain >= record.ForeignChain {
				return
			}
			row := t.outboxRow(r.Loan.Since, record.OutboxRow{})
			all = append(all, Doubt{Key: row.Key, ID: row.ID, Event: row.Event, Note: t.event(r.Loan.Marked).Note})
		})
	})
	return all, err
}

// Right says that the device of an event is where the ledger has it, by the actor's
// word. The error is ErrNotQueued if the event does not say who has it, or nobody doubts
// it.
func (l *Ledger) Right(key RowKey, actor string) (ev checkout.Event, err error) {
	err = l.update(func(t *txn) {
		seq, _ := t.head(key.Chain)
		if key.Seq == 0 || key.Seq > seq {
			t.fail(ErrNotQueued)
		}
		about := t.event(key)
		t.resolve(&about)
		d := t.deviceOr(about.Device)
		if d == nobody || d.row.Loan.Since != key || d.row.Loan.Mark != checkout.MarkDoubtful {
			t.fail(ErrNotQueued)
		}
		ev = t.mark(d, checkout.MarkRight, by(actor, checkout.SourceCLI), "no longer doubtful").Event
	})
	return ev, err
}
