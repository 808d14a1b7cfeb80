package ledger

import (
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// errInterrupted is what readers of a file are told whose import nobody carries out.
var errInterrupted = hint.Errorf("start the daemon, which finishes it", "an import into this ledger was interrupted")

// Tests set other numbers.
var (
	fewRows   = 500 // that are imported in one transaction
	batchRows = 500 // that are applied in one transaction, at most
)

// checkBatch is how many rows are checked in one transaction.
const checkBatch = 500

// newImporter returns what imports many rows into this ledger.
func (l *Ledger) newImporter() *journal.Importer {
	var t *txn // of the rows before
	return journal.NewImporter(journal.Options{
		Path: l.path, Keys: l.keys, Log: l.o.Logger, Batch: batchRows,
		Update: func(f func(*bolt.Tx) error) error {
			l.writing.MakeRoom()
			return l.updateMany(func(t *txn) { t.must(f(t.tx)) })
		},
		Alone: func(f func()) {
			l.writing.Lock()
			defer l.writing.Unlock()
			f()
		},
		Waits: l.waits,
		Apply: func(tx *bolt.Tx, j *journal.Journal, m *journal.Mark, r books.ImportRow) ([]error, error) {
			if t == nil || t.tx != tx {
				t = &txn{l: l, tx: tx}
			}
			return t.importLate(j, m, r)
		},
	})
}

// importLate applies a row. What the desk has made impossible since the check is left out.
func (t *txn) importLate(j *journal.Journal, m *journal.Mark, r books.ImportRow) (late []error, err error) {
	left := []books.ImportRow{r, r, r, r, r}
	left[1].Holder = ""
	left[2].Tag = checkout.Tag{}
	left[3].Holder, left[3].Tag = "", checkout.Tag{}
	left[4].Holder, left[4].Tag, left[4].Status = "", checkout.Tag{}, ""
	for i, r := range left {
		if i > 0 && r == left[i-1] || i == 3 && r == left[1] {
			continue
		}
		err := t.try(func(t *txn) { t.importRow(j, m.Kind, r, by(m.Actor, m.Source)) })
		var damaged *DamagedError
		if err == nil || errors.As(err, &damaged) {
			return late, err
		}
		late = append(late, err)
	}
	return late, nil
}

// importBig checks the rows of a journal against the register and carries them out.
func (l *Ledger) importBig(ctx context.Context, c *importCheck) (books.Imported, error) {
	late, err := l.importer.Import(ctx, c.j, journal.Job{
		Mark: journal.Mark{Kind: c.kind, Actor: c.o.Actor, Source: c.o.Source}, DryRun: c.o.DryRun,
		Check: func() error {
			for more := true; more; {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := l.viewAny(func(t *txn) { more = c.rows(t, checkBatch) }); err != nil {
					return err
				}
			}
			return c.bad.Err()
		},
		Decide: func(f func(*bolt.Tx) error) error {
			return l.update(func(t *txn) { t.must(f(t.tx)); t.countImport() })
		},
	})
	c.n.Late = late
	return c.n, err
}

// unlessImporting ends a transaction that would change the register during an import.
func (t *txn) unlessImporting() {
	if t.l.Importing() {
		t.fail(journal.ErrBusy)
	}
}

// Importing reports whether an import is being applied, which Close leaves to the next Open.
func (l *Ledger) Importing() bool { return l.importer.Busy() }

// Settled waits until no import is being applied, or ctx is done. It does not wait for one
// that the disk has stopped: that is a journal.ErrBusy.
func (l *Ledger) Settled(ctx context.Context) error { return l.importer.Settled(ctx) }

// Whole returns the same ledger for those who must see all of an import or nothing of it:
// lists wait until it is applied. A tap, which never waits, may see either.
func (l *Ledger) Whole() *Ledger { return &Ledger{core: l.core, terms: l.terms, whole: true} }

// viewWhole is view of a register without a part of an import.
func (l *Ledger) viewWhole(f func(*txn)) error {
	for tries := 0; ; tries++ {
		err := l.viewAny(func(t *txn) {
			if t.get(record.TreeMeta, journal.Key) != nil {
				t.fail(journal.ErrBusy)
			}
			f(t)
		})
		switch {
		case !errors.Is(err, journal.ErrBusy), tries > 2:
			return err
		case l.readOnly:
			return errInterrupted
		}
		if err := l.Settled(context.Background()); err != nil {
			return err
		}
	}
}
