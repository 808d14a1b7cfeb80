package decade

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// person is somebody of the lab, as they are.
type person struct {
	id, name string
	badge    string   // as it is printed
	replaced []string // badges before it
	lost     []string
	left     bool
	has      []*device
}

// device is a device of the lab, as it is.
type device struct {
	id, name string
	tag      string
	retired  bool
	holder   *person
	since    time.Time // when holder took it
	due      time.Time // zero while nobody knows
}

// bumped is who or what was bumped.
type bumped struct {
	p      *person
	d      *device
	status string // "", "unknown", "suspended", "lost", "old", "retired"
}

// none is nobody.
var none bumped

func (b bumped) name() string {
	switch {
	case b.p != nil:
		return b.p.name
	case b.d != nil:
		return b.d.name
	}
	return ""
}

// desk is the oracle's: the rules of the design, and nothing of the station's code.
type desk struct {
	waits bumped
	until time.Time
	card  string // read last
	read  time.Time
	pair  struct { // completed last
		p    *person
		d    *device
		at   time.Time
		said []string
	}
}

// The times of the design.
const (
	window       = 60 * time.Second
	presentation = 1500 * time.Millisecond
	samePair     = 5 * time.Second
)

// rest is a line that may say anything.
const rest = "*"

// tap says what a card does at a time, and what the display must say then; nil where it
// must go on saying what it says.
func (w *world) tap(card string, at time.Time) (said []string) {
	k := &w.desk
	same := card == k.card && at.Sub(k.read) <= presentation
	k.card, k.read = card, at
	if same {
		return nil
	}
	if k.waits != none && !at.Before(k.until) {
		k.waits = none
	}
	who := w.owner(card)
	other := k.waits
	again := func(lines ...string) []string {
		if other != none {
			lines = slices.Insert(lines, 1, "Again: "+other.name())
		}
		return lines
	}
	switch who.status {
	case "unknown":
		k.waits = none
		return again("Unknown tag", rest)
	case "suspended":
		k.waits = none
		return again("See the desk", who.p.name, "may not borrow now")
	case "lost":
		k.waits = none
		return again("Lost badge", "see the desk")
	case "old":
		k.waits = none
		return again("Old badge", "see the desk")
	case "retired": // ends nothing
		return []string{"No longer in use", who.d.name}
	}
	switch {
	case who.p != nil && other.d != nil:
		k.waits = none
		return w.complete(who.p, other.d, at)
	case who.d != nil && other.p != nil:
		k.waits = none
		return w.complete(other.p, who.d, at)
	}
	k.waits, k.until = who, at.Add(window)
	switch {
	case who.p != nil:
		return []string{"Hello " + who.p.name, "Tap a device"}
	case who.d.holder != nil:
		return []string{who.d.name, "with " + who.d.holder.name, "Tap your badge"}
	}
	return []string{who.d.name, "Tap your badge", "It is free"}
}

// complete is a pair: who has it brings it back, everybody else takes it.
func (w *world) complete(p *person, d *device, at time.Time) (said []string) {
	last := &w.desk.pair
	if last.p == p && last.d == d && at.Sub(last.at) < samePair {
		return last.said
	}
	switch from := d.holder; {
	case from == nil:
		w.move(d, p, at)
		if said = []string{"Checked out", d.name, p.name}; w.machine.right() {
			said = slices.Insert(said, 2, "until "+until(at, d.due))
		}
	case from == p:
		w.move(d, nil, at)
		said = []string{"Returned", d.name, p.name}
	default:
		w.move(d, p, at)
		said = []string{"Handed over", d.name, "from " + from.name, "to " + p.name}
	}
	*last = struct {
		p    *person
		d    *device
		at   time.Time
		said []string
	}{p, d, at, said}
	w.figures.pairs++
	w.events++
	return said
}

// move gives a device to somebody, or to nobody.
func (w *world) move(d *device, to *person, at time.Time) {
	if d.holder != nil {
		d.holder.has = slices.DeleteFunc(d.holder.has, func(o *device) bool { return o == d })
	}
	d.holder, d.since, d.due = to, at, time.Time{}
	if to != nil {
		to.has = append(to.has, d)
		if d.due = due(at); !w.machine.right() { // then only the length counts
			d.due = at.Add(length * 24 * time.Hour)
		}
	}
}

// length is how many days a loan lasts.
const length = 14

// due is when a loan ends that begins at a time: in two weeks at six, on a day on which
// somebody is there.
func due(from time.Time) time.Time {
	end := time.Date(from.Year(), from.Month(), from.Day()+length, 18, 0, 0, 0, time.Local)
	for closed(end) {
		end = end.AddDate(0, 0, 1)
	}
	return end
}

// until is how the display says when a loan ends.
func until(from, due time.Time) string { return due.Format("2 Jan") }

// closed is whether nobody is there on a day.
func closed(t time.Time) bool {
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return true
	}
	return holiday(t)
}

// holiday is whether a day is one.
func holiday(t time.Time) bool {
	switch m, d := t.Month(), t.Day(); m {
	case time.January:
		return d == 1
	case time.May:
		return d == 1
	case time.October:
		return d == 3
	case time.December:
		return d >= 24
	}
	return false
}

// holidays is the calendar that the station reads.
func holidays(from, to time.Time) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//decade//EN\r\n")
	for t := from; t.Before(to); t = t.AddDate(0, 0, 1) {
		if holiday(t) {
			day := t.Format("20060102")
			fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%s@decade\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:%s\r\nSUMMARY:closed\r\nEND:VEVENT\r\n", day, day)
		}
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// owner is whose card that is.
func (w *world) owner(card string) bumped {
	for _, p := range w.people {
		switch {
		case slices.Contains(p.lost, card):
			return bumped{p: p, status: "lost"}
		case slices.Contains(p.replaced, card):
			return bumped{p: p, status: "old"}
		case p.badge == card && p.left:
			return bumped{p: p, status: "suspended"}
		case p.badge == card:
			return bumped{p: p}
		}
	}
	for _, d := range w.devices {
		switch {
		case d.tag == card && d.retired:
			return bumped{d: d, status: "retired"}
		case d.tag == card:
			return bumped{d: d}
		}
	}
	return bumped{status: "unknown"}
}

// expect compares the display with what must be on it.
func (w *world) expect(what string, want []string) {
	got := w.rows()
	for i, row := range got {
		line := ""
		if i < len(want) {
			line = want[i]
		}
		if line != rest && line != row {
			w.differ("%s: the display says %s, want %s", what, quoted(got), quoted(want))
			return
		}
	}
	w.figures.displays++
}

func quoted(rows []string) string { return fmt.Sprintf("%q", strings.Join(rows, " / ")) }
