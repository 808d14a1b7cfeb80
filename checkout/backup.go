package checkout

import (
	"io"

	bolt "go.etcd.io/bbolt"
)

// Backup writes a consistent copy of the file while taps go on. The transaction
// is open as long as w takes, so w should be a file, not a network. The site
// key is not in it.
func (l *Ledger) Backup(w io.Writer) error {
	return l.view(func(t *txn) error { return copyTo(t.tx, w) })
}

func copyTo(tx *bolt.Tx, w io.Writer) error {
	_, err := tx.WriteTo(w)
	return err
}
