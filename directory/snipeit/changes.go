package snipeit

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"stump/directory/call"
	"stump/internal/books"
)

const (
	// changedRows are read at a time, and at most changedPages pages: one request where
	// little has changed.
	changedRows  = 100
	changedPages = 5
	// overlap is from how long before the newest stamp known changes are read again:
	// stamps are whole seconds, and a slow request is stamped before it is seen.
	overlap = time.Minute
)

// Changes implements directory.Changer. The mark is the newest stamp that was seen, in
// the server's own wall time.
func (s *SnipeIT) Changes(ctx context.Context, since string) (seen []books.Seen, mark string, err error) {
	mark = since
	in, from := call.NewReading(s.api), s.before(since)
	for i := range changedPages {
		page, o := s.changed(ctx, in, i*changedRows, from)
		if o.Verdict != call.OK {
			return nil, since, o
		}
		seen, mark = append(seen, page.seen...), max(mark, page.newest)
		if page.last || since == "" {
			return seen, mark, nil
		}
	}
	return nil, since, call.ErrTooMany
}

// changedPage is a page of what changed.
type changedPage struct {
	seen   []books.Seen
	newest string // stamp
	last   bool   // what follows is older
}

// changed reads a page of the assets, those that changed last first.
func (s *SnipeIT) changed(ctx context.Context, in *call.Reading, offset int, from string) (p changedPage, o call.Outcome) {
	var a asset
	var stamps []string
	l := s.assets(&a)
	l.Take = func() int {
		at := ""
		if a.Updated != nil {
			at = a.Updated.Datetime
		}
		stamps = append(stamps, at)
		p.last = p.last || at < from || at == ""
		if seen, said := s.seen(a); said && (at == "" || at >= from) {
			p.seen = append(p.seen, seen)
		}
		return 0
	}
	query := url.Values{"limit": {strconv.Itoa(changedRows)}, "offset": {strconv.Itoa(offset)}, "sort": {"updated_at"}, "order": {"desc"}}
	rows, reply, o := in.Page(ctx, l, query)
	p.last = p.last || rows < changedRows
	now := "9" // later than any
	if at, err := http.ParseTime(reply.Header.Get("Date")); err == nil {
		now = at.Add(overlap).In(s.zone).Format(time.DateTime)
	}
	for _, at := range stamps {
		if at <= now { // the server's clock may have been wrong once
			p.newest = max(p.newest, at)
		}
	}
	return p, o
}

// before is from which stamp on changes are read when everything up to a mark is known.
// When clocks go back in autumn, so do stamps.
func (s *SnipeIT) before(mark string) string {
	at, err := time.Parse(time.DateTime, mark)
	if err != nil {
		return ""
	}
	_, then := at.Add(-3 * time.Hour).In(s.zone).Zone()
	_, next := at.Add(3 * time.Hour).In(s.zone).Zone()
	back := time.Duration(max(then-next, 0)) * time.Second
	return at.Add(-overlap - back).Format(time.DateTime)
}
