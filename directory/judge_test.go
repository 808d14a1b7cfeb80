package directory

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

// judged has rows judged, without a ledger: in a bubble, and with the longest waits
// that may be drawn.
type judged struct {
	*sender
	log testkit.Log
}

func newJudged(to call.Capabilities) *judged {
	b := defaultBackoff
	b.random = func(n int64) int64 { return n - 1 }
	j := &judged{}
	j.sender = newSender(Main, &stage{caps: to}, nil, newHealth(b, func(string, call.Outcome) {}), slog.New(slog.NewTextHandler(&j.log, nil)))
	return j
}

// sent is a row as it is before its outcome is known: with what is left of an earlier one.
func sent() ledger.OutboxRow {
	return ledger.OutboxRow{Key: record.At(1, 7), Event: checkout.Event{Seq: 7}, OutboxRow: record.OutboxRow{
		State: record.Sending, Attempts: 3, Reason: "old", Remedy: "old", Next: time.Now(), Step: "second", Theirs: &books.Holding{Name: "old"}}}
}

// outcome judges one, and tells what became of the row, the batch and the place.
func (j *judged) outcome(r ledger.OutboxRow, o call.Outcome) (row record.OutboxRow, said string) {
	b, warned := &batch{}, j.log.Count("an event waits for a person")
	through := j.judge(b, r, o)
	words := []string{map[bool]string{true: "through", false: "kept"}[through]}
	if len(b.kept) == 1 {
		row = b.kept[0].OutboxRow
	}
	if through != (len(b.delivered) == 1) || through == (len(b.kept) == 1) {
		words = append(words, fmt.Sprintf("delivered %d, kept %d", len(b.delivered), len(b.kept)))
	}
	if b.stop {
		words = append(words, "stop")
	}
	_, state := j.health.wait()
	words = append(words, state)
	if j.hasFailing() {
		words = append(words, "failing")
	}
	if j.log.Count("an event waits for a person") > warned {
		words = append(words, "warned")
	}
	return row, strings.Join(words, " ")
}

// TestJudge: what every verdict does to the row, the rest of the batch, the place, and what
// is known of the row's failures.
func TestJudge(t *testing.T) {
	theirs := &books.Holding{Name: "Bob"}
	for _, c := range []struct {
		name string
		o    call.Outcome
		said string
		want record.OutboxRow
		next time.Duration // from now; 0: none
	}{
		{"delivered", call.Outcome{}, "through up", record.OutboxRow{}, 0},
		{"nobody wants it", call.Outcome{Verdict: call.Unwanted}, "through down", record.OutboxRow{}, 0},
		{"refused", call.Outcome{Verdict: call.Refused, Reason: "no", Remedy: "ask", Theirs: theirs}, "kept up warned",
			record.OutboxRow{State: record.Parked, Reason: "no", Remedy: "ask", Step: "second"}, 0},
		{"conflict", call.Outcome{Verdict: call.Conflict, Reason: "Bob has it", Theirs: theirs, Step: "third"}, "kept up warned",
			record.OutboxRow{State: record.Conflict, Reason: "Bob has it", Theirs: theirs, Step: "third"}, 0},
		{"in doubt", call.Outcome{Verdict: call.InDoubt, Reason: "cut", Remedy: "unused"}, "kept stop down warned",
			record.OutboxRow{State: record.InDoubt, Reason: "cut", Remedy: "look in the directory after a minute: if it was counted, accept; if not, retry", Step: "second"}, time.Minute},
		{"down", call.Outcome{Verdict: call.Down, Reason: "away", After: time.Minute}, "kept stop down failing",
			record.OutboxRow{State: record.Queued, Reason: "away", Step: "second"}, time.Minute},
		{"denied", call.Outcome{Verdict: call.BadConfig, Reason: "401", Remedy: "log in"}, "kept stop stopped failing",
			record.OutboxRow{State: record.Queued, Attempts: -1, Reason: "401", Remedy: "log in", Step: "second"}, 15 * time.Minute},
		{"failing", call.Outcome{Verdict: call.Failing, Reason: "500", After: 40 * time.Second}, "kept stop down failing",
			record.OutboxRow{State: record.Queued, Reason: "500", Step: "second"}, 40 * time.Second},
		{"failing, and may be counted late", call.Outcome{Verdict: call.Failing, Reason: "500", Late: true}, "kept stop down failing",
			record.OutboxRow{State: record.Sending, Reason: "500", Step: "second"}, 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJudged(call.Capabilities{Settle: 90 * time.Second})
				j.health.trouble(call.Outcome{Verdict: call.Down})
				j.noteFailure(sent().Key, time.Now())
				row, said := j.outcome(sent(), c.o)
				if said != c.said {
					t.Errorf("%s, want %s", said, c.said)
				}
				if c.next > 0 {
					c.want.Next = time.Now().Add(c.next)
				}
				if strings.HasPrefix(said, "kept") {
					c.want.Attempts += sent().Attempts
				}
				if row != c.want {
					t.Errorf("%+v\nwant %+v", row, c.want)
				}
				if o, down := j.health.isDown(); strings.Contains(said, "stop") && (!down || o.Reason != c.o.Reason) {
					t.Errorf("the place is down %v: %+v", down, o)
				}
				if got := j.health.deliveredSince(time.Time{}); got != (c.name == "delivered") {
					t.Errorf("an event got through: %v", got)
				}
			})
		})
	}
}

// TestFailingIsDown: for lookups, a place where an event fails is one that is down.
func TestFailingIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJudged(everything)
		j.outcome(sent(), call.Outcome{Verdict: call.Failing, Reason: "500"})
		if o, down := j.health.isDown(); !down || o.Verdict != call.Down || o.Reason != "500" {
			t.Errorf("down %v: %+v", down, o)
		}
	})
}

// TestFailsAlone: a row is parked when it has failed five times after others got through,
// and no time before; that is no trouble of the place.
func TestFailsAlone(t *testing.T) {
	for remedy, want := range map[string]string{"": "see what the server's log says of this event", "ask them": "ask them"} {
		synctest.Test(t, func(t *testing.T) {
			j := newJudged(everything)
			fails := func() (record.OutboxRow, string) {
				time.Sleep(time.Second)
				return j.outcome(sent(), call.Outcome{Verdict: call.Failing, Reason: "500", Remedy: remedy})
			}
			for range 2 * parkAfter {
				if row, said := fails(); row.State != record.Queued || said != "kept stop down failing" {
					t.Fatalf("while nothing gets through: %s %+v", said, row)
				}
			}
			for i := range parkAfter - 1 {
				j.health.gotThrough()
				if row, said := fails(); row.State != record.Queued || said != "kept stop down failing" {
					t.Fatalf("time %d beside others: %s %+v", i+1, said, row)
				}
			}
			j.health.gotThrough()
			row, said := fails()
			if row.State != record.Parked || row.Reason != "500, each time, while other events get through" || row.Remedy != want || said != "kept stop up warned" {
				t.Errorf("at last: %s %+v", said, row)
			}
			if row, said := fails(); row.State != record.Queued || said != "kept stop down failing" {
				t.Errorf("a retry starts anew: %s %+v", said, row)
			}
		})
	}
}

// TestFailureWaits: a row's own wait grows with its attempts, and further when it has
// failed for long.
func TestFailureWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJudged(everything)
		for _, c := range []struct {
			after    time.Duration
			attempts int
			want     time.Duration
		}{
			{0, 1, time.Second}, {time.Minute, 4, 8 * time.Second}, {time.Minute, 20, 30 * time.Second}, {9 * time.Minute, 20, 15 * time.Minute},
		} {
			time.Sleep(c.after)
			r := sent()
			r.Attempts = c.attempts
			row, _ := j.outcome(r, call.Outcome{Verdict: call.Failing, Reason: "500"})
			if got := time.Until(row.Next); got != c.want {
				t.Errorf("attempt %d, %v later: waits %v, want %v", c.attempts, c.after, got, c.want)
			}
		}
	})
}

// stepped is a place that takes several calls.
type stepped struct{ stage }

func (*stepped) NextStep(call.Delivery) string { return "" }

func (*stepped) IfCounted(d call.Delivery) string {
	return fmt.Sprintf("event %d is there at step %q", d.Event.Seq, d.Step)
}

func TestInDoubtSaysWhatToLookFor(t *testing.T) {
	s := newSender(Main, &stepped{}, nil, newHealth(defaultBackoff, func(string, call.Outcome) {}), slog.New(slog.DiscardHandler))
	b := &batch{}
	s.judge(b, sent(), call.Outcome{Verdict: call.InDoubt, Step: "third"})
	if got := b.kept[0].Remedy; got != `look in the directory after a minute: if event 7 is there at step "third", accept; if not, retry` {
		t.Error(got)
	}
}
