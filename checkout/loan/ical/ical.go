// Package ical reads calendars of holidays (iCalendar, RFC 5545) as the days on which a
// lab is closed.
//
// A day is closed that an event covers from midnight to midnight: an all-day event
// (DTSTART;VALUE=DATE, to the day before DTEND, or for its DURATION), or one with times.
// Of events with times that is also so if they end at 23:59. Repetitions count (RRULE,
// RDATE, EXDATE, and single ones moved by RECURRENCE-ID), what is cancelled does not, nor
// what is marked as a day of work (X-APPLE-SPECIAL-DAY). Whether an event makes its owner
// busy (TRANSP) says nothing: Google, Apple and Thunderbird mark holidays as free.
//
// What says when an event is must be right to the letter, because a holiday must not be
// guessed; all else is left unread. Bounds: Limit bytes, and repetitions that make 20
// million days be looked at.
package ical

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/internal/hint"
)

// Limit is how long a calendar may be, in bytes.
const Limit = 1 << 20

const (
	longest = 366      // of an event, in days
	most    = 5e6      // days that are looked at, or closed, for all repetitions together
	deepest = 16       // of BEGIN in BEGIN
	widest  = 64 << 10 // of a line that counts
)

// Calendar is what a calendar says.
type Calendar struct {
	// Closed are the days on which the lab is closed.
	Closed *Days
	// Events is how many events close days, Parts how many others cover no whole day.
	Events, Parts int
}

// Read reads a calendar for a lab in a zone. Errors say the line and what to do.
func Read(text []byte, lab *time.Location) (*Calendar, error) {
	if len(text) > Limit {
		return nil, hint.Errorf("take one with holidays alone", "the calendar has more than %d bytes", Limit)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	r := reader{lab: lab, moved: map[string][]day{}}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, hint.Errorf("save it as UTF-8", "line 1: the file is no text of one byte a letter, such as UTF-8")
	}
	if err := unfold(text, r.line); err != nil {
		return nil, err
	}
	switch {
	case r.lines == 0:
		return nil, noCalendar(property{line: 1})
	case len(r.inside) > 0:
		return nil, hint.Errorf("get the whole file", "line %d: the file ends before END:%s", r.lines, r.inside[len(r.inside)-1])
	}
	return r.calendar()
}

func noCalendar(p property) error {
	return p.bad("a calendar begins with BEGIN:VCALENDAR; its file often ends in .ics", "this is no iCalendar file")
}

// reader is where the reading of a calendar is.
type reader struct {
	lab    *time.Location
	inside []string // the names of what has begun
	lines  int      // the last line
	now    event    // that is read
	events []event
	// moved are the repetitions of an event, by its UID, that are elsewhere.
	moved map[string][]day
}

// event is a VEVENT.
type event struct {
	begin              property
	uid                string
	start, end         *property
	duration           *property
	rules              []property
	extra, except      []when
	instead            *when // it is one repetition of another
	cancelled, workday bool
}

func (r *reader) line(n int, text string) error {
	r.lines = n
	switch key := name(text); {
	case key == "BEGIN":
		return r.begin(parse(n, text))
	case key == "END":
		return r.end(parse(n, text))
	case len(r.inside) == 0:
		return noCalendar(property{line: n})
	case len(r.inside) != 2 || r.inside[1] != "VEVENT" || !slices.Contains(read, key):
		return nil
	case len(text) > widest:
		return property{line: n}.bad("write less into one line", "%s is longer than %d bytes", key, widest)
	}
	p := parse(n, text)
	if !p.whole {
		return p.bad("write it as "+p.name+":VALUE", "%s has no value", p.name)
	}
	return r.now.set(p)
}

func (r *reader) begin(p property) error {
	part := strings.ToUpper(p.value)
	switch {
	case (len(r.inside) == 0) != (part == "VCALENDAR"):
		return noCalendar(p)
	case len(r.inside) == deepest:
		return p.bad("take a calendar of another program", "BEGIN stands in %d others", deepest)
	}
	if r.inside = append(r.inside, part); len(r.inside) == 2 {
		r.now = event{begin: p}
	}
	return nil
}

func (r *reader) end(p property) error {
	last := len(r.inside) - 1
	if part := strings.ToUpper(p.value); last < 0 || r.inside[last] != part {
		return p.bad("get the whole file", "END:%s ends what did not begin", part)
	}
	if last == 1 && r.inside[1] == "VEVENT" {
		if err := r.ended(); err != nil {
			return err
		}
	}
	r.inside = r.inside[:last]
	return nil
}

// ended takes up the event that was read.
func (r *reader) ended() error {
	if r.now.start == nil {
		return r.now.begin.bad("add the day, as DTSTART;VALUE=DATE:20261225", "the event has no DTSTART")
	}
	if i := r.now.instead; i != nil {
		r.moved[r.now.uid] = append(r.moved[r.now.uid], i.in(r.lab).day)
	}
	r.events = append(r.events, r.now)
	return nil
}

// read are the properties that are read.
var read = []string{"UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "X-APPLE-SPECIAL-DAY"}

func (e *event) set(p property) (err error) {
	switch p.name {
	case "UID":
		e.uid = p.value
	case "DTSTART":
		e.start = &p
	case "DTEND":
		e.end = &p
	case "DURATION":
		e.duration = &p
	case "RRULE":
		e.rules = append(e.rules, p)
	case "RDATE":
		e.extra, err = dates(e.extra, p)
	case "EXDATE":
		e.except, err = dates(e.except, p)
	case "RECURRENCE-ID":
		var w when
		w, err = parseWhen(p)
		if e.instead = &w; err == nil && p.params["RANGE"] != "" {
			err = p.bad("write the days one by one", "RANGE=%s is not understood", p.params["RANGE"])
		}
	case "STATUS":
		e.cancelled = strings.EqualFold(p.value, "CANCELLED")
	case "X-APPLE-SPECIAL-DAY":
		e.workday = strings.EqualFold(p.value, "ALTERNATE-WORKDAY")
	case "EXRULE":
		err = p.bad("name the days in EXDATE", "EXRULE is not understood")
	}
	return err
}

// dates reads a list of days.
func dates(list []when, p property) ([]when, error) {
	for value := range strings.SplitSeq(p.value, ",") {
		one := p
		one.value = strings.TrimSpace(value)
		w, err := parseWhen(one)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// calendar makes the days of the events.
func (r *reader) calendar() (*Calendar, error) {
	c, work := &Calendar{Closed: &Days{}}, 0
	for _, e := range r.events {
		first, from, to, err := e.whole(r.lab)
		switch {
		case err != nil:
			return nil, err
		case e.cancelled || e.workday:
			continue
		case from >= to:
			c.Parts++
			continue
		}
		c.Events++
		var except []day
		if e.instead == nil {
			except = slices.Clone(r.moved[e.uid])
		}
		for _, w := range e.except {
			except = append(except, e.start.dayOf(w))
		}
		slices.Sort(except)
		look := func(day) bool { work++; return work <= most }
		err = e.days(first, look, func(d day) bool {
			if _, not := slices.BinarySearch(except, d); !not {
				work += int(to - from)
				c.Closed.add(d+from-first, d+to-first)
			}
			return work <= most
		})
		if err == nil && work > most {
			err = e.begin.bad("take a calendar of fewer years", "the events up to this one are repeated too often")
		}
		if err != nil {
			return nil, err
		}
	}
	if c.Closed.Len() == 0 {
		return nil, hint.Errorf("holidays are events of whole days, as DTSTART;VALUE=DATE:20261225", "no event in the calendar is of a whole day (of %d)", len(r.events))
	}
	return c, nil
}

// dayOf is the day of a time, by the clocks at which the event begins.
func (p *property) dayOf(w when) day {
	start, err := parseWhen(*p)
	if err == nil && start.timed && w.timed && w.zone == time.UTC && start.zone != nil {
		return w.in(start.zone).day
	}
	return w.day
}

// days calls yield with each day on which the event begins.
func (e event) days(first day, look, yield func(day) bool) error {
	if !yield(first) {
		return nil
	}
	for _, p := range e.rules {
		rule, err := parseRule(p.value)
		if err != nil {
			return p.bad("write the days one by one, each as an event", "RRULE: %v", err)
		}
		rule.days(first, look, yield)
	}
	for _, w := range e.extra {
		yield(e.start.dayOf(w))
	}
	return nil
}

// whole are the whole days of the event where the lab is, from one to that before another,
// and the day on which it begins by its own clocks.
func (e event) whole(lab *time.Location) (first, from, to day, err error) {
	start, err := parseWhen(*e.start)
	if err != nil {
		return 0, 0, 0, err
	}
	if y := start.day.date().Year; y < 1900 && len(e.rules) > 0 {
		return 0, 0, 0, e.start.bad("begin it later", "the event is repeated from %d on", y)
	}
	end, err := e.ends(start)
	if err != nil {
		return 0, 0, 0, err
	}
	if !start.timed {
		from, to = start.day, max(end.day, start.day+1) // Outlook ends one at a second past its midnight, in UTC
	} else {
		from, to = start.in(lab).covers(end.in(lab))
	}
	if to-from > longest {
		return 0, 0, 0, e.start.bad("write holidays of a year at most", "the event lasts for %d days", to-from)
	}
	return start.day, from, to, nil
}

// ends is when an event ends that begins at a time.
func (e event) ends(start when) (end when, err error) {
	switch {
	case e.end != nil:
		if end, err = parseWhen(*e.end); err != nil {
			return end, err
		}
		if !start.timed && !end.timed && end.day < start.day {
			err = e.end.bad("exchange them", "the event ends before it begins")
		}
		return end, err
	case e.duration != nil:
		seconds, err := duration(e.duration.value)
		if err != nil {
			return end, e.duration.bad("write it as P1D, or PT24H", "DURATION: %v", err)
		}
		seconds += start.seconds
		if !start.timed {
			seconds += 24*60*60 - 1 // a begun day counts
		}
		end = start
		end.day, end.seconds = start.day+day(seconds/(24*60*60)), seconds%(24*60*60)
		return end, nil
	}
	return start, nil
}

// duration reads the seconds of P1D, P2W or P1DT12H30M.
func duration(text string) (_ int, err error) {
	seconds := int64(0)
	date, clock, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(text, "+"), "P"), "T")
	bad := fmt.Errorf("%q is none", text)
	if !strings.Contains(text, "P") || date+clock == "" {
		return 0, bad
	}
	for _, part := range []struct {
		text, units string
		seconds     []int64
	}{{date, "WD", []int64{7 * 24 * 60 * 60, 24 * 60 * 60}}, {clock, "HMS", []int64{60 * 60, 60, 1}}} {
		for rest := part.text; rest != ""; {
			end := strings.IndexAny(rest, part.units)
			if end < 0 {
				return 0, bad
			}
			n, err := number(rest[:end], 0, 1e6)
			if err != nil {
				return 0, bad
			}
			seconds += int64(n) * part.seconds[strings.IndexByte(part.units, rest[end])]
			if rest = rest[end+1:]; seconds > 2*longest*24*60*60 {
				return 0, fmt.Errorf("%q is too long", text)
			}
		}
	}
	return int(seconds), nil
}
