package api

import (
	"net/http"
	"strconv"
	"time"

	"stump/checkout"
)

// who lists the loans. With shown=true the masked number of what is pending
// stands in the place of its name, for a table.
func (s *Server) who(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "person", "device", "overdue", "shown")
	if err != nil {
		return err
	}
	f := checkout.LoanFilter{Person: q.Get("person"), Device: q.Get("device"), Now: s.o.Now()}
	shown := false
	for name, set := range map[string]*bool{"overdue": &f.Overdue, "shown": &shown} {
		if word := q.Get(name); word != "" {
			if *set, err = strconv.ParseBool(word); err != nil {
				return refuse("use true or false", "%s: %q is neither", name, word)
			}
		}
	}
	loans := s.o.Ledger.Loans(f)
	if !shown {
		return stream(w, loans)
	}
	return stream(w, func(yield func(checkout.Loan, error) bool) {
		for l, err := range loans {
			if !yield(l.Shown(), err) {
				return
			}
		}
	})
}

func (s *Server) history(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r, "person", "device", "since")
	if err != nil {
		return err
	}
	f := checkout.HistoryFilter{Person: q.Get("person"), Device: q.Get("device")}
	if since := q.Get("since"); since != "" {
		t, err := time.Parse(time.RFC3339, since)
		if err != nil {
			return refuse("write it as 2026-11-21T10:00:00Z", "since: %q is no time", since)
		}
		f.Since = t
	}
	return stream(w, s.o.Ledger.History(f))
}

func (s *Server) unknown(w http.ResponseWriter, _ *http.Request) error {
	tags, err := s.o.Ledger.UnknownTags()
	if err != nil {
		return err
	}
	return stream(w, func(yield func(Unknown, error) bool) {
		for _, t := range tags {
			if !yield(Unknown{Number: t.Number, Bits: t.Bits, Count: t.Count, Last: t.Last, ClockTrusted: t.ClockTrusted}, nil) {
				return
			}
		}
	})
}

// historyRow is an event that was committed a moment ago.
func historyRow(ev checkout.Event) checkout.Entry {
	return checkout.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}
}
