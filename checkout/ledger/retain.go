package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
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

// Bounds of what Anonymise does at once. A tap waits for a transaction that writes.
const (
	sweepEvents  = 20_000 // looked at before any is erased
	sweepRead    = 2000   // looked at in one transaction, as many of a person's history
	sweepErasure = 50     // erased in one transaction
)

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
		s, err := l.nextSweep(ctx, before)
		if err == nil && s != nil {
			err = l.sweep(ctx, s)
		}
		if err != nil || s == nil {
			return total, err
		}
		total += len(s.erase)
	}
}

// nextSweep collects the loans that the next events close. It returns nil if no event is
// old enough.
func (l *Ledger) nextSweep(ctx context.Context, before time.Time) (s *sweeper, err error) {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := l.view(func(t *txn) {
			if s == nil {
				s = newSweeper(t)
				s.swept = t.swept()
			}
			s.t = t
			more = s.collect(before)
		})
		if err != nil {
			return nil, err
		}
	}
	if s.seen == 0 {
		return nil, nil
	}
	return s, nil
}

// sweep erases what was collected, some in each transaction. Each leaves whole histories.
func (l *Ledger) sweep(ctx context.Context, s *sweeper) error {
	for left := slices.Sorted(maps.Keys(s.people)); len(left) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var then []string
		if err := l.update(func(t *txn) { then = s.eraseSome(t, left) }); err != nil {
			return err
		}
		left = then
	}
	// What is in nobody's history any more.
	all := slices.Collect(maps.Keys(s.erase))
	sort.Slice(all, func(i, j int) bool { return all[i].Compare(all[j]) < 0 })
	for some := range slices.Chunk(all, sweepRead) {
		var rest []record.Ref
		err := l.view(func(t *txn) {
			rest = slices.DeleteFunc(some, func(at record.Ref) bool { return t.lacks(at, s.erase[at]) })
		})
		for few := range slices.Chunk(rest, sweepErasure) {
			if err == nil {
				err = l.update(func(t *txn) {
					for _, at := range few {
						t.eraseEvent(at, s.erase[at])
					}
					t.put(record.TreeMeta, metaScrub, nil)
				})
			}
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
	}
	return l.update(s.done)
}

// lacks reports whether an event has nothing of what is to be erased.
func (t *txn) lacks(at record.Ref, what eraseParts) bool {
	ev := t.event(at)
	return (!what.person || ev.Person == "") && (!what.from || ev.From == "") && (!what.note || ev.Note == "")
}

// sweeper collects what is to be erased, from the last processed event on.
type sweeper struct {
	t      *txn // of the collecting transaction
	erase  map[record.Ref]eraseParts
	people map[string]bool
	swept  record.Ref
	seen   int // events that it has looked at
}

func newSweeper(t *txn) *sweeper {
	return &sweeper{t: t, erase: map[record.Ref]eraseParts{}, people: map[string]bool{}}
}

// collect looks at the next events. It reports whether there may be more.
func (s *sweeper) collect(before time.Time) bool {
	begin, clock := s.swept, s.t.times()
	var waiting []closing // without a known time, until an event with one follows
	n := 0
	s.t.events(begin, func(at record.Ref, raw []byte) bool {
		ev, err := s.t.decode(at, raw)
		s.t.must(err)
		when, known := clock.Wall(ev.At)
		if known && !when.Before(before) {
			return false
		}
		waiting = append(waiting, closing{at, ev})
		n++
		if known {
			for _, w := range waiting {
				s.event(w.at, &w.ev)
			}
			s.seen += len(waiting)
			waiting, s.swept = nil, at
		}
		return !known || n < sweepRead
	})
	return s.swept != begin && s.seen < sweepEvents
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
			s.markLoan(older.at)
		}
		return
	case checkout.Notify: // the loan has its own events
		s.mark(here, eraseParts{person: true, from: true, note: true}, ev.Person, ev.From)
		return
	case checkout.Cancel, checkout.Ready:
		s.mark(here, eraseParts{person: true, note: true}, ev.Person)
		if ev.Kind == checkout.Cancel {
			s.markReservation(here, ev)
		}
		return
	default:
		return
	}
	s.markLoan(ev.Links.Device)
}

// markLoan marks the events of a loan that is over, back from its last.
func (s *sweeper) markLoan(at record.Ref) {
	for at.Seq != 0 {
		ev := s.t.event(at)
		if ev.Kind.MovesDevice() {
			break
		}
		if ev.Kind == checkout.Extend || ev.Kind == checkout.Remind {
			s.mark(at, eraseParts{person: true, note: true}, ev.Person)
		}
		at = ev.Links.Device
	}
	s.markOpener(s.t.mover(at))
}

// markOpener marks the event that began a loan which is over.
func (s *sweeper) markOpener(c closing) {
	if c.ev.Kind == checkout.Checkout || c.ev.Kind == checkout.Handover {
		s.mark(c.at, eraseParts{person: true, note: true}, c.ev.Person)
		s.markReservation(c.at, &c.ev)
	}
}

// markReservation marks the event that made the reservation which another has ended.
func (s *sweeper) markReservation(at record.Ref, ev *record.Event) {
	if made := record.At(at.Chain, ev.Booking.Seq); made.Seq != 0 && ev.Booking.Chain.IsZero() {
		s.mark(made, eraseParts{person: true, note: true}, ev.Person)
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

// done notes how far the sweep came, and appends an event about it.
func (s *sweeper) done(t *txn) {
	t.setSwept(s.swept)
	if len(s.erase) == 0 {
		return
	}
	t.append(&record.Event{Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
		Note: fmt.Sprintf("retention: %s of closed loans up to event %d anonymised", count.Of(len(s.erase), "event"), s.swept.Seq)}}, nobody, nobody)
}

// eraseSome erases what is to go from the histories of some people, and returns those that
// are left, or have more.
func (s *sweeper) eraseSome(t *txn, people []string) (left []string) {
	read, erased := 0, 0
	for len(people) > 0 && read < sweepRead && erased < sweepErasure {
		had, gone, more := s.leadPast(t, people[0], sweepErasure-erased)
		read, erased = read+had, erased+gone
		if !more {
			people = people[1:]
		}
	}
	if erased > 0 {
		t.put(record.TreeMeta, metaScrub, nil)
	}
	return people
}

// eraseParts erases all in one transaction.
func (s *sweeper) eraseParts(t *txn) {
	if len(s.erase) == 0 {
		return
	}
	for id := range s.people {
		s.leadPast(t, id, len(s.erase))
	}
	for at, what := range s.erase {
		t.eraseEvent(at, what)
	}
	t.put(record.TreeMeta, metaScrub, nil)
}

// leadPast erases at most most of what is to go from a person's history, and links the
// history without it. It returns how long the history was, how much is erased, and whether
// there is more.
func (s *sweeper) leadPast(t *txn, id string, most int) (had, erased int, more bool) {
	r := t.row(record.TreePeople, id)
	if r != nil && r.Resolved != "" {
		id = r.Resolved
		r = t.row(record.TreePeople, id)
	}
	if r == nil { // they are erased already
		return 0, 0, false
	}
	var kept []stop
	trail, ids := t.trail(party{record.TreePeople, id, r})
	gone := map[record.Ref]eraseParts{}
	for _, st := range trail {
		what := s.erase[st.at]
		what.person, what.from = what.person && st.person != "", what.from && st.from != ""
		switch {
		case !what.person && !what.from:
		case len(gone) == most:
			more = true
		default:
			gone[st.at] = what
			if what.person {
				st.person = ""
			}
			if what.from {
				st.from = ""
			}
		}
		if st.person != "" || st.from != "" {
			kept = append(kept, st)
		}
	}
	if len(gone) > 0 {
		t.relinkTrail(ids, kept)
	}
	for at, what := range gone {
		t.eraseEvent(at, what)
	}
	return len(trail), len(gone), more
}
