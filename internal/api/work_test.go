package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/hw/selftest"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/jobs"
	"stump/internal/reader"
	"stump/internal/station"
)

// as serves a request of somebody, without a network.
func as(who identity.Principal, h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(identity.With(context.Background(), who), method, "/v1/"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	h.ServeHTTP(w, r)
	return w
}

// bubble runs a test with a server whose jobs end with it.
func bubble(t *testing.T, o func(*Options), f func(t *testing.T, s *Server)) {
	l := newLedger(t)
	seedLab(t, client.Local(newServer(t, l)))
	synctest.Test(t, func(t *testing.T) {
		opts := newServer(t, l).o
		o(&opts)
		s, ended := NewServer(opts), make(chan error)
		ctx, stop := context.WithCancel(context.Background())
		go func() { ended <- s.Jobs().Run(ctx) }()
		f(t, s)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// began begins a job, and returns where it is.
func began(t *testing.T, who identity.Principal, s *Server, path, body string) string {
	t.Helper()
	w := as(who, s, "POST", path, body)
	var job wire.Job
	if err := json.Unmarshal(w.Body.Bytes(), &job); err != nil || w.Code != http.StatusAccepted || w.Header().Get("Location") != "/v1/"+path+"/"+job.ID {
		t.Fatalf("%s: %d %s %v", path, w.Code, w.Body, w.Header())
	}
	return path + "/" + job.ID
}

// TestJob begins what takes long, watches it, and ends it.
func TestJob(t *testing.T) {
	hangs := func(o *Options) {
		o.Check = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	}
	bubble(t, hangs, func(t *testing.T, s *Server) {
		ada, root := askers[identity.FreshAdmin], identity.Process()
		path := began(t, ada, s, "verifications", "")
		synctest.Wait()
		if w := as(root, s, "POST", "verifications", ""); w.Code != 409 || !strings.Contains(w.Body.String(), "ada has begun a check of the ledger") {
			t.Errorf("two at once: %d %s", w.Code, w.Body)
		}
		events := make(chan string, 2)
		for _, accept := range []string{"", "text/event-stream"} {
			go func() { events <- as(root, s, "GET", path+"/events", "", "Accept", accept).Body.String() }()
		}
		for _, tt := range []struct {
			who          identity.Principal
			method, path string
			status       int
			want         string
		}{
			{ada, "GET", path, 200, `"state":"running","by":"ada"`},
			{root, "GET", path, 200, `"report":null`},
			{askers[identity.Technician], "GET", path, 403, `"code":"role"`},
			{ada, "GET", strings.Replace(path, "verifications", "backups", 1), 404, `"code":"not-found"`},
			{ada, "GET", "verifications/nothing", 404, `"code":"not-found"`},
			{ada, "GET", path + "/events?after=x", 400, `"code":"invalid"`},
			{ada, "GET", path + "/events?since=1", 400, `"code":"invalid"`},
		} {
			if w := as(tt.who, s, tt.method, tt.path, ""); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, w.Code, w.Body)
			}
		}
		time.Sleep(10 * time.Minute) // it needs no holder
		if w := as(root, s, "DELETE", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"cancelled"`) || !strings.Contains(w.Body.String(), `"code":"too-late","error":"admin has ended it"`) {
			t.Errorf("ended: %d %s", w.Code, w.Body)
		}
		for range 2 {
			got := <-events
			lines := strings.HasPrefix(got, `{"n":1,"event":"progress","data":{"done":`) && strings.Contains(got, "}\n\n\n") && strings.Contains(got, `"event":"end","data":{"id":`)
			sse := strings.HasPrefix(got, "id: 1\nevent: progress\ndata: {") && strings.Contains(got, "\n\n: nothing new\n\n") && strings.Contains(got, "\n\nid: 2\nevent: end\ndata: {")
			if lines == sse || !strings.Contains(got, `"state":"cancelled"`) {
				t.Errorf("watched: %s", got)
			}
		}
		for after, want := range []string{"id: 1", "id: 2", ""} {
			w := as(ada, s, "GET", path+"/events", "", "Accept", "text/event-stream", "Last-Event-ID", fmt.Sprint(after))
			if over := want == ""; !strings.HasPrefix(w.Body.String(), want) || over != (w.Code == http.StatusNoContent) {
				t.Errorf("a browser after %d: %d %s", after, w.Code, w.Body)
			}
		}
		own := began(t, ada, s, "verifications", "")
		if w := as(ada, s, "DELETE", own, ""); !strings.Contains(w.Body.String(), `"state":"cancelled"`) || !strings.Contains(w.Body.String(), `"problem":null`) {
			t.Errorf("ended by its owner: %s", w.Body)
		}
		if w := as(ada, s, "DELETE", path, ""); w.Code != 200 {
			t.Errorf("forgotten: %d", w.Code)
		}
		if w := as(ada, s, "GET", path, ""); w.Code != 404 {
			t.Errorf("forgotten, and there: %d", w.Code)
		}
	})
}

// TestJobsOfAStoppedStation: what goes on ends with the station, and nothing begins.
func TestJobsOfAStoppedStation(t *testing.T) {
	var s *Server
	bubble(t, func(o *Options) {
		o.Check = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	}, func(t *testing.T, server *Server) {
		s = server
		began(t, identity.Process(), s, "verifications", "")
	})
	if w := as(identity.Process(), s, "POST", "verifications", ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"code":"stopping"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestBackups: a copy is read when it was made, whole or in part, and for a while.
func TestBackups(t *testing.T) {
	bubble(t, func(*Options) {}, func(t *testing.T, s *Server) {
		ada, stale := askers[identity.FreshAdmin], askers[identity.Admin]
		path := began(t, ada, s, "backups", "")
		synctest.Wait()
		whole := as(ada, s, "GET", path+"/file", "")
		part := as(ada, s, "GET", path+"/file", "", "Range", "bytes=4096-8191")
		if n := whole.Body.Len(); whole.Code != 200 || n < 8192 || part.Code != http.StatusPartialContent || part.Body.String() != whole.Body.String()[4096:8192] {
			t.Errorf("%d, %d bytes; a part: %d, %d bytes", whole.Code, n, part.Code, part.Body.Len())
		}
		if w := as(stale, s, "GET", path+"/file", ""); w.Code != 403 || !strings.Contains(w.Body.String(), "stale-login") {
			t.Errorf("an old login reads it: %d %s", w.Code, w.Body)
		}
		next := began(t, ada, s, "backups", "")
		if w := as(ada, s, "GET", path, ""); w.Code != 404 {
			t.Errorf("the one before is kept: %d %s", w.Code, w.Body)
		}
		time.Sleep(backupKept + time.Second)
		if w := as(ada, s, "GET", next+"/file", ""); w.Code != 404 || len(s.jobs.All(ada)) > 0 {
			t.Errorf("kept for too long: %d", w.Code)
		}
	})
	bubble(t, func(*Options) {}, func(t *testing.T, s *Server) {
		failed, err := s.jobs.Start(jobs.Spec{Owner: identity.Process(), Detail: &backup{}, Run: func(context.Context, *jobs.Job) error { return context.DeadlineExceeded }})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if w := as(identity.Process(), s, "GET", "backups/"+failed.ID+"/file", ""); w.Code != 404 {
			t.Errorf("one that failed is read: %d", w.Code)
		}
		if w := as(identity.Process(), s, "GET", "backups/"+failed.ID, ""); !strings.Contains(w.Body.String(), `"file":null`) || !strings.Contains(w.Body.String(), `"code":"internal"`) {
			t.Errorf("one that failed: %s", w.Body)
		}
	})
}

// lamp is an output that is always on.
type lamp struct{}

func (lamp) Set(bool) error { return nil }
func (lamp) String() string { return "GPIO5" }
func (lamp) Close() error   { return nil }

// withLamps has a self-test ask about lights.
func withLamps(names ...string) func(*Options) {
	return func(o *Options) {
		o.SelfTest = func(string, station.Holder) (*selftest.Env, error) {
			env := &selftest.Env{Simulated: true, StateDir: o.Path}
			for _, name := range names {
				env.Outputs = append(env.Outputs, selftest.Lamp{Name: name, Out: lamp{}})
			}
			return env, nil
		}
	}
}

// TestSelfTestAsks answers the questions of a self-test, each once.
func TestSelfTestAsks(t *testing.T) {
	bubble(t, withLamps("green light", "red light"), func(t *testing.T, s *Server) {
		tess := askers[identity.Technician]
		path := began(t, tess, s, "selftest", `{"ask":true}`)
		answer := func(n int, text string) *httptest.ResponseRecorder {
			synctest.Wait()
			return as(tess, s, "POST", path+"/answers", fmt.Sprintf(`{"question":%d,"answer":%q}`, n, text))
		}
		if w := answer(2, "y"); w.Code != 409 || !strings.Contains(w.Body.String(), `"code":"too-late"`) {
			t.Errorf("before it is asked: %d %s", w.Code, w.Body)
		}
		if w := as(tess, s, "GET", path, ""); !strings.Contains(w.Body.String(), `"question":{"question":1,"text":"Is the reader's green light on now? [y/n]"}`) {
			t.Errorf("%s", w.Body)
		}
		if w := answer(1, "y"); w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"running"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := answer(1, "n"); w.Code != 409 {
			t.Errorf("twice: %d %s", w.Code, w.Body)
		}
		if w := answer(2, "n"); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		synctest.Wait()
		w := as(tess, s, "GET", path, "")
		if !strings.Contains(w.Body.String(), `"measured":"the red light did not come on"`) || !strings.Contains(w.Body.String(), `"summary":{"summary":true,"result":"fail"`) {
			t.Errorf("%s", w.Body)
		}
		if w := answer(2, "y"); w.Code != 409 {
			t.Errorf("after the end: %d %s", w.Code, w.Body)
		}
		if w := as(askers[identity.Admin], s, "GET", path, ""); w.Code != 200 {
			t.Errorf("an admin sees %d %s", w.Code, w.Body)
		}
		next := began(t, tess, s, "selftest", `{"ask":true}`)
		synctest.Wait()
		if w := as(tess, s, "DELETE", next, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"cancelled"`) {
			t.Errorf("ended while it waits: %d %s", w.Code, w.Body)
		}
		other := tess
		other.ID = "session:other"
		if w := as(other, s, "GET", path, ""); w.Code != 404 {
			t.Errorf("another technician sees %d %s", w.Code, w.Body)
		}
	})
}

// TestSelfTestIsLeft: a self-test ends two minutes after its holder has gone, or when
// nobody answers; the next one then begins.
func TestSelfTestIsLeft(t *testing.T) {
	bubble(t, withLamps("green light"), func(t *testing.T, s *Server) {
		tess, tom := askers[identity.Technician], askers[identity.Technician]
		tom.ID, tom.Name = "session:tom", "tom"
		state := func(path string) string {
			var test wire.SelfTest
			w := as(askers[identity.Admin], s, "GET", path, "")
			if err := json.Unmarshal(w.Body.Bytes(), &test); err != nil {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return test.State
		}
		left := began(t, tess, s, "selftest", `{"ask":true}`)
		for range 5 {
			time.Sleep(jobs.Patience - time.Second)
			if w := as(tess, s, "GET", left, ""); !strings.Contains(w.Body.String(), `"state":"running"`) {
				t.Fatalf("ended while it is asked for: %s", w.Body)
			}
			if w := as(tom, s, "POST", "selftest", `{}`); w.Code != 409 || !strings.Contains(w.Body.String(), `"error":"tess has begun a self-test"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		time.Sleep(jobs.Patience / 2)
		state(left) // an admin's look holds nothing
		time.Sleep(jobs.Patience/2 + time.Second)
		if got := state(left); got != "expired" {
			t.Errorf("left alone, it is %s", got)
		}
		watched := began(t, tom, s, "selftest", `{"ask":true}`)
		ctx, stop := context.WithCancel(context.Background())
		go s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(identity.With(ctx, tom), "GET", "/v1/"+watched+"/events", nil))
		time.Sleep(askPatience - time.Minute)
		if got := state(watched); got != "running" {
			t.Errorf("watched, it is %s", got)
		}
		time.Sleep(time.Minute + time.Second)
		if got := state(watched); got != "expired" {
			t.Errorf("without an answer it is %s", got)
		}
		stop()
		synctest.Wait()
		gone := began(t, tom, s, "selftest", `{"ask":true}`)
		ctx, stop = context.WithCancel(context.Background())
		go s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(identity.With(ctx, tom), "GET", "/v1/"+gone+"/events", nil))
		synctest.Wait()
		stop()
		time.Sleep(jobs.Patience / 4)
		if got := state(gone); got != "expired" {
			t.Errorf("after its watcher has gone it is %s", got)
		}
		quit := began(t, tess, s, "selftest", `{"ask":true}`)
		s.jobs.Leave(tess.ID)
		synctest.Wait()
		if got := state(quit); got != "expired" {
			t.Errorf("after its owner has logged out it is %s", got)
		}
	})
}

// TestLeaseEnds: a lease ends when it is not renewed, however often it is looked at.
func TestLeaseEnds(t *testing.T) {
	taken := 0
	bubble(t, func(o *Options) {
		o.Clock = func() int64 { return time.Now().UnixNano() }
		o.SelfTest = func(string, station.Holder) (*selftest.Env, error) {
			return &selftest.Env{Sent: func(context.Context) (selftest.Sender, error) {
				if taken++; taken > 1 {
					return nil, &station.LeasedError{Holder: station.Holder{Name: "Ann", For: station.ForTest}}
				}
				return &silent{}, nil
			}}, nil
		}
	}, func(t *testing.T, s *Server) {
		tess := askers[identity.Technician]
		path := leased(t, tess, s)
		for range 3 {
			time.Sleep(jobs.Patience - time.Second)
			if w := as(tess, s, "POST", path+"/renew", ""); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		watched := make(chan string)
		go func() { watched <- as(tess, s, "GET", path+"/scope", "").Body.String() }()
		time.Sleep(jobs.Patience - time.Second)
		as(tess, s, "GET", path, "")
		time.Sleep(2 * time.Second)
		if views := <-watched; strings.Count(views, "\n") < 100 {
			t.Errorf("seen: %s", views)
		}
		if w := as(tess, s, "GET", path, ""); !strings.Contains(w.Body.String(), `"state":"expired"`) || !strings.Contains(w.Body.String(), `"code":"timeout"`) {
			t.Errorf("%s", w.Body)
		}
		if w := as(tess, s, "POST", "leases", `{}`); w.Code != 409 || !strings.Contains(w.Body.String(), "Ann has the lines of this reader for a self-test") {
			t.Errorf("lines that can't be taken: %d %s", w.Code, w.Body)
		}
		if n := len(s.jobs.All(tess)); n != 1 {
			t.Errorf("%d leases", n)
		}
	})
}

// TestScopeIsLeft: when who watches has gone, the desk has the lines soon.
func TestScopeIsLeft(t *testing.T) {
	bubble(t, func(o *Options) {
		o.Clock = func() int64 { return time.Now().UnixNano() }
		o.SelfTest = func(string, station.Holder) (*selftest.Env, error) {
			return &selftest.Env{Sent: func(context.Context) (selftest.Sender, error) { return &silent{}, nil }}, nil
		}
	}, func(t *testing.T, s *Server) {
		tess := askers[identity.Technician]
		path := leased(t, tess, s)
		ctx, leave := context.WithCancel(identity.With(context.Background(), tess))
		go s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/v1/"+path+"/scope", nil))
		time.Sleep(time.Second)
		leave()
		time.Sleep(jobs.Patience / 4)
		if w := as(tess, s, "GET", path, ""); !strings.Contains(w.Body.String(), `"state":"expired"`) {
			t.Errorf("%s", w.Body)
		}
		leased(t, tess, s)
	})
}

// leased takes a lease, and returns where it is.
func leased(t *testing.T, who identity.Principal, s *Server) string {
	t.Helper()
	w := as(who, s, "POST", "leases", `{}`)
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"expires":"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return strings.TrimPrefix(w.Header().Get("Location"), "/v1/")
}

// silent is a reader that sends nothing.
type silent struct{}

func (*silent) C() <-chan reader.Char { return nil }
func (*silent) Up() error             { return nil }
func (*silent) Close() error          { return nil }
func (*silent) String() string        { return "silent" }

// TestHidden: of files only an admin reads where they are.
func TestHidden(t *testing.T) {
	hide := hider(askers[identity.Technician], "/var/lib/stump")
	for text, want := range map[string]string{
		"/var/lib/stump is full":                           "the state folder is full",
		"set aside as /var/lib/stump/ledger.db.damaged-1":  "set aside as the state folder/ledger.db.damaged-1",
		"open /etc/stump/token: permission denied":         "open …: permission denied",
		"may open /dev/gpiochip0":                          "may open /dev/gpiochip0",
		`cannot read "/home/pi/x" (/run/stump/stump.sock)`: `cannot read "…" (…)`,
		"12 pulses in 2 s, 50/60 Hz":                       "12 pulses in 2 s, 50/60 Hz",
		"https://host/whatis.php":                          "https://host/whatis.php",
	} {
		if got := hide(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if got := hider(askers[identity.Admin], "/var/lib/stump")(text); got != text {
			t.Errorf("an admin reads %s", got)
		}
	}
}
