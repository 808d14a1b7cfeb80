package ui

import (
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
	Known      bool // whether the time is right
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
		what := w.Kinds[string(e.Kind)]
		if what == "" {
			what = string(e.Kind)
		}
		lines = append(lines, Line{e.JSON(), w.Began(e.Time.In(now.Location()), e.ClockTrusted, e.Before, now), what, e.ClockTrusted})
	}
	return lines, nil
}

// text is a text that may be unknown.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
