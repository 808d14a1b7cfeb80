package ical

import (
	"bytes"
	"strings"
	"time"

	"stump/checkout/loan"
	"stump/internal/hint"
)

// property is a line of a calendar, as DTSTART;VALUE=DATE:20261225.
type property struct {
	line   int // where it begins, from 1
	name   string
	params map[string]string
	value  string
	// whole is false if the line has no value.
	whole bool
}

// bad says what is wrong with a line.
func (p property) bad(remedy, format string, args ...any) error {
	return hint.Errorf(remedy, "line %d: "+format, append([]any{p.line}, args...)...)
}

// unfold calls yield with each line that is not empty, continued ones put together, until
// it returns an error.
func unfold(text []byte, yield func(line int, text string) error) error {
	var long []byte
	n, begin := 0, 0
	flush := func() error {
		if len(bytes.TrimSpace(long)) == 0 {
			return nil
		}
		return yield(begin, string(long))
	}
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if begin > 0 && len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			long = append(long, line[1:]...)
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		long, begin = append(long[:0], line...), n
	}
	return flush()
}

// name is that of a line's property, in capitals.
func name(line string) string {
	if end := strings.IndexAny(line, ":;"); end >= 0 {
		line = line[:end]
	}
	return strings.ToUpper(strings.TrimSpace(line))
}

// parse takes a line apart. What is in quotes has no meaning of its own.
func parse(n int, line string) (p property) {
	p = property{line: n, name: name(line), params: map[string]string{}}
	var quoted bool
	begin := -1 // of a parameter
	for i := range len(line) {
		c := line[i]
		if c == '"' {
			quoted = !quoted
		}
		if quoted || c != ':' && c != ';' {
			continue
		}
		if begin >= 0 {
			key, v, _ := strings.Cut(line[begin:i], "=")
			p.params[strings.ToUpper(key)] = strings.Trim(v, `"`)
		}
		if begin = i + 1; c == ':' {
			p.value, p.whole = strings.TrimSpace(line[begin:]), true
			return p
		}
	}
	return p
}

// when is a day, or a time of a day.
type when struct {
	day     day
	seconds int  // since midnight
	timed   bool // it is a time
	zone    *time.Location
}

const (
	layoutDay  = "20060102"
	layoutTime = "20060102T150405"
)

// parseWhen reads a date or a time. The zone is nil where it is not said, or not known: it
// is then the lab's.
func parseWhen(p property) (w when, err error) {
	text := p.value
	t, err := time.Parse(layoutDay, text)
	if err == nil {
		return when{day: day(t.Unix() / (24 * 60 * 60))}, nil
	}
	local, utc := strings.CutSuffix(text, "Z")
	if t, err = time.Parse(layoutTime, local); err != nil {
		return w, p.bad("write a day as 20261225, or a time as 20261225T180000", "%s %q is no day", p.name, text)
	}
	w = when{day: day(t.Unix() / (24 * 60 * 60)), seconds: t.Hour()*3600 + t.Minute()*60 + t.Second()}
	w.timed = p.params["VALUE"] != "DATE" || w.seconds != 0
	switch {
	case utc:
		w.zone = time.UTC
	case p.params["TZID"] != "":
		w.zone = zone(p.params["TZID"])
	}
	return w, nil
}

// zone finds a zone by the name that calendars have for it; nil if it is not known, as
// the names of Windows are not.
func zone(name string) *time.Location {
	if strings.HasPrefix(name, "/") { // /mozilla.org/20050126_1/Europe/Berlin
		parts := strings.Split(name, "/")
		name = strings.Join(parts[max(0, len(parts)-2):], "/")
	}
	if !strings.Contains(name, "/") && name != "UTC" {
		return nil // "Local" is one, too
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return z
}

// in is the same time where the lab is.
func (w when) in(lab *time.Location) when {
	if !w.timed || w.zone == nil || w.zone.String() == lab.String() {
		return w
	}
	d := w.day.date()
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, w.seconds, 0, w.zone).In(lab)
	return when{day: dayOf(loan.DateOf(t)), seconds: t.Hour()*3600 + t.Minute()*60 + t.Second(), timed: true}
}

// covers are the whole days from one time to another: from a day to the one before to.
func (w when) covers(end when) (from, to day) {
	from, to = w.day, end.day
	if w.seconds > 0 {
		from++
	}
	if end.seconds >= 24*60*60-60 {
		to++ // people write 23:59
	}
	return from, to
}
