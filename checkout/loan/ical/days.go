package ical

import (
	"math/bits"
	"time"

	"stump/checkout/loan"
)

// day is a day of the calendar, counted from 1970.
type day int

func dayOf(d loan.Date) day {
	return day(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

func (d day) time() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

func (d day) date() loan.Date { return loan.DateOf(d.time()) }

// The days that are kept: from the beginning of 2000 to the end of 2099.
var (
	firstDay = dayOf(loan.Date{Year: 2000, Month: time.January, Day: 1})
	pastDays = dayOf(loan.Date{Year: 2100, Month: time.January, Day: 1})
)

// Days are days from 2000 to 2099. The zero Days are none.
type Days struct{ bits [100*366/64 + 1]uint64 }

// add adds the days from a day to the one before to.
func (d *Days) add(from, to day) {
	for n := max(from, firstDay) - firstDay; n < min(to, pastDays)-firstDay; n++ {
		d.bits[n/64] |= 1 << (n % 64)
	}
}

// Has reports whether a day is one of them.
func (d *Days) Has(date loan.Date) bool {
	n := dayOf(date)
	if n < firstDay || n >= pastDays {
		return false
	}
	n -= firstDay
	return d.bits[n/64]&(1<<(n%64)) != 0
}

// Next are the first n of them from a day on, or all.
func (d *Days) Next(from loan.Date, n int) (dates []loan.Date) {
	for at := max(dayOf(from), firstDay); at < pastDays && len(dates) < n; at++ {
		if date := at.date(); d.Has(date) {
			dates = append(dates, date)
		}
	}
	return dates
}

// Len is how many they are.
func (d *Days) Len() (n int) {
	for _, word := range d.bits {
		n += bits.OnesCount64(word)
	}
	return n
}

// Last is the last of them; false if there is none.
func (d *Days) Last() (loan.Date, bool) {
	for i := len(d.bits) - 1; i >= 0; i-- {
		if word := d.bits[i]; word != 0 {
			return (firstDay + day(i*64+bits.Len64(word)-1)).date(), true
		}
	}
	return loan.Date{}, false
}
