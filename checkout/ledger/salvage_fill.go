package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/sitekey"
)

// salvager writes what could be read of a damaged file into a new one. Events,
// chains and rows keep their places; links, loans and heads are made anew from
// the events.
type salvager struct {
	*wreck
	keys   *sitekey.Ring
	made   map[record.Tree]map[string]*record.Row // people and devices that only events tell of
	result *Salvaged
}

// fill writes what was saved into a new, empty file.
func (s *salvager) fill(db *bolt.DB) error {
	s.made = map[record.Tree]map[string]*record.Row{record.TreePeople: {}, record.TreeDevices: {}}
	s.result.Events = uint64(len(s.events))
	s.result.Partial = !s.intact(record.TreePeople, record.TreeDevices)
	if err := s.nameChains(); err != nil {
		return err
	}
	l := &Ledger{path: db.Path(), o: s.o, keys: s.keys, db: db, ceiling: math.MaxUint64, own: s.own, sinkIDs: map[string]uint16{}}
	// The file has no name yet: one sync at the end will do.
	db.NoSync = true
	defer func() { db.NoSync = false }()
	if err := db.Update(initTrees); err != nil {
		return err
	}
	within := func(f func(*txn) error) error {
		return db.Update(func(tx *bolt.Tx) error { return f(&txn{l: l, tx: tx}) })
	}
	if err := within(s.fillMeta); err != nil {
		return err
	}
	seen := newReplay()
	const batch = 1000
	for some := range slices.Chunk(s.inOrder(), batch) {
		if err := within(func(t *txn) error { return s.fillEvents(t, some, seen) }); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(s.rows[record.TreeOutbox])), batch) {
		if err := within(func(t *txn) error { return s.fillOutbox(t, some) }); err != nil {
			return err
		}
	}
	return within(func(t *txn) error {
		restate, err := s.fillRows(t, seen)
		if err != nil {
			return err
		}
		for key, body := range s.rows[record.TreeUnknown] {
			if err := t.put(record.TreeUnknown, []byte(key), body); err != nil {
				return err
			}
		}
		return s.begin(t, restate)
	})
}

// nameChains makes sure that each chain with events has a name, and that one of
// them goes on: the last.
func (s *salvager) nameChains() error {
	for _, e := range s.events {
		if c := s.chains[e.at.Chain]; c.ID.IsZero() {
			_, ev, err := s.load(e)
			if err != nil {
				return err
			}
			c.ID = ev.Hash
			s.chains[e.at.Chain] = c
		}
	}
	if _, ok := s.chains[s.own]; ok {
		return nil
	}
	s.own = 1
	for i := range s.chains {
		s.own = max(s.own, i)
	}
	if _, ok := s.chains[s.own]; !ok {
		s.chains[s.own] = record.Chain{}
	}
	return nil
}

// fillMeta writes the chains and sinks, and the key check that the damaged file
// had.
func (s *salvager) fillMeta(t *txn) error {
	var err error
	if t.l.segment, err = uuid.NewRandom(); err != nil {
		return err
	}
	if err := t.put(record.TreeMeta, metaSegment, t.l.segment[:]); err != nil {
		return err
	}
	for i, c := range s.chains {
		if err := t.putChain(i, c); err != nil {
			return err
		}
	}
	if err := t.setOwn(s.own); err != nil {
		return err
	}
	if len(s.chains) > 1 {
		if err := t.setRuns(s.order()); err != nil {
			return err
		}
	}
	t.l.sinkIDs = s.sinks()
	taken := slices.Collect(maps.Values(t.l.sinkIDs))
	for i, name := range s.o.Sinks { // most have the number of their place
		for id := uint16(i + 1); t.l.sinkIDs[name] == 0; id++ {
			if !slices.Contains(taken, id) {
				t.l.sinkIDs[name] = id
				taken = append(taken, id)
			}
		}
	}
	for name, i := range t.l.sinkIDs {
		if err := t.put(record.TreeMeta, metaSink(name), record.SinkForm.Encode(&record.Sink{Index: i})); err != nil {
			return err
		}
	}
	meta := s.rows[record.TreeMeta]
	for _, key := range [][]byte{metaSimulated, metaSwept, metaScrub} {
		if body, ok := meta[string(key)]; ok {
			if err := t.put(record.TreeMeta, key, body); err != nil {
				return err
			}
		}
	}
	check := t.l.keys.Check(0)
	if old, ok := meta[string(metaKey)]; ok {
		check = old
	}
	return t.put(record.TreeMeta, metaKey, check)
}

// order returns the runs of the chains; where the file does not tell it, each
// chain comes after those that were begun before it, and the own one last.
func (s *salvager) order() []run {
	if s.runs != nil {
		return s.runs
	}
	var all []run
	for _, i := range slices.Sorted(maps.Keys(s.chains)) {
		if i != s.own {
			all = append(all, run{i, 1, s.newest(i)})
		}
	}
	return append(all, run{s.own, 1, math.MaxUint64})
}

// inOrder returns the events in the order in which they happened.
func (s *salvager) inOrder() []wreckEvent {
	if len(s.chains) < 2 {
		return s.events
	}
	var all []wreckEvent
	for _, r := range s.order() {
		for _, e := range s.events {
			if e.at.Chain == r.chain && r.first <= e.at.Seq && e.at.Seq <= r.last {
				all = append(all, e)
			}
		}
	}
	return all
}

// fillEvents copies events and links them anew, since some that they linked
// to may be lost. What is hashed stays as it is.
func (s *salvager) fillEvents(t *txn, some []wreckEvent, seen *replay) error {
	for _, e := range some {
		b, ev, err := s.load(e)
		if err != nil {
			return err
		}
		ev.Links = seen.links(&ev)
		seen.event(e.at, &ev)
		s.remember(&ev)
		sealed, err := record.Rewrite(b, func(_ *record.Secrets, l *record.Links, _ *bool) { *l = ev.Links })
		if err != nil {
			return err
		}
		if err := errors.Join(t.putEvent(e.at, sealed), t.setHead(e.at.Chain, ev.Seq, ev.Hash), t.noteBoot(&ev, e.at)); err != nil {
			return err
		}
		if e.at.Chain == s.own {
			s.result.LastSeq = ev.Seq
		}
	}
	return nil
}

// restated is a loan that a device's row tells of and no event does.
type restated struct {
	device string
	loan   record.Loan
}

// fillRows writes devices, people and tags: the register's part as the rows
// say, loans and histories as the events say.
func (s *salvager) fillRows(t *txn, seen *replay) (restate []restated, err error) {
	for _, part := range []struct {
		tree  record.Tree
		heads map[string]record.Ref
	}{{record.TreePeople, seen.people}, {record.TreeDevices, seen.devices}} {
		for _, id := range s.ids(part.tree, part.heads) {
			r, err := s.rowOf(part.tree, id)
			if err != nil {
				return nil, err
			}
			was := r.Loan
			r.Head, r.Loan = part.heads[id], seen.loans[id]
			if r.Lookup != nil {
				if err := t.put(record.TreeTags, r.Lookup, ownerBody(part.tree, id)); err != nil {
					return nil, err
				}
			}
			if err := t.putRow(part.tree, id, r); err != nil {
				return nil, err
			}
			if part.tree == record.TreeDevices && was.Since.Compare(r.Loan.Since) > 0 {
				restate = append(restate, restated{id, was})
			}
		}
	}
	return restate, nil
}

// ids are those that have a row or an event.
func (s *salvager) ids(tr record.Tree, heads map[string]record.Ref) []string {
	all := map[string]bool{}
	for id := range heads {
		all[id] = true
	}
	for id := range s.rows[tr] {
		all[id] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// remember keeps what an event tells of people and devices whose rows are lost.
func (s *salvager) remember(ev *record.Event) {
	keep := func(tr record.Tree, id, name, mask string) {
		if _, ok := s.rows[tr][id]; !ok && id != "" {
			s.made[tr][id] = &record.Row{Name: name, Mask: mask, Pending: checkout.IsPendingID(id)}
		}
	}
	keep(record.TreePeople, ev.Person, ev.PersonName, ev.PersonTag)
	keep(record.TreePeople, ev.From, ev.FromName, ev.FromTag)
	keep(record.TreeDevices, ev.Device, ev.DeviceName, ev.DeviceTag)
}

// rowOf is the saved row, or one made from the events. The tags tree may still
// tell the look-up value of its tag.
func (s *salvager) rowOf(tr record.Tree, id string) (*record.Row, error) {
	if old, ok := s.rows[tr][id]; ok {
		return record.DecodeRow(old)
	}
	s.result.Made++
	r := cmp.Or(s.made[tr][id], &record.Row{Name: id})
	owner := ownerBody(tr, id)
	for lookup, body := range s.rows[record.TreeTags] {
		if bytes.Equal(body, owner) {
			r.Lookup, r.Mask = []byte(lookup), cmp.Or(r.Mask, checkout.Mask(""))
		}
	}
	if r.Lookup == nil {
		s.result.Tagless++
	}
	return r, nil
}

// fillOutbox keeps the rows that wait. Where the newest transaction may be lost,
// a row may be of an event that was delivered in it: an admin decides.
func (s *salvager) fillOutbox(t *txn, keys []string) error {
	queued := map[string]uint64{}
	for _, key := range keys {
		at, sink, ok := record.ParseOutboxKey([]byte(key))
		name := s.sinkName(t, sink)
		if _, there := s.find(at); !ok || !there || name == "" {
			continue // its event is lost, and is among those that the report names
		}
		body := s.rows[record.TreeOutbox][key]
		if !s.current {
			o, err := record.OutboxForm.Decode(body)
			if err != nil {
				return err
			}
			o.State, o.Reason = record.Parked, "the ledger was damaged: this may have been delivered"
			body = record.OutboxForm.Encode(&o)
		}
		if err := t.put(record.TreeOutbox, []byte(key), body); err != nil {
			return err
		}
		queued[name]++
	}
	for name, n := range queued {
		if err := t.count(name, n, 0); err != nil {
			return err
		}
	}
	return nil
}

func (s *salvager) sinkName(t *txn, index uint16) string {
	for name, i := range t.l.sinkIDs {
		if i == index {
			return name
		}
	}
	return ""
}

// lostRows is how many outbox rows there were, by the counts of the sinks, that
// could not be read.
func (s *salvager) lostRows() int {
	n := 0
	for key, body := range s.rows[record.TreeMeta] {
		if bytes.HasPrefix([]byte(key), metaSink("")) {
			if c, err := record.SinkForm.Decode(body); err == nil {
				n += int(c.Queued - c.Done)
			}
		}
	}
	return max(n-len(s.rows[record.TreeOutbox]), 0)
}

// begin appends the first event of the new segment, and one for each loan
// that is restated.
func (s *salvager) begin(t *txn, restate []restated) error {
	seq, hash, err := t.head(s.own)
	if err != nil {
		return err
	}
	last := s.newest(s.own)
	s.result.Lost = s.holes(s.own, last)
	for i, c := range s.chains {
		if lost := s.holes(i, s.newest(i)); i != s.own && len(lost) > 0 {
			if s.result.Others == nil {
				s.result.Others = map[string][][2]uint64{}
			}
			s.result.Others[c.Name] = lost
		}
	}
	missing := s.result.Lost
	if !s.intact(record.TreeMeta) && s.ceiling > last {
		s.result.Perhaps = [2]uint64{last + 1, s.ceiling}
		missing = append(slices.Clone(missing), s.result.Perhaps)
		if n := len(missing) - 2; n >= 0 && missing[n][1] == last {
			missing = append(missing[:n], [2]uint64{missing[n][0], s.ceiling}) // one hole
		}
		last = s.ceiling
	}
	s.result.Restated, s.result.Rows = len(restate), s.lostRows()
	ev := record.Event{Event: checkout.Event{Kind: checkout.Salvage, Source: checkout.SourceSystem, Note: s.result.Reason,
		Gap: &checkout.Gap{File: s.result.File, Seq: seq, Hash: hash, Lost: missing, Others: s.result.Others}}}
	if err := t.setHead(s.own, last, hash); err != nil {
		return err
	}
	if err := t.append(&ev, nil, nil); err != nil {
		return err
	}
	for _, r := range restate {
		if err := t.restate(r); err != nil {
			return err
		}
	}
	return t.put(record.TreeMeta, metaSalvage, salvagedForm.Encode(s.result))
}

// restate appends an event that tells what the device's row told.
func (t *txn) restate(r restated) error {
	d, err := t.row(record.TreeDevices, r.device)
	if err != nil || d == nil {
		return err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Return, Source: checkout.SourceSystem, Loan: r.loan.Length,
		Note: fmt.Sprintf("the event is lost (%d); the device's row told it", r.loan.Since.Seq)}}
	device := &party{record.TreeDevices, r.device, d}
	var person *party
	switch {
	case r.loan.Lost:
		ev.Kind = checkout.Lost
	case r.loan.Holder != "":
		ev.Kind = checkout.Checkout
		p, err := t.row(record.TreePeople, r.loan.Holder)
		if err != nil {
			return err
		}
		if p == nil {
			p = &record.Row{Name: r.loan.Holder, Pending: checkout.IsPendingID(r.loan.Holder)}
		}
		person = &party{record.TreePeople, r.loan.Holder, p}
	}
	return t.append(&ev, person, device)
}

// holes are the numbers up to last that no event of a chain has.
func (s *salvager) holes(chain uint16, last uint64) (lost [][2]uint64) {
	next := uint64(1)
	for _, e := range s.events {
		if e.at.Chain != chain {
			continue
		}
		if e.at.Seq > next {
			lost = append(lost, [2]uint64{next, e.at.Seq - 1})
		}
		next = e.at.Seq + 1
	}
	if last >= next {
		lost = append(lost, [2]uint64{next, last})
	}
	return joinRuns(lost, maxRuns/len(s.chains))
}

// maxRuns is how many runs of lost numbers are told one by one, over all chains:
// an event and a row must hold them.
const maxRuns = 1000

// joinRuns joins runs of numbers until at most most are left, those with the
// fewest numbers between them first.
func joinRuns(runs [][2]uint64, most int) [][2]uint64 {
	most = max(most, 1)
	if len(runs) <= most {
		return runs
	}
	gaps := make([]int, len(runs)-1) // the index of the run before each
	for i := range gaps {
		gaps[i] = i
	}
	between := func(i int) uint64 { return runs[i+1][0] - runs[i][1] }
	slices.SortStableFunc(gaps, func(a, b int) int { return cmp.Compare(between(a), between(b)) })
	join := map[int]bool{}
	for _, i := range gaps[:len(runs)-most] {
		join[i] = true
	}
	joined := runs[:1:1]
	for i, r := range runs[1:] {
		if join[i] {
			joined[len(joined)-1][1] = r[1]
		} else {
			joined = append(joined, r)
		}
	}
	return joined
}
