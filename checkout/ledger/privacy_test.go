package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// verify fails the test when the ledger is not as it should be.
func (x *tester) verify() *Report {
	x.t.Helper()
	r, err := x.Verify(context.Background(), VerifyOptions{})
	x.ok(err)
	if !r.OK() {
		x.t.Errorf("%v", r)
		for _, f := range r.Faults {
			x.t.Log(f)
		}
	}
	return r
}

// has reports whether the file holds a string, on whatever page.
func (x *tester) has(s string) bool {
	x.t.Helper()
	b, err := os.ReadFile(x.path)
	x.ok(err)
	return bytes.Contains(b, []byte(s))
}

// people tells who is in the events of a device.
func (x *tester) people(device string) string {
	x.t.Helper()
	var s []string
	for e, err := range x.History(books.HistoryFilter{Device: device}) {
		x.ok(err)
		s = append(s, fmt.Sprintf("%d%s:%s<%s", e.Seq, e.Kind[:2], e.Person, e.From))
	}
	return strings.Join(s, " ")
}

func TestAnonymise(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7 ann has ipad
	x.bump(1, 12) // 8 ann has pixel, for long
	x.bump(2, 11) // 9 ben takes ipad over
	x.bump(2, 11) // 10 and brings it back
	x.bump(1, 13) // 11
	x.clock.add(48 * time.Hour)
	x.bump(1, 13) // 12 returned too late to be old
	x.bump(1, 11) // 13
	n, err := x.Anonymise(context.Background(), x.clock.wall.Add(-24*time.Hour))
	x.ok(err)
	want(t, "events", n, 3)
	want(t, "ipad", x.people("ipad"), "4en:< 7ch:< 9ha:< 10re:< 13ch:ann<")
	want(t, "pixel", x.people("pixel"), "5en:< 8ch:ann<")
	want(t, "nexus", x.people("nexus"), "6en:< 11ch:ann< 12re:ann<")
	want(t, "ann", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 8:checkout 11:checkout 12:return 13:checkout")
	want(t, "ben", x.history(books.HistoryFilter{Person: "ben"}), "2:enrol")
	want(t, "erased", x.verify().Erased, 3)
	want(t, "who", x.who(), "ipad=ann pixel=ann")

	// The second pass goes on where the first ended.
	x.clock.add(48 * time.Hour)
	x.bump(2, 12) // 15 ann's pixel goes to ben
	n, err = x.Anonymise(context.Background(), x.clock.wall.Add(time.Hour))
	x.ok(err)
	want(t, "events", n, 4)
	want(t, "pixel", x.people("pixel"), "5en:< 8ch:< 15ha:ben<")
	want(t, "nexus", x.people("nexus"), "6en:< 11ch:< 12re:<")
	want(t, "ann", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 13:checkout")
	x.verify()
	n, err = x.Anonymise(context.Background(), x.clock.wall.Add(time.Hour))
	x.ok(err)
	want(t, "nothing is left to do", n, 0)
}

// TestForgetNeedsTheTime has a clock that is years ahead until it is set.
func TestForgetNeedsTheTime(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(1, 11)
	x.clock.add(time.Hour)
	x.clock.trusted, x.clock.wall = false, x.clock.wall.AddDate(20, 0, 0)
	n, err := x.Forget(context.Background(), 24*time.Hour)
	x.ok(err)
	want(t, "with a wrong clock", n, 0)
	x.clock.trusted, x.clock.wall = true, x.clock.wall.AddDate(-20, 0, 0)
	n, err = x.Forget(context.Background(), time.Minute)
	x.ok(err)
	want(t, "with the right time", n, 2)
}

func TestAnonymisePending(t *testing.T) {
	x := newLedger(t)
	p := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}
	d := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}
	pair := func(p, d checkout.Subject) {
		_, err := x.Complete(checkout.Completion{Person: p, Device: d})
		x.ok(err)
	}
	pair(p, x.subject(11)) // 7
	pair(p, x.subject(11)) // 8 back
	pair(p, d)             // 9
	x.ok(x.AddPerson(books.Person{ID: "dia", Name: "Dia"}, checkout.Tag{}, "", checkout.SourceSync))
	x.ok(x.AddDevice(books.Device{ID: "tab", Name: "Tab"}, checkout.Tag{}, "", checkout.SourceSync))
	_, err := x.Resolve(tag(901), "dia")
	x.ok(err)
	_, err = x.Resolve(tag(902), "tab")
	x.ok(err)
	pair(x.subject(901), x.subject(902)) // 12 back
	pair(x.subject(901), x.subject(12))  // 13
	x.verify()
	x.clock.add(time.Hour)
	n, err := x.Anonymise(context.Background(), x.clock.wall)
	x.ok(err)
	want(t, "events", n, 4)
	want(t, "dia", x.history(books.HistoryFilter{Person: "dia"}), "10:resolve 13:checkout")
	want(t, "tab", x.people("tab"), "9ch:< 11re:< 12re:<")
	x.verify()
	x.bump(901, 12)
	x.deliverAll()
	x.ok(x.ErasePerson("dia", "admin", checkout.SourceCLI))
	x.verify()
	want(t, "erased", x.people("pixel"), "5en:< 13ch:< 15re:<")
	x.ok(x.Scrub(t.Context()))
	for _, s := range []string{"Dia", "dia", "…901"} {
		if x.has(s) {
			t.Errorf("the file still has %q", s)
		}
	}
	x.verify()
}

// deliverAll empties the outbox.
func (x *tester) deliverAll() {
	x.t.Helper()
	for _, sink := range x.o.Sinks {
		for _, r := range rowsFor(x.t, x.Ledger, sink) {
			x.ok(x.Delivered(sink, r.Key))
		}
	}
}

// TestAnonymiseWhatWasSuperseded forgets a loan that no event closed: its tag turned
// out to be that of a device which somebody else had taken since.
func TestAnonymiseWhatWasSuperseded(t *testing.T) {
	x := newLedger(t)
	_, err := x.Complete(checkout.Completion{Person: x.subject(1), Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}})
	x.ok(err)
	x.bump(2, 11)
	_, err = x.EnrolDevice("ipad", tag(902), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "who", x.who(), "ipad=ben")
	n, err := x.Anonymise(context.Background(), x.clock.wall.Add(time.Hour))
	x.ok(err)
	want(t, "events", n, 1)
	var names []string
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		names = append(names, string(e.Kind)+" "+e.PersonName)
	}
	want(t, "the ipad's history", strings.Join(names, ", "), "enrol , checkout , checkout Ben, resolve ")
	want(t, "who", x.who(), "ipad=ben")
	x.verify()
}

func TestErasePerson(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(2, 11)
	x.bump(1, 12)
	_, err := x.Give(books.Request{Device: "nexus", Person: "ben", Actor: "Ann", Note: "as Ann said"})
	x.ok(err)
	if err := x.ErasePerson("ann", "admin", checkout.SourceCLI); !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), "The pixel") {
		t.Fatalf("erased with a device in hand: %v", err)
	}
	x.bump(1, 12)
	if err := x.ErasePerson("ann", "admin", checkout.SourceCLI); !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), "delivered") {
		t.Fatalf("erased before the directory was told: %v", err)
	}
	x.deliverAll()
	before, err := hashesOf(x.Ledger)
	x.ok(err)
	x.ok(x.ErasePerson("ann", "admin", checkout.SourceCLI))
	if _, err := x.FindPerson("ann"); !errors.Is(err, books.ErrNotFound) {
		t.Error(err)
	}
	want(t, "badge", x.subject(1).Kind, checkout.Unknown)
	want(t, "ipad", x.people("ipad"), "4en:< 7ch:< 8ha:ben<")
	want(t, "pixel", x.people("pixel"), "5en:< 9ch:< 11re:<")
	after, err := hashesOf(x.Ledger)
	x.ok(err)
	for seq, h := range before {
		if after[seq] != h {
			t.Errorf("the hash of event %d has changed", seq)
		}
	}
	x.verify()
	if !x.has("Ann") {
		t.Log("no trace even before the scrub")
	}
	due, err := x.ScrubDue()
	x.ok(err)
	want(t, "scrub due", due, true)
	x.ok(x.Scrub(t.Context()))
	for _, s := range []string{"Ann", "ann@example.org"} {
		if x.has(s) {
			t.Errorf("the file still has %q", s)
		}
	}
	x.verify()
	want(t, "who", x.who(), "ipad=ben nexus=ben")
	x.bump(3, 12)
	x.reopen()
	x.verify()
}

func TestDossier(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(2, 11)
	_, err := x.Give(books.Request{Device: "nexus", Person: "cem", Actor: "ann", Note: "n"})
	x.ok(err)
	d, err := books.DossierOf(t.Context(), x.Ledger, "Ann")
	x.ok(err)
	b, err := json.Marshal(d)
	x.ok(err)
	want(t, "events and mentions", fmt.Sprint(len(d.Events), len(d.Named), len(d.Loans)), "3 1 0")
	if !strings.Contains(string(b), `"email":"ann@example.org"`) && !strings.Contains(string(b), `"Email":"ann@example.org"`) {
		t.Errorf("%s", b)
	}
	ctx, gone := context.WithCancel(t.Context())
	gone()
	if d, err := books.DossierOf(ctx, x.Ledger, "Ann"); d != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("it is made for who has gone: %v", err)
	}
}

// TestFileTellsNoBadge looks for the number of a badge in the file, as text
// and as bytes.
func TestFileTellsNoBadge(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.ok(x.NoteRefusals(stranger(tag(77))))
	for _, n := range []checkout.Tag{tag(1), tag(77)} {
		if x.has(n.Decimal()) || x.has(string(n.Value[10:])) {
			t.Errorf("the file holds the number %s", n.Decimal())
		}
	}
}

func TestKeyRotation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.ok(x.Close())
	wrong := x.o
	wrong.SiteKey = bytes.Repeat([]byte{9}, sitekey.Len)
	if _, err := Open(x.path, wrong); !errors.Is(err, ErrWrongKey) {
		t.Fatalf("another key: %v", err)
	}
	old := x.o.SiteKey
	x.o.SiteKey, x.o.OldKeys = wrong.SiteKey, [][]byte{old}
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	want(t, "known under the old key", x.subject(1).ID, "ann")
	x.bump(1, 12) // enrolled anew
	x.reopen()
	x.verify()
	x.ok(x.Close())
	x.o.OldKeys = nil
	l, err = Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	want(t, "ann was seen since", x.subject(1).ID, "ann")
	want(t, "ben was not", x.subject(2).ID, "")
}

func TestSealedNumbers(t *testing.T) {
	x := newLedger(t)
	if _, err := x.TagNumber(checkout.KindPerson, "ann"); err == nil {
		t.Error("a number was kept though nobody asked for it")
	}
	x.o.SealTags = true
	x.reopen()
	_, err := x.EnrolPerson("ann", tag(50), "admin", checkout.SourceCLI)
	x.ok(err)
	got, err := x.TagNumber(checkout.KindPerson, "ann")
	x.ok(err)
	want(t, "number", got, tag(50)) // that of the first badge is not known
	x.o.SiteKey, x.o.OldKeys = sitekey.New(), [][]byte{x.o.SiteKey}
	x.reopen()
	got, err = x.TagNumber(checkout.KindPerson, "ann")
	x.ok(err)
	want(t, "number under an old key", got, tag(50))
	if n := tag(50); x.has(n.Decimal()) || x.has(string(n.Value[10:])) {
		t.Error("the file holds the number")
	}
}
