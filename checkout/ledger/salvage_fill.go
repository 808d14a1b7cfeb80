package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// fill writes what was saved into a new, empty file.
func (s *salvager) fill(db *bolt.DB) error {
	s.station(s.o.Station)
	l := &Ledger{path: db.Path(), o: s.o, keys: s.keys, db: db, ceiling: math.MaxUint64, own: s.stations[s.o.Station],
		names: map[uint16]string{}, sinkIDs: map[string]uint16{}}
	for name, i := range s.stations {
		l.names[i] = name
	}
	// The file has no name yet: one sync at the end will do.
	db.NoSync = true
	defer func() { db.NoSync = false }()
	if err := db.Update(initTrees); err != nil {
		return err
	}
	within := func(f func(*txn) error) error {
		return db.Update(func(tx *bolt.Tx) error { return f(&txn{l: l, tx: tx}) })
	}
	if err := within(s.fillNames); err != nil {
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
		if err := s.copyRows(t, record.TreeUnknown); err != nil {
			return err
		}
		if s.first != nil {
			return s.first(t, restate)
		}
		return s.begin(t, restate)
	})
}

// fillNames writes the names of stations and sinks, and the key check that the
// damaged file had.
func (s *salvager) fillNames(t *txn) error {
	var err error
	if t.l.segment, err = uuid.NewRandom(); err != nil {
		return err
	}
	if err := t.put(record.TreeMeta, metaSegment, t.l.segment[:]); err != nil {
		return err
	}
	for name, i := range s.stations {
		if err := t.put(record.TreeMeta, metaStation(name), binary.BigEndian.AppendUint16(nil, i)); err != nil {
			return err
		}
	}
	sinks := slices.Clone(s.o.Sinks)
	for key := range s.rows[record.TreeMeta] {
		if name, ok := bytes.CutPrefix([]byte(key), metaSink("")); ok && !slices.Contains(sinks, string(name)) {
			sinks = append(sinks, string(name))
		}
	}
	for _, name := range sinks {
		t.l.sinkIDs[name] = uint16(len(t.l.sinkIDs) + 1)
		if err := t.put(record.TreeMeta, metaSink(name), record.SinkCounts{Index: t.l.sinkIDs[name]}.Encode()); err != nil {
			return err
		}
	}
	for key, kept := range s.rows[record.TreeMeta] {
		if key == string(metaSimulated) || strings.HasPrefix(key, string(metaSwept(""))) {
			if err := t.put(record.TreeMeta, []byte(key), kept.body); err != nil {
				return err
			}
		}
	}
	check := t.l.keys.Check(0)
	if old, ok := s.rows[record.TreeMeta][string(metaKey)]; ok {
		check = old.body
	}
	return t.put(record.TreeMeta, metaKey, check)
}

// fillEvents copies events and links them anew, since some that they linked
// to may be lost. What is hashed stays as it is.
func (s *salvager) fillEvents(t *txn, some []salvagedEvent, seen *replay) error {
	for _, e := range some {
		b, ev, err := s.load(e)
		if err != nil {
			return err
		}
		ev.Links = seen.links(&ev)
		seen.event(e.at, &ev)
		s.remember(&ev)
		record, err := record.Rewrite(b, func(_ *record.Secrets, e *record.Event) { e.Links = ev.Links })
		if err != nil {
			return err
		}
		if err := t.putEvent(e.at, record); err != nil {
			return err
		}
		if err := t.setHead(e.at.Station, ev.Seq, ev.Hash); err != nil {
			return err
		}
		if err := t.noteBoot(&ev); err != nil {
			return err
		}
		if e.at.Station == t.l.own {
			s.result.LastSeq = ev.Seq
		}
	}
	return nil
}

// inOrder returns the events in an order in which they may have happened.
func (s *salvager) inOrder() []salvagedEvent {
	if len(s.stations) < 2 {
		return s.events
	}
	names := s.names
	here := func(r record.Ref) record.Ref {
		return record.At(s.stations[names.station(r.Station, s.o.Station)], r.Seq)
	}
	rest := make([][]salvagedEvent, len(s.stations))
	for _, e := range s.events {
		rest[e.at.Station-1] = append(rest[e.at.Station-1], e)
	}
	lines, done := make([]line, len(rest)), map[uint16]uint64{}
	peek := func(i int) {
		lines[i] = line{at: record.Ref{Station: uint16(i + 1)}}
		if len(rest[i]) > 0 {
			_, ev, _ := s.load(rest[i][0]) // fillEvents meets the error
			l := ev.Links
			lines[i] = line{rest[i][0].at, record.Links{Device: here(l.Device), Person: here(l.Person), From: here(l.From), Resolved: here(l.Resolved)}}
		}
	}
	for i := range rest {
		peek(i)
	}
	all := make([]salvagedEvent, 0, len(s.events))
	for i := turn(lines, done); i >= 0; i = turn(lines, done) {
		all = append(all, rest[i][0])
		done[lines[i].at.Station] = lines[i].at.Seq
		rest[i] = rest[i][1:]
		peek(i)
	}
	return all
}

// links are those that an event has when it is the next.
func (p *replay) links(ev *record.Event) record.Links {
	l := record.Links{Device: p.devices[ev.Device], Person: p.people[ev.Person]}
	if ev.From != ev.Person {
		l.From = p.people[ev.From]
	}
	if ev.Resolved != "" {
		l.Resolved = p.people[ev.Resolved]
		if ev.Device != "" {
			l.Resolved = p.devices[ev.Resolved]
		}
	}
	return l
}

// restated is a loan that a device's row tells of and no event does.
type restated struct {
	device string
	loan   record.Loan
}

// fillRows writes devices, people and tags: the register's part as the rows
// say, loans and histories as the events say.
func (s *salvager) fillRows(t *txn, seen *replay) (restate []restated, err error) {
	taken := map[string]bool{}
	put := func(tr record.Tree, id string, heads map[string]record.Ref) (*record.Row, error) {
		r, err := s.rowOf(tr, id)
		if err != nil {
			return nil, err
		}
		r.Head = heads[id]
		if tr == record.TreeDevices {
			r.Loan = seen.loans[id]
		}
		if r.Lookup != nil && taken[string(r.Lookup)] {
			r.Lookup, r.Sealed, r.Mask = nil, nil, ""
		}
		if r.Lookup != nil {
			taken[string(r.Lookup)] = true
			if err := t.put(record.TreeTags, r.Lookup, ownerBody(tr, id)); err != nil {
				return nil, err
			}
		}
		return r, t.putRow(tr, id, r)
	}
	for _, id := range s.ids(record.TreePeople, seen.people) {
		if _, err := put(record.TreePeople, id, seen.people); err != nil {
			return nil, err
		}
	}
	for _, id := range s.ids(record.TreeDevices, seen.devices) {
		if _, err := put(record.TreeDevices, id, seen.devices); err != nil {
			return nil, err
		}
		old, ok := s.rows[record.TreeDevices][id]
		if !ok {
			continue
		}
		was, err := record.DecodeRow(old.body)
		if err == nil && s.untold(was.Loan.Since, seen.loans[id].Since, old.reach) {
			restate = append(restate, restated{id, was.Loan})
		}
	}
	return restate, nil
}

// untold reports whether a device's row tells of an event that is lost, and is
// newer than the last one that is there. Between two stations nobody knows but
// by the row: the newest copy of it is what was.
func (s *salvager) untold(since, have record.Ref, newest bool) bool {
	since.Station = s.stations[s.names.station(since.Station, s.o.Station)]
	if have.Seq == 0 || since.Station == have.Station {
		return since.Seq > have.Seq
	}
	return newest && !s.has(since) && since.Seq > 0
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
		if _, ok := s.rows[tr][id]; ok || id == "" {
			return
		}
		if s.made[tr] == nil {
			s.made[tr] = map[string]*record.Row{}
		}
		s.made[tr][id] = &record.Row{Name: name, Mask: mask, Pending: checkout.IsPendingID(id)}
	}
	keep(record.TreePeople, ev.Person, ev.PersonName, ev.PersonTag)
	keep(record.TreePeople, ev.From, ev.FromName, ev.FromTag)
	keep(record.TreeDevices, ev.Device, ev.DeviceName, ev.DeviceTag)
}

// rowOf is the saved row, or one made from the events. The tags tree may still
// tell the look-up value of its tag.
func (s *salvager) rowOf(tr record.Tree, id string) (*record.Row, error) {
	if old, ok := s.rows[tr][id]; ok {
		return record.DecodeRow(old.body)
	}
	s.result.Made++
	r := s.made[tr][id]
	if r == nil {
		return &record.Row{Name: id}, nil
	}
	owner := ownerBody(tr, id)
	for lookup, copy := range s.rows[record.TreeTags] {
		if bytes.Equal(copy.body, owner) {
			r.Lookup = []byte(lookup)
			if r.Mask == "" {
				r.Mask = checkout.Mask("")
			}
		}
	}
	return r, nil
}

// fillOutbox keeps the rows that wait. Where the tree could not be read whole,
// an old copy of a row may be of an event that was delivered since: an admin
// decides about it.
func (s *salvager) fillOutbox(t *txn, keys []string) error {
	queued := map[string]uint64{}
	for _, key := range keys {
		old, sink, ok := record.ParseOutboxKey([]byte(key))
		if !ok {
			continue
		}
		here := record.At(s.stations[s.names.station(old.Station, s.o.Station)], old.Seq)
		name := s.names.sinks[sink]
		if name == "" && len(s.o.Sinks) == 1 {
			name = s.o.Sinks[0]
		}
		if !s.has(here) || t.l.sinkIDs[name] == 0 {
			continue // its event is lost, and is among those that the report names
		}
		c := s.rows[record.TreeOutbox][key]
		o, err := record.DecodeOutbox(c.body)
		if err != nil {
			return err
		}
		if !c.reach {
			o.State, o.LastError = record.Parked, "the ledger was damaged: this may have been delivered"
		}
		if err := t.put(record.TreeOutbox, record.OutboxKey(here, t.l.sinkIDs[name]), o.Encode()); err != nil {
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

// oldNames are the indexes that the damaged file used.
type oldNames struct {
	stations, sinks map[uint16]string
}

func (n oldNames) station(i uint16, own string) string {
	if name, ok := n.stations[i]; ok {
		return name
	}
	return own
}

// outboxKey is the key of an outbox row under the names.
func (n oldNames) outboxKey(key string) (OutboxKey, bool) {
	at, sink, ok := record.ParseOutboxKey([]byte(key))
	return OutboxKey{n.stations[at.Station], at.Seq, n.sinks[sink]}, ok
}

func (s *salvager) oldNames() oldNames {
	n := oldNames{map[uint16]string{}, map[uint16]string{}}
	for key, copy := range s.rows[record.TreeMeta] {
		if name, ok := bytes.CutPrefix([]byte(key), metaStation("")); ok && len(copy.body) == 2 {
			n.stations[binary.BigEndian.Uint16(copy.body)] = string(name)
		}
		if name, ok := bytes.CutPrefix([]byte(key), metaSink("")); ok {
			if c, err := record.DecodeSink(copy.body); err == nil {
				n.sinks[c.Index] = string(name)
			}
		}
	}
	return n
}

func (s *salvager) copyRows(t *txn, tr record.Tree) error {
	for key, copy := range s.rows[tr] {
		if err := t.put(tr, []byte(key), copy.body); err != nil {
			return err
		}
	}
	return nil
}

// begin appends the first event of the new segment, and one for each loan
// that is restated.
func (s *salvager) begin(t *txn, restate []restated) error {
	seq, hash, err := t.head(t.l.own)
	if err != nil {
		return err
	}
	last := s.newest(s.o.Station)
	s.result.Lost = s.holes(t.l.own, last)
	for name, i := range s.stations {
		if lost := s.holes(i, s.newest(name)); i != t.l.own && len(lost) > 0 {
			if s.result.Others == nil {
				s.result.Others = map[string][][2]uint64{}
			}
			s.result.Others[name] = lost
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
	s.result.Restated = len(restate)
	ev := record.Event{Event: checkout.Event{Kind: checkout.Salvage, Source: checkout.SourceSystem, Note: s.result.Reason,
		Gap: &checkout.Gap{File: s.result.File, Seq: seq, Hash: hash, Lost: missing, Others: s.result.Others}}}
	if err := t.setHead(t.l.own, last, hash); err != nil {
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
	return t.put(record.TreeMeta, metaSalvage, s.result.encode())
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

// newest is the highest sequence number of a station that anything in the
// damaged file tells of: a number is never given twice.
func (s *salvager) newest(station string) (seq uint64) {
	names := s.names
	own := func(r record.Ref) {
		if names.station(r.Station, s.o.Station) == station {
			seq = max(seq, r.Seq)
		}
	}
	for _, e := range s.events {
		if e.at.Station == s.stations[station] {
			seq = max(seq, e.at.Seq)
		}
	}
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		for _, copy := range s.rows[tr] {
			if r, err := record.DecodeRow(copy.body); err == nil {
				own(r.Head)
				own(r.Loan.Since)
			}
		}
	}
	for key := range s.rows[record.TreeOutbox] {
		if r, _, ok := record.ParseOutboxKey([]byte(key)); ok {
			own(r)
		}
	}
	for key, copy := range s.rows[record.TreeMeta] {
		if i, ok := bytes.CutPrefix([]byte(key), []byte("head/")); ok && len(i) == 2 && len(copy.body) >= 8 {
			own(record.At(binary.BigEndian.Uint16(i), binary.BigEndian.Uint64(copy.body)))
		}
	}
	return seq
}

// holes are the numbers up to last that no event has.
func (s *salvager) holes(station uint16, last uint64) (lost [][2]uint64) {
	next := uint64(1)
	for _, e := range s.events {
		if e.at.Station != station {
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
	return joinRuns(lost, maxRuns/len(s.stations))
}

// maxRuns is how many runs of lost numbers are told one by one, over all
// stations: an event and a row must hold them.
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
