package decade

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// person is somebody of the lab, as they are.
type person struct {
	n               int // the directory's key
	id, name, email string
	came, changed   time.Time // in the directory
	erased          bool
	erasedAt        time.Time
	badge           string   // as it is printed
	replaced        []string // badges before it
	lost            []string
	left            bool
	has             []*device
}

// device is a device of the lab, as it is.
type device struct {
	n             int // the directory's key
	id, name      string
	came, changed time.Time // in the directory
	kept          time.Time // until when who has it forgets it
	tag           string
	retired       bool
	holder        *person
	since         time.Time // when holder took it
	due           time.Time // zero where the clock was not right
	boot          *boot     // in which holder took it
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
	pair  pair // completed last
	// lies is when each device was there last that lies on the reader since its pair.
	lies     map[*device]time.Time
	answered time.Time // when something was said last
}

// pair is a completed one.
type pair struct {
	p    *person
	d    *device
	at   time.Time
	said []string
}

// The times of the design.
const (
	window       = 60 * time.Second
	presentation = 1500 * time.Millisecond
	samePair     = 5 * time.Second
	absence      = 3 * time.Second
)

// rest is a line that may say anything.
const rest = "*"

// tap says what a card does at a time, and what the display must say then; nil where it
// must go on saying what it says. Nothing has happened until act is called.
func (w *world) tap(card string, at time.Time) (said []string, act func()) {
	k := w.desk
	same := card == k.card && at.Sub(k.read) <= presentation
	k.card, k.read = card, at
	lies := map[*device]time.Time{}
	maps.Copy(lies, k.lies)
	note := func() { k.lies = lies; w.desk = k }
	act = note
	who := w.owner(card)
	if seen, is := lies[who.d]; is && at.Sub(seen) < absence {
		lies[who.d] = at
		if same || at.Sub(k.answered) <= absence {
			return nil, act
		}
		k.answered = at
		return []string{who.d.name, "lies on the reader"}, act
	}
	delete(lies, who.d)
	if same {
		return nil, act
	}
	k.answered = at
	if k.waits != none && !at.Before(k.until) {
		k.waits = none
	}
	other := k.waits
	again := func(lines ...string) []string {
		k.waits = none
		if other != none {
			lines = slices.Insert(lines, 1, "Again: "+other.name())
		}
		return lines
	}
	switch who.status {
	case "unknown":
		return again("Unknown tag", rest), act
	case "suspended":
		return again("See the desk", who.p.name, "may not borrow now"), act
	case "lost":
		return again("Lost badge", "see the desk"), act
	case "old":
		return again("Old badge", "see the desk"), act
	case "retired": // ends nothing
		return []string{"No longer in use", who.d.name}, act
	}
	p, d := who.p, who.d
	switch {
	case p != nil && other.d != nil:
		d = other.d
	case d != nil && other.p != nil:
		p = other.p
	default:
		k.waits, k.until = who, at.Add(window)
		switch {
		case p != nil:
			return []string{"Hello " + p.name, "Tap a device"}, act
		case d.holder != nil:
			return []string{d.name, "with " + d.holder.name, "Tap your badge"}, act
		}
		return []string{d.name, "Tap your badge", "It is free"}, act
	}
	k.waits = none
	lies[d] = at
	if k.pair.p == p && k.pair.d == d && at.Sub(k.pair.at) < samePair {
		return k.pair.said, act
	}
	said, to := w.complete(p, d, at)
	k.pair = pair{p, d, at, said}
	return said, func() {
		note()
		w.moves = append(w.moves, moved{kindOf(d.holder, to), p, d})
		w.move(d, to, at)
		w.figures.pairs++
	}
}

// moved is a pair that moved a device.
type moved struct {
	kind checkout.Kind
	p    *person
	d    *device
}

func (m moved) String() string { return fmt.Sprintf("%s of %s by %s", m.kind, m.d.id, m.p.id) }

// kindOf is what the event must be.
func kindOf(from, to *person) checkout.Kind {
	switch {
	case to == nil:
		return checkout.Return
	case from == nil:
		return checkout.Checkout
	}
	return checkout.Handover
}

// checkHistory holds the events that the reader made since the last check to the pairs: none
// is missing, none is there twice, all are in their order.
func (w *world) checkHistory() {
	want := w.moves
	w.moves = nil
	for e, err := range w.st.Ledger.History(books.HistoryFilter{Page: books.Page{After: w.seen}}) {
		w.must(err)
		w.seen = e.Key()
		if e.Source != checkout.SourceReader || !e.Kind.MovesDevice() {
			continue
		}
		got := fmt.Sprintf("%s of %s by %s", e.Kind, e.Device, e.Person)
		switch {
		case len(want) == 0:
			w.differ("the history has a %s at %v, which nobody made", got, e.Time)
			return
		case got != want[0].String():
			w.differ("the history has a %s at %v, want a %s", got, e.Time, want[0])
			return
		}
		want = want[1:]
		w.figures.events++
	}
	if len(want) > 0 {
		w.differ("the history lacks a %s and %d more", want[0], len(want)-1)
	}
}

// passOver leaves out of checkHistory what is in the history now.
func (w *world) passOver() {
	for e, err := range w.st.Ledger.History(books.HistoryFilter{Page: books.Page{After: w.seen}}) {
		w.must(err)
		w.seen = e.Key()
	}
	w.moves = nil
}

// complete is a pair: who has it brings it back, everybody else takes it.
func (w *world) complete(p *person, d *device, at time.Time) (said []string, to *person) {
	switch from := d.holder; {
	case from == nil:
		if said = []string{"Checked out", d.name, p.name}; w.machine.right() {
			said = slices.Insert(said, 2, "until "+due(w.machine.stamp().Wall).Format("2 Jan"))
		}
		return said, p
	case from == p:
		return []string{"Returned", d.name, p.name}, nil
	default:
		return []string{"Handed over", d.name, "from " + from.name, "to " + p.name}, p
	}
}

// move gives a device to somebody, or to nobody.
func (w *world) move(d *device, to *person, at time.Time) {
	for _, l := range w.lent {
		if l.d == d && l.to.IsZero() {
			l.to = at
		}
	}
	wall := w.machine.stamp().Wall
	if d.holder != nil {
		d.holder.has = slices.DeleteFunc(d.holder.has, func(o *device) bool { return o == d })
	}
	d.holder, d.since, d.boot, d.due = to, at, w.machine.boots(), time.Time{}
	if to != nil {
		to.has = append(to.has, d)
		if w.machine.right() {
			d.due = due(wall)
		}
		w.lent = append(w.lent, &lent{p: to, d: d, since: at, due: d.due})
	}
}

// ends is when a loan ends by the books, and how far off they may be; ok is false while
// nobody knows. Of a boot that hears the time later only the length counts; of one that
// never did, it is known from the next that does when it was at the latest.
func (w *world) ends(d *device) (t time.Time, off time.Duration, ok bool) {
	switch {
	case !d.due.IsZero():
		return d.due, time.Second, true
	case d.boot == nil: // taken over from the directory
		return t, 0, false
	}
	if _, _, ok := w.machine.when(d.boot); ok {
		return d.since.AddDate(0, 0, length), 2 * time.Hour, true
	}
	for _, b := range w.machine.all {
		if heard, on, ok := w.machine.when(b); ok && b.began.After(d.since) && on > time.Minute {
			half := heard.Sub(d.since) / 2 // it was between, as far as the events of that boot tell
			return d.since.AddDate(0, 0, length).Add(half), half + 3*time.Hour, true
		}
	}
	return t, 0, false
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
