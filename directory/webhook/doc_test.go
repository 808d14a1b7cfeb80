package webhook

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"stump/directory/call"
)

func readDoc(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// The manual's message is the one that TestWebhookMessage gets.
func TestDocumentedMessage(t *testing.T) {
	if !strings.Contains(readDoc(t), "\n"+wantMessage+"\n") {
		t.Error("the manual has another message than TestWebhookMessage")
	}
}

// The manual's ways to check a signature take what stump sends, and nothing
// else.
func TestDocumentedSignatures(t *testing.T) {
	doc := readDoc(t)
	goExample := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(doc)
	source, err := os.ReadFile("verify_example_test.go")
	if err != nil || goExample == nil || !strings.Contains(string(source), goExample[1]) {
		t.Errorf("the Go example of the manual is not that of verify_example_test.go: %v", err)
	}
	pyExample := regexp.MustCompile("(?s)```python\n(.*?)```").FindStringSubmatch(doc)
	if pyExample == nil {
		t.Fatal("no Python example in the manual")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("no python3: only Go is tried")
	}
	for _, line := range []string{hookSecret, "a line of any kind"} {
		var header http.Header
		var body []byte
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			header = r.Header
			body, _ = io.ReadAll(r.Body)
		}))
		h, err := New(Config{URL: srv.URL, SecretFile: secretFile(t, line), HTTP: call.HTTP{Proxy: "none"}})
		if err != nil {
			t.Fatal(err)
		}
		if o := h.Deliver(t.Context(), call.Delivery{Event: event}); o.Verdict != call.OK {
			t.Fatalf("%+v", o)
		}
		srv.Close()
		old := header.Clone()
		stamp := strconv.FormatInt(time.Now().Add(-10*time.Minute).Unix(), 10)
		key, _ := signingKey(call.Secret(h.cfg.SecretFile))
		old.Set("webhook-timestamp", stamp)
		old.Set("webhook-signature", "v1,"+signature(key, header.Get("webhook-id"), stamp, body))
		for _, tc := range []struct {
			name   string
			secret string
			header http.Header
			body   []byte
			want   bool
		}{
			{"as sent", line, header, body, true},
			{"another body", line, header, append(bytes.Clone(body), ' '), false},
			{"another secret", line[:len(line)-4] + "AAAA", header, body, false},
			{"an old message", line, old, body, false},
		} {
			if got := verify(tc.secret, tc.header, tc.body); got != tc.want {
				t.Errorf("Go, %s: %v", tc.name, got)
			}
			if python == "" {
				continue
			}
			headers := map[string]string{}
			for name, v := range tc.header {
				headers[strings.ToLower(name)] = v[0]
			}
			script := "\nimport json, sys\nprint(verify(*json.loads(sys.argv[1]), sys.stdin.buffer.read()))\n"
			args, err := json.Marshal([]any{tc.secret, headers})
			if err != nil {
				t.Fatal(err)
			}
			run := exec.Command(python, "-c", pyExample[1]+script, string(args))
			run.Stdin = bytes.NewReader(tc.body)
			out, err := run.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != map[bool]string{true: "True", false: "False"}[tc.want] {
				t.Errorf("Python, %s: %v, %s", tc.name, err, got)
			}
		}
	}
}
