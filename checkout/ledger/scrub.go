package ledger

import (
	"context"
	"time"

	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

// metaScrub exists while free pages may hold erased values.
var metaScrub = []byte("scrub")

// ScrubDue reports whether something was erased since the last Scrub.
func (l *Ledger) ScrubDue() (due bool, err error) {
	err = l.view(func(t *txn) { due = t.get(record.TreeMeta, metaScrub) != nil })
	return due, err
}

// Scrub overwrites the file's free pages, which hold erased values: it fills them with
// empty rows of a tree of its own, some in each transaction, and removes that tree. Taps go
// on meanwhile. When ctx ends it gives up and stays due.
func (l *Ledger) Scrub(ctx context.Context) error {
	if l.readOnly {
		return ErrReadOnly
	}
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	if err := l.awaitReaders(ctx); err != nil {
		return err
	}
	next := uint64(0)
	for free, full := 0, false; !full; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows := boltfile.FillRows(free)
		if err := l.update(func(t *txn) { t.must(boltfile.Fill(t.tx, next, rows)) }); err != nil {
			return err
		}
		next += rows
		boltfile.Crash("scrub-fill")
		free, full = l.freePages()
	}
	return l.update(func(t *txn) {
		t.must(boltfile.Unfill(t.tx))
		t.delete(record.TreeMeta, metaScrub)
	})
}

// freePages returns how many pages the next transaction can use, and whether the newest has
// used all that it could.
func (l *Ledger) freePages() (free int, full bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.db == nil {
		return 0, true
	}
	s := l.db.Stats()
	return s.FreePageN + s.PendingPageN, s.FreePageN == 0
}

// awaitReaders waits until every transaction has ended that may read a page that is free
// for those after it.
func (l *Ledger) awaitReaders(ctx context.Context) error {
	for {
		if err := l.ensure(); err != nil {
			return err
		}
		l.mu.RLock()
		open := l.db != nil && l.db.Stats().OpenTxN > 0
		l.mu.RUnlock()
		if !open {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}
