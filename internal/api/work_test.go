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

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/jobs"
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
		if w := as(root, s, "DELETE", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"state":"cancelled"`) || !strings.Contains(w.Body.String(), `"problem":null`) {
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
