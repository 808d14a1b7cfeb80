package api

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/identity"
	"stump/internal/sitekey"
)

// TestReservations: staff reserve for themselves, admins for all; what is reserved is not free.
func TestReservations(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New(),
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: now, Trusted: true} }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newServer(t, l)
	seedLab(t, client.Local(s)) // Ann has the iPad, without an end
	admin := identity.Principal{Name: "root", Role: identity.Admin}
	ann := identity.Principal{Name: "Ann", Role: identity.Staff, Person: "ann", ID: "session:ann"}
	ben := identity.Principal{Name: "Ben", Role: identity.Staff, Person: "b1", ID: "session:b1"}
	ask := func(p identity.Principal, method, path, body string, status int, words string, headers ...string) string {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(identity.With(context.Background(), p), method, "/v1/"+path, strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		s.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s %s by %s: %d %s, want %d %s", method, path, p.Name, w.Code, w.Body, status, words)
		}
		return w.Body.String()
	}
	const day1, day2, day3 = `"2026-12-01T10:00:00Z"`, `"2026-12-02T10:00:00Z"`, `"2026-12-03T10:00:00Z"`
	ask(ann, "POST", "reservations", `{"device":"ipad","person":"ann","from":`+day1+`,"to":`+day2+`}`, 403, "role")
	ask(ann, "POST", "my/reservations", `{"device":"ipad","person":"b1","from":`+day1+`,"to":`+day2+`}`, 400, "for themselves")
	ask(ann, "POST", "my/reservations", `{"from":`+day1+`,"to":`+day2+`}`, 400, "one of them")
	first := ask(ann, "POST", "my/reservations", `{"device":"ipad","from":`+day1+`,"to":`+day2+`,"weekly_until":"2026-12-09T10:00:00Z"}`, 200,
		`"device_id":"ipad","kind":null,"person_id":"ann","from":"2026-12-01T10:00:00Z","to":"2026-12-02T10:00:00Z","device":"iPad","person":"Ann"}`, keyHeader, "k")
	if again := ask(ann, "POST", "my/reservations", `{"device":"ipad","from":`+day1+`,"to":`+day2+`,"weekly_until":"2026-12-09T10:00:00Z"}`, 200, "", keyHeader, "k"); again != first {
		t.Error("sent again:", again)
	}
	ask(ben, "POST", "my/reservations", `{"device":"ipad","from":`+day1+`,"to":`+day3+`}`, 409, "iPad is reserved for Ann from")
	ask(admin, "POST", "reservations", `{"device":"ipad","person":"b1","from":`+day2+`,"to":`+day3+`}`, 200, `"person_id":"b1"`)
	ask(admin, "POST", "reservations", `{"device":"ipad","person":"b2"}`, 200, `"from":null,"to":null`)
	ask(admin, "POST", "reservations", `{"kind":"phone","person":"b2"}`, 409, "no device in use is of the kind")
	ask(ann, "GET", "reservations", "", 200, `"person_id":"b2"`)
	if mine := ask(ann, "GET", "my/reservations", "", 200, `"person_id":"ann"`); strings.Count(mine, `"id"`) != 2 || strings.Contains(mine, "b1") {
		t.Error("one's own:", mine)
	}
	page := ask(ann, "GET", "reservations?limit=1", "", 200, `"person_id":"b2"`)
	_, next, _ := strings.Cut(page, `"next":"`)
	ask(ann, "GET", "reservations?limit=2&after="+strings.TrimRight(next, "\"}\n"), "", 200, `"person_id":"b1"`)
	board := ann // who sees what is free
	ask(board, "GET", "free?from=2026-12-01T12:00:00Z&to=2026-12-01T13:00:00Z", "", 200, `"items":[]`)
	ask(board, "GET", "free?from=2026-12-04T12:00:00Z&to=2026-12-04T13:00:00Z", "", 200, `[{"device":"iPad","device_id":"ipad","kind":null}]`)
	ask(board, "GET", "free?from=2026-12-04T12:00:00Z&to=2026-12-04T13:00:00Z&kind=phone", "", 200, `"items":[]`)
	ask(board, "GET", "free?from=friday", "", 400, "is not a time")
	ask(ann, "GET", "free?from=2026-12-04T12:00:00Z&to=2026-12-01T13:00:00Z", "", 409, "before it begins")
	id, _, _ := strings.Cut(strings.TrimPrefix(first, `{"id":"`), `"`)
	ask(ben, "DELETE", "my/reservations/"+id, "", 409, "somebody else has made")
	ask(ann, "DELETE", "my/reservations/"+id, "", 200, `"kind":"cancel"`)
	ask(admin, "DELETE", "reservations/"+id, "", 404, "there is no reservation")
	admins := ask(admin, "POST", "reservations", `{"device":"ipad","person":"b1","from":"2026-12-24T10:00:00Z","to":"2026-12-25T10:00:00Z"}`, 200, "")
	id, _, _ = strings.Cut(strings.TrimPrefix(admins, `{"id":"`), `"`)
	ask(admin, "DELETE", "reservations/"+id, "", 200, `"kind":"cancel"`)
	admin.Fresh = true
	ask(admin, "GET", "people/ann/dossier", "", 200, `"reservations":[{"id":"`)
}
