package directory

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// newsroom is a library that can be asked for what changed.
type newsroom struct {
	library
	asked, pulled int // how often; mu guards these, too
	changed       []books.Seen
	err           error
}

// say is what the library will answer to the question for changes.
func (n *newsroom) say(err error, changed ...books.Seen) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err, n.changed = err, changed
}

// questions are how often it was asked for changes, and for everything.
func (n *newsroom) questions() (asked, pulled int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked, n.pulled
}

func (n *newsroom) Pull(ctx context.Context) (call.Snapshot, error) {
	n.mu.Lock()
	n.pulled++
	n.mu.Unlock()
	return n.library.Pull(ctx)
}

func (n *newsroom) Changes(_ context.Context, since string) ([]books.Seen, string, error) {
	if since == "" {
		return nil, "mark", nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	return n.changed, since, n.err
}

// newNewsroom asks every 30 s in a bubble; the directory has an iPad.
func newNewsroom(t *testing.T) (*newsroom, *box, *Worker) {
	t.Helper()
	n := &newsroom{library: *newLibrary("ipad")}
	out := newBox(t, Main)
	w, _ := start(t, Options{Directory: n, Ledger: out, Timing: Timing{LoansEvery: 30 * time.Second}, backoff: drawing(func(n int64) int64 { return n / 2 })})
	synctest.Wait()
	return n, out, w
}

// TestChangesEvery30s: between pulls, who has what is at most 30 s old, for one question.
func TestChangesEvery30s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, out, w := newNewsroom(t)
		n.say(nil, books.Seen{Device: "ref-ipad", Holding: withAnn.Holding})
		time.Sleep(32 * time.Second)
		if asked, _ := n.questions(); asked != 1 || out.holders()["ipad"] != "ann" {
			t.Fatalf("asked %d times, %v", asked, out.holders())
		}
		n.say(nil, books.Seen{Device: "ref-ipad", Holding: books.Holding{Ref: "9", Name: "Zoe"}})
		time.Sleep(30 * time.Second)
		if st, err := w.Status(); err != nil || len(st.Pull.Notes) != 1 {
			t.Errorf("with Zoe: %+v, %v", st.Pull.Notes, err)
		}
		n.say(nil, books.Seen{Device: "ref-ipad", Holding: nobody.Holding})
		time.Sleep(30 * time.Second)
		if st, err := w.Status(); err != nil || len(st.Pull.Notes) != 0 || len(out.holders()) != 0 {
			t.Errorf("free: %+v, %v, %v", st.Pull.Notes, out.holders(), err)
		}
		time.Sleep(time.Hour)
		if asked, pulled := n.questions(); pulled != 2 || asked < 115 || asked > 130 {
			t.Errorf("in an hour %d pulls, asked %d times", pulled-1, asked)
		}
	})
}

// TestNoChangesOfADownPlace: who is down is asked no more often than its backoff allows,
// and when it is back, once for what changed meanwhile.
func TestNoChangesOfADownPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, out, _ := newNewsroom(t)
		n.mu.Lock()
		n.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "refuses"} }
		n.mu.Unlock()
		n.say(call.Outcome{Verdict: call.Down, Reason: "refuses"})
		time.Sleep(40 * time.Minute)
		asked, _ := n.questions()
		if probed := n.count(); asked != 1 || probed > 100 {
			t.Errorf("while down asked %d times, probed %d times", asked, probed)
		}
		n.say(nil, books.Seen{Device: "ref-ipad", Holding: withAnn.Holding})
		n.mu.Lock()
		n.alive = nil
		n.mu.Unlock()
		time.Sleep(15 * time.Minute)
		if _, pulled := n.questions(); out.holders()["ipad"] != "ann" || pulled != 1 {
			t.Errorf("back again: %v after %d pulls", out.holders(), pulled)
		}
	})
}

// TestChangesThatFail: a place that works, and can't say what changed, is asked ever more
// seldom; the pulls go on.
func TestChangesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, w := newNewsroom(t)
		n.say(call.Outcome{Verdict: call.Failing, Reason: "the list can't be sorted"})
		time.Sleep(50 * time.Minute)
		if asked, _ := n.questions(); asked > 30 || asked < 5 {
			t.Errorf("asked %d times", asked)
		}
		want := []string{"what changed since the pull can't be asked for: the list can't be sorted"}
		if st, err := w.Status(); err != nil || !slices.Equal(st.Pull.Notes, want) {
			t.Errorf("notes %q, %v", st.Pull.Notes, err)
		}
		time.Sleep(20 * time.Minute)
		if _, pulled := n.questions(); pulled != 2 {
			t.Errorf("%d pulls", pulled)
		}
	})
}

// TestTooManyChanges: everything is read instead, but not every 30 s.
func TestTooManyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, w := newNewsroom(t)
		n.say(call.ErrTooMany)
		time.Sleep(longAgo + 11*time.Minute)
		if _, pulled := n.questions(); pulled != 4 {
			t.Errorf("%d pulls", pulled)
		}
		if st, err := w.Status(); err != nil || len(st.Pull.Notes) != 0 {
			t.Errorf("notes %q, %v", st.Pull.Notes, err)
		}
	})
}

// TestChangesWhileBusy: what can't count yet, because an event is on its way, counts later.
func TestChangesWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, out, _ := newNewsroom(t)
		n.mu.Lock()
		n.answer = func(call.Delivery) call.Outcome { return call.Outcome{Verdict: call.Refused, Reason: "no"} }
		n.mu.Unlock()
		ev := out.complete(out.subject(checkout.KindPerson, annBadge), checkout.Subject{Kind: checkout.KindDevice, ID: "ipad"})
		n.say(nil, books.Seen{Device: "ref-ipad", Holding: nobody.Holding})
		time.Sleep(2 * time.Minute)
		if out.holders()["ipad"] != "ann" {
			t.Errorf("while its event is parked: %v", out.holders())
		}
		if err := out.Delivered(Main, keyOf(ev.Seq)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if len(out.holders()) != 0 {
			t.Errorf("after it was delivered: %v", out.holders())
		}
	})
}
