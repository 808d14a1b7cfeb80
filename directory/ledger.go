package directory

import (
	"encoding/json"
	"errors"
	"iter"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

// Ledger is a checkout.Ledger as the worker's Outbox and Register.
type Ledger struct{ L *ledger.Ledger }

var (
	_ Outbox   = Ledger{}
	_ Register = Ledger{}
)

// A row's number has its chain above 48 bits of sequence; the first chain has none.
func toKey(n uint64) ledger.RowKey {
	return ledger.RowKey{Chain: uint16(n>>48) + 1, Seq: n & (1<<48 - 1)}
}

func toKeys(all []uint64) (keys []ledger.RowKey) {
	for _, n := range all {
		keys = append(keys, toKey(n))
	}
	return keys
}

func fromKey(k ledger.RowKey) uint64 { return uint64(k.Chain-1)<<48 | k.Seq }

// Rows implements Outbox.
func (a Ledger) Rows(sink string, from uint64, limit int) (Page, error) {
	return toPage(a.L.OutboxFrom(sink, toKey(from), limit))
}

// StuckRows implements Outbox.
func (a Ledger) StuckRows(sink string, from uint64, limit int) (Page, error) {
	return toPage(a.L.ParkedFrom(sink, toKey(from), limit))
}

func toPage(p ledger.OutboxPage, err error) (Page, error) {
	if err != nil {
		return Page{}, err
	}
	out := Page{make([]Row, len(p.Rows)), fromKey(p.Next), p.End}
	for i, r := range p.Rows {
		if out.Rows[i], err = fromOutbox(r); err != nil {
			return Page{}, err
		}
	}
	return out, nil
}

// fromOutbox takes the state from the memo; a row without one is new.
func fromOutbox(r ledger.OutboxRow) (Row, error) {
	row := Row{Seq: fromKey(r.Key), Event: r.Event, Pending: r.Pending, RowState: RowState{State: Queued}}
	if len(r.Memo) > 0 {
		if err := json.Unmarshal(r.Memo, &row.RowState); err != nil {
			return Row{}, err
		}
	} else if r.State == record.Parked {
		row.State, row.Reason = Parked, r.LastError
	}
	// A device that nobody knows yet has an ID that only the ledger understands.
	row.Key = r.Event.Device
	ev := &row.Event
	for _, id := range []*string{&ev.Device, &ev.Person, &ev.From, &ev.Actor} {
		if checkout.IsPendingID(*id) {
			*id = ""
		}
	}
	return row, nil
}

// Row implements Outbox.
func (a Ledger) Row(sink string, seq uint64) (Row, error) {
	r, err := a.L.OutboxOf(sink, toKey(seq))
	if err != nil {
		return Row{}, noRow(err)
	}
	return fromOutbox(r)
}

func noRow(err error) error {
	if errors.Is(err, ledger.ErrNotQueued) {
		return ErrNoRow
	}
	return err
}

// Open implements Outbox.
func (a Ledger) Open(_ string, r Row, tags bool) (call.Delivery, error) {
	d := call.Delivery{Event: r.Event}
	ev := r.Event
	for _, p := range []struct {
		kind checkout.SubjectKind
		id   string
		tag  *checkout.Tag
		ref  *string
	}{
		{checkout.KindPerson, ev.Person, &d.PersonTag, &d.PersonRef},
		{checkout.KindPerson, ev.From, &d.FromTag, &d.FromRef},
		{checkout.KindDevice, ev.Device, &d.DeviceTag, &d.DeviceRef},
	} {
		if p.id == "" {
			continue
		}
		ref, err := a.ref(p.kind, p.id)
		if err != nil {
			return d, err
		}
		*p.ref = ref
		if tags {
			// One whose number is not kept has none; the place says what that means.
			if tag, err := a.L.TagNumber(p.kind, p.id); err == nil {
				*p.tag = tag
			}
		}
	}
	return d, nil
}

// ref is the directory's key of a person or device; empty for one that is not
// in the register any more.
func (a Ledger) ref(kind checkout.SubjectKind, id string) (string, error) {
	var (
		ref string
		err error
	)
	if kind == checkout.KindPerson {
		var p checkout.Person
		p, err = a.L.FindPerson(id)
		ref = p.Ref
	} else {
		var d checkout.Device
		d, err = a.L.FindDevice(id)
		ref = d.Ref
	}
	if errors.Is(err, checkout.ErrNotFound) {
		return "", nil
	}
	return ref, err
}

// SaveRows implements Outbox.
func (a Ledger) SaveRows(sink string, rows map[uint64]RowState) error {
	var updates []ledger.OutboxUpdate
	for seq, st := range rows {
		memo, err := json.Marshal(st)
		if err != nil {
			return err
		}
		u := ledger.OutboxUpdate{Key: toKey(seq), Attempts: st.Attempts, Next: st.Next, LastError: st.Reason, Memo: memo}
		if st.State.stuck() {
			u.State = record.Parked
		}
		updates = append(updates, u)
	}
	return a.L.SaveOutbox(sink, updates)
}

// Delivered implements Outbox.
func (a Ledger) Delivered(sink string, seqs []uint64) error { return a.L.Delivered(sink, toKeys(seqs)...) }

// Dropped implements Outbox.
func (a Ledger) Dropped(sink string, seqs []uint64, actor, note string) error {
	return noRow(a.L.Drop(sink, toKeys(seqs), actor, note, checkout.SourceCLI))
}

// Accepted implements Outbox.
func (a Ledger) Accepted(sink string, seq uint64, theirs call.Holding, actor string) error {
	holder := theirs.ID
	if holder == "" && theirs.Ref != "" {
		for p, err := range a.L.People() {
			if err != nil {
				return err
			}
			if p.Ref == theirs.Ref {
				holder = p.ID
			}
		}
	}
	if holder == "" && !theirs.Free {
		return errors.New("the directory says that " + theirs.Name + " has it, whom the register does not know: pull first, or retry")
	}
	_, err := a.L.AcceptTheirs(sink, toKey(seq), holder, actor)
	return err
}

// Backlog implements Outbox.
func (a Ledger) Backlog(sink string) (int, error) {
	n, err := a.L.Backlog(sink)
	return int(n), err
}

// Sinks implements Outbox.
func (a Ledger) Sinks() ([]string, error) { return a.L.Sinks() }

// Stranded implements Outbox.
func (a Ledger) Stranded() (map[string]uint64, error) { return nil, nil }

// Changed implements Outbox.
func (a Ledger) Changed(string) <-chan struct{} { return a.L.OutboxChanged() }

// Records implements Register.
func (a Ledger) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		holds := map[string]int{}
		var devices []Record
		for d, err := range a.L.Devices() {
			if err != nil {
				yield(Record{}, err)
				return
			}
			r := Record{Kind: checkout.KindDevice, ID: d.ID, Ref: d.Ref, Name: d.Name, Model: d.Kind, HasTag: d.HasTag(), Inactive: d.Status != checkout.Active,
				Retired: d.Status != checkout.Active && !d.ByDirectory}
			if d.Holder != "" {
				holds[d.Holder]++
				r.Holds = 1 // is out, so must not be retired
			}
			devices = append(devices, r)
		}
		for p, err := range a.L.People() {
			if !yield(Record{Kind: checkout.KindPerson, ID: p.ID, Ref: p.Ref, Name: p.Name, Email: p.Email, HasTag: p.HasBadge(),
				Inactive: p.Status != checkout.Active, Retired: p.Status != checkout.Active && !p.ByDirectory, Holds: holds[p.ID]}, err) || err != nil {
				return
			}
		}
		for _, d := range devices {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// ByTag implements Register.
func (a Ledger) ByTag(tag checkout.Tag) (Record, bool, error) {
	s, err := a.L.Subject(tag)
	if err != nil || s.Kind == checkout.Unknown || s.Pending {
		return Record{}, false, err
	}
	if s.Kind == checkout.KindPerson {
		p, err := a.L.FindPerson(s.ID)
		return Record{Kind: checkout.KindPerson, ID: p.ID, Ref: p.Ref, Name: p.Name, Email: p.Email, HasTag: true,
			Inactive: p.Status != checkout.Active, Retired: p.Status != checkout.Active && !p.ByDirectory}, true, err
	}
	d, err := a.L.FindDevice(s.ID)
	return Record{Kind: checkout.KindDevice, ID: d.ID, Ref: d.Ref, Name: d.Name, Model: d.Kind, HasTag: true,
		Inactive: d.Status != checkout.Active, Retired: d.Status != checkout.Active && !d.ByDirectory}, true, err
}

// Apply implements Register.
func (a Ledger) Apply(changes []Record, by Asker) ([]Record, error) {
	rows := make([]checkout.SyncRow, len(changes))
	for i, c := range changes {
		rows[i] = checkout.SyncRow{Kind: checkout.KindPerson, ID: c.ID, Ref: c.Ref, Name: c.Name, Email: c.Email,
			Type: c.Model, Tag: c.Tag, Inactive: c.Inactive}
		if c.Kind == checkout.KindDevice {
			rows[i].Kind = checkout.KindDevice
		}
	}
	if by.Source == "" {
		by = Asker{"directory", checkout.SourceSync}
	}
	rows, err := a.L.Sync(rows, by.Actor, by.Source)
	if err != nil {
		return nil, err
	}
	out := append([]Record(nil), changes...)
	for i := range out {
		out[i].ID = rows[i].ID
	}
	return out, nil
}

// PendingTags implements Register.
func (a Ledger) PendingTags(limit int) ([]PendingTag, error) {
	all, err := a.L.Pending()
	if err != nil {
		return nil, err
	}
	var tags []PendingTag
	for _, s := range all[:min(len(all), limit)] {
		p := PendingTag{Tag: s.Tag, Kind: checkout.KindPerson}
		if s.Kind == checkout.KindDevice {
			p.Kind = checkout.KindDevice
		}
		tags = append(tags, p)
	}
	return tags, nil
}
