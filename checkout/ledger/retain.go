package ledger

import (
	"context"
	"fmt"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/count"
)

// metaSwept is the place of the last event that Anonymise has processed.
var metaSwept = []byte("swept")

func (t *txn) swept() record.Ref {
	b := t.get(record.TreeMeta, metaSwept)
	at, ok := record.ParseEventKey(b)
	if b != nil && !ok {
		t.damaged("the place that retention has reached")
	}
	return at
}

func (t *txn) setSwept(at record.Ref) { t.put(record.TreeMeta, metaSwept, record.EventKey(at)) }

// sweepBatch is how many events Anonymise looks at in one transaction.
const sweepBatch = 500

// Forget anonymises loans that were closed longer ago than keep. It does nothing while
// the clock is not trusted, since a clock that is years ahead would erase everything.
func (l *Ledger) Forget(ctx context.Context, keep time.Duration) (int, error) {
	now := l.o.Stamp()
	if !now.Trusted {
		return 0, nil
	}
	return l.Anonymise(ctx, now.Wall.Add(-keep))
}

// Anonymise erases who had what from loans that were closed before a time. It returns
// the number of changed events. The device's history stays, and open loans are not
// touched. An event without a known time counts as old as the next one with a time.
func (l *Ledger) Anonymise(ctx context.Context, before time.Time) (int, error) {
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		var s *sweeper
		err := l.view(func(t *txn) { s = t.nextSweep(before) })
		if err != nil || s == nil {
			return total, err
		}
		if err := l.update(s.apply); err != nil {
			return total, err
		}
		total += len(s.erase)
	}
}

// sweeper collects what one transaction erases, from the last processed event on.
type sweeper struct {
	t      *txn // of the collecting transaction
	erase  map[record.Ref]eraseParts
	people map[string]bool
	swept  record.Ref
}

func newSweeper(t *txn) *sweeper {
	return &sweeper{t: t, erase: map[record.Ref]eraseParts{}, people: map[string]bool{}}
}

// nextSweep collects the loans that the next events close. It returns nil if no event is
// old enough.
func (t *txn) nextSweep(before time.Time) *sweeper {
	s, begin := newSweeper(t), t.swept()
	s.swept = begin
	clock := times{t: t}
	var waiting []closing // without a known time, until an event with one follows
	n := 0
	t.events(begin, func(at record.Ref, raw []byte) bool {
		ev, err := t.decode(at, raw)
		t.must(err)
		when, known := clock.wall(ev.At)
		if known && !when.Before(before) {
			return false
		}
		waiting = append(waiting, closing{at, ev})
		n++
		if known {
			for _, w := range waiting {
				s.event(w.at, &w.ev)
			}
			waiting, s.swept = nil, at
		}
		return !known || n < sweepBatch
	})
	if s.swept == begin {
		return nil
	}
	return s
}

type closing struct {
	at record.Ref
	ev record.Event
}

func (s *sweeper) mark(r record.Ref, what eraseParts, who ...string) {
	s.erase[r] = s.erase[r].or(what)
	for _, id := range who {
		if id != "" {
			s.people[id] = true
		}
	}
}

// event marks the loan that ev closes, and ev itself if it is only about that loan.
func (s *sweeper) event(here record.Ref, ev *record.Event) {
	switch ev.Kind {
	case checkout.Return:
		s.mark(here, eraseParts{person: true, from: true, note: true}, ev.Person, ev.From)
	case checkout.Handover, checkout.Lost:
		// The new holder may still have the device.
		s.mark(here, eraseParts{from: true}, ev.From)
	case checkout.Resolve:
		if ev.Device != "" { // two devices were one: the older of the two loans is over, though no event closed it
			older, _ := sorted(s.t.mover(ev.Links.Device), s.t.mover(ev.Links.Resolved))
			s.markOpener(older)
		}
		return
	default:
		return
	}
	s.markOpener(s.t.mover(ev.Links.Device))
}

// markOpener marks the event that began a loan which is over.
func (s *sweeper) markOpener(c closing) {
	if c.ev.Kind == checkout.Checkout || c.ev.Kind == checkout.Handover {
		s.mark(c.at, eraseParts{person: true, note: true}, c.ev.Person)
	}
}

// sorted returns two events in the order of their places.
func sorted(a, b closing) (earlier, later closing) {
	if a.at.Compare(b.at) > 0 {
		return b, a
	}
	return a, b
}

// mover goes back from an event of a device to the newest event that says who has the
// device. Where a pending tag became the device, two histories meet.
func (t *txn) mover(at record.Ref) closing {
	for at.Seq != 0 {
		ev := t.event(at)
		switch ev.Kind {
		case checkout.Checkout, checkout.Handover, checkout.Return, checkout.Lost, checkout.Found:
			return closing{at, ev}
		case checkout.Resolve:
			_, newer := sorted(t.mover(ev.Links.Device), t.mover(ev.Links.Resolved))
			return newer
		}
		at = ev.Links.Device
	}
	return closing{}
}

// apply erases what was collected, and appends an event about it.
func (s *sweeper) apply(t *txn) {
	s.eraseParts(t)
	t.setSwept(s.swept)
	if len(s.erase) == 0 {
		return
	}
	t.append(&record.Event{Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
		Note: fmt.Sprintf("retention: %s of closed loans up to event %d anonymised", count.Of(len(s.erase), "event"), s.swept.Seq)}}, nobody, nobody)
}

// eraseParts unlinks what goes from the histories of people, and erases it.
func (s *sweeper) eraseParts(t *txn) {
	if len(s.erase) == 0 {
		return
	}
	people := map[string]*record.Row{}
	for id := range s.people {
		r := t.row(record.TreePeople, id)
		if r != nil && r.Resolved != "" {
			id = r.Resolved
			r = t.row(record.TreePeople, id)
		}
		if r != nil { // else they are erased already
			people[id] = r
		}
	}
	for id, r := range people {
		s.leadPast(t, party{record.TreePeople, id, r})
	}
	for at, what := range s.erase {
		t.eraseEvent(at, what)
	}
	t.put(record.TreeMeta, metaScrub, nil)
}

// leadPast links a person's history without the events that are erased.
func (s *sweeper) leadPast(t *txn, p party) {
	var kept []stop
	trail, ids := t.trail(p)
	for _, st := range trail {
		gone := s.erase[st.at]
		if gone.person {
			st.person = ""
		}
		if gone.from {
			st.from = ""
		}
		if st.person != "" || st.from != "" {
			kept = append(kept, st)
		}
	}
	t.relinkTrail(ids, kept)
}
