package loan

import (
	"slices"
	"time"
)

// Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day of a time, where its clock is.
func DateOf(t time.Time) (d Date) {
	d.Year, d.Month, d.Day = t.Date()
	return d
}

// Before reports whether a day is before another.
func (d Date) Before(other Date) bool { return d.time().Before(other.time()) }

// String is the day of the week and the day: "Fri 2026-12-25".
func (d Date) String() string { return d.time().Format("Mon 2006-01-02") }

func (d Date) time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Calendar says when the lab is open. The zero Calendar is always.
type Calendar struct {
	// Days are those on which the lab is open, all if empty.
	Days []time.Weekday
	// Closed reports holidays; nil for none.
	Closed func(Date) bool
	// Until is the time of day at which loans of a day or more end, since midnight; 0 for
	// the time at which they began.
	Until time.Duration
	// Zone is where the lab is; nil for the machine's.
	Zone *time.Location
}

// Place is the Zone, or the machine's.
func (c Calendar) Place() *time.Location {
	if c.Zone == nil {
		return time.Local
	}
	return c.Zone
}

// always reports whether the lab is always open, so that only lengths count.
func (c Calendar) always() bool { return len(c.Days) == 0 && c.Closed == nil && c.Until == 0 }

// Open reports whether the lab is open on the day of a time, where its clock is.
func (c Calendar) Open(t time.Time) bool {
	return (len(c.Days) == 0 || slices.Contains(c.Days, t.Weekday())) && (c.Closed == nil || !c.Closed(DateOf(t)))
}

// farthest is how many days a loan that would end on a closed day is moved at most.
const farthest = 366

// End is when a loan from a time on ends that lasts for a length. Whole days are days of the
// calendar: they end at the same time of the clock, or at Until. A loan that would end on a
// closed day ends on the next open one, at the same time of day.
func (c Calendar) End(from time.Time, length time.Duration) time.Time {
	if c.always() || length <= 0 {
		return from.Add(length)
	}
	zone := c.Place()
	const day = 24 * time.Hour
	from = from.In(zone)
	end := from.AddDate(0, 0, int(length/day)).Add(length % day)
	hour, minute, second := end.Clock()
	if c.Until > 0 && length >= day {
		hour, minute, second = 0, int(c.Until/time.Minute), 0
	}
	for n := range farthest {
		// Of a time that the clocks skip, the hour after.
		t := time.Date(end.Year(), end.Month(), end.Day()+n, hour, minute, second, 0, zone)
		if c.Open(t) {
			return t
		}
	}
	return end // it is always closed
}
