package inbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

// TestGather: each thing that waits is a row, with what can be done about it; technicians
// have those that they can do something about.
func TestGather(t *testing.T) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab-1", SiteKey: sitekey.New()})
	ok(err)
	defer l.Close()
	ok(l.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "root", checkout.SourceCLI))
	for _, d := range []books.Device{{ID: "box", Name: "Box"}, {ID: "pen", Name: "Pen", Kit: "box"}} {
		ok(l.AddDevice(d, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	if all, err := (Station{Books: l}).Waiting(true); err != nil || len(all) > 0 {
		t.Fatalf("%v %v", all, err)
	}
	for _, do := range []func() error{
		func() error { _, err := l.Give(books.Request{Device: "box", Person: "ann", Actor: "root"}); return err },
		func() error {
			_, err := l.Return(books.Request{Device: "box", Missing: []string{"pen"}, Actor: "root"})
			return err
		},
		func() error {
			return l.NoteRefusals([]checkout.Refusal{{Tag: checkout.Tag{Bits: 26}, Unknown: true, Fits: checkout.KindDevice, Count: 1, Reader: "door"}})
		},
	} {
		ok(do())
	}
	ann, reason, pull := "Ann", "its token ends", "no answer"
	from := Station{
		Books: l, Now: time.Now(), Info: func() (ledger.Info, error) {
			return ledger.Info{Damaged: &ledger.DamagedError{}}, errors.New("damaged")
		},
		Conditions: func() map[string][]selftest.Condition {
			return map[string][]selftest.Condition{"door": {{Name: "swapped", Text: "the wires", Remedy: "exchange them"}}}
		},
		Status: func() (directory.Status, error) {
			return directory.Status{
				Directory: "snipeit", Pull: &directory.PullStatus{Error: &pull},
				Sinks: []directory.SinkStatus{{Name: "hook", State: directory.Stopped, Reason: &reason, Stuck: []directory.Row{
					{ID: "1", State: "parked", Reason: "refused"},
					{ID: "2", State: "conflict", Event: books.EntryJSON{Kind: checkout.Checkout, Person: &ann}, Theirs: &books.Holding{Name: "Ben"}},
					{ID: "3", State: "conflict"},
					{ID: "4", State: "lost"},
				}}, {Name: "chat", State: directory.Stopped}, {Name: "mail", State: "down"}},
				Doubts:  []directory.DoubtRow{{ID: "5", DeviceID: "box", Event: books.EntryJSON{Kind: checkout.Return}, Theirs: "with Ben"}},
				Orphans: []directory.Orphan{{Name: "old", Rows: 2}},
			}, nil
		},
	}
	shown := func(admin bool) (s string) {
		all, err := from.Waiting(admin)
		ok(err)
		keys := map[string]bool{}
		for _, r := range all {
			if keys[r.Key()] {
				t.Errorf("%s is there twice", r.Key())
			}
			keys[r.Key()] = true
			s += strings.TrimSpace(fmt.Sprintln(r.Kind, r.ID, or(r.Here), or(r.There), r.Answers)) + "\n"
		}
		return s
	}
	tags, err := l.UnknownTags()
	ok(err)
	technician := "fault door/swapped - - []\nunknown-tag " + tags[0].ID + " - - [assign ignore]\n"
	if got := shown(false); got != technician {
		t.Errorf("a technician: %s", got)
	}
	want := technician + `fault damaged - - []
doubtful 5 free with Ben [accept]
fault all - - [retry]
refused 1 - - [retry drop]
refused 2 Ann Ben [retry accept drop]
refused 3 - - [retry drop]
refused 4 - - [retry accept drop]
fault all - - [retry]
fault pull - - []
refused all@old - - [drop]
part pen - - []
`
	if got := shown(true); got != want {
		t.Errorf("an admin: %s, want %s", got, want)
	}
}

func or(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

// TestConditions: the words of a fault are an admin's, unless it was measured, and the others'
// are a copy.
func TestConditions(t *testing.T) {
	all := map[string][]selftest.Condition{"door": {{Name: "no-reader", Text: "/dev/ttyUSB0 is gone", Remedy: "x"}, {Name: "swapped", Text: "exchanged", Remedy: "exchange them"}}}
	of := func() map[string][]selftest.Condition { return all }
	if got := Conditions(of, false)["door"][0].Text; got != "no-reader" {
		t.Errorf("a technician reads %q", got)
	}
	if got := Conditions(of, false)["door"][1]; got.Text != "exchanged" || got.Remedy != "exchange them" {
		t.Errorf("a technician reads %+v", got)
	}
	if got := Conditions(of, true)["door"][0].Text; got != "/dev/ttyUSB0 is gone" {
		t.Errorf("an admin reads %q", got)
	}
}

// TestClash: of what two stations have reserved at once, an admin is told both, and how to end
// one.
func TestClash(t *testing.T) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	stamp := func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} }
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab-1", SiteKey: sitekey.New(), Stamp: stamp})
	ok(err)
	defer l.Close()
	for _, id := range []string{"ann", "ben"} {
		ok(l.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	ok(l.AddDevice(books.Device{ID: "pen", Name: "Pen"}, checkout.Tag{}, "root", checkout.SourceCLI))
	ok(l.JoinLab())
	day := time.Now().Truncate(24*time.Hour).AddDate(0, 0, 7)
	_, err = l.Reserve(books.Booking{Device: "pen", Person: "ann", From: day, To: day.AddDate(0, 0, 2), Actor: "root"})
	ok(err)
	said := wire.Subject{Kind: "reservation", ID: strings.Repeat("4f", 32) + ":7", Ver: 1, Fields: map[string]string{
		"device": "pen", "person": "ben", "from": day.AddDate(0, 0, 1).Format(time.RFC3339), "to": day.AddDate(0, 0, 3).Format(time.RFC3339)}}
	_, err = l.TakeLab(wire.Changes{Epoch: 1, Ver: 1, At: time.Now(), Subjects: []wire.Subject{said}}, 0)
	ok(err)
	rows, err := Station{Books: l, Now: time.Now()}.Waiting(true)
	ok(err)
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	r := rows[0]
	if r.ID != "7@4f4f4f4f" || r.Kind != Clash || fmt.Sprint(r.Answers) != "[cancel]" || !strings.HasPrefix(r.What, "BEN has reserved Pen from ") {
		t.Errorf("%+v", r)
	}
	if !strings.HasPrefix(or(r.Why), "Pen is reserved for ANN from ") {
		t.Errorf("because %s", or(r.Why))
	}
	if rows, err := (Station{Books: l, Now: time.Now()}).Waiting(false); err != nil || len(rows) != 0 {
		t.Errorf("a technician has %v, %v", rows, err)
	}
	_, err = l.CancelReservation(r.ID, "", "", "root", checkout.SourceCLI)
	ok(err)
	if rows, err = (Station{Books: l, Now: time.Now()}).Waiting(true); err != nil || len(rows) != 0 {
		t.Errorf("afterwards %v, %v", rows, err)
	}
}
