package ledger

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/replay"
	"stump/checkout/ledger/report"
	"stump/checkout/ledger/wreck"
	"stump/internal/sitekey"
)

// salvager writes what could be read of a damaged file into a new one. Events, chains and
// rows keep their places. Links, loans and heads are computed from the events.
type salvager struct {
	*wreck.Wreck
	o    Options
	keys *sitekey.Ring
	made map[record.Tree]map[string]*record.Row // people and devices known from events only
	// unmerged are people whose row says into whom they were merged, though no event does.
	unmerged map[string]string
	result   *Salvaged

	sinkNames map[uint16]string // by index
}

// fill writes what was saved into a new, empty file.
func (s *salvager) fill(db *bolt.DB) error {
	s.made = map[record.Tree]map[string]*record.Row{record.TreePeople: {}, record.TreeDevices: {}}
	s.unmerged = map[string]string{}
	s.result.Events = uint64(len(s.Events))
	s.result.Partial = !s.Intact(record.TreePeople, record.TreeDevices)
	if err := s.NameChains(); err != nil {
		return err
	}
	l := &Ledger{core: &core{path: db.Path(), o: s.o, keys: s.keys, db: db, ceiling: math.MaxUint64, own: s.Own, sinkIDs: map[string]uint16{}}}
	// The file has a temporary name, so one sync at the end is enough.
	db.NoSync = true
	defer func() { db.NoSync = false }()
	steps := []func(*txn){(*txn).initTrees, s.fillMeta}
	seen := replay.New()
	const batch = 1000
	for some := range slices.Chunk(s.InOrder(), batch) {
		steps = append(steps, func(t *txn) { s.fillEvents(t, some, seen) })
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(s.Rows[record.TreeOutbox])), batch) {
		steps = append(steps, func(t *txn) { s.fillOutbox(t, some) })
	}
	steps = append(steps, func(t *txn) {
		restate := s.fillRows(t, seen)
		fix, err := booking.Refill(booking.In(t.tx), seen.Reservations, s.Rows[record.TreeReservations], s.Intact(record.TreeReservations), func(at record.Ref) bool {
			_, there := s.Find(at)
			return there
		})
		t.must(err)
		for key, body := range s.Rows[record.TreeUnknown] {
			t.put(record.TreeUnknown, []byte(key), body)
		}
		s.begin(t, restate)
		t.bookings().Refilled(fix)
	})
	for _, step := range steps {
		if err := l.updateNow(step); err != nil {
			return err
		}
	}
	return nil
}

// fillMeta writes the chains, the sinks, and other rows of the meta tree.
func (s *salvager) fillMeta(t *txn) {
	for i, c := range s.Chains {
		t.putChain(i, c)
	}
	t.setOwn(s.Own)
	if len(s.Chains) > 1 {
		t.setRuns(s.Order())
	}
	var taken []uint16
	for name, c := range s.Sinks() {
		t.l.sinkIDs[name] = c.Index
		taken = append(taken, c.Index)
	}
	for i, name := range s.o.Sinks { // most have the number of their place
		for id := uint16(i + 1); t.l.sinkIDs[name] == 0; id++ {
			if !slices.Contains(taken, id) {
				t.l.sinkIDs[name] = id
				taken = append(taken, id)
			}
		}
	}
	s.sinkNames = map[uint16]string{}
	for name, i := range t.l.sinkIDs {
		s.sinkNames[i] = name
		t.putSink(name, record.Sink{Index: i})
	}
	meta := s.Rows[record.TreeMeta]
	for _, key := range [][]byte{metaSimulated, metaSwept, metaScrub, journal.Key} {
		if body, ok := meta[string(key)]; ok {
			t.put(record.TreeMeta, key, body)
		}
	}
	check := t.l.keys.Check(0)
	if old, ok := meta[string(metaKey)]; ok {
		check = old
	}
	t.put(record.TreeMeta, metaKey, check)
}

// fillEvents copies events. It computes their links, since the linked events may be lost;
// the hashed part stays the same.
func (s *salvager) fillEvents(t *txn, some []wreck.Event, seen *replay.Replay) {
	for _, e := range some {
		b, ev, err := s.Load(e)
		t.must(err)
		ev.Links = seen.Links(&ev)
		seen.Event(e.At, &ev)
		s.remember(&ev)
		sealed, err := record.Rewrite(b, func(_ *record.Secrets, l *record.Links, _ *bool) { *l = ev.Links })
		t.must(err)
		t.putEvent(e.At, sealed)
		t.setHead(e.At.Chain, ev.Seq, ev.Hash)
		t.noteBoot(&ev, e.At)
		if e.At.Chain == s.Own {
			s.result.LastSeq = ev.Seq
		}
	}
}

// restated is a loan that only the device's row shows, since its event is lost.
type restated struct {
	device string
	loan   record.Loan
}

// fillRows writes devices, people and tags: the register from the rows, loans and
// histories from the events.
func (s *salvager) fillRows(t *txn, seen *replay.Replay) (restate []restated) {
	for _, part := range []struct {
		tree  record.Tree
		heads map[string]record.Ref
	}{{record.TreePeople, seen.People}, {record.TreeDevices, seen.Devices}} {
		ids := s.ids(part.tree, part.heads)
		for _, id := range ids {
			r := s.rowOf(t, part.tree, id)
			if part.tree == record.TreePeople {
				s.remerge(seen, id, r)
			}
			if _, there := slices.BinarySearch(ids, r.Resolved); r.Resolved != "" && !there {
				r.Lookup = nil // the badge of somebody who is lost
			}
			was := r.Loan
			r.Head, r.Loan = part.heads[id], seen.Loans[id]
			if r.Lookup != nil {
				t.put(record.TreeTags, r.Lookup, ownerBody(part.tree, id))
			}
			t.putRow(part.tree, id, r)
			if part.tree == record.TreeDevices && was.Since.Chain < record.ForeignChain && was.Since.Compare(r.Loan.Since) > 0 {
				restate = append(restate, restated{id, was})
			}
		}
	}
	return restate
}

// remerge makes a row agree with the events about who became whom. A merge whose event is
// lost is noted, and made once more.
func (s *salvager) remerge(seen *replay.Replay, id string, r *record.Row) {
	switch now := seen.IsNow(id); {
	case now != id:
		r.Resolved = now
		if !r.Pending { // else it may hold a badge again
			r.Status, r.Lookup = checkout.Retired, nil
		}
	case r.Resolved != "" && !r.Pending:
		s.unmerged[id], r.Resolved = r.Resolved, ""
	case r.Resolved != "":
		r.Resolved = seen.IsNow(r.Resolved)
	}
}

// ids returns the people or devices that have a row or an event.
func (s *salvager) ids(tr record.Tree, heads map[string]record.Ref) []string {
	all := map[string]bool{}
	for id := range heads {
		all[id] = true
	}
	for id := range s.Rows[tr] {
		all[id] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// remember keeps what an event says about people and devices whose rows are lost.
func (s *salvager) remember(ev *record.Event) {
	keep := func(tr record.Tree, id, name, mask string) {
		if _, ok := s.Rows[tr][id]; !ok && id != "" {
			s.made[tr][id] = &record.Row{Name: name, Mask: mask, Pending: checkout.IsPendingID(id)}
		}
	}
	keep(record.TreePeople, ev.Person, ev.PersonName, ev.PersonTag)
	keep(record.TreePeople, ev.From, ev.FromName, ev.FromTag)
	keep(record.TreeDevices, ev.Device, ev.DeviceName, ev.DeviceTag)
}

// rowOf returns the saved row, or one made from the events and the tree of tags.
func (s *salvager) rowOf(t *txn, tr record.Tree, id string) *record.Row {
	if old, ok := s.Rows[tr][id]; ok {
		return t.decodeRow(tr, id, old)
	}
	s.result.Made++
	r := cmp.Or(s.made[tr][id], &record.Row{Name: id})
	owner := ownerBody(tr, id)
	for lookup, body := range s.Rows[record.TreeTags] {
		if bytes.Equal(body, owner) {
			r.Lookup, r.Mask = []byte(lookup), cmp.Or(r.Mask, checkout.Mask(""))
		}
	}
	if r.Lookup == nil {
		s.result.Tagless++
	}
	return r
}

// fillOutbox writes the outbox rows. If the newest transaction may be lost, they are
// parked, since that transaction may have recorded a delivery.
func (s *salvager) fillOutbox(t *txn, keys []string) {
	for _, key := range keys {
		at, sink, ok := record.ParseOutboxKey([]byte(key))
		name := s.sinkNames[sink]
		if _, there := s.Find(at); !ok || !there || name == "" {
			continue // its event is lost, which the report says
		}
		o, err := record.UnpackOutbox(s.Rows[record.TreeOutbox][key])
		t.must(err)
		if !s.Current {
			o.State, o.Reason = record.Parked, "the ledger was damaged: this may have been delivered"
		}
		t.put(record.TreeOutbox, []byte(key), record.PackOutbox(&o))
		t.count(name, 1, 0)
	}
}

// begin appends the first event of the new segment, and an event for each restated loan.
func (s *salvager) begin(t *txn, restate []restated) {
	seq, hash := t.head(s.Own)
	last := s.Newest(s.Own)
	s.result.Lost = s.missing(s.Own, last)
	for i, c := range s.Chains {
		if lost := s.missing(i, s.Newest(i)); i != s.Own && len(lost) > 0 {
			if s.result.Others == nil {
				s.result.Others = map[string][][2]uint64{}
			}
			s.result.Others[c.Name] = lost
		}
	}
	missing := s.result.Lost
	if !s.Intact(record.TreeMeta) && s.Ceiling > last {
		s.result.Perhaps = [2]uint64{last + 1, s.Ceiling}
		missing = append(slices.Clone(missing), s.result.Perhaps)
		if n := len(missing) - 2; n >= 0 && missing[n][1] == last {
			missing = append(missing[:n], [2]uint64{missing[n][0], s.Ceiling}) // one hole
		}
		last = s.Ceiling
	}
	s.result.Restated, s.result.Rows = len(restate), s.LostRows()
	ev := record.Event{Event: checkout.Event{Kind: checkout.Salvage, Source: checkout.SourceSystem, Note: s.result.Reason,
		Gap: &checkout.Gap{File: s.result.File, Seq: seq, Hash: hash, Lost: missing, Others: s.result.Others}}}
	t.setHead(s.Own, last, hash)
	t.append(&ev, nobody, nobody)
	for _, r := range restate {
		t.restate(r)
	}
	s.mergeAgain(t)
	t.put(record.TreeMeta, metaSalvage, record.Pack(report.SalvagedForm(s.result)))
}

// mergeAgain merges people once more whose event of it is lost.
func (s *salvager) mergeAgain(t *txn) {
	for _, id := range slices.Sorted(maps.Keys(s.unmerged)) {
		was, p := t.known(record.TreePeople, id), t.whose(t.known(record.TreePeople, s.unmerged[id]))
		if p.tree != 0 && !p.is(was) {
			t.merge(&record.Event{Event: checkout.Event{Source: checkout.SourceSystem}}, p, was)
		}
	}
}

// restate appends an event with the loan that the device's row shows.
func (t *txn) restate(r restated) {
	d := t.row(record.TreeDevices, r.device)
	if d == nil {
		return
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Return, Source: checkout.SourceSystem, Loan: r.loan.Length,
		Note: fmt.Sprintf("event %d is lost; this is from the device's row", r.loan.Since.Seq)}}
	person := nobody
	switch {
	case r.loan.Lost:
		ev.Kind = checkout.Lost
	case r.loan.Holder != "":
		ev.Kind = checkout.Checkout
		if person = t.whose(t.known(record.TreePeople, r.loan.Holder)); person.tree == 0 {
			person = party{record.TreePeople, r.loan.Holder, &record.Row{Name: r.loan.Holder, Pending: checkout.IsPendingID(r.loan.Holder)}}
		}
	}
	t.append(&ev, person, party{record.TreeDevices, r.device, d})
}

// missing are the numbers up to last that no event of a chain has, in few enough runs for an
// event.
func (s *salvager) missing(chain uint16, last uint64) [][2]uint64 {
	return report.JoinRuns(s.Holes(chain, last), report.MaxRuns/len(s.Chains))
}
