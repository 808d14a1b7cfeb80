package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// metaScrub is there while free pages may hold what was erased.
var metaScrub = []byte("scrub")

// ScrubDue reports whether something was erased since the last Scrub.
func (l *Ledger) ScrubDue() (due bool, err error) {
	err = l.view(func(t *txn) error {
		b, err := t.get(treeMeta, metaScrub)
		due = b != nil
		return err
	})
	return due, err
}

// Scrub writes the file anew, so that nothing that was erased is left on free
// pages. Taps wait meanwhile: some 20 s for 1,000,000 events on a fast machine.
func (l *Ledger) Scrub() error {
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
	if err := l.rewrite(tmp); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	crash("scrub-rename")
	err := os.Rename(tmp, l.path)
	if err == nil {
		err = syncDir(filepath.Dir(l.path))
	}
	return errors.Join(err, l.reopen())
}

// rewrite copies what the trees lead to into a new file, in order.
func (l *Ledger) rewrite(tmp string) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := newSalvager(l.path, l.o, l.keys)
	s.result = &Salvaged{}
	if err := s.read(f); err != nil {
		return err
	}
	s.events = slices.DeleteFunc(s.events, func(e salvagedEvent) bool { return !e.reach })
	s.pick()
	if !s.whole {
		return errors.New("a part of the file can't be read: run stump verify")
	}
	s.first = func(t *txn, restate []restated) error {
		if len(restate) > 0 {
			return fmt.Errorf("the loan of %q is not what the events say: run stump verify", restate[0].device)
		}
		if notice, ok := s.rows[treeMeta][string(metaSalvage)]; ok {
			if err := t.put(treeMeta, metaSalvage, notice.body); err != nil {
				return err
			}
		}
		return t.put(treeMeta, metaSegment, l.segment[:])
	}
	return createFile(tmp, s.fill)
}

// UpkeepOptions are what Upkeep does.
type UpkeepOptions struct {
	Backup BackupOptions // no backup if Dir is empty
	// RetainClosed is how long closed loans keep their names; for ever if zero.
	RetainClosed time.Duration
}

// Upkeep is what a station does once a day, in a quiet hour: it anonymises old
// loans, scrubs the file where something was erased, and makes a backup. It
// does all it can, and joins the errors.
func (l *Ledger) Upkeep(ctx context.Context, o UpkeepOptions) error {
	var errs []error
	if o.RetainClosed > 0 {
		if now := l.o.Stamp(); now.Trusted {
			n, err := l.Anonymise(ctx, now.Wall.Add(-o.RetainClosed))
			errs = append(errs, err)
			if n > 0 {
				l.o.Logger.Info("old loans anonymised", "events", n)
			}
		}
	}
	due, err := l.ScrubDue()
	if err == nil && due {
		err = l.Scrub()
	}
	errs = append(errs, err)
	if o.Backup.Dir != "" {
		path, err := l.AutoBackup(ctx, o.Backup)
		if err == nil {
			l.o.Logger.Info("backup made", "file", path)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
