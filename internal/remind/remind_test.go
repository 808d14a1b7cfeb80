package remind

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/checkout/reminder"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// lab is a ledger whose clock the test moves, and Reminders of it.
type lab struct {
	*ledger.Ledger
	*Reminders
	t       *testing.T
	now     time.Time
	trusted bool
	clock   func() checkout.Stamp // in place of now; nil for none
}

var stages = []reminder.Stage{-1, 0, 3}

// newLab is a lab with two people and three devices, on a Monday at eight.
func newLab(t *testing.T) *lab {
	t.Helper()
	x := &lab{t: t, now: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), trusted: true}
	stamp := func() checkout.Stamp {
		if x.clock != nil {
			return x.clock()
		}
		return checkout.Stamp{Wall: x.now, Trusted: x.trusted}
	}
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{
		Station: "lab", SiteKey: sitekey.New(), Sinks: []string{ledger.MailSink, "hook"}, Stamp: stamp,
		Loans: loan.Rules{Length: 14 * 24 * time.Hour, Extensions: 1}})
	x.ok(err)
	t.Cleanup(func() { l.Close() })
	x.Ledger = l
	for _, id := range []string{"ann", "ben", "cem"} {
		x.ok(l.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Email: id + "@lab.example"}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	for _, id := range []string{"ipad", "pixel", "nexus", "moto"} {
		x.ok(l.AddDevice(books.Device{ID: id, Name: "The " + id}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	x.Reminders = New(Options{Ledger: l, Rules: reminder.Rules{Stages: stages, At: 9 * time.Hour, Calendar: loan.Calendar{Zone: time.UTC}},
		Station: "lab", Stamp: stamp, Extensions: 1, Link: func(l books.Loan) string { return "https://lab/" + l.DeviceID }, Admin: "root@lab.example", Weekly: true})
	return x
}

func (x *lab) ok(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// give lends a device until so many days from now, at six in the evening.
func (x *lab) give(device, person string, days int) {
	x.t.Helper()
	due := time.Date(x.now.Year(), x.now.Month(), x.now.Day()+days, 18, 0, 0, 0, time.UTC)
	r := books.Request{Device: device, Person: person, Actor: "root", Due: due}
	if !due.After(x.now) {
		r.At = due.AddDate(0, 0, -14)
	}
	_, err := x.Give(r)
	x.ok(err)
}

func (x *lab) back(device string) {
	x.t.Helper()
	_, err := x.Return(books.Request{Device: device, Actor: "root"})
	x.ok(err)
}

// told are the stages that are committed now, as "ann: ipad -1d", a person's in one.
func (x *lab) told() string {
	x.t.Helper()
	var after string
	for e, err := range x.History(books.HistoryFilter{Kind: books.AnyKind}) {
		x.ok(err)
		after = e.Key()
	}
	_, err := x.Reminders.Remind()
	x.ok(err)
	var all []string
	for e, err := range x.History(books.HistoryFilter{Kind: checkout.Remind, Page: books.Page{After: after}}) {
		x.ok(err)
		words := fmt.Sprintf("%s %s", e.Device, e.Stage)
		if e.Again {
			words += " again"
		}
		if e.Part == 0 {
			all = append(all, e.Person+": "+words)
		} else {
			all[len(all)-1] += ", " + words
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// mails are the rows of the mail server.
func (x *lab) mails() []ledger.OutboxRow {
	x.t.Helper()
	p, err := x.OutboxFrom(ledger.MailSink, ledger.RowKey{}, 100)
	x.ok(err)
	return p.Rows
}

// sent takes all mails that wait as sent now.
func (x *lab) sent() {
	x.t.Helper()
	for _, r := range x.mails() {
		r.Touched = true
		x.ok(x.SaveOutbox(ledger.MailSink, r))
		x.ok(x.Delivered(ledger.MailSink, r.Key))
	}
}

// day goes on to a time of a day of the story, which begins with day 0 at eight.
func (x *lab) day(n, hour int) {
	x.now = time.Date(2026, 11, 30+n, hour, 0, 0, 0, time.UTC)
}

func (x *lab) want(what, got, want string) {
	x.t.Helper()
	if got != want {
		x.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestWeek is a week of two people, with an outage of the mail server from Tuesday on.
func TestWeek(t *testing.T) {
	x := newLab(t)
	x.give("ipad", "ann", 1)
	x.give("pixel", "ann", 2)
	x.give("nexus", "ben", 1)
	x.want("before nine", x.told(), "")
	x.day(0, 9)
	x.want("on Monday", x.told(), "ann: ipad -1d; ben: nexus -1d")
	x.want("again", x.told(), "")
	x.sent()
	x.back("nexus")
	x.day(1, 9)
	x.want("on Tuesday", x.told(), "ann: ipad 0d, pixel -1d")
	x.day(2, 9)
	x.want("on Wednesday, and nobody got Tuesday's", x.told(), "ann: ipad 0d again, pixel 0d")
	if n := len(x.mails()); n != 1 {
		t.Errorf("%d mails wait", n)
	}
	x.day(3, 8)
	x.want("in the night", x.told(), "")
	if c, err := x.Look(x.mails()[0].Event); err != nil || c.Later != time.Hour+settle || len(c.Loans) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	x.day(3, 9)
	x.want("on Thursday nothing is new", x.told(), "")
	if c, err := x.Look(x.mails()[0].Event); err != nil || c.Later != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	x.sent()
	x.give("moto", "ann", -30)
	x.want("nothing more today", x.told(), "")
	x.day(4, 9)
	x.want("on Friday", x.told(), "ann: ipad 3d, moto 3d")
	x.sent()
	x.day(5, 9)
	x.want("on Saturday", x.told(), "ann: pixel 3d")
	x.day(30, 9)
	x.want("after all stages", x.told(), "")
}

// TestDoubtful: what may have gone out keeps the rest waiting until it is known, and a mail
// that was refused does not.
func TestDoubtful(t *testing.T) {
	x := newLab(t)
	x.give("ipad", "ann", 1)
	x.day(0, 9)
	x.told()
	row := x.mails()[0]
	row.Touched = true
	x.ok(x.SaveOutbox(ledger.MailSink, row))
	x.day(1, 9)
	x.want("while it may be out", x.told(), "")
	x.sent()
	x.want("sent today", x.told(), "")
	x.day(2, 9)
	x.want("the day after", x.told(), "ann: ipad 0d")
	row = x.mails()[0]
	row.State, row.Touched = 1, true // parked
	x.ok(x.SaveOutbox(ledger.MailSink, row))
	x.day(5, 9)
	x.want("refused before", x.told(), "ann: ipad 3d")
	if n := len(x.mails()); n != 2 {
		t.Errorf("%d mails wait", n)
	}
}

// TestClock: nobody is reminded while the clock is not known to be right.
func TestClock(t *testing.T) {
	x := newLab(t)
	x.give("ipad", "ann", 1)
	x.day(0, 9)
	x.trusted = false
	x.want("without a clock", x.told(), "")
	x.trusted = true
	x.want("with one", x.told(), "ann: ipad -1d")
	x.trusted = false
	if c, err := x.Look(x.mails()[0].Event); err != nil || c.Later != time.Minute {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestLook is what a message says when it is sent: of what they still have.
func TestLook(t *testing.T) {
	x := newLab(t)
	x.give("ipad", "ann", 1)
	x.give("pixel", "ann", 1)
	x.give("nexus", "ann", 1)
	x.day(0, 9)
	x.told()
	ev := x.mails()[0].Event
	look := func() string {
		t.Helper()
		c, err := x.Look(ev)
		x.ok(err)
		if c.Gone {
			return "gone"
		}
		words := c.Name + " " + c.Email
		for _, l := range c.Loans {
			words += fmt.Sprintf(" %s(%s)", l.Device, l.Link)
		}
		return words
	}
	x.want("all", look(), "Ann ann@lab.example The ipad(https://lab/ipad) The nexus(https://lab/nexus) The pixel(https://lab/pixel)")
	x.back("ipad")
	_, err := x.Extend(books.Request{Device: "pixel", Actor: "ann", Own: "ann"})
	x.ok(err)
	x.want("one is back, one is extended", look(), "Ann ann@lab.example The nexus(https://lab/nexus)")
	_, err = x.MergePeople("ann", "ben", "root", checkout.SourceCLI)
	x.ok(err)
	x.want("she is somebody else", look(), "Ben ben@lab.example The nexus(https://lab/nexus)")
	x.back("nexus")
	x.want("nothing is left", look(), "Ben ben@lab.example")
	x.sent()
	x.want("sent", look(), "gone")
	// Whoever has extended as often as they may, gets no link.
	x.now = x.now.AddDate(0, 0, 14)
	x.told()
	ev = x.mails()[len(x.mails())-1].Event
	x.want("no link", look(), "Ben ben@lab.example The pixel()")
}

// TestKit: the parts of a kit come back with it.
func TestKit(t *testing.T) {
	x := newLab(t)
	part := "ipad"
	x.ok(x.EditDevice("pixel", books.Edit{Kit: &part}, "root", checkout.SourceCLI))
	x.give("ipad", "ann", 1)
	x.day(0, 9)
	x.want("the kit", x.told(), "ann: ipad -1d")
	_, err := x.Return(books.Request{Device: "ipad", Actor: "root", Missing: []string{"pixel"}})
	x.ok(err)
	x.day(1, 9)
	x.want("the part alone", x.told(), "ann: pixel 0d")
}

// TestDigest: once a week, from Monday nine on; with what is overdue, who was reminded and
// who can't be.
func TestDigest(t *testing.T) {
	x := newLab(t)
	x.give("ipad", "ann", -2)
	x.ok(x.AddPerson(books.Person{ID: "dia", Name: "Dia"}, checkout.Tag{}, "root", checkout.SourceCLI))
	x.give("pixel", "dia", 1)
	digests := func() (n int) {
		t.Helper()
		x.ok(x.Reminders.Digest())
		x.ok(New(x.Options).Digest()) // after a restart
		for e, err := range x.History(books.HistoryFilter{Kind: checkout.Digest}) {
			x.ok(err)
			n++
			if e.Note != "1 overdue, 2 reminded" {
				t.Errorf("%q", e.Note)
			}
		}
		return n
	}
	if n := digests(); n != 0 {
		t.Errorf("%d before nine", n)
	}
	x.day(0, 10)
	x.told()
	if n := digests(); n != 1 {
		t.Errorf("%d on Monday", n)
	}
	rows := x.mails()
	bounced := rows[0]
	bounced.State, bounced.Reason = 1, "550 5.1.1 User unknown"
	x.ok(x.SaveOutbox(ledger.MailSink, bounced))
	c, err := x.Look(rows[len(rows)-1].Event)
	x.ok(err)
	got := fmt.Sprint(c.Email, len(c.Digest.Overdue), c.Digest.Overdue[0].Device, c.Digest.Overdue[0].Person, c.Digest.Reminded, c.Digest.Addressless, c.Digest.Unsent)
	x.want("the digest", got, "root@lab.example1The ipadAnn[Ann Dia] [Dia] [{Ann 550 5.1.1 User unknown}]")
	x.day(6, 23)
	if n := digests(); n != 1 {
		t.Errorf("%d in the first week", n)
	}
	x.day(7, 9)
	x.ok(x.Reminders.Digest())
	n := 0
	for _, err := range x.History(books.HistoryFilter{Kind: checkout.Digest}) {
		x.ok(err)
		n++
	}
	if n != 2 {
		t.Errorf("%d in two weeks", n)
	}
}

// TestRun: the task reminds when it is time, when something happens, and when the clock is
// set, within a minute; otherwise it wakes up once a minute.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newLab(t)
		var ahead, stamps atomic.Int64
		ahead.Store(int64(time.Until(x.now))) // the bubble's clock is of the year 2000
		stamp := func() checkout.Stamp {
			stamps.Add(1)
			return checkout.Stamp{Wall: time.Now().Add(time.Duration(ahead.Load())), Trusted: true}
		}
		x.Stamp, x.clock = stamp, stamp
		x.give("ipad", "ann", 1)
		x.give("nexus", "ben", 2)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.Run(ctx) }()
		told := func(what string, wait time.Duration, want int) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			x.now = stamp().Wall
			got := 0
			for _, err := range x.History(books.HistoryFilter{Kind: checkout.Remind}) {
				x.ok(err)
				got++
			}
			if got != want {
				t.Errorf("%s, at %v: %d reminders, want %d", what, x.now.UTC(), got, want)
			}
		}
		told("before nine", 59*time.Minute+30*time.Second, 0)
		told("at nine", 31*time.Second, 1)
		stamps.Store(0)
		told("all day", 14*time.Hour, 1)
		if n := stamps.Load(); n > 2*14*60+10 {
			t.Errorf("it woke up %d times in 14 hours", n/2)
		}
		told("the next day", 10*time.Hour+time.Minute, 3)
		x.give("pixel", "ben", -1)
		told("something happened, but Ben was told today", settle+time.Second, 3)
		x.give("moto", "cem", -1)
		told("something happened to Cem", settle+time.Second, 4)
		ahead.Add(int64(24 * time.Hour))
		told("the clock was set", time.Minute, 6)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
