package mail

import (
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/loan/ical"
)

// message is what is sent, and in which envelope.
type message struct {
	from, to string
	bytes    []byte
}

// message makes the message of an event. The same event and content make the same bytes.
func (m *Mail) message(ev checkout.Event, c Content) (*message, error) {
	to, err := mail.ParseAddress(c.Email)
	if err != nil || strings.ContainsAny(c.Email, "\r\n") {
		return nil, fmt.Errorf("%q is not a mail address", c.Email)
	}
	c = c.plain()
	to.Name = short(c.Name)
	p := m.page(c)
	var b bytes.Buffer
	domain := m.from.Address[strings.LastIndex(m.from.Address, "@")+1:]
	header := func(key, value string) { fmt.Fprintf(&b, "%s: %s\r\n", key, value) }
	header("Date", ev.At.Wall.In(m.zone()).Format(time.RFC1123Z))
	header("From", m.from.String())
	header("To", to.String())
	header("Subject", mime.QEncoding.Encode("utf-8", p.subject))
	header("Message-ID", "<"+ev.ID.String()+"@"+domain+">")
	header("Content-Language", m.wordsFor(c).language)
	header("Auto-Submitted", "auto-generated") // so that nobody's absence answers, RFC 3834
	header("X-Auto-Response-Suppress", "All")
	header("MIME-Version", "1.0")
	mixed := multipart.NewWriter(&b)
	if err := mixed.SetBoundary("m-" + ev.ID.String()); err != nil {
		return nil, err
	}
	header("Content-Type", `multipart/mixed; boundary="`+mixed.Boundary()+`"`)
	b.WriteString("\r\n")
	var both bytes.Buffer
	alternative := multipart.NewWriter(&both)
	if err := alternative.SetBoundary("a-" + ev.ID.String()); err != nil {
		return nil, err
	}
	err = addPart(alternative, "text/plain; charset=utf-8", "", p.text())
	if err == nil {
		err = addPart(alternative, "text/html; charset=utf-8", "", p.html(m.wordsFor(c).language))
	}
	if err == nil {
		err = alternative.Close()
	}
	if err == nil {
		var w interface{ Write([]byte) (int, error) }
		w, err = mixed.CreatePart(textproto.MIMEHeader{"Content-Type": {`multipart/alternative; boundary="` + alternative.Boundary() + `"`}})
		if err == nil {
			_, err = w.Write(both.Bytes())
		}
	}
	if cal := m.calendar(ev, c, domain); err == nil && cal != "" {
		err = addPart(mixed, "text/calendar; charset=utf-8; method=PUBLISH", `attachment; filename="due.ics"`, cal)
	}
	if err == nil {
		err = mixed.Close()
	}
	return &message{m.from.Address, to.Address, b.Bytes()}, err
}

// plain is the content with names of one line each.
func (c Content) plain() Content {
	c.Name, c.Station = oneLine(c.Name), oneLine(c.Station)
	if n := c.Notice; n != nil {
		n := *n
		n.Device, n.Parts, n.Other, n.Reader = oneLine(n.Device), oneLine(n.Parts), oneLine(n.Other), oneLine(n.Reader)
		c.Notice = &n
	}
	c.Loans = slices.Clone(c.Loans)
	for i := range c.Loans {
		c.Loans[i].Device = oneLine(c.Loans[i].Device)
	}
	return c
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// short is a name as a header has room for.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}

// addPart adds a part of text.
func addPart(w *multipart.Writer, kind, disposition, text string) error {
	header := textproto.MIMEHeader{"Content-Type": {kind}, "Content-Transfer-Encoding": {"quoted-printable"}}
	if disposition != "" {
		header.Set("Content-Disposition", disposition)
	}
	part, err := w.CreatePart(header)
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(part)
	if _, err := q.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return err
	}
	return q.Close()
}

func (m *Mail) zone() *time.Location {
	if m.o.Zone == nil {
		return time.Local
	}
	return m.o.Zone
}

// calendar has the due dates that are to come, as events of RFC 5545; "" for none.
func (m *Mail) calendar(ev checkout.Event, c Content, domain string) string {
	w, some := ical.NewWriter("PUBLISH", "", ev.At.Wall), false
	for _, l := range c.Loans {
		if !l.Due.After(ev.At.Wall) {
			continue
		}
		some = true
		e := l.Entry(m.wordsFor(c).language, domain)
		e.Revision, e.Location = l.Revision, c.Station
		if l.Link != "" {
			e.Description = m.wordsFor(c).keep + ": " + l.Link
		}
		w.Add(e)
	}
	if !some {
		return ""
	}
	return strings.ReplaceAll(w.Text(), "\r", "")
}

// Entry is when a loan is due, as an entry of a calendar in a language. domain ends its UID.
func (l Loan) Entry(language, domain string) ical.Entry {
	return ical.Entry{UID: l.UID + "@" + domain, Begin: l.Due.Add(-30 * time.Minute), End: l.Due,
		Summary: fill(wordsOf(language).entry, "{device}", l.Device)}
}
