package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/patience"
)

// Limits of a page: how many rows it has if nothing is said, and at most.
const (
	pageRows = 200
	maxRows  = 1000
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"` // the after of the next part; null at the end
}

// listed is a row of a list, with its place.
type listed interface{ Key() string }

// lister returns the rows of a page.
type lister[T listed] func(*http.Request, query, books.Page) (iter.Seq2[T, error], error)

// plainly is a lister of another package.
func plainly[T listed](f func(*http.Request, url.Values, books.Page) (iter.Seq2[T, error], error)) lister[T] {
	return func(r *http.Request, q query, p books.Page) (iter.Seq2[T, error], error) { return f(r, q.Values, p) }
}

// list answers with the rows of f, a Page of them. known are parameters beside those of
// every list.
func list[T listed](f lister[T], known ...string) handler {
	var row T
	_, history := any(row).(books.Entry)
	known = append(known, "q", "limit", "after")
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := params(r, known...)
		if err != nil {
			return err
		}
		return answerList(w, r, q, cursor{plain: history}, func(p books.Page) (iter.Seq2[listed, error], error) {
			rows, err := f(r, q, p)
			if err != nil {
				return nil, err
			}
			return mapRows(rows, func(row T) listed { return row }), nil
		})
	}
}

// reading returns the rows of a page. They are of any kind, because a function for each kind
// of row would be compiled once more for each.
type reading func(books.Page) (iter.Seq2[listed, error], error)

// answerList sends a page of the rows of f. Who accepts lines gets all of them, one JSON
// object a line, while they are read: a history of years needs no memory.
func answerList(w http.ResponseWriter, r *http.Request, q query, c cursor, f reading) (err error) {
	p := books.Page{Find: q.Get("q")}
	if p.After, err = c.key(q.Get("after")); err != nil {
		return err
	}
	if p.Limit, err = q.limit(); err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if acceptsLines(r) {
		return f.lines(w, r, p)
	}
	if p.Limit == 0 {
		p.Limit = pageRows
	}
	page, err := f.page(c, p)
	if err != nil {
		return err
	}
	return writeJSON(w, page)
}

// page reads one row more than is wanted, to know whether the list goes on.
func (f reading) page(c cursor, p books.Page) (Page[listed], error) {
	most := p.Limit
	p.Limit++
	page := Page[listed]{Items: []listed{}}
	rows, err := f(p)
	if err != nil {
		return page, err
	}
	for row, err := range rows {
		var searched *books.UnfinishedError
		switch {
		case errors.As(err, &searched):
			page.Next = known(c.of(searched.Key))
		case err != nil:
			return page, err
		case len(page.Items) == most:
			page.Next = known(c.of(page.Items[most-1].Key()))
		default:
			page.Items = append(page.Items, row)
		}
	}
	return page, nil
}

// lines sends the rows while they are read.
func (f reading) lines(w http.ResponseWriter, r *http.Request, p books.Page) error {
	enc := json.NewEncoder(w)
	most, n := p.Limit, 0
	for again := true; again; {
		again = false
		if err := patience.Rest(w); err != nil {
			return err
		}
		rows, err := f(p)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", wire.LineType)
		for row, err := range rows {
			var searched *books.UnfinishedError
			if errors.As(err, &searched) {
				p.After, p.Limit, again = searched.Key, most-n, r.Context().Err() == nil
				break
			}
			if err == nil {
				err = enc.Encode(row)
			}
			if err != nil {
				return err
			}
			n++
		}
	}
	return nil
}

// acceptsLines reports whether a client names lines in its Accept header.
func acceptsLines(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Accept"), func(s string) bool { return strings.Contains(s, wire.LineType) })
}

// limit reads how many rows are wanted; 0 if nothing is said.
func (q query) limit() (int, error) {
	word := q.Get("limit")
	if word == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > maxRows {
		return 0, refuse("use 1 to "+strconv.Itoa(maxRows), "limit: %q is not such a number", word)
	}
	return n, nil
}

// A cursor makes the place of a row what an answer has of it. In the history that is
// CHAIN:SEQ, as in its rows; elsewhere nobody needs to read it.
type cursor struct{ plain bool }

func (c cursor) of(key string) string {
	if c.plain {
		return key
	}
	return base64.RawURLEncoding.EncodeToString([]byte(key))
}

// key is the reverse of of.
func (c cursor) key(after string) (string, error) {
	if c.plain {
		return after, nil
	}
	key, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil {
		return "", refuse("give what an answer of this list has as next", "after: %q is no place in this list", after)
	}
	return string(key), nil
}

// short is the page of a short list, which was read whole. names are what a row is found
// by.
func short[T listed](all []T, p books.Page, names func(T) []string) (iter.Seq2[T, error], error) {
	begun := p.After == ""
	var left []T
	for _, row := range all {
		switch {
		case !begun:
			begun = row.Key() == p.After
		case p.Finds(names(row)...) && (p.Limit == 0 || len(left) < p.Limit):
			left = append(left, row)
		}
	}
	if !begun {
		return nil, refuse("begin again, without after", "the list has changed: the row that after names has gone")
	}
	return rows(left), nil
}
