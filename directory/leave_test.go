package directory

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// Those whom the register has from the directory, by name, who are active.
func activeNames(t *testing.T, b *box) string {
	t.Helper()
	all, err := members(b)
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

// A directory can't fill the register without end, nor the status with notes.
func TestPullOfALiar(t *testing.T) {
	var register []member
	for i := range call.MostRows - 1 {
		register = append(register, member{SyncRow: person(fmt.Sprint("p", i), fmt.Sprint("old", i), "P")})
	}
	var pulled []books.SyncRow
	for i := range 300 {
		pulled = append(pulled, person("", fmt.Sprint("new", i), ""), person("", fmt.Sprint("a", i), "A"))
	}
	p, err := makePlan(register, call.Snapshot{HasPeople: true, People: pulled, PeopleList: call.Listing{Partial: true}}, owners(nil), nil, false)
	if err != nil || len(p.changes) != 1 || len(p.notes) != notesKept+1 {
		t.Errorf("%d changes, %d notes, %v", len(p.changes), len(p.notes), err)
	}
}
