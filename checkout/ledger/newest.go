package ledger

import (
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
)

// openNewest opens the note of the newest event. Without it the ledger works, too.
func (l *Ledger) openNewest() {
	note, err := beside.OpenNote(l.path)
	l.noNote(err)
	l.note = note
}

// noteNewest writes the note.
func (l *Ledger) noteNewest(n record.Newest) { l.noNote(l.note.Write(n)) }

// closeNewest notes that no event follows.
func (l *Ledger) closeNewest() {
	l.noNote(l.note.End())
	l.note = nil
}

// noNote only logs an error, since the event is saved.
func (l *Ledger) noNote(err error) {
	if err != nil {
		l.o.Logger.Warn("can't note the newest event beside the ledger", "err", err)
	}
}

// older returns why this file is not the one of the note, or a later state of it; "" if
// it is.
func (t *txn) older(n record.Newest) string {
	c, at := t.chain(t.l.own), record.At(t.l.own, n.Seq)
	head, _ := t.head(t.l.own)
	switch {
	case c.ID.IsZero():
		return "an empty ledger was put in its place"
	case c.ID != n.Chain:
		return "another ledger was put in its place"
	case head < n.Seq:
		return fmt.Sprintf("an old copy was put back: it ends with event %d, and the ledger had come to event %d", head, n.Seq)
	}
	if p, err := record.Split(t.bucket(record.TreeEvents).Get(record.EventKey(at))); err != nil || p.Hash != n.Hash {
		return fmt.Sprintf("another copy was put in its place: they have gone different ways before event %d", n.Seq)
	}
	return ""
}

// checkNewest compares the file with the note. If it is another file, an event says so,
// and no number is used twice.
func (l *Ledger) checkNewest() error {
	n, ok := beside.ReadNewest(l.path)
	if !ok {
		return nil
	}
	why, newest := "", n
	err := l.viewNow(func(t *txn) {
		if why = t.older(n); why == "" {
			newest.Seq, newest.Hash = t.head(t.l.own)
		}
	})
	if err != nil {
		return err
	}
	if why == "" {
		if newest.Seq != n.Seq { // a kill came between the last commit and its note
			newest.Clean = false
			l.noteNewest(newest)
		}
		return nil
	}
	l.o.Logger.Error("the ledger was replaced", "err", why)
	return l.updateNow(func(t *txn) { t.goOnAfter(n, why) })
}

// goOnAfter appends the event that says why the file is not that of the note n.
func (t *txn) goOnAfter(n record.Newest, why string) {
	head, hash := t.head(t.l.own)
	s := &Salvaged{Replaced: true, Reason: why, At: t.l.o.Stamp().Wall, LastSeq: head}
	last := head
	if t.chain(t.l.own).ID == n.Chain {
		last = max(head, n.Seq)
		if h, err := boltfile.ReadHolder(t.l.path); err == nil && !n.Clean {
			last = max(last, h.Ceiling)
		}
	}
	if last > head {
		s.Lost = [][2]uint64{{head + 1, last}}
		t.setHead(t.l.own, last, hash)
	}
	t.append(&record.Event{Event: checkout.Event{Kind: checkout.Restore, Source: checkout.SourceSystem, Note: why,
		Gap: &checkout.Gap{Seq: head, Hash: hash, Lost: s.Lost}}}, nobody, nobody)
	t.put(record.TreeMeta, metaSalvage, record.Pack(report.SalvagedForm(s)))
}
