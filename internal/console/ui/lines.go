package ui

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"stump/internal/books"
)

// MostRows is how many rows a list has at most, and mostLines how many events.
const (
	MostRows  = 1000
	mostLines = 50
)

// Line is an event as pages show it.
type Line struct {
	books.EntryJSON
	When, What string
}

// Lines are the newest events of a history, the newest first.
func Lines(w *Words, history iter.Seq2[books.Entry, error], now time.Time) ([]Line, error) {
	var newest []books.Entry
	for e, err := range history {
		if err != nil {
			return nil, err
		}
		if newest = append(newest, e); len(newest) > 2*mostLines {
			newest = slices.Delete(newest, 0, mostLines)
		}
	}
	newest = newest[max(len(newest)-mostLines, 0):]
	lines := make([]Line, 0, len(newest))
	for _, e := range slices.Backward(newest) {
		lines = append(lines, LineOf(w, e, now))
	}
	return lines, nil
}

// LineOf is an event as pages show it. What is reserved stands in place of a device.
func LineOf(w *Words, e books.Entry, now time.Time) Line {
	b := e.Booking
	e.Booking.Kind, e.Booking.From = "", time.Time{}
	l := Line{e.JSON(), w.Began(e.Time.In(now.Location()), e.ClockTrusted, e.Before, now), cmp.Or(w.Kinds[string(e.Kind)], string(e.Kind))}
	if b.Kind != "" {
		l.Device = &b.Kind
	}
	if !b.From.IsZero() {
		note := w.At(b.From.In(now.Location()), now) + " – " + w.At(b.To.In(now.Location()), now)
		if e.Note != "" {
			note += ", " + e.Note
		}
		l.Note = &note
	}
	return l
}

// Text is a text that may be unknown.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Terms are when a loan began and ends, and by how much it is late, "" if it is not.
func (w *Words) Terms(l books.Loan, now time.Time) (began, ends, late string) {
	began, ends = w.Began(l.Since, l.ClockTrusted, l.Before, now), w.NoEnd
	if !l.Due.IsZero() {
		ends = w.At(l.Due.In(now.Location()), now)
	}
	if l.Overdue {
		late = Fill(w.NotOnTime, For(now.Sub(l.Due)))
	}
	return began, ends, late
}
