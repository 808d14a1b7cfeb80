package ledger

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
)

// newestPath returns the path of the note of the newest event; see [record.Newest].
func newestPath(path string) string { return path + ".newest" }

// readNewest reads the note. A note that a power cut has torn counts as none, as does one
// that can't be read.
func readNewest(path string) (n record.Newest, ok bool) {
	b, _ := os.ReadFile(newestPath(path))
	return record.ParseNewest(b)
}

// openNewest opens the note for writing. Without a note the ledger works, too.
func (l *Ledger) openNewest() {
	f, err := os.OpenFile(newestPath(l.path), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		l.o.Logger.Warn("can't note the newest event beside the ledger", "err", err)
		return
	}
	l.note = f
}

// noteNewest writes the note. It only logs an error, since the event is saved.
func (l *Ledger) noteNewest(n record.Newest) {
	if l.note == nil {
		return
	}
	if _, err := l.note.WriteAt(n.Line(), 0); err != nil {
		l.o.Logger.Warn("can't note the newest event beside the ledger", "err", err)
	}
}

// closeNewest notes that no event follows.
func (l *Ledger) closeNewest() {
	if l.note == nil {
		return
	}
	if n, ok := readNewest(l.path); ok {
		n.Clean = true
		l.noteNewest(n)
	}
	l.note.Close()
	l.note = nil
}

// forgetNewest removes the note before a salvage or restore replaces the ledger: the
// first event of the new file says what is missing.
func forgetNewest(path string) error {
	if err := os.Remove(newestPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
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
	n, ok := readNewest(l.path)
	if !ok {
		return nil
	}
	why := ""
	if err := l.viewNow(func(t *txn) { why = t.older(n) }); err != nil || why == "" {
		return err
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
