package directory

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory/plan"
	"stump/internal/books"
)

// Ledger is what the worker needs of the station's ledger; *ledger.Ledger is one.
type Ledger interface {
	OutboxFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error)
	StuckFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error)
	OutboxOf(sink string, key ledger.RowKey) (ledger.OutboxRow, error)
	ParseRow(id string) (ledger.RowKey, error)
	SaveOutbox(sink string, rows ...ledger.OutboxRow) error
	Delivered(sink string, keys ...ledger.RowKey) error
	Drop(sink string, keys []ledger.RowKey, actor string, source checkout.Source, note string) error
	Told(sink string, key ledger.RowKey, rev string) error
	AcceptTheirs(sink string, key ledger.RowKey, holder, actor string) (checkout.Event, error)
	FirstWord(sink string, key ledger.RowKey, holder string) (bool, error)
	OutboxChanged() <-chan struct{}
	Moment(sink, place string) (ledger.Moment, error)
	Doubt(key ledger.RowKey, actor, note string) error
	Doubts() ([]ledger.Doubt, error)
	Right(key ledger.RowKey, actor string) (checkout.Event, error)
	TakeOver(m ledger.Moment, seen []books.Seen, actor string, believe func(returns, loans int) bool, tell func(books.Word)) error
	Backlog(sink string) (int, error)
	Sinks() ([]string, error)

	People(books.Page) iter.Seq2[books.Person, error]
	Devices(books.Page) iter.Seq2[books.Device, error]
	FindPerson(id string) (books.Person, error)
	FindDevice(id string) (books.Device, error)
	Subject(tag checkout.Tag) (checkout.Subject, error)
	TagNumber(kind checkout.SubjectKind, id string) (checkout.Tag, error)
	Pending() ([]checkout.Subject, error)
	// Settled waits for the end of an import that is being applied, or of ctx.
	Settled(ctx context.Context) error
	Sync(rows []books.SyncRow, actor string, source checkout.Source) ([]books.SyncRow, error)
}

// member is a person or a device of the register.
type member struct {
	plan.Member
	hasTag bool   // has a tag or badge
	home   string // of a device, see books.Device
	rev    string // the same
}

func personMember(p books.Person) member {
	inactive := p.Status != checkout.Active
	row := books.SyncRow{Kind: checkout.KindPerson, ID: p.ID, Ref: p.Ref, Name: p.Name, Email: p.Email, Inactive: inactive}
	row.SetGroups(p.DirectoryGroups)
	return member{hasTag: p.HasBadge(), Member: plan.Member{SyncRow: row, Retired: inactive && !p.ByDirectory, Former: p.Former}}
}

func deviceMember(d books.Device) member {
	inactive, holds := d.Status != checkout.Active, 0
	if d.Holder != "" {
		holds = 1
	}
	row := books.SyncRow{Kind: checkout.KindDevice, ID: d.ID, Ref: d.Ref, Name: d.Name, Type: d.Kind, Inactive: inactive}
	row.SetDetails(d.Serial, d.Place, d.Link)
	return member{hasTag: d.HasTag(), home: d.Home, rev: d.DirectoryRev, Member: plan.Member{SyncRow: row, Holds: holds, Retired: inactive && !d.ByDirectory}}
}

// members lists all people, then all devices. Who was merged into another is not among
// them. There is room for as many as are expected: a list that grows is in memory twice.
func members(l Ledger, expected int) (all []plan.Member, err error) {
	all = make([]plan.Member, 0, expected)
	at := map[string]int{} // people by id
	for p, err := range inPages(l.People, func(p books.Person) string { return p.ID }) {
		if err != nil {
			return nil, err
		}
		if p.MergedInto != "" {
			continue
		}
		at[p.ID] = len(all)
		all = append(all, personMember(p).Member)
	}
	for d, err := range inPages(l.Devices, func(d books.Device) string { return d.ID }) {
		if err != nil {
			return nil, err
		}
		if i, ok := at[d.Holder]; ok {
			all[i].Holds++
		}
		all = append(all, deviceMember(d).Member)
	}
	return all, nil
}

// membersAtOnce is how many rows of the register are copied at once.
const membersAtOnce = 256

// inPages lists the rows of a list of the register page by page: as a whole they would
// be in memory twice.
func inPages[T any](list func(books.Page) iter.Seq2[T, error], id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		after := ""
		for n := membersAtOnce; n == membersAtOnce; {
			n = 0
			for row, err := range list(books.Page{After: after, Limit: membersAtOnce}) {
				if !yield(row, err) || err != nil {
					return
				}
				n, after = n+1, id(row)
			}
		}
	}
}

// find returns a person or device by id, or a zero member if it is no longer in
// the register.
func find(l Ledger, kind checkout.SubjectKind, id string) (m member, err error) {
	if kind == checkout.KindPerson {
		var p books.Person
		if p, err = l.FindPerson(id); err == nil {
			m = personMember(p)
		}
	} else {
		var d books.Device
		if d, err = l.FindDevice(id); err == nil {
			m = deviceMember(d)
		}
	}
	if errors.Is(err, books.ErrNotFound) {
		err = nil
	}
	return m, err
}

// ownerOf returns the owner of a tag, or a zero member if it has none.
func ownerOf(l Ledger, tag checkout.Tag) (member, error) {
	s, err := l.Subject(tag)
	if err != nil || s.Kind == checkout.Unknown || s.Pending {
		return member{}, err
	}
	return find(l, s.Kind, s.ID)
}

// amongMembers is ownerOf for one who looks many tags up, in the order of members.
func amongMembers(l Ledger, register []plan.Member, tag checkout.Tag) (plan.Member, error) {
	s, err := l.Subject(tag)
	if err != nil || s.Kind == checkout.Unknown || s.Pending {
		return plan.Member{}, err
	}
	at, found := slices.BinarySearchFunc(register, s, func(m plan.Member, s checkout.Subject) int {
		return cmp.Or(cmp.Compare(m.Kind, s.Kind), cmp.Compare(m.ID, s.ID))
	})
	if found {
		return register[at], nil
	}
	m, err := find(l, s.Kind, s.ID) // came since
	return m.Member, err
}
