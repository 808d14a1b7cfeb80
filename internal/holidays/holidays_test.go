package holidays

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout/loan"
	"stump/directory/call"
	"stump/internal/hint"
)

// calendar is one whose only holiday is a day of 2026.
func calendar(day string) string {
	return "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:" + day + "\nEND:VEVENT\nEND:VCALENDAR\n"
}

var (
	christmas = loan.Date{Year: 2026, Month: time.December, Day: 25}
	may       = loan.Date{Year: 2026, Month: time.May, Day: 1}
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, o Options) *Holidays {
	t.Helper()
	h, err := Open(o)
	ok(t, err)
	return h
}

// TestFile: a calendar with a mistake, or none, takes no holiday away, and a restart does not
// either. It is read again when it is told to, and each day.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	o := Options{Source: filepath.Join(dir, "holidays.ics"), Dir: dir}
	write := func(text string) { ok(t, os.WriteFile(o.Source, []byte(text), 0o600)) }
	h := open(t, o)
	if h.Closed(christmas) || !strings.Contains(h.Fault(may).Error(), "no holidays are known: stat ") || hint.Of(h.Fault(may)) == "" {
		t.Error("without a file:", h.Fault(may))
	}
	write(calendar("20261225"))
	synctest.Test(t, func(t *testing.T) {
		h := open(t, o)
		go func() { _ = h.Run(t.Context()) }()
		synctest.Wait()
		if h.Fault(may) != nil || !h.Closed(christmas) || h.Closed(may) {
			t.Error("at the start", h.Fault(may), h.Closed(christmas))
		}
		write("BEGIN:VCALENDAR\n" + calendar("2026"))
		h.Reload()
		synctest.Wait()
		if err := h.Fault(may); err == nil || !strings.Contains(err.Error(), "holidays are those of 2000-01-01: "+o.Source+": line 2: ") || !h.Closed(christmas) {
			t.Error("with a mistake:", err)
		}
		h = open(t, o)
		go func() { _ = h.Run(t.Context()) }()
		synctest.Wait()
		if h.Fault(may) == nil || !h.Closed(christmas) {
			t.Error("with a mistake, after a restart")
		}
		// Tried again after 1, 2, 4 … minutes.
		write(calendar("20260501"))
		time.Sleep(tryFirst - time.Second)
		synctest.Wait()
		if h.Closed(may) {
			t.Error("it is read all the time")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if h.Fault(may) != nil || h.Closed(christmas) || !h.Closed(may) {
			t.Error("well again:", h.Fault(may))
		}
		if err := h.Fault(christmas); err == nil || err.Error() != "the calendar of holidays ends with Fri 2026-05-01" {
			t.Error("an old one:", err)
		}
		write(calendar("20261225"))
		time.Sleep(Every - time.Second)
		synctest.Wait()
		if h.Closed(christmas) {
			t.Error("it is read more often than each day")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !h.Closed(christmas) {
			t.Error("it is not read each day")
		}
	})
	if h = open(t, Options{Source: filepath.Join(dir, "other.ics"), Dir: dir}); h.Closed(christmas) {
		t.Error("another file's holidays are those that were kept of this one")
	}
}

// server is one of calendars.
type server struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request)
	calls  atomic.Int32
}

func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *server {
	s := &server{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.calls.Add(1); s.answer(w, r) }))
	t.Cleanup(s.Close)
	return s
}

// TestAddress: the calendar of an address is known without a network from the second start
// on, and is sent only if it is another.
func TestAddress(t *testing.T) {
	var text, asked string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("If-None-Match") + " " + r.Header.Get("If-Modified-Since")
		w.Header().Set("ETag", fmt.Sprintf("%q", text[48:56]))
		w.Header().Set("Last-Modified", "Tue, 01 Dec 2026 00:00:00 GMT")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	})
	var log bytes.Buffer
	o := Options{Source: s.URL + "/private-sesame/basic.ics?key=sesame", Dir: t.TempDir(), HTTP: call.HTTP{Proxy: "none"}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	text = calendar("20261225")
	h := open(t, o)
	if h.Closed(christmas) || s.calls.Load() != 0 || h.Fault(may) != nil {
		t.Error("before it is asked:", h.Fault(may))
	}
	if !h.refresh(t.Context()) || !h.Closed(christmas) || strings.TrimSpace(asked) != "" {
		t.Error("the first time:", h.Fault(may), asked)
	}
	h = open(t, o)
	if !h.Closed(christmas) {
		t.Error("the second start does not know it")
	}
	if !h.refresh(t.Context()) || !h.Closed(christmas) || asked != `"20261225" Tue, 01 Dec 2026 00:00:00 GMT` {
		t.Errorf("the same: %v, asked %q", h.Fault(may), asked)
	}
	text = calendar("20260501")
	if !h.refresh(t.Context()) || h.Closed(christmas) || !h.Closed(may) {
		t.Error("another:", h.Fault(may))
	}
	s.Close()
	if h = open(t, o); !h.Closed(may) || h.refresh(t.Context()) {
		t.Error("without a network")
	}
	err := h.Fault(may)
	if err == nil || !strings.Contains(err.Error(), "refuses the connection") || hint.Of(err) == "" || !h.Closed(may) {
		t.Errorf("without a network: %v (%s)", err, hint.Of(err))
	}
	raw, rerr := os.ReadFile(filepath.Join(o.Dir, FileName))
	ok(t, rerr)
	for what, said := range map[string]string{"the log": log.String(), "the status": err.Error() + hint.Of(err), "the file": string(raw)} {
		if strings.Contains(said, "sesame") {
			t.Errorf("%s has the address: %s", what, said)
		}
	}
	o.Source = s.URL + "/another"
	if h = open(t, o); h.Closed(may) {
		t.Error("another address has this one's holidays")
	}
}

// TestAddressBad: whatever a server answers, the holidays that are known stay, and what is
// wrong is said without the address.
func TestAddressBad(t *testing.T) {
	good := calendar("20261225")
	elsewhere := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, calendar("20260501")) })
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"a login":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>sesame") }, "HOST answers with a web page, such as a login"},
		"nothing":   {func(w http.ResponseWriter, _ *http.Request) {}, "HOST: line 1: this is no iCalendar file"},
		"gone":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "HOST has nothing at this address (404 Not Found)"},
		"a failure": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "HOST failed (500 Internal Server Error)"},
		"cut off":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, good[:57]) }, "HOST: line 3: the file ends before END:VEVENT"},
		"no end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 20 {
				io.WriteString(w, strings.Repeat("x", 1<<17))
			}
		}, "the answer of HOST is too long"},
		"a circle":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sesame", http.StatusFound) }, "HOST redirects to http://HOST (302 Found)"},
		"not at all": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "HOST closed the connection before its answer was complete"},
		"304":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, ""},
		"moved":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, ""},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, good) })
		h := open(t, Options{Source: s.URL + "/sesame", Dir: t.TempDir(), HTTP: call.HTTP{Proxy: "none"}})
		h.refresh(t.Context())
		s.answer = tt.answer
		was := h.refresh(t.Context())
		if tt.want == "" {
			if !was || h.Fault(may) != nil || h.Closed(may) != (name == "moved") {
				t.Errorf("%s: %v", name, h.Fault(may))
			}
			continue
		}
		err := h.Fault(may)
		if was || err == nil || !h.Closed(christmas) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, said, _ := strings.Cut(err.Error(), ": ")
		if said = strings.ReplaceAll(said, strings.TrimPrefix(s.URL, "http://"), "HOST"); said != tt.want || hint.Of(err) == "" {
			t.Errorf("%s: %q (%s), want %q", name, said, hint.Of(err), tt.want)
		}
	}
}

// TestAddressEnds: a server that never answers holds up no stop.
func TestAddressEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, far := net.Pipe()
		defer far.Close()
		h := open(t, Options{Source: "webcal://calendar.example/basic.ics", Dir: t.TempDir(), HTTP: call.HTTP{
			Proxy: "none", TestDial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
		}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		synctest.Wait()
		stop()
		synctest.Wait()
		select {
		case err := <-ended:
			if err != nil || h.Fault(may) != nil {
				t.Error(err, h.Fault(may))
			}
		default:
			t.Error("it has not ended")
		}
	})
}

// TestCheckSource has how a source may be written.
func TestCheckSource(t *testing.T) {
	for source, want := range map[string]string{
		"": "", "/etc/stump/holidays.ics": "", "https://calendar.example/basic.ics": "", "webcal://calendar.example/x": "", "http://lab/x": "",
		"holidays.ics":                 `"holidays.ics" is not a path`,
		"ftp://lab/sesame/x":           `"ftp://lab/sesame/xxxxx" is not an https address`,
		"https:///x":                   `"https:///x" is not an https address`,
		"https://u:sesame@la b/sesame": `"https://xxxxx@la b/sesame" is not an https address`,
	} {
		if err := CheckSource(source); fmt.Sprint(err) != want && (want != "" || err != nil) || err != nil && hint.Of(err) == "" {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}
