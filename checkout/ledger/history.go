package ledger

import (
	"errors"
	"iter"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// errStop ends an iteration.
var errStop = errors.New("stop")

// historyBatch is how many events are read in one transaction: a slow reader
// must not keep the file's pages from being used again.
const historyBatch = 256

// History yields events, oldest first, a station after the other. The work is
// proportional to what it yields, however long the ledger is.
func (l *Ledger) History(f checkout.HistoryFilter) iter.Seq2[checkout.Entry, error] {
	return func(yield func(checkout.Entry, error) bool) {
		next, err := l.historyRefs(f)
		if err != nil {
			yield(checkout.Entry{}, err)
			return
		}
		for {
			batch, err := l.historyBatch(next)
			for _, e := range batch {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(checkout.Entry{}, err)
				return
			}
			if len(batch) == 0 {
				return
			}
		}
	}
}

// refSource gives the places of events, batch by batch; nil at the end.
type refSource func(t *txn, most int) ([]record.Ref, error)

func (l *Ledger) historyBatch(next refSource) ([]checkout.Entry, error) {
	var batch []checkout.Entry
	err := l.view(func(t *txn) error {
		refs, err := next(t, historyBatch)
		if err != nil {
			return err
		}
		clock := times{t: t}
		for _, r := range refs {
			e, err := t.entry(r, &clock)
			if err != nil {
				return err
			}
			batch = append(batch, e)
		}
		return nil
	})
	return batch, err
}

// entry reads the event at r as history shows it.
func (t *txn) entry(r record.Ref, clock *times) (checkout.Entry, error) {
	ev, err := t.event(r)
	if err != nil {
		return checkout.Entry{}, err
	}
	e := checkout.Entry{}
	if e.Pending, err = t.resolve(&ev); err != nil {
		return e, err
	}
	e.Event = ev.Event
	e.Time, e.ClockTrusted, err = clock.wall(ev.At)
	return e, err
}

// resolve puts the people and devices in the place of pending IDs that have
// been resolved. It reports whether one is pending still.
func (t *txn) resolve(ev *record.Event) (pending bool, err error) {
	who := func(tr record.Tree, id, name *string) {
		if err != nil || !checkout.IsPendingID(*id) {
			return
		}
		var r *record.Row
		if r, err = t.row(tr, *id); err != nil {
			return
		}
		if r == nil || r.Resolved == "" {
			pending = true
			return
		}
		*id = r.Resolved
		if r, err = t.row(tr, *id); r != nil {
			*name = r.Name
		}
	}
	self := ev.Actor != "" && ev.Actor == ev.Person
	who(record.TreePeople, &ev.Person, &ev.PersonName)
	who(record.TreePeople, &ev.From, &ev.FromName)
	who(record.TreeDevices, &ev.Device, &ev.DeviceName)
	if self {
		ev.Actor = ev.Person
	}
	return pending, err
}

// historyRefs finds where to begin and how to go on.
func (l *Ledger) historyRefs(f checkout.HistoryFilter) (next refSource, err error) {
	err = l.view(func(t *txn) error {
		switch {
		case f.Device != "":
			next, err = t.partyRefs(record.TreeDevices, f.Device, f)
		case f.Person != "":
			next, err = t.partyRefs(record.TreePeople, f.Person, f)
		default:
			next, err = t.allRefs(f)
		}
		return err
	})
	return next, err
}

// allRefs goes through the events of every chain.
func (t *txn) allRefs(f checkout.HistoryFilter) (refSource, error) {
	chains, err := t.sortedChains()
	if err != nil {
		return nil, err
	}
	var from []record.Ref
	for _, i := range chains {
		first, err := t.firstSince(i, f.Since)
		if err != nil {
			return nil, err
		}
		from = append(from, first)
	}
	return func(t *txn, most int) ([]record.Ref, error) {
		var refs []record.Ref
		for len(from) > 0 && len(refs) < most {
			n := len(refs)
			c := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
			for k, _ := c.Seek(record.EventKey(from[0])); k != nil && len(refs) < most; k, _ = c.Next() {
				r, ok := record.ParseEventKey(k)
				if !ok {
					return nil, t.damaged("an event key")
				}
				if r.Chain != from[0].Chain {
					break
				}
				refs = append(refs, r)
			}
			if len(refs) == n {
				from = from[1:]
			} else {
				from[0].Seq = refs[len(refs)-1].Seq + 1
			}
		}
		return refs, nil
	}, nil
}

// firstSince walks back from a chain's newest event to the first that is not
// known to be before since.
func (t *txn) firstSince(chain uint16, since time.Time) (record.Ref, error) {
	first := record.At(chain, 1)
	if since.IsZero() {
		return first, nil
	}
	clock := times{t: t}
	c := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
	step := c.Prev
	if k, _ := c.Seek(record.EventKey(record.At(chain+1, 0))); k == nil {
		step = c.Last
	}
	for k, v := step(); k != nil; k, v = c.Prev() {
		r, ok := record.ParseEventKey(k)
		if !ok || r.Chain != chain {
			break
		}
		ev, err := t.decode(r, v)
		if err != nil {
			return first, err
		}
		at, trusted, err := clock.wall(ev.At)
		if err != nil {
			return first, err
		}
		if trusted && at.Before(since) {
			return record.At(chain, r.Seq+1), nil
		}
	}
	return first, nil
}

// partyRefs follows the links of a person's or device's events.
func (t *txn) partyRefs(tr record.Tree, name string, f checkout.HistoryFilter) (refSource, error) {
	p, err := t.findParty(tr, name)
	if err != nil {
		return nil, err
	}
	var also party // Person and Device both: keep what has both
	if tr == record.TreeDevices && f.Person != "" {
		if also, err = t.findParty(record.TreePeople, f.Person); err != nil {
			return nil, err
		}
	}
	var refs []record.Ref
	clock := times{t: t}
	err = t.walk(p, func(r record.Ref, ev *record.Event) error {
		if !f.Since.IsZero() {
			at, trusted, err := clock.wall(ev.At)
			if err != nil {
				return err
			}
			if trusted && at.Before(f.Since) {
				return errStop
			}
		}
		if also.id != "" {
			seen := *ev
			if _, err := t.resolve(&seen); err != nil {
				return err
			}
			if seen.Person != also.id && seen.From != also.id {
				return nil
			}
		}
		refs = append(refs, r)
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	slices.Reverse(refs)
	return func(_ *txn, most int) ([]record.Ref, error) {
		n := min(most, len(refs))
		batch := refs[:n]
		refs = refs[n:]
		return batch, nil
	}, nil
}

// walk calls f with every event of a person or device, newest first. Where a
// pending tag turned out to be theirs, two lines of events meet: the walk goes
// on with the newer of the two each time.
func (t *txn) walk(p party, f func(record.Ref, *record.Event) error) error {
	ids := map[string]bool{p.id: true}
	open := []record.Ref{p.row.Head}
	seen := map[record.Ref]bool{{}: true} // damage may lead in a circle
	for len(open) > 0 {
		slices.SortFunc(open, record.Ref.Compare)
		at := open[len(open)-1]
		open = open[:len(open)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		ev, err := t.event(at)
		if err != nil {
			return err
		}
		mine := false
		if ev.Resolved != "" && (ids[ev.Person] || ids[ev.Device]) {
			ids[ev.Resolved] = true
			open = append(open, ev.Links.Resolved)
		}
		for _, role := range roles(&ev, p.tree) {
			if ids[role.id] {
				mine = true
				open = append(open, role.link)
			}
		}
		if !mine {
			continue // erased: what was before it is erased too
		}
		if err := f(at, &ev); err != nil {
			return err
		}
	}
	return nil
}

// role is a part that a person or device has in an event.
type role struct {
	id   string
	link record.Ref
}

func roles(ev *record.Event, tr record.Tree) []role {
	if tr == record.TreeDevices {
		return []role{{ev.Device, ev.Links.Device}}
	}
	return []role{{ev.Person, ev.Links.Person}, {ev.From, ev.Links.From}}
}
