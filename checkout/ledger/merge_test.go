package ledger

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

func (x *tester) merge(old, into string) checkout.Event {
	x.t.Helper()
	ev, err := x.MergePeople(old, into, "admin", checkout.SourceCLI)
	x.ok(err)
	return ev
}

// twoAnns has ann with the ipad, annie with the pixel, and ben; ann's first event of
// loans is 7, annie's 9.
func twoAnns(t *testing.T) *tester {
	x := newLedger(t)
	x.bump(1, 11) // 7
	x.ok(x.AddPerson(books.Person{ID: "annie", Name: "Ann Weber"}, tag(4), "admin", checkout.SourceCLI))
	x.bump(4, 12) // 9
	x.bump(2, 13) // 10
	return x
}

func TestMergePeople(t *testing.T) {
	x := twoAnns(t)
	_, err := x.EnrolPerson("ann", tag(5), "admin", checkout.SourceCLI) // 11
	x.ok(err)
	ev := x.merge("ann", "annie")
	want(t, "the event", string(ev.Kind)+" "+ev.Person+": "+ev.Note, "merge annie: Ann (ann), with 1 device, is annie")
	for range 2 {
		want(t, "who", x.who(), "ipad=annie nexus=ben pixel=annie")
		want(t, "her history", x.history(books.HistoryFilter{Person: "annie"}), "1:enrol 7:checkout 8:enrol 9:checkout 11:enrol 12:merge")
		want(t, "by the old id", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 7:checkout 8:enrol 9:checkout 11:enrol 12:merge")
		want(t, "the ipad's", x.people("ipad"), "4en:< 7ch:annie<")
		x.verify()
		x.reopen()
	}
	p, err := x.FindPerson("ann")
	x.ok(err)
	want(t, "who ann is", p.ID+" "+p.Email, "annie ann@example.org")
	want(t, "badges", len(p.Live()), 3)
	p, err = x.FindPerson("Ann") // nobody has this name now
	x.ok(err)
	want(t, "by the old name", p.ID, "annie")
	for p, err := range x.People(books.Page{}) {
		if x.ok(err); p.ID == "ann" {
			want(t, "what is left", p.Status.String()+" "+p.MergedInto+p.Email+p.Badge(), "retired annie")
		}
	}
	want(t, "either badge brings it back", x.bump(1, 12).Kind, checkout.Return)
	want(t, "and the further one", x.bump(5, 11).Kind, checkout.Return)
	ev, err = x.Give(books.Request{Device: "ipad", Person: "ann", Actor: "admin"})
	x.ok(err)
	want(t, "given by the old id", ev.Person, "annie")

	// A third one: all ids lead to who they are now.
	x.merge("annie", "cem")
	p, err = x.FindPerson("ann")
	x.ok(err)
	want(t, "after a second merge", p.ID, "cem")
	want(t, "who", x.who(), "ipad=cem nexus=ben")
	want(t, "the first badge", x.bump(1, 11).Kind, checkout.Return)
	former, err := x.Formerly("cem")
	x.ok(err)
	want(t, "formerly", len(former), 2)
	x.verify()
}

func TestMergeIsRefused(t *testing.T) {
	x := twoAnns(t)
	x.merge("ann", "annie")
	x.ok(x.AddPerson(books.Person{ID: "gone", Name: "Gone"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	x.ok(x.RetirePerson("gone", "admin", checkout.SourceCLI))
	x.ok(x.AddPerson(books.Person{ID: "erased", Name: "Erased"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	x.ok(x.ErasePerson("erased", "admin", checkout.SourceCLI))
	for _, tt := range []struct{ old, into, why string }{
		{"ben", "ben", "refused: both are ben"},
		{"ben", "nobody", `person "nobody": not in the register`},
		{"nobody", "ben", `person "nobody": not in the register`},
		{"erased", "ben", `person "erased": not in the register`},
		{"ben", "gone", "refused: Gone is retired"},
		{"ann", "annie", "refused: ann is annie already"},
		{"ann", "ben", "refused: ann was merged into annie"},
		{"annie", "ann", "refused: both are annie"},
		{"ipad", "ben", `person "ipad": not in the register`},
	} {
		_, err := x.MergePeople(tt.old, tt.into, "admin", checkout.SourceCLI)
		if err == nil || err.Error() != tt.why {
			t.Errorf("%s into %s: %v, want %s", tt.old, tt.into, err, tt.why)
		}
		if errors.Is(err, checkout.ErrRefused) && hint.Of(err) == "" && tt.into != "gone" {
			t.Errorf("%s into %s: no remedy", tt.old, tt.into)
		}
	}
	want(t, "who", x.who(), "ipad=annie nexus=ben pixel=annie")
}

// TestMergedStayMerged: neither the directory nor a file brings them back.
func TestMergedStayMerged(t *testing.T) {
	x := twoAnns(t)
	rows, err := x.Sync([]books.SyncRow{{Kind: checkout.KindPerson, ID: "ann", Ref: "11", Name: "Ann"}}, "directory", checkout.SourceSync)
	x.ok(err)
	x.merge("ann", "annie")
	p, err := x.FindPerson("annie")
	x.ok(err)
	want(t, "the directory's key", p.Ref, "11")
	_, err = x.Sync([]books.SyncRow{{Kind: checkout.KindPerson, ID: "cem", Ref: "31", Name: "Cem"}}, "directory", checkout.SourceSync)
	x.ok(err)
	rows[0].Name, rows[0].Tag = "Ann Again", tag(6)
	_, err = x.Sync(rows, "directory", checkout.SourceSync)
	x.ok(err)
	for p, err := range x.People(books.Page{}) {
		if x.ok(err); p.ID == "ann" {
			want(t, "ann", p.Name+" "+p.Status.String(), "Ann retired")
		}
	}
	_, err = x.importing(checkout.KindPerson, []books.ImportRow{{ID: "ann", Name: "Ann", Status: "active", Line: 2}})
	var row *books.RowError
	if !errors.As(err, &row) || row.Line != 2 || !strings.Contains(err.Error(), `"ann" was merged into "annie"`) {
		t.Errorf("import: %v", err)
	}
	x.ok(x.NoteRefusals([]checkout.Refusal{{Person: "ann", Reason: "she was at the desk"}}))
	want(t, "a refusal of before is hers", x.history(books.HistoryFilter{Person: "annie", Kind: checkout.Refuse}), "12:refused")
	x.merge("cem", "annie")
	p, err = x.FindPerson("annie")
	x.ok(err)
	want(t, "the directory's keys", p.Ref+" "+strings.Join(p.Former, " "), "11 31")
	x.verify()
}

// TestMergeAndTheOutbox: what waits goes out under who they are now.
func TestMergeAndTheOutbox(t *testing.T) {
	x := twoAnns(t)
	x.ok(x.SaveOutbox("hook", OutboxRow{Key: record.At(1, 7), OutboxRow: record.OutboxRow{State: record.Conflict, Theirs: &books.Holding{ID: "ann"}}}))
	x.merge("ann", "annie")
	rows := rowsFor(t, x.Ledger, "hook")
	want(t, "rows", len(rows), 4) // three loans, and the merge
	want(t, "whose", rows[0].Event.Person+" by "+rows[0].Event.Actor+", theirs "+rows[0].Theirs.ID, "annie by annie, theirs annie")
	ev, err := x.AcceptTheirs("hook", record.At(1, 9), "ann", "admin")
	x.ok(err)
	want(t, "accepted", ev.Kind, checkout.Correct) // she has it already
	x.verify()
}

// TestEraseMerged: erasing who somebody is now erases who they were, in a backup from
// before the merge too.
func TestEraseMerged(t *testing.T) {
	x := twoAnns(t)
	for _, d := range []int{11, 12} {
		x.bump(map[int]int{11: 1, 12: 4}[d], d)
	}
	before := x.copyOf()
	x.merge("ann", "annie")
	d, err := books.DossierOf(t.Context(), x.Ledger, "annie")
	x.ok(err)
	b, err := json.Marshal(d)
	x.ok(err)
	for _, held := range []string{`"was":[{"id":"ann","name":"Ann"}]`, `"seq":7,`, `"seq":9,`, `Ann (ann), with`} {
		if !strings.Contains(string(b), held) {
			t.Errorf("the dossier lacks %s: %s", held, b)
		}
	}
	x.deliverAll()
	err = x.ErasePerson("ann", "admin", checkout.SourceCLI)
	if err == nil || err.Error() != "refused: ann was merged into annie" {
		t.Errorf("by the old id: %v", err)
	}
	x.ok(x.ErasePerson("annie", "admin", checkout.SourceCLI))
	x.verify()
	gone := func(when string) {
		t.Helper()
		x.ok(x.Scrub(t.Context()))
		for _, s := range []string{"Ann Weber", "ann@example.org", "Ann (ann)"} {
			if x.has(s) {
				t.Errorf("%s: %q is still in the file", when, s)
			}
		}
		for _, id := range []string{"ann", "annie"} {
			if p, err := x.FindPerson(id); err == nil {
				t.Errorf("%s: %v is still there", when, p)
			}
		}
		want(t, when+": the ipad's", x.people("ipad"), "4en:< 7ch:< 11re:<")
	}
	gone("erased")
	x.ok(x.Close())
	x.restored(before, RestoreOptions{Actor: "admin"})
	x.verify()
	gone("restored")
}

// TestSalvageMerged: with the people's rows or the event of the merge lost, the loans are
// with who they are now.
func TestSalvageMerged(t *testing.T) {
	for what, damage := range map[string]func(x *tester){
		"nothing is lost": func(*tester) {},
		"the rows are lost": func(x *tester) {
			x.ok(x.Scrub(t.Context()))
			x.ok(x.Close())
			zero(x.t, x.path, pagesOf(x.t, x.path, record.TreePeople, anyKey))
		},
		"the event is lost": func(x *tester) {
			x.ok(x.update(func(t *txn) { t.delete(record.TreeEvents, record.EventKey(record.At(1, 11))) }))
		},
	} {
		t.Run(what, func(t *testing.T) {
			x := twoAnns(t)
			x.merge("ann", "annie") // 11
			damage(x)
			x.Close()
			x.suspected()
			x.salvaged()
			want(t, "who", x.who(), "ipad=annie nexus=ben pixel=annie")
			p, err := x.FindPerson("ann")
			x.ok(err)
			want(t, "ann is", p.ID, "annie")
			for p, err := range x.People(books.Page{}) {
				if x.ok(err); p.ID == "ann" {
					want(t, "ann's row", p.Status.String()+" "+p.MergedInto, "retired annie")
				}
			}
			x.verify()
		})
	}
}

// TestSalvageForgottenPending: the row of a pending badge that was forgotten and resolved
// holds a further badge, and goes on doing so.
func TestSalvageForgottenPending(t *testing.T) {
	x := newLedger(t)
	p := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}
	for range 2 { // taken, and back
		_, err := x.Complete(checkout.Completion{Person: p, Device: x.subject(11)})
		x.ok(err)
	}
	x.clock.add(time.Hour)
	_, err := x.Anonymise(t.Context(), x.clock.wall)
	x.ok(err)
	_, err = x.EnrolPerson("ann", tag(901), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "before", x.subject(901).ID, "ann")
	x.ok(x.Close())
	x.salvaged()
	want(t, "after a salvage", x.subject(901).ID, "ann")
}
