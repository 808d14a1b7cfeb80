package ledger

import (
	"context"
	"fmt"
	"io"
	"os"

	"stump/checkout/ledger/boltfile"
)

// Snapshot is a consistent copy of the ledger in a file without a name; see boltfile.Snapshot.
// The site key is not in it. It is nil where a copy beside the ledger can't be made, or need
// not: Backup works even then.
func (l *Ledger) Snapshot(ctx context.Context, progress func(done, total uint64)) (*os.File, error) {
	if l.readOnly {
		return nil, nil
	}
	return boltfile.Snapshot(ctx, l.path, progress, l.copyOut)
}

// Backup writes a consistent copy of the ledger while taps go on, though one that makes the
// file grow waits until w has taken all: for the day on which a backup is wanted most, when
// the disk is full or read-only, and Snapshot can't be made. The site key is not in it.
func (l *Ledger) Backup(w io.Writer) error {
	if err := l.copyOut(w); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// copyOut writes a copy in one transaction, which is open as long as w takes.
func (l *Ledger) copyOut(w io.Writer) error {
	return l.viewWhole(func(t *txn) {
		if c, ok := w.(*boltfile.Copying); ok {
			c.Total = uint64(t.tx.Size())
		}
		_, err := t.tx.WriteTo(w)
		t.must(err)
	})
}

// BackupTo writes a backup to path, which appears there only when it is whole
// and on the disk. A file that is there is replaced.
func (l *Ledger) BackupTo(ctx context.Context, path string) error {
	err := boltfile.Copy(ctx, path, l.copyOut)
	if err != nil {
		return fmt.Errorf("backup to %s: %w", path, err)
	}
	return nil
}

// ErrNotChecked is a check that came to no end: it says nothing of the file.
var ErrNotChecked = boltfile.ErrNotChecked

// checkCopy has bbolt's check run over a copy of the file, since a process
// that holds the ledger holds its lock too.
func (l *Ledger) checkCopy(ctx context.Context, check func(context.Context, string) error, r *Report) error {
	copyTo := l.BackupTo
	if l.readOnly {
		copyTo = nil
	}
	said, fault, err := boltfile.CheckCopy(ctx, l.path, copyTo, check)
	if r.Bbolt = said; fault != nil {
		r.Add("bbolt", "%v", fault)
	}
	return err
}
