package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"stump/internal/lab/labtest"
)

// plainly asks for a page of plain text.
func (l *lab) plainly(path string) (status int, body string) {
	l.Helper()
	resp, err := l.http.Get("http://stump" + path)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		l.Fatalf("%s: %v, %q", path, err, resp.Header.Get("Content-Type"))
	}
	return resp.StatusCode, string(text)
}

// TestFigures: a program sees whether the station takes bumps, and how it is.
func TestFigures(t *testing.T) {
	l := newLab(t, "station = \"lab-7\"\n"+exampleToml)
	if status, body := l.plainly("/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	if status, body := l.plainly("/readyz"); status != http.StatusOK || body != "ready\n" {
		t.Errorf("readyz: %d %q", status, body)
	}
	l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 200, "")
	l.want("POST", "sim/tap", `{"card":"H10301:17:1"}`, 200, "")
	metrics := func() string {
		_, body := l.plainly("/metrics")
		return body
	}
	body := metrics()
	for _, want := range []string{
		`(?m)^# HELP stump_info .*\n# TYPE stump_info gauge\nstump_info\{station="lab-7",version="test"\} 1$`,
		`(?m)^stump_ready 1$`, `(?m)^stump_loans 1$`, `(?m)^stump_loans_overdue 0$`, `(?m)^stump_reads_total\{reader="stump"\} 1$`,
		`(?m)^stump_commits_total [1-9]`, `(?m)^stump_reader_up\{reader="stump"\} 1$`, `(?m)^stump_display_up 1$`, `(?m)^stump_events_total 1\d$`,
	} {
		if !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	wellFormed(t, body)

	l.want("POST", "sim/fault", `{"fault":"no-power"}`, 200, "")
	for end := time.Now().Add(20 * time.Second); !strings.Contains(metrics(), `stump_trouble{reader="stump",name="line-low"} 1`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the lines are low, and nothing says so:\n%s", metrics())
		}
	}
}

// wellFormed holds a page of figures to the form: all rows of a name stand together, and a
// histogram grows from bucket to bucket up to its count.
func wellFormed(t *testing.T, body string) {
	t.Helper()
	row, seen, last := regexp.MustCompile(`^(stump_[a-z_]+)(\{([a-z]+="(\\.|[^"\\])*",?)+\})? (-?[0-9.e+-]+)$`), map[string]bool{}, ""
	part, count := regexp.MustCompile("_(bucket|sum|count)$"), uint64(0)
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q is no figure", line)
			continue
		}
		name := part.ReplaceAllString(m[1], "")
		if name != last && seen[name] {
			t.Errorf("the rows of %s are not together", name)
		}
		if strings.HasSuffix(m[1], "_bucket") {
			n, err := strconv.ParseUint(m[5], 10, 64)
			if begins := strings.Contains(m[2], `le="0.005"`); err != nil || n < count && !begins {
				t.Errorf("%q has less than the bucket before, or no number: %v", line, err)
			}
			count = n
		}
		if strings.HasSuffix(m[1], "_count") && m[5] != strconv.FormatUint(count, 10) {
			t.Errorf("%q, and the last bucket has %d", line, count)
		}
		seen[name], last = true, name
	}
}

// logIn logs a browser in, as an admin.
func (l *lab) logIn() {
	l.Helper()
	secret := regexp.MustCompile(`#([^"]+)"`).FindStringSubmatch(l.want("POST", "web/admin-link", "", 200, ""))
	resp, err := l.http.PostForm("http://stump/login", url.Values{"secret": {secret[1]}})
	if err != nil {
		l.Fatal(err)
	}
	resp.Body.Close()
}

// TestEveryFigure has the figures of a station at which everything happens, each with what
// makes it so.
func TestEveryFigure(t *testing.T) {
	users := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)
	}))
	defer users.Close()
	hub := labtest.New(t)
	l := newLab(t, exampleToml+fmt.Sprintf("[directory]\nkind = \"scim\"\nurl = %q\n[[webhook]]\nname = \"away\"\nurl = \"http://127.0.0.1:1/\"\n", users.URL))
	metrics := func() string {
		_, body := l.plainly("/metrics")
		wellFormed(t, body)
		return body
	}
	tap := func(card string) { t.Helper(); l.want("POST", "sim/tap", fmt.Sprintf(`{"card":%q}`, card), 200, "") }
	pair := func() { t.Helper(); tap("ann"); tap("ipad") }
	for _, tc := range []struct {
		what string
		do   func()
		want string // one line of the figures, in the end
	}{
		{"the clock is right", nil, `stump_clock_trusted 1`},
		{"nobody is logged in", nil, `stump_sessions 0`},
		{"a browser logs in", l.logIn, `stump_sessions 1`},
		{"there is a disk", nil, `stump_disk_free_bytes [1-9][0-9.e+]*`},
		{"with a size", nil, `stump_disk_size_bytes [1-9][0-9.e+]*`},
		{"nothing was bumped", nil, `stump_bump_seconds_count\{reader="stump"\} 0`},
		{"a check-out", pair, `stump_bumps_total\{reader="stump",result="checkout"\} 1`},
		{"was saved", nil, `stump_bump_seconds_count\{reader="stump"\} 1`},
		{"in no hour", nil, `stump_bump_seconds_sum\{reader="stump"\} [0-9.]+(e-\d+)?`},
		{"and the display said so", nil, `stump_display_seconds_count 1`},
		{"the disk took a part of each commit", nil, `stump_disk_write_seconds_bucket\{le="\+Inf"\} [1-9]\d*`},
		{"of the whole", nil, `stump_commit_seconds_sum [0-9.]+(e-\d+)?`},
		{"a card was read now", nil, `stump_reader_silence_seconds\{reader="stump"\} [0-9.]+(e-\d+)?`},
		{"an unknown tag", func() { tap("H10301:200:999") }, `stump_bumps_total\{reader="stump",result="unknown"\} 1`},
		{"a suspended person", func() { l.want("PATCH", "people/ben", `{"status":"suspended"}`, 200, ""); tap("ben") },
			`stump_bumps_total\{reader="stump",result="refused"\} 1`},
		{"a damaged read", func() { l.want("POST", "sim/tap", `{"card":"bits:1010101010101010101010101"}`, 200, "") }, `stump_bad_reads_total\{reader="stump",fault="count"\} 1`},
		{"a webhook is away", nil, `stump_outbox_waiting\{place="away"\} [1-9]\d*`},
		{"for a while", nil, `stump_outbox_oldest_seconds\{place="away"\} [0-9.]+(e-\d+)?`},
		{"the directory is read", func() { l.worked("pulls", `{"force":false}`, `"state":"done"`) }, `stump_pull_timestamp_seconds 1\.\d+e\+09`},
		{"a hub is told", func() { l.want("POST", "lab", fmt.Sprintf(`{"code":%q}`, hub.Code()), 200, `"joined":true`) }, `stump_lab_waiting\{lab="lab"\} 0`},
		{"and answers", nil, `stump_lab_heard_timestamp_seconds\{lab="lab"\} 1\.\d+e\+09`},
		{"and is not missed", nil, `stump_lab_stale\{lab="lab"\} 0`},
	} {
		if tc.do != nil {
			tc.do()
		}
		line := regexp.MustCompile("(?m)^" + tc.want + "$")
		for end := time.Now().Add(20 * time.Second); !line.MatchString(metrics()); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: no %s in\n%s", tc.what, tc.want, metrics())
			}
		}
	}
	l.want("POST", "sim/fault", `{"fault":"no-power"}`, 200, "")
	for !strings.Contains(metrics(), "stump_trouble") {
		time.Sleep(20 * time.Millisecond)
	}
	usesFigures(t, metrics())
}

// usesFigures wants of the rules and the dashboard that they ask for nothing but what a
// station has. What a simulated one lacks, the package of the figures tests.
func usesFigures(t *testing.T, has string) {
	t.Helper()
	has += "\nstump_under_voltage 0\nstump_backup_timestamp_seconds{folder=\"/b\"} 1\n"
	for file, least := range map[string]int{"stump.rules.yml": 20, "grafana.json": 20} {
		text, err := os.ReadFile("../../docs/monitoring/" + file)
		if err != nil {
			t.Fatal(err)
		}
		used := regexp.MustCompile(`\bstump_[a-z_]+`).FindAllString(string(text), -1)
		if len(used) < least {
			t.Errorf("%s uses %d figures", file, len(used))
		}
		for _, name := range used {
			if !regexp.MustCompile("(?m)^" + name + "[{ ]").MatchString(has) {
				t.Errorf("%s asks for %s, which no station has", file, name)
			}
		}
	}
}
