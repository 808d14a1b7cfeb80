package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"syscall"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

// newest is the note of the ledger's newest event, in a small file beside it. An
// old copy of the ledger that is put back, by hand or by damage that forges a meta
// page, ends before it. The note is written after each commit and not synced: a
// power cut may leave an older note, never a newer one.
type newest struct {
	chain, hash checkout.Hash
	seq         uint64
	clean       bool // the ledger was closed after it: there is no later event
}

// newestPath is where the note is.
func newestPath(path string) string { return path + ".newest" }

// line is the note as the file has it: always of the same length, so that it is
// written over in place.
func (n newest) line() []byte {
	end := 'o'
	if n.clean {
		end = 'c'
	}
	s := fmt.Sprintf("%x %020d %x %c", n.chain[:], n.seq, n.hash[:], end)
	return fmt.Appendf(nil, "%s %08x\n", s, crc32.ChecksumIEEE([]byte(s)))
}

// readNewest reads the note. One that a power cut has torn counts as none.
func readNewest(path string) (n newest, ok bool) {
	b, err := os.ReadFile(newestPath(path))
	if err != nil {
		return n, false
	}
	var chain, hash []byte
	var end rune
	if _, err := fmt.Sscanf(string(b), "%x %d %x %c", &chain, &n.seq, &hash, &end); err != nil || len(chain) != record.HashLen || len(hash) != record.HashLen {
		return n, false
	}
	n.chain, n.hash, n.clean = checkout.Hash(chain), checkout.Hash(hash), end == 'c'
	return n, bytes.Equal(n.line(), b)
}

// openNewest opens the note for writing; nil where that can't be done.
func (l *Ledger) openNewest() {
	f, err := os.OpenFile(newestPath(l.path), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		l.o.Logger.Warn("can't note the newest event beside the ledger", "err", err)
		return
	}
	l.note = f
}

// noteNewest writes the note. It is best effort: the event is saved.
func (l *Ledger) noteNewest(n newest) {
	if l.note == nil {
		return
	}
	if _, err := l.note.WriteAt(n.line(), 0); err != nil {
		l.o.Logger.Warn("can't note the newest event beside the ledger", "err", err)
	}
}

// closeNewest notes that nothing follows.
func (l *Ledger) closeNewest() {
	if l.note == nil {
		return
	}
	if n, ok := readNewest(l.path); ok {
		n.clean = true
		l.noteNewest(n)
	}
	l.note.Close()
	l.note = nil
}

// forgetNewest takes the note away: what is put in the ledger's place says by
// itself what is missing.
func forgetNewest(path string) error {
	if err := os.Remove(newestPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// older tells in what way this file is not the one that the note is of; "" where
// it is, or goes on from there.
func (t *txn) older(n newest) string {
	c, at := t.chain(t.l.own), record.At(t.l.own, n.seq)
	head, _ := t.head(t.l.own)
	switch {
	case c.ID.IsZero():
		return "an empty ledger was put in its place"
	case c.ID != n.chain:
		return "another ledger was put in its place"
	case head < n.seq:
		return fmt.Sprintf("an old copy was put back: it ends with event %d, and the ledger had come to event %d", head, n.seq)
	}
	if p, err := record.Split(t.bucket(record.TreeEvents).Get(record.EventKey(at))); err != nil || p.Hash != n.hash {
		return fmt.Sprintf("another copy was put in its place: they have gone different ways before event %d", n.seq)
	}
	return ""
}

// checkNewest compares the file with the note. What ends before it begins a new
// segment, whose first event says so; no number is given twice.
func (l *Ledger) checkNewest() error {
	n, ok := readNewest(l.path)
	if !ok {
		return nil
	}
	why := ""
	if err := l.viewNow(func(t *txn) { why = t.older(n) }); err != nil || why == "" {
		return err
	}
	l.o.Logger.Error("the ledger is not the one that it was", "err", why)
	return l.updateNow(func(t *txn) { t.goOnAfter(n, why) })
}

// goOnAfter begins a new segment after the note n.
func (t *txn) goOnAfter(n newest, why string) {
	head, hash := t.head(t.l.own)
	s := &Salvaged{Replaced: true, Reason: why, At: t.l.o.Stamp().Wall, LastSeq: head}
	last := head
	if t.chain(t.l.own).ID == n.chain {
		last = max(head, n.seq)
		if h, err := boltfile.ReadHolder(t.l.path); err == nil && !n.clean {
			last = max(last, h.Ceiling)
		}
	}
	if last > head {
		s.Lost = [][2]uint64{{head + 1, last}}
		t.setHead(t.l.own, last, hash)
	}
	t.append(&record.Event{Event: checkout.Event{Kind: checkout.Restore, Source: checkout.SourceSystem, Note: why,
		Gap: &checkout.Gap{Seq: head, Hash: hash, Lost: s.Lost}}}, nobody, nobody)
	t.put(record.TreeMeta, metaSalvage, salvagedForm.Encode(s))
}
