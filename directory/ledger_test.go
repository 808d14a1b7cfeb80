package directory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// eventually waits for something that a worker does with a real server.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not within two minutes: %s", what)
}

// A site of the original client with an empty register: unknown tags are asked
// about, and the events of pending tags are delivered in order.
func TestLedgerEndToEndWithOriginal(t *testing.T) {
	s, d := openOriginal(t, nil)
	l := newBox(t, Main)
	w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})

	a, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson)
	if err != nil || a.Kind == checkout.Unknown || a.Name != "Ann" || a.ID != "ann" {
		t.Fatalf("WhatIs: %+v, %v", a, err)
	}
	l.bump(annBadge, ipadTag)  // the device is pending
	l.bump(bobBadge, ipadTag)  // so is Bob
	l.bump(bobBadge, pixelTag) // another device
	l.bump(bobBadge, ipadTag)
	want := []string{
		"Ann checked out iPad Mini G1 (inky)", "Ann checked in iPad Mini G1 (inky)", "Bob checked out iPad Mini G1 (inky)",
		"Bob checked in iPad Mini G1 (inky)",
	}
	eventually(t, "all delivered", func() bool { return len(s.toggles()) == 5 })
	got := slices.DeleteFunc(s.toggles(), func(s string) bool { return s == "Bob checked out Pixel" })
	if !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
	eventually(t, "outbox empty", func() bool { n, _ := l.Backlog(Main); return n == 0 })
	if tags, _ := l.Pending(); len(tags) != 0 {
		t.Errorf("%d tags still pending", len(tags))
	}
	if s, _ := l.Subject(bobBadge); s.Name != "Bob" {
		t.Errorf("Bob's badge is %+v", s)
	}
}

func TestLedgerConflictAccepted(t *testing.T) {
	s, d := openOriginal(t, nil)
	l := newBox(t, Main)
	w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})
	l.bump(annBadge, ipadTag) // a device that never moved here would be no conflict
	l.bump(annBadge, ipadTag)
	eventually(t, "taken and returned", func() bool { n, _ := l.Backlog(Main); return n == 0 && len(s.toggles()) == 2 })
	s.mu.Lock()
	s.holder["8123456"] = sentBadge(annBadge) // Ann took it on the server's own page
	s.mu.Unlock()
	ev := l.bump(annBadge, ipadTag)
	eventually(t, "conflict", func() bool { return w.Behind() })
	if err := w.Accept(fmt.Sprint(ev.Seq), "admin"); err != nil {
		t.Fatal(err)
	}
	dev, err := l.FindDevice("ipad-mini-g1-inky")
	if err != nil || dev.Holder != "" {
		t.Errorf("%+v, %v, want it free as the directory says", dev, err)
	}
	eventually(t, "nothing behind", func() bool { return !w.Behind() })
	if n := len(s.toggles()); n != 3 {
		t.Errorf("%d toggles, want 3: its own word is not delivered to it", n)
	}
}

// A webhook gets events as "stump history --json" prints them.
func TestEventJSONIsHistory(t *testing.T) {
	l := newBox(t, "hook")
	l.bump(annBadge, ipadTag) // both pending
	l.bump(bobBadge, ipadTag) // stays pending
	l.sync(books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}, books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: ipadTag})
	l.bump(annBadge, ipadTag)
	var want []string
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind.MovesDevice() {
			want = append(want, mustJSON(t, e))
		}
	}
	var got []string
	for _, r := range l.rows("hook") {
		got = append(got, mustJSON(t, eventJSON(r.Event)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("webhook data\n%s\nwant\n%s", got, want)
	}
}
