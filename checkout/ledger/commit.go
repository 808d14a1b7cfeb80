package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
)

func refused(p party, holder string) error {
	s := checkout.Subject{Kind: kindOf(p.tree), ID: p.id, Name: nameOr(p), Status: p.row.Status}
	return &checkout.RefusedError{Subject: s, Holder: holder}
}

// Complete commits what a completed pair means: in one transaction the event,
// the loan and the outbox rows. When it returns without an error, they are on
// the disk. Errors: ErrRefused (nothing changed), ErrCannotSave.
func (l *Ledger) Complete(c checkout.Completion) (checkout.Event, error) {
	ev := record.Event{Event: checkout.Event{Source: c.Source, Reader: c.Reader, Note: c.Note}}
	if ev.Source == "" {
		ev.Source = checkout.SourceReader
	}
	err := l.update(func(t *txn) error {
		person, err := t.settle(record.TreePeople, c.Person)
		if err != nil {
			return err
		}
		device, err := t.settle(record.TreeDevices, c.Device)
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
		return checkout.Event{}, err
	}
	return ev.Event, nil
}

// party is a person or device in a transaction.
type party struct {
	tree record.Tree
	id   string
	row  *record.Row
}

// settle finds a subject of the desk in the register as it is now: a tag that
// was pending when it was bumped may have been resolved since, and a status
// may have changed. A pending subject gets a row.
func (t *txn) settle(tr record.Tree, s checkout.Subject) (party, error) {
	if !s.Tag.IsZero() {
		who, err := t.owner(s.Tag)
		if err != nil {
			return party{}, err
		}
		if who.tree == tr {
			if t.l.o.SealTags && who.row.Sealed == nil {
				// Enrolled before a directory wanted the number.
				err = t.setTag(&who, s.Tag)
			}
			return who, err
		}
		if who.tree != 0 {
			return party{}, &checkout.RefusedError{Reason: fmt.Sprintf("the tag %s is a %s", s.Tag, kindOf(who.tree))}
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
		return party{}, &checkout.RefusedError{Reason: fmt.Sprintf("no %s %q in the register", kindOf(tr), s.ID)}
	}
	return party{tr, s.ID, r}, nil
}

func kindOf(tr record.Tree) checkout.SubjectKind {
	switch tr {
	case record.TreePeople:
		return checkout.KindPerson
	case record.TreeDevices:
		return checkout.KindDevice
	}
	return checkout.Unknown
}

// move decides what a pair means and appends the event.
func (t *txn) move(ev *record.Event, person, device party, policy checkout.Policy) error {
	if person.row.Status != checkout.Active {
		return refused(person, "")
	}
	if device.row.Status != checkout.Active {
		return refused(device, "")
	}
	holder := device.row.Loan.Holder
	kind, ok := checkout.Decide(policy, person.id, holder)
	if !ok {
		name, err := t.holderName(holder)
		if err != nil {
			return err
		}
		return refused(device, name)
	}
	ev.Kind = kind
	if kind == checkout.Handover || kind == checkout.Return && holder != person.id {
		if err := t.setFrom(ev, holder); err != nil {
			return err
		}
	}
	if kind != checkout.Return {
		ev.Loan = t.loanLength(device.row.Kind)
	}
	return t.append(ev, &person, &device)
}

func nameOr(p party) string {
	switch {
	case p.row.Name != "":
		return p.row.Name
	case checkout.IsPendingID(p.id):
		return p.row.Mask
	}
	return p.id
}

// holderName is what a display calls who has a device.
func (t *txn) holderName(id string) (string, error) {
	r, err := t.row(record.TreePeople, id)
	if r == nil {
		return id, err
	}
	return nameOr(party{record.TreePeople, id, r}), nil
}

// setFrom names the previous holder.
func (t *txn) setFrom(ev *record.Event, holder string) error {
	r, err := t.row(record.TreePeople, holder)
	if err != nil {
		return err
	}
	if r == nil {
		return t.damaged("a loan names %q, who is not in the register", holder)
	}
	ev.From, ev.FromName = holder, r.Name
	if r.Pending {
		ev.FromTag = r.Mask
	}
	return nil
}

func (t *txn) loanLength(kind string) time.Duration {
	if d, ok := t.l.o.KindLoan[kind]; ok {
		return d
	}
	return t.l.o.Loan
}

// append commits ev as the chain's next event: it numbers and chains it,
// links it into the histories of the device and the people, moves the loan, and
// queues it for the sinks. person and device may be nil.
func (t *txn) append(ev *record.Event, person, device *party) error {
	seq, prev, err := t.head(t.l.own)
	if err != nil {
		return err
	}
	here := record.At(t.l.own, seq+1)
	t.l.reserve(here.Seq)
	chain, err := t.chain(t.l.own)
	if err != nil {
		return err
	}
	ev.Chain, ev.Station, ev.Seq, ev.Prev = chain.ID, t.l.o.Station, here.Seq, prev
	if ev.ID, err = uuid.NewV7(); err != nil {
		return err
	}
	ev.At = t.l.o.Stamp()
	if person != nil {
		ev.Person, ev.PersonName = person.id, person.row.Name
		if person.row.Pending {
			ev.PersonTag = person.row.Mask
		}
		ev.Links.Person, person.row.Head = person.row.Head, here
	}
	if device != nil {
		ev.Device, ev.DeviceName = device.id, device.row.Name
		if device.row.Pending {
			ev.DeviceTag = device.row.Mask
		}
		if ev.Base, err = t.place(device.row.Loan.Since); err != nil {
			return err
		}
		ev.Links.Device, device.row.Head = device.row.Head, here
		device.row.Loan = after(device.row.Loan, ev, here)
		if ev.Condition != "" {
			device.row.Condition = ev.Condition
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
	sealed := record.Encode(ev)
	if len(sealed) > record.MaxSize {
		return fmt.Errorf("the event is too long: %d bytes of at most %d", len(sealed), record.MaxSize)
	}
	if err := t.putEvent(here, sealed); err != nil {
		return err
	}
	if chain.ID.IsZero() {
		if err := t.putChain(t.l.own, record.Chain{ID: ev.Chain}); err != nil {
			return err
		}
	}
	boltfile.Crash("event-written")
	t.tx.OnCommit(func() { t.l.noteNewest(newest{chain: ev.Chain, hash: ev.Hash, seq: here.Seq}) })
	if err := t.setHead(t.l.own, here.Seq, ev.Hash); err != nil {
		return err
	}
	if err := t.noteBoot(ev, here); err != nil {
		return err
	}
	return t.queue(ev, here)
}

// linkFrom links the event into the history of the previous holder.
func (t *txn) linkFrom(ev *record.Event, person *party, here record.Ref) error {
	if ev.From == "" || person != nil && person.id == ev.From {
		return nil
	}
	r, err := t.row(record.TreePeople, ev.From)
	if r == nil || err != nil {
		return err
	}
	ev.Links.From, r.Head = r.Head, here
	return t.putRow(record.TreePeople, ev.From, r)
}

// after is the loan after an event of its device. It is all that a replay of
// the events needs to know of the rules.
func after(s record.Loan, ev *record.Event, here record.Ref) record.Loan {
	switch ev.Kind {
	case checkout.Checkout, checkout.Handover:
		return record.Loan{Holder: ev.Person, Since: here, At: ev.At, Length: ev.Loan, Station: ev.Station}
	case checkout.Return, checkout.Found:
		return record.Loan{Since: here, At: ev.At, Station: ev.Station}
	case checkout.Lost:
		return record.Loan{Since: here, At: ev.At, Lost: true, Station: ev.Station}
	case checkout.Correct:
		if ev.Loan != 0 && s.Holder != "" {
			s.Length = ev.Loan
		}
	}
	return s
}

func requested(r checkout.Request) record.Event {
	return record.Event{Event: checkout.Event{Actor: r.Actor, Note: r.Note, Condition: r.Condition, Source: r.Source}}
}

func checkRequest(r checkout.Request) error {
	if r.Actor == "" {
		return errors.New("who asks for it must be named")
	}
	if err := checkout.CheckText("note", r.Note, checkout.MaxNote); err != nil {
		return err
	}
	return checkout.CheckText("condition", r.Condition, checkout.MaxName)
}

// Give says that a person has a device, whatever the desk saw: a check-out, or
// a hand-over when somebody else has it.
func (l *Ledger) Give(r checkout.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) error {
		person, err := t.findParty(record.TreePeople, r.Person)
		if err != nil {
			return err
		}
		if device.row.Loan.Holder == person.id {
			return fmt.Errorf("%w: %s has %s already", checkout.ErrRefused, nameOr(person), nameOr(device))
		}
		return t.move(ev, person, device, checkout.PolicyHandover)
	})
}

// Return says that a device is back.
func (l *Ledger) Return(r checkout.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) error {
		holder := device.row.Loan.Holder
		if holder == "" {
			return fmt.Errorf("%w: nobody has %s", checkout.ErrRefused, nameOr(device))
		}
		row, err := t.row(record.TreePeople, holder)
		if err != nil {
			return err
		}
		if row == nil {
			return t.damaged("a loan names %q, who is not in the register", holder)
		}
		ev.Kind = checkout.Return
		return t.append(ev, &party{record.TreePeople, holder, row}, &device)
	})
}

// Lose says that a device can't be found. It is no longer lent to anybody;
// From is who had it.
func (l *Ledger) Lose(r checkout.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) error {
		switch {
		case device.row.Status == checkout.Retired:
			return refused(device, "")
		case device.row.Loan.Lost:
			return fmt.Errorf("%w: %s is lost already", checkout.ErrRefused, nameOr(device))
		}
		ev.Kind = checkout.Lost
		if h := device.row.Loan.Holder; h != "" {
			if err := t.setFrom(ev, h); err != nil {
				return err
			}
		}
		return t.append(ev, nil, &device)
	})
}

// Find says that a lost device is there again.
func (l *Ledger) Find(r checkout.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) error {
		if !device.row.Loan.Lost {
			return fmt.Errorf("%w: %s is not lost", checkout.ErrRefused, nameOr(device))
		}
		ev.Kind = checkout.Found
		return t.append(ev, nil, &device)
	})
}

// Extend sets how long a loan lasts, counted from its beginning.
func (l *Ledger) Extend(r checkout.Request, length time.Duration) (checkout.Event, error) {
	if length < time.Second {
		return checkout.Event{}, fmt.Errorf("a loan of %v: at least a second", length)
	}
	return l.request(r, func(t *txn, ev *record.Event, device party) error {
		if device.row.Loan.Holder == "" {
			return fmt.Errorf("%w: nobody has %s", checkout.ErrRefused, nameOr(device))
		}
		ev.Kind, ev.Loan = checkout.Correct, length.Round(time.Second)
		return t.append(ev, nil, &device)
	})
}

// request runs an admin's request.
func (l *Ledger) request(r checkout.Request, f func(*txn, *record.Event, party) error) (checkout.Event, error) {
	if err := checkRequest(r); err != nil {
		return checkout.Event{}, err
	}
	ev := requested(r)
	if ev.Source == "" {
		ev.Source = checkout.SourceCLI
	}
	err := l.update(func(t *txn) error {
		device, err := t.findParty(record.TreeDevices, r.Device)
		if err != nil {
			return err
		}
		return f(t, &ev, device)
	})
	if err != nil {
		return checkout.Event{}, err
	}
	return ev.Event, nil
}

// queue writes an outbox row a sink, where the event is for sinks.
func (t *txn) queue(ev *record.Event, here record.Ref) error {
	if !forSinks(ev.Kind, ev.Source) {
		return nil
	}
	for _, name := range t.l.o.Sinks {
		if name == DirectorySink && (ev.Source == checkout.SourceSync || ev.Kind == checkout.Resolve) {
			continue // its own word, or what it need not know
		}
		o := record.OutboxRow{Device: ev.Device}
		key := record.OutboxKey(here, t.l.sinkIDs[name])
		if err := t.put(record.TreeOutbox, key, record.OutboxForm.Encode(&o)); err != nil {
			return err
		}
		if err := t.count(name, 1, 0); err != nil {
			return err
		}
	}
	t.tx.OnCommit(t.l.changes.tell)
	boltfile.Crash("outbox-written")
	return nil
}
