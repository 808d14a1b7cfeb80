package ledger

import (
	"context"
	"errors"
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/rotation"
)

// Backups in a folder.
type (
	// BackupOptions is rotation.Options.
	BackupOptions = rotation.Options
	// Backup is rotation.Backup.
	Backup = rotation.Backup
)

// AutoBackup is rotation.Rotate of this ledger.
func (l *Ledger) AutoBackup(ctx context.Context, o BackupOptions) (b Backup, err error) {
	if err := l.Settled(ctx); err != nil {
		return b, err
	}
	s, err := l.source(o)
	if err != nil {
		return b, err
	}
	return rotation.Rotate(ctx, o, s)
}

// source is this ledger, to be backed up.
func (l *Ledger) source(o BackupOptions) (rotation.Source, error) {
	s := rotation.Source{Path: l.path, At: l.o.Stamp().Wall, Chains: map[checkout.Hash]uint16{}, CopyOut: l.copyOut, Identify: identify,
		Verify: func(ctx context.Context, file string) error { return l.verifyBackup(ctx, file, o) }}
	err := l.view(func(t *txn) {
		for i, c := range t.chains() {
			s.Chains[c.ID] = i
		}
		s.Newest.Chain = t.chain(l.own).ID
		s.Newest.Seq, _ = t.head(l.own)
	})
	return s, err
}

// verifyBackup verifies a backup.
func (l *Ledger) verifyBackup(ctx context.Context, file string, o BackupOptions) error {
	var damaged *boltfile.DamagedError
	c, err := OpenReadOnly(file, l.o)
	if errors.As(err, &damaged) {
		return fmt.Errorf("%w: %s", rotation.ErrBad, damaged.Reason)
	} else if err != nil {
		return err
	}
	defer c.Close()
	report, err := c.Verify(ctx, VerifyOptions{Check: o.Check})
	if err == nil && !report.OK() {
		err = fmt.Errorf("%w: %v", rotation.ErrBad, report)
	}
	return err
}

// identify reads the identity of a ledger's file, which needs no key.
func identify(path string) (id rotation.Identity, err error) {
	id.File = path
	db, file, err := boltfile.Open(path, boltfile.Options{ReadOnly: true})
	if err != nil {
		return id, err
	}
	defer boltfile.Shut(path, db, file)
	l := &Ledger{core: &core{path: path, readOnly: true, db: db}}
	err = l.guard(func() error {
		return l.viewNow(func(t *txn) {
			t.checkTrees()
			own, chains := t.ownChain()
			id.Txid, id.Chain = t.tx.ID(), chains[own].ID
			if id.Seq, _ = t.head(own); id.Seq == 0 {
				return
			}
			ev, err := record.Decode(t.bucket(record.TreeEvents).Get(record.EventKey(record.At(own, id.Seq))))
			if err != nil {
				t.damaged("event %d: %v", id.Seq, err)
			}
			id.Station = ev.Station
		})
	})
	return id, err
}

// ownChain returns the chains of a file of any schema, and which one is its own.
func (t *txn) ownChain() (own uint16, chains map[uint16]record.Chain) {
	if t.readSchema() != 1 {
		return t.readOwn(), t.chains()
	}
	chains = t.chains1()
	for i, c := range chains {
		if !c.ID.IsZero() {
			own = max(own, i)
		}
	}
	return own, chains
}
