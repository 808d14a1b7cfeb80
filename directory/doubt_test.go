package directory

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

const annHasIt = "before it, the stage said that Ann has it"

// doubtful is a place that finds the first call's wish fulfilled.
func doubtful(touches bool) *stage {
	place := &stage{caps: call.Capabilities{Repeatable: true, Identities: true, Parallel: 1, Settle: time.Minute}}
	place.answer = func(d call.Delivery) call.Outcome {
		switch {
		case touches && d.First():
			if err := d.Changing("asked"); err != nil {
				return call.Outcome{Verdict: call.Down, Reason: err.Error()}
			}
			return call.Outcome{Verdict: call.Failing, Reason: "no answer"}
		case d.First():
			return call.Outcome{Doubt: annHasIt}
		}
		return call.Outcome{}
	}
	return place
}

// TestDoubtOfFirstAttempt: what is so before any call of ours is told at once and kept;
// after a call that may have been counted, it is ours.
func TestDoubtOfFirstAttempt(t *testing.T) {
	for _, touches := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			out := newBox(t, Main)
			w, _ := start(t, Options{Directory: doubtful(touches), Ledger: out})
			ev := out.take("ipad")
			time.Sleep(5 * time.Minute)
			st, err := w.Status()
			if err != nil || out.waiting(Main) != 0 || len(st.Doubts) != map[bool]int{false: 1, true: 0}[touches] {
				t.Fatalf("touches %v: %+v, %v, %d rows", touches, st.Doubts, err, out.waiting(Main))
			}
			if touches {
				return
			}
			d := st.Doubts[0]
			if d.ID != fmt.Sprint(ev.Seq) || d.DeviceID != "ipad" || *d.Event.PersonID != "ann" || d.Theirs != "doubtful since event 1: "+annHasIt {
				t.Errorf("%+v", d)
			}
			var b strings.Builder
			if err := st.Write(&b, time.Now()); err != nil || !strings.Contains(b.String(), "in doubt    1: ann took ipad") ||
				!strings.Contains(b.String(), "stump sync accept 1, or: stump give, or: stump return ipad") {
				t.Errorf("%v\n%s", err, &b)
			}
			if err := w.Accept(d.ID, "admin"); err != nil {
				t.Fatal(err)
			}
			if st, err := w.Status(); err != nil || len(st.Doubts) != 0 {
				t.Errorf("accepted: %+v, %v", st.Doubts, err)
			}
			if err := w.Accept(d.ID, "admin"); err == nil {
				t.Error("accepted twice")
			}
		})
	}
}

// TestDoubtAfterAKill: a station that is killed between the doubt and the row's removal
// doubts once; one that is killed after its mark can't tell whose call it was.
func TestDoubtAfterAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		ev := out.take("ipad")
		if err := out.Doubt(keyOf(ev.Seq), Main, annHasIt); err != nil {
			t.Fatal(err)
		}
		marked := out.take("pixel")
		out.save(Main, marked.Seq, record.OutboxRow{State: record.Sending, Attempts: 1, Touched: true})
		w, _ := start(t, Options{Directory: doubtful(false), Ledger: out})
		time.Sleep(5 * time.Minute)
		st, err := w.Status()
		if err != nil || out.waiting(Main) != 0 || len(st.Doubts) != 1 || st.Doubts[0].DeviceID != "ipad" {
			t.Errorf("%+v, %v, %d rows", st.Doubts, err, out.waiting(Main))
		}
		if info, err := out.Info(); err != nil || info.Seq != marked.Seq {
			t.Errorf("%d events after the last bump, %v", info.Seq-marked.Seq, err)
		}
	})
}

// TestDoubtOfThePast: a bump before the doubt was known does not end it; the next does.
func TestDoubtOfThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad", "ipad") // taken and returned
		place := doubtful(false)
		answer := place.answer
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Kind == checkout.Return {
				return call.Outcome{}
			}
			return answer(d)
		}
		w, _ := start(t, Options{Directory: place, Ledger: out})
		time.Sleep(time.Minute)
		if st, err := w.Status(); err != nil || len(st.Doubts) != 1 || st.Doubts[0].Event.Kind != checkout.Return {
			t.Errorf("%+v, %v", st.Doubts, err)
		}
		place.mu.Lock()
		place.answer = nil
		place.mu.Unlock()
		out.take("ipad")
		if st, err := w.Status(); err != nil || len(st.Doubts) != 0 {
			t.Errorf("after the next bump: %+v, %v", st.Doubts, err)
		}
	})
}

// TestDoubtThatCannotBeSaved: nothing is done with the row before the doubt is saved.
func TestDoubtThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &faulty{box: newBox(t, Main)}
		w, stop := start(t, Options{Directory: doubtful(false), Ledger: out})
		out.fail(errFull)
		out.take("ipad")
		time.Sleep(time.Minute)
		stop()
		out.fail(nil)
		if st, err := w.Status(); err != nil || len(st.Doubts) != 0 || out.waiting(Main) != 1 {
			t.Errorf("%+v, %v, %d rows", st.Doubts, err, out.waiting(Main))
		}
	})
}

// TestNotCounted: a call that was certainly not counted leaves no mark, so that what
// others do afterwards is not taken for ours.
func TestNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		place := doubtful(false)
		var seen []call.Delivery
		place.answer = func(d call.Delivery) call.Outcome {
			seen = append(seen, d)
			verdicts := []call.Verdict{call.Down, call.Failing, call.OK}
			if err := d.Changing(string(verdicts[len(seen)-1])); err != nil {
				t.Error(err)
			}
			return call.Outcome{Verdict: verdicts[len(seen)-1], Reason: "no"}
		}
		start(t, Options{Directory: place, Ledger: out})
		out.take("ipad")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(seen) != 3 || !seen[0].First() || !seen[1].First() || seen[1].Asked != "" || seen[2].First() || seen[2].Asked != string(call.Failing) {
			t.Errorf("%+v", seen)
		}
	})
}
