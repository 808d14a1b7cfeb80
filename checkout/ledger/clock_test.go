package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// boot starts the board again, with a clock that is right or at 1970.
func (c *testClock) start(trusted bool, wall time.Time) {
	c.boot, c.mono, c.trusted, c.wall = uuid.New(), 20*time.Second, trusted, wall
}

// TestOverdueFromTheBound: a loan from a boot that never knew the time, and ended in a
// power cut, was at the latest when the time was known again.
func TestOverdueFromTheBound(t *testing.T) {
	for _, c := range []struct {
		name string
		next func(*tester) // what shows the time
	}{
		{"the clock is right", func(x *tester) {
			did, err := x.ResolveClock()
			x.ok(err)
			want(t, "an event says so", did, true)
			did, err = x.ResolveClock()
			x.ok(err)
			want(t, "once", did, false)
		}},
		{"somebody bumps", func(x *tester) { x.bump(2, 12) }},
		{"somebody else without a badge", func(x *tester) {
			x.ok(x.AddPerson(books.Person{ID: "eve", Name: "Eve"}, tag(4), "admin", checkout.SourceCLI))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newLedger(t)
			x.o.Loans.Length = time.Hour
			x.reopen()
			morning := x.clock.wall.Add(24 * time.Hour)
			x.clock.start(false, time.Unix(0, 0))
			x.bump(1, 11)
			x.clock.start(false, time.Unix(0, 0)) // once more without a time
			x.bump(1, 13)
			x.clock.start(true, morning)
			x.clock.trusted = false
			l := collect(x, books.LoanFilter{Device: "ipad", Now: morning})[0]
			want(t, "nobody knows", fmt.Sprint(l.ClockTrusted, l.Before.IsZero()), "false true")
			x.clock.trusted = true
			loan := func(after time.Duration) books.Loan {
				return collect(x, books.LoanFilter{Device: "ipad", Now: morning.Add(after)})[0]
			}
			l = loan(0)
			want(t, "before now", fmt.Sprint(l.ClockTrusted, l.Before.Sub(morning) < time.Second, l.Overdue), "false true false")
			c.next(x)
			x.clock.add(30 * time.Minute)
			l = loan(30 * time.Minute)
			want(t, "not yet", fmt.Sprint(l.Before.Sub(morning) < time.Second, l.Due.Sub(l.Before.Truncate(time.Second)), l.Overdue), "true 1h0m0s false")
			want(t, "overdue", loan(61*time.Minute).Overdue, true)
			n := 0
			for range x.Loans(books.LoanFilter{Overdue: true, Now: morning.Add(61 * time.Minute)}) {
				n++
			}
			want(t, "overdue loans", n >= 2, true)
			x.verify()
			x.clock.start(false, time.Unix(0, 0)) // today's clock says nothing of what was
			want(t, "by a doubtful clock", collect(x, books.LoanFilter{Device: "ipad", Now: x.clock.wall.Add(2 * time.Hour)})[0].Overdue, false)
		})
	}
}

// TestBoundsAreThoseOfAScan: whatever boots there were, the time of the next known event
// is found, as going through all would.
func TestBoundsAreThoseOfAScan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := newLedger(t)
		x.ok(x.update(func(tx *txn) {
			for _, n := range rapid.SliceOfN(rapid.IntRange(-3, 40), 1, 8).Draw(rt, "boots") {
				x.clock.start(n < 0, x.clock.wall) // negative: a boot that knows the time
				for range max(n, -n) {
					x.clock.add(time.Minute)
					tx.append(&record.Event{Event: checkout.Event{Kind: checkout.Correct, Source: checkout.SourceSystem}}, nobody, nobody)
				}
			}
		}))
		x.ok(x.view(func(tx *txn) {
			head, _ := tx.head(1)
			clock := tx.times()
			now := tx.l.o.Stamp() // where there is none
			scanned, at := now.Trusted, now.Wall
			for seq := head; seq > 0; seq-- {
				if wall, known := clock.Wall(tx.event(record.At(1, seq)).At); known {
					scanned, at = true, wall
				}
				if got, known := clock.Latest(record.At(1, seq)); known != scanned || scanned && !got.Equal(at) {
					rt.Fatalf("event %d of %d: %v %v, a scan finds %v %v", seq, head, got, known, at, scanned)
				}
			}
		}))
	})
}

// TestSinceLooksAtEachEvent: one event of a clock that was wrong for a while hides
// nothing, and is judged by its own time.
func TestSinceLooksAtEachEvent(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7: too old
	x.clock.add(24 * time.Hour)
	since := x.clock.wall
	x.bump(1, 12) // 8
	right := x.clock.wall
	x.clock.wall = since.Add(-365 * 24 * time.Hour)
	x.bump(1, 13) // 9: by a battery that was empty
	x.clock.wall = right.Add(time.Hour)
	x.bump(2, 13) // 10
	for f, w := range map[books.HistoryFilter]string{
		{Since: since}:                      "8:checkout 10:handover",
		{Since: since, Person: "ann"}:       "8:checkout 10:handover",
		{Since: since, Device: "nexus"}:     "10:handover",
		{Since: since.Add(-48 * time.Hour)}: "1:enrol 2:enrol 3:enrol 4:enrol 5:enrol 6:enrol 7:checkout 8:checkout 10:handover",
	} {
		want(t, fmt.Sprintf("%+v", f), x.history(f), w)
	}
}
