package scim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// scimmyHabits is a server that does what SCIMMY does and the standard has not: it
// refuses to be asked for attributes of an extension, it counts 20 rows a page, and
// beyond the end it gives the first page again.
func scimmyHabits(t testing.TB, n int) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !strings.HasSuffix(r.URL.Path, "/Users") {
			fmt.Fprint(w, `{"patch":{"supported":true},"filter":{"supported":true,"maxResults":200}}`)
			return
		}
		if strings.Contains(q.Get("attributes"), "urn:") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"400","scimType":"invalidValue","detail":"Cannot read properties of undefined (reading 'includes')"}`)
			return
		}
		rows, start := 20, 1
		if c, err := strconv.Atoi(q.Get("count")); err == nil {
			rows = c
		}
		if s, err := strconv.Atoi(q.Get("startIndex")); err == nil {
			start = s
		}
		from := start
		if from > n {
			from = 1
		}
		var users []string
		for i := from; i <= n && len(users) < rows; i++ {
			users = append(users, fmt.Sprintf(`{"id":"%d","userName":"u%[1]d@x","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d"}}`, i, 1000+i))
		}
		fmt.Fprintf(w, `{"Resources":[%s],"startIndex":%d,"itemsPerPage":%d,"totalResults":%d}`, strings.Join(users, ","), start, rows, n)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// All come, once, and there is nothing to say about it: neither of one page nor of
// several, full or not.
func TestSCIMBeyondTheEnd(t *testing.T) {
	for _, n := range []int{1, 5, 20, 21, 100, 250} {
		snap, err := openSCIM(t, scimmyHabits(t, n).URL, "secret-token").Pull(t.Context())
		if err != nil || len(snap.People) != n || len(snap.Notes) > 0 {
			t.Errorf("%d people: %d came, %v, notes %q", n, len(snap.People), err, snap.Notes)
		}
	}
}
