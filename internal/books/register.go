// Package books has what lists show and admins change: people, devices, loans, history
// and imports, and the errors about them. The ledger keeps the books of a station.
package books

import (
	"cmp"
	"strings"
	"time"

	"stump/checkout"
)

// StatusLost stands for a device that can't be found, see Ledger.Lose.
const StatusLost = "lost"

// Person is a row of the register.
type Person struct {
	ID, Name, Email string
	Badges          []Badge
	Status          checkout.Status
	// Ref is the directory's own key; empty for whom only the station knows.
	Ref string
	// ByDirectory is set when the directory, not an admin, took them out of use.
	ByDirectory bool
	// Former are the directory's keys of people who were merged into this one.
	Former []string
	// MergedInto is the id of the person that this one turned out to be; empty for all
	// others.
	MergedInto string
	// Groups are those that an admin put the person in, DirectoryGroups those that the
	// directory did. No group is in both.
	Groups, DirectoryGroups checkout.Groups
	// Language is the one in which they are written to; empty for the station's.
	Language checkout.Language
	// Reminded is when they were reminded last of what they have; zero for never.
	Reminded time.Time
	// Revision changes whenever the person does, with each of their events, too; only
	// who asks for one person gets it.
	Revision string
}

// Former is somebody who was merged into another person.
type Former struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Badge is a badge of a person.
type Badge struct {
	Number string // masked
	// Status is Active, LostBadge or OldBadge.
	Status checkout.Status
}

// BadgeRef names a badge of a person: by its tag, or if that is zero by what is shown
// of its number.
type BadgeRef struct {
	Tag   checkout.Tag
	Shown string
}

// Badge is how lists show the person's badges: "…066", or "…066, …067 lost". Replaced
// ones are left out. It is empty for none.
func (p Person) Badge() string {
	all := p.Live()
	for _, b := range p.Badges {
		if b.Status == checkout.LostBadge {
			all = append(all, b.Number+" "+b.Status.String())
		}
	}
	return strings.Join(all, ", ")
}

// Live are the masked numbers of the badges that work.
func (p Person) Live() (all []string) {
	for _, b := range p.Badges {
		if b.Status == checkout.Active {
			all = append(all, b.Number)
		}
	}
	return all
}

// PlainName is a name without what people write differently: capitals and blanks. Accents stay,
// which [Fold] drops: Muller and Müller are two people.
func PlainName(name string) string { return lower(strings.Join(strings.Fields(name), " ")) }

// AllGroups are the groups that the person is in.
func (p Person) AllGroups() checkout.Groups { return p.Groups.And(p.DirectoryGroups) }

// HasBadge reports whether the person can bump.
func (p Person) HasBadge() bool { return len(p.Live()) > 0 }

// Details are what a register has of a device beside its name and its kind. All may be
// empty.
type Details struct {
	Serial string
	// Place is where it stands while it is free.
	Place string
	Note  string
	// Link is its page where assets are managed.
	Link string
	// Out is the day on which it is lent again; until then it is out of service. Who reads
	// the books finds it empty once that day has come.
	Out checkout.Day
}

// Check says why details from outside can't be kept.
func (d Details) Check() error {
	return cmp.Or(checkout.CheckText("serial number", d.Serial, checkout.MaxName), checkout.CheckText("place", d.Place, checkout.MaxName),
		checkout.CheckText("note", d.Note, checkout.MaxName), checkout.CheckLink(d.Link), checkout.CheckDay(d.Out))
}

// Device is a row of the register.
type Device struct {
	ID, Name string
	Details
	// Kind groups devices of a kind, such as "phone"; loan lengths may depend on it.
	Kind string
	// Kit is the id of the kit that the device is a part of; empty for none.
	Kit string
	// Tag is the masked number; empty for none.
	Tag    string
	Status checkout.Status
	// Holder and HolderName are who has it; empty when it is free.
	Holder, HolderName string
	Lost               bool
	// Condition is what was said of it last.
	Condition string
	// Ref is the directory's own key; empty for what only the station knows.
	Ref string
	// ByDirectory is set when the directory, not an admin, took it out of use.
	ByDirectory bool
	// Home is the directory's key of the place where it stands while it is free.
	Home string
	// DirectoryRev is the directory's revision of who has it, when it and the ledger
	// last agreed.
	DirectoryRev string
	// Revision changes whenever the device does, with each of its events, too; only who
	// asks for one device gets it.
	Revision string
}

// Part is a part of a kit.
type Part struct {
	Device
	// In: it is in the kit, which somebody has. Missing: somebody took it with the kit and
	// has it, but the kit is elsewhere.
	In, Missing bool
}

// HasTag reports whether the device can be bumped.
func (d Device) HasTag() bool { return d.Tag != "" }

// Word is the status as lists and files have it: "lost" for what can't be found
// and was not given up.
func (d Device) Word() string {
	if d.Lost && d.Status == checkout.Active {
		return StatusLost
	}
	return d.Status.String()
}

// SyncRow is what the directory says of a person or device.
type SyncRow struct {
	Kind checkout.SubjectKind
	// ID is the register's; empty for somebody new, whose id is made from the name.
	ID string
	// Ref is the directory's own key.
	Ref               string
	Name, Email, Type string
	// Tag is zero to keep the present one. A tag of somebody else of the same kind
	// is taken from them.
	Tag checkout.Tag
	// Beside keeps the badges that a person has; else the tag takes the place of the
	// first.
	Beside bool
	// Inactive suspends a person and retires a device; else they are active
	// again, unless an admin took them out of use.
	Inactive bool
	// HasGroups: the directory says in which groups a person is, see SetGroups.
	HasGroups bool
	// Language is a person's; empty keeps the one that there is.
	Language checkout.Language
	// more are the groups of a person, or what is known of a device, a line each: a full
	// register has many rows.
	more string
}

// SetGroups sets the groups that the directory has a person in.
func (r *SyncRow) SetGroups(g checkout.Groups) { r.more, r.HasGroups = string(g), true }

// Groups are the groups that the directory has a person in, if HasGroups.
func (r *SyncRow) Groups() checkout.Groups { return checkout.Groups(r.more) }

// SetDetails sets what the directory has of a device: an empty one stays as it is.
func (r *SyncRow) SetDetails(serial, place, link string) {
	r.more = serial + "\n" + place + "\n" + link
	if r.more == "\n\n" {
		r.more = ""
	}
}

// Details are what SetDetails has set.
func (r *SyncRow) Details() (serial, place, link string) {
	serial, rest, _ := strings.Cut(r.more, "\n")
	place, link, _ = strings.Cut(rest, "\n")
	return serial, place, link
}

// Say takes over what in says of groups and details.
func (r *SyncRow) Say(in *SyncRow) {
	switch {
	case in.Kind == checkout.KindDevice && r.more != in.more:
		s, p, l := in.Details()
		rs, rp, rl := r.Details()
		r.SetDetails(cmp.Or(s, rs), cmp.Or(p, rp), cmp.Or(l, rl))
	case in.Kind == checkout.KindPerson && in.HasGroups:
		r.SetGroups(in.Groups())
	}
}

// Holding is who has a device by the directory's word.
type Holding struct {
	Free bool   `json:"free"`
	Ref  string `json:"ref,omitempty"`  // the directory's key of the holder
	ID   string `json:"id,omitempty"`   // the register's, where known
	Name string `json:"name,omitempty"` // for people
}

// Edit is a change to a person or device; nil fields stay as they are.
type Edit struct {
	Name, Email, Kind *string
	// Kit is the id or exact name of the kit that the device becomes a part of, "" for none.
	Kit *string
	// Groups are those of a person by an admin's word; what the directory says stays.
	Groups *checkout.Groups
	// Language is a person's; empty for the station's.
	Language                  *checkout.Language
	Serial, Place, Note, Link *string
	Out                       *checkout.Day
	// Condition is what is said of a device.
	Condition *string
	// Tag is enrolled in place of the one before, of a person in place of the first
	// badge; zero stays as it is.
	Tag checkout.Tag
	// MoreBadge is enrolled beside the badges that a person has.
	MoreBadge checkout.Tag
	// Untag is taken away from its owner: it was given by mistake.
	Untag checkout.Tag
	// LostBadge and FoundBadge say that a badge of the person was lost, and is there
	// again.
	LostBadge, FoundBadge BadgeRef
	// Status sets Active, Suspended (people) or Retired. A lost device that is
	// active is found.
	Status *checkout.Status
}
