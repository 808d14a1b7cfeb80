package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/lane"
	"stump/checkout/ledger/record"
	"stump/internal/hint"
)

// Health returns how the disk behaves.
func (l *Ledger) Health() Health { return l.commits.Health() }

// view runs f in a reading transaction. It returns the error with which f failed.
func (l *Ledger) view(f func(*txn)) error {
	if l.whole {
		return l.viewWhole(f)
	}
	return l.viewAny(f)
}

func (l *Ledger) viewAny(f func(*txn)) error {
	if err := l.ensure(); err != nil {
		return err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.db == nil {
		return ErrClosed
	}
	err := l.guard(func() error { return l.viewNow(f) })
	var damaged *DamagedError
	if errors.As(err, &damaged) && !l.readOnly {
		l.suspect(damaged)
	}
	return err
}

// viewNow is view without locks or recovery, while no one else uses the file.
func (l *Ledger) viewNow(f func(*txn)) error {
	return l.db.View(func(tx *bolt.Tx) error { return (&txn{l: l, tx: tx}).try(f) })
}

// updateNow is update without locks or recovery, while no one else uses the file.
func (l *Ledger) updateNow(f func(*txn)) error {
	return l.db.Update(func(tx *bolt.Tx) error { return (&txn{l: l, tx: tx}).try(f) })
}

// viewForTap is view for what a tap needs: it salvages at once when it meets damage.
func (l *Ledger) viewForTap(f func(*txn)) error {
	err := l.view(f)
	var damaged *DamagedError
	if l.readOnly || !errors.As(err, &damaged) {
		return err
	}
	l.writing.Lock()
	mended := l.salvageNow(damaged)
	l.writing.Unlock()
	if mended {
		return l.view(f)
	}
	return err
}

// suspect leaves a note of damage for the next OpenOrSalvage. Taps go on, since they
// did not meet it.
func (l *Ledger) suspect(d *DamagedError) {
	if !l.suspected.CompareAndSwap(nil, d) {
		return
	}
	l.o.Logger.Error("the ledger is damaged; it will be salvaged at the next start", "err", d)
	if err := beside.NoteSuspect(l.path, d.Reason); err != nil {
		l.o.Logger.Error("can't leave a note of the damage", "err", err)
	}
}

// salvageNow sets the file aside and goes on with what could be saved, so that a tap
// can be committed. It does so once in a run: if it happens again, the disk can't be
// trusted. The caller holds writing.
func (l *Ledger) salvageNow(d *DamagedError) bool {
	if l.salvages++; l.salvages > 1 {
		return false
	}
	l.o.Logger.Error("salvaging the ledger", "err", d)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	s, err := salvage(l.path, d.Reason, l.o)
	if err == nil {
		err = l.reopen()
	}
	if l.note != nil { // the salvage removed the note of the old file
		l.note.Close()
		l.openNewest()
	}
	if err != nil {
		l.o.Logger.Error("the ledger can't be salvaged", "err", err)
		return false
	}
	l.suspected.Store(nil)
	l.o.Logger.Error(s.String())
	return true
}

// ensure opens the file again after a fault has closed it.
func (l *Ledger) ensure() error {
	l.mu.RLock()
	ok, closed := l.db != nil, l.closed
	l.mu.RUnlock()
	switch {
	case closed:
		return ErrClosed
	case ok:
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.db != nil || l.closed {
		return nil
	}
	return l.reopen()
}

// guard runs f, and turns bbolt's panics at a damaged file into an error.
func (l *Ledger) guard(f func() error) (err error) {
	defer boltfile.Recover(l.path, &err)()
	return f()
}

// callerError marks an error of the caller of update: the disk is fine.
type callerError struct{ error }

func (e callerError) Unwrap() error { return e.error }

// update agrees to the terms of a change, runs it in a writing transaction and returns when it is on the disk. If it
// fails, update writes nothing and returns its error. If the disk fails, nothing is saved and
// the error wraps ErrCannotSave. update then reopens the file, because after a failed
// write or sync neither bbolt's state nor the kernel's cached pages can be trusted.
func (l *Ledger) update(change func(*txn)) error {
	if l.readOnly {
		return ErrReadOnly
	}
	l.writing.Come()
	defer l.writing.Gone()
	f := l.agreed(change)
	if rode, err := l.writing.Enter(lane.NewRider(f)); rode {
		return err
	}
	defer l.writing.Unlock()
	return l.write(f, nil)
}

// updateMany is update for a change of many rows, which stops when somebody waits (see
// waits) and takes them along. It may be run several times, and the last time counts.
func (l *Ledger) updateMany(change func(*txn)) error {
	if l.readOnly {
		return ErrReadOnly
	}
	l.writing.Lock()
	defer runtime.Gosched() // who rode, and who waits for the turn, goes first
	defer l.writing.Unlock()
	f, c := l.agreed(change), &lane.Coach{}
	err := l.write(f, c)
	if errors.Is(err, lane.ErrAlone) {
		c.Arrive(lane.ErrAlone)
		return l.write(f, nil)
	}
	var caller callerError
	if errors.As(err, &caller) {
		c.Arrive(lane.ErrAlone)
		return caller.error
	}
	c.Arrive(err)
	return err
}

// agreed is a change, with the terms of this Ledger, in any transaction.
func (l *Ledger) agreed(change func(*txn)) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		return (&txn{l: l, tx: tx}).try(func(t *txn) { t.agree(); change(t); t.settleBookings() })
	}
}

// waits reports whether a change waits for one of many rows to stop, or will soon.
func (l *Ledger) waits() bool { return l.writing.Waiting() > 0 || l.writing.Expected() }

// Expect says that somebody has bumped the first of two tags: pulls and imports make room
// for a second and a half, or until the second one is saved.
func (l *Ledger) Expect() { l.writing.Expect() }

// write makes a change, and those of who rides in c, if c is not nil. The caller has the turn.
func (l *Ledger) write(f func(*bolt.Tx) error, c *lane.Coach) error {
	if err := l.ensure(); err != nil {
		if errors.Is(err, ErrClosed) {
			return err
		}
		return l.failed(err)
	}
	if l.stale {
		if err := l.renew(); err != nil {
			return l.failed(err)
		}
	}
	begin := l.commits.Begin()
	defer l.commits.End()
	written, txid, err := l.commit(f, c)
	var damaged *DamagedError
	if errors.As(err, &damaged) && l.salvageNow(damaged) {
		written, txid, err = l.commit(f, c)
	}
	var caller callerError
	if errors.As(err, &caller) {
		if c != nil { // whose riders are to know that nothing is wrong with the disk
			return err
		}
		return caller.error
	}
	if err != nil && !errors.Is(err, boltfile.ErrGone) { // to open what is there now would lose what was saved
		err = l.retry(err, txid)
	}
	if err != nil {
		return l.failed(err)
	}
	boltfile.Crash("after-commit")
	l.saved(time.Since(begin), written)
	return nil
}

// commit is one attempt at a writing transaction, and how long the disk took for it.
func (l *Ledger) commit(f func(*bolt.Tx) error, c *lane.Coach) (written time.Duration, txid int, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.db == nil {
		return 0, 0, callerError{ErrClosed}
	}
	if err := boltfile.There(l.path, l.file); err != nil {
		return 0, 0, err
	}
	err = l.guard(func() error {
		return l.db.Update(func(tx *bolt.Tx) error {
			txid = tx.ID()
			tx.OnCommit(func() {
				stats := tx.Stats()
				written = stats.GetWriteTime()
			})
			err := f(tx)
			if err == nil && c != nil {
				err = c.Carry(l.writing, tx)
			}
			if err != nil {
				return callerError{err}
			}
			boltfile.Crash("before-commit")
			return nil
		})
	})
	return written, txid, err
}

// retry reopens the file after a failed commit. If only the last sync failed, the commit
// may still be in the file. Then it counts as saved once another commit succeeds.
func (l *Ledger) retry(cause error, txid int) error {
	if err := l.renew(); err != nil {
		l.o.Logger.Error("the ledger can't be opened again", "err", err)
		return cause
	}
	reached := false
	_, _, err := l.commit(l.agreed(func(t *txn) {
		// The number of a transaction is one above the newest in the file.
		if reached = t.tx.ID() > txid; !reached {
			t.fail(cause)
		}
		t.put(record.TreeMeta, metaSegment, l.segment[:])
	}), nil)
	if reached && err == nil {
		return nil
	}
	return cause
}

// renew reopens the file. If that fails, because the disk is read-only or broken, the
// old state stays open for reading. The caller holds writing.
func (l *Ledger) renew() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	db, file, own, sinkIDs := l.db, l.file, l.own, l.sinkIDs
	if db != nil {
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_UN); err != nil {
			return err
		}
	}
	l.db, l.file = nil, nil
	err := l.reopen()
	l.stale = err != nil
	if db == nil {
		return err
	}
	if err == nil {
		boltfile.Shut(l.path, db, file)
		return nil
	}
	// If another process has locked the file meanwhile, the old state is no longer valid.
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		l.db, l.file, l.own, l.sinkIDs = db, file, own, sinkIDs
	}
	return err
}

// failed notes that a commit was not saved. The log has it once.
func (l *Ledger) failed(err error) error {
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		err = fmt.Errorf("%w: %w", ErrCannotSave, boltfile.Stopped(l.path, err))
	}
	if said := l.commits.Failed(err); said == nil || said.Error() != err.Error() {
		l.o.Logger.Error("not saved", "err", err, "remedy", cmp.Or(hint.Of(err), boltfile.SaveRemedy(err)))
	}
	select {
	case l.failures <- struct{}{}:
	default:
	}
	return err
}

// Failures returns a channel that gets a value when a commit was not saved.
func (l *Ledger) Failures() <-chan struct{} { return l.failures }

// bumpRoom is how many bytes must be free on a disk that was full before a bump is promised.
const bumpRoom = 1 << 20

// Try commits nothing new, to find out whether the disk saves again after a failure. That
// needs less room than a bump: a disk that was full must have some.
func (l *Ledger) Try() error {
	failure := l.Health().Failure
	var fs syscall.Statfs_t
	if errors.Is(failure, syscall.ENOSPC) && syscall.Statfs(l.path, &fs) == nil && int64(fs.Bavail)*int64(fs.Bsize) < bumpRoom {
		return failure
	}
	return l.update(func(t *txn) { t.put(record.TreeMeta, metaSegment, l.segment[:]) })
}

func (l *Ledger) saved(took, disk time.Duration) {
	if l.commits.Saved(took, disk, l.o.Slow) {
		l.o.Logger.Warn("the disk is slow", "commit", took)
	}
}
