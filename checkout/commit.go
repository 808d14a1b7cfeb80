package checkout

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrRefused is the base of errors that say no to a bump or a request: the
// policy, a retired device, a suspended person. Nothing changed.
var ErrRefused = errors.New("refused")

// RefusedError is the ErrRefused of a person or device that takes no part, or of
// a device that the policy leaves with its Holder.
type RefusedError struct {
	Subject Subject // its name is a masked number while it is pending
	Holder  string  // by name; empty if the policy had no say
}

func (e *RefusedError) Error() string {
	if e.Holder != "" {
		return fmt.Sprintf("%v: %s has %s", ErrRefused, e.Holder, e.Subject.Name)
	}
	return fmt.Sprintf("%v: %s is %s", ErrRefused, e.Subject.Name, e.Subject.Status)
}

// Unwrap is ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

func refused(p party, holder string) error {
	s := Subject{Kind: kindOf(p.tree), ID: p.id, Name: nameOr(p), Status: p.row.status}
	return &RefusedError{s, holder}
}

// Completion is a pair that the desk completed.
type Completion struct {
	Person, Device Subject
	Policy         Policy
	Reader         string
	Source         Source // SourceReader if empty
	// Actor is who caused it; the person if empty.
	Actor, Note string
}

// Complete commits what a completed pair means: in one transaction the event,
// the loan and the outbox rows. When it returns without an error, they are on
// the disk. Errors: ErrRefused (nothing changed), ErrCannotSave.
func (l *Ledger) Complete(c Completion) (Event, error) {
	ev := stored{Event: Event{Source: c.Source, Reader: c.Reader, Note: c.Note}}
	if ev.Source == "" {
		ev.Source = SourceReader
	}
	err := l.update(func(t *txn) error {
		person, err := t.settle(treePeople, c.Person)
		if err != nil {
			return err
		}
		device, err := t.settle(treeDevices, c.Device)
		if err != nil {
			return err
		}
		if ev.Actor = c.Actor; ev.Actor == "" {
			ev.Actor = person.id
		}
		like := ev
		if err := t.move(&ev, person, device, c.Policy); err != nil {
			return err
		}
		return t.moveKit(like, ev, person, device)
	})
	if err != nil {
		return Event{}, err
	}
	return ev.Event, nil
}

// party is a person or device in a transaction.
type party struct {
	tree tree
	id   string
	row  *row
}

// settle finds a subject of the desk in the register as it is now: a tag that
// was pending when it was bumped may have been resolved since, and a status
// may have changed. A pending subject gets a row.
func (t *txn) settle(tr tree, s Subject) (party, error) {
	if !s.Tag.IsZero() {
		who, err := t.owner(s.Tag)
		if err != nil {
			return party{}, err
		}
		if who.tree == tr {
			if t.l.o.SealTags && who.row.sealed == nil {
				// Enrolled before a directory wanted the number.
				err = t.setTag(&who, s.Tag)
			}
			return who, err
		}
		if who.tree != 0 {
			return party{}, fmt.Errorf("%w: the tag %s is a %s", ErrRefused, s.Tag, kindOf(who.tree))
		}
	}
	if s.Pending {
		return t.addPending(tr, s.Tag)
	}
	r, err := t.row(tr, s.ID)
	if err != nil {
		return party{}, err
	}
	if r == nil {
		return party{}, fmt.Errorf("%w: no %s %q in the register", ErrRefused, kindOf(tr), s.ID)
	}
	return party{tr, s.ID, r}, nil
}

func kindOf(tr tree) SubjectKind {
	switch tr {
	case treePeople:
		return KindPerson
	case treeDevices:
		return KindDevice
	}
	return Unknown
}

// move decides what a pair means and appends the event.
func (t *txn) move(ev *stored, person, device party, policy Policy) error {
	if person.row.status != Active {
		return refused(person, "")
	}
	if device.row.status != Active {
		return refused(device, "")
	}
	holder := device.row.loan.holder
	kind, ok := Decide(policy, person.id, holder)
	if !ok {
		name, err := t.holderName(holder)
		if err != nil {
			return err
		}
		return refused(device, name)
	}
	ev.Kind = kind
	if kind == Handover || kind == Return && holder != person.id {
		if err := t.setFrom(ev, holder); err != nil {
			return err
		}
	}
	if kind != Return {
		ev.Loan = t.loanLength(device.row.kind)
	}
	return t.append(ev, &person, &device)
}

func nameOr(p party) string {
	switch {
	case p.row.name != "":
		return p.row.name
	case IsPendingID(p.id):
		return p.row.mask
	}
	return p.id
}

// holderName is what a display calls who has a device.
func (t *txn) holderName(id string) (string, error) {
	r, err := t.row(treePeople, id)
	if r == nil {
		return id, err
	}
	return nameOr(party{treePeople, id, r}), nil
}

// setFrom names the previous holder.
func (t *txn) setFrom(ev *stored, holder string) error {
	r, err := t.row(treePeople, holder)
	if err != nil {
		return err
	}
	if r == nil {
		return t.damaged("a loan names %q, who is not in the register", holder)
	}
	ev.From, ev.FromName = holder, r.name
	if r.pending {
		ev.FromTag = r.mask
	}
	return nil
}

func (t *txn) loanLength(kind string) time.Duration {
	if d, ok := t.l.o.KindLoan[kind]; ok {
		return d
	}
	return t.l.o.Loan
}

// append commits ev as the station's next event: it numbers and chains it,
// links it into the histories of the device and the people, moves the loan, and
// queues it for the sinks. person and device may be nil.
func (t *txn) append(ev *stored, person, device *party) error {
	seq, prev, err := t.head(t.l.own)
	if err != nil {
		return err
	}
	here := ref{t.l.own, seq + 1}
	t.l.reserve(here.seq)
	ev.Station, ev.Seq, ev.Prev = t.l.o.Station, here.seq, prev
	if ev.ID, err = uuid.NewV7(); err != nil {
		return err
	}
	ev.At = t.l.o.Stamp()
	if person != nil {
		ev.Person, ev.PersonName = person.id, person.row.name
		if person.row.pending {
			ev.PersonTag = person.row.mask
		}
		ev.links.person, person.row.head = person.row.head, here
	}
	if device != nil {
		ev.Device, ev.DeviceName = device.id, device.row.name
		if device.row.pending {
			ev.DeviceTag = device.row.mask
		}
		ev.links.device, device.row.head = device.row.head, here
		device.row.loan = after(device.row.loan, ev, here)
		if ev.Condition != "" {
			device.row.condition = ev.Condition
		}
	}
	if err := t.linkFrom(ev, person, here); err != nil {
		return err
	}
	for _, p := range []*party{person, device} {
		if p != nil {
			if err := t.putRow(p.tree, p.id, p.row); err != nil {
				return err
			}
		}
	}
	record := encodeEvent(ev)
	if len(record) > maxEvent {
		return fmt.Errorf("the event is too long: %d bytes of at most %d", len(record), maxEvent)
	}
	if err := t.putEvent(here, record); err != nil {
		return err
	}
	crash("event-written")
	if err := t.setHead(t.l.own, here.seq, ev.Hash); err != nil {
		return err
	}
	if err := t.noteBoot(ev); err != nil {
		return err
	}
	return t.queue(ev, here)
}

// linkFrom links the event into the history of the previous holder.
func (t *txn) linkFrom(ev *stored, person *party, here ref) error {
	if ev.From == "" || person != nil && person.id == ev.From {
		return nil
	}
	r, err := t.row(treePeople, ev.From)
	if r == nil || err != nil {
		return err
	}
	ev.links.from, r.head = r.head, here
	return t.putRow(treePeople, ev.From, r)
}

// after is the loan after an event of its device. It is all that a replay of
// the events needs to know of the rules.
func after(s loanState, ev *stored, here ref) loanState {
	switch ev.Kind {
	case Checkout, Handover:
		return loanState{holder: ev.Person, since: here, at: ev.At, length: ev.Loan}
	case Return, Found:
		return loanState{since: here, at: ev.At}
	case Lost:
		return loanState{since: here, at: ev.At, lost: true}
	case Correct:
		if ev.Loan != 0 && s.holder != "" {
			s.length = ev.Loan
		}
	}
	return s
}

// Request is an admin's word about a device. Person and Device are IDs or
// exact names.
type Request struct {
	Device, Person         string
	Actor, Note, Condition string
	Source                 Source
}

func requested(r Request) stored {
	return stored{Event: Event{Actor: r.Actor, Note: r.Note, Condition: r.Condition, Source: r.Source}}
}

func checkRequest(r Request) error {
	if r.Actor == "" {
		return errors.New("who asks for it must be named")
	}
	if err := checkText("note", r.Note, maxNote); err != nil {
		return err
	}
	return checkText("condition", r.Condition, maxName)
}

// Give says that a person has a device, whatever the desk saw: a check-out, or
// a hand-over when somebody else has it.
func (l *Ledger) Give(r Request) (Event, error) {
	return l.request(r, func(t *txn, ev *stored, device party) error {
		person, err := t.findParty(treePeople, r.Person)
		if err != nil {
			return err
		}
		if device.row.loan.holder == person.id {
			return fmt.Errorf("%w: %s has %s already", ErrRefused, nameOr(person), nameOr(device))
		}
		return t.move(ev, person, device, PolicyHandover)
	})
}

// Return says that a device is back.
func (l *Ledger) Return(r Request) (Event, error) {
	return l.request(r, func(t *txn, ev *stored, device party) error {
		holder := device.row.loan.holder
		if holder == "" {
			return fmt.Errorf("%w: nobody has %s", ErrRefused, nameOr(device))
		}
		row, err := t.row(treePeople, holder)
		if err != nil {
			return err
		}
		if row == nil {
			return t.damaged("a loan names %q, who is not in the register", holder)
		}
		ev.Kind = Return
		return t.append(ev, &party{treePeople, holder, row}, &device)
	})
}

// Lose says that a device can't be found. It is no longer lent to anybody;
// From is who had it.
func (l *Ledger) Lose(r Request) (Event, error) {
	return l.request(r, func(t *txn, ev *stored, device party) error {
		switch {
		case device.row.status == Retired:
			return refused(device, "")
		case device.row.loan.lost:
			return fmt.Errorf("%w: %s is lost already", ErrRefused, nameOr(device))
		}
		ev.Kind = Lost
		if h := device.row.loan.holder; h != "" {
			if err := t.setFrom(ev, h); err != nil {
				return err
			}
		}
		return t.append(ev, nil, &device)
	})
}

// Find says that a lost device is there again.
func (l *Ledger) Find(r Request) (Event, error) {
	return l.request(r, func(t *txn, ev *stored, device party) error {
		if !device.row.loan.lost {
			return fmt.Errorf("%w: %s is not lost", ErrRefused, nameOr(device))
		}
		ev.Kind = Found
		return t.append(ev, nil, &device)
	})
}

// Extend sets how long a loan lasts, counted from its beginning.
func (l *Ledger) Extend(r Request, length time.Duration) (Event, error) {
	if length < time.Second {
		return Event{}, fmt.Errorf("a loan of %v: at least a second", length)
	}
	return l.request(r, func(t *txn, ev *stored, device party) error {
		if device.row.loan.holder == "" {
			return fmt.Errorf("%w: nobody has %s", ErrRefused, nameOr(device))
		}
		ev.Kind, ev.Loan = Correct, length.Round(time.Second)
		return t.append(ev, nil, &device)
	})
}

// request runs an admin's request.
func (l *Ledger) request(r Request, f func(*txn, *stored, party) error) (Event, error) {
	if err := checkRequest(r); err != nil {
		return Event{}, err
	}
	ev := requested(r)
	if ev.Source == "" {
		ev.Source = SourceCLI
	}
	err := l.update(func(t *txn) error {
		device, err := t.findParty(treeDevices, r.Device)
		if err != nil {
			return err
		}
		return f(t, &ev, device)
	})
	if err != nil {
		return Event{}, err
	}
	return ev.Event, nil
}

// queue writes an outbox row a sink, where the event is for sinks.
func (t *txn) queue(ev *stored, here ref) error {
	if !forSinks(ev.Kind, ev.Source) {
		return nil
	}
	for _, name := range t.l.o.Sinks {
		if name == DirectorySink && (ev.Source == SourceSync || ev.Kind == Resolve) {
			continue // its own word, or what it need not know
		}
		o := outboxRow{device: ev.Device}
		key := outboxKey(here, t.l.sinkIDs[name])
		if err := t.put(treeOutbox, key, o.encode()); err != nil {
			return err
		}
		if err := t.count(name, 1, 0); err != nil {
			return err
		}
	}
	t.tx.OnCommit(t.l.changes.tell)
	crash("outbox-written")
	return nil
}
