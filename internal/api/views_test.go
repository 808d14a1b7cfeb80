package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/testkit"
)

// Scripts get null for a name that nobody knows yet; a table asks for what to
// show in its place.
func TestWhoShown(t *testing.T) {
	l := newLedger(t)
	if err := l.AddDevice(books.Device{ID: "ipad", Name: "iPad"}, testkit.Tag(1, 26), "test", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	device, err := l.Subject(testkit.Tag(1, 26))
	if err != nil {
		t.Fatal(err)
	}
	badge := checkout.Subject{Kind: checkout.KindPerson, Tag: testkit.Tag(4711, 26), Pending: true}
	if _, err := l.Complete(checkout.Completion{Person: badge, Device: device}); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, l)
	for query, want := range map[string]string{"": "", "?shown=false": "", "?shown=true": "badge …711"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(admin(), http.MethodGet, "/v1/who"+query, nil))
		var page Page[Who]
		if err := json.NewDecoder(w.Body).Decode(&page); err != nil || len(page.Items) != 1 {
			t.Fatal(err, page)
		}
		who := page.Items[0]
		if str(who.Person) != want || str(who.Device) != "iPad" || who.PersonID != nil || !who.Pending || str(who.Note) != "badge …711" {
			t.Errorf("%q: %+v, note %q", query, who, str(who.Note))
		}
	}
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequestWithContext(admin(), http.MethodGet, "/v1/who?shown=perhaps", nil)); w.Code != http.StatusBadRequest {
		t.Errorf("status %d", w.Code)
	}
}
