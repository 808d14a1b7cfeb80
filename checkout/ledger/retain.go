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

func (t *txn) swept() (record.Ref, error) {
	b, err := t.get(record.TreeMeta, metaSwept)
	at, ok := record.ParseEventKey(b)
	if err == nil && b != nil && !ok {
		err = t.damaged("how far retention has come")
	}
	return at, err
}

func (t *txn) setSwept(at record.Ref) error {
	return t.put(record.TreeMeta, metaSwept, record.EventKey(at))
}

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
		err := l.view(func(t *txn) (err error) {
			s, err = t.nextSweep(before)
			return err
		})
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
func (t *txn) nextSweep(before time.Time) (*sweeper, error) {
	s := newSweeper(t)
	begin, err := t.swept()
	if err != nil {
		return nil, err
	}
	s.swept = begin
	clock := times{t: t}
	var waiting []closing // of unknown time, until one of known time follows
	n := 0
	err = t.events(begin, func(at record.Ref, raw []byte) (bool, error) {
		ev, err := t.decode(at, raw)
		if err != nil {
			return false, err
		}
		when, known, err := clock.wall(ev.At)
		if err != nil || known && !when.Before(before) {
			return false, err
		}
		waiting = append(waiting, closing{at, ev})
		n++
		if !known {
			return true, nil
		}
		for _, w := range waiting {
			if err := s.event(w.at, &w.ev); err != nil {
				return false, err
			}
		}
		waiting, s.swept = nil, at
		return n < sweepBatch, nil
	})
	if err != nil || s.swept == begin {
		return nil, err
	}
	return s, nil
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
func (s *sweeper) event(here record.Ref, ev *record.Event) error {
	switch ev.Kind {
	case checkout.Return:
		s.mark(here, eraseParts{person: true, from: true, note: true}, ev.Person, ev.From)
	case checkout.Handover, checkout.Lost:
		// The person of a hand-over has it still, as far as this event tells.
		s.mark(here, eraseParts{from: true}, ev.From)
	case checkout.Resolve:
		return s.superseded(ev)
	default:
		return nil
	}
	at, opener, err := s.t.mover(ev.Links.Device)
	s.markOpener(at, &opener)
	return err
}

// superseded marks the older of two loans, where a pending tag turned out to be a
// device that has one of its own: no event has closed it.
func (s *sweeper) superseded(ev *record.Event) error {
	if ev.Device == "" {
		return nil
	}
	a, x, err := s.t.mover(ev.Links.Device)
	if err != nil {
		return err
	}
	b, y, err := s.t.mover(ev.Links.Resolved)
	if a.Compare(b) > 0 {
		a, x = b, y
	}
	s.markOpener(a, &x)
	return err
}

// markOpener marks the beginning of a loan that is over.
func (s *sweeper) markOpener(at record.Ref, opener *record.Event) {
	if opener.Kind == checkout.Checkout || opener.Kind == checkout.Handover {
		s.mark(at, eraseParts{person: true, note: true}, opener.Person)
	}
}

// mover goes back from an event of a device to the newest that says who has
// the device. Where a pending tag turned out to be the device, that is the newer
// one of two.
func (t *txn) mover(at record.Ref) (record.Ref, record.Event, error) {
	for at.Seq != 0 {
		ev, err := t.event(at)
		if err != nil {
			return record.Ref{}, record.Event{}, err
		}
		switch ev.Kind {
		case checkout.Checkout, checkout.Handover, checkout.Return, checkout.Lost, checkout.Found:
			return at, ev, nil
		case checkout.Resolve:
			a, x, err := t.mover(ev.Links.Device)
			if err != nil {
				return record.Ref{}, record.Event{}, err
			}
			b, y, err := t.mover(ev.Links.Resolved)
			if a.Compare(b) > 0 {
				return a, x, err
			}
			return b, y, err
		}
		at = ev.Links.Device
	}
	return record.Ref{}, record.Event{}, nil
}

// apply erases what was collected, and says so in an event.
func (s *sweeper) apply(t *txn) error {
	if err := s.eraseParts(t); err != nil {
		return err
	}
	if err := t.setSwept(s.swept); err != nil || len(s.erase) == 0 {
		return err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
		Note: fmt.Sprintf("retention: %s of closed loans up to event %d anonymised", count.Of(len(s.erase), "event"), s.swept.Seq)}}
	return t.append(&ev, nil, nil)
}

// eraseParts leads the histories of the people past what goes, and erases it.
func (s *sweeper) eraseParts(t *txn) error {
	for id := range s.people {
		r, err := t.row(record.TreePeople, id)
		if err != nil {
			return err
		}
		if r != nil && r.Resolved != "" {
			delete(s.people, id)
			s.people[r.Resolved] = true
		}
	}
	for id := range s.people {
		r, err := t.row(record.TreePeople, id)
		if err != nil {
			return err
		}
		if r == nil {
			continue // erased before
		}
		if err := s.leadPast(t, party{record.TreePeople, id, r}); err != nil {
			return err
		}
	}
	for at, what := range s.erase {
		if err := t.eraseEvent(at, what); err != nil {
			return err
		}
	}
	if len(s.erase) == 0 {
		return nil
	}
	return t.put(record.TreeMeta, metaScrub, nil)
}

// leadPast links a person's history without what goes.
func (s *sweeper) leadPast(t *txn, p party) error {
	all, err := t.trail(p)
	if err != nil {
		return err
	}
	var kept []stop
	for _, st := range all {
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
	return t.relinkTrail(p, kept)
}
