package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/internal/count"
	"stump/internal/safefile"
	"stump/internal/sitekey"
)

// Salvaged tells what was saved from a damaged file.
type Salvaged struct {
	// File is where the damaged file is now; empty when there was none, though
	// there had been a ledger.
	File   string
	Reason string
	// Events is how many were saved; Lost are the numbers of those that are
	// known to be missing; where a file is damaged at so many places that they
	// are more than 1,000 runs, some that are not missing stand between two of
	// them. LastSeq is the newest that was saved.
	Events  uint64
	LastSeq uint64
	Lost    [][2]uint64
	// Perhaps are numbers that events may have had of which no trace is left.
	// They are not given again. Zero for none.
	Perhaps [2]uint64
	// Others are the numbers that are missing of other stations, which are
	// names that this one had before.
	Others map[string][][2]uint64
	// Restated are the loans whose events are lost, but which the devices'
	// rows still told.
	Restated int
	// Made are the people and devices whose rows are lost and were made anew
	// from events. Partial is set when others may be missing altogether.
	Made    int
	Partial bool
	At      time.Time
}

// String is the sentence for the log, the API and the technician.
func (s *Salvaged) String() string {
	if s.File == "" {
		return fmt.Sprintf("the ledger is gone (%s): a new one was begun; stump restore brings back a backup", s.Reason)
	}
	lost := "no event is known to be missing"
	if len(s.Lost) > 0 {
		lost = "missing is " + ranges(s.Lost)
		if len(s.Lost) > 1 || s.Lost[0][1] > s.Lost[0][0] {
			lost = "missing are " + ranges(s.Lost)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Others)) {
		lost += fmt.Sprintf("; of station %s missing: %s", name, ranges(s.Others[name]))
	}
	if s.Perhaps[1] > 0 {
		lost += fmt.Sprintf(", and perhaps some after %d", s.Perhaps[0]-1)
	}
	if s.Partial {
		lost += "; people and devices may be missing: compare with a backup or the directory"
	}
	return fmt.Sprintf("the ledger was damaged (%s): %s saved, %s; the damaged file is %s; stump restore brings back a backup",
		s.Reason, count.Were(s.Events, "event"), lost, s.File)
}

// ranges is "event 7", or "events 7-9, 12".
func ranges(all [][2]uint64) string {
	var b strings.Builder
	b.WriteString("event")
	if len(all) > 1 || all[0][1] > all[0][0] {
		b.WriteString("s")
	}
	b.WriteString(" ")
	const most = 20
	for i, r := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		if rest := len(all) - i; i == most && rest > 1 {
			fmt.Fprintf(&b, "and %d more runs up to %d", rest, all[len(all)-1][1])
			break
		}
		fmt.Fprint(&b, r[0])
		if r[1] > r[0] {
			fmt.Fprintf(&b, "-%d", r[1])
		}
	}
	return b.String()
}

// OpenOrSalvage is how a daemon opens its ledger. Where there never was one, it
// makes it. A damaged file is set aside, never overwritten, under a name that
// says when and why; every event whose hash holds goes into a new segment whose
// first event names that file, and salvaged tells about it.
func OpenOrSalvage(path string, o Options) (l *Ledger, salvaged *Salvaged, err error) {
	if _, err := o.fill(); err != nil {
		return nil, nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, nil, err
	}
	reason := readSuspect(path)
	if reason == "" {
		l, err = Open(path, o)
	} else {
		err = damagedAt(path, reason)
	}
	var damaged *DamagedError
	switch {
	case err == nil:
		return l, nil, nil
	case errors.Is(err, os.ErrNotExist):
		if !WasHere(path) {
			l, err = Create(path, o)
			return l, nil, err
		}
		if h, err := readHolder(path); err == nil && h.running() {
			// Somebody took the file away under a process that has it open.
			return nil, nil, &LockedError{path, h.PID, h.Command}
		}
		damaged = damagedAt(path, "the file is missing")
	case !errors.As(err, &damaged):
		return nil, nil, err
	}
	var locked *LockedError
	if salvaged, err = salvage(path, damaged.Reason, o); errors.As(err, &locked) {
		return nil, nil, locked
	} else if err != nil {
		return nil, nil, fmt.Errorf("%w; and it could not be salvaged: %w", damaged, err)
	}
	l, err = Open(path, o)
	return l, salvaged, err
}

// WasHere reports whether there is a ledger, or was one: its traces are beside
// it.
func WasHere(path string) bool {
	for _, p := range []string{path, holderPath(path)} {
		if _, err := os.Lstat(p); err == nil {
			return true
		}
	}
	traces, _ := filepath.Glob(path + ".damaged-*")
	return len(traces) > 0
}

// The suspect file tells the next OpenOrSalvage of damage that was met while
// the ledger was open: Open itself looks at a few pages only.
func suspectPath(path string) string { return path + ".suspect" }

func readSuspect(path string) string {
	b, _ := os.ReadFile(suspectPath(path))
	return strings.TrimSpace(string(b))
}

// asideName is where a damaged file goes.
func asideName(path, what, reason string, at time.Time) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(reason))
	slug = strings.Trim(slug[:min(len(slug), 40)], "-")
	return fmt.Sprintf("%s.%s-%s-%s", path, what, at.UTC().Format("20060102T150405Z"), slug)
}

// salvage replaces the file at path by a new segment.
func salvage(path, reason string, o Options) (*Salvaged, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	at := o.Stamp().Wall
	s := newSalvager(path, o, keys)
	s.result.Reason, s.result.At = reason, at
	f, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, lockedBy(path)
		}
		if s.result.File, err = freeName(asideName(path, "damaged", reason, at)); err != nil {
			return nil, err
		}
		if err := s.read(f); err != nil {
			return nil, err
		}
	}
	o.Logger.Error("salvaging the ledger", "err", &DamagedError{Path: path, Reason: reason})
	s.pick()
	tmp := path + ".salvaged"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := createFile(tmp, s.fill); err != nil {
		return nil, err
	}
	return s.result, replace(path, tmp, s.result.File)
}

// freeName returns name, or name with a number when it is taken.
func freeName(name string) (string, error) {
	for i := range 1000 {
		try := name
		if i > 0 {
			try = fmt.Sprintf("%s-%d", name, i)
		}
		if _, err := os.Lstat(try); errors.Is(err, os.ErrNotExist) {
			return try, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, os.ErrExist)
}

// replace puts the file next in the place of path, which gets the name aside
// too first: at no instant is there no file.
func replace(path, next, aside string) error {
	if aside != "" {
		if err := os.Link(path, aside); err != nil {
			return fmt.Errorf("set %s aside: %w", path, err)
		}
	}
	crash("replace-rename")
	if err := os.Rename(next, path); err != nil {
		return err
	}
	crash("replace-sync-dir")
	if err := os.Remove(suspectPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return safefile.SyncDir(filepath.Dir(path))
}

// salvager collects what can be read of a damaged file.
type salvager struct {
	o        Options
	keys     *sitekey.Ring
	r        io.ReaderAt
	events   []salvagedEvent
	rows     map[record.Tree]map[string]rowCopy
	made     map[record.Tree]map[string]*record.Row // people and devices that only events tell of
	stations map[string]uint16                      // indexes in the new file
	names    oldNames                               // those in the file that is read
	override map[record.Ref][]byte                  // records to take instead of those that were read
	first    func(*txn, []restated) error           // appends the first new event; nil: begin
	rootPage uint64
	trees    map[string]bool // by name: the whole tree could be read
	current  bool            // rootPage is that of the last transaction for sure
	ceiling  uint64          // no event has a higher number, see holder
	result   *Salvaged
}

func newSalvager(path string, o Options, keys *sitekey.Ring) *salvager {
	s := &salvager{o: o, keys: keys, rows: map[record.Tree]map[string]rowCopy{}, made: map[record.Tree]map[string]*record.Row{},
		stations: map[string]uint16{}, override: map[record.Ref][]byte{}, trees: map[string]bool{}, result: &Salvaged{}}
	if h, err := readHolder(path); err == nil {
		s.ceiling = h.Ceiling
	}
	return s
}

// salvagedEvent is an event record somewhere in the damaged file. Only what is
// needed to put them in order is kept in memory.
type salvagedEvent struct {
	at            record.Ref
	off           int64
	size          int32
	reach, erased bool
}

// rowCopy is the newest copy of a row.
type rowCopy struct {
	rev   uint64
	body  []byte
	reach bool
}

// read walks the trees as far as they go, and then looks through the whole
// file: a page that no tree leads to any more may hold the only copy.
func (s *salvager) read(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	size := st.Size()
	s.walk(f, size)
	s.result.Partial = !s.intact(record.TreePeople, record.TreeDevices)
	if s.current && s.intact(record.Trees...) {
		size = 0 // nothing is missing
	}
	scan(f, size, func(off int64, b []byte) int { return s.take(off, b, false) })
	s.names = s.oldNames()
	return nil
}

// readTrees reads a file that is whole, without the old copies on free pages.
func (s *salvager) readTrees(f io.ReaderAt, size int64) error {
	s.walk(f, size)
	if !s.intact(record.Trees...) {
		return errors.New("a part of the file can't be read: run stump verify")
	}
	slices.SortFunc(s.events, byPlace)
	s.names = s.oldNames()
	return nil
}

// walk takes what the trees lead to.
func (s *salvager) walk(f io.ReaderAt, size int64) {
	s.r = f
	p := &boltpages.File{R: f, High: uint64(size) / boltpages.PageSize}
	s.root(f, p)
	for _, b := range p.Buckets(s.rootPage) {
		bad := false
		whole := b.Content(func(g boltpages.Found) { bad = s.take(g.Off, g.Value, true) == 0 || bad })
		s.trees[b.Name] = whole && !bad
	}
}

// intact reports whether everything that these trees lead to could be read.
func (s *salvager) intact(trees ...record.Tree) bool {
	return !slices.ContainsFunc(trees, func(tr record.Tree) bool { return !s.trees[tr.String()] })
}

// root finds the root page of the newest transaction. Where a meta page is damaged, it was perhaps the newest;
// then the pages that could be a root are looked at too: each transaction
// writes a row into the meta tree with its number.
func (s *salvager) root(f io.ReaderAt, p *boltpages.File) {
	var newest boltpages.Meta
	valid := 0
	for slot := range int64(2) {
		m, err := boltpages.ReadMeta(f, slot)
		if err != nil {
			continue
		}
		if m.Txid != newest.Txid { // one in both places is as good as one
			valid++
		}
		if m.Txid >= newest.Txid {
			newest = m
		}
	}
	s.rootPage = newest.Root
	if s.current = valid == 2; s.current {
		return
	}
	best := newest.Txid
	for id := uint64(2); id < p.High; id++ {
		if rev, whole := rootRev(p, id); whole && rev > best {
			s.rootPage, best = id, rev
		}
	}
}

// rootRev returns the number of the transaction that wrote the root page id,
// as far as rows tell it, and whether everything below it can be read.
func rootRev(p *boltpages.File, id uint64) (rev uint64, whole bool) {
	all := p.Buckets(id)
	if len(all) != len(record.Trees) {
		return 0, false
	}
	whole = true
	for _, b := range all {
		whole = b.Content(func(g boltpages.Found) {
			if v, err := record.Open(g.Value); err == nil && v.Tree == record.TreeMeta {
				rev = max(rev, v.Rev)
			}
		}) && whole
	}
	return rev, whole
}

// take keeps what begins at b, if it is a record. It returns its length.
func (s *salvager) take(off int64, b []byte, reach bool) int {
	if bytes.HasPrefix(b, record.EventMagic) {
		p, err := record.Split(b)
		if err != nil {
			return 0
		}
		if !reach && s.current && s.intact(record.TreeEvents) {
			return p.Size // an old copy, or never committed
		}
		ev, err := record.Decode(b[:p.Size])
		if err != nil {
			return 0
		}
		r := record.At(s.station(ev.Station), ev.Seq)
		s.events = append(s.events, salvagedEvent{r, off, int32(p.Size), reach, ev.Erased})
		return p.Size
	}
	v, err := record.Open(b)
	if err != nil {
		return 0
	}
	// Where a tree could be read from its root, other copies are old, or of rows
	// that were deleted, such as the outbox row of an event that was delivered.
	if !reach && s.intact(v.Tree) {
		return v.Size
	}
	if s.rows[v.Tree] == nil {
		s.rows[v.Tree] = map[string]rowCopy{}
	}
	key := string(v.Key)
	if old, ok := s.rows[v.Tree][key]; !ok || !old.reach && (reach || v.Rev > old.rev) {
		s.rows[v.Tree][key] = rowCopy{v.Rev, bytes.Clone(v.Body), reach}
	}
	return v.Size
}

// station gives a station its index in the new file.
func (s *salvager) station(name string) uint16 {
	i, ok := s.stations[name]
	if !ok {
		i = uint16(len(s.stations) + 1)
		s.stations[name] = i
	}
	return i
}

// load reads the record of e again.
func (s *salvager) load(e salvagedEvent) ([]byte, record.Event, error) {
	b := s.override[e.at]
	if b != nil {
		ev, err := record.Decode(b)
		return b, ev, err
	}
	b = make([]byte, e.size)
	if _, err := s.r.ReadAt(b, e.off); err != nil && err != io.EOF {
		return nil, record.Event{}, err
	}
	ev, err := record.Decode(b)
	return b, ev, err
}

// pick chooses one record for each place in the sequence. What a tree leads to
// was committed. Another record may be an old copy of it, or may never have
// been committed: it counts only when the chain proves it.
func (s *salvager) pick() {
	slices.SortFunc(s.events, byPlace)
	var kept []salvagedEvent
	var next record.Event // the event kept last: we go backwards
	for end := len(s.events); end > 0; {
		begin := end - 1
		for begin > 0 && s.events[begin-1].at == s.events[end-1].at {
			begin--
		}
		if e, ev, ok := s.choose(s.events[begin:end], next, s.hashBefore(begin)); ok {
			kept, next = append(kept, e), ev
		}
		end = begin
	}
	slices.Reverse(kept)
	s.events = kept
	s.result.Events = uint64(len(kept))
}

func byPlace(a, b salvagedEvent) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.off, b.off))
}

// has reports whether the event of a place was picked.
func (s *salvager) has(at record.Ref) bool {
	_, ok := slices.BinarySearchFunc(s.events, at, func(e salvagedEvent, at record.Ref) int { return e.at.Compare(at) })
	return ok
}

// find reads the event of a place among those that were picked.
func (s *salvager) find(station string, seq uint64) (record.Event, error) {
	at := record.At(s.stations[station], seq)
	i, _ := slices.BinarySearchFunc(s.events, salvagedEvent{at: at}, byPlace)
	if i == len(s.events) || s.events[i].at != at {
		return record.Event{}, fmt.Errorf("no event %d of station %q", seq, station)
	}
	_, ev, err := s.load(s.events[i])
	return ev, err
}

// hashBefore returns the hashes that records of the place just before
// s.events[i] have; none when there is a hole.
func (s *salvager) hashBefore(i int) []checkout.Hash {
	var hashes []checkout.Hash
	for j := i - 1; j >= 0; j-- {
		if s.events[j].at != (record.At(s.events[i].at.Station, s.events[i].at.Seq-1)) {
			break
		}
		if _, ev, err := s.load(s.events[j]); err == nil {
			hashes = append(hashes, ev.Hash)
		}
	}
	return hashes
}

// choose picks among the records of one place.
func (s *salvager) choose(all []salvagedEvent, next record.Event, before []checkout.Hash) (best salvagedEvent, ev record.Event, ok bool) {
	for _, e := range all {
		_, got, err := s.load(e)
		if err != nil {
			continue
		}
		proven := e.reach
		switch {
		case proven:
		case next.Seq == got.Seq+1 && next.Station == got.Station:
			proven = next.Prev == got.Hash
		case len(before) > 0:
			proven = slices.Contains(before, got.Prev)
		default:
			proven = true // nothing on either side: its own hash is all there is
		}
		// What was erased stays erased, whatever old copies there are.
		if proven && (!ok || e.reach && !best.reach || e.reach == best.reach && e.erased && !best.erased) {
			best, ev, ok = e, got, true
		}
	}
	return best, ev, ok
}
