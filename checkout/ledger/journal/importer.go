package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/safefile"
	"stump/internal/sitekey"
)

// ErrBusy says that the register can't be changed while an import is applied.
var ErrBusy = hint.Errorf("ask again in a few seconds", "an import of many rows is being applied")

// ErrDecided says that an import will be carried out, though nobody waits for its end.
var ErrDecided = hint.Errorf("it is carried out in the background, or when the daemon starts again", "the import is being applied")

// Options say what an Importer works with.
type Options struct {
	Path string // of the ledger
	Keys *sitekey.Ring
	Log  *slog.Logger
	// Update runs f in a writing transaction, which takes along who waits.
	Update func(f func(tx *bolt.Tx) error) error
	// Apply applies a row in a transaction, and returns what of it can't be done.
	Apply func(tx *bolt.Tx, j *Journal, m *Mark, r books.ImportRow) (late []error, err error)
	// Alone runs f while nobody writes.
	Alone func(f func())
	// Waits reports whether somebody waits to write.
	Waits func() bool
	// Batch is how many rows are applied in a transaction, at most.
	Batch int
}

// Importer brings journals into a ledger, one at a time. An import goes through these
// states. A crash leaves the one that it was in, and Resume goes on from there.
//
//	no mark      nothing has changed
//	mark, place  the rows before that place are in the register, by the transaction that
//	             moved the place; the others follow
//	no mark      done
//
// From the check on, whatever else changes the register has to wait (Busy). What is done
// at the desk goes on: it never makes a row impossible in whole, and what it does is told
// as late.
type Importer struct {
	o    Options
	slot chan struct{} // has one in it while a journal is checked or applied
	quit chan struct{} // closed by Stop
	wg   sync.WaitGroup

	mu    sync.Mutex
	done  chan struct{} // closed at the end of the import; nil: there is none
	stuck error         // why it can't go on, for now
}

// NewImporter returns an importer for a ledger.
func NewImporter(o Options) *Importer {
	return &Importer{o: o, slot: make(chan struct{}, 1), quit: make(chan struct{})}
}

// hold keeps others from changing the register until the returned function is called,
// which gives the slot back, too. A change that is under way is waited for.
func (i *Importer) hold() (release func()) {
	done := make(chan struct{})
	i.o.Alone(func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.done = done
	})
	return func() {
		i.mu.Lock()
		i.done, i.stuck = nil, nil
		i.mu.Unlock()
		close(done)
		<-i.slot
	}
}

// Busy reports whether the register must not be changed.
func (i *Importer) Busy() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.done != nil
}

// Settled waits until no import is being applied, or ctx is done. It does not wait for one
// that the disk has stopped: that is an ErrBusy.
func (i *Importer) Settled(ctx context.Context) error {
	for {
		i.mu.Lock()
		done, stuck := i.done, i.stuck
		i.mu.Unlock()
		switch {
		case done == nil:
			return nil
		case stuck != nil:
			return fmt.Errorf("%w: %w", ErrBusy, stuck)
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second): // it may be stuck meanwhile
		}
	}
}

// Job is an import.
type Job struct {
	Mark Mark
	// Check checks all rows against the register; an error ends the import.
	Check  func() error
	DryRun bool // only Check
	// Decide runs f in the transaction that decides the import.
	Decide func(f func(tx *bolt.Tx) error) error
}

// Import checks the rows of a journal and carries them out. Until it is decided, the end
// of ctx is the end of the import, and afterwards an ErrDecided. late are rows that could
// not be done in whole. The journal is closed.
func (i *Importer) Import(ctx context.Context, j *Journal, job Job) (late []*books.RowError, err error) {
	select {
	case i.slot <- struct{}{}:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), j.Close())
	}
	release := func() { <-i.slot }
	if !job.DryRun {
		release = i.hold()
	}
	if err = job.Check(); err == nil && !job.DryRun {
		err = i.decide(j, &job)
	}
	if err != nil || job.DryRun {
		release()
		return nil, errors.Join(err, j.Close())
	}
	done := make(chan error, 1)
	i.wg.Go(func() {
		defer release()
		var err error
		late, err = i.carryOut(j, job.Mark)
		done <- err
	})
	select {
	case err = <-done:
		return late, err
	case <-ctx.Done():
		return nil, ErrDecided
	}
}

// decide sets the mark: from then on the import is carried out.
func (i *Importer) decide(j *Journal, job *Job) error {
	boltfile.Crash("import-checked")
	job.Mark.ID, job.Mark.End = j.ID, j.end
	if err := j.Keep(); err != nil {
		return errors.Join(notSaved(err), remove(i.o.Path))
	}
	boltfile.Crash("import-kept")
	if err := job.Decide(func(tx *bolt.Tx) error { return put(tx, &job.Mark) }); err != nil {
		return errors.Join(err, remove(i.o.Path))
	}
	return nil
}

// Resume carries out what a crash has interrupted, in the background.
func (i *Importer) Resume(tx func(func(tx *bolt.Tx) error) error) error {
	var m *Mark
	err := tx(func(tx *bolt.Tx) (err error) {
		m, err = get(tx)
		return err
	})
	switch {
	case err != nil:
		return err
	case m == nil:
		// What was being read lies there under another name. It may be another user's.
		_, _ = safefile.RemoveLeftovers(filepath.Dir(i.o.Path), filepath.Base(kept(i.o.Path))+".new-*")
		return remove(i.o.Path)
	}
	j, err := open(i.o.Path, i.o.Keys)
	if err == nil && (j.ID != m.ID || j.end != m.End) {
		err = fmt.Errorf("%w: it is another, or cut off", ErrDamaged)
	}
	if err == nil {
		err = j.Index(func(_, _ books.ImportRow, _ Twice) {})
	}
	if err != nil {
		return i.end(j, err)
	}
	i.o.Log.Info("an import that was interrupted goes on", "kind", m.Kind, "rows", j.Len())
	i.slot <- struct{}{}
	release := i.hold()
	i.wg.Go(func() {
		defer release()
		if _, err := i.carryOut(j, *m); err != nil {
			i.o.Log.Error("the import has not come to its end", "err", err)
		}
	})
	return nil
}

// Stop ends the import that is being applied, after its transaction. Resume goes on.
func (i *Importer) Stop() {
	select {
	case <-i.quit:
	default:
		close(i.quit)
	}
	i.wg.Wait()
}

// end takes the mark away, and the journal. cause is why the rest can't be applied; nil:
// nothing is left.
func (i *Importer) end(j *Journal, cause error) error {
	if cause != nil {
		i.o.Log.Error("the rest of an import is lost; import the file again", "err", cause)
	}
	err := i.o.Update(func(tx *bolt.Tx) error { return put(tx, nil) })
	if j != nil {
		err = errors.Join(err, j.Close())
	}
	return errors.Join(err, remove(i.o.Path))
}

// carryOut applies the rows of a journal from a mark on, in pieces, and ends the import. It
// returns what of the rows could not be done, because the desk was faster. It goes on in
// spite of errors until Stop.
func (i *Importer) carryOut(j *Journal, m Mark) (late []*books.RowError, err error) {
	b := batch{Importer: i, j: j, mark: m}
	for {
		err := i.o.Update(b.apply)
		var wrong *journalError
		switch {
		case errors.As(err, &wrong):
			return late, errors.Join(wrong.error, i.end(j, wrong.error))
		case err != nil && i.stopped(0), err == nil && !b.ended && i.stopped(0):
			return late, errors.Join(ErrDecided, j.Close())
		case err != nil:
			i.setStuck(err)
			i.stopped(time.Second)
			continue
		}
		i.setStuck(nil)
		boltfile.Crash("import-batch")
		b.mark, late = b.next, append(late, b.late...)
		for _, e := range b.late {
			i.o.Log.Warn("a row of the import could not be applied in whole", "line", e.Line, "err", e.Err)
		}
		if b.ended {
			i.o.Log.Info("the import is applied", "rows", j.Len())
			return late, i.end(j, nil)
		}
	}
}

// stopped reports whether Stop is called within a time.
func (i *Importer) stopped(within time.Duration) bool {
	select {
	case <-i.quit:
		return true
	case <-time.After(within):
		return false
	}
}

func (i *Importer) setStuck(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stuck = err
}

// journalError is an error of the journal in a transaction.
type journalError struct{ error }

// batch is a transaction of an import.
type batch struct {
	*Importer
	j    *Journal
	mark Mark

	next  Mark
	late  []*books.RowError
	ended bool
}

// apply applies the next rows, and moves the mark.
func (b *batch) apply(tx *bolt.Tx) error {
	n, refused := 0, error(nil)
	b.next, b.late, b.ended = b.mark, nil, true
	err := b.j.Each(b.mark.Done, func(r books.ImportRow, _, next uint64) bool {
		if n == b.o.Batch || n > 0 && b.o.Waits() {
			b.ended = false
			return false
		}
		n++
		b.next.Done = next
		var late []error
		late, refused = b.o.Apply(tx, b.j, &b.mark, r)
		for _, err := range late {
			b.late = append(b.late, &books.RowError{Line: r.Line, Err: err})
		}
		return refused == nil
	})
	if err != nil {
		return &journalError{err}
	}
	if refused == nil {
		refused = put(tx, &b.next)
	}
	return refused
}

// get reads the mark; nil if there is none.
func get(tx *bolt.Tx) (*Mark, error) {
	b := tx.Bucket(record.TreeMeta.Bucket()).Get(Key)
	if b == nil {
		return nil, nil
	}
	body, err := record.OpenAt(record.TreeMeta, Key, b)
	if err != nil {
		return nil, err
	}
	m, err := record.Unpack(markForm, body)
	return &m, err
}

// put writes the mark; nil takes it away.
func put(tx *bolt.Tx, m *Mark) error {
	b := tx.Bucket(record.TreeMeta.Bucket())
	if m == nil {
		return b.Delete(Key)
	}
	v := record.Envelope{Tree: record.TreeMeta, Rev: uint64(tx.ID()), Key: Key, Body: record.Pack(markForm(m))}
	return b.Put(Key, v.Seal())
}
