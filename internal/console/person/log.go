package person

import (
	"iter"
	"slices"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// mostPast is how many past loans a page has, and how many reminders.
const mostPast = 50

// Past is a loan that has ended.
type Past struct {
	DeviceID, Device string
	Began, Ended     string
}

// log is what a person's history says of loans and reminders.
type log struct {
	them      map[string]bool // the ids by which events name the person
	out       map[string]books.Entry
	ended     [][2]books.Entry
	reminders []books.Entry
}

func newLog(id string, was []books.Former) *log {
	l := &log{them: map[string]bool{id: true}, out: map[string]books.Entry{}}
	for _, f := range was {
		l.them[f.ID] = true
	}
	return l
}

// watch notes the events of a history, and passes on those that are no reminders.
func (l *log) watch(history iter.Seq2[books.Entry, error]) iter.Seq2[books.Entry, error] {
	return func(yield func(books.Entry, error) bool) {
		for e, err := range history {
			if err == nil {
				l.note(e)
			}
			if e.Kind != checkout.Remind && !yield(e, err) {
				return
			}
		}
	}
}

func (l *log) note(e books.Entry) {
	switch e.Kind {
	case checkout.Remind:
		l.reminders = latest(append(l.reminders, e))
		return
	case checkout.Checkout, checkout.Handover, checkout.Return, checkout.Lost:
	default:
		return
	}
	if began, ok := l.out[e.Device]; ok { // whatever moves it now, ends what was
		l.ended = latest(append(l.ended, [2]books.Entry{began, e}))
		delete(l.out, e.Device)
	}
	if l.them[e.Person] && (e.Kind == checkout.Checkout || e.Kind == checkout.Handover) {
		l.out[e.Device] = e
	}
}

// latest are the last of a list that grows.
func latest[T any](all []T) []T {
	if len(all) > 2*mostPast {
		all = slices.Delete(all, 0, len(all)-mostPast)
	}
	return all
}

// past are the loans that have ended, the newest first.
func (l *log) past(w *ui.Words, now time.Time) (rows []Past) {
	for _, both := range slices.Backward(l.ended[max(len(l.ended)-mostPast, 0):]) {
		began, ended := ui.LineOf(w, both[0], now), ui.LineOf(w, both[1], now)
		rows = append(rows, Past{ui.Text(began.DeviceID), ui.Text(began.Device), began.When, ended.When})
	}
	return rows
}

// all is a list as a history.
func all(list []books.Entry) iter.Seq2[books.Entry, error] {
	return func(yield func(books.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}
