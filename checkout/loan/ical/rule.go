package ical

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule says how an event is repeated: an RRULE. Holidays need days alone.
type rule struct {
	freq            string
	interval, count int
	until           day
	months          []time.Month
	monthDays       []int // below 0: from the end of the month
	weekDays        []weekDay
	positions       []int // of the days that one year, month or week has; below 0: from its end
	weekStart       time.Weekday
}

// weekDay is a day of the week: each, or the nth of its month or year.
type weekDay struct {
	day time.Weekday
	nth int
}

var weekDays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func parseRule(value string) (r rule, err error) {
	r = rule{interval: 1, until: pastDays, weekStart: time.Monday}
	for part := range strings.SplitSeq(strings.ToUpper(value), ";") {
		key, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok && part == "" {
			continue // a semicolon at the end
		}
		if err := r.set(key, v); err != nil {
			return r, err
		}
	}
	if !slices.Contains([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}, r.freq) {
		return r, fmt.Errorf("FREQ=%s is not YEARLY, MONTHLY, WEEKLY or DAILY", r.freq)
	}
	byMonth := r.freq == "MONTHLY" || r.freq == "YEARLY"
	if !byMonth && slices.ContainsFunc(r.weekDays, func(w weekDay) bool { return w.nth != 0 }) {
		return r, errors.New("a numbered BYDAY is for YEARLY and MONTHLY")
	}
	return r, nil
}

func (r *rule) set(key, v string) (err error) {
	switch key {
	case "FREQ":
		r.freq = v
	case "INTERVAL":
		r.interval, err = number(v, 1, 1000)
	case "COUNT":
		r.count, err = number(v, 1, 1e6)
	case "UNTIL":
		until, bad := parseWhen(property{value: v})
		if r.until = until.day; bad != nil {
			err = errors.New("no day")
		}
	case "BYMONTH":
		err = each(v, 1, 12, func(n int) { r.months = append(r.months, time.Month(n)) })
	case "BYMONTHDAY":
		err = each(v, -31, 31, func(n int) { r.monthDays = append(r.monthDays, n) })
	case "BYSETPOS":
		err = each(v, -366, 366, func(n int) { r.positions = append(r.positions, n) })
	case "BYDAY":
		for name := range strings.SplitSeq(v, ",") {
			var w weekDay
			if w, err = parseWeekDay(name); err != nil {
				break
			}
			r.weekDays = append(r.weekDays, w)
		}
	case "WKST":
		var w weekDay
		w, err = parseWeekDay(v)
		r.weekStart = w.day
	default:
		return fmt.Errorf("%q is not understood", key)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", key, v, err)
	}
	return nil
}

// each calls f with each number of a list.
func each(list string, least, most int, f func(int)) error {
	for text := range strings.SplitSeq(list, ",") {
		n, err := number(text, least, most)
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("there is no 0th")
		}
		f(n)
	}
	return nil
}

func number(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not a number from %d to %d", text, least, most)
	}
	return n, nil
}

// parseWeekDay reads MO, 2MO or -1MO.
func parseWeekDay(text string) (w weekDay, err error) {
	text = strings.TrimSpace(text)
	nth := text[:max(0, len(text)-2)]
	n := slices.Index(weekDays, text[len(nth):])
	if n < 0 {
		return w, fmt.Errorf("%q is no day of the week", text)
	}
	if w.day = time.Weekday(n); nth != "" {
		w.nth, err = number(nth, -53, 53)
	}
	return w, err
}

// days calls yield with the days after the first on which an event is repeated, until it
// returns false. look is called for each day that is looked at, and ends it, too.
func (r rule) days(first day, look, yield func(day) bool) {
	r = r.from(first)
	count := 1 // the first
	for begin := r.begin(first); begin < pastDays; begin = r.next(begin) {
		var found []day
		for _, span := range r.spans(begin) {
			for d := span[0]; d < span[1]; d++ {
				if !look(d) {
					return
				}
				if r.fits(d) {
					found = append(found, d)
				}
			}
		}
		for _, d := range r.choose(found) {
			if d <= first {
				continue
			}
			if count++; d > r.until || r.count > 0 && count > r.count || !yield(d) {
				return
			}
		}
	}
}

// from fills in what the first day says where the rule does not.
func (r rule) from(first day) rule {
	t := first.time()
	byDay := len(r.monthDays) > 0 || len(r.weekDays) > 0
	switch {
	case r.freq == "WEEKLY" && len(r.weekDays) == 0:
		r.weekDays = []weekDay{{day: t.Weekday()}}
	case r.freq == "MONTHLY" && !byDay:
		r.monthDays = []int{t.Day()}
	case r.freq == "YEARLY" && !byDay:
		r.monthDays = []int{t.Day()}
		if len(r.months) == 0 {
			r.months = []time.Month{t.Month()}
		}
	}
	return r
}

// begin is the first day of the year, month or week in which a day is.
func (r rule) begin(d day) day {
	t := d.time()
	switch r.freq {
	case "YEARLY":
		return monthDay(t.Year(), time.January)
	case "MONTHLY":
		return monthDay(t.Year(), t.Month())
	case "WEEKLY":
		return d - day(t.Weekday()-r.weekStart+7)%7
	}
	return d
}

// next is the begin of the next year, month, week or day that counts.
func (r rule) next(begin day) day {
	t := begin.time()
	switch r.freq {
	case "YEARLY":
		return monthDay(t.Year()+r.interval, time.January)
	case "MONTHLY":
		return monthDay(t.Year(), t.Month()+time.Month(r.interval))
	case "WEEKLY":
		return begin + day(7*r.interval)
	}
	return begin + day(r.interval)
}

// spans are the days to look at in the year, month or week that begins then: each from a
// day to the one before another.
func (r rule) spans(begin day) (spans [][2]day) {
	one := rule{freq: r.freq, interval: 1}
	if r.freq != "YEARLY" || len(r.months) == 0 {
		return [][2]day{{begin, one.next(begin)}}
	}
	year := begin.time().Year()
	for m := time.January; m <= time.December; m++ {
		if slices.Contains(r.months, m) {
			spans = append(spans, [2]day{monthDay(year, m), monthDay(year, m+1)})
		}
	}
	return spans
}

func monthDay(year int, m time.Month) day {
	return day(time.Date(year, m, 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// fits reports whether a day is one of those of the rule.
func (r rule) fits(d day) bool {
	t := d.time()
	year, month, dom := t.Date()
	if len(r.months) > 0 && !slices.Contains(r.months, month) {
		return false
	}
	length := int(monthDay(year, month+1) - monthDay(year, month))
	if len(r.monthDays) > 0 && !slices.Contains(r.monthDays, dom) && !slices.Contains(r.monthDays, dom-length-1) {
		return false
	}
	if len(r.weekDays) == 0 {
		return true
	}
	at, of := dom-1, length
	if r.freq == "YEARLY" && len(r.months) == 0 {
		at, of = t.YearDay()-1, int(monthDay(year+1, time.January)-monthDay(year, time.January))
	}
	return slices.ContainsFunc(r.weekDays, func(w weekDay) bool {
		return w.day == t.Weekday() && (w.nth == 0 || w.nth == at/7+1 || w.nth == -((of-1-at)/7+1))
	})
}

// choose are the days of a year, month or week at the rule's positions.
func (r rule) choose(found []day) []day {
	if len(r.positions) == 0 {
		return found
	}
	var chosen []day
	for i, d := range found {
		if slices.Contains(r.positions, i+1) || slices.Contains(r.positions, i-len(found)) {
			chosen = append(chosen, d)
		}
	}
	return chosen
}
