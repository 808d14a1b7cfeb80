package ledger

import (
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// MailSink is the sink of mails. It gets a row for each message: that of the first of the
// events that the message tells of.
const MailSink = record.MailSink

// Remind commits that a person is told now of loans that they have, all in one message, in
// place of messages that they have not got. It does nothing where a loan is no longer as it
// was read, or such a message may have gone out. It reports whether it did.
func (l *Ledger) Remind(says []books.Saying, unread ...RowKey) (done bool, err error) {
	err = l.update(func(t *txn) {
		v := t.loansNow()
		for _, s := range says {
			now, ok := v.loan(s.Loan.DeviceID, t.find(record.TreeDevices, s.Loan.DeviceID).row)
			if !ok || !now.Same(s.Loan) || now.PersonID != says[0].Loan.PersonID {
				return
			}
		}
		for _, key := range unread {
			if row, waits := t.getOutbox(MailSink, key); waits && (row.Touched || row.State.Stuck()) {
				return
			}
		}
		t.removeOutbox(MailSink, unread, nil)
		p := t.find(record.TreePeople, says[0].Loan.PersonID)
		p.row.Reminded, done = t.l.o.Stamp().Wall, true
		for i, s := range says {
			ev := by("", checkout.SourceSystem)
			ev.Kind, ev.Stage, ev.Due, ev.Part, ev.Again = checkout.Remind, s.Stage, s.Loan.Due, i, s.Again
			t.append(ev, p, t.find(record.TreeDevices, s.Loan.DeviceID))
		}
	})
	return done && err == nil, err
}

// reminded notes that the message of an event was sent now.
func (t *txn) reminded(first record.Ref) {
	ev, now := t.event(first), t.l.o.Stamp()
	if p := t.known(record.TreePeople, t.isNow(ev.Person)); p != nobody && now.Trusted {
		p.row.Reminded = now.Wall
		t.save(p)
	}
}

// metaDigest is the place of the last digest.
var metaDigest = []byte("digest")

// Digest commits that it is time to tell the admin how much is overdue, in the words of a
// note, unless that was so after a time. It reports whether it did.
func (l *Ledger) Digest(after time.Time, note string) (done bool, err error) {
	err = l.update(func(t *txn) {
		if last, ok := record.ParseEventKey(t.get(record.TreeMeta, metaDigest)); ok {
			if at := t.event(last).At.Wall; at.After(after) && at.Before(t.l.o.Stamp().Wall.Add(24*time.Hour)) {
				return // a clock that was set back a little changes nothing
			}
		}
		ev := by("", checkout.SourceSystem)
		ev.Kind, ev.Note, done = checkout.Digest, note, true
		t.append(ev, nobody, nobody)
		t.put(record.TreeMeta, metaDigest, record.EventKey(record.At(t.l.own, ev.Seq)))
	})
	return done && err == nil, err
}
