package directory

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/sitekey"
)

// openLedger is an empty ledger on disk with the given sinks.
func openLedger(t testing.TB, sinks ...string) Ledger {
	t.Helper()
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{
		Station: "lab", SiteKey: sitekey.New(), Sinks: sinks, SealTags: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return Ledger{l}
}

// bump completes a pair; a tag that nobody knows is pending.
func bump(t testing.TB, l Ledger, person, device checkout.Tag) checkout.Event {
	t.Helper()
	subject := func(tag checkout.Tag, k checkout.SubjectKind) checkout.Subject {
		s, err := l.L.Subject(tag)
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind == checkout.Unknown {
			s.Kind, s.Pending = k, true
		}
		return s
	}
	ev, err := l.L.Complete(checkout.Completion{Person: subject(person, checkout.KindPerson), Device: subject(device, checkout.KindDevice)})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// eventually waits for something that a worker does behind a real server.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not within 10 s: %s", what)
}

// A site of the original with an empty register: what it knows is asked for, the
// bumps made while nobody could be asked are told in their order.
func TestLedgerEndToEndWithOriginal(t *testing.T) {
	s, d := openOriginal(t, nil)
	l := openLedger(t, Main)
	w, _ := start(t, Options{Directory: d, Outbox: l, Register: l, Backoff: impatient})

	a, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson)
	if err != nil || a.Kind == checkout.Unknown || a.Name != "Ann" || a.ID != "ann" {
		t.Fatalf("WhatIs: %+v, %v", a, err)
	}
	bump(t, l, annBadge, ipadTag)  // the device is pending
	bump(t, l, bobBadge, ipadTag)  // so is Bob
	bump(t, l, bobBadge, pixelTag) // another device
	bump(t, l, bobBadge, ipadTag)
	want := []string{
		"Ann checked out iPad Mini G1 (inky)", "Ann checked in iPad Mini G1 (inky)", "Bob checked out iPad Mini G1 (inky)",
		"Bob checked in iPad Mini G1 (inky)",
	}
	eventually(t, "all told", func() bool { return len(s.toggles()) == 5 })
	got := slices.DeleteFunc(s.toggles(), func(s string) bool { return s == "Bob checked out Pixel" })
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	eventually(t, "outbox empty", func() bool { n, _ := l.Backlog(Main); return n == 0 })
	if tags, _ := l.PendingTags(10); len(tags) != 0 {
		t.Errorf("%d tags still pending", len(tags))
	}
	if s, _ := l.L.Subject(bobBadge); s.Name != "Bob" {
		t.Errorf("Bob's badge is %+v", s)
	}
}

func TestLedgerConflictAccepted(t *testing.T) {
	s, d := openOriginal(t, nil)
	l := openLedger(t, Main)
	w, _ := start(t, Options{Directory: d, Outbox: l, Register: l, Backoff: impatient})
	s.mu.Lock()
	s.holder["8123456"] = sentBadge(annBadge) // Ann took it by the server's own page
	s.mu.Unlock()
	ev := bump(t, l, annBadge, ipadTag)
	eventually(t, "conflict", func() bool { return w.Behind() })
	if err := w.Accept(RowID(Main, ev.Seq), "admin"); err != nil {
		t.Fatal(err)
	}
	dev, err := l.L.FindDevice("ipad-mini-g1-inky")
	if err != nil || dev.Holder != "" {
		t.Errorf("%+v, %v, want it free as the directory says", dev, err)
	}
	eventually(t, "nothing behind", func() bool { return !w.Behind() })
	if n := len(s.toggles()); n != 1 {
		t.Errorf("%d toggles, want 1: its own word is not told to it", n)
	}
}

// What a webhook gets of an event is what "stump history --json" prints of it.
func TestEventJSONIsHistory(t *testing.T) {
	l := openLedger(t, "hook")
	bump(t, l, annBadge, ipadTag) // both pending
	bump(t, l, bobBadge, ipadTag) // stays pending
	if _, err := l.Apply([]Record{{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}, {Kind: checkout.KindDevice, Name: "iPad", Tag: ipadTag}}, Asker{}); err != nil {
		t.Fatal(err)
	}
	bump(t, l, annBadge, ipadTag)
	var want []string
	for e, err := range l.L.History(checkout.HistoryFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind.MovesDevice() {
			want = append(want, mustJSON(t, e))
		}
	}
	rows, err := l.Rows("hook", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows.Rows {
		got = append(got, mustJSON(t, eventJSON(r.Event)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("webhook data\n%s\nwant\n%s", got, want)
	}
}
