package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"stump/internal/api/wire"
)

// page asks for a page as a browser does, with a token unless that is empty, and returns its
// text; of a form that was accepted the page to which it sends the browser.
func (l *lab) page(method, path string, form url.Values, token string, status int) string {
	l.Helper()
	req, err := http.NewRequestWithContext(l.Context(), method, "http://stump"+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	browser := l.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		l.Fatalf("%s %s: %d %v\n%s", method, path, resp.StatusCode, err, text)
	}
	if to := resp.Header.Get("Location"); to != "" {
		return to
	}
	return string(text)
}

// shows wants a page to have some texts, and to lack those after a !.
func (l *lab) shows(name, page string, texts ...string) {
	l.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(page, text) == not {
			l.Errorf("%s: %q is there: %v\n%s", name, text, not, page)
		}
	}
}

const stationsToml = `station = "lab-1"
[[reader]]
name = "door"
badge = { facilities = [17] }
device = { facilities = [200] }
[clock]
trust = "rtc"
`

// TestStationPages: a station's health, as each role may see it, and what was refused.
func TestStationPages(t *testing.T) {
	l := newLab(t, stationsToml)
	const station = "/stations/lab-1"
	page := l.page("GET", "/stations", nil, "", 200)
	l.shows("the list", page, `<a href="`+station+`">lab-1</a>`, "door", "All is well.")
	page = l.page("GET", station, nil, "", 200)
	l.shows("a healthy one", page, "All is well.", "stump test, simulated", "door", "DATA0 =", "No frame was refused", "newest event", `alt="Which wire goes where at the reader door"`)
	l.page("GET", "/stations/other", nil, "", 404)
	if svg := l.page("GET", station+"/wiring.svg?reader=door", nil, "", 200); !strings.HasPrefix(svg, "<svg") || !strings.Contains(svg, "DATA0") {
		t.Errorf("the wiring: %s", svg)
	}
	l.page("GET", station+"/wiring.svg?reader=nowhere", nil, "", 400)

	l.want("POST", "sim/fault", `{"fault":"crosstalk"}`, 200, "")
	for range 20 {
		l.want("POST", "sim/tap", `{"card":"ann"}`, 200, "")
	}
	page = l.page("GET", station, nil, "", 200)
	l.shows("refused frames", page, "!No frame was refused", `<path d="M6.0 `, "door: ")
	l.want("POST", "sim/fault", `{"fault":"off"}`, 200, "")

	var made wire.MadeToken
	if err := json.Unmarshal([]byte(l.want("POST", "tokens", `{"name":"tess","role":"technician"}`, 200, "")), &made); err != nil {
		t.Fatal(err)
	}
	page = l.page("GET", station, nil, made.Secret, 200)
	l.shows("a technician", page, "door", "!DATA0 =", "!/state", "!Backup")
	if err := json.Unmarshal([]byte(l.want("POST", "tokens", `{"name":"sam","role":"staff"}`, 200, "")), &made); err != nil {
		t.Fatal(err)
	}
	l.page("GET", station, nil, made.Secret, 403)
	l.page("POST", station+"/selftest", url.Values{"reader": {"door"}}, made.Secret, 403)
}

// TestSelfTestPage: a self-test is begun, followed and ended by forms alone, and names the
// wire with the picture beside it.
func TestSelfTestPage(t *testing.T) {
	l := newLab(t, stationsToml)
	const station = "/stations/lab-1"
	l.want("POST", "sim/fault", `{"fault":"swapped"}`, 200, "")
	test := l.page("POST", station+"/selftest", url.Values{"reader": {"door"}}, "", 303)
	if !strings.HasPrefix(test, station+"/selftest/") {
		t.Fatalf("the browser is sent to %s", test)
	}
	first := l.page("GET", test, nil, "", 200)
	id := test[strings.LastIndexByte(test, '/')+1:]
	l.shows("under way", first, `data-live="/v1/selftest/`+id+`/events"`, `http-equiv="refresh" content="2"`, "The self-test is under way.", test+"/end")
	l.want("GET", "selftest/"+id+"/events", "", 200, `"event":"end"`) // until then
	page := l.page("GET", test, nil, "", 200)
	l.shows("at its end", page, `<p class="verdict is-fail" role="status"><span lang="en">Something is wrong`, "The likeliest cause", "wiring.svg?reader=door", `<p class="remedy">`, "As for card above.", "Test again", "!data-live", "!http-equiv")
	if n := strings.Count(page, "<img"); n != 1 {
		t.Errorf("%d pictures", n)
	}
	if checks := len(regexp.MustCompile(`<tr class="is-(pass|warn|fail|skip)">`).FindAllString(page, -1)); checks != 17 {
		t.Errorf("%d checks", checks)
	}
	page = l.page("POST", test+"/answer", url.Values{"question": {"1"}, "answer": {"y"}}, "", 200)
	l.shows("too late an answer", page, `<div role="alert" tabindex="-1" autofocus><p>The question 1 waits for no answer.`)
	l.page("GET", station+"/selftest/nothing", nil, "", 404)
	l.page("POST", station+"/selftest", url.Values{"reader": {"nowhere"}}, "", 400)

	second := l.page("POST", station+"/selftest", url.Values{"reader": {"door"}}, "", 303)
	busy := l.page("POST", station+"/selftest", url.Values{"reader": {"door"}}, "", 409)
	l.shows("a second one", busy, "has begun a self-test")
	l.page("POST", second+"/end", nil, "", 303)
	page = l.page("GET", second, nil, "", 200)
	l.shows("ended", page, "It ended early.", "!The likeliest cause")
}

// TestScopeStream: a page that listens has the lines, and gives them back when it ends; who
// comes meanwhile is told, and a link takes nothing.
func TestScopeStream(t *testing.T) {
	l := newLab(t, stationsToml)
	listen := func(ctx context.Context, accept string) (*http.Response, *bufio.Reader) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, "GET", "http://stump/stations/lab-1/lines?reader=door", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := l.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp, bufio.NewReader(resp.Body)
	}
	line := func(r *bufio.Reader) string {
		t.Helper()
		text, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if resp, _ := listen(t.Context(), "text/html"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a link: %d", resp.StatusCode)
	}
	l.want("GET", "leases", "", 200, `^$`)

	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	resp, views := listen(ctx, "text/event-stream")
	if is := resp.Header.Get("Content-Type"); is != "text/event-stream" || !strings.HasPrefix(line(views), `data: {"names":["`) || line(views) != "\n" {
		t.Errorf("%d %s", resp.StatusCode, is)
	}
	l.want("GET", "leases", "", 200, `"reader":"door","for":"scope"`)
	_, second := listen(t.Context(), "text/event-stream")
	if retry, lost := line(second), line(second); retry != "retry: 2000\n" || !strings.HasPrefix(lost, `data: {"lost":"`) || !strings.Contains(lost, "has begun a scope. Wait until it ends") {
		t.Errorf("who is second hears %q %q", retry, lost)
	}
	l.Lines.Present(bits(t, "H10301:17:31001"))
	for !strings.Contains(line(views), `"good":1`) {
	}
	leave()
	l.until("leases", `^$`)
	l.want("POST", "sim/tap", `{"card":"ben"}`, 200, `Hello Ben`)
}
