package daemon

import (
	"stump/internal/api/link"
	"stump/internal/books"
	"stump/internal/remind"
	"stump/internal/sitekey"
)

// newReminders makes the task that reminds people, and the page of its mails' links.
func (d *Daemon) newReminders() error {
	cfg := d.o.Config
	rules := cfg.Loans.Reminders()
	rules.Calendar = calendar(cfg, d.holidays)
	work := "remind"
	if d.places.mail != nil { // where others can't send mails, they don't remind in its place
		work = "remind by mail"
	}
	d.reminders = remind.New(remind.Options{
		Ledger: d.Ledger, Rules: rules, Station: cfg.Station, Stamp: wallClock(cfg).Now, Link: d.link, Extensions: cfg.Loans.Extend,
		Weekly: cfg.Mail.Admin != "" || len(cfg.Webhooks) > 0, Admin: cfg.Mail.Admin, Log: d.o.Log,
	})
	if len(rules.Stages) > 0 && len(d.places.webhooks) > 0 {
		d.reminders.Turn = d.Lab.Turn(work, nil)
	}
	if d.places.mail == nil {
		return nil
	}
	d.places.mail.Use(d.reminders.Look)
	if cfg.Web.Listen == "" {
		return nil
	}
	keys, err := sitekey.Load(keyPath(cfg, d.o.StateDir))
	if err != nil {
		return keyError(err)
	}
	ring, err := sitekey.NewRing(keys.Current, keys.Old)
	if err != nil {
		return err
	}
	d.links = &link.Page{
		Books: d.Ledger, Sign: ring.Sign, Rules: loanRules(cfg, d.holidays), Extended: d.reminders.Extended,
		Access: d.access, Station: cfg.Station, Language: cfg.Display.Language, Now: wallClock(cfg).Now,
	}
	return nil
}

// link is where a loan can be extended; "" for nowhere.
func (d *Daemon) link(l books.Loan) string {
	if d.links == nil || d.web == "" {
		return ""
	}
	return d.web + "/extend/" + d.links.Token(l)
}
