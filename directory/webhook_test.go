package directory

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/scim"
	"stump/directory/webhook"
	"stump/internal/books"
)

// receiver takes webhooks and remembers their ids.
type receiver struct {
	mu     sync.Mutex
	events []webhook.CloudEvent // each once, in order of arrival
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var ev webhook.CloudEvent
	if json.NewDecoder(req.Body).Decode(&ev) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.events, func(e webhook.CloudEvent) bool { return e.ID == ev.ID }) {
		r.events = append(r.events, ev)
	}
	w.WriteHeader(http.StatusNoContent)
}

// After every fault the receiver has every event once, by its id, and in order per
// device.
func TestWebhookUnderFaults(t *testing.T) {
	for _, x := range []fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500, status500Commit,
		status429, status429After, status401, status403, status404, htmlPage, redirectLogin, redirectAway, hugeBody, slowDrip,
		closeHalfWay, gzipBomb, longHeader} {
		t.Run(string(x), func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			f := newFaultServer(r)
			srv := f.serve(t)
			f.set(x)
			hook, err := webhook.New(webhook.Config{Name: "hook", URL: srv.URL, HTTP: quick})
			if err != nil {
				t.Fatal(err)
			}
			l := newBox(t, "hook")
			l.register()
			w, _ := start(t, Options{Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}, backoff: impatient})
			for range 3 {
				l.bump(annBadge, ipadTag)
				l.bump(bobBadge, pixelTag)
			}
			eventually(t, "the display's mark", w.Behind)
			u, _ := url.Parse(srv.URL)
			t.Logf("stump sync says:\n%s", sayings(t, w, u.Host))
			time.Sleep(50 * time.Millisecond)
			f.set(healthy)
			eventually(t, "all delivered after healing", func() bool {
				w.Hurry()
				n, err := l.Backlog("hook")
				return n == 0 && err == nil
			})
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, device := range []string{"ipad-mini-g1-inky", "pixel"} {
				var kinds []string
				for _, ev := range r.events {
					if ev.Subject == device {
						kinds = append(kinds, string(ev.Data.Kind))
					}
				}
				if want := []string{"checkout", "return", "checkout"}; !slices.Equal(kinds, want) {
					t.Errorf("of %s the receiver has %q, want %q", device, kinds, want)
				}
			}
		})
	}
}

// Unwanted kinds get through whatever the receiver does. They must not make events
// that fail in an outage look as if they failed by themselves.
func TestUnwantedKindsProveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, "hook")
		hook, err := webhook.New(webhook.Config{Name: "hook", URL: "http://lab.example/hook", Kinds: []string{"return"}, HTTP: failing})
		if err != nil {
			t.Fatal(err)
		}
		w, stop := start(t, Options{Ledger: out, Webhooks: map[string]Deliverer{"hook": hook}})
		defer stop()
		out.take("ipad", "ipad") // and back
		time.Sleep(time.Minute)
		out.take("pixel")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		st, err := w.Status()
		if s := st.Sinks[0]; err != nil || s.State != down || s.StuckRows != 0 || s.Backlog != 1 {
			t.Errorf("%+v, %v, want it down, with the one event that waits", s, err)
		}
	})
}

// failing is the way to a server that answers every call with 500.
var failing = call.HTTP{Proxy: "none", TestDial: func(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
			io.WriteString(theirs, "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
	}()
	return ours, nil
}}

// SCIM end to end: a pull resolves a pending badge, the webhook gets the loan, and
// a person who left is suspended once the device is back.
func TestSCIMEndToEnd(t *testing.T) {
	var gone atomic.Bool // Ann is
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/Users") {
			http.NotFound(w, r)
			return
		}
		ann := `{"id":"1","displayName":"Ann","badge":"91234"},`
		if gone.Load() {
			ann = ""
		}
		fmt.Fprintf(w, `{"totalResults":%d,"Resources":[%s{"id":"2","displayName":"Bob","badge":"7654321"}]}`, 1+strings.Count(ann, "id"), ann)
	}))
	defer srv.Close()
	dir, err := scim.New(call.API{URL: srv.URL}, call.Badges{Field: "badge"}, call.HTTP{Proxy: "none"}, decimal26)
	if err != nil {
		t.Fatal(err)
	}
	hook := &hookStage{}
	l := newBox(t, "hook")
	l.sync(books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: ipadTag})
	l.bump(annBadge, ipadTag) // Ann is not known yet
	w, _ := start(t, Options{Directory: dir, Webhooks: map[string]Deliverer{"hook": hook}, Ledger: l, backoff: impatient})
	eventually(t, "pulled", func() bool { s, _ := l.Subject(bobBadge); return s.Name == "Bob" })
	eventually(t, "webhook delivered of the loan, and whose it is", func() bool { return len(hook.seqs()) == 2 })
	hook.stage.mu.Lock()
	loan, whose := webhook.Wrap(hook.stage.got[0]), webhook.Wrap(hook.stage.got[1])
	hook.stage.mu.Unlock()
	if loan.Tag != "…234" || whose.Type != "stump.resolve" || whose.Tag != "…234" || *whose.Data.Person != "Ann" {
		t.Errorf("the webhook got %+v, then %+v", loan, whose)
	}
	if s, _ := l.Subject(ipadTag); s.HolderName != "Ann" {
		t.Errorf("the iPad is with %q, want Ann", s.HolderName)
	}
	gone.Store(true) // Ann leaves with the iPad, and an admin says so
	err = w.Pull(t.Context(), true)
	if notes := w.pullStatus().Notes; err != nil || !slices.Contains(notes, "Ann left the directory but still has 1 device: they stay until everything is returned") {
		t.Errorf("%q, %v", notes, err)
	}
	l.bump(annBadge, ipadTag)
	if err := w.Pull(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if s, _ := l.Subject(annBadge); s.Status != checkout.Suspended {
		t.Errorf("Ann is %v, want suspended", s.Status)
	}
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	st.Write(&b, time.Now())
	t.Logf("stump sync says:\n%s", b.String())
}

// Apps Script counts an event, and its answer is away for a while: that is asked for
// again, and the event is not posted twice, over a restart too.
func TestAnswerElsewhere(t *testing.T) {
	var posts, gets atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			posts.Add(1)
			http.Redirect(w, r, "/echo", http.StatusFound)
		case gets.Add(1) < 4:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	hook, err := webhook.New(webhook.Config{Name: "hook", URL: srv.URL, HTTP: quick})
	if err != nil {
		t.Fatal(err)
	}
	l := newBox(t, "hook")
	o := Options{Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}, backoff: impatient}
	_, stop := start(t, o)
	l.take("ipad")
	eventually(t, "asked for", func() bool { return gets.Load() > 0 })
	stop()
	w, _ := start(t, o)
	eventually(t, "delivered", func() bool {
		w.Hurry()
		n, err := l.Backlog("hook")
		return n == 0 && err == nil
	})
	if posts.Load() != 1 || gets.Load() != 4 {
		t.Errorf("%d posts and %d calls for the answer, want 1 and 4", posts.Load(), gets.Load())
	}
}
