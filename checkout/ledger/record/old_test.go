package record

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
)

// printedEvent is a line of a history.json, which the program of version 1 records
// printed.
type printedEvent struct {
	Station, ID, Kind, Source           string
	Seq                                 uint64
	Reader, Actor, Device, Person, From *string
	DeviceID                            *string `json:"device_id"`
	PersonID                            *string `json:"person_id"`
	FromID                              *string `json:"from_id"`
	Note                                *string
	At                                  time.Time
	ClockTrusted                        bool `json:"clock_trusted"`
}

// oldFiles returns the folders with ledgers of that time.
func oldFiles(t *testing.T) []string {
	t.Helper()
	packed, err := filepath.Glob("../testdata/schema1/*/ledger.db.gz")
	if err != nil || len(packed) == 0 {
		t.Fatal("no old ledgers", err)
	}
	var dirs []string
	for _, p := range packed {
		dirs = append(dirs, filepath.Dir(p))
	}
	return dirs
}

// openOld unpacks a ledger and opens it with bbolt alone.
func openOld(t *testing.T, dir string) *bolt.DB {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "ledger.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func printedEvents(t *testing.T, dir string) (all []printedEvent) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "history.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e printedEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestVersion1 reads event records of version 1. They say what the program of that
// time printed of them, and their hashes are a chain.
func TestVersion1(t *testing.T) {
	erased := 0
	for _, dir := range oldFiles(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			printed := map[string]printedEvent{}
			for _, e := range printedEvents(t, dir) {
				printed[e.ID] = e
			}
			n, last := 0, map[uint16]Event{}
			err := openOld(t, dir).View(func(tx *bolt.Tx) error {
				return tx.Bucket(TreeEvents.Bucket()).ForEach(func(k, v []byte) error {
					n++
					at, ok := ParseEventKey(k)
					ev, err := Decode(v)
					if !ok || err != nil || ev.Version != 1 || !ev.Chain.IsZero() {
						t.Fatalf("%x: %+v, %v", k, ev, err)
					}
					if before := last[at.Chain]; ev.Seq == before.Seq+1 && ev.Prev != before.Hash && (ev.Gap == nil || ev.Gap.Hash != ev.Prev) {
						t.Errorf("event %d of chain %d doesn't follow the one before", at.Seq, at.Chain)
					}
					last[at.Chain] = ev
					if ev.Erased {
						erased++
					}
					samePrinted(t, &ev, printed[ev.ID.String()])
					return nil
				})
			})
			if err != nil || n != len(printed) {
				t.Errorf("%d events, %d were printed: %v", n, len(printed), err)
			}
		})
	}
	if erased == 0 {
		t.Error("no event in the old ledgers is erased")
	}
}

// samePrinted compares what the register of that time has not replaced: the values of
// pending ids were those of the person or device that they became.
func samePrinted(t *testing.T, ev *Event, want printedEvent) {
	t.Helper()
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	if ev.Station != want.Station || ev.Seq != want.Seq || string(ev.Kind) != want.Kind || string(ev.Source) != want.Source ||
		ev.Reader != text(want.Reader) ||
		!strings.Contains(text(want.Note), ev.Note) || !strings.Contains(text(want.Note), ev.Condition) { // printed was a sentence of both
		t.Errorf("event %d: %+v\nprinted was %+v", ev.Seq, ev, want)
	}
	for _, p := range []struct{ what, id, name, wantID, wantName string }{
		{"person", ev.Person, ev.PersonName, text(want.PersonID), text(want.Person)},
		{"from", ev.From, ev.FromName, text(want.FromID), text(want.From)},
		{"device", ev.Device, ev.DeviceName, text(want.DeviceID), text(want.Device)},
	} {
		if !checkout.IsPendingID(p.id) && (p.id != p.wantID || p.name != p.wantName) {
			t.Errorf("event %d: %s %q (%q), printed was %q (%q)", ev.Seq, p.what, p.id, p.name, p.wantID, p.wantName)
		}
	}
	if ev.At.Trusted && (!want.ClockTrusted || !ev.At.Wall.Truncate(time.Second).Equal(want.At)) {
		t.Errorf("event %d: at %v, printed was %v", ev.Seq, ev.At.Wall, want.At)
	}
}

// TestVersion1Rows reads every row of the old ledgers, and writes it as it is.
func TestVersion1Rows(t *testing.T) {
	seen := map[Tree]int{}
	for _, dir := range oldFiles(t) {
		err := openOld(t, dir).View(func(tx *bolt.Tx) error {
			for _, tr := range Trees[1:] {
				if err := tx.Bucket(tr.Bucket()).ForEach(func(k, b []byte) error {
					v, err := Open(b)
					if err != nil || v.Tree != tr || string(v.Key) != string(k) || v.Size != len(b) {
						t.Errorf("%s: the row %q of %v: %+v, %v", dir, k, tr, v, err)
					}
					seen[tr]++
					return decodes(v)
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	for _, tr := range Trees[1:] {
		if seen[tr] == 0 {
			t.Errorf("no row of %v in the old ledgers", tr)
		}
	}
}

// decodes reads the body of a row by the form of its tree.
func decodes(v Envelope) (err error) {
	switch v.Tree {
	case TreeDevices, TreePeople:
		_, err = Unpack(RowForm, v.Body)
	case TreeOutbox:
		_, err = Unpack(OutboxForm, v.Body)
	case TreeUnknown:
		_, err = Unpack(UnknownForm, v.Body)
	case TreeBoots:
		_, err = Unpack(BootForm, v.Body)
	}
	return err
}
