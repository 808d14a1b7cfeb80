package call

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits on one reading of a whole directory, together with the time that the
// worker gives it. A server that passes one is cut short there; what came until
// then is used.
const (
	// MostRows is how many rows are read, people and devices together, and how many of
	// each the register takes from a directory: enough for 20,000 people with 5,000
	// devices. A full register and as many new rows, with loans, take 20 MB while they
	// are compared.
	MostRows = 26_000
	// mostText is for what is kept of the rows: 160 bytes of each.
	mostText = MostRows * 160
	// mostBytes is for what the server sends, unpacked: 10 kB a row.
	mostBytes = 256 << 20
	// mostPages is for one list: half a million rows at 250 a page.
	mostPages = 2000
	// keyLimit is the length of a row's own key, such as an id.
	keyLimit = 256
	// emptyPages are asked for in a row where more was promised.
	emptyPages = 3
	// longestWait is how long a server may ask us to wait between two pages.
	longestWait = 2 * time.Minute
)

// Reading is one reading of a whole directory. Its lists share the limits.
type Reading struct {
	api   *Service
	rows  int   // that may still come
	text  int   // that may still be kept
	bytes int64 // that may still be read
	turn  Turn
}

// NewReading begins to read the directory at s.
func NewReading(s *Service) *Reading {
	return &Reading{api: s, rows: MostRows, text: mostText, bytes: mostBytes}
}

// List is a list that comes in pages, and what is needed of it.
type List struct {
	Path  string
	What  string // what a row is: "user"
	Whose string // whose JSON it is: "SCIM's"
	// Rows, Total and Next are the names of an answer's members. With Next, pages
	// are asked for by the cursor in it, else by how many rows came before.
	Rows, Total, Next string
	// PageRows is how many rows a page is asked to have; 0: as many as it likes.
	PageRows int
	// Keep reports whether a member of a row is needed.
	Keep func(name string) bool
	// Ask returns the query for a page: after the first so many rows, or at a cursor.
	Ask func(from int, cursor string) url.Values
	// Judge says what an answer means; of a list, its Body lacks the rows.
	Judge func(Reply) Outcome
	// Long is how many bytes of a row are kept at most; 0: 64 KiB.
	Long int
	// Read reads a row, JSON of no more than that of the members that are kept. key is
	// the row's own; with or without it, err says why the row can't be used. raw is
	// only valid until it returns.
	Read func(raw []byte) (key string, err error)
	// Take takes the row that was just read, and returns how many bytes of text
	// are kept of it.
	Take func() int
}

// Listing says how far a list that was read is to be believed. What was seen is
// true. What was not seen proves something only if the list is whole.
type Listing struct {
	// Partial: rows may be missing, Notes say why.
	Partial bool
	// Broken: it was not read to its end, and so is Partial.
	Broken bool
	// Outcome says why it broke off, where that is the server's doing.
	Outcome Outcome
	// Rows is how many rows came, different ones.
	Rows int
	// Unread are the keys of rows that are there and can't be read.
	Unread map[string]bool
	// Fields are the members that some row has something in.
	Fields []string
	// Notes say what is wrong with the list, for people.
	Notes []string
}

// List reads a list, page by page, until one beyond its claimed end brings nothing
// new. If the outcome is not OK, it broke off there: what came before was taken.
func (r *Reading) List(ctx context.Context, l List) (Listing, Outcome) {
	c := newCounter(l)
	for cursor := ""; ; c.page++ {
		p, reply, o := r.patiently(ctx, c, l.Ask(c.from, cursor))
		c.count(p)
		switch {
		case o.Verdict != OK && c.beyond(reply):
			return c.listing(), Outcome{}
		case o.Verdict != OK:
			c.broken = true
			got := c.listing()
			got.Outcome = o
			return got, o
		case p.cut != "", c.ended(p, cursor):
			return c.listing(), Outcome{}
		}
		cursor = p.next
	}
}

// Look asks once, reads at most so many rows, and says which members they have
// something in. Nothing is taken.
func (r *Reading) Look(ctx context.Context, l List, query url.Values, rows int) (fields []string, o Outcome) {
	l.Take = func() int { return 0 }
	look, c := *r, newCounter(l)
	look.rows = rows
	_, _, o = look.page(ctx, c, query)
	return c.listing().Fields, o
}

// Page asks once, and takes the rows that come. It returns how many did, and what came
// beside them.
func (r *Reading) Page(ctx context.Context, l List, query url.Values) (rows int, reply Reply, o Outcome) {
	p, reply, o := r.page(ctx, newCounter(l), query)
	return p.rows, reply, o
}

// patiently reads a page. A long list meets a server's rate limit; reading it only
// takes longer.
func (r *Reading) patiently(ctx context.Context, c *counter, query url.Values) (page, Reply, Outcome) {
	for {
		p, reply, o := r.page(ctx, c, query)
		if o.Verdict != Down || o.After <= 0 || o.After > longestWait || p.rows > 0 {
			return p, reply, o
		}
		select {
		case <-ctx.Done():
			return p, reply, o
		case <-time.After(max(o.After, time.Second)):
		}
	}
}

// page is what is known of a page.
type page struct {
	rows, fresh int // that came; of these, not seen before
	again       int // seen on an earlier page
	total       int // -1: not said
	next        string
	isList      bool
	cut         string // by which limit it was cut short
}

// errEnough ends an answer when a limit is reached.
var errEnough = errors.New("enough was read")

// meter is a reader that ends when so many bytes were read.
type meter struct {
	in   io.Reader
	left *int64
}

func (m meter) Read(b []byte) (int, error) {
	if *m.left <= 0 {
		return 0, errEnough
	}
	n, err := m.in.Read(b[:min(int64(len(b)), *m.left)])
	*m.left -= int64(n)
	return n, err
}

// page reads a page.
func (r *Reading) page(ctx context.Context, c *counter, query url.Values) (p page, reply Reply, o Outcome) {
	p.total = -1
	malformed := false
	reply, o = r.api.read(ctx, c.Path, query, func(reply *Reply, body io.Reader) error {
		err := r.answer(newScanner(meter{body, &r.bytes}), c, &p, reply)
		switch {
		case errors.Is(err, errEnough):
			if p.cut == "" {
				p.cut = fmt.Sprintf("the server sends more than %d MB", mostBytes>>20)
			}
		case errors.Is(err, errSyntax):
			malformed = true
		default:
			return err
		}
		return nil
	})
	if o.Verdict != OK {
		return p, reply, o
	}
	if o = c.Judge(reply); o.Verdict == OK && (malformed || !p.isList && p.total < 0) {
		o = reply.NotJSON(c.Whose)
	}
	return p, reply, o
}

// answer reads the answer for a page. The reply's Body is the answer without its
// rows.
func (r *Reading) answer(s scanner, c *counter, p *page, reply *Reply) error {
	if bom, err := s.in.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		_, _ = s.in.Discard(3)
	}
	first, err := s.next()
	if err != nil || first != '{' || reply.Status/100 != 2 {
		body, rerr := io.ReadAll(io.LimitReader(s.in, rowLimit))
		if reply.Body = body; reply.Status/100 != 2 {
			return nil // the status says enough
		}
		return cmp.Or(err, rerr)
	}
	head := []byte("{")
	defer func() { reply.Body = append(bytes.TrimSuffix(head, []byte(",")), '}') }()
	return s.object(func(name string) error {
		first, err := s.next()
		if err != nil {
			return err
		}
		if first == '[' && strings.EqualFold(name, c.Rows) {
			p.isList = true
			return s.array(func() error { return r.row(s, c, p) })
		}
		before := len(head)
		key, _ := json.Marshal(name) // a string always can be
		head = append(append(head, key...), ':')
		begin := len(head)
		v, err := s.value(&head, max(headLimit-begin, 0))
		if err != nil || v.long {
			head = head[:before]
			return err
		}
		switch value := head[begin:]; {
		case strings.EqualFold(name, c.Total):
			p.total = wholeNumber(value)
		case c.Next != "" && strings.EqualFold(name, c.Next):
			_ = json.Unmarshal(value, &p.next) // else there is none
		}
		head = append(head, ',')
		return nil
	})
}

// wholeNumber reads a number, also one in quotes; -1 if it is none, or below zero.
func wholeNumber(raw []byte) int {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.Trim(string(raw), `"`)), 64)
	if err != nil || n < 0 || n > 1<<31 {
		return -1
	}
	return int(n)
}

// row reads the next row of a page, and takes it unless it came before.
func (r *Reading) row(s scanner, c *counter, p *page) error {
	r.turn.Row()
	var long bool
	var err error
	if c.raw, long, err = s.row(c.raw, cmp.Or(c.Long, rowLimit), c.Keep, c.field); err != nil {
		return err
	}
	p.rows++
	if r.rows--; r.rows < 0 {
		p.cut = fmt.Sprintf("more than %d rows come", MostRows)
		return errEnough
	}
	key, err := c.Read(c.raw)
	switch {
	case err != nil:
	case key == "":
		err = errors.New("it has no id")
	case long:
		err = errors.New("it is too long")
	}
	if len(key) > keyLimit {
		key, err = "", errors.New("its id is too long")
	}
	switch {
	case !c.isNew(key, p):
	case err != nil:
		r.text -= len(key)
		c.unreadable(key, p.rows, err)
	default:
		r.text -= c.Take()
	}
	if r.text < 0 {
		p.cut = fmt.Sprintf("its rows have more than %d MB of text", mostText>>20)
		return errEnough
	}
	return nil
}
