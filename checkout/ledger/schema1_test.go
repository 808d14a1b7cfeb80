package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// oldLedgers are those of schema 1 in testdata, with the station's last name and
// how many chains of earlier names each has.
var oldLedgers = []struct {
	name, station string
	closed        int
}{
	{"empty", "lab-1", 0}, {"plain", "lab-1", 0}, {"renamed", "lab-c", 2}, {"renamed-back", "lab-a", 2}, {"salvaged", "lab-1", 0},
	{"salvaged-renamed", "lab-b", 1}, {"restored", "lab-1", 0}, {"waiting", "lab-1", 0}, {"simulated", "lab-1", 0},
}

// unpackOld returns the folder of a ledger of schema 1, the path of a copy of it
// and how to open that.
func unpackOld(t testing.TB, name, station string) (dir, path string, o Options) {
	t.Helper()
	dir, path = filepath.Join("testdata", "schema1", name), filepath.Join(t.TempDir(), "ledger.db")
	packed, err := os.Open(filepath.Join(dir, "ledger.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := sitekey.Load(filepath.Join(dir, "site.key"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, Options{Station: station, SiteKey: keys.Current, OldKeys: keys.Old, Sinks: []string{"directory", "hook"}, Stamp: newTestClock().stamp}
}

// printed reads what the old program printed: one JSON object a line.
func printed(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// shown turns a value into what its JSON says.
func shown(t *testing.T, v any) (m map[string]any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sameJSON(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	g, w := fmt.Sprint(got), fmt.Sprint(want) // fmt sorts keys
	if g != w {
		t.Errorf("%s\n got %s\nwant %s", what, g, w)
	}
}

// TestMigration opens ledgers of schema 1: all that the old program printed of
// them is the same, but for the new key; they verify, take a tap and open again.
func TestMigration(t *testing.T) {
	for _, old := range oldLedgers {
		t.Run(old.name, func(t *testing.T) {
			dir, path, o := unpackOld(t, old.name, old.station)
			looked, err := OpenReadOnly(path, o)
			if err != nil {
				t.Fatal(err)
			}
			asPrinted(t, looked, dir, 0)
			looked.Close()
			l, salvaged, err := OpenOrSalvage(path, o)
			if err != nil || salvaged != nil {
				t.Fatal(salvaged, err)
			}
			defer func() { l.Close() }()
			asPrinted(t, l, dir, old.closed)
			verifies(t, l)
			copied, err := OpenReadOnly(beside.BeforeSchema(path, 1), o)
			if err != nil {
				t.Fatal("the copy from before: ", err)
			}
			asPrinted(t, copied, dir, 0)
			copied.Close()
			x := &tester{Ledger: l, t: t, path: path, o: o}
			pair := checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true},
				Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}}
			before, err := l.Info()
			x.ok(err)
			ev, err := l.Complete(pair)
			x.ok(err)
			want(t, "the next number", ev.Seq, before.Seq+1)
			x.reopen()
			defer x.Close()
			verifies(t, x.Ledger)
			x.ok(x.Scrub(t.Context()))
			verifies(t, x.Ledger)
		})
	}
}

// asPrinted compares loans and history with what the old program printed. extra
// is how many chains the migration closed; an event more says so.
func asPrinted(t *testing.T, l *Ledger, dir string, closed int) {
	t.Helper()
	who := printed(t, filepath.Join(dir, "who.json"))
	n := 0
	for loan, err := range l.Loans(books.LoanFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got := shown(t, loan)
		i := slices.IndexFunc(who, func(m map[string]any) bool {
			return fmt.Sprint(m["device"], m["note"]) == fmt.Sprint(got["device"], got["note"])
		})
		if i < 0 {
			t.Errorf("a loan that was not there: %v", got)
			continue
		}
		got["overdue"] = who[i]["overdue"] // depends on the day
		if got["doubtful"] == false {
			delete(got, "doubtful") // the old program knew no doubt
		}
		sameJSON(t, "loan", got, who[i])
		n++
	}
	want(t, "loans", n, len(who))
	history, chains := printed(t, filepath.Join(dir, "history.json")), map[any]bool{}
	n = 0
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == checkout.Migrate {
			want(t, "closed chains", len(e.Closed), closed)
			continue
		}
		got := shown(t, e)
		if got["chain"] == "" {
			t.Errorf("event %d has no chain", e.Seq)
		}
		chains[got["chain"]] = true
		delete(got, "chain")
		sameJSON(t, fmt.Sprint("event ", e.Seq), got, history[n])
		n++
	}
	want(t, "events", n, len(history))
}

func verifies(t *testing.T, l *Ledger) {
	t.Helper()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil || !r.OK() {
		t.Fatal(r, err)
	}
}

// TestMigrationKeepsWhatWaits: rows of every name are there, and can be named.
func TestMigrationKeepsWhatWaits(t *testing.T) {
	_, path, o := unpackOld(t, "renamed", "lab-c")
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stations := map[string]int{}
	for _, r := range rowsFor(t, l, "hook") {
		stations[r.Event.Station]++
		key, err := l.ParseRow(r.ID)
		if err != nil || key != r.Key || strings.Contains(r.ID, ":") != (r.Event.Station != "lab-c") {
			t.Errorf("row %s of %s: %v, %v", r.ID, r.Event.Station, key, err)
		}
		if err := l.Delivered("hook", key); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "waiting", fmt.Sprint(stations), "map[lab-a:32 lab-b:34 lab-c:36]")
	want(t, "left", len(rowsFor(t, l, "hook")), 0)
	for _, id := range []string{"", "0", "x", "12:", ":12", "ab:12", "00000000:12"} {
		if key, err := l.ParseRow(id); err == nil {
			t.Errorf("%q is row %v", id, key)
		}
	}
	verifies(t, l)
}

// TestMigrationKeepsTheStateOfRows: what development builds kept of rows, in a memo
// of the worker's, is understood, and stays so when it is written in today's form.
func TestMigrationKeepsTheStateOfRows(t *testing.T) {
	dir, path, o := unpackOld(t, "waiting", "lab-1")
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	states := map[string]int{}
	for _, old := range printed(t, filepath.Join(dir, "outbox.json")) {
		was := map[string]any{"state": "queued"}
		if memo := old["memo"].(string); memo != "" {
			if err := json.Unmarshal([]byte(memo), &was); err != nil {
				t.Fatal(err)
			}
		}
		states[was["state"].(string)]++
		key, err := l.ParseRow(fmt.Sprint(old["seq"]))
		if err != nil {
			t.Fatal(err)
		}
		sink := old["sink"].(string)
		for _, written := range []string{"then", "now"} {
			r, err := l.OutboxOf(sink, key)
			if err != nil {
				t.Fatal(err)
			}
			is := map[string]any{"state": r.State.String()}
			for name, v := range map[string]any{"attempts": float64(r.Attempts), "reason": r.Reason, "remedy": r.Remedy, "step": r.Step, "force": r.Force} {
				if v != "" && v != 0.0 && v != false {
					is[name] = v
				}
			}
			if !r.Next.IsZero() {
				is["next"] = r.Next.UTC().Format(time.RFC3339Nano)
			}
			if r.Theirs != nil {
				is["theirs"] = shown(t, r.Theirs)
			}
			sameJSON(t, fmt.Sprintf("row %v for %s, written %s", key, sink, written), is, was)
			want(t, "pending", r.Pending, old["pending"].(bool))
			if err := l.SaveOutbox(sink, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	want(t, "states", len(states), 4)
}

// TestMigrationOfDamage: what does not verify is not migrated but salvaged.
func TestMigrationOfDamage(t *testing.T) {
	_, path, o := unpackOld(t, "plain", "lab-1")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("handover"), []byte("handovex"), 1)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := Open(path, o); !errors.As(err, &damaged) {
		t.Fatalf("opened: %v", err)
	}
	l, salvaged, err := OpenOrSalvage(path, o)
	if err != nil || salvaged == nil {
		t.Fatal(salvaged, err)
	}
	defer l.Close()
	want(t, "events", salvaged.Events, 972)
	verifies(t, l)
}

// TestMigrationThatFails leaves the file as it was.
func TestMigrationThatFails(t *testing.T) {
	_, path, o := unpackOld(t, "renamed", "lab-c")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(beside.BeforeSchema(path, 1), 0o700); err != nil { // no copy can be made
		t.Fatal(err)
	}
	if _, err := Open(path, o); err == nil || !strings.Contains(err.Error(), "copy the ledger before its migration") {
		t.Fatal(err)
	}
	is, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(was, is) {
		t.Errorf("the file changed: %v", err)
	}
}

// TestRestoreOfAnOldBackup restores a backup of schema 1 over its own future.
func TestRestoreOfAnOldBackup(t *testing.T) {
	_, path, o := unpackOld(t, "renamed", "lab-c")
	backup := filepath.Join(t.TempDir(), "old.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(backup, b, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true},
		Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}}); err != nil {
		t.Fatal(err)
	}
	info, err := l.Info()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r, err := restoreFrom(t.Context(), path, backup, o, RestoreOptions{Actor: "admin", Fork: true})
	if err != nil {
		t.Fatal(err)
	}
	if l, err = Open(path, o); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	verifies(t, l)
	after, err := l.Info()
	if err != nil || after.Chain != info.Chain || after.Seq <= info.Seq {
		t.Errorf("%v: event %d of %v after %d of %v (%v)", r, after.Seq, after.Chain, info.Seq, info.Chain, err)
	}
	left, err := filepath.Glob(path + ".restored*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
