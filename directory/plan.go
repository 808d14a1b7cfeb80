package directory

import (
	"cmp"
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/count"
)

// Guards of a pull, learned from directories that lost their content over
// night (snipe-it#6480, #7610, #11936):
//
//   - a value that the directory lacks never blanks the register's
//   - an empty answer deactivates nobody, even if forced
//   - more than 10 % and more than five at once are only deactivated if forced
//   - the same key is the same person, whatever the name
//   - people who leave with devices stay until these are back
const (
	guardCount   = 5
	guardPercent = 10
)

// plan is what a pull will change.
type plan struct {
	changes []books.SyncRow
	// notes are what it will not change, and why.
	notes []string
	// held counts the deactivations that wait for --force.
	held int
	// people and devices are how many the directory has.
	people, devices int
}

// makePlan compares the register with the directory. owner finds the register's
// owner of a tag. It is pure but for owner.
func makePlan(register []member, snap call.Snapshot, owner func(checkout.Tag) (member, error), force bool) (plan, error) {
	p := planner{owner: owner, force: force}
	p.notes = append(p.notes, snap.Notes...)
	p.people, p.devices = len(snap.People), len(snap.Devices)
	var err error
	if snap.HasPeople {
		err = p.compare(checkout.KindPerson, register, snap.People)
	}
	if err == nil && snap.HasDevices {
		err = p.compare(checkout.KindDevice, register, snap.Devices)
	}
	return p.plan, err
}

type planner struct {
	plan
	owner func(checkout.Tag) (member, error)
	force bool

	// The rest is of one kind.
	kind    checkout.SubjectKind
	now     map[string]books.SyncRow // of the directory, by its key
	byRef   map[string]member        // of the register, by the directory's key
	byEmail map[string][]member      // those without one
	taken   map[string]bool          // ids that a row of the directory has
	leaving []member
}

func (p *planner) note(format string, a ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, a...))
}

// compare plans people or devices.
func (p *planner) compare(kind checkout.SubjectKind, register []member, pulled []books.SyncRow) error {
	p.kind, p.leaving = kind, nil
	p.now, p.byRef, p.byEmail, p.taken = map[string]books.SyncRow{}, map[string]member{}, map[string][]member{}, map[string]bool{}
	active := 0
	for _, m := range register {
		switch email := strings.ToLower(m.Email); {
		case m.Kind != kind:
		case m.Ref != "":
			p.byRef[m.Ref] = m
			if !m.Inactive {
				active++
			}
		case email != "":
			p.byEmail[email] = append(p.byEmail[email], m)
		}
	}
	pulled = p.unique(pulled)
	for _, in := range pulled {
		p.now[in.Ref] = in
	}
	for _, in := range pulled {
		if err := p.one(in); err != nil {
			return err
		}
	}
	for _, m := range register {
		if _, there := p.now[m.Ref]; m.Kind == kind && m.Ref != "" && !there && !m.Inactive {
			p.leaving = append(p.leaving, m)
		}
	}
	p.leave(active, len(pulled))
	return nil
}

// one plans a row of the directory.
func (p *planner) one(in books.SyncRow) error {
	var owner member
	if !in.Tag.IsZero() {
		var err error
		if owner, err = p.owner(in.Tag); err != nil {
			return err
		}
	}
	was, known := p.match(in, owner)
	if owner.Kind != checkout.Unknown {
		its := known && owner.Kind == p.kind && owner.ID == was.ID
		in.Tag = p.tagOf(in, owner, its)
	}
	if !known {
		if !in.Inactive {
			p.changes = append(p.changes, in)
		}
		return nil
	}
	p.taken[was.ID] = true
	is := was.merge(in)
	if is.Inactive && !was.Inactive {
		p.leaving = append(p.leaving, member{SyncRow: is, holds: was.holds})
		is.Inactive = false
	}
	if is != was.SyncRow {
		p.changes = append(p.changes, is)
	}
	return nil
}

// match finds the member that a row is about: by the directory's key; if the
// register does not have that, by the tag, else by a mail address that only one
// member has.
func (p *planner) match(in books.SyncRow, owner member) (member, bool) {
	if m, ok := p.byRef[in.Ref]; ok {
		return m, true
	}
	m := owner
	if owner.Kind != p.kind || owner.Ref != "" {
		same := p.byEmail[strings.ToLower(in.Email)]
		if len(same) != 1 {
			return member{}, false
		}
		m = same[0]
	}
	return m, !p.taken[m.ID]
}

// tagOf returns the tag to set where it has an owner in the register: zero leaves
// it with the owner. its: the row is about that owner.
func (p *planner) tagOf(in books.SyncRow, owner member, its bool) checkout.Tag {
	switch {
	case its:
		return checkout.Tag{}
	case owner.Kind == in.Kind && p.reissued(in.Tag, owner):
		return in.Tag
	}
	p.note("the %s that the directory has for %s belongs to %s here, and stays there", p.tagWord(), in.Name, owner.Name)
	return checkout.Tag{}
}

// unique removes what the directory lists twice: a row that moved from one page to
// the next, a badge number that two people have.
func (p *planner) unique(pulled []books.SyncRow) (out []books.SyncRow) {
	at, whose := map[string]int{}, map[checkout.Tag][]string{}
	for _, r := range pulled {
		if i, twice := at[r.Ref]; twice {
			out[i] = r
			continue
		}
		at[r.Ref] = len(out)
		out = append(out, r)
	}
	for _, r := range out {
		whose[r.Tag] = append(whose[r.Tag], r.Name)
	}
	delete(whose, checkout.Tag{})
	for i, r := range out {
		names := whose[r.Tag]
		if len(names) < 2 {
			continue
		}
		if names[0] == r.Name {
			p.note("%s and %s have the same %s in the directory: here each keeps what it has", strings.Join(names[:len(names)-1], ", "), names[len(names)-1], p.tagWord())
		}
		out[i].Tag = checkout.Tag{}
	}
	return out
}

// tagWord is how people call the tag.
func (p *planner) tagWord() string {
	if p.kind == checkout.KindPerson {
		return "badge"
	}
	return "tag"
}

// reissued reports whether the directory took the tag from its owner: they left,
// or have another one now.
func (p *planner) reissued(t checkout.Tag, owner member) bool {
	if owner.Ref == "" {
		return false
	}
	is, there := p.now[owner.Ref]
	return !there || is.Inactive || !is.Tag.IsZero() && is.Tag != t
}

// merge returns the member with what the directory says.
func (m member) merge(in books.SyncRow) books.SyncRow {
	now := m.SyncRow
	now.Ref, now.Tag = in.Ref, in.Tag
	now.Name, now.Email, now.Type = cmp.Or(in.Name, m.Name), cmp.Or(in.Email, m.Email), cmp.Or(in.Type, m.Type)
	if !m.retired {
		now.Inactive = in.Inactive
	}
	return now
}

// leave deactivates those who are gone, unless that is implausible.
func (p *planner) leave(active, pulled int) {
	if len(p.leaving) == 0 {
		return
	}
	word := "suspended"
	if p.kind == checkout.KindDevice {
		word = "retired"
	}
	switch n := len(p.leaving); {
	case pulled == 0:
		p.held += n
		p.note("the directory lists no %s at all, which is not believed: none is %s", p.kind, word)
		return
	case n > guardCount && n*100 > active*guardPercent && !p.force:
		p.held += n
		p.note("%s of %d are gone from the directory: none is %s without: stump sync pull --force", count.Of(n, p.kind.String()), active, word)
		return
	}
	for _, m := range p.leaving {
		switch {
		case m.holds == 0:
			p.deactivate(m.SyncRow)
		case p.kind == checkout.KindDevice:
			p.note("%s is no longer lent out, but somebody has it: it stays until it is returned", m.Name)
		default:
			p.note("%s left the directory but still has %s: they stay until everything is returned", m.Name, count.Of(m.holds, "device"))
		}
	}
}

// deactivate deactivates r, also where it is changed already.
func (p *planner) deactivate(r books.SyncRow) {
	r.Inactive = true
	for i, c := range p.changes {
		if c.Kind == r.Kind && c.ID == r.ID {
			r.Tag = c.Tag
			p.changes[i] = r
			return
		}
	}
	p.changes = append(p.changes, r)
}
