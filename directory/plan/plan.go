// Package plan finds out what a pull of the staff directory will change in the
// register: who is new, who is who, and who left. It is pure: it writes nothing, has no
// clock, and is told who owns a tag.
//
// Its guards are learned from directories that lost their content over night
// (snipe-it#6480, #7610, #11936):
//
//   - a value that the directory lacks never blanks the register's
//   - what was not seen proves nothing until two whole lists, an hour apart, lack it
//   - an empty answer deactivates nobody, even if forced
//   - more than 10 % and more than five at once are only deactivated if forced
//   - the same key is the same person, whatever the name; another key may be, see rekey.go
//   - people who leave with devices stay until these are back
package plan

import (
	"fmt"
	"slices"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/count"
)

// Plan is what a pull will change.
type Plan struct {
	// Changes are rows to write into the register. Those of somebody new have no ID.
	Changes []books.SyncRow
	// Notes are what it will not change, and why, for people.
	Notes []string
	// held counts the deactivations that wait for --force.
	held int
	// People and Devices are how many the directory has.
	People, Devices int
}

// Make compares the register with what the directory has, whose rows it may change.
// owner finds the register's owner of a tag, a zero Member if it has none. gone are
// those whom earlier lists lacked; nil believes one list. force deactivates at once, and
// more than is plausible. The error is one of owner's.
func Make(register []Member, snap call.Snapshot, owner func(checkout.Tag) (Member, error), gone *Absences, force bool) (Plan, error) {
	p := planner{owner: owner, gone: gone, force: force}
	p.Notes = slices.Concat(snap.BadgeField.Notes, snap.DeviceField.Notes)
	p.People, p.Devices = len(snap.People), len(snap.Devices)
	var err error
	if snap.HasPeople {
		p.Notes = append(p.Notes, snap.PeopleList.Notes...)
		err = p.compare(checkout.KindPerson, register, snap.People, snap.PeopleList)
	}
	if err == nil && snap.HasDevices {
		p.Notes = append(p.Notes, snap.DeviceList.Notes...)
		err = p.compare(checkout.KindDevice, register, snap.Devices, snap.DeviceList)
	}
	if p.unsaid > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("and %d more of this kind", p.unsaid))
	}
	return p.Plan, err
}

type planner struct {
	Plan
	owner  func(checkout.Tag) (Member, error)
	gone   *Absences
	force  bool
	unsaid int // notes that are too many

	// The rest is of one kind.
	kind    checkout.SubjectKind
	now     map[string]*books.SyncRow // of the directory, by its key
	byRef   map[string]*Member        // of the register, by the directory's key
	byEmail map[string][]*Member      // those without one
	taken   map[string]bool           // ids that a row of the directory has
	leaving []leaver                  // those whom the directory has, and no longer as active
	active  int                       // of the register, from the directory
	room    int                       // for so many more of the directory
	full    int                       // rows that there is no room for
}

// MostNotes is how many notes of a pull are kept: more is no longer read.
const MostNotes = 50

func (p *planner) note(format string, a ...any) {
	if len(p.Notes) >= MostNotes {
		p.unsaid++
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf(format, a...))
}

// compare plans people or devices.
func (p *planner) compare(kind checkout.SubjectKind, register []Member, pulled []books.SyncRow, list call.Listing) error {
	p.kind, p.leaving, p.active, p.full = kind, nil, 0, 0
	p.now, p.byRef, p.byEmail, p.taken = map[string]*books.SyncRow{}, map[string]*Member{}, map[string][]*Member{}, map[string]bool{}
	for _, m := range call.Each(register) {
		switch {
		case m.Kind != kind:
		case m.Ref != "":
			p.byRef[m.Ref] = m
			if !m.Inactive {
				p.active++
			}
		case m.Email != "":
			email := strings.ToLower(m.Email)
			p.byEmail[email] = append(p.byEmail[email], m)
		}
	}
	p.room = max(call.MostRows-len(p.byRef), 0)
	pulled, err := p.newKeys(register, p.unique(p.oneKey(register, pulled)), list)
	if err != nil {
		return err
	}
	for _, in := range call.Each(pulled) {
		if err := p.one(*in); err != nil {
			return err
		}
	}
	if p.full > 0 {
		p.note("%s of the directory are not added: the register has room for %d from a directory", count.Of(p.full, kind.String()), call.MostRows)
	}
	p.noteTwins(register, pulled, list)
	p.leave(register, len(pulled), list)
	return nil
}

// one plans a row of the directory.
func (p *planner) one(in books.SyncRow) error {
	var owner Member
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
		p.add(in)
		return nil
	}
	p.taken[was.ID] = true
	is := was.Merge(in)
	if is.Inactive && !was.Inactive {
		out := leaver{row: is, holds: was.Holds, change: len(p.Changes)}
		if is.Inactive = false; is == was.SyncRow {
			out.change = -1
		}
		p.leaving = append(p.leaving, out)
	}
	if is != was.SyncRow {
		p.Changes = append(p.Changes, is)
	}
	return nil
}

// add plans somebody new.
func (p *planner) add(in books.SyncRow) {
	switch {
	case in.Inactive:
	case in.Name == "":
		p.note("the %s %s has no name in the directory, and is not added", p.kind, in.Ref)
	case p.room == 0:
		p.full++
	default:
		p.room--
		p.Changes = append(p.Changes, in)
	}
}

// match finds the member that a row is about: by the directory's key; if the
// register does not have that, by the tag, else by a mail address that only one
// member has.
func (p *planner) match(in books.SyncRow, owner Member) (Member, bool) {
	if m, ok := p.byRef[in.Ref]; ok {
		return *m, true
	}
	m := owner
	if owner.Kind != p.kind || owner.Ref != "" {
		same := p.byEmail[strings.ToLower(in.Email)]
		if len(same) != 1 {
			return Member{}, false
		}
		m = *same[0]
	}
	return m, !p.taken[m.ID]
}

// tagOf returns the tag to set where it has an owner in the register: zero leaves
// it with the owner. its: the row is about that owner.
func (p *planner) tagOf(in books.SyncRow, owner Member, its bool) checkout.Tag {
	switch {
	case its:
		return checkout.Tag{}
	case owner.Kind == in.Kind && p.reissued(in.Tag, owner):
		p.noteTaken(in, owner)
		return in.Tag
	}
	p.note("the %s that the directory has for %s belongs to %s here, and stays there", p.tagWord(), in.Name, owner.Name)
	return checkout.Tag{}
}

// unique removes what the directory lists twice, in place: a row that moved from one
// page to the next, a badge number that two people have.
func (p *planner) unique(pulled []books.SyncRow) (rest []books.SyncRow) {
	rest = pulled[:0]
	active := map[checkout.Tag]bool{} // who left has a badge no longer that somebody else has
	for _, r := range call.Each(pulled) {
		if !r.Tag.IsZero() {
			active[r.Tag] = active[r.Tag] || !r.Inactive
		}
		if at, twice := p.now[r.Ref]; twice {
			*at = *r
			continue
		}
		rest = append(rest, *r)
		p.now[r.Ref] = &rest[len(rest)-1]
	}
	first, again := map[checkout.Tag]int32{}, map[checkout.Tag][]string{}
	for i, r := range call.Each(rest) {
		if r.Inactive && active[r.Tag] {
			r.Tag = checkout.Tag{}
		}
		if r.Tag.IsZero() {
			continue
		}
		if at, twice := first[r.Tag]; !twice {
			first[r.Tag] = int32(i)
		} else if again[r.Tag] = append(again[r.Tag], r.Name); len(again[r.Tag]) == 1 {
			again[r.Tag] = []string{rest[at].Name, r.Name}
		}
	}
	for i := range rest {
		names, twice := again[rest[i].Tag]
		if !twice {
			continue
		}
		if first[rest[i].Tag] == int32(i) {
			p.note("%s and %s have the same %s in the directory: here each keeps what it has", few(names[:len(names)-1]), names[len(names)-1], p.tagWord())
		}
		rest[i].Tag = checkout.Tag{}
	}
	return rest
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
func (p *planner) reissued(t checkout.Tag, owner Member) bool {
	if owner.Ref == "" {
		return false
	}
	is, there := p.now[owner.Ref]
	return !there || is.Inactive || !is.Tag.IsZero() && is.Tag != t
}
