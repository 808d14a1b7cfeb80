package directory

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

func readDoc(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// Every configuration of the manual is one that opens.
func TestDocumentedConfigurations(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(readDoc(t), -1)
	if len(blocks) < 6 {
		t.Fatalf("%d configurations in the manual", len(blocks))
	}
	for _, b := range blocks {
		var c struct {
			Directory Config          `toml:"directory"`
			Webhooks  []WebhookConfig `toml:"webhook"`
		}
		md, err := toml.Decode(b[1], &c)
		if err != nil || len(md.Undecoded()) > 0 {
			t.Errorf("%v, unknown keys %v in\n%s", err, md.Undecoded(), b[1])
			continue
		}
		if _, err := Open(c.Directory); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
		c.Directory.Webhooks = c.Webhooks
		if _, err := OpenWebhooks(c.Directory); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
}

// Every key is in the manual's table, and durations are read as it says.
func TestDocumentedKeys(t *testing.T) {
	_, table, _ := strings.Cut(readDoc(t), "## Keys")
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				walk(f.Type)
			} else if key := f.Tag.Get("toml"); key != "" && key != "-" && !strings.Contains(table, "`"+key+"`") {
				t.Errorf("the key %q is not in the manual", key)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	walk(reflect.TypeFor[WebhookConfig]())
	var c struct{ Directory Config }
	if _, err := toml.Decode("[directory]\npull_every = \"90m\"\nanswer_timeout = \"3s\"\nca_file = \"x\"", &c); err != nil {
		t.Fatal(err)
	}
	if c.Directory.PullEvery.Minutes() != 90 || c.Directory.AnswerTimeout.Seconds() != 3 || c.Directory.CAFile != "x" {
		t.Errorf("%+v", c.Directory)
	}
}

// The manual's words for each fault are those that the fault tests read.
func TestDocumentedFaults(t *testing.T) {
	doc := readDoc(t)
	for _, tc := range endpointFaults {
		if !tc.only && !strings.Contains(doc, "| "+tc.says+" |") {
			t.Errorf("%s: %q is not in the manual", tc.fault, tc.says)
		}
	}
	for _, tc := range connectionFaults {
		if !strings.Contains(doc, tc.says) {
			t.Errorf("%s: %q is not in the manual", tc.name, tc.says)
		}
	}
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
		h, err := NewWebhook(WebhookConfig{URL: srv.URL, SecretFile: tokenFile(t, line)}, "lab")
		if err != nil {
			t.Fatal(err)
		}
		if o := h.Deliver(t.Context(), Delivery{Event: event(1, "ipad")}); o.Verdict != Done {
			t.Fatalf("%+v", o)
		}
		srv.Close()
		old := header.Clone()
		stamp := strconv.FormatInt(time.Now().Add(-10*time.Minute).Unix(), 10)
		key, _ := hookKey(secret(h.cfg.SecretFile))
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
			call := "\nimport json, sys\nprint(verify(*json.loads(sys.argv[1]), sys.stdin.buffer.read()))\n"
			run := exec.Command(python, "-c", pyExample[1]+call, mustJSON(t, []any{tc.secret, headers}))
			run.Stdin = bytes.NewReader(tc.body)
			out, err := run.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != map[bool]string{true: "True", false: "False"}[tc.want] {
				t.Errorf("Python, %s: %v, %s", tc.name, err, got)
			}
		}
	}
}
