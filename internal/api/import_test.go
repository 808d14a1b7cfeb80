package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"stump/checkout/ledger/boltfile"
	"stump/internal/testkit"
	"testing"
	"time"
)

// TestImportIsSeenWhole: while many rows are applied, who asks for the register waits for
// their end, or for that of the own request; what does not show it is answered.
func TestImportIsSeenWhole(t *testing.T) {
	s := newServer(t, newLedger(t))
	reached, hold := testkit.HoldAt(t, &boltfile.CrashHook, "import-batch")
	var file strings.Builder
	file.WriteString("id,name\n")
	const rows = 3000
	for i := range rows {
		fmt.Fprintf(&file, "p%d,Person %d\n", i, i)
	}
	imported := make(chan string, 1)
	go func() {
		_, answer := ask(s, "POST", "/v1/people/import", file.String())
		imported <- answer
	}()
	<-reached
	if status, answer := ask(s, "GET", "/v1/status", ""); status != 200 {
		t.Errorf("status: %d %s", status, answer)
	}
	paths := []string{"/v1/people", "/v1/people/p1", "/v1/people/export", "/v1/who", "/v1/devices"}
	for _, path := range paths {
		ctx, gone := context.WithTimeout(admin(), 10*time.Millisecond)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", path, nil))
		gone()
		if w.Code == 200 {
			t.Errorf("GET %s is answered in the middle: %s", path, w.Body)
		}
	}
	seen := make(chan string, 1)
	go func() {
		_, answer := ask(s, "GET", "/v1/people/export", "")
		seen <- answer
	}()
	time.Sleep(20 * time.Millisecond)
	close(hold)
	if answer := <-imported; !strings.Contains(answer, fmt.Sprintf(`"added":%d`, rows)) {
		t.Errorf("the import: %s", answer)
	}
	if answer := <-seen; strings.Count(answer, "\n") != rows+1 {
		t.Errorf("who waited has seen %d lines", strings.Count(answer, "\n"))
	}
}
