package mail

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"

	"stump/directory/call"
)

// page is what a message says, in parts that text and HTML show alike.
type page struct {
	subject  string
	greeting string
	intro    string
	groups   []group
	outro    []string
	foot     string
}

// group are lines under a title, which may be empty.
type group struct {
	title string
	rows  []row
}

// row is a device, or what else is listed.
type row struct {
	name, detail string
	late         bool
	link, words  string // where more is, and what is said of it
}

// page makes the page of an event.
func (m *Mail) page(c Content) page {
	w := m.wordsFor(c)
	p := page{foot: fill(w.foot, "{station}", c.Station)}
	switch {
	case c.Digest != nil:
		m.digest(&p, c)
		return p
	case c.Notice != nil:
		m.notice(&p, c)
		return p
	case c.Alert != nil:
		m.alert(&p, c)
		return p
	case len(c.Loans) == 0: // a test
		p.subject, p.greeting, p.intro = fill(w.test, "{station}", c.Station), fill(w.hello, "{person}", c.Name), fill(w.testIntro, "{station}", c.Station)
		p.foot = c.Station
		return p
	}
	late := 0
	g := group{}
	for _, l := range c.Loans {
		words := w.dueOn
		if l.Late {
			late++
			words = w.lateSince
		}
		g.rows = append(g.rows, row{name: l.Device, detail: fill(words, "{due}", w.when(l.Due.In(m.zone()))), late: l.Late, link: l.Link, words: w.keep})
	}
	p.greeting, p.intro, p.groups = fill(w.hello, "{person}", c.Name), fill(w.intro, "{station}", c.Station), []group{g}
	p.outro = []string{w.outro}
	first := c.Loans[0]
	switch n := len(c.Loans); {
	case n == 1 && late == 1:
		p.subject = fill(w.oneLate, "{device}", short(first.Device), "{due}", w.day(first.Due.In(m.zone())))
	case n == 1:
		p.subject = fill(w.oneDue, "{device}", short(first.Device), "{due}", w.day(first.Due.In(m.zone())))
	case late > 0:
		p.subject = fill(w.manyLate, "{n}", strconv.Itoa(n), "{late}", strconv.Itoa(late))
	default:
		p.subject = fill(w.manyDue, "{n}", strconv.Itoa(n))
	}
	return p
}

// notice is the page that tells somebody what was done with a device.
func (m *Mail) notice(p *page, c Content) {
	w, n := m.wordsFor(c), c.Notice
	p.subject = fill(w.notices[n.Notice], "{device}", short(n.Device), "{person}", short(n.Other))
	p.greeting, p.intro = fill(w.hello, "{person}", c.Name), fill(w.noticeIntro, "{station}", c.Station)
	r := row{name: fill(w.notices[n.Notice], "{device}", n.Device, "{person}", n.Other)}
	var said []string
	if !n.At.IsZero() {
		said = append(said, w.when(n.At.In(m.zone())))
	}
	if n.Reader != "" {
		said = append(said, fill(w.atReader, "{reader}", n.Reader))
	}
	if n.Parts != "" {
		said = append(said, fill(w.withParts, "{parts}", n.Parts))
	}
	r.detail = strings.Join(said, ", ")
	p.groups, p.outro = []group{{rows: []row{r}}}, []string{w.noticeOutro}
}

// alert is the page that tells an admin of faults.
func (m *Mail) alert(p *page, c Content) {
	w := m.wordsFor(c)
	subject := func(one, many string, of []call.Fault) {
		if len(of) == 1 {
			many = one
		}
		if p.subject == "" && len(of) > 0 {
			p.subject = fill(many, "{station}", short(c.Station), "{what}", short(oneLine(of[0].What)), "{n}", strconv.Itoa(len(of)))
		}
	}
	subject("{station}: {what}", w.faults, c.Alert.Began)
	subject(w.faultOver, w.faultsOver, c.Alert.Over)
	p.foot = fill(w.alertFoot, "{station}", c.Station)
	var began, over group
	for _, f := range c.Alert.Began {
		began.rows = append(began.rows, row{name: f.What, detail: f.Remedy})
	}
	for _, f := range c.Alert.Over {
		over.title, over.rows = w.over, append(over.rows, row{name: f.What})
	}
	for _, g := range []group{began, over} {
		if g.rows != nil {
			p.groups = append(p.groups, g)
		}
	}
}

// digest is the page of a digest.
func (m *Mail) digest(p *page, c Content) {
	w, d := m.wordsFor(c), c.Digest
	p.foot = fill(w.digestFoot, "{station}", c.Station)
	p.subject = fill(w.digest, "{station}", short(c.Station), "{n}", strconv.Itoa(len(d.Overdue)))
	p.intro = fill(w.digestIntro, "{station}", c.Station)
	overdue := group{title: w.overdue}
	for _, l := range d.Overdue {
		overdue.rows = append(overdue.rows, row{name: l.Device, detail: l.Person + ", " + fill(w.lateSince, "{due}", w.when(l.Due.In(m.zone()))), late: true})
	}
	names := func(title string, all []string) (g group) {
		if g.title = title; len(all) > 0 {
			g.rows = []row{{detail: strings.Join(all, ", ")}}
		}
		return g
	}
	unsent := group{title: w.unsent}
	for _, r := range d.Unsent {
		unsent.rows = append(unsent.rows, row{name: r.Person, detail: r.Reason})
	}
	p.groups = []group{overdue, names(w.reminded, d.Reminded)}
	for i := range p.groups {
		if len(p.groups[i].rows) == 0 {
			p.groups[i].rows = []row{{detail: w.nothing}}
		}
	}
	for _, g := range []group{unsent, names(w.addressless, d.Addressless)} {
		if len(g.rows) > 0 {
			p.groups = append(p.groups, g)
		}
	}
}

// text is the page for who reads plain text.
func (p page) text() string {
	var b strings.Builder
	for _, paragraph := range []string{p.greeting, p.intro} {
		if paragraph != "" {
			b.WriteString(paragraph + "\n\n")
		}
	}
	for _, g := range p.groups {
		if g.title != "" {
			b.WriteString(g.title + "\n")
		}
		for _, r := range g.rows {
			fmt.Fprintf(&b, "  * %s\n", strings.Trim(oneLine(r.name)+": "+oneLine(r.detail), ": "))
			if r.link != "" {
				fmt.Fprintf(&b, "    %s:\n    %s\n", r.words, r.link)
			}
		}
		b.WriteString("\n")
	}
	for _, paragraph := range p.outro {
		b.WriteString(paragraph + "\n\n")
	}
	b.WriteString("-- \n" + p.foot + "\n")
	return b.String()
}

// The frame of a message. Programs that read mail keep inline styles, and some of them the
// sheet with the dark colours.
const (
	htmlHead = `<!doctype html>
<html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>%s</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
body, .out { background: #16191d !important; }
.in { background: #20252b !important; border-color: #3a424b !important; }
body, p, h2, .name { color: #eceff2 !important; }
.detail, .foot { color: #b4bdc7 !important; }
.late { color: #ffa198 !important; }
.row { border-color: #3a424b !important; }
.button { background: #9cc4ff !important; color: #10151b !important; }
}
</style></head>
<body class="out" style="margin:0;padding:0;background:#f2f4f6;color:#1c2024;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">
<div class="out" style="background:#f2f4f6;padding:24px 12px">
<div class="in" style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d5dbe1;border-radius:8px">
`
	htmlFoot = `<p class="foot" style="margin:24px 0 0;font-size:14px;color:#57606a">%s</p>
</div></div></body></html>
`
	htmlPara   = "<p style=\"margin:0 0 16px;color:#1c2024\">%s</p>\n"
	htmlTitle  = "<h2 style=\"margin:24px 0 4px;font-size:17px;color:#1c2024\">%s</h2>\n"
	htmlRow    = "<div class=\"row\" style=\"padding:12px 0;border-top:1px solid #d5dbe1\">\n"
	htmlName   = "<div class=\"name\" style=\"font-weight:600;color:#1c2024;overflow-wrap:anywhere\">%s</div>\n"
	htmlDetail = "<div class=\"%s\" style=\"color:%s\">%s</div>\n"
	htmlButton = `<p style="margin:12px 0 4px"><a class="button" href="%s" style="display:inline-block;padding:8px 16px;border-radius:6px;background:#0b57b0;color:#ffffff;text-decoration:none;font-weight:600">%s</a></p>
`
)

// html is the page for who reads HTML.
func (p page) html(language string) string {
	var b strings.Builder
	e := html.EscapeString
	fmt.Fprintf(&b, htmlHead, language, e(p.subject))
	for _, paragraph := range []string{p.greeting, p.intro} {
		if paragraph != "" {
			fmt.Fprintf(&b, htmlPara, e(paragraph))
		}
	}
	for _, g := range p.groups {
		if g.title != "" {
			fmt.Fprintf(&b, htmlTitle, e(g.title))
		}
		for _, r := range g.rows {
			b.WriteString(htmlRow)
			if r.name != "" {
				fmt.Fprintf(&b, htmlName, e(r.name))
			}
			switch {
			case r.detail == "":
			case r.late:
				fmt.Fprintf(&b, htmlDetail, "detail late", "#b3261e", e(r.detail))
			default:
				fmt.Fprintf(&b, htmlDetail, "detail", "#57606a", e(r.detail))
			}
			if r.link != "" {
				fmt.Fprintf(&b, htmlButton, e(r.link), e(r.words))
			}
			b.WriteString("</div>\n")
		}
	}
	for i, paragraph := range p.outro {
		if i == 0 {
			b.WriteString("<div class=\"row\" style=\"border-top:1px solid #d5dbe1;padding-top:16px\"></div>\n")
		}
		fmt.Fprintf(&b, htmlPara, e(paragraph))
	}
	fmt.Fprintf(&b, htmlFoot, e(p.foot))
	return b.String()
}

// fill puts values in place of placeholders.
func fill(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// day is a day in words.
func (w *words) day(t time.Time) string {
	return fill(w.dayForm, "{weekday}", w.days[t.Weekday()], "{day}", strconv.Itoa(t.Day()), "{month}", w.months[t.Month()-1])
}

// When is a day and a time in the words of a language.
func When(language string, t time.Time) string { return wordsOf(language).when(t) }

// when is a day and a time in words.
func (w *words) when(t time.Time) string {
	return fill(w.whenForm, "{date}", w.day(t), "{year}", strconv.Itoa(t.Year()), "{time}", t.Format("15:04"))
}
