package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// TestSetAside: names say when and why, have no odd letters, and are never taken twice.
func TestSetAside(t *testing.T) {
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.FixedZone("", 3600))
	for reason, want := range map[string]string{
		"meta page 0: not a meta page": "meta-page-0--not-a-meta-page",
		"../../etc/passwd\x00\n":       "etc-passwd",
		"":                             "",
		strings.Repeat("long ", 20):    "long-long-long-long-long-long-long-long",
	} {
		if got := asideName("/x/ledger.db", "damaged", reason, at); got != "/x/ledger.db.damaged-20261130T080000Z-"+want {
			t.Errorf("%q: %s", reason, got)
		}
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "name")
	for i := range 3 {
		got, err := freeName(name)
		if want := name + map[int]string{0: "", 1: "-1", 2: "-2"}[i]; err != nil || got != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		if err := os.Symlink("nowhere", got); err != nil { // a link counts too
			t.Fatal(err)
		}
	}
}

// TestNote: what is noted is read again, the end only if it was said, and a note that is
// not whole is none.
func TestNote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := record.Newest{Chain: checkout.Hash{1}, Hash: checkout.Hash{2}, Seq: 99}
	for name, end := range map[string]func(*Note) error{
		"ended":  (*Note).End,
		"closed": func(n *Note) error { n.Close(); return nil },
	} {
		note, err := OpenNote(path)
		ok(err)
		ok(note.Write(first))
		ok(end(note))
		want := first
		want.Clean = name == "ended"
		if got, ok := ReadNewest(path); !ok || got != want {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	b, err := os.ReadFile(NewestPath(path))
	ok(err)
	ok(os.WriteFile(NewestPath(path), append(b, 'x'), 0o600))
	note, err := OpenNote(path)
	ok(err)
	ok(note.End())
	if got, whole := ReadNewest(path); whole {
		t.Errorf("of a torn note: %v", got)
	}
	ok(os.Remove(NewestPath(path)))
	ok(os.Symlink(path, NewestPath(path)))
	none, err := OpenNote(path)
	if err == nil || none != nil {
		t.Error("a link was followed")
	}
	ok(none.Write(first)) // the ledger goes on without it
	ok(none.End())
	none.Close()
}
