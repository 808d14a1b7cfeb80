package directory

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/directory/webhook"
)

// refusing is a webhook that refuses some devices, each in words.
func refusing(words map[string]string) *stage {
	caps := everything
	caps.Alike = true
	place := &stage{caps: caps}
	place.answer = func(d call.Delivery) call.Outcome {
		if w := words[d.Event.Device]; w != "" {
			return call.Outcome{Verdict: call.Refused, Reason: w, Remedy: "look"}
		}
		return call.Outcome{}
	}
	return place
}

// sinkOf is the status of the only sink, and as text.
func sinkOf(t *testing.T, w *Worker) (SinkStatus, string) {
	t.Helper()
	synctest.Wait()
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	st.Write(&b, time.Now())
	return st.Sinks[0], b.String()
}

// TestRefusalOfEverything: a place that refuses every event in the same words is stopped,
// whether they come together or one by one; no event is parked, and all are delivered, in
// order, when a person has put it right. Numbers in the words make no difference.
func TestRefusalOfEverything(t *testing.T) {
	for _, apart := range []time.Duration{0, time.Minute, 20 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			words := map[string]string{}
			place := refusing(words)
			out := newBox(t, Main)
			w, stop := start(t, Options{Directory: place, Ledger: out})
			defer stop()
			for i := range 6 {
				device := fmt.Sprint("d", i%5) // the first twice
				place.mu.Lock()
				words[device] = fmt.Sprintf("chat refuses it (400 Bad Request): no_text, request %d", i)
				place.mu.Unlock()
				out.take(device)
				if i > 0 {
					time.Sleep(apart)
				}
				synctest.Wait()
				if s, _ := sinkOf(t, w); i == 0 && (s.State != up || s.StuckRows != 1) {
					t.Errorf("one refusal: %s, %d stuck, want one parked event", s.State, s.StuckRows)
				}
			}
			s, text := sinkOf(t, w)
			if s.State != stopped || s.StuckRows != 0 || s.Backlog != 6 {
				t.Errorf("%v apart: %s, %d stuck, %d wait, want it stopped, and 6 waiting", apart, s.State, s.StuckRows, s.Backlog)
			}
			if strings.Count(text, "no_text") != 1 || strings.Contains(text, "parked") || !strings.Contains(text, "check the format") {
				t.Errorf("%v apart: want one line:\n%s", apart, text)
			}
			if n := len(place.called()); n > 8+int(6*apart/(10*time.Minute)) {
				t.Errorf("%v apart: %d calls", apart, n)
			}
			place.mu.Lock()
			clear(words)
			place.mu.Unlock()
			w.Hurry()
			time.Sleep(2 * time.Second)
			if s, text := sinkOf(t, w); s.State != up || s.Backlog != 0 || len(place.seqs()) != 6 {
				t.Errorf("%v apart, put right: delivered %v\n%s", apart, place.seqs(), text)
			}
		})
	}
}

// TestRefusalOfSome: events that are refused by themselves are parked, and others flow.
func TestRefusalOfSome(t *testing.T) {
	for _, c := range []struct {
		name  string
		words map[string]string
		parks int
	}{
		{"one", map[string]string{"a": "no"}, 1},
		{"two, in other words", map[string]string{"a": "no", "b": "never"}, 2},
		{"two alike, of many", map[string]string{"a": "no", "b": "no"}, 2},
	} {
		for _, together := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				out := newBox(t, Main)
				place := refusing(c.words)
				w, stop := start(t, Options{Directory: place, Ledger: out})
				defer stop()
				for _, d := range []string{"a", "b", "c", "d", "e"} {
					out.take(d)
					if !together {
						synctest.Wait()
					}
				}
				time.Sleep(time.Hour)
				s, text := sinkOf(t, w)
				if s.State != up || s.StuckRows != c.parks || s.Backlog != c.parks {
					t.Errorf("%s, together %v: want %d parked\n%s", c.name, together, c.parks, text)
				}
				calls := len(place.called())
				out.take("c")
				time.Sleep(time.Hour)
				if s, text := sinkOf(t, w); s.StuckRows != c.parks || len(place.called()) != calls+1 {
					t.Errorf("%s: %d more calls, want one\n%s", c.name, len(place.called())-calls, text)
				}
			})
		}
	}
}

// A directory's refusals are of single devices, however many there are.
func TestRefusalOfManyDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("a", "b", "c")
		place := refusing(map[string]string{"a": "Unknown Device", "b": "Unknown Device", "c": "Unknown Device"})
		place.caps.Alike = false
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		if s, text := sinkOf(t, w); s.State != up || s.StuckRows != 3 {
			t.Errorf("want 3 parked:\n%s", text)
		}
		for seq := range uint64(3) {
			if r, err := out.row(Main, seq+1); err != nil || r.State != record.Parked {
				t.Errorf("%+v, %v", r.OutboxRow, err)
			}
		}
	})
}

// A chat that is sent CloudEvents is one fault, in its own words.
func TestChatRefusesCloudEvents(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "no_text")
	}))
	defer srv.Close()
	hook, err := webhook.New(webhook.Config{Name: "hook", URL: srv.URL, HTTP: quick})
	if err != nil {
		t.Fatal(err)
	}
	l := newBox(t, "hook")
	l.take("a", "b", "c")
	w, _ := start(t, Options{Ledger: l, Webhooks: map[string]Deliverer{"hook": hook}})
	eventually(t, "stopped", func() bool {
		st, err := w.Status()
		s := st.Sinks[0]
		return err == nil && s.State == stopped && s.StuckRows == 0 && s.Backlog == 3 && strings.Contains(*s.Reason, "(400 Bad Request): no_text")
	})
}
