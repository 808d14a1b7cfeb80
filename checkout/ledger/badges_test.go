package ledger

import (
	"errors"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// badges is how lists show the badges of a person.
func (x *tester) badges(person string) string {
	x.t.Helper()
	p, err := x.FindPerson(person)
	x.ok(err)
	return p.Badge()
}

func (x *tester) edit(person string, e books.Edit) error {
	return x.EditPerson(person, e, "admin", checkout.SourceCLI)
}

func byTag(n int) books.BadgeRef      { return books.BadgeRef{Tag: tag(n)} }
func byEnd(end string) books.BadgeRef { return books.BadgeRef{Shown: end} }

// TestBadges plays what an admin does with the badges of ann, whose first is 1, and says
// what lists show and whose the badges are then.
func TestBadges(t *testing.T) {
	for _, c := range []struct {
		name   string
		edits  []books.Edit
		badges string
		desk   string // of the badges 1, 51, 52
	}{
		{"another one", []books.Edit{{MoreBadge: tag(51)}}, "…001, …051", "active active unknown"},
		{"the same twice", []books.Edit{{MoreBadge: tag(51)}, {MoreBadge: tag(51)}, {MoreBadge: tag(1)}}, "…001, …051", "active active unknown"},
		{"in place of the first", []books.Edit{{Tag: tag(51)}}, "…051", "replaced active unknown"},
		{"of two, in place of the first", []books.Edit{{MoreBadge: tag(51)}, {Tag: tag(52)}}, "…052, …051", "replaced active active"},
		{"and back", []books.Edit{{Tag: tag(51)}, {Tag: tag(1)}}, "…001", "active replaced unknown"},
		{"the old one beside", []books.Edit{{Tag: tag(51)}, {MoreBadge: tag(1)}}, "…051, …001", "active active unknown"},
		{"the only one is lost", []books.Edit{{LostBadge: byTag(1)}}, "…001 lost", "lost unknown unknown"},
		{"a new one for the lost", []books.Edit{{LostBadge: byTag(1)}, {Tag: tag(51)}}, "…051, …001 lost", "lost active unknown"},
		{"the first of two is lost", []books.Edit{{MoreBadge: tag(51)}, {LostBadge: byEnd("…001")}}, "…051, …001 lost", "lost active unknown"},
		{"the second is lost", []books.Edit{{MoreBadge: tag(51)}, {LostBadge: byEnd("…051")}}, "…001, …051 lost", "active lost unknown"},
		{"and found", []books.Edit{{MoreBadge: tag(51)}, {LostBadge: byTag(51)}, {FoundBadge: byTag(51)}}, "…001, …051", "active active unknown"},
		{"the only one is found", []books.Edit{{LostBadge: byTag(1)}, {FoundBadge: byEnd("…001")}}, "…001", "active unknown unknown"},
		{"a replaced one is found", []books.Edit{{Tag: tag(51)}, {FoundBadge: byTag(1)}}, "…051, …001", "active active unknown"},
		{"lost in one go with its successor", []books.Edit{{Tag: tag(51), LostBadge: byTag(1)}}, "…051, …001 lost", "lost active unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newLedger(t)
			for _, e := range c.edits {
				x.ok(x.edit("ann", e))
			}
			for range 2 {
				want(t, "badges", x.badges("ann"), c.badges)
				var desk []string
				for _, n := range []int{1, 51, 52} {
					s := x.subject(n)
					if s.Kind == checkout.Unknown {
						desk = append(desk, "unknown")
						continue
					}
					want(t, "whose it is", s.ID, "ann")
					desk = append(desk, s.Status.String())
				}
				want(t, "at the desk", strings.Join(desk, " "), c.desk)
				x.verify()
				x.reopen()
			}
		})
	}
}

// A lost badge is nobody's to have: not at the desk, not by an admin's slip, not by the
// directory.
func TestLostBadgeIsNeverEnrolled(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(51)}))
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, checkout.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := x.EnrolPerson("ben", tag(51), "keyboard", checkout.SourceKeyboard)
	refused("enrolled for ben", err)
	_, err = x.EnrolPerson("ann", tag(51), "keyboard", checkout.SourceKeyboard)
	refused("enrolled for ann", err)
	_, err = x.EnrolDevice("ipad", tag(51), "admin", checkout.SourceCLI)
	refused("for a device", err)
	refused("a new badge of ben", x.edit("ben", books.Edit{Tag: tag(51)}))
	refused("a new badge of ann", x.edit("ann", books.Edit{Tag: tag(51)}))
	_, err = x.importing(checkout.KindPerson, []books.ImportRow{{ID: "ben", Name: "Ben", Tag: tag(51), Line: 2}})
	refused("imported for ben", err)
	_, err = x.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, ID: "ann", Tag: tag(51)}, Device: x.subject(11)})
	refused("lost between two taps", err)
	// What the directory and an old file say of her does not bring it back, and does not
	// stop the rest.
	for _, id := range []string{"ann", "ben"} {
		_, err = x.Sync([]books.SyncRow{{Kind: checkout.KindPerson, ID: id, Ref: id, Name: "New " + id, Tag: tag(51)}}, "dir", checkout.SourceSync)
		x.ok(err)
	}
	_, err = x.importing(checkout.KindPerson, []books.ImportRow{{ID: "ann", Name: "Ann A", Tag: tag(51), Line: 2}})
	x.ok(err)
	x.ok(x.NoteRefusals([]checkout.Refusal{{Tag: tag(51), Unknown: true, Count: 1, Reason: "unknown tag"}}))
	s := x.subject(51)
	want(t, "ann's name", s.Name, "Ann A")
	want(t, "it is", s.Status, checkout.LostBadge)
	unknown, err := x.UnknownTags()
	x.ok(err)
	want(t, "unknown tags", len(unknown), 0)
	x.verify()
}

// A badge that somebody has can't be lost by somebody else; one of two with the same
// end needs its whole number.
func TestWhichBadge(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(1051)}))
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(2051)}))
	for _, ref := range []books.BadgeRef{byTag(2), byTag(77), byEnd("…077"), byEnd("…051")} {
		if err := x.edit("ann", books.Edit{LostBadge: ref}); err == nil {
			t.Errorf("%+v is lost", ref)
		}
	}
	want(t, "badges", x.badges("ann"), "…001, …051, …051")
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(2051)}))
	want(t, "badges", x.badges("ann"), "…001, …051, …051 lost")
}

// A tag that was given by mistake is taken away, and may be anybody's then; what is retired
// with it keeps the tag if it can't be.
func TestUntag(t *testing.T) {
	x := newLedger(t)
	gone, retired := func(n int) books.Edit { return books.Edit{Untag: tag(n)} }, checkout.Retired
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(52)}))
	x.ok(x.edit("ann", gone(52)))
	want(t, "badges", x.badges("ann"), "…001, …051")
	x.ok(x.edit("ann", gone(1)))
	want(t, "the next is the first", x.badges("ann"), "…051")
	want(t, "at the desk", x.subject(1).Kind, checkout.Unknown)
	for _, n := range []int{1, 2, 52, 77} { // hers no more, somebody else's, nobody's
		if err := x.edit("ann", gone(n)); err == nil {
			t.Errorf("%d is taken away", n)
		}
	}
	x.ok(x.edit("ben", books.Edit{Tag: tag(52)}))
	want(t, "ben's", x.subject(52).ID, "ben")
	x.bump(51, 11)
	err := x.edit("ann", books.Edit{Untag: tag(51), Status: &retired})
	if !errors.Is(err, checkout.ErrRefused) {
		t.Errorf("retired while she has a device: %v", err)
	}
	want(t, "nothing was done", x.subject(51).ID, "ann")
	x.bump(51, 11)
	x.ok(x.edit("ann", books.Edit{Untag: tag(51), Status: &retired}))
	x.ok(x.EditDevice("ipad", books.Edit{Untag: tag(11)}, "admin", checkout.SourceCLI))
	want(t, "the device's", x.subject(11).Kind, checkout.Unknown)
	var last string
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		last = string(e.Kind) + " " + e.Note
	}
	want(t, "event", last, "correct tag …011 taken away")
	x.verify()
	x.reopen()
	x.verify()
}

// What happened to a badge is told, and no directory takes it for a device.
func TestBadgeEvents(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{Tag: tag(51)}))
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(51)}))
	x.ok(x.edit("ann", books.Edit{FoundBadge: byTag(51)}))
	var notes []string
	for e, err := range x.History(books.HistoryFilter{Person: "ann"}) {
		x.ok(err)
		notes = append(notes, string(e.Kind)+" "+e.Note)
	}
	want(t, "events", strings.Join(notes[1:], "; "), "enrol in place of …001; lost badge …051; found badge …051")
	want(t, "rows", len(rowsFor(t, x.Ledger, "dir")), 0)
	x.bump(51, 11)
	want(t, "who", x.who(), "ipad=ann")
	x.verify()
}

// A file may exchange badges; who gets another one in it keeps no right with the old.
func TestImportedBadges(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	_, err := x.importing(checkout.KindPerson, []books.ImportRow{
		{ID: "ann", Name: "Ann", Tag: tag(2), Line: 2}, {ID: "ben", Name: "Ben", Tag: tag(1), Line: 3}, {ID: "cem", Name: "Cem", Tag: tag(60), Line: 4},
	})
	x.ok(err)
	want(t, "ann", x.badges("ann"), "…002, …051")
	want(t, "ben", x.badges("ben"), "…001")
	want(t, "cem", x.badges("cem"), "…060")
	want(t, "cem's old one", x.subject(3).Status, checkout.OldBadge)
	// An old badge may be given out again.
	_, err = x.EnrolPerson("ben", tag(3), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "ben", x.badges("ben"), "…001, …003")
	x.verify()
}

// The directory knows one badge of a person: it replaces that, and leaves the others.
func TestBadgeOfTheDirectory(t *testing.T) {
	x := newLedger(t)
	sync := func(n int) {
		t.Helper()
		_, err := x.Sync([]books.SyncRow{{Kind: checkout.KindPerson, ID: "ann", Ref: "7", Name: "Ann", Tag: tag(n)}}, "dir", checkout.SourceSync)
		x.ok(err)
	}
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	sync(60)
	want(t, "badges", x.badges("ann"), "…060, …051")
	want(t, "the one before", x.subject(1).Status, checkout.OldBadge)
	sync(51)
	want(t, "hers already", x.badges("ann"), "…060, …051")
	_, err := x.Sync([]books.SyncRow{{Kind: checkout.KindPerson, ID: "ann", Ref: "7", Name: "Ann", Tag: tag(61), Beside: true}}, "desk", checkout.SourceReader)
	x.ok(err)
	want(t, "enrolled at the station", x.badges("ann"), "…060, …051, …061")
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(61)}))
	sync(1)
	want(t, "the one before, again", x.badges("ann"), "…001, …051, …061 lost")
	x.verify()
}

// Who is erased leaves no badge behind.
func TestErasedBadges(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	x.ok(x.edit("ann", books.Edit{Tag: tag(52)}))
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(51)}))
	x.ok(x.ErasePerson("ann", "admin", checkout.SourceCLI))
	for _, n := range []int{1, 51, 52} {
		want(t, "badge", x.subject(n).Kind, checkout.Unknown)
	}
	x.ok(x.view(func(tx *txn) {
		tx.each(record.TreePeople, []byte(checkout.PendingPrefix), func(k, _ []byte) { t.Errorf("the row %q is left", k) })
	}))
	x.verify()
}

// A salvage keeps what is known of badges, whatever tree is damaged.
func TestSalvagedBadges(t *testing.T) {
	x := newLedger(t)
	x.ok(x.edit("ann", books.Edit{MoreBadge: tag(51)}))
	x.ok(x.edit("ann", books.Edit{LostBadge: byTag(51)}))
	x.ok(x.edit("ben", books.Edit{Tag: tag(52)}))
	x.ok(x.update(func(tx *txn) { tx.delete(record.TreeMeta, record.MetaHead(1)) }))
	x.ok(x.Close())
	l, _, err := OpenOrSalvage(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	want(t, "ann", x.badges("ann"), "…001, …051 lost")
	want(t, "lost", x.subject(51).Status, checkout.LostBadge)
	want(t, "replaced", x.subject(2).Status, checkout.OldBadge)
	x.verify()
}
