package api_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
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
	row, seen, last := regexp.MustCompile(`^(stump_[a-z_]+)(\{([a-z]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+$`), map[string]bool{}, ""
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
		if m[1] != last && seen[m[1]] {
			t.Errorf("the rows of %s are not together", m[1])
		}
		seen[m[1]], last = true, m[1]
	}

	l.want("POST", "sim/fault", `{"fault":"no-power"}`, 200, "")
	for end := time.Now().Add(20 * time.Second); !strings.Contains(metrics(), `stump_trouble{reader="stump",name="line-low"} 1`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the lines are low, and nothing says so:\n%s", metrics())
		}
	}
}
