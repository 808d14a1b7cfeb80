package ledger

import (
	"context"
	"fmt"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/count"
)

// metaSwept is where the last event is that Anonymise has dealt with.
var metaSwept = []byte("swept")

func (t *txn) swept() record.Ref {
	b := t.get(record.TreeMeta, metaSwept)
	at, ok := record.ParseEventKey(b)
	if b != nil && !ok {
		t.damaged("how far retention has come")
	}
	return at
}

func (t *txn) setSwept(at record.Ref) { t.put(record.TreeMeta, metaSwept, record.EventKey(at)) }

// sweepBatch is how many events Anonymise looks at in one transaction.
const sweepBatch = 500

// Forget anonymises loans that were closed longer ago than keep. It waits for a
// clock that is right: one that is years ahead would have everything forgotten.
func (l *Ledger) Forget(ctx context.Context, keep time.Duration) (int, error) {
	now := l.o.Stamp()
	if !now.Trusted {
		return 0, nil
	}
	return l.Anonymise(ctx, now.Wall.Add(-keep))
}

// Anonymise erases who had what from loans that were closed before the time
// given: retention. It returns how many events lost something personal. A
// device's history stays, and an open loan is not touched, however old. Events
// whose time is not known count as old as the next whose time is.
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

// sweeper is what one transaction erases: it goes on after the last event that
// was dealt with.
type sweeper struct {
	t      *txn // of the collecting transaction
	erase  map[record.Ref]eraseParts
	people map[string]bool
	swept  record.Ref
}

func newSweeper(t *txn) *sweeper {
	return &sweeper{t: t, erase: map[record.Ref]eraseParts{}, people: map[string]bool{}}
}

// nextSweep collects the loans that the next events close. It returns nil when
// no event is old enough.
func (t *txn) nextSweep(before time.Time) *sweeper {
	s, begin := newSweeper(t), t.swept()
	s.swept = begin
	clock := times{t: t}
	var waiting []closing // of unknown time, until one of known time follows
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

// event marks the loan that ev closes, and ev itself where it is only about
// what is past.
func (s *sweeper) event(here record.Ref, ev *record.Event) {
	switch ev.Kind {
	case checkout.Return:
		s.mark(here, eraseParts{person: true, from: true, note: true}, ev.Person, ev.From)
	case checkout.Handover, checkout.Lost:
		// The person of a hand-over has it still, as far as this event tells.
		s.mark(here, eraseParts{from: true}, ev.From)
	case checkout.Resolve:
		if ev.Device != "" { // of two loans of what turned out to be one device the older is over, though no event closed it
			s.markOpener(earlier(s.t.mover(ev.Links.Device), s.t.mover(ev.Links.Resolved)))
		}
		return
	default:
		return
	}
	s.markOpener(s.t.mover(ev.Links.Device))
}

// markOpener marks the beginning of a loan that is over.
func (s *sweeper) markOpener(c closing) {
	if c.ev.Kind == checkout.Checkout || c.ev.Kind == checkout.Handover {
		s.mark(c.at, eraseParts{person: true, note: true}, c.ev.Person)
	}
}

func earlier(a, b closing) closing {
	if a.at.Compare(b.at) > 0 {
		return b
	}
	return a
}

func later(a, b closing) closing {
	if a.at.Compare(b.at) > 0 {
		return a
	}
	return b
}

// mover goes back from an event of a device to the newest that says who has
// the device. Where a pending tag turned out to be the device, that is the newer
// one of two.
func (t *txn) mover(at record.Ref) closing {
	for at.Seq != 0 {
		ev := t.event(at)
		switch ev.Kind {
		case checkout.Checkout, checkout.Handover, checkout.Return, checkout.Lost, checkout.Found:
			return closing{at, ev}
		case checkout.Resolve:
			return later(t.mover(ev.Links.Device), t.mover(ev.Links.Resolved))
		}
		at = ev.Links.Device
	}
	return closing{}
}

// apply erases what was collected, and says so in an event.
func (s *sweeper) apply(t *txn) {
	s.eraseParts(t)
	t.setSwept(s.swept)
	if len(s.erase) == 0 {
		return
	}
	t.append(&record.Event{Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
		Note: fmt.Sprintf("retention: %s of closed loans up to event %d anonymised", count.Of(len(s.erase), "event"), s.swept.Seq)}}, nobody, nobody)
}

// eraseParts leads the histories of the people past what goes, and erases it.
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
		if r != nil { // else they were erased before
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

// leadPast links a person's history without what goes.
func (s *sweeper) leadPast(t *txn, p party) {
	var kept []stop
	for _, st := range t.trail(p) {
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
	t.relinkTrail(p, kept)
}
