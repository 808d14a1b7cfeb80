package api

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// fillLab has ann, Zoë Müller, 李雷 and eleven others, with fifteen devices of which ann
// has five and Zoë two.
func fillLab(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	people := []books.ImportRow{{ID: "ann", Name: "Ann Okafor", Email: "a@lab.example", HasDetail: true}, {ID: "zoe", Name: "Zoë Müller"}, {ID: "li", Name: "李雷"}}
	for i := range 11 {
		people = append(people, books.ImportRow{ID: fmt.Sprintf("p%02d", i), Name: fmt.Sprint("Person ", i)})
	}
	var devices []books.ImportRow
	for i := range 15 {
		devices = append(devices, books.ImportRow{ID: fmt.Sprintf("d %02d", i), Name: fmt.Sprint("Device ", i), Kind: "phone", HasDetail: true})
	}
	for kind, rows := range map[checkout.SubjectKind][]books.ImportRow{checkout.KindPerson: people, checkout.KindDevice: devices} {
		all := func(yield func(books.ImportRow, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
		if _, err := l.Import(t.Context(), kind, all, books.ImportOptions{Actor: "test", Source: checkout.SourceCLI}); err != nil {
			t.Fatal(err)
		}
	}
	for i, who := range []string{"ann", "ann", "zoe", "ann", "zoe", "ann", "ann"} {
		if _, err := l.Give(books.Request{Device: fmt.Sprintf("d %02d", 2*i), Person: who, Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
}

// get asks for a page as a script does.
func getPage(t *testing.T, h http.Handler, path string, q url.Values) Page[map[string]any] {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(admin(), "GET", "/v1/"+path+"?"+q.Encode(), nil))
	var page Page[map[string]any]
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || page.Items == nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s?%s: %d %v %s", path, q.Encode(), w.Code, err, w.Body)
	}
	return page
}

// TestPages: page after page is the whole list, each row once, whatever the size.
func TestPages(t *testing.T) {
	l := newLedger(t)
	fillLab(t, l)
	for i := range 3 {
		tag := checkout.Tag{Bits: 26}
		tag.Value[15] = byte(i)
		if err := l.NoteRefusals([]checkout.Refusal{{Tag: tag, Unknown: true, Noted: true, Count: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, l)
	for path, n := range map[string]int{"who": 7, "who?person=zoe": 2, "people": 14, "devices": 15, "history": 7, "history?person=ann": 5, "history?person=zoe&device=d 04": 1, "unknown": 3} {
		path, query, _ := strings.Cut(path, "?")
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, lines := ask(s, "GET", "/v1/"+path+"?"+q.Encode(), "")
		for _, limit := range []string{"1", "2", "3", "5", "1000", ""} {
			q := url.Values{"person": q["person"], "device": q["device"], "limit": {limit}}
			for k := range q {
				if q.Get(k) == "" {
					q.Del(k)
				}
			}
			var all strings.Builder
			rows := 0
			for again := true; again; {
				page := getPage(t, s, path, q)
				if len(page.Items) == 0 || limit != "" && fmt.Sprint(len(page.Items)) != limit && page.Next != nil {
					t.Errorf("%s by %s: a page has %d rows, next %v", path, limit, len(page.Items), page.Next)
				}
				for _, row := range page.Items {
					b, _ := json.Marshal(row)
					all.Write(append(b, '\n'))
					rows++
				}
				if again = page.Next != nil; again {
					q.Set("after", *page.Next)
				}
			}
			if rows != n || steady(all.String()) != steady(lines) {
				t.Errorf("%s by %s: %d rows, want %d:\n%swant\n%s", path, limit, rows, n, all.String(), lines)
			}
		}
	}
}

// TestFind: names are found as people type them, in each list.
func TestFind(t *testing.T) {
	l := newLedger(t)
	fillLab(t, l)
	s := newServer(t, l)
	for _, tt := range []struct {
		path, q string
		want    []string
	}{
		{"people", "muller", []string{"zoe"}},
		{"people", "MÜLL", []string{"zoe"}},
		{"people", "Mu\u0308ller", []string{"zoe"}}, // as macOS writes it
		{"people", "李", []string{"li"}},
		{"people", "王", nil},
		{"people", "?", nil},
		{"people", "lab.example", []string{"ann"}},
		{"devices", "muller", []string{"d 04", "d 08"}},
		{"devices", "D 14", []string{"d 14"}},
		{"who", "zoe", []string{"d 04", "d 08"}},
		{"who", "device 1", []string{"d 10", "d 12"}},
		{"history", "muller", []string{"d 04", "d 08"}},
	} {
		var got []string
		for _, row := range getPage(t, s, tt.path, url.Values{"q": {tt.q}}).Items {
			id := row["device_id"]
			if tt.path == "people" || tt.path == "devices" {
				id = row["id"]
			}
			got = append(got, fmt.Sprint(id))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s?q=%s: %v, want %v", tt.path, tt.q, got, tt.want)
		}
	}
	if page := getPage(t, s, "who", url.Values{"q": {"ann"}, "limit": {"5"}}); len(page.Items) != 5 || page.Next != nil {
		t.Errorf("a page that ends with the last row that is found: %d rows, next %v", len(page.Items), page.Next)
	}
}

// TestBadPages: what is no page is said.
func TestBadPages(t *testing.T) {
	l := newLedger(t)
	fillLab(t, l)
	s := newServer(t, l)
	for path, want := range map[string]string{
		"who?limit=0": "use 1 to 1000", "who?limit=1001": "use 1 to 1000", "who?limit=x": "use 1 to 1000", "people?after=!": "no place in this list",
		"history?after=x": "CHAIN:SEQ", "history?after=x:1": "CHAIN:SEQ", "unknown?after=YQ": "begin again",
	} {
		for _, accept := range []string{"", wire.LineType} {
			r := httptest.NewRequestWithContext(admin(), "GET", "/v1/"+path, nil)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			if s.ServeHTTP(w, r); w.Code != 400 || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `"code":"invalid"`) {
				t.Errorf("%s as %q: %d %s", path, accept, w.Code, w.Body)
			}
		}
	}
	// An event that isn't there yet is a place all the same: what comes then comes after it.
	page := getPage(t, s, "history", url.Values{"limit": {"1"}})
	chain, _, _ := strings.Cut(*page.Next, ":")
	if page := getPage(t, s, "history", url.Values{"after": {chain + ":99"}}); len(page.Items) != 0 || page.Next != nil {
		t.Errorf("%+v", page)
	}
}

// TestLongSearch: a search that would take long ends early as a page, and goes on by
// itself as lines.
func TestLongSearch(t *testing.T) {
	s := newServer(t, newLedger(t))
	search := func(_ *http.Request, _ query, p books.Page) (iter.Seq2[party, error], error) {
		return func(yield func(party, error) bool) {
			switch p.After {
			case "":
				_ = yield(party{id: "a", row: "a"}, nil) && yield(party{}, &books.UnfinishedError{Key: "m"})
			case "m":
				yield(party{}, &books.UnfinishedError{Key: "s"})
			case "s":
				yield(party{id: "z", row: "z"}, nil)
			}
		}, nil
	}
	s.handle(route{"GET /v1/search", ledgerOnly, identity.Staff, list(search)})
	if _, got := ask(s, "GET", "/v1/search", ""); got != "\"a\"\n\"z\"\n" {
		t.Errorf("as lines: %q", got)
	}
	for query, want := range map[string]string{
		"": `{"items":["a"],"next":"bQ"}`, "?after=bQ": `{"items":[],"next":"cw"}`, "?after=cw": `{"items":["z"],"next":null}`,
	} {
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, httptest.NewRequestWithContext(admin(), "GET", "/v1/search"+query, nil)); w.Body.String() != want+"\n" {
			t.Errorf("%q: %s, want %s", query, w.Body, want)
		}
	}
}
