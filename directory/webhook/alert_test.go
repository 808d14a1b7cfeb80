package webhook

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
)

func anAlert() call.Alert {
	return call.Alert{
		ID: uuid.MustParse("019ae5f6-0000-7000-8000-000000000001"), Station: "lab 1", At: checkout.Stamp{Wall: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), Trusted: true},
		Began: []call.Fault{{Name: "stump/line-low", What: "stump: DATA0 stays low", Remedy: "`stump selftest` says why"}, {Name: "x", What: "a <b> @all\nof it"}},
		Over:  []call.Fault{{Name: "display", What: "the display does not answer", Remedy: "check its plug"}},
	}
}

// TestAlertForms: a program gets a CloudEvent, signed as all are, and a chat a line for each
// fault in the station's language, in which nothing is markup.
func TestAlertForms(t *testing.T) {
	var body, kind string
	var signed http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body, kind, signed = string(raw), r.Header.Get("Content-Type"), r.Header
	}))
	defer server.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(hookSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	send := func(format, language string, a call.Alert) {
		t.Helper()
		h, err := New(Config{Name: "alerts", URL: server.URL, Format: format, SecretFile: secret, Language: language})
		if err != nil {
			t.Fatal(err)
		}
		if o := h.Alert(t.Context(), a); o.Verdict != call.OK {
			t.Fatalf("%+v", o)
		}
		if !verify(hookSecret, signed, []byte(body)) || signed.Get("webhook-id") != a.ID.String() {
			t.Errorf("it is not signed: %v", signed)
		}
	}
	send("", "de", anAlert())
	want := `{"data":{"began":[{"name":"stump/line-low","what":"stump: DATA0 stays low","remedy":"` + "`stump selftest`" + ` says why"},{"name":"x","what":"a \u003cb\u003e @all\nof it","remedy":""}],` +
		`"over":[{"name":"display","what":"the display does not answer","remedy":"check its plug"}]},"datacontenttype":"application/json","id":"019ae5f6-0000-7000-8000-000000000001",` +
		`"source":"/stump/lab%201","specversion":"1.0","time":"2026-11-30T09:00:00Z","type":"stump.alert"}`
	if body != want || kind != cloudEventsType {
		t.Errorf("%s\n%s\nwant\n%s", kind, body, want)
	}
	none := anAlert()
	none.Began, none.At.Trusted = nil, false
	if send("", "de", none); !strings.Contains(body, `"began":[],`) || strings.Contains(body, `"time"`) {
		t.Errorf("without a clock: %s", body)
	}
	for language, over := range map[string]string{"en": "over", "de": "behoben", "fr": "terminé", "es": "resuelto", "original": "over"} {
		send("text", language, anAlert())
		var got struct{ Text string }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if want := "lab 1: stump: DATA0 stays low: 'stump selftest' says why\nlab 1: a ＜b＞ ＠all of it\nlab 1: " + over + ": the display does not answer"; got.Text != want {
			t.Errorf("%s: %q, want %q", language, got.Text, want)
		}
	}
}
