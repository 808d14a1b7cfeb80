package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// restored replaces the ledger by a backup and opens it. It verifies.
func (x *tester) restored(backup string, ro RestoreOptions) *Restored {
	x.t.Helper()
	x.ok(x.Close())
	r, err := restoreFrom(x.t.Context(), x.path, backup, x.o, ro)
	x.ok(err)
	x.Ledger, err = Open(x.path, x.o)
	x.ok(err)
	x.t.Cleanup(func() { x.Close() })
	x.verify()
	return r
}

// restoreFrom is RestoreFile with the backup of this name.
func restoreFrom(ctx context.Context, path, backup string, o Options, ro RestoreOptions) (*Restored, error) {
	var err error
	if ro.From, err = os.Open(backup); err != nil {
		return nil, err
	}
	defer ro.From.Close()
	return RestoreFile(ctx, path, backup, o, ro)
}

func (x *tester) copyOf() string {
	x.t.Helper()
	path := filepath.Join(x.t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), path))
	return path
}

// states lists the outbox rows of a sink, as "number:state".
func (x *tester) states(sink string) string {
	x.t.Helper()
	var all []string
	for _, r := range rowsFor(x.t, x.Ledger, sink) {
		all = append(all, fmt.Sprint(r.ID, ":", r.State))
	}
	return strings.Join(all, " ")
}

// TestRestoreSettlesTheOutbox: rows that still wait are kept, rows that were delivered
// since the backup are removed, and where the old ledger is lost all are parked.
func TestRestoreSettlesTheOutbox(t *testing.T) {
	for what, tc := range map[string]struct {
		damage    func(x *tester)
		dir, hook string
	}{
		"whole": {func(*tester) {}, "8:queued", "7:queued 8:conflict"},
		"gone": {func(x *tester) { x.ok(os.Remove(x.path)) },
			"7:parked 8:parked", "7:parked 8:parked"},
		"rubbish": {func(x *tester) { x.ok(os.WriteFile(x.path, make([]byte, 9*boltpages.PageSize), 0o600)) },
			"7:parked 8:parked", "7:parked 8:parked"},
		"without its outbox": {func(x *tester) { zero(x.t, x.path, pagesOf(x.t, x.path, record.TreeOutbox, anyKey)) },
			"7:parked 8:parked", "7:parked 8:parked"},
	} {
		t.Run(what, func(t *testing.T) {
			x := newLedger(t)
			x.bump(1, 11) // 7
			x.bump(2, 12) // 8
			x.ok(x.SaveOutbox("hook", OutboxRow{Key: record.At(1, 8), OutboxRow: record.OutboxRow{State: record.Conflict}}))
			backup := x.copyOf()
			x.ok(x.Delivered("dir", record.At(1, 7)))
			x.bump(3, 13) // 9
			x.ok(x.Close())
			tc.damage(x)
			x.restored(backup, RestoreOptions{Actor: "admin"})
			want(t, "dir", x.states("dir"), tc.dir)
			want(t, "hook", x.states("hook"), tc.hook)
			for _, r := range rowsFor(t, x.Ledger, "") {
				if r.State == record.Parked && !strings.Contains(r.Reason, "restored from a backup: this may have been delivered") {
					t.Errorf("row %s: %s", r.ID, r.Reason)
				}
			}
			for _, sink := range []string{"dir", "hook"} {
				n, err := x.Backlog(sink)
				x.ok(err)
				want(t, "backlog of "+sink, n, len(rowsFor(t, x.Ledger, sink)))
			}
		})
	}
}

// TestRestoreTwiceAtOnce: the second one touches nothing, and says who restores.
func TestRestoreTwiceAtOnce(t *testing.T) {
	for what, gone := range map[string]bool{"over a ledger": false, "of a lost ledger": true} {
		t.Run(what, func(t *testing.T) {
			x := newLedger(t)
			x.bump(1, 11)
			backup := x.copyOf()
			x.bump(2, 12)
			x.ok(x.Close())
			if gone {
				x.ok(os.Remove(x.path))
			}
			second := func(context.Context, string) error {
				for _, dry := range []bool{true, false} {
					_, err := restoreFrom(t.Context(), x.path, backup, x.o, RestoreOptions{DryRun: dry})
					var locked *LockedError
					if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Path != x.path {
						t.Errorf("the second restore, dry %v: %v", dry, err)
					}
					if !strings.HasPrefix(hint.Of(err), "wait until that process has ended") {
						t.Errorf("its hint: %q", hint.Of(err))
					}
				}
				return nil
			}
			x.restored(backup, RestoreOptions{Check: second})
			want(t, "who", x.who(), "ipad=ann")
			left, err := filepath.Glob(x.path + ".restored*")
			x.ok(err)
			want(t, "left behind", len(left), 0)
			x.restored(backup, RestoreOptions{}) // the claim is over
		})
	}
}

// TestRestoreErasesAgain: retention and erasure since the backup are repeated. An open
// loan of an erased person is over, and other people keep theirs.
func TestRestoreErasesAgain(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7: the loan is open in the backup
	x.bump(2, 12) // 8
	x.bump(3, 13) // 9
	backup := x.copyOf()
	x.bump(1, 11) // 10: and returned after it
	x.bump(3, 13) // 11
	x.deliverAll()
	x.ok(x.ErasePerson("ann", "admin", checkout.SourceCLI)) // 12
	x.clock.add(48 * 3600e9)
	_, err := x.Anonymise(t.Context(), x.clock.wall) // 13: the loan of the nexus
	x.ok(err)
	r := x.restored(backup, RestoreOptions{Actor: "admin"})
	want(t, "lost", r.Lost, [2]uint64{10, 13})
	want(t, "who", x.who(), "pixel=ben")
	want(t, "ipad", x.people("ipad"), "4en:< 7ch:<")
	want(t, "nexus", x.people("nexus"), "6en:< 9ch:<")
	want(t, "pixel", x.people("pixel"), "5en:< 8ch:ben<")
	if _, err := x.FindPerson("ann"); !errors.Is(err, books.ErrNotFound) {
		t.Errorf("ann is back: %v", err)
	}
	if _, err := x.FindPerson("cem"); err != nil {
		t.Errorf("cem was only anonymised: %v", err)
	}
	due, err := x.ScrubDue()
	x.ok(err)
	want(t, "scrub due", due, true)
	want(t, "events", x.history(books.HistoryFilter{})[len("1:enrol 2:enrol 3:enrol 4:enrol 5:enrol 6:enrol "):],
		"7:checkout 8:checkout 9:checkout 14:restore 15:erase")
}

// TestRestoreEvent: the first event says what was restored, by whom, what is missing and
// where it is; the segment is a new one, and the chain goes on.
func TestRestoreEvent(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	backup := x.copyOf()
	before, err := x.Info()
	x.ok(err)
	x.bump(2, 12) // 8
	r := x.restored(backup, RestoreOptions{Actor: "root"})
	after, err := x.Info()
	x.ok(err)
	if after.Segment == before.Segment || after.Chain != before.Chain || after.Seq != 9 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		if e.Seq < 9 {
			continue
		}
		want(t, "event", fmt.Sprint(e.Kind, e.Actor, e.Note), "restorerootrestored b.db")
		want(t, "follows", e.Prev, before.Hash)
		want(t, "gap", fmt.Sprint(e.Gap.File, e.Gap.Seq, e.Gap.Lost), fmt.Sprint(r.Aside, 7, [][2]uint64{{8, 8}}))
	}
	if !strings.Contains(filepath.Base(r.Aside), "ledger.db.replaced-20261121T1") || !strings.HasSuffix(r.Aside, "-restored-b-db") {
		t.Errorf("set aside as %s", r.Aside)
	}
}

// TestRestoreOfTheSame: a backup without newer events changes nothing but the segment.
func TestRestoreOfTheSame(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	who, out := x.who(), x.states("dir")
	backup := x.copyOf()
	x.ok(x.Close())
	r, err := restoreFrom(t.Context(), x.path, backup, x.o, RestoreOptions{DryRun: true})
	x.ok(err)
	want(t, "dry run", r.String(), "the backup ends with event 7 of 2026-11-21T10:00:00Z; no event would be missing")
	r = x.restored(backup, RestoreOptions{})
	want(t, "differences", len(r.Loans)+len(r.People)+len(r.Devices), 0)
	want(t, "who", x.who(), who)
	want(t, "outbox", x.states("dir"), out)
}

// TestRestoreWhereNoLedgerIs: the backup becomes the ledger.
func TestRestoreWhereNoLedgerIs(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	backup := x.copyOf()
	x.ok(x.Close())
	x.path = filepath.Join(t.TempDir(), "ledger.db")
	r := x.restored(backup, RestoreOptions{Actor: "admin"})
	if r.Unreadable == "" || r.Aside != "" {
		t.Errorf("%+v", r)
	}
	want(t, "who", x.who(), "ipad=ann")
	want(t, "outbox", x.states("dir"), "7:parked")
}

// TestRestoreTidiesUp: whatever happens, no temporary file stays, and one that an
// interrupted restore has left is in nobody's way.
func TestRestoreTidiesUp(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	backup := x.copyOf()
	x.ok(x.Close())
	files := func() string {
		all, err := filepath.Glob(x.path + "*")
		x.ok(err)
		for i := range all {
			all[i] = filepath.Base(all[i])
		}
		return strings.Join(all, " ")
	}
	before := files()
	tmp := x.path + ".restored"
	for _, p := range []string{tmp, beside.NewestPath(tmp), boltfile.HolderPath(tmp)} {
		x.ok(os.WriteFile(p, []byte("half"), 0o600))
	}
	_, err := restoreFrom(t.Context(), x.path, backup, x.o, RestoreOptions{DryRun: true})
	x.ok(err)
	want(t, "after a dry run", files(), before)
	half := filepath.Join(t.TempDir(), "half.db")
	b, err := os.ReadFile(backup)
	x.ok(err)
	x.ok(os.WriteFile(half, b[:len(b)/2], 0o600))
	for what, from := range map[string]string{"no backup": backup + "x", "half a backup": half, "no ledger": x.path + ".holder"} {
		if _, err := restoreFrom(t.Context(), x.path, from, x.o, RestoreOptions{}); err == nil {
			t.Errorf("%s was restored", what)
		}
		want(t, what, files(), before)
	}
	o := x.o
	o.SiteKey = make([]byte, len(testKey))
	if _, err := restoreFrom(t.Context(), x.path, backup, o, RestoreOptions{}); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with another site key: %v", err)
	}
	want(t, "with another site key", files(), before)
}
