package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

// schema is the version of the file's layout. A new field of a row or event needs no new
// version. A new tree or key does, unless an older program can ignore it.
//
//	1  a chain for each name of the station
//	2  one chain, named by the hash of its first event
const schema = 2

// NewerError says that a newer program wrote the file.
type NewerError struct {
	Path          string
	Schema, Known uint64
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the ledger %s has schema version %d, this program knows up to %d", e.Path, e.Schema, e.Known)
}

// Hint says what to do.
func (e *NewerError) Hint() string {
	return fmt.Sprintf("use a newer stump; `stump restore` takes the copy from before the migration, %s", beside.BeforeSchema(e.Path, e.Known))
}

// readSchema returns the version of the file.
func (t *txn) readSchema() uint64 {
	if t.bucket(record.TreeMeta) == nil {
		t.damaged("the tree %q is missing", record.TreeMeta)
	}
	v, w := binary.Uvarint(t.get(record.TreeMeta, metaSchema))
	if w <= 0 || v == 0 {
		t.damaged("no schema version")
	}
	return v
}

// migrate brings an older file to the newest schema in one transaction. It checks the
// whole file, copies it, and checks it again before the commit. A newer file is refused.
// A file that is open for reading only is read as it is.
func (l *Ledger) migrate() error {
	var v uint64
	err := l.viewNow(func(t *txn) { v = t.readSchema() })
	switch {
	case err != nil || v == schema:
		return err
	case v > schema:
		return &NewerError{l.path, v, schema}
	}
	err = l.viewNow(func(t *txn) {
		l.old = t.readSchema1()
		if l.own = l.old.Own; !l.readOnly {
			t.sound()
		}
	})
	if err != nil || l.readOnly {
		return err
	}
	aside := beside.BeforeSchema(l.path, v)
	l.o.Logger.Info("migrating the ledger", "from", v, "to", schema, "copy", aside)
	err = boltfile.Copy(context.Background(), aside, func(f io.Writer) error {
		return l.viewNow(func(t *txn) {
			_, err := t.tx.WriteTo(f)
			t.must(err)
		})
	})
	if err != nil {
		return fmt.Errorf("copy the ledger before its migration: %w", err)
	}
	old := l.old
	l.old = nil
	err = l.updateNow(func(t *txn) {
		t.applySchema2(old)
		t.sound()
	})
	if err != nil {
		return fmt.Errorf("migrate the ledger from schema version %d to %d (nothing is changed): %w", v, schema, err)
	}
	return nil
}

// sound verifies the whole file in this transaction, which ends with a *DamagedError at
// the first fault.
func (t *txn) sound() {
	v := newVerifier(t.l, VerifyOptions{})
	for v.more {
		v.batch(t)
	}
	if len(v.r.Faults) > 0 {
		t.damaged("%s: %s", v.r.Faults[0].What, v.r.Faults[0].Detail)
	}
}
