package ledger

import (
	"encoding/binary"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/record"
)

// schema is the layout of the file that this code reads and writes, and how to
// get there from older ones: steps[n] makes version n+1 of version n. A new
// field in a row or an event needs no new version; a new tree or key does, unless
// an older program can do without.
var schema = struct {
	version uint64
	steps   map[uint64]func(*txn) error
}{version: 1}

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
	return fmt.Sprintf("use a newer stump; a copy from before the migration is %s.schema-%d, which `stump restore` takes", e.Path, e.Known)
}

// migrate brings an older file to the newest schema, in one transaction, after
// a backup beside it. A newer file is refused.
func (l *Ledger) migrate() error {
	var v uint64
	err := l.db.View(func(tx *bolt.Tx) error {
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
	switch {
	case err != nil || v == schema.version:
		return err
	case v > schema.version:
		return &NewerError{l.path, v, schema.version}
	case l.readOnly:
		return fmt.Errorf("the ledger %s has the older schema version %d: open it with the daemon once", l.path, v)
	}
	aside := fmt.Sprintf("%s.schema-%d", l.path, v)
	err = copyFile(aside, func(f io.Writer) error {
		return l.db.View(func(tx *bolt.Tx) error {
			_, err := tx.WriteTo(f)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("backup before the migration of the ledger: %w", err)
	}
	l.o.Logger.Info("migrating the ledger", "from", v, "to", schema.version, "backup", aside)
	err = l.db.Update(func(tx *bolt.Tx) error {
		t := &txn{l: l, tx: tx}
		for from := v; from < schema.version; from++ {
			if err := schema.steps[from](t); err != nil {
				return err
			}
		}
		return t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema.version))
	})
	if err != nil {
		return fmt.Errorf("migrate the ledger from schema version %d to %d (backup: %s): %w", v, schema.version, aside, err)
	}
	return nil
}
