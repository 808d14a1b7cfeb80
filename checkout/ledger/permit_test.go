package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/internal/books"
)

// tryTake is a bump of a person and a device by their tags: what it was, or why it was not.
func (x *tester) tryTake(person, device int, p checkout.Policy) string {
	x.t.Helper()
	ev, err := x.Complete(checkout.Completion{Person: x.subject(person), Device: x.subject(device), Policy: p, Reader: "door"})
	var no *checkout.RefusedError
	switch {
	case errors.As(err, &no):
		return no.Whom + ": " + no.Why.String()
	case err != nil:
		x.t.Fatal(err)
	}
	return string(ev.Kind)
}

// groups has the directory say in which groups somebody is.
func (x *tester) groups(id string, g checkout.Groups) {
	x.t.Helper()
	p, err := x.FindPerson(id)
	x.ok(err)
	row := books.SyncRow{Kind: checkout.KindPerson, ID: id, Ref: "key of " + id, Name: p.Name, Email: p.Email}
	row.SetGroups(g)
	_, err = x.Sync([]books.SyncRow{row}, "directory", checkout.SourceSync)
	x.ok(err)
}

// TestRules: what the rules of loans keep from somebody is refused at the desk, whatever
// brings a device back is not, and neither is what an admin gives.
func TestRules(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Needs = map[string][]string{"drone": {"trained"}}
	x.o.Loans.Limit = map[string]int{"phone": 2}
	x.o.Loans.Groups = map[string]time.Duration{"trained": 48 * time.Hour}
	x.o.Loans.Calendar.Zone = time.UTC
	x.reopen()
	x.ok(x.AddDevice(books.Device{ID: "drone", Name: "Drone", Kind: "drone"}, tag(14), "admin", checkout.SourceCLI))
	x.ok(x.AddDevice(books.Device{ID: "drone2", Name: "Drone 2", Kind: "drone"}, tag(15), "admin", checkout.SourceCLI))
	is := func(what string, person, device int, want string) {
		t.Helper()
		if got := x.tryTake(person, device, ""); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	is("an untrained one", 1, 14, "Ann: not in the group trained")
	x.groups("ann", "Trained")
	is("trained by the directory's word", 1, 14, "checkout")
	for l, err := range x.Loans(books.LoanFilter{Device: "drone", Now: x.clock.wall}) {
		x.ok(err)
		want(t, "her length", l.Due.Sub(l.Since.Truncate(time.Second)), 48*time.Hour)
	}
	is("from hand to hand", 2, 14, "Ben: not in the group trained")
	want(t, "for her", x.tryTake(2, 14, checkout.PolicyReturn), "return")
	ev, err := x.Give(books.Request{Device: "drone2", Person: "ben", Actor: "admin", Note: "he learns"})
	x.ok(err)
	want(t, "an admin's word", ev.Note+"|"+ev.Against, "he learns, by an admin: not in the group trained|not in the group trained")
	is("he brings it back", 2, 15, "return")
	x.groups("ann", "")
	is("no longer trained", 1, 14, "Ann: not in the group trained")
	var said []string
	for e, err := range x.History(books.HistoryFilter{Person: "ann", Kind: checkout.Correct}) {
		x.ok(err)
		said = append(said, e.Note+" by "+e.Actor)
	}
	want(t, "what the directory said", strings.Join(said, "; "), "groups of the directory: Trained by directory; groups of the directory: none by directory")
	// A badge that nobody knows yet is asked for no group, but a limit is one.
	strange := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(90), Pending: true}
	_, err = x.Complete(checkout.Completion{Person: strange, Device: x.subject(14)})
	x.ok(err)

	is("one phone", 1, 11, "checkout")
	is("two phones", 1, 12, "checkout")
	is("three phones", 1, 13, "Ann: the limit is 2 phone")
	is("the second is back", 1, 12, "return")
	is("another second one", 1, 13, "checkout")

	day := checkout.Day(x.clock.wall.AddDate(0, 0, 2).Format(time.DateOnly))
	x.ok(x.EditDevice("pixel", books.Edit{Out: &day}, "admin", checkout.SourceCLI))
	is("in repair", 3, 12, "Cem: out of service until "+string(day))
	want(t, "the device alone", x.subject(12).Against.Out, day)
	x.clock.add(47 * time.Hour)
	x.clock.trusted = false
	is("the clock is not known", 3, 12, "Cem: out of service until "+string(day))
	x.clock.add(3 * 24 * time.Hour)
	is("nor is it later", 3, 12, "Cem: out of service until "+string(day))
	x.clock.trusted = true
	is("it has ended by itself", 3, 12, "checkout")
	d, err := x.FindDevice("pixel")
	x.ok(err)
	want(t, "its day is over", d.Out, checkout.Day(""))
	later := checkout.Day("2999-01-01")
	x.ok(x.EditDevice("pixel", books.Edit{Out: &later}, "admin", checkout.SourceCLI))
	is("out of service in his hands", 3, 12, "return")
	ev, err = x.Give(books.Request{Device: "pixel", Person: "cem", Actor: "admin"})
	x.ok(err)
	want(t, "an admin's word", ev.Note, "by an admin: out of service until 2999-01-01")
}

// TestEraseNotes: the note of a device goes with whom it names, the others stay.
func TestEraseNotes(t *testing.T) {
	x := newLedger(t)
	for id, note := range map[string]string{"ipad": "Ben has the pen", "pixel": "with a pen"} {
		x.ok(x.EditDevice(id, books.Edit{Note: &note}, "admin", checkout.SourceCLI))
	}
	x.ok(x.ErasePerson("ben", "admin", checkout.SourceCLI))
	for id, note := range map[string]string{"ipad": "", "pixel": "with a pen"} {
		d, err := x.FindDevice(id)
		x.ok(err)
		want(t, "the note of "+id, d.Note, note)
	}
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		if strings.Contains(e.Note, "Ben") {
			t.Error("the history has the note:", e.Note)
		}
	}
	x.verify()
}

// TestLimitModel compares what the ledger refuses, tap by tap, with all loans of the person:
// also after restarts, returns, hand-overs, merges, and changes of groups.
func TestLimitModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := newLedger(t)
		x.o.Loans.Limit = map[string]int{"*": rapid.IntRange(1, 3).Draw(rt, "most")}
		x.o.Loans.Needs = map[string][]string{"drone": {"trained"}}
		x.reopen()
		kind := "drone"
		x.ok(x.EditDevice("nexus", books.Edit{Kind: &kind}, "admin", checkout.SourceCLI))
		in := map[string]bool{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			who := []string{"ann", "ben", "cem"}[rapid.IntRange(0, 2).Draw(rt, "who")]
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				x.reopen()
			case 1, 2:
				groups := checkout.Groups(rapid.SampledFrom([]string{"", "crew", "trained", "crew\nTrained"}).Draw(rt, "groups"))
				if rapid.Bool().Draw(rt, "by the directory") {
					x.groups(who, groups)
					in[who+" there"] = groups.Has("trained")
				} else {
					p, err := x.FindPerson(who)
					x.ok(err)
					x.ok(x.EditPerson(who, books.Edit{Groups: &groups}, "admin", checkout.SourceCLI))
					in[who+" here"] = groups.Has("trained") && !p.DirectoryGroups.Has("trained") // what the directory says is not written twice
				}
				if in[who+" there"] {
					in[who+" here"] = false
				}
			default:
				device := rapid.IntRange(11, 13).Draw(rt, "device")
				s, n := x.subject(device), 0
				for l, err := range x.Loans(books.LoanFilter{Person: who, Now: x.clock.wall}) {
					x.ok(err)
					n += len(l.DeviceID[:1])
				}
				may := s.Holder == who || n < x.o.Loans.Limit["*"] && (s.ID != "nexus" || in[who+" here"] || in[who+" there"])
				number := map[string]int{"ann": 1, "ben": 2, "cem": 3}[who]
				if got := x.tryTake(number, device, ""); strings.Contains(got, ":") == may {
					rt.Fatalf("%s with %d devices, in %v, takes %s of %q: %s", who, n, in, s.ID, s.Holder, got)
				}
			}
		}
		x.verify()
	})
}
