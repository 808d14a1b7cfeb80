package ledger

import (
	"encoding/binary"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

// schema is the version of the file's layout that this program reads and
// writes. A new field in a row or an event needs no new version; a new tree or
// key does, unless an older program can do without.
//
//	1  a chain for every name that the station had
//	2  one chain, named by the hash of its first event
const schema = 2

// NewerError is a file that a newer program wrote.
type NewerError struct {
	Path          string
	Schema, Known uint64
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the ledger %s has schema version %d, this program knows up to %d", e.Path, e.Schema, e.Known)
}

// Hint says what to do.
func (e *NewerError) Hint() string {
	return fmt.Sprintf("use a newer stump; a copy from before the migration is %s, which `stump restore` takes", beforeSchema(e.Path, e.Known))
}

// beforeSchema is where the copy of a file of an older schema is kept.
func beforeSchema(path string, version uint64) string {
	return fmt.Sprintf("%s.schema-%d", path, version)
}

// readSchema returns the version of the file.
func (l *Ledger) readSchema() (v uint64, err error) {
	err = l.db.View(func(tx *bolt.Tx) error {
		t := &txn{l: l, tx: tx}
		if tx.Bucket(record.TreeMeta.Bucket()) == nil {
			return t.damaged("the tree %q is missing", record.TreeMeta)
		}
		b, err := t.get(record.TreeMeta, metaSchema)
		if err != nil {
			return err
		}
		var w int
		if v, w = binary.Uvarint(b); w <= 0 || v == 0 {
			return t.damaged("no schema version")
		}
		return nil
	})
	return v, err
}

// migrate brings an older file to the newest schema, in one transaction: after a
// check of the whole, with a copy of the file beside it, and with another check
// before the commit. A newer file is refused. What is open for reading only is
// read as it is.
func (l *Ledger) migrate() error {
	v, err := l.readSchema()
	switch {
	case err != nil || v == schema:
		return err
	case v > schema:
		return &NewerError{l.path, v, schema}
	}
	err = l.db.View(func(tx *bolt.Tx) (err error) {
		t := &txn{l: l, tx: tx}
		if l.old, err = t.readSchema1(); err != nil || l.readOnly {
			return err
		}
		l.own = l.old.own
		return t.sound()
	})
	if err != nil || l.readOnly {
		return err
	}
	aside := beforeSchema(l.path, v)
	l.o.Logger.Info("migrating the ledger", "from", v, "to", schema, "copy", aside)
	err = boltfile.Copy(aside, func(f io.Writer) error {
		return l.db.View(func(tx *bolt.Tx) error {
			_, err := tx.WriteTo(f)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("copy the ledger before its migration: %w", err)
	}
	old := l.old
	l.old = nil
	err = l.db.Update(func(tx *bolt.Tx) error {
		t := &txn{l: l, tx: tx}
		if err := t.applySchema2(old); err != nil {
			return err
		}
		return t.sound()
	})
	if err != nil {
		return fmt.Errorf("migrate the ledger from schema version %d to %d (nothing is changed): %w", v, schema, err)
	}
	return nil
}

// sound checks the whole file in one transaction; a fault is a *DamagedError.
func (t *txn) sound() error {
	v := newVerifier(t.l, VerifyOptions{})
	for v.more {
		if err := v.batch(t); err != nil {
			return err
		}
	}
	if len(v.r.Faults) > 0 {
		return t.damaged("%s: %s", v.r.Faults[0].What, v.r.Faults[0].Detail)
	}
	return nil
}
