package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// syncLedger is an empty ledger with the directory and a webhook as sinks.
func syncLedger(t testing.TB) *Ledger {
	t.Helper()
	l, err := Create(filepath.Join(t.TempDir(), "ledger.db"), Options{
		Station: "lab", SiteKey: sitekey.New(), Sinks: []string{DirectorySink, "hook"}, SealTags: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func syncRows(t testing.TB, l *Ledger, rows ...books.SyncRow) []books.SyncRow {
	t.Helper()
	out, err := l.Sync(rows, "directory", checkout.SourceSync)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tag26(n uint64) checkout.Tag { return testkit.Tag(n, 26) }

func TestSyncAddsChangesAndMovesTags(t *testing.T) {
	l := syncLedger(t)
	out := syncRows(t, l,
		books.SyncRow{Kind: checkout.KindPerson, Ref: "1", Name: "Jane Doe", Email: "j@x", Tag: tag26(100)},
		books.SyncRow{Kind: checkout.KindPerson, Ref: "2", Name: "Jane Doe", Tag: tag26(200)},
		books.SyncRow{Kind: checkout.KindDevice, Ref: "9", Name: "Pixel 9 (lab)", Type: "phone", Tag: tag26(900)},
	)
	if got := []string{out[0].ID, out[1].ID, out[2].ID}; !slices.Equal(got, []string{"jane-doe", "jane-doe-2", "pixel-9-lab"}) {
		t.Errorf("ids %q", got)
	}
	// A rename keeps id and tag; exchanged badges end up right.
	syncRows(t, l,
		books.SyncRow{Kind: checkout.KindPerson, ID: "jane-doe", Ref: "1", Name: "Jane Roe", Tag: tag26(200)},
		books.SyncRow{Kind: checkout.KindPerson, ID: "jane-doe-2", Ref: "2", Name: "Jane Doe", Tag: tag26(100)},
	)
	for n, want := range map[uint64]string{200: "jane-doe", 100: "jane-doe-2"} {
		if s, err := l.Subject(tag26(n)); err != nil || s.ID != want {
			t.Errorf("tag %d is %q's (%v), want %q", n, s.ID, err, want)
		}
	}
	if p, _ := l.FindPerson("jane-doe"); p.Name != "Jane Roe" || p.Ref != "1" {
		t.Errorf("%+v", p)
	}
	if n, err := l.Backlog(DirectorySink); n != 0 || err != nil {
		t.Errorf("%d rows for the directory (%v): it was its own word", n, err)
	}
}

func TestSyncStatus(t *testing.T) {
	l := syncLedger(t)
	row := syncRows(t, l, books.SyncRow{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Tag: tag26(1)})[0]
	row.Inactive = true
	syncRows(t, l, row)
	if p, _ := l.FindPerson("ann"); p.Status != checkout.Suspended {
		t.Errorf("left the directory: %v", p.Status)
	}
	row.Inactive = false
	syncRows(t, l, row)
	if p, _ := l.FindPerson("ann"); p.Status != checkout.Active {
		t.Errorf("came back: %v", p.Status)
	}
	for _, status := range []checkout.Status{checkout.Suspended, checkout.Retired} {
		if err := l.EditPerson("ann", books.Edit{Status: &status}, "admin", checkout.SourceCLI); err != nil {
			t.Fatal(err)
		}
		syncRows(t, l, row)
		if p, _ := l.FindPerson("ann"); p.Status != status || p.ByDirectory {
			t.Errorf("%v by an admin, then pulled: %v", status, p.Status)
		}
	}
}

func TestSyncIsAllOrNothing(t *testing.T) {
	l := syncLedger(t)
	_, err := l.Sync([]books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Tag: tag26(1)},
		{Kind: checkout.KindPerson, Ref: "2", Name: "bad\x00name"},
	}, "directory", checkout.SourceSync)
	if err == nil {
		t.Fatal("a name with a control character was taken")
	}
	if _, err := l.FindPerson("ann"); !errors.Is(err, books.ErrNotFound) {
		t.Errorf("Ann is there after a failed pull: %v", err)
	}
}

// A bump that waited for its badge is delivered under the name that a pull
// brings.
func TestSyncResolvesPending(t *testing.T) {
	l := syncLedger(t)
	syncRows(t, l, books.SyncRow{Kind: checkout.KindDevice, Ref: "9", Name: "iPad", Tag: tag26(900)})
	changed := l.OutboxChanged()
	dev, _ := l.Subject(tag26(900))
	if _, err := l.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag26(5), Pending: true}, Device: dev}); err != nil {
		t.Fatal(err)
	}
	<-changed
	rows := rowsFor(t, l, DirectorySink)
	if len(rows) != 1 || !rows[0].Pending {
		t.Fatalf("%+v", rows)
	}
	syncRows(t, l, books.SyncRow{Kind: checkout.KindPerson, Ref: "5", Name: "Eve", Tag: tag26(5)})
	<-changed
	rows = rowsFor(t, l, DirectorySink)
	if len(rows) != 1 || rows[0].Pending || rows[0].Event.Person != "eve" || rows[0].Event.Device != "ipad" {
		t.Fatalf("%+v", rows)
	}
}

func TestOutboxByTheWorker(t *testing.T) {
	l := syncLedger(t)
	syncRows(t, l, books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: tag26(900)}, books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: tag26(1)})
	person, _ := l.Subject(tag26(1))
	device, _ := l.Subject(tag26(900))
	var seqs []uint64
	for range 5 {
		ev, err := l.Complete(checkout.Completion{Person: person, Device: device})
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, ev.Seq)
	}
	saved := record.OutboxRow{State: record.InDoubt, Attempts: 3, Next: time.Unix(7, 0), Reason: "no", Remedy: "look", Step: "returned", Force: true,
		Theirs: &books.Holding{Free: true, Ref: "1", ID: "ann", Name: "Ann"}}
	if err := l.SaveOutbox("hook", OutboxRow{Key: record.At(1, seqs[2]), OutboxRow: saved}, OutboxRow{Key: record.At(1, 999)}); err != nil {
		t.Fatal(err)
	}
	if err := l.Delivered("hook", keysOf(seqs[0], seqs[1], seqs[1], 999)...); err != nil {
		t.Fatal(err)
	}
	page, err := l.OutboxFrom("hook", RowKey{}, 2)
	rows := page.Rows
	saved.Device = "ipad"
	if err != nil || len(rows) != 2 || page.End || page.Next.Seq != seqs[4] || rows[0].Key.Seq != seqs[2] || !reflect.DeepEqual(rows[0].OutboxRow, saved) || rows[1].Key.Seq != seqs[3] {
		t.Errorf("rows %+v, %v", rows, err)
	}
	for sink, want := range map[string]int{"hook": 3, DirectorySink: 5, "nobody": 0} {
		if n, err := l.Backlog(sink); n != want || err != nil {
			t.Errorf("backlog of %s: %d, %v, want %d", sink, n, err, want)
		}
	}
}

func TestAcceptTheirs(t *testing.T) {
	l := syncLedger(t)
	syncRows(t, l, books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: tag26(900)},
		books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: tag26(1)}, books.SyncRow{Kind: checkout.KindPerson, Name: "Bob", Tag: tag26(2)})
	ann, _ := l.Subject(tag26(1))
	device, _ := l.Subject(tag26(900))
	holder := func() string {
		d, err := l.FindDevice("ipad")
		if err != nil {
			t.Fatal(err)
		}
		return d.Holder
	}
	for _, tc := range []struct {
		theirs string
		kind   checkout.Kind
	}{{"bob", checkout.Handover}, {"", checkout.Return}} {
		if h := holder(); h != "" {
			if _, err := l.Return(books.Request{Device: "ipad", Actor: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		ev, err := l.Complete(checkout.Completion{Person: ann, Device: device})
		if err != nil {
			t.Fatal(err)
		}
		before, _ := l.Backlog(DirectorySink)
		hook, _ := l.Backlog("hook")
		got, err := l.AcceptTheirs(DirectorySink, record.At(1, ev.Seq), tc.theirs, "admin")
		if err != nil || got.Kind != tc.kind || holder() != tc.theirs {
			t.Errorf("accept %q: %v %v, holder %q", tc.theirs, got.Kind, err, holder())
		}
		if n, _ := l.Backlog(DirectorySink); n != before-1 {
			t.Errorf("directory has %d rows, want %d: its own word is not told to it", n, before-1)
		}
		if n, _ := l.Backlog("hook"); n != hook+1 {
			t.Errorf("the webhook has %d rows, want %d", n, hook+1)
		}
	}
	// What moved since is newer than the directory's word.
	ev, _ := l.Complete(checkout.Completion{Person: ann, Device: device})
	if _, err := l.Give(books.Request{Device: "ipad", Person: "bob", Actor: "x"}); err != nil {
		t.Fatal(err)
	}
	if got, err := l.AcceptTheirs(DirectorySink, record.At(1, ev.Seq), "", "admin"); err != nil || got.Kind != checkout.Correct || holder() != "bob" {
		t.Errorf("%v, %v, holder %q, want bob still", got.Kind, err, holder())
	}
	if _, err := l.AcceptTheirs(DirectorySink, record.At(1, ev.Seq), "", "admin"); !errors.Is(err, ErrNotQueued) {
		t.Errorf("twice: %v", err)
	}
}

// A directory that wants numbers may come later than the badges: each is kept
// from its next bump on.
func TestNumbersAreKeptFromTheNextBump(t *testing.T) {
	o := Options{Station: "lab", SiteKey: sitekey.New(), Sinks: []string{DirectorySink}}
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	syncRows(t, l, books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: tag26(1)}, books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: tag26(900)})
	if _, err := l.TagNumber(checkout.KindPerson, "ann"); err == nil {
		t.Fatal("the number is kept though nobody wants it")
	}
	l.Close()
	o.SealTags = true
	if l, err = Open(path, o); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	person, _ := l.Subject(tag26(1))
	device, _ := l.Subject(tag26(900))
	if _, err := l.Complete(checkout.Completion{Person: person, Device: device}); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[checkout.SubjectKind]checkout.Tag{checkout.KindPerson: tag26(1), checkout.KindDevice: tag26(900)} {
		id := map[checkout.SubjectKind]string{checkout.KindPerson: "ann", checkout.KindDevice: "ipad"}[kind]
		if got, err := l.TagNumber(kind, id); err != nil || got != want {
			t.Errorf("number of %s: %v, %v", id, got, err)
		}
		if s, _ := l.Subject(want); s.ID != id {
			t.Errorf("the tag of %s is %q's now", id, s.ID)
		}
	}
}

func BenchmarkSync25000(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		l := syncLedger(b)
		var rows []books.SyncRow
		for i := range uint64(25_000) {
			k := checkout.KindPerson
			if i%5 == 0 {
				k = checkout.KindDevice
			}
			rows = append(rows, books.SyncRow{Kind: k, Ref: fmt.Sprint(i), Name: fmt.Sprintf("Name %d", i), Tag: tag26(i + 1)})
		}
		b.StartTimer()
		syncRows(b, l, rows...)
	}
}
