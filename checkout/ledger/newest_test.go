package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltpages"
	"stump/internal/books"
)

// killed leaves the ledger as a kill would: the file is free, nothing is noted.
func (x *tester) killed() {
	x.t.Helper()
	x.note.Close()
	x.note = nil
	x.ok(x.Close())
}

// open opens the ledger as a daemon does, and returns what it has to tell.
func (x *tester) open() *Salvaged {
	x.t.Helper()
	var err error
	x.Ledger, _, err = OpenOrSalvage(x.path, x.o)
	x.ok(err)
	info, err := x.Info()
	x.ok(err)
	return info.Salvaged
}

// put writes the file at from over the ledger.
func (x *tester) put(from string) {
	x.t.Helper()
	b, err := os.ReadFile(from)
	x.ok(err)
	x.ok(os.WriteFile(x.path, b, 0o600))
}

// TestOldCopyPutBack puts copies in the ledger's place: it is said, nothing is
// lost without a word, and no number is given twice.
func TestOldCopyPutBack(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*tester)
		next uint64 // the number of the event that says so
	}{
		{"after a stop", func(x *tester) { x.ok(x.Close()) }, 10},
		{"after a kill", (*tester).killed, 1008}, // beyond what was set aside
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newLedger(t)
			x.bump(1, 11) // 7
			old := filepath.Join(t.TempDir(), "old.db")
			x.ok(x.BackupTo(context.Background(), old))
			x.bump(2, 12) // 8
			x.bump(2, 13) // 9
			tc.end(x)
			x.put(old)

			looked, err := OpenReadOnly(x.path, x.o)
			x.ok(err)
			r, err := looked.Verify(t.Context(), VerifyOptions{Note: true}) // which must not have it salvaged
			x.ok(err)
			if !strings.Contains(r.Hint(), "put the newer file back") {
				t.Errorf("hint: %s", r.Hint())
			}
			if r.OK() || !strings.Contains(r.String(), "an old copy was put back: it ends with event 7, and the ledger had come to event 9") {
				t.Errorf("verify: %v", r)
			}
			x.ok(looked.Close())

			s := x.open()
			if s == nil || !s.Replaced || !strings.Contains(s.String(), "an old copy was put back: it ends with event 7") {
				t.Fatalf("told: %v", s)
			}
			want(t, "lost", fmt.Sprint(s.Lost), fmt.Sprint([][2]uint64{{8, tc.next - 1}}))
			want(t, "history", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout")
			want(t, "the next number", x.bump(3, 11).Seq, tc.next+1)
			want(t, "gaps", x.verify().Gaps, tc.next-8)
			x.ok(x.AcknowledgeSalvage())
			x.ok(x.Close())
			if s := x.open(); s != nil {
				t.Errorf("told again: %v", s)
			}
		})
	}
}

// TestSalvageOfAnOldCopy: a copy that is older and damaged, too, does not give the
// numbers again that the note knows of.
func TestSalvageOfAnOldCopy(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	old := filepath.Join(t.TempDir(), "old.db")
	x.ok(x.BackupTo(context.Background(), old))
	x.bump(2, 12) // 8
	x.bump(2, 13) // 9
	x.ok(x.Close())
	x.put(old)
	b, err := os.ReadFile(x.path)
	x.ok(err)
	clear(b[:boltpages.PageSize])
	x.ok(os.WriteFile(x.path, b, 0o600))
	if s := x.open(); s == nil || s.Replaced {
		t.Fatalf("told: %v", s)
	}
	want(t, "the next number", x.bump(3, 11).Seq, 11)
	x.verify()
}

// TestOtherFilesInItsPlace: a copy that went its own way, another ledger, an empty one.
func TestOtherFilesInItsPlace(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(x *tester, path string)
		want string
	}{
		"another way": {func(x *tester, path string) {
			x.ok(x.BackupTo(context.Background(), path))
			y := &tester{t: t, path: path, o: x.o}
			y.open()
			for range 3 {
				y.bump(2, 13)
			}
			y.ok(y.Close())
		}, "they have gone different ways before event 8"},
		"another ledger": {func(x *tester, path string) {
			y := newLedgerIn(t, filepath.Dir(path))
			y.ok(y.Close())
		}, "another ledger was put in its place"},
		"an empty ledger": {func(x *tester, path string) {
			y := newEmptyLedgerIn(t, filepath.Dir(path))
			y.ok(y.Close())
		}, "an empty ledger was put in its place"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newLedger(t)
			x.bump(1, 11)
			other := filepath.Join(t.TempDir(), "ledger.db")
			tc.make(x, other)
			x.bump(2, 12) // 8
			x.ok(x.Close())
			x.put(other)
			s := x.open()
			if s == nil || !strings.Contains(s.String(), tc.want) {
				t.Fatalf("told: %v", s)
			}
			x.verify()
		})
	}
}

// TestForgedMeta takes the newest transactions away by meta pages that hold: the
// file is in order, and older than it was.
func TestForgedMeta(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.ok(x.Close())
	old, err := os.ReadFile(x.path)
	x.ok(err)
	x.open()
	x.bump(2, 12)
	x.bump(2, 12)
	x.ok(x.Close())
	now, err := os.ReadFile(x.path)
	x.ok(err)
	forged := append(bytes.Clone(old), now[min(len(old), len(now)):]...)
	x.ok(os.WriteFile(x.path, forged, 0o600))
	s := x.open()
	if s == nil || !strings.Contains(s.String(), "it ends with event 7, and the ledger had come to event 9") {
		t.Fatalf("told: %v", s)
	}
	want(t, "the next number", x.bump(3, 13).Seq, 11)
	x.verify()
}

// TestTornNote: what a power cut left of the note counts as none.
func TestTornNote(t *testing.T) {
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { b[70] ^= 1; return b },
		func([]byte) []byte { return nil },
		func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		x := newLedger(t)
		x.bump(1, 11)
		old := filepath.Join(t.TempDir(), "old.db")
		x.ok(x.BackupTo(context.Background(), old))
		x.bump(1, 11)
		x.ok(x.Close())
		note, err := os.ReadFile(beside.NewestPath(x.path))
		x.ok(err)
		x.ok(os.WriteFile(beside.NewestPath(x.path), damage(note), 0o600))
		x.put(old)
		if s := x.open(); s != nil {
			t.Errorf("told from a torn note: %v", s)
		}
		x.verify()
	}
}

// TestNoteThroughRescue: a salvage and a restore say themselves what is missing.
func TestNoteThroughRescue(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	backup := filepath.Join(t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), backup))
	x.bump(2, 12)
	x.ok(x.Close())
	_, err := restoreFrom(t.Context(), x.path, backup, x.o, RestoreOptions{Actor: "admin"})
	x.ok(err)
	if s := x.open(); s != nil {
		t.Errorf("after a restore: %v", s)
	}
	x.bump(2, 12)
	x.ok(x.Close())
	b, err := os.ReadFile(x.path)
	x.ok(err)
	clear(b[:boltpages.PageSize])
	x.ok(os.WriteFile(x.path, b, 0o600))
	if s := x.open(); s == nil || s.Replaced {
		t.Errorf("after a salvage: %v", s)
	}
	x.bump(2, 12)
	x.ok(x.AcknowledgeSalvage())
	x.ok(x.Close())
	if s := x.open(); s != nil {
		t.Errorf("told again: %v", s)
	}
	x.verify()
}

// TestOnlyTracesAreLeft: where a ledger was, none is begun without a word.
func TestOnlyTracesAreLeft(t *testing.T) {
	for _, trace := range []string{"ledger.db.damaged-x", "ledger.db.replaced-x", "ledger.db.schema-1", "ledger.db.newest", "backups/ledger-1.db"} {
		x := newEmptyLedger(t)
		x.ok(x.Close())
		dir := t.TempDir()
		x.path = filepath.Join(dir, "ledger.db")
		if x.open() != nil {
			t.Fatal("a first start was told of")
		}
		x.ok(x.Close())
		x.ok(os.RemoveAll(dir))
		x.ok(os.MkdirAll(filepath.Dir(filepath.Join(dir, trace)), 0o700))
		x.ok(os.WriteFile(filepath.Join(dir, trace), []byte("x"), 0o600))
		if s := x.open(); s == nil || !strings.Contains(s.String(), "the ledger is gone") {
			t.Errorf("%s: %v", trace, s)
		}
		x.ok(x.Close())
	}
}

// TestOnlyBackupsAreLeft: of the backups in a folder of several stations, only the
// station's own say that there was a ledger.
func TestOnlyBackupsAreLeft(t *testing.T) {
	for _, station := range []string{"lab", "attic"} {
		other := newLedger(t)
		away := t.TempDir()
		other.ok(other.BackupTo(context.Background(), filepath.Join(away, "ledger-1.db")))
		other.ok(os.WriteFile(filepath.Join(away, "ledger-2.db"), []byte("x"), 0o600))
		x := newEmptyLedger(t)
		x.ok(x.Close())
		x.path, x.o.Backups, x.o.Station = filepath.Join(t.TempDir(), "ledger.db"), away, station
		if s := x.open(); (s != nil) != (station == "lab") {
			t.Errorf("%s: %v", station, s)
		}
		x.ok(x.Close())
	}
}
