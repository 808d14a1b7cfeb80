package ui

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"stump/checkout"
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
	what := e
	e.Condition, e.Kit, e.Missing, e.Happened, e.Stage, e.Due, e.Booking.Kind, e.Booking.From = "", "", nil, time.Time{}, "", time.Time{}, "", time.Time{}
	l := Line{e.JSON(), w.Began(e.Time.In(now.Location()), e.ClockTrusted, e.Before, now), cmp.Or(w.Kinds.Of(string(e.Kind)), string(e.Kind))}
	if b := what.Booking; b.Kind != "" {
		l.Device = &b.Kind
	}
	note := slices.DeleteFunc(w.notes(what, now), func(s string) bool { return s == "" })
	if is := Text(l.Note); is != "" { // by whom it was made, and whose tag is not known
		note = append(note, is)
	}
	if l.Note = nil; len(note) > 0 {
		text := strings.Join(note, ", ")
		l.Note = &text
	}
	return l
}

// notes is what an event says beside who, what and when, in the words of the pages.
func (w *Words) notes(e books.Entry, now time.Time) (all []string) {
	at := func(text string, t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return Fill(text, w.At(t.In(now.Location()), now))
	}
	if b := e.Booking; !b.From.IsZero() {
		all = append(all, at("%s", b.From)+" – "+at("%s", b.To))
	}
	if e.Missing != nil {
		all = append(all, w.NotBack+": "+strings.Join(e.Missing, ", "))
	}
	if e.Kit != "" {
		all = append(all, w.Kit+": "+e.Kit)
	}
	return append(all, at(w.ItWas, e.Happened), w.ConditionIs(e.Condition), at(w.DueAt, e.Due))
}

// ConditionIs is a device's condition: the word that the books have for it in the language
// of the page, and the words behind it as somebody wrote them.
func (w *Words) ConditionIs(s string) string {
	word, more, _ := strings.Cut(s, ":")
	for is, says := range map[string]string{checkout.ConditionOK: w.Fine, checkout.ConditionDamaged: w.Damaged, checkout.ConditionIncomplete: w.Incomplete} {
		if strings.EqualFold(word, is) {
			return strings.TrimSuffix(says+":"+more, ":")
		}
	}
	return s
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
		late = Fill(w.NotOnTime, w.For(now.Sub(l.Due)))
	}
	return began, ends, late
}
