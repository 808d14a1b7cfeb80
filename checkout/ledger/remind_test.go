package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// newMailLedger has a mail server, a webhook and a directory, and loans of a day.
func newMailLedger(t *testing.T) *tester {
	x := newLedger(t)
	x.o.Sinks, x.o.Loans.Length, x.o.Loans.Extensions = []string{MailSink, "hook", DirectorySink}, 24*time.Hour, 9
	x.reopen()
	x.deliverAll()
	return x
}

// says is what a person is told of the devices that they have, at a stage.
func (x *tester) says(person, stage string, again bool) (says []books.Saying) {
	x.t.Helper()
	for l, err := range x.Loans(books.LoanFilter{Person: person, Now: x.clock.wall}) {
		x.ok(err)
		says = append(says, books.Saying{Loan: l, Stage: stage, Again: again})
	}
	return says
}

func (x *tester) remind(says []books.Saying, unread ...RowKey) bool {
	x.t.Helper()
	done, err := x.Remind(says, unread...)
	x.ok(err)
	return done
}

// rows are the numbers of the events that wait for a sink.
func (x *tester) rows(sink string) string {
	x.t.Helper()
	var all []string
	p, err := x.OutboxFrom(sink, RowKey{}, 100)
	x.ok(err)
	for _, r := range p.Rows {
		all = append(all, fmt.Sprintf("%d:%s", r.Key.Seq, r.Event.Kind))
	}
	return strings.Join(all, " ")
}

// TestRemind: a reminder is an event for each loan, with one row for the mail, one for each
// webhook and none for the directory, and it stays so over restarts and salvages.
func TestRemind(t *testing.T) {
	x := newMailLedger(t)
	x.bump(1, 11)
	x.bump(1, 12)
	x.deliverAll()
	want(t, "the first", x.remind(x.says("ann", "-1d", false)), true)
	want(t, "history", strings.HasSuffix(x.history(books.HistoryFilter{}), "9:remind 10:remind"), true)
	want(t, "mail", x.rows(MailSink), "9:remind")
	want(t, "webhook", x.rows("hook"), "9:remind 10:remind")
	want(t, "directory", x.rows(DirectorySink), "")
	p, err := x.FindPerson("ann")
	x.ok(err)
	want(t, "reminded", p.Reminded.Equal(x.clock.wall.Add(-time.Millisecond)) || x.clock.wall.Sub(p.Reminded) < time.Second, true)
	for e, err := range x.History(books.HistoryFilter{Kind: checkout.Remind, Device: "ipad"}) {
		x.ok(err)
		want(t, "in words", *e.JSON().Note, "stage: -1d, due: "+e.Due.Format(time.RFC3339))
	}
	check := func(when, stage string, first uint64) {
		t.Helper()
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
			x.ok(err)
			want(t, l.DeviceID+" "+when, fmt.Sprint(l.Stage, l.Told.Seq), fmt.Sprint(stage, first))
		}
		x.verify()
	}
	check("then", "-1d", 9)
	x.reopen()
	check("after a restart", "-1d", 9)
	x.ok(x.Close())
	x.salvaged()
	check("after a salvage", "-1d", 9)

	// What was extended is of no stage, until it is told again.
	_, err = x.Extend(books.Request{Device: "ipad", Actor: "root"})
	x.ok(err)
	for l, err := range x.Loans(books.LoanFilter{Device: "ipad", Now: x.clock.wall}) {
		x.ok(err)
		want(t, "extended", l.Stage, "")
		want(t, "meant", x.clock.wall.Sub(l.Meant) < time.Second, true)
	}
}

// TestRemindOnlyAsRead: what has happened since the loans were read keeps anything from
// being told.
func TestRemindOnlyAsRead(t *testing.T) {
	for name, happens := range map[string]func(x *tester){
		"returned":   func(x *tester) { x.bump(1, 11) },
		"handed on":  func(x *tester) { x.bump(2, 11) },
		"and again":  func(x *tester) { x.bump(1, 11); x.bump(1, 11) },
		"extended":   func(x *tester) { _, err := x.Extend(books.Request{Device: "ipad", Actor: "root"}); x.ok(err) },
		"told":       func(x *tester) { x.remind(x.says("ann", "-1d", false)) },
		"lost":       func(x *tester) { _, err := x.Lose(books.Request{Device: "ipad", Actor: "root"}); x.ok(err) },
		"may be out": func(x *tester) {},
	} {
		x := newMailLedger(t)
		x.bump(1, 11)
		x.bump(1, 12)
		says := x.says("ann", "0d", false)
		var unread []RowKey
		if name == "may be out" { // a mail that the server may have
			x.remind(x.says("ann", "-1d", false))
			says = x.says("ann", "0d", false)
			p, err := x.OutboxFrom(MailSink, RowKey{}, 1)
			x.ok(err)
			p.Rows[0].Touched = true
			x.ok(x.SaveOutbox(MailSink, p.Rows[0]))
			unread = []RowKey{p.Rows[0].Key}
		}
		happens(x)
		before := x.history(books.HistoryFilter{})
		want(t, name, x.remind(says, unread...), false)
		want(t, name+", history", x.history(books.HistoryFilter{}), before)
	}
}

// TestRemindInPlace: a message that nobody has got is replaced; webhooks hear of a stage
// once.
func TestRemindInPlace(t *testing.T) {
	x := newMailLedger(t)
	x.bump(1, 11)
	x.deliverAll()
	x.remind(x.says("ann", "-1d", false))
	p, err := x.OutboxFrom(MailSink, RowKey{}, 1)
	x.ok(err)
	x.bump(1, 12)
	says := x.says("ann", "-1d", true)
	says[1].Stage, says[1].Again = "0d", false
	want(t, "in its place", x.remind(says, p.Rows[0].Key), true)
	want(t, "mail", x.rows(MailSink), "10:remind")
	want(t, "webhook", x.rows("hook"), "8:remind 9:checkout 11:remind")
	backlog, err := x.Backlog(MailSink)
	x.ok(err)
	want(t, "backlog", backlog, 1)
	x.verify()

	// Who got it is known when it was sent, not when nobody wanted it.
	before, err := x.FindPerson("ann")
	x.ok(err)
	x.clock.add(time.Hour)
	p, err = x.OutboxFrom(MailSink, RowKey{}, 1)
	x.ok(err)
	p.Rows[0].Touched = true
	x.ok(x.SaveOutbox(MailSink, p.Rows...))
	x.ok(x.Delivered(MailSink, p.Rows[0].Key))
	after, err := x.FindPerson("ann")
	x.ok(err)
	want(t, "an hour later", after.Reminded.Sub(before.Reminded).Round(time.Minute), time.Hour)
}

// TestReminderIsPersonal: a merge, an erasure and retention take reminders along.
func TestReminderIsPersonal(t *testing.T) {
	x := newMailLedger(t)
	x.bump(1, 11)
	x.remind(x.says("ann", "-1d", false))
	x.deliverAll()
	_, err := x.MergePeople("ann", "ben", "root", checkout.SourceCLI)
	x.ok(err)
	p, err := x.FindPerson("ben")
	x.ok(err)
	want(t, "reminded as one", p.Reminded.IsZero(), false)
	want(t, "told as one", x.remind(x.says("ben", "0d", false)), true)
	x.bump(2, 11)
	x.deliverAll()
	x.clock.wall = x.clock.wall.Add(100 * 24 * time.Hour)
	_, err = x.Anonymise(t.Context(), x.clock.wall.Add(-time.Hour))
	x.ok(err)
	for e, err := range x.History(books.HistoryFilter{Kind: checkout.Remind}) {
		x.ok(err)
		if e.Person != "" || e.PersonName != "" {
			t.Errorf("event %d still names %s", e.Seq, e.Person)
		}
	}
	x.verify()
	x.bump(3, 12)
	x.remind(x.says("cem", "-1d", false))
	x.bump(3, 12)
	err = x.ErasePerson("cem", "root", checkout.SourceCLI)
	want(t, "a mail waits", err != nil && strings.Contains(err.Error(), "has not been delivered"), true)
	x.deliverAll()
	x.ok(x.ErasePerson("cem", "root", checkout.SourceCLI))
	x.verify()
}

// TestDigest: once after a time, over restarts, whatever the clock does.
func TestDigest(t *testing.T) {
	x := newMailLedger(t)
	monday := x.clock.wall.Add(-time.Hour)
	digest := func(after time.Time) bool {
		t.Helper()
		done, err := x.Digest(after, "1 overdue, 2 reminded")
		x.ok(err)
		return done
	}
	want(t, "the first", digest(monday), true)
	want(t, "mail", x.rows(MailSink), "7:digest")
	want(t, "webhook", x.rows("hook"), "7:digest")
	want(t, "directory", x.rows(DirectorySink), "")
	want(t, "again", digest(monday), false)
	x.reopen()
	want(t, "after a restart", digest(monday), false)
	x.clock.wall = x.clock.wall.Add(-12 * time.Hour)
	want(t, "the clock was set back", digest(monday), false)
	x.clock.wall = x.clock.wall.Add(8 * 24 * time.Hour)
	want(t, "a week later", digest(monday.AddDate(0, 0, 7)), true)
	x.clock.wall = x.clock.wall.AddDate(-1, 0, 0)
	want(t, "the clock was a year ahead", digest(monday.AddDate(-1, 0, 7)), true)
	x.verify()
}
