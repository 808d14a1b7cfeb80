package decade

import (
	"slices"
	"strings"
	"sync"
	"time"

	"stump/directory/mail/smtptest"
)

// lent is a loan as it was, for what the mails may say of it.
type lent struct {
	p              *person
	d              *device
	since, due, to time.Time // to is zero while it lasts
}

// mailbox has what the mail server took.
type mailbox struct {
	mu  sync.Mutex
	got []mailed
}

type mailed struct {
	at       time.Time
	to, data string
}

// take is the mail server's script: it takes everything.
func (m *mailbox) take(step, arg string) string {
	if step == smtptest.Accepted {
		_, to, _ := strings.Cut(arg, "\nTo: ")
		to, _, _ = strings.Cut(to, "\n")
		m.mu.Lock()
		m.got = append(m.got, mailed{time.Now(), strings.TrimSpace(to), arg})
		m.mu.Unlock()
	}
	return smtptest.OK
}

// oldDebt is whether a mail is to one of the old station's people, who have had something
// for too long: they are reminded once.
func (w *world) oldDebt(m mailed) bool {
	for _, l := range w.old {
		if l.PersonID != nil && l.Due != nil && !l.told && strings.Contains(m.to, *l.PersonID+"@") {
			for j := range w.old {
				if other := w.old[j].PersonID; other != nil && *other == *l.PersonID {
					w.old[j].told = true
				}
			}
			return true
		}
	}
	return false
}

// undisturbed is whether nothing can have come between a mail and the word that it came.
func (w *world) undisturbed(a, b time.Time) bool {
	return !slices.ContainsFunc(w.machine.all, func(o *boot) bool { return o.began.After(a) && !o.began.After(b) }) &&
		!slices.ContainsFunc(w.out, func(o outage) bool { return o.from.Before(b) && o.to.After(a.Add(-time.Minute)) })
}

// checkMails holds the month's mails to the loans: who is reminded has something that is due
// tomorrow, today or was, once a day; and who has something for a week too long was reminded.
func (w *world) checkMails() {
	w.box.mu.Lock()
	got := w.box.got
	w.box.got = nil
	w.box.mu.Unlock()
	last := w.reminded
	for _, m := range got {
		var p *person
		for _, o := range w.people {
			if strings.Contains(m.to, o.email) {
				p = o
			}
		}
		if p == nil && w.oldDebt(m) {
			continue
		}
		if p == nil {
			w.differ("a mail of %v goes to %q, who is nobody", m.at, m.to)
			continue
		}
		before := last[p]
		if !before.at.IsZero() && before.at.Format(time.DateOnly) == m.at.Format(time.DateOnly) && before.data != m.data && m.at.Format(time.DateOnly) != w.restored {
			w.differ("%s was reminded twice on %v", p.name, m.at)
		}
		if before.data == m.data && w.undisturbed(before.at, m.at) {
			w.differ("%s got the mail of %v again on %v", p.name, before.at, m.at)
		}
		last[p] = m
		reason := false
		for _, l := range w.lent {
			first := time.Date(l.due.Year(), l.due.Month(), l.due.Day()-1, 0, 0, 0, 0, time.Local)
			for closed(first) {
				first = first.AddDate(0, 0, -1)
			}
			// A mail says what was so when it went out, a moment before.
			if l.due.IsZero() { // only how long it lasts was known, or the directory's word
				first = l.since.AddDate(0, 0, 1)
			}
			reason = reason || l.p == p && !m.at.Before(first) && (l.to.IsZero() || !m.at.After(l.to.Add(time.Minute)))
		}
		if !reason {
			w.differ("%s was reminded on %v of nothing", p.name, m.at)
		}
		w.figures.mails++
	}
	for _, l := range w.lent {
		if l.to.IsZero() && !l.due.IsZero() && time.Since(l.due) > 10*24*time.Hour && w.reached() > 10*24*time.Hour && last[l.p].at.Before(l.due.AddDate(0, 0, -4)) {
			w.differ("%s has %s, which was due on %v, and was never reminded", l.p.name, l.d.name, l.due)
		}
	}
	w.lent = keep(w.lent, func(l *lent) bool { return l.to.IsZero() || time.Since(l.to) < 60*24*time.Hour })
}
