package ledger

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

// wreck is what can be read of a ledger's file in any state. Events are proved by their
// hashes, wherever they lie. Rows count only if a tree leads to them, since a page outside
// the trees may be an old copy.
type wreck struct {
	o       Options
	r       io.ReaderAt
	root    uint64
	current bool                              // root is certainly that of the last transaction
	whole   map[record.Tree]bool              // trees that could be read completely
	rows    map[record.Tree]map[string][]byte // the bodies of rows
	events  []wreckEvent
	chains  map[uint16]record.Chain
	own     uint16
	runs    []record.Run  // nil: the order of the chains is unknown
	ceiling uint64        // no event has a higher number, see boltfile.Holder
	note    record.Newest // of the newest event; zero for none
}

// wreckEvent is an event record somewhere in the file. The record itself stays there, to
// save memory.
type wreckEvent struct {
	at            record.Ref
	off           int64
	size          int32
	reach, erased bool // reach: a tree leads to it
}

func newWreck(path string, o Options) *wreck {
	w := &wreck{o: o, whole: map[record.Tree]bool{}, rows: map[record.Tree]map[string][]byte{}, chains: map[uint16]record.Chain{}}
	for _, tr := range record.Trees {
		w.rows[tr] = map[string][]byte{}
	}
	if h, err := boltfile.ReadHolder(path); err == nil {
		w.ceiling = h.Ceiling
	}
	w.note, _ = readNewest(path)
	return w
}

// read walks the trees. If part of them is missing, it searches the whole file for
// events, since a page outside the trees may hold the only copy.
func (w *wreck) read(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	w.r = f
	p := &boltpages.File{R: f, High: uint64(st.Size()) / boltpages.PageSize}
	w.findRoot(f, p)
	for _, b := range p.Buckets(w.root) {
		for _, tr := range record.Trees {
			if tr.String() == b.Name {
				bad := false
				whole := b.Content(func(g boltpages.Found) { bad = !w.row(tr, g) || bad })
				w.whole[tr] = whole && !bad
			}
		}
	}
	w.readChains()
	if !w.current || !w.whole[record.TreeEvents] {
		w.findEvents(f, st.Size())
		w.joinChains()
	}
	w.pick()
	return nil
}

// intact reports whether these trees could be read completely.
func (w *wreck) intact(trees ...record.Tree) bool {
	return !slices.ContainsFunc(trees, func(tr record.Tree) bool { return !w.whole[tr] })
}

// findRoot finds the root page of the newest transaction. If a meta page is damaged, it
// may have been the newest. Then findRoot tries every page as a root, and takes the one
// that has come farthest.
func (w *wreck) findRoot(f io.ReaderAt, p *boltpages.File) {
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
	if w.current = valid == 2; w.current {
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
	if len(all) != len(record.Trees) {
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
func (w *wreck) row(tr record.Tree, g boltpages.Found) bool {
	if tr == record.TreeEvents {
		at, ok := record.ParseEventKey(g.Key)
		ev, err := record.Decode(g.Value)
		if !ok || err != nil || ev.Seq != at.Seq {
			return false
		}
		w.events = append(w.events, wreckEvent{at, g.Off, int32(len(g.Value)), true, ev.Erased})
		w.learn(at.Chain, &ev)
		return true
	}
	v, err := record.Open(g.Value)
	if err != nil || v.Tree != tr || !bytes.Equal(v.Key, g.Key) {
		return false
	}
	w.rows[tr][string(v.Key)] = bytes.Clone(v.Body)
	return true
}

// learn notes what an event says about its chain.
func (w *wreck) learn(index uint16, ev *record.Event) {
	c := w.chains[index]
	if ev.Version == 1 {
		c.Name = ev.Station
	}
	if c.ID.IsZero() && (!ev.Chain.IsZero() || ev.Seq == 1) {
		c.ID = ev.Chain
		if ev.Version == 1 {
			c.ID = ev.Hash
		}
	}
	w.chains[index] = c
	if ev.Version != 1 && w.own == 0 {
		w.own = index // closed chains have events of version 1 only
	}
}

// joinChains joins chains with the same id. An event found first, of version 2, names a
// chain whose first event, of version 1, was found later under the station's name.
func (w *wreck) joinChains() {
	same := map[checkout.Hash]uint16{}
	to := map[uint16]uint16{}
	for _, i := range slices.Sorted(maps.Keys(w.chains)) {
		c := w.chains[i]
		first, twice := same[c.ID]
		if c.ID.IsZero() || !twice {
			same[c.ID] = i
			continue
		}
		to[i] = first
		w.chains[first] = record.Chain{ID: c.ID, Name: cmp.Or(w.chains[first].Name, c.Name)}
		delete(w.chains, i)
	}
	for i, e := range w.events {
		if first, ok := to[e.at.Chain]; ok {
			w.events[i].at.Chain = first
		}
	}
	if first, ok := to[w.own]; ok {
		w.own = first
	}
}

// readChains reads the rows of the chains, or of the stations of schema 1.
func (w *wreck) readChains() {
	meta := w.rows[record.TreeMeta]
	for k, body := range meta {
		if i, ok := bytes.CutPrefix([]byte(k), []byte("chain/")); ok && len(i) == 2 {
			if c, err := record.Unpack(record.ChainForm, body); err == nil {
				w.chains[binary.BigEndian.Uint16(i)] = c
			}
		}
		if name, ok := bytes.CutPrefix([]byte(k), record.MetaStation("")); ok && len(body) == 2 {
			i := binary.BigEndian.Uint16(body)
			w.chains[i] = record.Chain{ID: w.chains[i].ID, Name: string(name)}
		}
	}
	if own := meta[string(record.MetaOwn)]; len(own) == 2 {
		w.own = binary.BigEndian.Uint16(own)
	}
	w.runs, _ = record.ParseRuns(meta[string(record.MetaOrder)])
}

// findEvents searches the whole file for events.
func (w *wreck) findEvents(f io.ReaderAt, size int64) {
	known := map[int64]bool{}
	for _, e := range w.events {
		known[e.off] = true
	}
	record.Scan(f, size, func(off int64, b []byte) int {
		p, err := record.Split(b)
		if err != nil {
			return 0
		}
		if !known[off] {
			if ev, err := record.Decode(b[:p.Size]); err == nil {
				w.events = append(w.events, wreckEvent{record.At(w.index(&ev), ev.Seq), off, int32(p.Size), false, ev.Erased})
			}
		}
		return p.Size
	})
}

// index returns the chain of an event outside the trees, a new one if no chain of the
// file fits.
func (w *wreck) index(ev *record.Event) uint16 {
	most, nameless := uint16(0), []uint16{}
	for i, c := range w.chains {
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

// load reads the record of e again.
func (w *wreck) load(e wreckEvent) ([]byte, record.Event, error) {
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
func (w *wreck) pick() {
	sort.Slice(w.events, func(i, j int) bool {
		a, b := w.events[i], w.events[j]
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.off, b.off)) < 0
	})
	var kept []wreckEvent
	var next record.Event // the event kept last: we go backwards
	var nextAt record.Ref
	for end := len(w.events); end > 0; {
		begin := end - 1
		for begin > 0 && w.events[begin-1].at == w.events[end-1].at {
			begin--
		}
		follows := nextAt == record.At(w.events[begin].at.Chain, w.events[begin].at.Seq+1)
		if e, ev, ok := w.choose(w.events[begin:end], next.Prev, follows, w.hashBefore(begin)); ok {
			kept, next, nextAt = append(kept, e), ev, e.at
		}
		end = begin
	}
	slices.Reverse(kept)
	w.events = kept
}

// hashBefore returns the hashes of the records at the place before w.events[i]; none if
// there is a hole.
func (w *wreck) hashBefore(i int) []checkout.Hash {
	var hashes []checkout.Hash
	before := record.At(w.events[i].at.Chain, w.events[i].at.Seq-1)
	for j := i - 1; j >= 0 && w.events[j].at == before; j-- {
		if _, ev, err := w.load(w.events[j]); err == nil {
			hashes = append(hashes, ev.Hash)
		}
	}
	return hashes
}

// choose picks one of the records of a place. follows: the event of the next place holds
// prev as the hash of this one.
func (w *wreck) choose(all []wreckEvent, prev checkout.Hash, follows bool, before []checkout.Hash) (best wreckEvent, ev record.Event, ok bool) {
	if len(all) == 1 && all[0].reach {
		_, got, err := w.load(all[0])
		return all[0], got, err == nil
	}
	for _, e := range all {
		_, got, err := w.load(e)
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
		// What was erased stays erased, even if old copies are not.
		if proven && (!ok || e.reach && !best.reach || e.reach == best.reach && e.erased && !best.erased) {
			best, ev, ok = e, got, true
		}
	}
	return best, ev, ok
}

// find returns the event of a place.
func (w *wreck) find(at record.Ref) (wreckEvent, bool) {
	i, ok := slices.BinarySearchFunc(w.events, at, func(e wreckEvent, at record.Ref) int { return e.at.Compare(at) })
	if !ok {
		return wreckEvent{}, false
	}
	return w.events[i], true
}

// newest returns the highest number of a chain that appears anywhere in the file, since a
// number must not be used twice.
func (w *wreck) newest(chain uint16) (seq uint64) {
	of := func(r record.Ref) {
		if r.Chain == chain {
			seq = max(seq, r.Seq)
		}
	}
	for _, e := range w.events {
		of(e.at)
	}
	if w.note.Seq > 0 && w.chains[chain].ID == w.note.Chain { // an old copy may have been put here
		of(record.At(chain, w.note.Seq))
	}
	for _, tr := range []record.Tree{record.TreeDevices, record.TreePeople} {
		for _, body := range w.rows[tr] {
			if r, err := record.Unpack(record.RowForm, body); err == nil {
				of(r.Head)
				of(r.Loan.Since)
			}
		}
	}
	for key := range w.rows[record.TreeOutbox] {
		if r, _, ok := record.ParseOutboxKey([]byte(key)); ok {
			of(r)
		}
	}
	if head := w.rows[record.TreeMeta][string(record.MetaHead(chain))]; len(head) >= 8 {
		of(record.At(chain, binary.BigEndian.Uint64(head)))
	}
	return seq
}

// sinks returns the sinks by name.
func (w *wreck) sinks() map[string]record.Sink {
	all := map[string]record.Sink{}
	for key, body := range w.rows[record.TreeMeta] {
		if name, ok := bytes.CutPrefix([]byte(key), record.MetaSink("")); ok {
			if c, err := record.Unpack(record.SinkForm, body); err == nil {
				all[string(name)] = c
			}
		}
	}
	return all
}

// readWreck reads the file at path, if there is one. The file stays open, since events
// are read from it again.
func readWreck(path string, o Options) (w *wreck, f *os.File, err error) {
	w = newWreck(path, o)
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
