package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
	"stump/checkout/ledger/wreck"
	"stump/internal/books"
	"stump/internal/hint"
)

// ErrFork says that the ledger doesn't continue the backup: both have different events
// with the same number. RestoreOptions.Fork restores such a backup.
var ErrFork = errors.New("the backup and the ledger have gone different ways")

// RestoreOptions say how to restore.
type RestoreOptions struct {
	// DryRun reports what would change, and changes nothing.
	DryRun bool
	// Fork allows a backup that the ledger doesn't continue.
	Fork bool
	// Actor is who restores.
	Actor string
	// From is the opened backup.
	From *os.File
	// Check runs bbolt's own check on the backup; see VerifyOptions.
	Check func(ctx context.Context, path string) error
}

// RestoreFile replaces the ledger at path, which must not be open, by a copy of a backup.
// It sets the old ledger aside. The first new event gets the next number that was never
// used, and names the missing ones. What was erased from the ledger since the backup is
// erased from the copy, and outbox rows that may have been delivered are parked.
func RestoreFile(ctx context.Context, path, backup string, o Options, ro RestoreOptions) (*Restored, error) {
	if _, err := o.fill(); err != nil {
		return nil, err
	}
	path, err := boltfile.Resolve(path)
	if err != nil {
		return nil, err
	}
	r := &restorer{o: o, path: path, tmp: path + ".restored", result: &Restored{Backup: backup}}
	claim, err := boltfile.Claim(r.path, r.tmp)
	if err != nil {
		return nil, err
	}
	defer claim.Close()
	defer r.close()
	if err := r.openLedger(); err != nil {
		return nil, err
	}
	if err := r.openBackup(ctx, ro); err != nil {
		return nil, err
	}
	if err := r.compare(); err != nil {
		return nil, err
	}
	if ro.DryRun {
		return r.result, nil
	}
	if r.result.Fork && !ro.Fork {
		return r.result, ErrFork
	}
	return r.result, r.replace(ro.Actor)
}

// restorer has a copy of the backup open and, if it can be opened, the ledger.
type restorer struct {
	o         Options
	path, tmp string
	copied    *Ledger  // the copy of the backup, at tmp
	now       *Ledger  // nil: it can't be opened
	file      *os.File // of the ledger that can't be opened; nil: there is none
	result    *Restored
}

func (r *restorer) close() {
	for _, l := range []*Ledger{r.copied, r.now} {
		if l != nil {
			l.Close()
		}
	}
	if r.file != nil {
		r.file.Close()
	}
	// The copy and what lies beside it; the copy is gone after the rename.
	for _, p := range []string{r.tmp, boltfile.HolderPath(r.tmp), beside.NewestPath(r.tmp), beside.BeforeSchema(r.tmp, 1)} {
		os.Remove(p)
	}
}

// openLedger opens the ledger, or at least locks its file. A ledger that can't be opened
// may still show its newest number, its erasures and its deliveries.
func (r *restorer) openLedger() (err error) {
	var locked *LockedError
	if r.now, err = OpenReadOnly(r.path, r.o); err == nil || errors.As(err, &locked) {
		return err
	}
	r.result.Unreadable = err.Error()
	f, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r.file = f
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return boltfile.LockedBy(r.path)
	}
	return nil
}

// openBackup copies the backup, migrates the copy to the newest schema and verifies it.
func (r *restorer) openBackup(ctx context.Context, ro RestoreOptions) error {
	const another = "name another backup; the daily ones are in the folder backups beside the ledger, or where [backup] dir says"
	if err := r.copyBackup(ro.From); err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	var damaged *DamagedError
	var err error
	if r.copied, err = Open(r.tmp, r.o); errors.As(err, &damaged) {
		return hint.Errorf(another, "the backup %s is damaged: %s", r.result.Backup, damaged.Reason)
	} else if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	report, err := r.copied.Verify(ctx, VerifyOptions{Check: ro.Check})
	if err == nil && !report.OK() {
		err = hint.Errorf(another, "the backup %s is damaged: %v", r.result.Backup, report)
	}
	return err
}

func (r *restorer) copyBackup(from *os.File) error {
	if err := boltfile.CheckMetas(from, r.result.Backup); err != nil {
		return err
	}
	for _, p := range []string{r.tmp, beside.NewestPath(r.tmp)} { // of a restore that was interrupted
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return boltfile.Copy(context.Background(), r.tmp, func(to io.Writer) error {
		_, err := io.Copy(to, io.NewSectionReader(from, 0, math.MaxInt64))
		return err
	})
}

// compare fills in the result.
func (r *restorer) compare() error {
	err := r.copied.view(func(t *txn) {
		if r.result.BackupSeq, _ = t.head(t.l.own); r.result.BackupSeq > 0 {
			r.result.BackupTime = t.entry(record.At(t.l.own, r.result.BackupSeq), t.times()).Time
		}
	})
	if err != nil || r.now == nil {
		return err
	}
	as := *r.result
	err = r.compareLedger()
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		*r.result = as
		r.result.Unreadable = err.Error()
		return nil
	}
	return err
}

func (r *restorer) compareLedger() error {
	if err := r.now.view(func(t *txn) { r.result.Now, _ = t.head(r.now.own) }); err != nil {
		return err
	}
	if r.result.Now > r.result.BackupSeq {
		r.result.Lost = [2]uint64{r.result.BackupSeq + 1, r.result.Now}
	}
	var err error
	if r.result.Fork, err = r.fork(); err != nil {
		return err
	}
	before, err := contents(r.now)
	if err != nil {
		return err
	}
	after, err := contents(r.copied)
	if err != nil {
		return err
	}
	for i, into := range []*[]string{&r.result.Loans, &r.result.People, &r.result.Devices} {
		*into = report.Differences(before[i], after[i])
	}
	return nil
}

// fork reports whether the last event that both should have differs.
func (r *restorer) fork() (bool, error) {
	last := min(r.result.Now, r.result.BackupSeq)
	if last == 0 {
		return false, nil
	}
	var hashes [2]checkout.Hash
	for i, l := range []*Ledger{r.copied, r.now} {
		err := l.view(func(t *txn) {
			at := record.At(l.own, last)
			if t.bucket(record.TreeEvents).Get(record.EventKey(at)) != nil { // else a declared gap
				hashes[i] = t.event(at).Hash
			}
		})
		if err != nil {
			return false, err
		}
	}
	return hashes[0] != hashes[1], nil
}

// contents are the open loans, the people and the devices of a ledger.
func contents(l *Ledger) (all [3]map[string]string, err error) {
	all = [3]map[string]string{{}, {}, {}}
	for loan, err := range l.Loans(books.LoanFilter{}) {
		if err != nil {
			return all, err
		}
		all[0][loan.Device+" "+loan.Note()] = loan.Person
	}
	return all, l.view(func(t *txn) {
		for i, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			t.eachRow(tr, func(id string, r *record.Row) {
				if !r.Pending {
					all[i+1][id] = r.Name
				}
			})
		}
	})
}

// replace erases from the copy what must not come back, settles its outbox, and puts it
// in the ledger's place.
func (r *restorer) replace(actor string) error {
	note, _ := beside.ReadNewest(r.path)
	old, f, err := wreck.Read(r.path, note)
	if err != nil {
		return err
	}
	if f != nil {
		defer f.Close()
		r.result.Aside, err = beside.Aside(r.path, "replaced", "restored "+filepath.Base(r.result.Backup), r.o.Stamp().Wall)
		if err != nil {
			return err
		}
	}
	l := r.copied
	for _, step := range []func() error{
		func() error { return l.update(func(t *txn) { r.begin(t, old, actor) }) },
		func() error { return r.eraseAgain(old) },
		func() error { return l.update(func(t *txn) { r.settleOutbox(t, old) }) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := l.Close(); err != nil {
		return err
	}
	r.copied = nil
	return beside.Replace(r.path, r.tmp, r.result.Aside)
}

// same returns the event at a place in the copy and in the old ledger. ok is false
// unless both have it and the hashes match.
func (r *restorer) same(t *txn, old *wreck.Wreck, at record.Ref) (mine, was record.Event, ok bool) {
	e, there := old.Find(at)
	if !there || t.bucket(record.TreeEvents).Get(record.EventKey(at)) == nil {
		return mine, was, false
	}
	_, was, err := old.Load(e)
	t.must(err)
	mine = t.event(at)
	return mine, was, was.Hash == mine.Hash
}

// eraseAgain erases from the copy what was erased from the old ledger: values of events,
// and the people of its Erase events.
func (r *restorer) eraseAgain(old *wreck.Wreck) error {
	const batch = 1000
	for some := range slices.Chunk(old.Events, batch) {
		if err := r.copied.update(func(t *txn) { r.eraseLike(t, old, some) }); err != nil {
			return err
		}
	}
	return r.copied.update(func(t *txn) {
		for _, e := range old.Events {
			if e.At.Chain != t.l.own || e.At.Seq <= r.result.BackupSeq || r.result.Fork {
				continue
			}
			_, was, err := old.Load(e)
			t.must(err)
			if was.Kind == checkout.Erase && was.Whose != nil {
				t.eraseAgain(was.Whose)
			}
		}
	})
}

// eraseLike erases the values of the copy's events that are erased in the old ledger's.
// A loan that began with such an event is over.
func (r *restorer) eraseLike(t *txn, old *wreck.Wreck, some []wreck.Event) {
	s := newSweeper(t)
	gone := func(had, has string) bool { return had != "" && has == "" }
	for _, e := range some {
		if !e.Erased {
			continue
		}
		mine, was, same := r.same(t, old, e.At)
		what := eraseParts{person: gone(mine.Person, was.Person), from: gone(mine.From, was.From),
			actor: gone(mine.Actor, was.Actor), note: gone(mine.Note, was.Note)}
		if !same || what == (eraseParts{}) {
			continue
		}
		s.mark(e.At, what)
		if what.person {
			s.mark(e.At, what, mine.Person)
			t.endErased(mine.Device, e.At)
		}
		if what.from {
			s.mark(e.At, what, mine.From)
		}
	}
	s.eraseParts(t)
}

// endErased ends the loan that began with the event at, since its holder is erased.
func (t *txn) endErased(device string, at record.Ref) {
	r := t.row(record.TreeDevices, device)
	if r != nil && r.Resolved != "" {
		device = r.Resolved
		r = t.row(record.TreeDevices, device)
	}
	if r != nil && r.Loan.Since == at {
		r.Loan.Holder = ""
		t.putRow(record.TreeDevices, device, r)
	}
}

// settleOutbox keeps the rows that the old ledger has, too, removes those whose events
// were delivered since the backup, and parks those that may have been delivered.
func (r *restorer) settleOutbox(t *txn, old *wreck.Wreck) {
	type waiting struct {
		at  record.Ref
		row record.OutboxRow
	}
	oldSinks := old.Sinks()
	for name, index := range t.l.sinkIDs {
		var all []waiting
		t.each(record.TreeOutbox, nil, func(k, v []byte) {
			if at, sink, _ := record.ParseOutboxKey(k); sink == index {
				o, err := record.UnpackOutbox(v)
				t.must(err)
				all = append(all, waiting{at, o})
			}
		})
		for _, w := range all {
			_, _, same := r.same(t, old, w.at)
			_, waits := old.Rows[record.TreeOutbox][string(record.OutboxKey(w.at, oldSinks[name].Index))]
			switch {
			case same && waits:
			case same && old.Intact(record.TreeOutbox, record.TreeMeta):
				t.removeOutbox(name, []RowKey{w.at}, nil)
			default:
				w.row.State, w.row.Reason = record.Parked, "restored from a backup: this may have been delivered"
				t.put(record.TreeOutbox, t.outboxKey(name, w.at), record.PackOutbox(&w.row))
			}
		}
	}
}

// begin appends the Restore event.
func (r *restorer) begin(t *txn, old *wreck.Wreck, actor string) {
	last, hash := t.head(t.l.own)
	ev := record.Event{Event: checkout.Event{Kind: checkout.Restore, Actor: actor, Source: checkout.SourceSystem, Note: "restored " + filepath.Base(r.result.Backup),
		Gap: &checkout.Gap{File: r.result.Aside, Seq: last, Hash: hash}}}
	highest := max(last, old.Newest(t.l.own))
	if !old.Intact(record.TreeMeta) {
		highest = max(highest, old.Ceiling)
	}
	if highest > last {
		ev.Gap.Lost = [][2]uint64{{last + 1, highest}}
	}
	t.setHead(t.l.own, highest, hash)
	t.l.segment = uuid.New()
	t.put(record.TreeMeta, metaSegment, t.l.segment[:])
	t.append(&ev, nobody, nobody)
}
