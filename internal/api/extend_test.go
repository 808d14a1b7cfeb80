package api

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/internal/api/client"
	"stump/internal/identity"
	"stump/internal/sitekey"
)

// TestExtendOwn: staff extend what they have themselves, once; admins extend all.
func TestExtendOwn(t *testing.T) {
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New(),
		Loans: loan.Rules{Length: 24 * time.Hour, Extensions: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newServer(t, l)
	seedLab(t, client.Local(s)) // Ann has the iPad
	extend := func(p identity.Principal, device string, status int, words string, headers ...string) string {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(identity.With(context.Background(), p), "POST", "/v1/devices/"+device+"/extend", strings.NewReader(`{}`))
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		s.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s of %s: %d %s, want %d %s", device, p.Person, w.Code, w.Body, status, words)
		}
		return w.Body.String()
	}
	staff := func(person string) identity.Principal {
		return identity.Principal{Name: "Somebody", Role: identity.Technician, Person: person, ID: "session:" + person}
	}
	extend(staff("b1"), "ipad", 409, "somebody else has")
	extend(staff(""), "ipad", 404, "nobody in the register")
	first := extend(staff("ann"), "ipad", 200, `"actor":"ann"`, keyHeader, "k")
	if again := extend(staff("ann"), "ipad", 200, "", keyHeader, "k"); again != first {
		t.Error("sent again:", again)
	}
	extend(staff("ann"), "ipad", 409, "extended 1 time already")
	extend(identity.Principal{Name: "root", Role: identity.Admin}, "ipad", 412, "changed", "If-Match", `"x"`)
	extend(identity.Principal{Name: "root", Role: identity.Admin, Person: "b1"}, "ipad", 200, `"actor":"root"`)
}
