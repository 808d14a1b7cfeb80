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
	header("Content-Language", m.words.language)
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
		err = addPart(alternative, "text/html; charset=utf-8", "", p.html(m.words.language))
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
	const stamp = "20060102T150405Z"
	var b strings.Builder
	line := func(key, value string) {
		for line, first := key+":"+value, true; line != ""; first = false {
			most := 75 // bytes of a line
			if !first {
				b.WriteString(" ")
				most--
			}
			n := min(most, len(line))
			for n < len(line) && line[n]&0xc0 == 0x80 { // not inside a letter
				n--
			}
			b.WriteString(line[:n] + "\n")
			line = line[n:]
		}
	}
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Stump//Stump//EN")
	line("METHOD", "PUBLISH")
	some := false
	for _, l := range c.Loans {
		if !l.Due.After(ev.At.Wall) {
			continue
		}
		some = true
		line("BEGIN", "VEVENT")
		line("UID", l.UID+"@"+domain)
		line("SEQUENCE", fmt.Sprint(l.Revision))
		line("DTSTAMP", ev.At.Wall.UTC().Format(stamp))
		line("DTSTART", l.Due.Add(-30*time.Minute).UTC().Format(stamp))
		line("DTEND", l.Due.UTC().Format(stamp))
		line("SUMMARY", calendarText.Replace(strings.ReplaceAll(m.words.entry, "{device}", l.Device)))
		line("LOCATION", calendarText.Replace(c.Station))
		if l.Link != "" {
			line("DESCRIPTION", calendarText.Replace(m.words.keep+": "+l.Link))
		}
		line("TRANSP", "TRANSPARENT")
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	if !some {
		return ""
	}
	return b.String()
}

var calendarText = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r", "", "\n", `\n`)
