package remind

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/reminder"
	"stump/directory/mail"
	"stump/internal/books"
)

// Look says what the message of an event says now: what the person still has of what it
// tells of, as long as it was not extended.
func (r *Reminders) Look(ev checkout.Event) (c mail.Content, err error) {
	at := checkout.Place{Chain: ev.Chain, Seq: ev.Seq}
	_, row, err := r.row(at)
	if err != nil || row == nil {
		return mail.Content{Gone: row == nil}, err
	}
	now := r.Stamp()
	c = mail.Content{Station: r.Station}
	if ev.Kind == checkout.Digest {
		c.Email = r.Admin
		c.Digest, err = r.digest(ev.At.Wall)
		return c, err
	}
	if ev.Kind == checkout.Notify {
		return r.notice(c, row.Event)
	}
	switch {
	case !now.Trusted:
		c.Later = time.Minute
	case !r.Rules.SameDay(ev.At.Wall, now.Wall) && !r.Rules.Open(now.Wall):
		// A while later, so that what is new today takes its place.
		c.Later = r.Rules.Opens(now.Wall).Sub(now.Wall) + settle
	}
	p, err := r.Ledger.FindPerson(row.Event.Person)
	if err != nil {
		return c, err
	}
	c.Name, c.Email, c.Language = p.Name, p.Email, p.Language
	for l, err := range r.Ledger.Loans(books.LoanFilter{Person: p.ID, Now: now.Wall}) {
		if err != nil {
			return c, err
		}
		stage, err := reminder.ParseStage(l.Stage)
		if l.Told != at || err != nil {
			continue
		}
		link, err := r.link(l)
		if err != nil {
			return c, err
		}
		c.Loans = append(c.Loans, mail.Loan{Device: l.Device, Due: l.Due, Late: stage > 0, Link: link,
			UID: fmt.Sprintf("%x-%d", l.Began.Chain[:8], l.Began.Seq), Revision: ev.Seq})
	}
	sort.Slice(c.Loans, func(i, j int) bool { return c.Loans[i].Due.Before(c.Loans[j].Due) })
	return c, nil
}

// notice says what was done with a device of the person.
func (r *Reminders) notice(c mail.Content, ev checkout.Event) (mail.Content, error) {
	p, err := r.Ledger.FindPerson(ev.Person)
	if err != nil {
		return c, err
	}
	c.Name, c.Email, c.Language = p.Name, p.Email, p.Language
	c.Notice = &mail.Notice{Notice: checkout.Notice(ev.Stage), Device: cmp.Or(ev.DeviceName, ev.Device), Parts: ev.Note,
		Other: cmp.Or(ev.FromName, ev.FromTag), Reader: ev.Reader}
	if at := ev.Moved(); at.Trusted {
		c.Notice.At = at.Wall
	}
	return c, nil
}

// link is where a loan can be extended by who has it; "" if they may not.
func (r *Reminders) link(l books.Loan) (string, error) {
	if r.Link == nil || r.Extensions == 0 {
		return "", nil
	}
	n, err := r.Extended(l)
	if err != nil || n >= r.Extensions {
		return "", err
	}
	return r.Link(l), nil
}

// Extended is how often who has a device extended its loan.
func (r *Reminders) Extended(l books.Loan) (n int, err error) {
	f := books.HistoryFilter{Device: l.DeviceID, Kind: checkout.Extend, Page: books.Page{After: place(l.Began)}}
	for e, err := range r.Ledger.History(f) {
		if err != nil {
			return n, err
		}
		if e.Actor == l.PersonID {
			n++
		}
	}
	return n, nil
}

// Digest commits that an admin is to be told, once a week: from Monday on, at the time of
// day of reminders.
func (r *Reminders) Digest() error {
	now := r.Stamp()
	if !r.Weekly || !now.Trusted || !r.Rules.Open(now.Wall) {
		return nil
	}
	week := r.Rules.Week(now.Wall)
	if week.Equal(r.told) {
		return nil
	}
	key := "digest " + week.UTC().Format(time.DateOnly)
	if err := r.claim(key); err != nil || r.said[key] {
		return err
	}
	d, err := r.digest(now.Wall)
	if err == nil {
		_, err = r.Ledger.Digest(week, reminder.Summary(len(d.Overdue), len(d.Reminded)))
	}
	if err == nil {
		r.told = week
	}
	return err
}

// digest is what an admin is told of the week before a time.
func (r *Reminders) digest(at time.Time) (*mail.Digest, error) {
	d := &mail.Digest{}
	with := map[string]bool{} // who has something with an end
	for l, err := range r.Ledger.Loans(books.LoanFilter{Now: at}) {
		if err != nil {
			return nil, err
		}
		if l = l.Shown(); l.Overdue {
			d.Overdue = append(d.Overdue, mail.Late{Device: l.Device, Person: l.Person, Due: l.Due})
		}
		with[l.PersonID] = with[l.PersonID] || !l.Due.IsZero()
	}
	sort.SliceStable(d.Overdue, func(i, j int) bool { return d.Overdue[i].Due.Before(d.Overdue[j].Due) })
	for p, err := range r.Ledger.People(books.Page{}) {
		if err != nil {
			return nil, err
		}
		if since := at.Sub(p.Reminded); since >= 0 && since < 7*24*time.Hour && p.MergedInto == "" {
			d.Reminded = append(d.Reminded, p.Name)
		}
		if with[p.ID] && p.Email == "" {
			d.Addressless = append(d.Addressless, p.Name)
		}
	}
	slices.Sort(d.Reminded)
	slices.Sort(d.Addressless)
	for page := (ledger.OutboxPage{}); !page.End; {
		var err error
		if page, err = r.Ledger.StuckFrom(ledger.MailSink, page.Next, 256); err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			d.Unsent = append(d.Unsent, mail.Refused{Person: row.Event.PersonName, Reason: row.Reason})
		}
	}
	return d, nil
}
