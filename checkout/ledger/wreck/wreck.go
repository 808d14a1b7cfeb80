// Package wreck reads a ledger's file in any state: what is in it, as far as it can be
// read and proved. Salvage and restore build new files from it.
package wreck

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
)

// Wreck is what can be read of a ledger's file. Events are proved by their
// hashes, wherever they lie. Rows count only if a tree leads to them, since a page outside
// the trees may be an old copy.
type Wreck struct {
	r       io.ReaderAt
	root    uint64
	Current bool                              // root is certainly that of the last transaction
	whole   map[record.Tree]bool              // trees that could be read completely
	Rows    map[record.Tree]map[string][]byte // the bodies of rows
	Events  []Event
	Chains  map[uint16]record.Chain
	Own     uint16
	runs    []record.Run  // nil: the order of the chains is unknown
	Ceiling uint64        // no event has a higher number, see boltfile.Holder
	note    record.Newest // of the newest event; zero for none
}

// Event is an event record somewhere in the file. The record itself stays there, to
// save memory.
type Event struct {
	At            record.Ref
	off           int64
	size          int32
	reach, Erased bool // reach: a tree leads to it
}

// read walks the trees. If part of them is missing, it searches the whole file for
// events, since a page outside the trees may hold the only copy.
func (w *Wreck) read(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	w.r = f
	p := &boltpages.File{R: f, High: uint64(st.Size()) / boltpages.PageSize}
	w.findRoot(f, p)
	all := p.Buckets(w.root)
	for _, tr := range record.LaterTrees {
		// Without a bucket there never was a row.
		w.whole[tr] = len(all) >= len(record.Trees)
	}
	for _, b := range all {
		for _, tr := range slices.Concat(record.Trees, record.LaterTrees) {
			if tr.String() == b.Name {
				bad := false
				whole := b.Content(func(g boltpages.Found) { bad = !w.row(tr, g) || bad })
				w.whole[tr] = whole && !bad
			}
		}
	}
	w.readChains()
	if !w.Current || !w.whole[record.TreeEvents] {
		w.findEvents(f, st.Size())
		w.joinChains()
	}
	w.pick()
	return nil
}

// Intact reports whether these trees could be read completely.
func (w *Wreck) Intact(trees ...record.Tree) bool {
	return !slices.ContainsFunc(trees, func(tr record.Tree) bool { return !w.whole[tr] })
}

// findRoot finds the root page of the newest transaction. If a meta page is damaged, it
// may have been the newest. Then findRoot tries every page as a root, and takes the one
// that has come farthest.
func (w *Wreck) findRoot(f io.ReaderAt, p *boltpages.File) {
	var newest boltpages.Meta
	valid := 0
	for slot := range int64(2) {
		m, err := boltpages.ReadMeta(f, slot)
		if err != nil {
			continue
		}
		if m.Txid != newest.Txid { // two copies of one count once
			valid++
		}
		if m.Txid >= newest.Txid {
			newest = m
		}
	}
	w.root = newest.Root
	if w.Current = valid == 2; w.Current {
		return
	}
	best, _ := progress(p, w.root)
	for id := uint64(2); id < p.High; id++ {
		if far, whole := progress(p, id); whole && (far > best || w.root == 0) {
			w.root, best = id, far
		}
	}
}

// progress returns how far the ledger below a root page has come: its number of events
// and deliveries, which only grow. whole: everything below can be read.
func progress(p *boltpages.File, id uint64) (far uint64, whole bool) {
	all := p.Buckets(id)
	if n := len(all) - len(record.Trees); n < 0 || n > len(record.LaterTrees) {
		return 0, false
	}
	whole = true
	for _, b := range all {
		whole = b.Content(func(g boltpages.Found) {
			v, err := record.Open(g.Value)
			if err != nil || v.Tree != record.TreeMeta {
				return
			}
			if bytes.HasPrefix(v.Key, []byte("head/")) && len(v.Body) >= 8 {
				far += binary.BigEndian.Uint64(v.Body)
			}
			if bytes.HasPrefix(v.Key, record.MetaSink("")) {
				c, _ := record.Unpack(record.SinkForm, v.Body)
				far += c.Done
			}
		}) && whole
	}
	return far, whole
}

// row keeps a row or event of a tree. It reports whether it is valid.
func (w *Wreck) row(tr record.Tree, g boltpages.Found) bool {
	if tr == record.TreeEvents {
		at, ok := record.ParseEventKey(g.Key)
		ev, err := record.Decode(g.Value)
		if !ok || err != nil || ev.Seq != at.Seq || w.strays(at.Chain, &ev) {
			return false
		}
		w.Events = append(w.Events, Event{at, g.Off, int32(len(g.Value)), true, ev.Erased})
		w.learn(at.Chain, &ev)
		return true
	}
	v, err := record.Open(g.Value)
	if err != nil || v.Tree != tr || !bytes.Equal(v.Key, g.Key) {
		return false
	}
	w.Rows[tr][string(v.Key)] = bytes.Clone(v.Body)
	return true
}

// strays reports whether the key of an event names another chain than the event does: a bit
// of it was flipped. The event is found again by what it says itself.
func (w *Wreck) strays(index uint16, ev *record.Event) bool {
	if index == 0 || index >= record.ForeignChain {
		return true
	}
	for i, c := range w.Chains {
		if i != index && !ev.Chain.IsZero() && c.ID == ev.Chain {
			return true
		}
	}
	return false
}

// learn notes what an event says about its chain.
func (w *Wreck) learn(index uint16, ev *record.Event) {
	c := w.Chains[index]
	if ev.Version == 1 {
		c.Name = ev.Station
	}
	if c.ID.IsZero() && (!ev.Chain.IsZero() || ev.Seq == 1) {
		c.ID = ev.Chain
		if ev.Version == 1 {
			c.ID = ev.Hash
		}
	}
	w.Chains[index] = c
	if ev.Version != 1 && w.Own == 0 {
		w.Own = index // closed chains have events of version 1 only
	}
}

// joinChains joins chains with the same id. An event found first, of version 2, names a
// chain whose first event, of version 1, was found later under the station's name.
func (w *Wreck) joinChains() {
	same := map[checkout.Hash]uint16{}
	to := map[uint16]uint16{}
	for _, i := range slices.Sorted(maps.Keys(w.Chains)) {
		c := w.Chains[i]
		first, twice := same[c.ID]
		if c.ID.IsZero() || !twice {
			same[c.ID] = i
			continue
		}
		to[i] = first
		w.Chains[first] = record.Chain{ID: c.ID, Name: cmp.Or(w.Chains[first].Name, c.Name)}
		delete(w.Chains, i)
	}
	for i, e := range w.Events {
		if first, ok := to[e.At.Chain]; ok {
			w.Events[i].At.Chain = first
		}
	}
	if first, ok := to[w.Own]; ok {
		w.Own = first
	}
}

// readChains reads the rows of the chains, or of the stations of schema 1.
func (w *Wreck) readChains() {
	meta := w.Rows[record.TreeMeta]
	for k, body := range meta {
		if i, ok := bytes.CutPrefix([]byte(k), []byte("chain/")); ok && len(i) == 2 {
			if c, err := record.Unpack(record.ChainForm, body); err == nil {
				w.Chains[binary.BigEndian.Uint16(i)] = c
			}
		}
		if name, ok := bytes.CutPrefix([]byte(k), record.MetaStation("")); ok && len(body) == 2 {
			i := binary.BigEndian.Uint16(body)
			w.Chains[i] = record.Chain{ID: w.Chains[i].ID, Name: string(name)}
		}
	}
	if own := meta[string(record.MetaOwn)]; len(own) == 2 {
		w.Own = binary.BigEndian.Uint16(own)
	}
	w.runs, _ = record.ParseRuns(meta[string(record.MetaOrder)])
}

// findEvents searches the whole file for events.
func (w *Wreck) findEvents(f io.ReaderAt, size int64) {
	known := map[int64]bool{}
	for _, e := range w.Events {
		known[e.off] = true
	}
	record.Scan(f, size, func(off int64, b []byte) int {
		p, err := record.Split(b)
		if err != nil {
			return 0
		}
		if !known[off] {
			if ev, err := record.Decode(b[:p.Size]); err == nil {
				w.Events = append(w.Events, Event{record.At(w.index(&ev), ev.Seq), off, int32(p.Size), false, ev.Erased})
			}
		}
		return p.Size
	})
}

// index returns the chain of an event outside the trees, a new one if no chain of the
// file fits.
func (w *Wreck) index(ev *record.Event) uint16 {
	most, nameless := uint16(0), []uint16{}
	for _, i := range slices.Sorted(maps.Keys(w.Chains)) {
		c := w.Chains[i]
		if ev.Version == 1 && c.Name == ev.Station || ev.Version != 1 && c.ID == ev.Chain {
			w.learn(i, ev)
			return i
		}
		if ev.Version == 1 && c.Name == "" || ev.Version != 1 && c.ID.IsZero() {
			nameless = append(nameless, i)
		}
		most = max(most, i)
	}
	// If only one chain has no id, the event belongs to it.
	i := most + 1
	if len(nameless) == 1 {
		i = nameless[0]
	}
	w.learn(i, ev)
	return i
}

// Load reads the record of e again.
func (w *Wreck) Load(e Event) ([]byte, record.Event, error) {
	b := make([]byte, e.size)
	if _, err := w.r.ReadAt(b, e.off); err != nil && err != io.EOF {
		return nil, record.Event{}, err
	}
	ev, err := record.Decode(b)
	return b, ev, err
}

// pick chooses one record for each place. What a tree leads to was committed.
// Another record may be an old copy of it, or may never have been committed: it
// counts only when the chain proves it.
func (w *Wreck) pick() {
	sort.Slice(w.Events, func(i, j int) bool {
		a, b := w.Events[i], w.Events[j]
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.off, b.off)) < 0
	})
	var kept []Event
	var next record.Event // the event kept last: we go backwards
	var nextAt record.Ref
	for end := len(w.Events); end > 0; {
		begin := end - 1
		for begin > 0 && w.Events[begin-1].At == w.Events[end-1].At {
			begin--
		}
		follows := nextAt == record.At(w.Events[begin].At.Chain, w.Events[begin].At.Seq+1)
		if e, ev, ok := w.choose(w.Events[begin:end], next.Prev, follows, w.hashBefore(begin)); ok {
			kept, next, nextAt = append(kept, e), ev, e.At
		}
		end = begin
	}
	slices.Reverse(kept)
	w.Events = kept
}

// hashBefore returns the hashes of the records at the place before w.Events[i]; none if
// there is a hole.
func (w *Wreck) hashBefore(i int) []checkout.Hash {
	var hashes []checkout.Hash
	before := record.At(w.Events[i].At.Chain, w.Events[i].At.Seq-1)
	for j := i - 1; j >= 0 && w.Events[j].At == before; j-- {
		if _, ev, err := w.Load(w.Events[j]); err == nil {
			hashes = append(hashes, ev.Hash)
		}
	}
	return hashes
}

// choose picks one of the records of a place. follows: the event of the next place holds
// prev as the hash of this one.
func (w *Wreck) choose(all []Event, prev checkout.Hash, follows bool, before []checkout.Hash) (best Event, ev record.Event, ok bool) {
	if len(all) == 1 && all[0].reach {
		_, got, err := w.Load(all[0])
		return all[0], got, err == nil
	}
	for _, e := range all {
		_, got, err := w.Load(e)
		if err != nil {
			continue
		}
		proven := e.reach
		switch {
		case proven:
		case follows:
			proven = prev == got.Hash
		case len(before) > 0:
			proven = slices.Contains(before, got.Prev)
		default:
			proven = true // holes on both sides: only its own hash can prove it
		}
		better := e.reach && !best.reach
		if got.Hash == ev.Hash {
			// What was erased stays erased, even if old copies are not, and even if an old
			// tree leads to one.
			better = e.Erased && !best.Erased
		}
		if proven && (!ok || better) {
			best, ev, ok = e, got, true
		}
	}
	return best, ev, ok
}

// Find returns the event of a place.
func (w *Wreck) Find(at record.Ref) (Event, bool) {
	i, ok := slices.BinarySearchFunc(w.Events, at, func(e Event, at record.Ref) int { return e.At.Compare(at) })
	if !ok {
		return Event{}, false
	}
	return w.Events[i], true
}

// Newest returns the highest number of a chain that appears anywhere in the file, since a
// number must not be used twice.
func (w *Wreck) Newest(chain uint16) (seq uint64) {
	of := func(r record.Ref) {
		if r.Chain == chain {
			seq = max(seq, r.Seq)
		}
	}
	for _, e := range w.Events {
		of(e.At)
	}
	if w.note.Seq > 0 && w.Chains[chain].ID == w.note.Chain { // an old copy may have been put here
		of(record.At(chain, w.note.Seq))
	}
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		for _, body := range w.Rows[tr] {
			if r, err := record.UnpackRow(body); err == nil {
				of(r.Head)
				of(r.Loan.Since)
			}
		}
	}
	for key := range w.Rows[record.TreeOutbox] {
		if r, _, ok := record.ParseOutboxKey([]byte(key)); ok {
			of(r)
		}
	}
	if head := w.Rows[record.TreeMeta][string(record.MetaHead(chain))]; len(head) >= 8 {
		of(record.At(chain, binary.BigEndian.Uint64(head)))
	}
	return seq
}

// Sinks returns the sinks by name: that of their row, where it has one, since a key has
// nothing that shows damage.
func (w *Wreck) Sinks() map[string]record.Sink {
	all := map[string]record.Sink{}
	for key, body := range w.Rows[record.TreeMeta] {
		if name, ok := bytes.CutPrefix([]byte(key), record.MetaSink("")); ok {
			c, err := record.Unpack(record.SinkForm, body)
			c.Name = cmp.Or(c.Name, string(name))
			if err == nil && c.Queued >= all[c.Name].Queued {
				all[c.Name] = c
			}
		}
	}
	return all
}

// Read reads the ledger's file at path, if there is one. note is that of the newest event
// beside it. The file stays open, since events are read from it again.
func Read(path string, note record.Newest) (w *Wreck, f *os.File, err error) {
	w = &Wreck{note: note, whole: map[record.Tree]bool{}, Rows: map[record.Tree]map[string][]byte{}, Chains: map[uint16]record.Chain{}}
	for _, tr := range slices.Concat(record.Trees, record.LaterTrees) {
		w.Rows[tr] = map[string][]byte{}
	}
	if h, err := boltfile.ReadHolder(path); err == nil {
		w.Ceiling = h.Ceiling
	}
	f, err = os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return w, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if err := w.read(f); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return w, f, nil
}
