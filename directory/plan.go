package directory

import (
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/count"
)

// Guards of a pull, learned from directories that emptied themselves over
// night (snipe-it#6480, #7610, #11936):
//
//   - a value that the source lacks is left as it is, never blanked
//   - an empty answer deactivates nobody, whatever is forced
//   - more than 10 % and more than five at once are not deactivated unforced
//   - who comes back under the same key is the same, whatever the name
//   - who left with devices stays until these are back
const (
	guardCount   = 5
	guardPercent = 10
)

// Plan is what a pull will change.
type Plan struct {
	Changes []Record
	// Notes are what it will not change, and why.
	Notes []string
	// Held counts the deactivations that wait for --force.
	Held int
	// People and Devices are how many the directory has.
	People, Devices int
}

// MakePlan compares the register with the directory. byTag finds the register's
// owner of a tag. It is pure but for byTag.
func MakePlan(register []Record, snap call.Snapshot, byTag func(checkout.Tag) (Record, bool, error), force bool) (Plan, error) {
	p := planner{byTag: byTag, force: force}
	p.plan.Notes = append(p.plan.Notes, snap.Notes...)
	p.plan.People, p.plan.Devices = len(snap.People), len(snap.Devices)
	if snap.HasPeople {
		if err := p.kind(checkout.KindPerson, register, snap.People); err != nil {
			return Plan{}, err
		}
	}
	if snap.HasDevices {
		if err := p.kind(checkout.KindDevice, register, snap.Devices); err != nil {
			return Plan{}, err
		}
	}
	return p.plan, nil
}

type planner struct {
	plan  Plan
	byTag func(checkout.Tag) (Record, bool, error)
	force bool
}

func (p *planner) note(format string, a ...any) {
	p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(format, a...))
}

// known is what the register has of one kind.
type known struct {
	byID, byRef map[string]Record
	byEmail     map[string][]Record // of those without a key of the directory
	active      int                 // of those with one
}

func knownOf(k checkout.SubjectKind, register []Record) known {
	n := known{map[string]Record{}, map[string]Record{}, map[string][]Record{}, 0}
	for _, r := range register {
		if r.Kind != k {
			continue
		}
		n.byID[r.ID] = r
		if r.Ref == "" {
			if r.Email != "" {
				n.byEmail[strings.ToLower(r.Email)] = append(n.byEmail[strings.ToLower(r.Email)], r)
			}
			continue
		}
		n.byRef[r.Ref] = r
		if !r.Inactive {
			n.active++
		}
	}
	return n
}

// kind plans people or devices.
func (p *planner) kind(k checkout.SubjectKind, register []Record, rows []checkout.SyncRow) error {
	have := knownOf(k, register)
	var pulled []Record
	for _, r := range rows {
		pulled = append(pulled, recordOf(r))
	}
	pulled = p.unique(k, pulled)
	now, taken := map[string]Record{}, map[string]bool{}
	for _, in := range pulled {
		now[in.Ref] = in
	}
	var leaving []Record
	for _, in := range pulled {
		owner, owned, err := p.ownerOf(in.Tag)
		if err != nil {
			return err
		}
		was, known := have.byRef[in.Ref]
		if !known {
			was, known = adopt(k, in, owner, owned, have.byEmail)
			known = known && !taken[was.ID]
		}
		if owned {
			its := owner.Kind == k && known && owner.ID == was.ID
			in.Tag = p.tagOf(in, owner, its, now)
		}
		if !known {
			if !in.Inactive {
				p.plan.Changes = append(p.plan.Changes, in)
			}
			continue
		}
		taken[was.ID] = true
		is := merge(was, in)
		if in.Inactive && !was.Inactive {
			leaving = append(leaving, is)
			is.Inactive = false
		}
		if changed(was, is) {
			p.plan.Changes = append(p.plan.Changes, is)
			have.byID[was.ID] = is
		}
	}
	for _, r := range register {
		if _, there := now[r.Ref]; r.Kind == k && r.Ref != "" && !there && !r.Inactive {
			leaving = append(leaving, have.byID[r.ID])
		}
	}
	p.leave(k, leaving, have.active, len(pulled))
	return nil
}

// tagOf is what becomes of a tag that has an owner here: none, where it stays as
// it is. its: the owner is whom the directory means.
func (p *planner) tagOf(in, owner Record, its bool, now map[string]Record) checkout.Tag {
	switch {
	case its:
		return checkout.Tag{}
	case owner.Kind == in.Kind && reissued(in.Tag, owner, now):
		return in.Tag
	}
	p.note("what the directory has as the %s of %s belongs to %s here: it stays there", tagWord(in.Kind), in.Name, owner.Name)
	return checkout.Tag{}
}

// unique removes what the source lists twice: a row that slid from one page to
// the next, a badge number that two people have.
func (p *planner) unique(k checkout.SubjectKind, pulled []Record) []Record {
	at, whose := map[string]int{}, map[checkout.Tag][]string{}
	var out []Record
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
			p.note("%s and %s have the same %s in the directory: here each keeps what it has", strings.Join(names[:len(names)-1], ", "), names[len(names)-1], tagWord(k))
		}
		out[i].Tag = checkout.Tag{}
	}
	return out
}

// tagWord is how people call the tag.
func tagWord(k checkout.SubjectKind) string {
	if k == checkout.KindPerson {
		return "badge"
	}
	return "tag"
}

func (p *planner) ownerOf(t checkout.Tag) (Record, bool, error) {
	if t.IsZero() {
		return Record{}, false, nil
	}
	return p.byTag(t)
}

// adopt finds the register's own record of somebody whom the directory names
// for the first time: by the tag, else by a mail address that only one has.
func adopt(k checkout.SubjectKind, in, owner Record, owned bool, byEmail map[string][]Record) (Record, bool) {
	if owned && owner.Kind == k && owner.Ref == "" {
		return owner, true
	}
	if same := byEmail[strings.ToLower(in.Email)]; in.Email != "" && len(same) == 1 {
		return same[0], true
	}
	return Record{}, false
}

// reissued reports whether the directory took the tag from its owner: they left,
// or have another one now.
func reissued(t checkout.Tag, owner Record, now map[string]Record) bool {
	if owner.Ref == "" {
		return false
	}
	is, there := now[owner.Ref]
	return !there || is.Inactive || !is.Tag.IsZero() && is.Tag != t
}

// merge lays what the directory says over what the register has.
func merge(was, in Record) Record {
	now := was
	now.Ref, now.Tag = in.Ref, in.Tag
	for _, f := range []struct {
		to   *string
		from string
	}{{&now.Name, in.Name}, {&now.Email, in.Email}, {&now.Model, in.Model}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if !was.Retired {
		now.Inactive = in.Inactive
	}
	return now
}

func changed(was, now Record) bool {
	was.Tag = checkout.Tag{} // as now has it when it stays
	return was != now
}

// leave deactivates those who are gone, if that can be believed.
func (p *planner) leave(k checkout.SubjectKind, leaving []Record, active, pulled int) {
	if len(leaving) == 0 {
		return
	}
	many := count.Of(len(leaving), k.String())
	word := "suspended"
	if k == checkout.KindDevice {
		word = "retired"
	}
	switch {
	case pulled == 0:
		p.plan.Held += len(leaving)
		p.note("the directory lists no %s at all: that is not believed, and none is %s", k, word)
		return
	case len(leaving) > guardCount && len(leaving)*100 > active*guardPercent && !p.force:
		p.plan.Held += len(leaving)
		p.note("%s of %d are gone from the directory: none is %s until: stump sync pull --force", many, active, word)
		return
	}
	for _, r := range leaving {
		if r.Holds > 0 && k == checkout.KindDevice {
			p.note("%s is no longer to be lent, and somebody has it: stays until back", r.Name)
			continue
		}
		if r.Holds > 0 {
			p.note("%s left the directory and still has %s: stays until back", r.Name, count.Of(r.Holds, "device"))
			continue
		}
		r.Inactive = true
		p.replace(r)
	}
}

// replace puts r in place of an earlier change of the same record.
func (p *planner) replace(r Record) {
	for i, c := range p.plan.Changes {
		if c.Kind == r.Kind && c.ID == r.ID {
			r.Tag = c.Tag
			p.plan.Changes[i] = r
			return
		}
	}
	p.plan.Changes = append(p.plan.Changes, r)
}
