package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/hint"
	"stump/internal/sitekey"
)

// ErrFork is a backup that is not a beginning of the ledger it would replace:
// both have events of the same numbers that are not the same. Restoring it
// needs RestoreOptions.Fork.
var ErrFork = errors.New("the backup and the ledger have gone different ways")

// RestoreOptions tell how to restore.
type RestoreOptions struct {
	// DryRun only says what would change.
	DryRun bool
	// Fork restores a backup that is not a beginning of the ledger.
	Fork bool
	// Actor is who asks for it.
	Actor string
	// Check runs bbolt's own check over the backup; see VerifyOptions.
	Check func(ctx context.Context, path string) error
}

// Restored tells what a restore changes, or would change.
type Restored struct {
	Backup string
	// BackupSeq and BackupTime are of the newest event in the backup.
	BackupSeq  uint64
	BackupTime time.Time
	// Now is the newest event of the ledger as it is, 0 if it can't be read;
	// then Unreadable says why.
	Now        uint64
	Unreadable string
	// Fork is set when the two have different events of the same number.
	Fork bool
	// Lost are the numbers of the events that the ledger has and the backup
	// has not; zero for none. They stay in Aside, and are not given again.
	Lost [2]uint64
	// Loans are those that differ, one a line; People and Devices are those
	// that only one of the two has.
	Loans, People, Devices []string
	// Aside is where the ledger that was replaced is.
	Aside string
}

// String tells it in sentences.
func (r *Restored) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the backup ends with event %d of %s", r.BackupSeq, r.BackupTime.Format(time.RFC3339))
	switch {
	case r.Unreadable != "":
		fmt.Fprintf(&b, "; the ledger can't be read (%s), so nobody knows what is in it that the backup has not", r.Unreadable)
	case r.Fork:
		b.WriteString("; it is not a beginning of this ledger: they have gone different ways")
	case r.Lost[1] > 0:
		fmt.Fprintf(&b, "; %s would be missing", ranges([][2]uint64{r.Lost}))
	default:
		b.WriteString("; no event would be missing")
	}
	for _, part := range []struct {
		what string
		list []string
	}{{"loans", r.Loans}, {"people", r.People}, {"devices", r.Devices}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, "\n%s: %s", part.what, strings.Join(part.list, "; "))
		}
	}
	if r.Aside != "" {
		fmt.Fprintf(&b, "\nthe ledger that was replaced is %s", r.Aside)
	}
	return b.String()
}

// RestoreFile replaces the whole ledger at path by a backup. Nobody may have
// the ledger open. The ledger before is set aside, and the first new event says
// so: it takes the next number that was never given, and names those that are
// missing, so that a chain is never forked in silence. What was erased from the
// ledger since the backup is erased from what is restored.
func RestoreFile(ctx context.Context, path, backup string, o Options, ro RestoreOptions) (*Restored, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, err
	}
	r := &restorer{o: o, keys: keys, path: path, result: &Restored{Backup: backup}}
	if err := r.open(ctx, ro.Check); err != nil {
		return nil, err
	}
	defer r.close()
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

// restorer has the backup and, if it can be opened, the ledger open.
type restorer struct {
	o      Options
	keys   *sitekey.Ring
	path   string
	from   *Ledger // the backup
	now    *Ledger // nil: it can't be opened
	files  []*os.File
	result *Restored
}

func (r *restorer) open(ctx context.Context, check func(context.Context, string) error) error {
	err := r.openBackup(ctx, check)
	if err == nil {
		err = r.openLedger()
	}
	if err != nil {
		r.close()
	}
	return err
}

func (r *restorer) openBackup(ctx context.Context, check func(context.Context, string) error) error {
	const another = "name another backup; the daily ones are in the folder backups beside the ledger, or where [backup] dir says"
	var damaged *DamagedError
	var err error
	if r.from, err = OpenReadOnly(r.result.Backup, r.o); errors.As(err, &damaged) {
		return hint.Errorf(another, "the backup %s is damaged: %s", damaged.Path, damaged.Reason)
	} else if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	report, err := r.from.Verify(ctx, VerifyOptions{Check: check})
	if err == nil && !report.OK() {
		err = hint.Errorf(another, "the backup %s is damaged: %v", r.result.Backup, report)
	}
	if err == nil && r.from.own == 0 {
		err = hint.Errorf("name a backup of this station; where it had that name before, give it back in the configuration until this is done",
			"the backup %s has no events of station %q, only of %q", r.result.Backup, r.o.Station, slices.Sorted(maps.Values(r.from.names)))
	}
	return err
}

// openLedger opens what is to be replaced, or at least keeps others from it.
// The backup is only as good as the ledger is bad: one that can't be opened may
// still tell its newest number, its erasures and its deliveries.
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
	r.files = append(r.files, f)
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return lockedBy(r.path)
	}
	return nil
}

func (r *restorer) close() {
	for _, f := range r.files {
		f.Close()
	}
	for _, l := range []*Ledger{r.from, r.now} {
		if l != nil {
			l.Close()
		}
	}
}

// compare fills in the result.
func (r *restorer) compare() error {
	err := r.from.view(func(t *txn) (err error) {
		if r.result.BackupSeq, _, err = t.head(r.from.own); err != nil || r.result.BackupSeq == 0 {
			return err
		}
		clock := times{t: t}
		e, err := t.entry(record.At(r.from.own, r.result.BackupSeq), &clock)
		r.result.BackupTime = e.Time
		return err
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
	err := r.now.view(func(t *txn) (err error) {
		r.result.Now, _, err = t.head(r.now.own)
		return err
	})
	if err != nil {
		return err
	}
	if r.result.Now > r.result.BackupSeq {
		r.result.Lost = [2]uint64{r.result.BackupSeq + 1, r.result.Now}
	}
	if r.result.Fork, err = r.fork(); err != nil {
		return err
	}
	for _, d := range []struct {
		into *[]string
		list func(*Ledger) (map[string]string, error)
	}{{&r.result.Loans, loansOf}, {&r.result.People, rowsOf(record.TreePeople)}, {&r.result.Devices, rowsOf(record.TreeDevices)}} {
		before, err := d.list(r.now)
		if err != nil {
			return err
		}
		after, err := d.list(r.from)
		if err != nil {
			return err
		}
		*d.into = differences(before, after)
	}
	return nil
}

// fork reports whether the last event that both should have is not the same.
func (r *restorer) fork() (bool, error) {
	last := min(r.result.Now, r.result.BackupSeq)
	if last == 0 {
		return false, nil
	}
	var hashes [2]checkout.Hash
	for i, l := range []*Ledger{r.from, r.now} {
		err := l.view(func(t *txn) error {
			if t.tx.Bucket(record.TreeEvents.Bucket()).Get(record.EventKey(record.At(l.own, last))) == nil {
				return nil // a gap that was owned up to
			}
			ev, err := t.event(record.At(l.own, last))
			hashes[i] = ev.Hash
			return err
		})
		if err != nil {
			return false, err
		}
	}
	return hashes[0] != hashes[1], nil
}

func loansOf(l *Ledger) (map[string]string, error) {
	all := map[string]string{}
	for loan, err := range l.Loans(checkout.LoanFilter{}) {
		if err != nil {
			return nil, err
		}
		all[loan.Device+" "+loan.Note()] = loan.Person
	}
	return all, nil
}

func rowsOf(tr record.Tree) func(*Ledger) (map[string]string, error) {
	return func(l *Ledger) (map[string]string, error) {
		all := map[string]string{}
		err := l.view(func(t *txn) error {
			return t.eachRow(tr, func(id string, r *record.Row) error {
				if !r.Pending {
					all[id] = r.Name
				}
				return nil
			})
		})
		return all, err
	}
}

// differences tells what is not the same, as "what: before → after".
func differences(before, after map[string]string) (all []string) {
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if after[k] != before[k] {
			all = append(all, fmt.Sprintf("%s: %s → %s", strings.TrimSpace(k), before[k], cmp.Or(after[k], "none")))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[k]; !ok {
			all = append(all, fmt.Sprintf("%s: none → %s", strings.TrimSpace(k), after[k]))
		}
	}
	return all
}

// replace writes the new ledger and puts it in the old one's place.
func (r *restorer) replace(actor string) error {
	f, err := os.Open(r.result.Backup)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	s := newSalvager(r.path, r.o, r.keys)
	if err := s.readTrees(f, st.Size()); err != nil {
		return err
	}
	old, err := r.readLedger()
	if err != nil {
		return err
	}
	if err := r.since(s, old); err != nil {
		return err
	}
	if _, err := os.Lstat(r.path); err == nil {
		if r.result.Aside, err = freeName(asideName(r.path, "replaced", "restored "+filepath.Base(r.result.Backup), r.o.Stamp().Wall)); err != nil {
			return err
		}
	}
	s.first = func(t *txn, _ []restated) error { return r.begin(t, old, actor) }
	tmp := r.path + ".restored"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := createFile(tmp, s.fill); err != nil {
		return err
	}
	return replace(r.path, tmp, r.result.Aside)
}

// readLedger reads what is to be replaced as a salvage does, in whatever state
// it is: nobody restores because all is well.
func (r *restorer) readLedger() (*salvager, error) {
	old := newSalvager(r.path, r.o, r.keys)
	f, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return old, nil
	}
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, f) // some records are read again
	if err := old.read(f); err != nil {
		return nil, err
	}
	old.pick()
	return old, nil
}

// since applies what must not come back: erasures, and deliveries.
func (r *restorer) since(s, old *salvager) error {
	if err := r.erasures(s, old); err != nil {
		return err
	}
	waits := map[OutboxKey]bool{}
	for key, c := range old.rows[record.TreeOutbox] {
		if k, ok := old.names.outboxKey(key); ok && c.reach {
			waits[k] = true
		}
	}
	for key, c := range s.rows[record.TreeOutbox] {
		k, ok := s.names.outboxKey(key)
		if !ok {
			return fmt.Errorf("the backup has an outbox row that is none")
		}
		e, err := s.find(k.Station, k.Seq)
		if err != nil {
			return err
		}
		// What nobody can tell is an admin's to decide.
		same, err := old.find(k.Station, k.Seq)
		switch {
		case err == nil && same.Hash == e.Hash && waits[k]:
		case err == nil && same.Hash == e.Hash && old.intact(record.TreeOutbox):
			delete(s.rows[record.TreeOutbox], key) // delivered since
		default:
			o, err := record.DecodeOutbox(c.body)
			if err != nil {
				return err
			}
			o.State, o.LastError = record.Parked, "restored from a backup: this may have been delivered"
			c.body = o.Encode()
			s.rows[record.TreeOutbox][key] = c
		}
	}
	return nil
}

// erasures takes over the events that were erased in the ledger since, and
// takes those people out that its Erase events name.
func (r *restorer) erasures(s, old *salvager) error {
	names := map[uint16]string{}
	for name, i := range old.stations {
		names[i] = name
	}
	gone := map[string]bool{}
	for _, e := range old.events {
		since := names[e.at.Station] == r.o.Station && e.at.Seq > r.result.BackupSeq && !r.result.Fork
		if !since && !e.erased {
			continue
		}
		raw, ev, err := old.load(e)
		if err != nil {
			return err
		}
		if since && ev.Kind == checkout.Erase {
			gone[string(ev.Whose)] = true
		}
		if mine, err := s.find(ev.Station, ev.Seq); ev.Erased && err == nil && mine.Hash == ev.Hash {
			s.override[record.At(s.stations[ev.Station], ev.Seq)] = raw
		}
	}
	for id := range s.rows[record.TreePeople] {
		for i := range r.keys.Lookups {
			if gone[string(r.keys.Whose(id, i))] {
				delete(s.rows[record.TreePeople], id)
			}
		}
	}
	return nil
}

// begin appends the first event after the restore.
func (r *restorer) begin(t *txn, old *salvager, actor string) error {
	last, hash, err := t.head(t.l.own)
	if err != nil {
		return err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Restore, Actor: actor, Source: checkout.SourceSystem, Note: "restored " + filepath.Base(r.result.Backup),
		Gap: &checkout.Gap{File: r.result.Aside, Seq: last, Hash: hash}}}
	highest := max(last, old.newest(r.o.Station))
	if !old.intact(record.TreeMeta) {
		highest = max(highest, old.ceiling)
	}
	if highest > last {
		ev.Gap.Lost = [][2]uint64{{last + 1, highest}}
	}
	if err := t.setHead(t.l.own, highest, hash); err != nil {
		return err
	}
	return t.append(&ev, nil, nil)
}
