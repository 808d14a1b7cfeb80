package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/clock"
)

func TestGiveAndReturn(t *testing.T) {
	x := newLedger(t)
	r := books.Request{Device: "The ipad", Person: "Ann", Actor: "root", Note: "found it on her desk"}
	ev, err := x.Give(r)
	x.ok(err)
	want(t, "give", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Actor, " ", ev.Source, " ", ev.Note), "checkout ann root cli found it on her desk")
	if _, err = x.Give(r); !errors.Is(err, checkout.ErrRefused) || err.Error() != "refused: Ann has The ipad already" {
		t.Error(err)
	}
	r.Person, r.Source = "ben", checkout.SourceWeb
	ev, err = x.Give(r)
	x.ok(err)
	want(t, "hand-over", fmt.Sprint(ev.Kind, " ", ev.From, " ", ev.Source), "handover ann web")
	ev, err = x.Return(books.Request{Device: "ipad", Actor: "root", Condition: "cracked", Note: "n"})
	x.ok(err)
	want(t, "return", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Condition), "return ben cracked")
	d, err := x.FindDevice("ipad")
	x.ok(err)
	want(t, "condition", d.Condition, "cracked")
	if _, err = x.Return(books.Request{Device: "ipad", Actor: "root"}); !errors.Is(err, checkout.ErrRefused) || err.Error() != "refused: nobody has The ipad" {
		t.Error(err)
	}
	for _, bad := range []books.Request{{Device: "ipad", Person: "ann"}, {Device: "ipad", Person: "ann", Actor: "a", Note: "a\x00"},
		{Device: "ipad", Person: "nobody", Actor: "a"}, {Device: "none", Person: "ann", Actor: "a"}} {
		if _, err := x.Give(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		if e.Kind == checkout.Return {
			want(t, "note", e.Note, "n")
		}
	}
	x.verify()
}

func TestLostAndFound(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	r := books.Request{Device: "ipad", Actor: "root"}
	if _, err := x.Find(r); !errors.Is(err, checkout.ErrRefused) {
		t.Error(err)
	}
	ev, err := x.Lose(r)
	x.ok(err)
	want(t, "lost", ev.From, "ann")
	want(t, "who", x.who(), "")
	if _, err = x.Lose(r); !errors.Is(err, checkout.ErrRefused) {
		t.Error(err)
	}
	d, err := x.FindDevice("ipad")
	x.ok(err)
	want(t, "lost", d.Lost, true)
	_, err = x.Find(r)
	x.ok(err)
	want(t, "ann's history", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 7:checkout 8:lost")
	_, err = x.Lose(r)
	x.ok(err)
	want(t, "a bump finds it too", x.bump(2, 11).Kind, checkout.Checkout)
	x.verify()
}

func TestDueDates(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length, x.o.Loans.Kinds = 7*24*time.Hour, map[string]time.Duration{"phone": time.Hour, "cable": 0}
	x.reopen()
	kind := "cable"
	x.ok(x.EditDevice("pixel", books.Edit{Kind: &kind}, "a", checkout.SourceCLI))
	kind = "tablet"
	x.ok(x.EditDevice("nexus", books.Edit{Kind: &kind}, "a", checkout.SourceCLI))
	for d := 11; d <= 13; d++ {
		x.bump(1, d)
	}
	due := func(after time.Duration, overdue bool) string {
		var s []string
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall.Add(after), Overdue: overdue}) {
			x.ok(err)
			s = append(s, fmt.Sprint(l.DeviceID, " ", l.Due.Format("02T15"), " ", l.Overdue))
		}
		return strings.Join(s, ", ")
	}
	want(t, "due", due(0, false), "ipad 21T11 false, nexus 28T10 false, pixel 01T00 false")
	want(t, "overdue", due(2*time.Hour, true), "ipad 21T11 true")
	want(t, "later", due(8*24*time.Hour, true), "ipad 21T11 true, nexus 28T10 true")
	_, err := x.Extend(books.Request{Device: "ipad", Actor: "root", Note: "asked nicely", Due: x.clock.wall.Add(3 * time.Hour)})
	x.ok(err)
	want(t, "extended", due(2*time.Hour, true), "")
	want(t, "until then", due(4*time.Hour, true), "ipad 21T13 true")
	x.verify()
	want(t, "one person's", fmt.Sprint(len(collect(x, books.LoanFilter{Person: "ann"})), len(collect(x, books.LoanFilter{Person: "ben"})), len(collect(x, books.LoanFilter{Device: "pixel"}))), "3 0 1")
	for _, err := range x.Loans(books.LoanFilter{Person: "nobody"}) {
		if !errors.Is(err, books.ErrNotFound) {
			t.Error(err)
		}
	}
}

func collect(x *tester, f books.LoanFilter) (all []books.Loan) {
	for l, err := range x.Loans(f) {
		x.ok(err)
		all = append(all, l)
	}
	return all
}

// TestClockComesLate: a board without a clock takes taps, and learns the time
// later. Nothing is rewritten; the views know.
func TestClockComesLate(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length = time.Hour
	x.reopen()
	now := x.clock.wall
	x.clock.boot = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	x.clock.trusted, x.clock.wall, x.clock.mono = false, time.Unix(0, 0).UTC(), 20*time.Second
	x.bump(1, 11)
	l := collect(x, books.LoanFilter{Now: x.clock.wall.Add(time.Minute)})[0]
	want(t, "by the doubtful clock", fmt.Sprint(l.ClockTrusted, l.Due.Sub(l.Since.Truncate(time.Second)), l.Overdue), "false 1h0m0s false")
	l = collect(x, books.LoanFilter{Now: x.clock.wall.Add(2 * time.Hour)})[0]
	want(t, "by the same clock", l.Overdue, true)
	did, err := x.ResolveClock()
	x.ok(err)
	want(t, "not before the clock is right", did, false)
	before, err := hashesOf(x.Ledger)
	x.ok(err)

	x.clock.add(10 * time.Minute)
	x.clock.trusted, x.clock.wall = true, now
	l = collect(x, books.LoanFilter{Now: now})[0]
	want(t, "by two clocks", l.Overdue, false)
	did, err = x.ResolveClock()
	x.ok(err)
	want(t, "resolved", did, true)
	l = collect(x, books.LoanFilter{Now: now.Add(24 * time.Hour)})[0]
	want(t, "known", l.Since.Sub(now).Round(time.Second), -10*time.Minute)
	want(t, "due", fmt.Sprint(l.ClockTrusted, l.Due.Sub(l.Since.Truncate(time.Second)), l.Overdue), "true 1h0m0s true")
	times := map[uint64]time.Time{}
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		want(t, fmt.Sprint("time of ", e.Seq), e.ClockTrusted && e.Time.After(now.Add(-time.Hour)), true)
		times[e.Seq] = e.Time
	}
	page, err := x.OutboxFrom("hook", RowKey{}, 10)
	x.ok(err)
	want(t, "told", len(page.Rows) > 0, true)
	for _, r := range page.Rows {
		want(t, fmt.Sprint("told of the time of ", r.ID), fmt.Sprint(r.Event.At.Trusted, r.Event.At.Wall), fmt.Sprint(true, times[r.Key.Seq]))
	}
	after, err := hashesOf(x.Ledger)
	x.ok(err)
	for seq, h := range before {
		want(t, "hash", after[seq], h)
	}
	did, err = x.ResolveClock()
	x.ok(err)
	want(t, "once", did, false)
	x.bump(1, 11)
	x.clock.boot = uuid.New()
	did, err = x.ResolveClock()
	x.ok(err)
	want(t, "a boot that always knew", did, false)
	x.verify()
}

func TestHistorySince(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	x.clock.add(24 * time.Hour)
	since := x.clock.wall
	x.clock.trusted = false
	x.bump(1, 12) // 8: nobody knows when
	x.clock.trusted = true
	x.bump(1, 13) // 9
	for f, want := range map[books.HistoryFilter]string{
		{Since: since}:                  "8:checkout 9:checkout",
		{Since: since, Person: "ann"}:   "8:checkout 9:checkout",
		{Since: since, Device: "ipad"}:  "",
		{Since: since.Add(time.Hour)}:   "",
		{Since: since, Device: "nexus"}: "9:checkout",
	} {
		if got := x.history(f); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}

func TestHistoryJSON(t *testing.T) {
	x := newLedger(t)
	ev, err := x.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}, Device: x.subject(11), Reader: "door"})
	x.ok(err)
	for e, err := range x.History(books.HistoryFilter{Device: "ipad", Since: x.clock.wall.Add(-time.Millisecond)}) {
		x.ok(err)
		b, err := json.Marshal(e)
		x.ok(err)
		want(t, "json", string(b), `{"station":"lab","chain":"`+ev.Chain.String()+`","seq":7,"id":"`+ev.ID.String()+`","kind":"checkout","reader":"door","actor":null,"device":"The ipad","device_id":"ipad","person":null,"person_id":null,"from":null,"from_id":null,"at":"2026-11-21T10:00:00Z","clock_trusted":true,"source":"reader","note":"badge …901"}`)
	}
}

func TestUnknownTags(t *testing.T) {
	x := newLedger(t)
	start := x.clock.wall
	for range 3 {
		x.ok(x.NoteRefusals(stranger(tag(500))))
	}
	x.clock.add(time.Minute)
	x.ok(x.NoteRefusals([]checkout.Refusal{{Tag: tag(501), Unknown: true, Count: 1, Noted: true, Reader: "door", Fits: checkout.KindDevice}}))
	x.ok(x.NoteRefusals(stranger(tag(1)))) // ann's
	list := func() string {
		all, err := x.UnknownTags()
		x.ok(err)
		var s []string
		for _, u := range all {
			s = append(s, fmt.Sprint(u.Number, "×", u.Count, " ", u.Bits, " ", u.Last.Sub(start).Milliseconds()))
		}
		return strings.Join(s, ", ")
	}
	want(t, "list", list(), "…501×1 34 60004, …500×3 34 3")
	seen, err := x.UnknownTags()
	x.ok(err)
	want(t, "where", *seen[0].Reader, "door")
	want(t, "what it can only be", *seen[0].Fits, "device")
	got, err := x.UnknownTag(seen[0].ID)
	x.ok(err)
	want(t, "the number itself", got, tag(501))
	x.ok(x.NoteRefusals(stranger(tag(502))))
	seen, err = x.UnknownTags()
	x.ok(err)
	x.ok(x.IgnoreTag(seen[0].ID))
	x.ok(x.NoteRefusals(stranger(tag(502))))
	want(t, "one is ignored", list(), "…501×1 34 60004, …500×3 34 3")
	_, err = x.UnknownTag(seen[0].ID)
	want(t, "it is no row any more", errors.Is(err, books.ErrNoTag), true)
	want(t, "nor is this", errors.Is(x.IgnoreTag("no id"), books.ErrNoTag), true)
	_, err = x.EnrolDevice("ipad", tag(500), "root", checkout.SourceCLI)
	x.ok(err)
	want(t, "enrolled", list(), "…501×1 34 60004")
	x.ok(x.update(func(t *txn) { // as if 1,000 had been seen
		for i := range maxUnknown {
			t.put(record.TreeUnknown, t.l.keys.Find(tag(2000+i), 0), record.Pack(record.UnknownForm(&record.Unknown{Number: "…x", Count: 1, First: x.clock.wall, Last: x.clock.stamp()})))
		}
	}))
	x.ok(x.NoteRefusals(stranger(tag(600))))
	all, err := x.UnknownTags()
	x.ok(err)
	want(t, "bounded", len(all), maxUnknown)
	want(t, "the newest is there", all[0].Number, "…600")
}

func TestEnrolAtTheReaderGoesToTheDirectory(t *testing.T) {
	x := newLedger(t)
	_, err := x.EnrolPerson("ann", tag(70), "ann", checkout.SourceKeyboard)
	x.ok(err)
	rows := rowsFor(t, x.Ledger, "dir")
	want(t, "rows", len(rows), 1)
	want(t, "kind", rows[0].Event.Kind, checkout.Enrol)
}

func TestSystemStamp(t *testing.T) {
	a := clock.Now()
	b := clock.Now()
	if a.BootID == uuid.Nil || a.BootID != b.BootID || a.Mono <= 0 || b.Mono < a.Mono || b.Wall.Before(a.Wall) {
		t.Errorf("%+v, %+v", a, b)
	}
}
