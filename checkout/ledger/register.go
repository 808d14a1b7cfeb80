package ledger

import (
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// find returns a person or device by id, then by exact name. Who was merged into another
// is that one.
func (t *txn) find(tr record.Tree, ref string) party {
	if p := t.whose(t.known(tr, ref)); p.tree != 0 && !checkout.IsPendingID(ref) {
		return p
	}
	found := t.named(tr, ref)
	if len(found) == 0 {
		t.fail(&books.NotFoundError{Kind: tr.Kind(), Ref: ref})
	}
	if len(found) > 1 {
		e := &books.AmbiguousError{Kind: tr.Kind(), Name: ref}
		for _, p := range found {
			e.IDs = append(e.IDs, p.id)
		}
		t.fail(e)
	}
	return found[0]
}

// named returns who has a name; if nobody has, those whose name it was when they were
// merged.
func (t *txn) named(tr record.Tree, name string) (found []party) {
	var were []party
	for _, p := range t.rowsWhere(tr, func(_ string, r *record.Row) bool { return r.Name == name && name != "" && !r.Pending }) {
		now := t.whose(p)
		switch {
		case now.is(p):
			found = append(found, p)
		case now.tree != 0 && !slices.ContainsFunc(were, now.is):
			were = append(were, now)
		}
	}
	if found == nil {
		return were
	}
	return found
}

func (t *txn) person(p party) books.Person {
	r := p.row
	is := books.Person{ID: p.id, Name: r.Name, Email: r.Email, Badges: t.badges(p), Status: r.Status, Ref: r.Ref, ByDirectory: r.ByDirectory,
		Former: entry.Former(r), Groups: r.Groups, DirectoryGroups: r.RefGroups, Language: r.Language, Reminded: r.Reminded}
	if p.merged() {
		is.MergedInto = r.Resolved
	}
	return is
}

func (t *txn) device(p party) books.Device {
	r := p.row
	d := books.Device{ID: p.id, Name: r.Name, Details: r.Details, Kind: r.Kind, Kit: r.Kit, Tag: r.Mask, Status: r.Status,
		Holder: r.Loan.Holder, Lost: r.Loan.Lost, Condition: r.Condition, Ref: r.Ref, ByDirectory: r.ByDirectory, Home: r.Home, DirectoryRev: r.Rev}
	if !t.out(r) {
		d.Out = ""
	}
	if h := t.row(record.TreePeople, d.Holder); h != nil {
		d.HolderName = h.Name
		if h.Pending {
			d.Holder, d.HolderName = "", h.Mask
		}
	}
	return d
}

// out reports whether a device is out of service. It ends by itself.
func (t *txn) out(r *record.Row) bool { return r.Out != "" && r.Out.Waits(t.today()) }

// today is the day at the lab; empty while it is not known.
func (t *txn) today() checkout.Day {
	now := t.l.o.Stamp()
	if !now.Trusted {
		return ""
	}
	return checkout.DayOf(now.Wall.In(t.l.o.Loans.Calendar.Place()))
}

// FindPerson finds a person by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindPerson(ref string) (p books.Person, err error) {
	err = l.view(func(t *txn) {
		found := t.find(record.TreePeople, ref)
		p, p.Revision = t.person(found), found.revision()
	})
	return p, err
}

// FindDevice finds a device by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindDevice(ref string) (d books.Device, err error) {
	err = l.view(func(t *txn) {
		found := t.find(record.TreeDevices, ref)
		d, d.Revision = t.device(found), found.revision()
	})
	return d, err
}

// AddPerson puts a person into the register; a non-zero badge is enrolled too.
// Only ID, Name, Email, Groups and Language of p count.
func (l *Ledger) AddPerson(p books.Person, badge checkout.Tag, actor string, source checkout.Source) error {
	return l.add(party{record.TreePeople, p.ID, &record.Row{Name: p.Name, Email: p.Email, Groups: p.Groups, Language: p.Language}}, badge, actor, source)
}

// AddDevice puts a device into the register; a non-zero tag is enrolled too.
// Only ID, Name, Kind, Kit, Details and Condition of d count.
func (l *Ledger) AddDevice(d books.Device, tag checkout.Tag, actor string, source checkout.Source) error {
	return l.add(party{record.TreeDevices, d.ID, &record.Row{Name: d.Name, Kind: d.Kind, Kit: d.Kit, Details: d.Details, Condition: d.Condition}}, tag, actor, source)
}

func (l *Ledger) add(p party, tag checkout.Tag, actor string, source checkout.Source) error {
	return l.update(func(t *txn) {
		t.must(entry.Check(p.id, p.row))
		if t.row(p.tree, p.id) != nil {
			t.fail(&books.ExistsError{Kind: p.kind(), ID: p.id})
		}
		if box := p.row.Kit; box != "" {
			p.row.Kit = ""
			t.join(p, box)
		}
		t.saveSaid(p)
		if !tag.IsZero() {
			t.enrol(by(actor, source), p, tag, false)
		}
	})
}

// by returns an event of an actor and a source.
func by(actor string, source checkout.Source) *record.Event {
	return &record.Event{Event: checkout.Event{Actor: actor, Source: source}}
}

// EditPerson changes a person. A change of status or of groups is an event; retiring is
// refused while they have a device.
func (l *Ledger) EditPerson(ref string, e books.Edit, actor string, source checkout.Source) error {
	return l.edit(record.TreePeople, ref, e, actor, source)
}

// EditDevice changes a device. A change of status, details or condition is an event;
// retiring is refused while somebody has it.
func (l *Ledger) EditDevice(ref string, e books.Edit, actor string, source checkout.Source) error {
	if e.Status != nil && *e.Status == checkout.Suspended {
		return hint.Errorf("retire it", "a device can't be suspended")
	}
	return l.edit(record.TreeDevices, ref, e, actor, source)
}

func (l *Ledger) edit(tr record.Tree, ref string, e books.Edit, actor string, source checkout.Source) error {
	return l.update(func(t *txn) {
		t.unlessImporting()
		p := t.find(tr, ref)
		was := *p.row
		entry.Edit(p.row, e)
		t.must(entry.Check(p.id, p.row))
		if e.Kit != nil {
			t.join(p, *e.Kit)
		}
		t.saveSaid(p)
		t.said(p, &was, *by(actor, source))
		status := ""
		if e.Status != nil {
			status = e.Status.String()
		}
		if t.lost(e.Tag) {
			t.refuseBadge(t.holding(e.Tag))
		}
		if !e.Untag.IsZero() {
			t.untag(p, e.Untag, *by(actor, source))
		}
		t.change(p, e.Tag, status, by(actor, source))
		if !e.MoreBadge.IsZero() {
			t.enrol(by(actor, source), p, e.MoreBadge, true)
		}
		if e.LostBadge != (books.BadgeRef{}) {
			t.lose(p, e.LostBadge, *by(actor, source))
		}
		if e.FoundBadge != (books.BadgeRef{}) {
			t.regain(p, e.FoundBadge, *by(actor, source))
		}
	})
}

// said appends an event that says what changed of what an admin or the directory says of
// p; none if nothing did. It reports whether there is one.
func (t *txn) said(p party, was *record.Row, ev record.Event) bool {
	note := entry.Said(was, p.row)
	if note == "" {
		return false
	}
	ev.Kind, ev.Note = checkout.Correct, note
	t.appendFor(&ev, p)
	return true
}

// change gives p a tag and a status, each with an event like ev. It reports whether
// anything changed. A zero tag and an empty status change nothing, nor does a tag that p
// has, or has lost.
func (t *txn) change(p party, tag checkout.Tag, status string, ev *record.Event) (did bool) {
	again := p.row.Status == checkout.Retired // only an active entry may get a tag
	if again {
		did = t.changeStatus(p, status, *ev)
	}
	if t.wants(p, t.holding(tag), tag) {
		like := *ev
		t.enrol(&like, p, tag, false)
		did = true
	}
	if !again {
		did = t.changeStatus(p, status, *ev) || did
	}
	return did
}

// wants reports whether a tag, which has holds, is new for p.
func (t *txn) wants(p, has party, tag checkout.Tag) bool {
	return !tag.IsZero() && (!t.whose(has).is(p) || has.dead() && has.row.Status == checkout.OldBadge)
}

// changeStatus gives p a status by its word, also "lost".
func (t *txn) changeStatus(p party, status string, ev record.Event) (did bool) {
	if lost := status == books.StatusLost; t.losesOrFinds(p, status) {
		ev := ev
		ev.Kind = checkout.Found
		if lost {
			ev.Kind = checkout.Lost
			t.setFrom(&ev, p.row.Loan.Holder)
		}
		t.append(&ev, nobody, p)
		did = true
	}
	if s, changes := statusAfter(p, status); changes {
		p.row.ByDirectory = false
		t.setStatus(p, s, ev)
		return true
	}
	return did
}

// losesOrFinds reports whether a status by its word makes p lost, or found.
func (t *txn) losesOrFinds(p party, status string) bool {
	return p.tree == record.TreeDevices && status != "" && status != checkout.Retired.String() && (status == books.StatusLost) != p.row.Loan.Lost
}

// statusAfter returns the status with a word, and whether p has another one now.
func statusAfter(p party, status string) (s checkout.Status, changes bool) {
	for _, s := range []checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired} {
		// A lost device stays active, so that a bump brings it back.
		if s.String() == status || s == checkout.Active && status == books.StatusLost {
			return s, s != p.row.Status
		}
	}
	return 0, false
}

// setStatus changes a status and appends the event.
func (t *txn) setStatus(p party, s checkout.Status, ev record.Event) {
	ev.Kind, ev.Note = checkout.Correct, s.String()
	if s == checkout.Retired {
		ev.Kind, ev.Note = checkout.Retire, ""
		t.mustHoldNothing(p)
	}
	p.row.Status = s
	t.appendFor(&ev, p)
}

// mustHoldNothing refuses while a loan of the person or device is open, or one of a pending
// badge that becomes theirs.
func (t *txn) mustHoldNothing(p party, pending ...string) {
	if h := p.row.Loan.Holder; h != "" {
		t.failf("%w: %s is with %s: return it first", checkout.ErrRefused, p.name(), t.holderName(h))
	}
	if p.tree == record.TreeDevices {
		return
	}
	var held []string
	for _, id := range append(pending, p.id) {
		if id == "" {
			continue
		}
		for _, d := range t.heldBy(id) {
			held = append(held, d.name())
		}
	}
	if held != nil {
		t.failf("%w: %s still has %s", checkout.ErrRefused, p.name(), strings.Join(held, ", "))
	}
}
