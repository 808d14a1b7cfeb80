package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/internal/safefile"
)

// metaScrub exists while free pages may hold erased values.
var metaScrub = []byte("scrub")

// ScrubDue reports whether something was erased since the last Scrub.
func (l *Ledger) ScrubDue() (due bool, err error) {
	err = l.view(func(t *txn) { due = t.get(record.TreeMeta, metaScrub) != nil })
	return due, err
}

// Scrub rewrites the file, so that its free pages hold no erased values. Taps wait for
// it: about 20 s with 1,000,000 events on a fast machine. When ctx ends it gives up at
// once and stays due.
func (l *Ledger) Scrub(ctx context.Context) error {
	if l.readOnly {
		return ErrReadOnly
	}
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.ensure(); err != nil {
		return err
	}
	tmp := l.path + ".scrubbed"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := l.rewrite(ctx, tmp); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	boltfile.Crash("scrub-rename")
	err := os.Rename(tmp, l.path)
	if err == nil {
		err = safefile.SyncDir(filepath.Dir(l.path))
	}
	return errors.Join(err, l.reopen())
}

// rewrite copies all rows into a new file, in order.
func (l *Ledger) rewrite(ctx context.Context, tmp string) error {
	return boltfile.Create(tmp, func(to *bolt.DB) error {
		// The file has a temporary name, so one sync at the end is enough.
		to.NoSync = true
		defer func() { to.NoSync = false }()
		for _, tr := range record.Trees {
			if err := l.copyTree(ctx, to, tr); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyTree copies the rows of a tree, some in each transaction.
func (l *Ledger) copyTree(ctx context.Context, to *bolt.DB, tr record.Tree) error {
	const batch = 1000
	return l.view(func(t *txn) {
		c := t.bucket(tr).Cursor()
		k, v := c.First()
		for first := true; first || k != nil; first = false {
			t.must(ctx.Err())
			t.must(to.Update(func(tx *bolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists(tr.Bucket())
				for n := 0; err == nil && k != nil && n < batch; n++ {
					b.FillPercent = 1
					if tr != record.TreeMeta || !bytes.Equal(k, metaScrub) { // done by this scrub
						err = b.Put(k, v)
					}
					k, v = c.Next()
				}
				return err
			}))
		}
	})
}
