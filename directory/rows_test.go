package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// TestRows: what waits is listed place by place, however it is cut into pages; or only what
// waits for a person.
func TestRows(t *testing.T) {
	b := newBox(t, "a", "b")
	w := newWorker(Options{Ledger: b, Webhooks: map[string]Deliverer{"a": &stage{}, "b": &stage{}}})
	b.take("ipad", "mini", "pixel", "ipad")
	b.save("b", 3, record.OutboxRow{State: record.Parked, Reason: "no", Remedy: "ask"})
	list := func(p books.Page, stuck bool) (ids []string) {
		t.Helper()
		for r, err := range w.Rows(p, stuck) {
			if err != nil {
				t.Fatal(err)
			}
			if r.ID == "3@b" && (r.State != "parked" || r.Reason != "no" || *r.Remedy != "ask" || *r.Event.Device != "pixel") {
				t.Errorf("%+v", r)
			}
			ids = append(ids, r.ID)
		}
		return ids
	}
	all := strings.Fields("1@a 2@a 3@a 4@a 1@b 2@b 3@b 4@b")
	for _, tt := range []struct {
		page  books.Page
		stuck bool
		want  string
	}{
		{books.Page{}, false, strings.Join(all, " ")},
		{books.Page{}, true, "3@b"},
		{books.Page{Find: "ipad"}, false, "1@a 4@a 1@b 4@b"},
		{books.Page{Find: "ipad", Limit: 2, After: "1@a"}, false, "4@a 1@b"},
		{books.Page{After: "3@b"}, true, ""},
	} {
		if got := list(tt.page, tt.stuck); strings.Join(got, " ") != tt.want {
			t.Errorf("%+v, stuck %v: %v, want %s", tt.page, tt.stuck, got, tt.want)
		}
	}
	for limit := 1; limit <= len(all)+1; limit++ {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page := list(books.Page{Limit: limit, After: after}, false)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, all) {
			t.Errorf("by %d: %v", limit, got)
		}
	}
	for _, after := range []string{"x", "1@gone", "1"} { // nothing goes to the directory here
		n := 0
		for _, err := range w.Rows(books.Page{After: after}, false) {
			if n++; err == nil || hint.Of(err) == "" {
				t.Errorf("after %s: %v", after, err)
			}
		}
		if n != 1 {
			t.Errorf("after %s: %d rows", after, n)
		}
	}
}

// TestRowsOfMany: rows of more than one reading are all listed.
func TestRowsOfMany(t *testing.T) {
	b := newBox(t, "a")
	w := newWorker(Options{Ledger: b, Webhooks: map[string]Deliverer{"a": &stage{}}})
	for range pageRows + 3 {
		b.take("ipad")
	}
	n := 0
	for r, err := range w.Rows(books.Page{}, false) {
		if n++; err != nil || r.ID != fmt.Sprintf("%d@a", n) {
			t.Fatalf("row %d: %+v, %v", n, r, err)
		}
	}
	if n != pageRows+3 {
		t.Errorf("%d rows", n)
	}
}
