package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"stump/checkout/ledger/boltfile"
)

// Backup writes a consistent copy of the ledger while taps go on. The site key
// is not in it.
func (l *Ledger) Backup(w io.Writer) error {
	f := l.copyBeside()
	if f == nil {
		// The day on which a backup is wanted most: the disk is full, or
		// read-only. Few taps wait then, if any.
		if err := l.copyOut(w); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		return nil
	}
	defer f.Close()
	_, err := io.Copy(w, f)
	return err
}

// copyBeside copies the ledger to a file beside it that goes away with us, since
// whoever reads the backup may be slow, and a tap that makes the file grow
// waits for every reader. It returns nil where that can't be done, or need not.
func (l *Ledger) copyBeside() *os.File {
	if l.readOnly || l.room(l.path) != nil {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(l.path), filepath.Base(l.path)+".copy-")
	if err != nil {
		return nil
	}
	err = os.Remove(f.Name())
	if err == nil {
		err = l.copyOut(f)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil
	}
	return f
}

// copyOut writes a copy in one transaction, which is open as long as w takes.
func (l *Ledger) copyOut(w io.Writer) error {
	return l.view(func(t *txn) {
		_, err := t.tx.WriteTo(w)
		t.must(err)
	})
}

// BackupTo writes a backup to path, which appears there only when it is whole
// and on the disk. A file that is there is replaced.
func (l *Ledger) BackupTo(path string) error {
	err := boltfile.Copy(path, l.copyOut)
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
		if err := l.room(path); err != nil {
			r.Bbolt = "not made: " + err.Error()
			return nil
		}
		if err := l.BackupTo(path); err != nil {
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

// room reports whether a copy of the ledger fits beside path, with as much to
// spare for taps.
func (l *Ledger) room(path string) error {
	st, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &fs); err != nil {
		return err
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < 2*st.Size() {
		return fmt.Errorf("%d MB are free, a copy takes %d MB", free>>20, st.Size()>>20)
	}
	return nil
}
