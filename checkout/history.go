package checkout

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"
)

// Entry is an event as history shows it: pending people and devices that have
// been resolved since have their names, and times that became known are set.
type Entry struct {
	Event
	// Time is the wall time as far as it is known now.
	Time         time.Time
	ClockTrusted bool
	// Pending is set while the person, previous holder or device is not known.
	Pending bool
}

// EntryJSON is an entry as `history --json` and webhooks write it: every key is
// there, unknown is null.
type EntryJSON struct {
	Station      string     `json:"station"`
	Seq          uint64     `json:"seq"`
	ID           string     `json:"id"`
	Kind         Kind       `json:"kind"`
	Reader       *string    `json:"reader"`
	Actor        *string    `json:"actor"`
	Device       *string    `json:"device"`
	DeviceID     *string    `json:"device_id"`
	Person       *string    `json:"person"`
	PersonID     *string    `json:"person_id"`
	From         *string    `json:"from"`
	FromID       *string    `json:"from_id"`
	At           *time.Time `json:"at"`
	ClockTrusted bool       `json:"clock_trusted"`
	Source       *string    `json:"source"`
	Note         *string    `json:"note"`
}

// JSON returns the entry's written form. Who or what is pending has no id and no
// name, and its masked number in the note, as is what was said of a device's
// condition.
func (e Entry) JSON() EntryJSON {
	note := e.Note
	if e.Condition != "" {
		note = strings.TrimPrefix(note+", condition: "+e.Condition, ", ")
	}
	for _, p := range []struct{ id, what, mask string }{
		{e.Device, "device", e.DeviceTag}, {e.Person, "badge", e.PersonTag}, {e.From, "from badge", e.FromTag},
	} {
		if p.mask != "" && (p.id == "" || IsPendingID(p.id)) {
			note = pendingNote(note, p.what, p.mask)
		}
	}
	id := func(s string) *string {
		if IsPendingID(s) {
			return nil
		}
		return null(s)
	}
	return EntryJSON{
		e.Station, e.Seq, e.ID.String(), e.Kind, null(e.Reader), id(e.Actor), null(e.DeviceName), id(e.Device),
		null(e.PersonName), id(e.Person), null(e.FromName), id(e.From), nullTime(e.Time), e.ClockTrusted,
		null(string(e.Source)), null(note),
	}
}

// MarshalJSON writes EntryJSON.
func (e Entry) MarshalJSON() ([]byte, error) { return json.Marshal(e.JSON()) }

// errStop ends an iteration.
var errStop = errors.New("stop")

// HistoryFilter chooses events. Person and Device are IDs or exact names.
type HistoryFilter struct {
	Person, Device string
	// Since keeps what happened at that time or later. An event whose time is
	// not known counts as later, unless one after it is known to be earlier.
	Since time.Time
	// Station keeps the events of one station; all if empty.
	Station string
}

// historyBatch is how many events are read in one transaction: a slow reader
// must not keep the file's pages from being used again.
const historyBatch = 256

// History yields events, oldest first, a station after the other. The work is
// proportional to what it yields, however long the ledger is.
func (l *Ledger) History(f HistoryFilter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		next, err := l.historyRefs(f)
		if err != nil {
			yield(Entry{}, err)
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
				yield(Entry{}, err)
				return
			}
			if len(batch) == 0 {
				return
			}
		}
	}
}

// refSource gives the places of events, batch by batch; nil at the end.
type refSource func(t *txn, most int) ([]ref, error)

func (l *Ledger) historyBatch(next refSource) ([]Entry, error) {
	var batch []Entry
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
func (t *txn) entry(r ref, clock *times) (Entry, error) {
	ev, err := t.event(r)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{}
	if e.Pending, err = t.resolve(&ev); err != nil {
		return e, err
	}
	e.Event = ev.Event
	e.Time, e.ClockTrusted, err = clock.wall(ev.At)
	return e, err
}

// resolve puts the people and devices in the place of pending IDs that have
// been resolved. It reports whether one is pending still.
func (t *txn) resolve(ev *stored) (pending bool, err error) {
	who := func(tr tree, id, name *string) {
		if err != nil || !IsPendingID(*id) {
			return
		}
		var r *row
		if r, err = t.row(tr, *id); err != nil {
			return
		}
		if r == nil || r.resolved == "" {
			pending = true
			return
		}
		*id = r.resolved
		if r, err = t.row(tr, *id); r != nil {
			*name = r.name
		}
	}
	self := ev.Actor != "" && ev.Actor == ev.Person
	who(treePeople, &ev.Person, &ev.PersonName)
	who(treePeople, &ev.From, &ev.FromName)
	who(treeDevices, &ev.Device, &ev.DeviceName)
	if self {
		ev.Actor = ev.Person
	}
	return pending, err
}

// historyRefs finds where to begin and how to go on.
func (l *Ledger) historyRefs(f HistoryFilter) (next refSource, err error) {
	err = l.view(func(t *txn) error {
		switch {
		case f.Device != "":
			next, err = t.partyRefs(treeDevices, f.Device, f)
		case f.Person != "":
			next, err = t.partyRefs(treePeople, f.Person, f)
		default:
			next, err = t.allRefs(f)
		}
		return err
	})
	return next, err
}

// allRefs goes through the events of every station that the filter wants.
func (t *txn) allRefs(f HistoryFilter) (refSource, error) {
	var from []ref
	for i := uint16(1); int(i) <= len(t.l.names); i++ {
		if f.Station != "" && t.l.names[i] != f.Station {
			continue
		}
		first, err := t.firstSince(i, f.Since)
		if err != nil {
			return nil, err
		}
		from = append(from, first)
	}
	return func(t *txn, most int) ([]ref, error) {
		var refs []ref
		for len(from) > 0 && len(refs) < most {
			n := len(refs)
			c := t.tx.Bucket(treeEvents.bucket()).Cursor()
			for k, _ := c.Seek(eventKey(from[0])); k != nil && len(refs) < most; k, _ = c.Next() {
				r, ok := parseEventKey(k)
				if !ok {
					return nil, t.damaged("an event key")
				}
				if r.station != from[0].station {
					break
				}
				refs = append(refs, r)
			}
			if len(refs) == n {
				from = from[1:]
			} else {
				from[0].seq = refs[len(refs)-1].seq + 1
			}
		}
		return refs, nil
	}, nil
}

// firstSince walks back from a station's newest event to the first that is
// not known to be before since.
func (t *txn) firstSince(station uint16, since time.Time) (ref, error) {
	first := ref{station, 1}
	if since.IsZero() {
		return first, nil
	}
	clock := times{t: t}
	c := t.tx.Bucket(treeEvents.bucket()).Cursor()
	step := c.Prev
	if k, _ := c.Seek(eventKey(ref{station + 1, 0})); k == nil {
		step = c.Last
	}
	for k, v := step(); k != nil; k, v = c.Prev() {
		r, ok := parseEventKey(k)
		if !ok || r.station != station {
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
			return ref{station, r.seq + 1}, nil
		}
	}
	return first, nil
}

// partyRefs follows the links of a person's or device's events.
func (t *txn) partyRefs(tr tree, name string, f HistoryFilter) (refSource, error) {
	p, err := t.findParty(tr, name)
	if err != nil {
		return nil, err
	}
	var also party // Person and Device both: keep what has both
	if tr == treeDevices && f.Person != "" {
		if also, err = t.findParty(treePeople, f.Person); err != nil {
			return nil, err
		}
	}
	var refs []ref
	clock := times{t: t}
	err = t.walk(p, func(r ref, ev *stored) error {
		if !f.Since.IsZero() {
			at, trusted, err := clock.wall(ev.At)
			if err != nil {
				return err
			}
			if trusted && at.Before(f.Since) {
				return errStop
			}
		}
		if f.Station != "" && ev.Station != f.Station {
			return nil
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
	return func(_ *txn, most int) ([]ref, error) {
		n := min(most, len(refs))
		batch := refs[:n]
		refs = refs[n:]
		return batch, nil
	}, nil
}

// walk calls f with every event of a person or device, newest first. Where a
// pending tag turned out to be theirs, two lines of events meet: the walk goes
// on with the newer of the two each time.
func (t *txn) walk(p party, f func(ref, *stored) error) error {
	ids := map[string]bool{p.id: true}
	open := []ref{p.row.head}
	seen := map[ref]bool{{}: true} // damage may lead in a circle
	for len(open) > 0 {
		slices.SortFunc(open, ref.compare)
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
		if ev.resolved != "" && (ids[ev.Person] || ids[ev.Device]) {
			ids[ev.resolved] = true
			open = append(open, ev.links.resolved)
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
	link ref
}

func roles(ev *stored, tr tree) []role {
	if tr == treeDevices {
		return []role{{ev.Device, ev.links.device}}
	}
	return []role{{ev.Person, ev.links.person}, {ev.From, ev.links.from}}
}

// compare orders places: by station, a later name of it after an earlier one,
// then by sequence.
func (r ref) compare(o ref) int {
	return cmp.Or(cmp.Compare(r.station, o.station), cmp.Compare(r.seq, o.seq))
}
