package ledger

import (
	"cmp"
	"fmt"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/record"
)

// party is a person or device in a transaction; the zero party is nobody.
type party struct {
	tree record.Tree
	id   string
	row  *record.Row
}

var nobody party

// is reports whether p is the person or device o.
func (p party) is(o party) bool { return p.tree == o.tree && p.id == o.id }

// kind returns whether p is a person or a device; Unknown for nobody.
func (p party) kind() checkout.SubjectKind { return p.tree.Kind() }

// name is how messages call p: a pending tag by its masked number.
func (p party) name() string {
	if p.row.Name == "" && checkout.IsPendingID(p.id) {
		return p.row.Mask
	}
	return cmp.Or(p.row.Name, p.id)
}

func (t *txn) save(p party) { t.putRow(p.tree, p.id, p.row) }

// refuse ends the transaction, because p is not active or the policy keeps it with its
// holder.
func (t *txn) refuse(p party, holder string) {
	s := checkout.Subject{Kind: p.kind(), ID: p.id, Name: p.name(), Status: p.row.Status}
	t.fail(&checkout.RefusedError{Subject: s, Holder: holder})
}

// known returns a person or device of the register, or nobody.
func (t *txn) known(tr record.Tree, id string) party {
	if r := t.row(tr, id); r != nil {
		return party{tr, id, r}
	}
	return nobody
}

// Complete commits a completed pair: the event, the loan and the outbox rows in one
// transaction. When it returns nil they are on the disk. Errors: ErrRefused (nothing has
// changed), ErrCannotSave.
func (l *Ledger) Complete(c checkout.Completion) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Source, ev.Reader, ev.Note = cmp.Or(c.Source, checkout.SourceReader), c.Reader, c.Note
		person, device := t.settle(record.TreePeople, c.Person), t.settle(record.TreeDevices, c.Device)
		ev.Actor = cmp.Or(c.Actor, person.id)
		if c.Back {
			t.mustComeBack(person, device, c.Policy)
		}
		t.mayBorrow(ev, person, device, c)
		parts := t.inside(device)
		t.move(ev, person, device, c.Policy)
		if c.Reserved == checkout.ReservedRefuse && ev.ReservedBy != "" {
			s := checkout.Subject{Kind: checkout.KindDevice, ID: device.id, Name: device.name()}
			t.fail(&checkout.RefusedError{Subject: s, ReservedBy: ev.ReservedBy, ReservedFrom: ev.ReservedFrom})
		}
		t.moveKit(ev, person, device, parts, checks(c))
	})
}

// commitEvent runs f in a writing transaction and returns the event that f appended.
func (l *Ledger) commitEvent(f func(*txn, *record.Event)) (checkout.Event, error) {
	var ev record.Event
	err := l.update(func(t *txn) {
		ev = record.Event{}
		f(t, &ev)
		t.tellPeople(&ev)
	})
	if err != nil {
		return checkout.Event{}, err
	}
	return ev.Event, nil
}

// settle looks a subject of the desk up again, since its tag may have been resolved, or
// its status changed, after the bump. A pending subject gets a row.
func (t *txn) settle(tr record.Tree, s checkout.Subject) party {
	if !s.Tag.IsZero() {
		has := t.holding(s.Tag)
		switch who := t.whose(has); who.tree {
		case tr:
			if has.dead() {
				t.refuseBadge(has)
			}
			if t.l.o.SealTags && has.row.Sealed == nil {
				t.setTag(has, s.Tag) // enrolled before a directory wanted the number
			}
			return t.whose(has)
		case 0:
		default:
			t.fail(&checkout.RefusedError{Reason: fmt.Sprintf("the tag %s is a %s", s.Tag, who.kind())})
		}
	}
	if s.Pending {
		p := t.newPending(tr, t.l.keys.Find(s.Tag, 0), "")
		t.setTag(p, s.Tag)
		return p
	}
	r := t.row(tr, s.ID)
	if r == nil {
		t.fail(&checkout.RefusedError{Reason: fmt.Sprintf("no %s %q in the register", tr.Kind(), s.ID)})
	}
	return party{tr, s.ID, r}
}

// move appends the event of a pair, by the policy.
func (t *txn) move(ev *record.Event, person, device party, policy checkout.Policy) {
	for _, p := range []party{person, device} {
		if p.row.Status != checkout.Active {
			t.refuse(p, "")
		}
	}
	holder := device.row.Loan.Holder
	kind, ok := checkout.Decide(policy, person.id, holder)
	if !ok {
		t.refuse(device, t.holderName(holder))
	}
	ev.Kind = kind
	if kind == checkout.Handover || kind == checkout.Return && holder != person.id {
		t.setFrom(ev, holder)
	}
	if kind != checkout.Return {
		t.reserved(ev, person, device)
	}
	if kind != checkout.Return && ev.Loan == 0 {
		ev.Loan = asUsual
	}
	t.append(ev, person, device)
}

// mustComeBack ends the transaction unless a bump brings the device back.
func (t *txn) mustComeBack(person, device party, policy checkout.Policy) {
	holder := device.row.Loan.Holder
	switch kind, ok := checkout.Decide(policy, person.id, holder); {
	case holder == "":
		t.fail(&checkout.RefusedError{Reason: device.name() + " is not with " + person.name()})
	case !ok || kind != checkout.Return:
		t.refuse(device, t.holderName(holder))
	}
}

// holderName is how a display calls the holder of a device.
func (t *txn) holderName(id string) string {
	if r := t.row(record.TreePeople, id); r != nil {
		return party{record.TreePeople, id, r}.name()
	}
	return id
}

// holder returns the holder of a device by the id in its loan.
func (t *txn) holder(id string) party {
	return party{record.TreePeople, id, t.lookHolder(id).Own()}
}

// lookHolder is holder for who changes nothing of it.
func (t *txn) lookHolder(id string) *record.Row {
	r := t.look(record.TreePeople, id)
	if r == nil {
		t.damaged("a loan names %q, who is not in the register", id)
	}
	return r
}

// setFrom sets the previous holder of ev; "" is nobody.
func (t *txn) setFrom(ev *record.Event, holder string) {
	if holder == "" {
		return
	}
	p := t.holder(holder)
	ev.From, ev.FromName = p.id, p.row.Name
	if p.row.Pending {
		ev.FromTag = p.row.Mask
	}
}

// asUsual is the length of a loan for which nobody has said another. It is known when the
// event has its time.
const asUsual time.Duration = -1

// usual is how long a loan lasts that began with a move.
func (t *txn) usual(kind string, groups checkout.Groups, moved checkout.Stamp) time.Duration {
	if !moved.Trusted {
		return t.l.o.Loans.Lends(kind, groups)
	}
	return t.l.o.Loans.Lasts(kind, groups, moved.Wall.Truncate(time.Second))
}

// appendFor appends an event that is about p alone.
func (t *txn) appendFor(ev *record.Event, p party) {
	if p.tree == record.TreePeople {
		t.append(ev, p, nobody)
	} else {
		t.append(ev, nobody, p)
	}
}

// append writes ev as the next event of the chain: it sets the number, the hash and the
// links to the history of the device and people, moves the loan, and queues the event for
// the sinks. person and device may be nobody.
func (t *txn) append(ev *record.Event, person, device party) {
	seq, prev := t.head(t.l.own)
	here, chain := record.At(t.l.own, seq+1), t.chain(t.l.own)
	t.l.reserve(here.Seq)
	ev.Chain, ev.Station, ev.Seq, ev.Prev = chain.ID, t.l.o.Station, here.Seq, prev
	if ev.At == (checkout.Stamp{}) { // else it is of what moves with another
		ev.At = t.l.o.Stamp()
	}
	if ev.Loan == asUsual {
		ev.Loan = t.usual(device.row.Kind, person.groups(), ev.Moved())
	}
	if !t.ends.IsZero() {
		ev.Loan, t.ends = max(t.ends.Sub(ev.Moved().Wall.Truncate(time.Second)), time.Second), time.Time{}
	}
	ev.Heard = t.heard()
	id, err := uuid.NewV7()
	t.must(err)
	ev.ID = id
	t.link(ev, here, person, device)
	sealed := record.Encode(ev)
	if len(sealed) > record.MaxSize {
		t.failf("the event is too long: %d bytes of at most %d", len(sealed), record.MaxSize)
	}
	t.putEvent(here, sealed)
	boltfile.Crash("event-written")
	if chain.ID.IsZero() {
		t.putChain(t.l.own, record.Chain{ID: ev.Chain})
	}
	if t.together == nil {
		t.setHead(t.l.own, here.Seq, ev.Hash)
	}
	t.must(booking.Apply(booking.In(t.tx), here, ev, t.chainIndex))
	switch ev.Kind {
	case checkout.Return, checkout.Found:
		t.back = append(t.back, device.id)
	case checkout.Retire:
		t.left = append(t.left, person, device)
	}
	t.noteBoot(ev, here)
	t.queue(ev, here)
	if t.newest.Seq == 0 { // else that of the transaction's last event is told
		t.tx.OnCommit(t.l.appended.Tell)
		t.tx.OnCommit(func() { t.l.noteNewest(t.newest) })
	}
	t.newest = record.Newest{Chain: ev.Chain, Hash: ev.Hash, Seq: here.Seq}
}

// link writes the names of the people and the device into ev, links it to their
// histories, and moves the loan.
func (t *txn) link(ev *record.Event, here record.Ref, person, device party) {
	if r := person.row; r != nil {
		ev.Person, ev.PersonName = person.id, r.Name
		if r.Pending {
			ev.PersonTag = r.Mask
		}
		ev.Links.Person, r.Head = r.Head, here
		t.save(person)
	}
	if r := device.row; r != nil {
		ev.Device, ev.DeviceName = device.id, r.Name
		if r.Pending {
			ev.DeviceTag = r.Mask
		}
		ev.Base = t.place(r.Loan.Since)
		ev.Links.Device, r.Head = r.Head, here
		was := r.Loan
		r.LabDoubt = r.LabDoubt && !ev.Kind.MovesDevice() && ev.Mark != checkout.MarkRight
		r.Loan, r.Condition = r.Loan.After(ev, here), cmp.Or(ev.Condition, r.Condition)
		t.save(device)
		if ev.Kit == "" {
			t.refind(device, was)
		}
	}
	if ev.From != "" && ev.From != person.id {
		if r := t.row(record.TreePeople, ev.From); r != nil {
			ev.Links.From, r.Head = r.Head, here
			t.putRow(record.TreePeople, ev.From, r)
		}
	}
}

// queue writes an outbox row for each sink that gets the event.
func (t *txn) queue(ev *record.Event, here record.Ref) {
	if !ev.Tells() {
		return
	}
	for _, name := range t.l.o.Sinks {
		if ev.Goes(name) {
			t.put(record.TreeOutbox, t.outboxKey(name, here), record.PackOutbox(&record.OutboxRow{Device: ev.Device}))
			t.count(name, 1, 0)
		}
	}
	t.tx.OnCommit(t.l.changes.Tell)
	boltfile.Crash("outbox-written")
}

// reserve is how many event numbers are reserved at a time.
const reserve = 1000

// reserve reserves numbers from seq on in the holder file. A full disk must not keep a
// tap from being saved, so it only logs an error.
func (l *Ledger) reserve(seq uint64) {
	if seq <= l.ceiling || l.readOnly {
		return
	}
	l.ceiling = seq - 1 + reserve
	if h, err := boltfile.ReadHolder(l.path); err == nil { // an earlier file may have used more
		l.ceiling = max(l.ceiling, h.Ceiling)
	}
	if err := boltfile.WriteHolder(l.path, l.ceiling); err != nil {
		l.o.Logger.Warn("can't reserve event numbers", "err", err)
	}
}
