package call

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// readList reads a list of {"id":…} from a server. key has the ids that were taken.
func readList(t *testing.T, h http.Handler, l List) (ids []string, got Listing, o Outcome, calls int) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls > 2*mostPages {
			t.Error("asked without end")
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	s, err := API{URL: srv.URL}.Open(HTTP{Proxy: "none", TotalTimeout: time.Minute}, "", "text/x")
	if err != nil {
		t.Fatal(err)
	}
	var row struct{ ID any }
	l.Path, l.What, l.Whose, l.Rows, l.Total = "/users", "user", "its", "rows", "total"
	l.Keep, l.Judge = AnyOf("id"), Reply.Outcome
	l.Ask = func(from int, cursor string) url.Values {
		return url.Values{"from": {strconv.Itoa(from)}, "cursor": {cursor}}
	}
	l.Read = func(raw []byte) (string, error) {
		row.ID = nil
		if json.Unmarshal(raw, &row) != nil {
			return "", errors.New("it is not an object")
		}
		if id := FieldText(row.ID); id == "bad" {
			return id, errors.New("it is bad")
		}
		return FieldText(row.ID), nil
	}
	l.Take = func() int { ids = append(ids, FieldText(row.ID)); return 8 }
	r := NewReading(s)
	r.bytes = 40 << 20
	got, o = r.List(t.Context(), l)
	return ids, got, o, calls
}

// rows are rows with the ids from a to b.
func rows(a, b int) string {
	var all []string
	for i := a; i <= b; i++ {
		all = append(all, fmt.Sprintf(`{"id":%d,"photo":"…"}`, i))
	}
	return strings.Join(all, ",")
}

func numbered(a, b int) (all []string) {
	for i := a; i <= b; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// What was seen is taken, whatever is wrong with the list; the rest of it is only
// believed if the list is whole.
func TestList(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pages   map[string]string // by from; "" any other
		ids     []string
		partial bool
		notes   string
	}{
		{"whole", map[string]string{"0": `{"total":3,"rows":[` + rows(1, 3) + `]}`, "": `{"total":3,"rows":[]}`}, numbered(1, 3), false, ""},
		{"two pages, in odd order", map[string]string{"0": `{"rows":[` + rows(1, 10) + `],"total":"13","x":{"rows":[1]}}`, "10": ` {"TOTAL":13.0, "Rows" : [` + rows(11, 13) + `] } `, "": `{"rows":[]}`}, numbered(1, 13), false, ""},
		{"without a count", map[string]string{"0": `{"rows":[` + rows(1, 3) + `]}`, "": `{"rows":[]}`}, numbered(1, 3), false, ""},
		{"nothing at all", map[string]string{"": `{"total":0}`}, nil, false, ""},
		{"a count of the page", map[string]string{"0": `{"total":10,"rows":[` + rows(1, 10) + `]}`, "10": `{"total":3,"rows":[` + rows(11, 13) + `]}`, "": `{"total":0,"rows":[]}`}, numbered(1, 13), true, "13 users came, and the server counts 10, then 3"},
		{"more than it counts", map[string]string{"0": `{"total":10,"rows":[` + rows(1, 10) + `]}`, "10": `{"total":10,"rows":[` + rows(11, 13) + `]}`, "": `{"total":10,"rows":[]}`}, numbered(1, 13), true, "13 users came, and the server counts only 10"},
		{"one is counted and not shown", map[string]string{"0": `{"total":3,"rows":[` + rows(1, 2) + `]}`, "": `{"total":3,"rows":[]}`}, numbered(1, 2), true, "2 of 3 came, page 1 was short"},
		{"on the second page", map[string]string{"0": `{"total":23,"rows":[` + rows(1, 10) + `]}`, "10": `{"total":23,"rows":[` + rows(11, 19) + `]}`, "19": `{"total":23,"rows":[` + rows(20, 22) + `]}`, "": `{"total":23,"rows":[]}`}, numbered(1, 22), true, "22 of 23 came, page 2 was short"},
		{"a whole page", map[string]string{"0": `{"total":30,"rows":[` + rows(1, 10) + `]}`, "20": `{"total":30,"rows":[` + rows(21, 30) + `]}`, "": `{"total":30,"rows":[]}`}, append(numbered(1, 10), numbered(21, 30)...), true, "20 of 30 came, page 2 was short"},
		{"all are counted and none shown", map[string]string{"": `{"total":999999999,"rows":[]}`}, nil, true, "the server counts 999999999 and shows none: give the token's user the right to see them"},
		{"twice on a page", map[string]string{"0": `{"total":4,"rows":[` + rows(1, 3) + `,{"id":1}]}`, "": `{"total":4,"rows":[]}`}, numbered(1, 3), false, "1 user is twice in it"},
		{"twice over the edge: another slipped by", map[string]string{"0": `{"total":13,"rows":[` + rows(1, 10) + `]}`, "10": `{"total":13,"rows":[` + rows(10, 12) + `]}`, "": `{"total":13,"rows":[]}`}, numbered(1, 12), true, "12 of 13 came"},
		{"one left while it was read", map[string]string{"0": `{"total":13,"rows":[` + rows(1, 10) + `]}`, "": `{"total":12,"rows":[` + rows(12, 13) + `]}`}, append(numbered(1, 10), "12", "13"), true, "the list changed while it was read"},
		{"the same full page for ever", map[string]string{"": `{"total":10,"rows":[` + rows(1, 10) + `]}`}, numbered(1, 10), true, "the same page again"},
		{"the same page for ever, of many", map[string]string{"": `{"total":250,"rows":[` + rows(1, 2) + `]}`}, numbered(1, 2), true, "2 of 250 came, then the same page again"},
		{"all on one page, whatever is asked for", map[string]string{"": `{"total":3,"rows":[` + rows(1, 3) + `]}`}, numbered(1, 3), false, ""},
		{"no page beyond the end", map[string]string{"0": `{"total":3,"rows":[` + rows(1, 3) + `]}`, "": "400"}, numbered(1, 3), false, ""},
		{"a bad one", map[string]string{"0": `{"total":3,"rows":[{"id":1},{"id":"bad"},{"id":3}]}`, "": `{"total":3,"rows":[]}`}, []string{"1", "3"}, false, "1 user can't be read and stays as it is here: bad (it is bad)"},
		{"bad ones without an id", map[string]string{"0": `{"total":4,"rows":[{"id":1},{"id":null},7,[{"id":5}]]}`, "": `{"total":4,"rows":[]}`}, []string{"1"}, true, "3 users can't be read and stay as they are here: the 2. of page 1 (it has no id), the 3. of page 1 (it is not an object), the 4. of page 1"},
		{"one of megabytes", map[string]string{"0": `{"total":2,"rows":[{"id":1,"photo":"` + strings.Repeat("x", 2<<20) + `"},{"id":"` + strings.Repeat("y", 1<<20) + `"}]}`, "": `{"total":2,"rows":[]}`}, []string{"1"}, true, "the 2. of page 1 (it has no id)"},
	} {
		ids, got, o, calls := readList(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer, ok := tc.pages[r.URL.Query().Get("from")]
			if !ok {
				answer = tc.pages[""]
			}
			if answer == "400" {
				w.WriteHeader(http.StatusBadRequest)
			}
			io.WriteString(w, answer)
		}), List{PageRows: 10})
		if o.Verdict != OK || !slices.Equal(ids, tc.ids) || got.Partial != tc.partial || calls > 6 {
			t.Errorf("%s: %v, partial %v, %+v, %d calls; want %v, %v", tc.name, ids, got.Partial, o, calls, tc.ids, tc.partial)
		}
		if notes := strings.Join(got.Notes, "; "); !strings.Contains(notes, tc.notes) || (notes == "") != (tc.notes == "") {
			t.Errorf("%s: notes %q, want %q", tc.name, notes, tc.notes)
		}
	}
}

// Cursors are followed to their end, and no further.
func TestListByCursor(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pages   map[string]string
		ids     int
		partial bool
	}{
		{"to its end", map[string]string{"": `{"rows":[` + rows(1, 3) + `],"next":"a"}`, "a": `{"rows":[],"next":"b"}`, "b": `{"rows":[` + rows(4, 5) + `],"next":null}`}, 5, false},
		{"a circle", map[string]string{"": `{"rows":[` + rows(1, 3) + `],"next":"a"}`, "a": `{"rows":[` + rows(1, 3) + `],"next":"b"}`, "b": `{"rows":[` + rows(1, 3) + `],"next":"a"}`}, 3, true},
		{"the same again", map[string]string{"": `{"rows":[` + rows(1, 3) + `],"next":"a"}`, "a": `{"rows":[` + rows(4, 5) + `],"next":"a"}`}, 5, true},
		{"nothing for ever", map[string]string{"": `{"rows":[` + rows(1, 3) + `],"next":"a"}`, "a": `{"rows":[],"next":"b"}`, "b": `{"rows":[],"next":"a"}`}, 3, true},
		{"less than it counts", map[string]string{"": `{"total":9,"rows":[` + rows(1, 3) + `]}`}, 3, true},
	} {
		ids, got, o, calls := readList(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, tc.pages[r.URL.Query().Get("cursor")])
		}), List{Next: "next"})
		if o.Verdict != OK || len(ids) != tc.ids || got.Partial != tc.partial || calls > 6 {
			t.Errorf("%s: %v, %+v, %+v, %d calls", tc.name, ids, got, o, calls)
		}
	}
}

// A list that breaks off is a failure, and what came of it is taken.
func TestListThatBreaksOff(t *testing.T) {
	for name, tc := range map[string]struct {
		second  http.HandlerFunc
		ids     int
		verdict Verdict
	}{
		"fails":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 10, Failing},
		"refuses": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, 10, BadConfig},
		"no list": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"x":1}`) }, 10, Failing},
		"a login": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html>") }, 10, BadConfig},
		"half": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"total":99,"rows":[{"id":11},{"id":12},{"i`)
		}, 12, Failing},
		"no comma": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"total":99,"rows":[{"id":11}{"id":12}]}`)
		}, 11, Failing},
		"resets": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"total":99,"rows":[{"id":11},{"id":12},`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 12, Failing},
	} {
		ids, got, o, _ := readList(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("from") == "0" {
				io.WriteString(w, `{"total":99,"rows":[`+rows(1, 10)+`]}`)
				return
			}
			tc.second(w, r)
		}), List{PageRows: 10})
		if len(ids) != tc.ids || !got.Partial || !got.Broken || o.Verdict != tc.verdict || o.Reason == "" {
			t.Errorf("%s: %d rows, %+v, %+v", name, len(ids), got, o)
		}
	}
}

// A list without an end is cut short, in rows, pages, bytes or text.
func TestListThatNeverEnds(t *testing.T) {
	endless := func(row func(i int) string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"total":1,"rows":[{"id":0}`)
			for i := 1; ; i++ {
				if _, err := io.WriteString(w, ","+row(i)); err != nil {
					return
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		h     http.HandlerFunc
		rows  int
		notes string
	}{
		"rows": {endless(func(i int) string { return fmt.Sprintf(`{"id":%d}`, i) }), MostRows, "more than 26000 rows"},
		"text": {endless(func(i int) string { return fmt.Sprintf(`{"id":"%0255d"}`, i) }), MostRows, "more than"},
		"bytes": {endless(func(i int) string {
			return fmt.Sprintf(`{"id":%d,"photo":"`, i) + strings.Repeat("x", 1<<20) + `"}`
		}), 40, "the server sends more than"},
		"a string": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"total":2,"rows":[{"id":1},{"id":"`)
			for b := bytes.Repeat([]byte("x"), 1<<20); ; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}, 1, "the server sends more than 256 MB"},
		"pages": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"rows":[{"id":"p%s"}]}`, r.URL.Query().Get("from"))
		}, mostPages, "more than 2000 pages"},
		"a gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			io.WriteString(z, `{"rows":[{"id":1},{"id":2,"x":"`)
			for b := bytes.Repeat([]byte("x"), 1<<20); ; {
				if _, err := z.Write(b); err != nil {
					return
				}
			}
		}, 1, "the server sends more than 256 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			ids, got, o, _ := readList(t, tc.h, List{PageRows: 500})
			if o.Verdict != OK || len(ids) != tc.rows || !got.Broken || !strings.Contains(strings.Join(got.Notes, " "), tc.notes) {
				t.Errorf("%d rows, %q, %+v; want %d and %q", len(ids), got.Notes, o, tc.rows, tc.notes)
			}
		})
	}
}

// FuzzList: whatever a server sends for a page, what is kept of it is bounded, and
// the rows are those that encoding/json finds in it.
func FuzzList(f *testing.F) {
	for _, s := range []string{
		`{"total":1,"rows":[{"id":1,"x":[{"rows":"]"}]}]}`, `{"rows":[{"id":"a\"b\\"}],"total":"2"}`, `{"rows":[[],{},null,1e5,"x"]}`,
		"\xef\xbb\xbf{}", `{"rows":{}}`, "[]", `{"rows":[`, `{"ro\u0077s":[{"id":1}]}`, "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var all []string
		c := newCounter(List{Rows: "rows", Total: "total", Keep: AnyOf("id"), Take: func() int { return 0 }})
		c.Read = func(raw []byte) (string, error) {
			if len(raw) > rowLimit+16 {
				t.Fatalf("%d bytes of a row are kept", len(raw))
			}
			all = append(all, string(raw))
			return fmt.Sprint(len(all)), nil
		}
		p, err := scanPage(NewReading(nil), c, body)
		var want struct{ Rows []json.RawMessage }
		if !json.Valid(body) || bytes.Count(bytes.ToLower(body), []byte("rows")) > 1 || json.Unmarshal(body, &want) != nil || len(body) > rowLimit {
			return
		}
		if err != nil || len(all) != len(want.Rows) || p.rows != len(want.Rows) {
			t.Fatalf("%d rows, %v; want %d", len(all), err, len(want.Rows))
		}
		for i, row := range all {
			if !json.Valid([]byte(row)) {
				t.Fatalf("row %d is kept as %q of %s", i, row, want.Rows[i])
			}
		}
	})
}

func scanPage(r *Reading, c *counter, body []byte) (p page, err error) {
	p.total = -1
	err = r.answer(newScanner(bytes.NewReader(body)), c, &p, &Reply{Status: 200})
	return p, err
}
