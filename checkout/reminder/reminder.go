// Package reminder has the rules of when people are reminded of what they have: a stage
// is so many days before, on or after the day on which a loan ends.
//
// A stage comes on its day at the lab's time of day. Whoever is told of one stage is told
// of all that have come and were not told, in one message a day, and of each loan's last
// stage alone: what was missed is caught up once. The rules are pure; each brings its time.
package reminder

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"stump/checkout/loan"
)

// Stage is when somebody is reminded of a loan, in days after the day on which it ends;
// before that day it is negative.
type Stage int

// MostDays is how far a stage may be from the day on which a loan ends.
const MostDays = 366

// ParseStage reads "-1d", "0d", "3d".
func ParseStage(s string) (Stage, error) {
	days, ok := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(days)
	if !ok || err != nil || n < -MostDays || n > MostDays || strings.HasPrefix(days, "+") {
		return 0, fmt.Errorf(`%q is not a number of days before or after the due day, such as "-1d", "0d" or "3d"`, s)
	}
	return Stage(n), nil
}

// String is what ParseStage reads.
func (s Stage) String() string { return strconv.Itoa(int(s)) + "d" }

// Rules say when people are reminded. The zero Rules never remind.
type Rules struct {
	Stages []Stage // in any order
	// At is the time of day since midnight, below 24 h. Any takes any: a stage then comes
	// with its day.
	At  time.Duration
	Any bool
	// Calendar has the lab's zone, and its closed days. On those only a stage comes that
	// can come on no other day.
	Calendar loan.Calendar
}

// Loan is what somebody has.
type Loan struct {
	// Since is when it began, or when somebody said last until when it is.
	Since, Due time.Time
	// Told: Last is the last stage that was told.
	Told bool
	Last Stage
	// Waits: it was told in a message that nobody has got yet.
	Waits bool
}

// Saying is what a message says of a loan.
type Saying struct {
	Loan  int // its index
	Stage Stage
	// Again: a message said so before that nobody has got.
	Again bool
}

// Say returns what somebody is told at a time of their loans, who was told something last
// at another, which is zero for never. Nothing is said without a stage that is new.
func (r Rules) Say(last, now time.Time, loans []Loan) (all []Saying) {
	if !r.Open(now) || !last.IsZero() && r.SameDay(last, now) {
		return nil
	}
	fresh := false
	for i, l := range loans {
		stage, come := r.come(l, now)
		switch {
		case come && (!l.Told || stage > l.Last):
			all, fresh = append(all, Saying{Loan: i, Stage: stage}), true
		case l.Waits && l.Told:
			all = append(all, Saying{Loan: i, Stage: l.Last, Again: true})
		}
	}
	if !fresh {
		return nil
	}
	return all
}

// Open reports whether people are reminded at this time of day.
func (r Rules) Open(now time.Time) bool {
	return len(r.Stages) > 0 && !now.Before(r.begin(r.dayOf(now)))
}

// Opens is when people are reminded next on the day of a time at which they are not.
func (r Rules) Opens(now time.Time) time.Time { return r.begin(r.dayOf(now)) }

// SameDay reports whether two times are of one day, or a clock that was set back over
// midnight since the first makes them seem so.
func (r Rules) SameDay(first, now time.Time) bool {
	ahead := r.dayOf(first).Sub(r.dayOf(now))
	return ahead == 0 || ahead == day
}

// come is the last stage of a loan that has come; false for none. What came before the
// loan began, or was extended, does not count.
func (r Rules) come(l Loan, now time.Time) (last Stage, ok bool) {
	today, since := r.dayOf(now), l.Since
	if r.Any {
		since = r.begin(r.dayOf(since))
	}
	for _, s := range r.Stages {
		on := r.day(l.Due, s)
		begin := r.begin(on)
		// What was missed waits until the lab is open.
		if begin.After(now) || begin.Before(since) || on != today && !r.Calendar.Open(today) {
			continue
		}
		if !ok || s > last {
			last, ok = s, true
		}
	}
	return last, ok
}

// day is the day of a stage: an open one, earlier where that is in time, else later.
func (r Rules) day(due time.Time, s Stage) time.Time {
	on := r.dayOf(due).AddDate(0, 0, int(s))
	step := 1
	if s <= 0 {
		step = -1
	}
	for n := range MostDays {
		if d := on.AddDate(0, 0, n*step); r.Calendar.Open(d) {
			return d
		}
	}
	return on // it is always closed
}

const day = 24 * time.Hour

// dayOf is the day of a time where the lab is, as its midnight in UTC: in other zones a
// midnight may be skipped.
func (r Rules) dayOf(t time.Time) time.Time {
	t = t.In(r.Calendar.Place())
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// begin is when people are reminded on a day.
func (r Rules) begin(on time.Time) time.Time {
	minutes := 0
	if !r.Any {
		minutes = int(r.At / time.Minute)
	}
	// Of a time that the clocks skip, the hour before or after.
	return time.Date(on.Year(), on.Month(), on.Day(), 0, minutes, 0, 0, r.Calendar.Place())
}

// Week is when the week of a time began for an admin: on Monday, at the time of day of
// reminders.
func (r Rules) Week(now time.Time) time.Time {
	today := r.dayOf(now)
	since := (int(today.Weekday()) + 6) % 7 // days, since Monday
	week := r.begin(today.AddDate(0, 0, -since))
	if week.After(now) {
		week = r.begin(today.AddDate(0, 0, -since-7))
	}
	return week
}

// Summary is the note of a digest: how many devices are overdue, and how many people were
// reminded in the week before.
func Summary(overdue, reminded int) string {
	return fmt.Sprintf("%d overdue, %d reminded", overdue, reminded)
}

// ParseSummary reads what Summary writes.
func ParseSummary(note string) (overdue, reminded int, ok bool) {
	late, told, _ := strings.Cut(note, " overdue, ")
	overdue, err := strconv.Atoi(late)
	if err != nil {
		return 0, 0, false
	}
	reminded, err = strconv.Atoi(strings.TrimSuffix(told, " reminded"))
	return overdue, reminded, err == nil && note == Summary(overdue, reminded)
}
