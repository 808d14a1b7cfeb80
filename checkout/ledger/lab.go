package ledger

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/labrow"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

// LabCursor is how far the ledger knows what is so in the lab. All zero: it is in none.
type LabCursor = record.Lab

// Lab returns how far the ledger knows the lab.
func (l *Ledger) Lab() (c LabCursor, err error) {
	err = l.view(func(t *txn) { c = t.lab() })
	return c, err
}

func (t *txn) lab() (c LabCursor) {
	if b := t.get(record.TreeMeta, record.MetaLab); b != nil {
		var err error
		c, err = record.Unpack(record.LabForm, b)
		t.mustRead(err)
	}
	return c
}

// heard is the lab time that was heard last; zero in no lab.
func (t *txn) heard() time.Time {
	if at := t.l.labHeard.Load(); at != nil {
		return *at
	}
	at := t.lab().Heard
	t.l.labHeard.Store(&at)
	return at
}

// HearLab notes the lab's time, if it is later than what was heard, without saving it.
func (l *Ledger) HearLab(at time.Time) {
	if was := l.labHeard.Load(); was == nil || at.After(*was) {
		l.labHeard.Store(&at)
	}
}

// JoinLab makes the ledger one of a lab, of which it knows nothing yet; LeaveLab is the
// reverse. What people have by the lab's word stays as it is.
func (l *Ledger) JoinLab() error {
	return l.update(func(t *txn) {
		t.put(record.TreeMeta, record.MetaLab, record.Pack(record.LabForm(&LabCursor{})))
		t.dropElsewhere()
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			for _, p := range t.rowsWhere(tr, func(_ string, r *record.Row) bool { return r.LabBase != nil }) {
				p.row.LabVer, p.row.LabBase = 0, nil
				t.save(p)
			}
		}
	})
}

// LeaveLab ends what JoinLab began.
func (l *Ledger) LeaveLab() error {
	return l.update(func(t *txn) {
		t.dropElsewhere()
		t.delete(record.TreeMeta, record.MetaLab)
	})
}

// OwnChain returns the name of the chain that is continued, and its newest event.
func (l *Ledger) OwnChain() (chain checkout.Hash, newest wire.Link, err error) {
	err = l.view(func(t *txn) {
		seq, hash := t.head(l.own)
		chain, newest = t.chain(l.own).ID, wire.Link{Seq: seq, Hash: hash.String()}
	})
	return chain, newest, err
}

// OwnEvents returns the records of the own chain after an event, at most so many and so
// many bytes, and the event itself as a link. The second is false where the file has no
// such event.
func (l *Ledger) OwnEvents(after uint64, most, bytes int) (link wire.Link, records [][]byte, ok bool, err error) {
	err = l.view(func(t *txn) {
		link, records, ok = wire.Link{Seq: after}, nil, after == 0
		if after > 0 {
			p, err := record.Split(t.bucket(record.TreeEvents).Get(record.EventKey(record.At(l.own, after))))
			if ok = err == nil; !ok {
				return
			}
			link.Hash = p.Hash.String()
		}
		size := 0
		c := t.bucket(record.TreeEvents).Cursor()
		for k, b := c.Seek(record.EventKey(record.At(l.own, after+1))); k != nil && len(records) < most && size < bytes; k, b = c.Next() {
			if t.eventKey(k).Chain != l.own {
				return
			}
			t.giveWay()
			p, err := record.Split(b)
			t.mustRead(err)
			records = append(records, append([]byte(nil), b[:p.Size]...))
			size += p.Size
		}
	})
	return link, records, ok, err
}

// LabPatches are what was changed in the register here, of those whom the events from first
// to last name; of all with first 0.
func (l *Ledger) LabPatches(first, last uint64) (all []wire.Patch, err error) {
	err = l.view(func(t *txn) {
		if all = nil; first == 0 {
			for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
				t.eachRow(tr, func(id string, r *record.Row) { all = t.labPatch(all, party{tr, id, r}) })
			}
			return
		}
		seen := map[party]bool{}
		for seq := first; seq <= last; seq++ {
			ev := t.event(record.At(l.own, seq))
			all = t.labBooking(all, &ev)
			for _, p := range []party{{tree: record.TreePeople, id: ev.Person}, {tree: record.TreePeople, id: ev.From}, {tree: record.TreeDevices, id: ev.Device}} {
				if p.id != "" && !seen[p] {
					seen[p] = true
					all = t.labPatch(all, t.known(p.tree, p.id))
				}
			}
		}
	})
	return all, err
}

// mostUnsaid is how many rows are remembered whose changes no event names. Of more, as of an
// import, all rows are compared with what the lab has.
const mostUnsaid = 500

// unsaid are rows that were changed, until the lab is told.
type unsaid struct {
	sync.Mutex
	rows map[party]bool
}

// saveSaid saves what somebody said of p, of which there need be no event, and has the lab told.
func (t *txn) saveSaid(p party) {
	if t.save(p); t.unsaid == nil {
		t.unsaid = map[party]bool{}
		t.tx.OnCommit(func() { t.l.remember(t.unsaid) })
	}
	if len(t.unsaid) <= mostUnsaid {
		t.unsaid[party{tree: p.tree, id: p.id}] = true
	}
}

func (l *Ledger) remember(rows map[party]bool) {
	l.unsaid.Lock()
	defer l.unsaid.Unlock()
	if len(l.unsaid.rows) <= mostUnsaid {
		if l.unsaid.rows == nil {
			l.unsaid.rows = map[party]bool{}
		}
		maps.Copy(l.unsaid.rows, rows)
		l.appended.Tell()
	}
}

// LabUnsaid are the patches of rows that were changed since it was asked last, and that
// events may not name. many: of so many rows that LabPatches has to find them.
func (l *Ledger) LabUnsaid() (all []wire.Patch, many bool, err error) {
	l.unsaid.Lock()
	rows := l.unsaid.rows
	l.unsaid.rows = nil
	l.unsaid.Unlock()
	if many = len(rows) > mostUnsaid; many {
		return nil, true, nil
	}
	err = l.view(func(t *txn) {
		all = nil
		for p := range rows {
			all = t.labPatch(all, t.known(p.tree, p.id))
		}
	})
	return all, false, err
}

// labPatch adds what was changed of p.
func (t *txn) labPatch(all []wire.Patch, p party) []wire.Patch {
	if p == nobody || p.row.Pending {
		return all
	}
	if changed := labrow.Diff(p.row.LabBase, t.labFields(p)); changed != nil {
		all = append(all, wire.Patch{Kind: p.kind().String(), ID: p.id, Base: p.row.LabVer, Fields: changed})
	}
	return all
}

// labFields are the fields of p that the lab shares.
func (t *txn) labFields(p party) map[string]string {
	var tags []labrow.Tag
	for _, b := range t.tagged(p) {
		tag := labrow.Tag{Lookup: b.row.Lookup, Sealed: b.row.Sealed, Mask: b.row.Mask}
		if b.id != p.id {
			tag.Status = b.row.Status
		}
		tags = append(tags, tag)
	}
	return labrow.Fields(p.row, tags)
}

// LabRegister is the register as a lab with a site key would have it; nil is that of the
// ledger. Under another key, badges whose numbers are not kept stay out.
func (l *Ledger) LabRegister(key []byte) (all []wire.Subject, err error) {
	under := func(_ *txn, fields map[string]string) map[string]string { return fields }
	if key != nil && !bytes.Equal(key, l.o.SiteKey) {
		ring, err := sitekey.NewRing(key, nil)
		if err != nil {
			return nil, err
		}
		under = func(t *txn, fields map[string]string) map[string]string {
			tags := labrow.TagsOf(fields)
			for i := range tags {
				if tags[i].Sealed != nil {
					tag := t.unseal(&record.Row{Lookup: tags[i].Lookup, Sealed: tags[i].Sealed})
					tags[i].Lookup, tags[i].Sealed = ring.Find(tag, 0), ring.Seal(tag)
				}
			}
			return labrow.WithTags(fields, tags)
		}
	}
	err = l.view(func(t *txn) {
		all = nil
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			t.eachRow(tr, func(id string, r *record.Row) {
				if !r.Pending {
					all = append(all, wire.Subject{Kind: tr.Kind().String(), ID: id, Fields: under(t, t.labFields(party{tr, id, r}))})
				}
			})
		}
	})
	return all, err
}

// SiteKey returns the current site key.
func (l *Ledger) SiteKey() []byte {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.o.SiteKey
}

// Rekey makes a site key the current one, and finds tags under those before it, too. Tags
// whose numbers are kept are looked up under it at once, the others from their next bump on.
func (l *Ledger) Rekey(current []byte, old ...[]byte) error {
	ring, err := sitekey.NewRing(current, old)
	if err != nil {
		return err
	}
	if l.readOnly {
		return ErrReadOnly
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	keys, key, olds := l.keys, l.o.SiteKey, l.o.OldKeys
	l.keys, l.o.SiteKey, l.o.OldKeys = ring, current, old
	err = l.updateNow(func(t *txn) {
		t.put(record.TreeMeta, metaKey, ring.Check(0))
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			for _, p := range t.rowsWhere(tr, func(_ string, r *record.Row) bool { return r.Sealed != nil }) {
				t.setTag(p, t.unseal(p.row))
			}
		}
	})
	if err != nil {
		l.keys, l.o.SiteKey, l.o.OldKeys = keys, key, olds
	}
	return err
}

// LabTold notes that the lab has heard of patches, whatever it made of them: its word comes
// back with the rows.
func (l *Ledger) LabTold(told []wire.Patch) error {
	if len(told) == 0 {
		return nil
	}
	return l.update(func(t *txn) {
		for _, o := range told {
			p := t.known(record.TreeOf(kindNamed(o.Kind)), o.ID)
			if p == nobody || o.Kind == bookingKind {
				continue
			}
			heard := t.labFields(p)
			for name := range labrow.Diff(p.row.LabBase, heard) {
				if _, said := o.Fields[name]; !said {
					delete(heard, name) // changed meanwhile
				}
			}
			for name, value := range o.Fields { // which may be another one by now
				if heard[name] = value; value == "" {
					delete(heard, name)
				}
			}
			p.row.LabBase = labrow.Base(heard)
			t.save(p)
		}
	})
}

func kindNamed(name string) checkout.SubjectKind {
	if name == checkout.KindDevice.String() {
		return checkout.KindDevice
	}
	return checkout.KindPerson
}

// labAtOnce is how many rows of the lab are taken over in one transaction.
const labAtOnce = 250

// TakeLab takes over rows of the lab. acked is the newest event here that the lab has: what
// happened here since is newer than what the lab says. gone are people who were erased in
// the lab, whom the caller erases. It reports whether anything is new.
func (l *Ledger) TakeLab(c wire.Changes, acked uint64) (news bool, err error) {
	cursor := LabCursor{Epoch: c.Epoch, Ver: c.Ver, Heard: c.At}
	for first := true; first || len(c.Subjects)+len(c.Loans) > 0; first = false {
		subjects, loans := c.Subjects[:min(len(c.Subjects), labAtOnce)], []wire.Loan(nil)
		if len(subjects) == 0 {
			loans = c.Loans[:min(len(c.Loans), labAtOnce)]
		}
		last := len(subjects) == len(c.Subjects) && len(loans) == len(c.Loans)
		some, err := l.takeLab(subjects, loans, acked, cursor, last)
		if err != nil {
			return news, err
		}
		news = news || some
		c.Subjects, c.Loans = c.Subjects[len(subjects):], c.Loans[len(loans):]
	}
	return news, nil
}

// EraseGone erases the people who were erased in the lab. It is tried again for those who
// have a device, or of whom something is not delivered yet.
func (l *Ledger) EraseGone() error {
	var gone []string
	err := l.view(func(t *txn) {
		gone = nil
		t.each(record.TreeMeta, record.MetaGone(""), func(k, _ []byte) { gone = append(gone, string(bytes.TrimPrefix(k, record.MetaGone("")))) })
	})
	if err != nil {
		return err
	}
	var late error
	for _, id := range gone {
		done := func(t *txn) { t.delete(record.TreeMeta, record.MetaGone(id)) }
		err := l.erasePerson(id, "lab", checkout.SourceSync, done)
		if errors.Is(err, books.ErrNotFound) {
			err = l.update(done)
		}
		late = cmp.Or(late, err)
	}
	return late
}

// errNoNews ends a transaction in which nothing has changed.
var errNoNews = noNews{}

type noNews struct{}

func (noNews) Error() string { return "nothing is new" }

func (l *Ledger) takeLab(subjects []wire.Subject, loans []wire.Loan, acked uint64, cursor LabCursor, last bool) (news bool, err error) {
	err = l.updateMany(func(t *txn) {
		news = false
		for _, s := range subjects {
			if s.Kind == bookingKind {
				news = t.takeBooking(s) || news
				continue
			}
			if s.Fields[labrow.Erased] != "" {
				if kindNamed(s.Kind) == checkout.KindPerson && t.row(record.TreePeople, s.ID) != nil {
					t.put(record.TreeMeta, record.MetaGone(s.ID), nil)
					news = true
				}
				continue
			}
			news = t.takeSubject(s) || news
		}
		for _, loan := range loans {
			news = t.takeLoan(loan, acked) || news
		}
		if !news && cursor.Epoch == t.lab().Epoch {
			t.fail(errNoNews) // it is asked for again at the next start, which costs less than a write
		}
		if last {
			t.put(record.TreeMeta, record.MetaLab, record.Pack(record.LabForm(&cursor)))
		}
		if news {
			t.tx.OnCommit(t.l.appended.Tell)
		}
	})
	if err == errNoNews {
		err = nil
	}
	if err == nil {
		l.HearLab(cursor.Heard)
	}
	return news, err
}

// takeSubject takes over what the lab says of a person or device.
func (t *txn) takeSubject(s wire.Subject) bool {
	p := party{record.TreeOf(kindNamed(s.Kind)), s.ID, nil}
	if p.row = t.row(p.tree, p.id); p.row == nil {
		p.row = &record.Row{}
	}
	here := t.labFields(p)
	want, base := labrow.Merge(p.row.LabBase, here, s.Fields), labrow.Base(s.Fields)
	if labrow.Same(here, want) && p.row.LabVer != 0 && labrow.Unchanged(p.row.LabBase, s.Fields) {
		return false // our own word comes back
	}
	kit, status := p.row.Kit, p.row.Status
	if labrow.Set(p.row, want); p.row.Status == checkout.Retired && status != checkout.Retired {
		t.left = append(t.left, p)
	}
	p.row.LabVer, p.row.LabBase = s.Ver, base
	t.rekit(p, kit)
	t.save(p)
	t.takeTags(p, labrow.TagsOf(want))
	return true
}

// takeTags gives p the tags that the lab says, and no others. Another owner here loses
// theirs. A device has one tag: where two stations have each given it one, and a hub took
// both, every station keeps the same.
func (t *txn) takeTags(p party, want []labrow.Tag) {
	if p.tree == record.TreeDevices && len(want) > 1 {
		want = []labrow.Tag{slices.MinFunc(want, func(a, b labrow.Tag) int { return bytes.Compare(a.Lookup, b.Lookup) })}
	}
	has := map[string]bool{}
	for _, tag := range want {
		has[string(tag.Lookup)] = true
	}
	for _, b := range t.tagged(p) {
		if !has[string(b.row.Lookup)] {
			if b.id == p.id {
				b = p
			}
			t.dropTag(b)
		}
	}
	for _, tag := range want {
		b := t.ownerByLookup(tag.Lookup)
		if b.tree != 0 && !t.whose(b).is(p) {
			t.dropTag(b)
			b = nobody
		}
		switch {
		case b.is(p) && tag.Status != checkout.Active && p.tree == record.TreePeople:
			t.setAside(p, tag.Status)
			continue
		case b.is(p):
			b = p
		case b.tree != 0:
		case p.row.Lookup == nil && tag.Status == checkout.Active || p.tree == record.TreeDevices:
			b = p
		default:
			b = t.newPending(p.tree, tag.Lookup, p.id)
		}
		if b.id != p.id {
			b.row.Status = tag.Status
		}
		b.row.Lookup, b.row.Mask = tag.Lookup, tag.Mask
		if tag.Sealed != nil {
			b.row.Sealed = tag.Sealed
		}
		t.put(record.TreeTags, tag.Lookup, ownerBody(b.tree, b.id))
		t.delete(record.TreeUnknown, tag.Lookup)
		t.save(b)
	}
	if p.tree == record.TreePeople {
		t.promote(p)
	}
}

// takeLoan takes over who has a device, unless something happened to it here that the lab
// has not heard of.
func (t *txn) takeLoan(w wire.Loan, acked uint64) bool {
	d := t.known(record.TreeDevices, w.Device)
	chain, err := hex.DecodeString(w.Chain)
	if d == nobody || err != nil || len(chain) != record.HashLen || w.Seq == 0 {
		return false
	}
	now := d.row.Loan
	if now.Since.Chain == t.l.own && now.Since.Seq > acked {
		return false
	}
	was, since := now, record.At(t.l.own, w.Seq)
	if id := checkout.Hash(chain); id != t.chain(t.l.own).ID {
		since = record.At(t.foreignIndex(id), w.Seq)
	}
	if since != now.Since {
		if since.Chain == t.l.own { // a row from before it was on its way when it was told
			return t.takeBack(d, since, w)
		}
		now = record.Loan{Holder: w.Person, Since: since, At: checkout.Stamp{Wall: w.At, Trusted: true}, Station: w.Station, Lost: w.Lost, Kit: w.Kit}
		if w.Doubtful {
			now.Mark = checkout.MarkDoubtful
		}
	}
	doubt := w.Doubtful && since.Chain == t.l.own
	if now.Length = time.Duration(w.Length) * time.Second; now == was && doubt == d.row.LabDoubt {
		return false
	}
	d.row.LabDoubt = doubt
	if w.Person != "" && t.row(record.TreePeople, w.Person) == nil {
		if !checkout.IsPendingID(w.Person) {
			return false // they were erased
		}
		t.putRow(record.TreePeople, w.Person, &record.Row{Pending: true})
	}
	d.row.Loan = now
	t.save(d)
	if w.Kit == "" {
		t.refind(d, was)
	}
	if was.Holder != "" && now.Holder == "" {
		t.back = append(t.back, d.id)
	}
	return true
}

// takeBack makes an event of this station the one that says who has a device, since the lab
// has none that is newer.
func (t *txn) takeBack(d party, since record.Ref, w wire.Loan) bool {
	if seq, _ := t.head(since.Chain); since.Seq > seq {
		return false
	}
	ev := t.event(since)
	if ev.Device != d.id || !ev.Kind.MovesDevice() || ev.Kind == checkout.Resolve {
		return false
	}
	d.row.Loan = record.Loan{}.After(&ev, since)
	d.row.Loan.Holder, d.row.Loan.Length = t.isNow(d.row.Loan.Holder), time.Duration(w.Length)*time.Second
	t.save(d)
	return true
}

// foreign is the name of another station's chain.
func (t *txn) foreign(index uint16) checkout.Hash {
	b := t.get(record.TreeMeta, record.MetaForeign(index))
	if len(b) != record.HashLen {
		t.damaged("the name of chain %d", index)
	}
	return checkout.Hash(b)
}

// foreignIndex is the index of another station's chain, which may be new here.
func (t *txn) foreignIndex(id checkout.Hash) (index uint16) {
	index = record.ForeignChain
	for ; ; index++ {
		switch b := t.get(record.TreeMeta, record.MetaForeign(index)); {
		case b == nil:
			t.put(record.TreeMeta, record.MetaForeign(index), id[:])
			return index
		case checkout.Hash(b) == id:
			return index
		}
	}
}

// findChain finds a chain of the file, or of another station.
func (t *txn) findChain(is func(id checkout.Hash) bool) (index uint16, ok bool) {
	for index, c := range t.chains() {
		if is(c.ID) {
			return index, true
		}
	}
	for index = record.ForeignChain; ; index++ {
		if b := t.get(record.TreeMeta, record.MetaForeign(index)); b == nil || is(checkout.Hash(b)) {
			return index, b != nil
		}
	}
}

func (t *txn) chainIndex(id checkout.Hash) (index uint16, ok bool) {
	return t.findChain(func(o checkout.Hash) bool { return o == id })
}

// bookingKind is the kind of a reservation among the rows of the lab. Its id is the Key of the
// event that made it.
const bookingKind = "reservation"

// byHand is the base of a change to a reservation: the last one counts.
const byHand = math.MaxInt64

// labBooking adds what an event did to a reservation, unless that is in all.
func (t *txn) labBooking(all []wire.Patch, ev *record.Event) []wire.Patch {
	made, chain := record.At(t.l.own, ev.Booking.Seq), ev.Chain
	switch {
	case ev.Kind == checkout.Reserve:
		made.Seq = ev.Seq
	case made.Seq == 0:
		return all
	case !ev.Booking.Chain.IsZero():
		chain = ev.Booking.Chain
		made.Chain, _ = t.chainIndex(chain) // one that was forgotten has no row
	}
	id := books.Entry{Event: checkout.Event{Chain: chain, Seq: made.Seq}}.Key()
	if slices.ContainsFunc(all, func(o wire.Patch) bool { return o.Kind == bookingKind && o.ID == id }) {
		return all
	}
	fields, err := t.bookings().Fields(made)
	t.must(err)
	return append(all, wire.Patch{Kind: bookingKind, ID: id, Base: byHand, Fields: fields})
}

// takeBooking takes over what the lab says of a reservation.
func (t *txn) takeBooking(s wire.Subject) bool {
	name, seq, err := books.ParsePlace(s.ID)
	chain, err2 := hex.DecodeString(name)
	if err != nil || err2 != nil || len(chain) != record.HashLen || seq == 0 {
		return false
	}
	index, known := t.chainIndex(checkout.Hash(chain))
	if !known {
		index = t.foreignIndex(checkout.Hash(chain))
	}
	news, err := t.bookings().Hear(record.At(index, seq), s.Fields)
	t.must(err)
	return news
}

// dropElsewhere forgets the reservations of other stations.
func (t *txn) dropElsewhere() {
	all, err := booking.In(t.tx).All()
	t.must(err)
	for at, r := range all {
		if r.Elsewhere() {
			t.must(booking.In(t.tx).Drop(at))
		}
	}
}
