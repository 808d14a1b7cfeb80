package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/plan"
	"stump/internal/books"
	"stump/internal/testkit"
)

func person(id, ref, name string) books.SyncRow {
	return books.SyncRow{Kind: checkout.KindPerson, ID: id, Ref: ref, Name: name}
}

// Those whom the register has from the directory, by name, who are active.
func activeNames(t *testing.T, b *box) string {
	t.Helper()
	all, err := members(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range all {
		if !m.Inactive {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, " ")
}

// What was not seen proves nothing until two whole lists, an hour apart, lack it.
func TestWhoIsNotSeen(t *testing.T) {
	ann, bob, cem := person("", "1", "Ann"), person("", "2", "Bob"), person("", "3", "Cem")
	inactive := bob
	inactive.Inactive = true
	whole := func(rows ...books.SyncRow) call.Snapshot { return call.Snapshot{HasPeople: true, People: rows} }
	part := func(l call.Listing, rows ...books.SyncRow) call.Snapshot {
		l.Partial = true
		return call.Snapshot{HasPeople: true, People: rows, PeopleList: l}
	}
	type pull struct {
		after  time.Duration
		snap   call.Snapshot
		force  bool
		active string
		note   string
	}
	for name, pulls := range map[string][]pull{
		"suspended after an hour": {
			{0, whole(ann), false, "Ann Bob", "1 person is no longer in the list (Bob): suspended when a whole list an hour later lacks them, too"},
			{59 * time.Minute, whole(ann), false, "Ann Bob", "no longer in the list"}, {time.Minute, whole(ann), false, "Ann", ""}},
		"at once, forced":   {{0, whole(ann), true, "Ann", ""}},
		"seen as inactive":  {{0, whole(ann, inactive), false, "Ann", ""}},
		"who comes back":    {{0, whole(ann), false, "Ann Bob", "no longer"}, {time.Hour, whole(ann, bob), false, "Ann Bob", ""}, {time.Hour, whole(ann), false, "Ann Bob", "no longer"}},
		"a list in between": {{0, whole(ann), false, "Ann Bob", "no longer"}, {time.Hour, part(call.Listing{}, ann), false, "Ann Bob", "1 person was not in that list (Bob): none is suspended without: stump sync pull --force"}, {0, whole(ann), false, "Ann", ""}},
		"lists in part":     {{0, part(call.Listing{}, ann), false, "Ann Bob", "not in that list"}, {9 * time.Hour, part(call.Listing{}, ann), false, "Ann Bob", "not in that list"}, {9 * time.Hour, part(call.Listing{}, ann), true, "Ann", ""}},
		"a list that broke": {{0, part(call.Listing{Broken: true}, ann), true, "Ann Bob", ""}, {9 * time.Hour, part(call.Listing{Broken: true}, ann), true, "Ann Bob", ""}},
		"who can't be read": {{0, part(call.Listing{Unread: map[string]bool{"2": true}}, ann), true, "Ann Bob", ""},
			{9 * time.Hour, call.Snapshot{HasPeople: true, People: []books.SyncRow{ann}, PeopleList: call.Listing{Unread: map[string]bool{"2": true}}}, false, "Ann Bob", ""}},
		"somebody new in part of a list": {{0, part(call.Listing{Broken: true}, ann, cem), false, "Ann Bob Cem", ""}},
		"an empty list":                  {{0, whole(), true, "Ann Bob", "lists no person at all"}, {9 * time.Hour, whole(), true, "Ann Bob", "lists no person"}},
		"no name":                        {{0, whole(ann, bob, person("", "7", ""), cem), false, "Ann Bob Cem", "the person 7 has no name in the directory, and is not added"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBox(t)
				b.sync(ann, bob)
				w := NewWorker(Options{Directory: &lister{}, Ledger: b})
				for i, p := range pulls {
					time.Sleep(p.after)
					w.puller.(*lister).snap = p.snap
					if err := w.Pull(t.Context(), p.force); err != nil {
						t.Fatal(err)
					}
					notes := strings.Join(w.pullStatus().Notes, "; ")
					if got := activeNames(t, b); got != p.active || !strings.Contains(notes, p.note) || p.note == "" && notes != "" {
						t.Errorf("pull %d: active are %s, want %s; notes %q, want %q", i, got, p.active, notes, p.note)
					}
				}
			})
		})
	}
}

// The pull that settles it comes when the hour is over.
func TestPullWhenAbsenceIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		b.sync(person("", "1", "Ann"), person("", "2", "Bob"))
		l := &lister{snap: call.Snapshot{HasPeople: true, People: []books.SyncRow{person("", "1", "Ann")}}}
		_, stop := start(t, Options{Directory: l, Ledger: b, Timing: Timing{PullEvery: 24 * time.Hour}})
		defer stop()
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if got := activeNames(t, b); got != "Ann" || l.count() != 2 {
			t.Errorf("active are %s after an hour and %d pulls", got, l.count())
		}
	})
}

// A list that breaks off is a failure, tried again soon; what came of it counts.
func TestPullThatBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		b.sync(person("", "1", "Ann"))
		l := &lister{
			snap: call.Snapshot{HasPeople: true, People: []books.SyncRow{person("", "2", "Bob")}, PeopleList: call.Listing{Partial: true, Broken: true, Notes: []string{"it broke off"}}},
			err:  call.Outcome{Verdict: call.Failing, Reason: "host failed"},
		}
		w := NewWorker(Options{Directory: l, Ledger: b})
		if err := w.Pull(t.Context(), false); err == nil {
			t.Error("no error")
		}
		st := w.pullStatus()
		if got := activeNames(t, b); got != "Ann Bob" || st.Error == nil || *st.Error != "host failed" || st.At != nil || len(st.Notes) != 1 {
			t.Errorf("active are %s; %+v", got, st)
		}
	})
}

// A row that the register refuses keeps nobody else out.
func TestPullWithARowThatIsRefused(t *testing.T) {
	b := newBox(t)
	bad := person("", "2", strings.Repeat("B", checkout.MaxName+1))
	w := NewWorker(Options{Directory: &lister{snap: call.Snapshot{HasPeople: true, People: []books.SyncRow{person("", "1", "Ann"), bad, person("", "3", "Cem")}}}, Ledger: b})
	if err := w.Pull(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got, notes := activeNames(t, b), w.pullStatus().Notes; got != "Ann Cem" || len(notes) != 1 || !strings.HasPrefix(notes[0], "left out: ") {
		t.Errorf("active are %s; %q", got, notes)
	}
}

// Whatever a directory says, in whatever order of pulls: the register never
// loses a value or a record, no tag is two people's, a second pull of the same
// changes nothing, and no more go at once than the guard lets.
func TestPullProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBox(rt)
		register := func() []plan.Member {
			all, err := members(b, 0)
			if err != nil {
				rt.Fatal(err)
			}
			return all
		}
		owner := func(t checkout.Tag) (plan.Member, error) {
			m, err := ownerOf(b, t)
			return m.Member, err
		}
		pull := func(people []books.SyncRow) plan.Plan {
			p, err := plan.Make(register(), call.Snapshot{People: slices.Clone(people), HasPeople: true}, owner, nil, false)
			if err != nil {
				rt.Fatal(err)
			}
			if _, err := b.Sync(p.Changes, Main, checkout.SourceSync); err != nil {
				rt.Fatalf("%v: %+v", err, p.Changes)
			}
			return p
		}
		for range rapid.IntRange(1, 5).Draw(rt, "pulls") {
			before := map[string]plan.Member{}
			for _, m := range register() {
				before[m.ID] = m
			}
			people := rapid.SliceOfN(rapid.Custom(drawRow), 0, 25).Draw(rt, "people")
			p := pull(people)
			suspended, active := 0, 0
			for _, m := range register() {
				was, had := before[m.ID]
				if had && !was.Inactive {
					active++
					if m.Inactive {
						suspended++
					}
				}
				if had && (m.Name == "" || was.Email != "" && m.Email == "") {
					rt.Fatalf("%+v became %+v", was, m)
				}
				if had && was.Ref != "" && m.Ref != was.Ref {
					said := map[string]books.SyncRow{} // the last of several with a key counts
					for _, r := range people {
						said[r.Ref] = r
					}
					old, there := said[was.Ref]
					if now := said[m.Ref]; there && !old.Inactive || was.Email != "" && now.Email != "" && was.Email != now.Email {
						rt.Fatalf("%+v has another's key: %+v", was, m)
					}
				}
				delete(before, m.ID)
			}
			if len(before) != 0 {
				rt.Fatalf("lost %v", before)
			}
			if suspended > 5 && suspended*100 > active*10 {
				rt.Fatalf("%d of %d suspended at once", suspended, active)
			}
			if again := pull(people); len(again.Changes) != 0 {
				rt.Fatalf("the same pull again changes %+v after %+v", again.Changes, p.Changes)
			}
		}
	})
}

// drawRow draws a person as a directory has them.
func drawRow(rt *rapid.T) books.SyncRow {
	r := person("", fmt.Sprint(rapid.IntRange(1, 20).Draw(rt, "ref")), rapid.SampledFrom([]string{"Ann", "Bob", "Cem"}).Draw(rt, "name"))
	if n := rapid.IntRange(0, 12).Draw(rt, "tag"); n > 0 {
		r.Tag = testkit.Tag(uint64(n), 26)
	}
	r.Email = rapid.SampledFrom([]string{"", "a@x", "b@x"}).Draw(rt, "email")
	r.Inactive = rapid.IntRange(0, 9).Draw(rt, "left") == 0
	return r
}
