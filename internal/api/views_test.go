package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/sitekey"
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
		var page Page[wire.Who]
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

// Tables get the latest that a time can have been, where it is not known; scripts don't.
func TestBeforeShown(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 12, 0, 0, time.UTC)
	stamp := checkout.Stamp{Wall: time.Unix(0, 0), BootID: uuid.New()}
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New(), Loans: loan.Rules{Length: time.Hour},
		Stamp: func() checkout.Stamp { return stamp }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tag := func(kind checkout.SubjectKind, n uint64) checkout.Subject {
		return checkout.Subject{Kind: kind, Tag: testkit.Tag(n, 26), Pending: true}
	}
	if _, err := l.Complete(checkout.Completion{Person: tag(checkout.KindPerson, 1), Device: tag(checkout.KindDevice, 2)}); err != nil {
		t.Fatal(err)
	}
	stamp = checkout.Stamp{Wall: at, Trusted: true, BootID: uuid.New()}
	if _, err := l.ResolveClock(); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, l) // at noon
	for query, want := range map[string]string{"who": "", "who?shown=true": "2026-11-21T09:12:00Z", "history": "", "history?shown=true": "2026-11-21T09:12:00Z"} {
		_, answer := ask(s, http.MethodGet, "/v1/"+query, "")
		var row map[string]any
		if err := json.NewDecoder(strings.NewReader(answer)).Decode(&row); err != nil {
			t.Fatal(err)
		}
		got, there := row["before"]
		if there != (want != "") || there && got != want || row["clock_trusted"] != false {
			t.Errorf("%s: %v", query, row)
		}
		if overdue, isLoan := row["overdue"]; isLoan && (overdue != true || row["due"] != "2026-11-21T10:12:00Z") {
			t.Errorf("%s: overdue %v, due %v", query, overdue, row["due"])
		}
	}
}
