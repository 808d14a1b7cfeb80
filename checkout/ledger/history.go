package ledger

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/bootclock"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// historyBatch is how many events are read in one transaction. It is small, because
// bbolt can't reuse pages while a slow reader has a transaction open, and because each of
// many readers who stop reading keeps as many, which are 2.5 kB each.
const historyBatch = 64

// maxSearch is how many events are searched for one page.
const maxSearch = 20_000

// History yields events, oldest first, and closed chains before the current one. The
// time it takes depends on what it yields, not on the length of the ledger. A page that
// is searched for long ends with a *books.UnfinishedError.
func (l *Ledger) History(f books.HistoryFilter) iter.Seq2[books.Entry, error] {
	return func(yield func(books.Entry, error) bool) {
		next, err := l.historyRefs(f)
		found, searched := 0, 0
		for batch := []books.Entry{{}}; err == nil && len(batch) > 0; {
			if err = f.Ended(); err != nil {
				break
			}
			batch, err = l.historyBatch(next)
			for _, e := range batch {
				if f.Keeps(e.Kind) && !e.Latest().Before(f.Since) && f.Finds(e.DeviceName, e.Device, e.PersonName, e.Person, e.FromName, e.From) {
					if found++; !yield(e, nil) || found == f.Limit {
						return
					}
				}
			}
			if searched += len(batch); err == nil && f.Limit > 0 && searched >= maxSearch {
				err = &books.UnfinishedError{Key: batch[len(batch)-1].Key()}
			}
		}
		if err != nil {
			yield(books.Entry{}, err)
		}
	}
}

// refSource returns the next places of events, or nil at the end.
type refSource func(t *txn, most int) []record.Ref

func (l *Ledger) historyBatch(next refSource) (batch []books.Entry, err error) {
	err = l.view(func(t *txn) {
		clock := t.times()
		for _, r := range next(t, historyBatch) {
			batch = append(batch, t.entry(r, clock))
		}
	})
	return batch, err
}

// entry reads the event at r as history shows it.
func (t *txn) entry(r record.Ref, clock *bootclock.Times) (e books.Entry) {
	ev := t.event(r)
	e.Pending = t.resolve(&ev)
	e.Event = ev.Event
	if e.Time, e.ClockTrusted = clock.Wall(ev.At); !e.ClockTrusted {
		e.Before, _ = clock.Latest(r)
	}
	return e
}

// resolve replaces resolved pending IDs by the people and devices that they became. It
// reports whether one is still pending.
func (t *txn) resolve(ev *record.Event) (pending bool) {
	self := ev.Actor != "" && ev.Actor == ev.Person
	for _, p := range []struct {
		tree     record.Tree
		id, name *string
	}{
		{record.TreePeople, &ev.Person, &ev.PersonName}, {record.TreePeople, &ev.From, &ev.FromName}, {record.TreeDevices, &ev.Device, &ev.DeviceName},
	} {
		if !checkout.IsPendingID(*p.id) {
			if p.tree == record.TreePeople {
				*p.id = t.isNow(*p.id)
			}
			continue
		}
		r := t.row(p.tree, *p.id)
		if r == nil || r.Resolved == "" {
			pending = true
			continue
		}
		*p.id = r.Resolved
		if r = t.row(p.tree, *p.id); r != nil {
			*p.name = r.Name
		}
	}
	if self {
		ev.Actor = ev.Person
	}
	return pending
}

// historyRefs returns the places of the events that a filter wants.
func (l *Ledger) historyRefs(f books.HistoryFilter) (next refSource, err error) {
	var after record.Ref
	var chains []uint16
	err = l.view(func(t *txn) {
		after = t.cursor(f.After)
		switch {
		case f.Device != "":
			next = t.partyRefs(record.TreeDevices, f.Device, f, after)
		case f.Person != "":
			next = t.partyRefs(record.TreePeople, f.Person, f, after)
		default:
			chains = slices.Sorted(maps.Keys(t.chains()))
		}
	})
	if err != nil || next != nil {
		return next, err
	}
	var from []record.Ref
	for _, i := range chains {
		if i < after.Chain {
			continue
		}
		first, err := l.firstSince(i, f)
		if err != nil {
			return nil, err
		}
		if i == after.Chain && after.Compare(first) >= 0 {
			first = after.Next()
		}
		from = append(from, first)
	}
	return allRefs(f, from), nil
}

// cursor returns the place of the event with a key; the zero place for no key.
func (t *txn) cursor(key string) record.Ref {
	if key == "" {
		return record.Ref{}
	}
	chain, seq, err := books.ParsePlace(key)
	t.must(err)
	for i, c := range t.chains() {
		if c.ID.String() == chain {
			return record.At(i, seq)
		}
	}
	t.fail(&books.CursorError{Key: key})
	return record.Ref{}
}

// allRefs goes through the events of every chain, from the first that is wanted of each.
func allRefs(f books.HistoryFilter, from []record.Ref) refSource {
	var kind []byte
	if f.Kind != books.AnyKind {
		kind = []byte(f.Kind)
	}
	return func(t *txn, most int) (refs []record.Ref) {
		for len(from) > 0 && len(refs) < most {
			c := t.bucket(record.TreeEvents).Cursor()
			for k, raw := c.Seek(record.EventKey(from[0])); k != nil && len(refs) < most; k, raw = c.Next() {
				r := t.eventKey(k)
				if r.Chain != from[0].Chain {
					break
				}
				if from[0] = r.Next(); bytes.Contains(raw, kind) { // most events need not be decoded
					refs = append(refs, r)
				}
			}
			if len(refs) < most {
				from = from[1:]
			}
		}
		return refs
	}
}

// olderRun is how many events in a row must be older than what is looked for before it is
// believed that all before them are, too: a clock may have been wrong for a while.
const olderRun = 1000

// sinceBatch is how many events firstSince looks at in one transaction.
const sinceBatch = 2000

// firstSince walks back from a chain's newest event, until olderRun events in a row are
// known to be before what is wanted.
func (l *Ledger) firstSince(chain uint16, f books.HistoryFilter) (first record.Ref, err error) {
	if f.Since.IsZero() {
		return record.At(chain, 1), nil
	}
	before, older := record.At(chain+1, 0), 0
	for err == nil && first.Seq == 0 {
		if err = f.Ended(); err == nil {
			err = l.view(func(t *txn) { first, before, older = t.olderThan(before, older, f.Since) })
		}
	}
	return first, err
}

// olderThan walks back some events of a chain from before, after older events in a row that
// are older than since. It returns the first that is wanted, if it has found it, and where
// to go on.
func (t *txn) olderThan(before record.Ref, older int, since time.Time) (first, last record.Ref, run int) {
	chain := before.Chain
	if before.Seq == 0 {
		chain--
	}
	clock := t.times()
	c := t.bucket(record.TreeEvents).Cursor()
	step := c.Prev
	if k, _ := c.Seek(record.EventKey(before)); k == nil {
		step = c.Last
	}
	k, _ := step()
	for n := 0; n < sinceBatch; n++ {
		if k == nil || t.eventKey(k).Chain != chain {
			return record.At(chain, 1), before, older
		}
		before = t.eventKey(k)
		if at, trusted := clock.Wall(t.event(before).At); trusted && !at.Before(since) {
			older = 0
		} else if older++; trusted && older > olderRun {
			return before, before, older
		}
		k, _ = c.Prev()
	}
	return record.Ref{}, before, older
}

// partyRefs follows the links of a person's or device's events.
func (t *txn) partyRefs(tr record.Tree, name string, f books.HistoryFilter, after record.Ref) refSource {
	p, both := t.find(tr, name), nobody
	if tr == record.TreeDevices && f.Person != "" {
		both = t.find(record.TreePeople, f.Person)
	}
	var refs []record.Ref
	clock, older := t.times(), 0
	t.walk(p, func(r record.Ref, ev *record.Event) bool {
		if r.Compare(after) <= 0 {
			return false
		}
		if at, trusted := clock.Wall(ev.At); trusted && at.Before(f.Since) {
			older++
			return older <= olderRun
		}
		older = 0
		seen := *ev
		if t.resolve(&seen); both == nobody || seen.Person == both.id || seen.From == both.id {
			refs = append(refs, r)
		}
		return true
	})
	slices.Reverse(refs)
	return func(_ *txn, most int) []record.Ref {
		n := min(most, len(refs))
		batch := refs[:n]
		refs = refs[n:]
		return batch
	}
}

// walk calls f with every event of a person or device, newest first, until f returns
// false. Where a pending tag became theirs, two lists of events meet, and walk merges
// them.
func (t *txn) walk(p party, f func(record.Ref, *record.Event) bool) {
	ids := map[string]bool{p.id: true}
	open := []record.Ref{p.row.Head}
	seen := map[record.Ref]bool{{}: true} // damage may cause a loop
	for len(open) > 0 {
		at := slices.MaxFunc(open, record.Ref.Compare)
		open = slices.DeleteFunc(open, func(r record.Ref) bool { return r == at })
		if seen[at] {
			continue
		}
		seen[at] = true
		ev := t.event(at)
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
		// An event that is not theirs was erased, as were those before it.
		if mine && !f(at, &ev) {
			return
		}
	}
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

// Appended returns a channel that is closed when the next event is committed.
func (l *Ledger) Appended() <-chan struct{} { return l.appended.Next() }

// Newest returns the key of this station's newest event, "" if there is none.
func (l *Ledger) Newest() (key string, err error) {
	err = l.view(func(t *txn) {
		if seq, _ := t.head(l.own); seq > 0 {
			key = t.entry(record.At(l.own, seq), t.times()).Key()
		}
	})
	return key, err
}
