package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stump/checkout/ledger/boltfile"
)

// Snapshot is a consistent copy of the ledger in a file without a name, which is gone when
// it is closed: whoever reads a backup may be slow, and a tap that makes the file grow waits
// for every reader. The site key is not in it. It is nil where a copy beside the ledger
// can't be made, or need not: Backup works even then. progress may be nil; it gets the bytes
// that are copied, and how many there are.
func (l *Ledger) Snapshot(ctx context.Context, progress func(done, total uint64)) (*os.File, error) {
	if l.readOnly || boltfile.Room(l.path, l.path) != nil {
		return nil, nil
	}
	f, err := os.CreateTemp(filepath.Dir(l.path), filepath.Base(l.path)+".copy-")
	if err != nil {
		return nil, nil
	}
	to := &boltfile.Copying{Context: ctx, File: f, Progress: progress}
	if err = os.Remove(f.Name()); err == nil {
		err = l.copyOut(to)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case to.Full:
		return nil, nil
	}
	return nil, fmt.Errorf("backup: %w", err)
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
var ErrNotChecked = errors.New("the check came to no end")

// checkCopy has bbolt's check run over a copy of the file, since a process
// that holds the ledger holds its lock too.
func (l *Ledger) checkCopy(ctx context.Context, check func(context.Context, string) error, r *Report) error {
	path := l.path
	if !l.readOnly {
		path = l.path + ".check"
		defer os.Remove(path)
		if err := boltfile.Room(l.path, path); err != nil {
			r.Bbolt = "not made: " + err.Error()
			return nil
		}
		if err := l.BackupTo(ctx, path); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			r.Bbolt = "not made: " + err.Error()
			return nil
		}
	}
	err := check(ctx, path)
	if cerr := ctx.Err(); cerr != nil {
		return cerr
	}
	switch {
	case err == nil:
		r.Bbolt = "passed"
	case errors.Is(err, ErrNotChecked):
		r.Bbolt = "not made: " + err.Error()
	default:
		r.Bbolt = "failed"
		r.Add("bbolt", "%v", err)
	}
	return nil
}
