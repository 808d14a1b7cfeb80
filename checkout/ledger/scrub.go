package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stump/checkout/ledger/record"
	"stump/internal/safefile"
)

// metaScrub is there while free pages may hold what was erased.
var metaScrub = []byte("scrub")

// ScrubDue reports whether something was erased since the last Scrub.
func (l *Ledger) ScrubDue() (due bool, err error) {
	err = l.view(func(t *txn) error {
		b, err := t.get(record.TreeMeta, metaScrub)
		due = b != nil
		return err
	})
	return due, err
}

// Scrub writes the file anew, so that nothing that was erased is left on free
// pages. Taps wait meanwhile: some 20 s for 1,000,000 events on a fast machine.
// When ctx ends it gives up at once, and is due as before.
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
	crash("scrub-rename")
	err := os.Rename(tmp, l.path)
	if err == nil {
		err = safefile.SyncDir(filepath.Dir(l.path))
	}
	return errors.Join(err, l.reopen())
}

// rewrite copies what the trees lead to into a new file, in order.
func (l *Ledger) rewrite(ctx context.Context, tmp string) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	s := newSalvager(l.path, l.o, l.keys)
	if err := s.readTrees(untilDone{ctx, f}, st.Size()); err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	s.first = func(t *txn, restate []restated) error {
		if len(restate) > 0 {
			return fmt.Errorf("the loan of %q is not what the events say: run stump verify", restate[0].device)
		}
		if notice, ok := s.rows[record.TreeMeta][string(metaSalvage)]; ok {
			if err := t.put(record.TreeMeta, metaSalvage, notice.body); err != nil {
				return err
			}
		}
		return t.put(record.TreeMeta, metaSegment, l.segment[:])
	}
	return createFile(tmp, s.fill)
}

// untilDone can't be read any more when ctx has ended.
type untilDone struct {
	ctx context.Context
	r   io.ReaderAt
}

func (u untilDone) ReadAt(b []byte, off int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(b, off)
}
