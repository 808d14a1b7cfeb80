// Package bookstest has what every keeper of the books must do. A keeper's own test calls
// [Run], and skips nothing.
package bookstest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/testkit"
)

// Opener opens empty books. reopen closes them and opens them again, as after a restart.
type Opener func(t testing.TB) (k books.Keeper, reopen func() books.Keeper)

// Run runs the suite, each test with books of its own. Not run are the tests without: what
// a keeper can't do that only asks another one.
func Run(t *testing.T, open Opener, without ...string) {
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"Register", (*suite).register}, {"Details", (*suite).details}, {"Groups", (*suite).groups}, {"Languages", (*suite).languages}, {"Untag", (*suite).untag}, {"Loans", (*suite).loans}, {"Reservations", (*suite).reservations}, {"Kits", (*suite).kits}, {"Import", (*suite).imports}, {"ImportLoans", (*suite).importLoans}, {"Merge", (*suite).merge},
		{"Pages", (*suite).pages}, {"Find", (*suite).find}, {"History", (*suite).history},
		{"Revisions", (*suite).revisions}, {"Once", (*suite).once}, {"AtOnce", (*suite).atOnce},
	} {
		if slices.Contains(without, test.name) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			k, reopen := open(t)
			test.run(&suite{T: t, Keeper: k, reopen: reopen})
		})
	}
}

type suite struct {
	*testing.T
	books.Keeper
	reopen func() books.Keeper
}

const (
	actor  = "test"
	source = checkout.SourceAPI
)

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// fails wants an error that is an E.
func fails[E error](s *suite, what string, err error) {
	s.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		s.Errorf("%s: %v, want a %T", what, err, *new(E))
	}
}

func (s *suite) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

func same[T any](s *suite, what string, got, want T) {
	s.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		s.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// collect reads a list.
func collect[T interface{ Key() string }](s *suite, rows iter.Seq2[T, error]) (all []T) {
	s.Helper()
	for row, err := range rows {
		s.ok(err)
		all = append(all, row)
	}
	return all
}

// keys are the places of the rows of a list, what a page is made of.
func keys[T interface{ Key() string }](s *suite, rows iter.Seq2[T, error]) (all []string) {
	s.Helper()
	for _, row := range collect(s, rows) {
		all = append(all, row.Key())
	}
	return all
}

// lab adds ann, ben and Zoë Müller, and the devices ipad, pixel and nexus.
func (s *suite) lab() {
	s.Helper()
	for i, name := range []string{"Ann Okafor", "Ben", "Zoë Müller"} {
		id := []string{"ann", "ben", "zoe"}[i]
		s.ok(s.AddPerson(books.Person{ID: id, Name: name, Email: id + "@lab.example"}, testkit.Tag(uint64(1+i), 26), actor, source))
	}
	for i, id := range []string{"ipad", "pixel", "nexus"} {
		s.ok(s.AddDevice(books.Device{ID: id, Name: "The " + id, Kind: "phone"}, testkit.Tag(uint64(11+i), 26), actor, source))
	}
}

func (s *suite) give(device, person string) checkout.Event {
	s.Helper()
	ev, err := s.Give(books.Request{Device: device, Person: person, Actor: actor, Source: source})
	s.ok(err)
	return ev
}

// who is who has what, as "device=person".
func (s *suite) who(f books.LoanFilter) string {
	s.Helper()
	var all []string
	for _, l := range collect(s, s.Loans(f)) {
		all = append(all, l.DeviceID+"="+l.PersonID)
	}
	return strings.Join(all, " ")
}

// untag takes a badge away that was given by mistake, once.
func (s *suite) untag() {
	s.lab()
	mistake := books.Edit{Untag: testkit.Tag(1, 26)}
	s.ok(s.EditPerson("ann", mistake, actor, source))
	p, err := s.FindPerson("ann")
	s.ok(err)
	same(s, "a badge after it was taken away", p.HasBadge(), false)
	if err := s.EditPerson("ann", mistake, actor, source); err == nil {
		s.Error("a badge is taken away twice")
	}
	badge := books.Edit{Tag: mistake.Untag}
	s.ok(s.EditPerson("ben", badge, actor, source))
}

func (s *suite) register() {
	s.lab()
	fails[*books.ExistsError](s, "an id twice", s.AddPerson(books.Person{ID: "ann", Name: "Other"}, checkout.Tag{}, actor, source))
	fails[*books.TagTakenError](s, "a badge twice", s.AddPerson(books.Person{ID: "cem", Name: "Cem"}, testkit.Tag(1, 26), actor, source))
	fails[*books.TagTakenError](s, "a badge as a tag", s.AddDevice(books.Device{ID: "x", Name: "X"}, testkit.Tag(1, 26), actor, source))
	if err := s.AddPerson(books.Person{ID: "x", Name: "  "}, checkout.Tag{}, actor, source); err == nil {
		s.Error("somebody has no name")
	}
	same(s, "people after refusals", keys(s, s.People(books.Page{})), []string{"ann", "ben", "zoe"})
	same(s, "devices after refusals", keys(s, s.Devices(books.Page{})), []string{"ipad", "nexus", "pixel"})
	_, err := s.FindPerson("nobody")
	s.is("nobody", err, books.ErrNotFound)
	_, err = s.FindDevice("ann")
	s.is("a person as a device", err, books.ErrNotFound)
	s.ok(s.AddPerson(books.Person{ID: "ben2", Name: "Ben"}, checkout.Tag{}, actor, source))
	_, err = s.FindPerson("Ben")
	fails[*books.AmbiguousError](s, "a name of two", err)
	name, retired := "Annie", checkout.Retired
	s.ok(s.EditPerson("Ann Okafor", books.Edit{Name: &name}, actor, source))
	s.ok(s.EditPerson("ben2", books.Edit{Status: &retired}, actor, source))
	k := s.reopen()
	p, err := k.FindPerson("Annie")
	s.ok(err)
	same(s, "ann", fmt.Sprintln(p.ID, p.Email, p.HasBadge(), p.Status), "ann ann@lab.example true active\n")
	p, err = k.FindPerson("ben2")
	s.ok(err)
	same(s, "ben2", p.Status, checkout.Retired)
	_, err = k.Give(books.Request{Device: "ipad", Person: "ben2", Actor: actor})
	s.is("who has left", err, checkout.ErrRefused)
}

func (s *suite) loans() {
	s.lab()
	same(s, "at first", s.who(books.LoanFilter{}), "")
	same(s, "the first loan", s.give("ipad", "ann").Kind, checkout.Checkout)
	same(s, "from ann to zoe", s.give("ipad", "Zoë Müller").Kind, checkout.Handover)
	s.give("nexus", "ann")
	same(s, "who", s.who(books.LoanFilter{}), "ipad=zoe nexus=ann")
	same(s, "what ann has", s.who(books.LoanFilter{Person: "ann"}), "nexus=ann")
	same(s, "who has the ipad", s.who(books.LoanFilter{Device: "The ipad"}), "ipad=zoe")
	same(s, "who has the pixel", s.who(books.LoanFilter{Device: "pixel"}), "")
	for _, err := range s.Loans(books.LoanFilter{Person: "nobody"}) {
		s.is("what nobody has", err, books.ErrNotFound)
	}
	d, err := s.FindDevice("ipad")
	s.ok(err)
	same(s, "its holder", d.Holder+" "+d.HolderName, "zoe Zoë Müller")
	request := func(device string) books.Request {
		return books.Request{Device: device, Actor: actor, Source: source, Condition: "scratched"}
	}
	_, err = s.Give(books.Request{Device: "nexus", Person: "ann", Actor: actor})
	s.is("what she has", err, checkout.ErrRefused)
	_, err = s.Return(request("pixel"))
	s.is("what nobody has", err, checkout.ErrRefused)
	_, err = s.Extend(request("pixel"))
	s.is("more time for what nobody has", err, checkout.ErrRefused)
	_, err = s.Extend(request("ipad"))
	s.is("more time for a loan without an end", err, checkout.ErrRefused)
	longer := request("ipad")
	longer.Due = time.Now().Add(20 * time.Hour)
	longer.Condition = ""
	ev, err := s.Extend(longer)
	s.ok(err)
	same(s, "the extension", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Actor), "extend zoe test")
	for _, l := range collect(s, s.Loans(books.LoanFilter{Device: "ipad"})) {
		same(s, "due as said", l.Due.Sub(longer.Due).Abs() <= time.Second, true)
	}
	same(s, "due soon", s.who(books.LoanFilter{DueSoon: true}), "ipad=zoe")
	same(s, "overdue", s.who(books.LoanFilter{Overdue: true}), "")
	same(s, "either", s.who(books.LoanFilter{Overdue: true, DueSoon: true}), "ipad=zoe")
	ev, err = s.Return(request("ipad"))
	s.ok(err)
	same(s, "the return", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Actor, " ", ev.Source), "return zoe test api")
	ev, err = s.Lose(request("nexus"))
	s.ok(err)
	same(s, "the loss", fmt.Sprint(ev.Kind, " ", ev.From), "lost ann")
	_, err = s.Lose(request("nexus"))
	s.is("lost twice", err, checkout.ErrRefused)
	_, err = s.Find(request("ipad"))
	s.is("what is not lost", err, checkout.ErrRefused)
	_, err = s.Find(request("nexus"))
	s.ok(err)
	k := s.reopen()
	same(s, "at last", keys(s, k.Loans(books.LoanFilter{})), []string(nil))
	d, err = k.FindDevice("ipad")
	s.ok(err)
	same(s, "its condition", d.Condition, "scratched")
}

// kits: what is in a box goes with it, and what did not come back with it is missing.
func (s *suite) kits() {
	s.lab()
	box := "ipad"
	s.ok(s.EditDevice("pixel", books.Edit{Kit: &box}, actor, source))
	s.ok(s.AddDevice(books.Device{ID: "cable", Name: "Cable", Kit: "The ipad"}, checkout.Tag{}, actor, source))
	parts := func() string {
		all, err := s.Parts("The ipad")
		s.ok(err)
		said := ""
		for _, p := range all {
			said += fmt.Sprint(p.ID, " ", p.Kit, " ", p.Holder, " ", p.In, " ", p.Missing, "; ")
		}
		return said
	}
	same(s, "in the lab", parts(), "cable ipad  false false; pixel ipad  false false; ")
	s.is("a kit of a kit", s.EditDevice("nexus", books.Edit{Kit: ref("pixel")}, actor, source), checkout.ErrRefused)
	s.is("a kit in a kit", s.EditDevice("ipad", books.Edit{Kit: ref("nexus")}, actor, source), checkout.ErrRefused)
	s.is("in itself", s.EditDevice("nexus", books.Edit{Kit: ref("nexus")}, actor, source), checkout.ErrRefused)
	s.is("in two", s.EditDevice("pixel", books.Edit{Kit: ref("nexus")}, actor, source), checkout.ErrRefused)
	s.is("in none", s.EditDevice("pixel", books.Edit{Kit: ref("toaster")}, actor, source), books.ErrNotFound)
	s.give("ipad", "ann")
	same(s, "ann has all of it", s.who(books.LoanFilter{Person: "ann"}), "cable=ann ipad=ann pixel=ann")
	s.give("ipad", "ben")
	same(s, "and ben after her", parts(), "cable ipad ben true false; pixel ipad ben true false; ")
	_, err := s.Return(books.Request{Device: "ipad", Actor: actor, Missing: []string{"nexus"}})
	s.is("what is no part", err, checkout.ErrRefused)
	_, err = s.Return(books.Request{Device: "ipad", Actor: actor, Missing: []string{"Cable"}})
	s.ok(err)
	same(s, "without the cable", parts(), "cable ipad ben false true; pixel ipad  false false; ")
	same(s, "missing", s.who(books.LoanFilter{Missing: true}), "cable=ben")
	last := collect(s, s.History(books.HistoryFilter{Device: "ipad"}))
	same(s, "the event", string(last[len(last)-1].Kind), "incomplete")
	k := s.reopen()
	_, err = k.Return(books.Request{Device: "cable", Actor: actor})
	s.ok(err)
	d, err := k.FindDevice("ipad")
	s.ok(err)
	same(s, "complete", d.Condition, "")
	none := ""
	s.ok(k.EditDevice("pixel", books.Edit{Kit: &none}, actor, source))
	s.Keeper = k
	same(s, "one part is left", parts(), "cable ipad  false false; ")
}

func ref(s string) *string { return &s }

// rows are the rows of an import.
func rows(all ...books.ImportRow) iter.Seq2[books.ImportRow, error] {
	return func(yield func(books.ImportRow, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *suite) imports() {
	s.lab()
	o := books.ImportOptions{Actor: actor, Source: source}
	n, err := s.Import(s.Context(), checkout.KindPerson, rows(books.ImportRow{ID: "ann", Name: "Annie"}, books.ImportRow{ID: "cem", Name: "Cem"}, books.ImportRow{ID: "ben", Name: "Ben"}), o)
	s.ok(err)
	same(s, "the counts", fmt.Sprint(n.Added, n.Changed, n.Unchanged), "1 1 1")
	_, err = s.Import(s.Context(), checkout.KindPerson, rows(books.ImportRow{ID: "dia", Name: "Dia", Line: 2}, books.ImportRow{ID: "eve", Name: "Eve", Tag: testkit.Tag(11, 26), Line: 3}), o)
	if err == nil {
		s.Error("a device's tag became a badge")
	}
	o.DryRun = true
	_, err = s.Import(s.Context(), checkout.KindPerson, rows(books.ImportRow{ID: "fay", Name: "Fay"}), o)
	s.ok(err)
	same(s, "all or nothing", keys(s, s.People(books.Page{})), []string{"ann", "ben", "cem", "zoe"})
	p, err := s.FindPerson("ann")
	s.ok(err)
	same(s, "what the file did not have", fmt.Sprintln(p.Name, p.Email, p.HasBadge()), "Annie ann@lab.example true\n")
}

func (s *suite) merge() {
	s.lab()
	s.give("ipad", "zoe")
	ev, err := s.MergePeople("zoe", "ann", actor, source)
	s.ok(err)
	same(s, "the event", fmt.Sprint(ev.Kind, " ", ev.Person), "merge ann")
	same(s, "who", s.who(books.LoanFilter{}), "ipad=ann")
	p, err := s.FindPerson("zoe")
	s.ok(err)
	same(s, "zoe is", p.ID, "ann")
	was, err := s.Formerly("ann")
	s.ok(err)
	same(s, "formerly", was, []books.Former{{ID: "zoe", Name: "Zoë Müller"}})
	s.is("who has something", s.ErasePerson("ann", actor, source), checkout.ErrRefused)
	_, err = s.Return(books.Request{Device: "ipad", Actor: actor})
	s.ok(err)
	s.ok(s.ErasePerson("ann", actor, source))
	_, err = s.FindPerson("zoe")
	s.is("who was erased", err, books.ErrNotFound)
	for _, e := range collect(s, s.History(books.HistoryFilter{Kind: books.AnyKind})) {
		if e.Person == "ann" || e.PersonName == "Ann Okafor" || strings.Contains(e.PersonName, "Müller") {
			s.Errorf("event %d names who was erased", e.Seq)
		}
	}
}

// walk reads a list page by page.
func walk[T interface{ Key() string }](s *suite, limit int, list func(books.Page) iter.Seq2[T, error]) (all []string) {
	s.Helper()
	p := books.Page{Limit: limit}
	for {
		page := keys(s, list(p))
		if len(page) > limit {
			s.Errorf("a page of %d has %d rows", limit, len(page))
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		p.After = page[len(page)-1]
	}
}

func (s *suite) pages() {
	for i := range 23 {
		s.ok(s.AddPerson(books.Person{ID: fmt.Sprint("p ", i), Name: "Person"}, checkout.Tag{}, actor, source))
		s.ok(s.AddDevice(books.Device{ID: fmt.Sprint("d:", i), Name: "Device"}, checkout.Tag{}, actor, source))
		if i%3 > 0 {
			s.give(fmt.Sprint("d:", i), fmt.Sprint("p ", i/2))
		}
	}
	loans := func(p books.Page) iter.Seq2[books.Loan, error] { return s.Loans(books.LoanFilter{Page: p}) }
	history := func(p books.Page) iter.Seq2[books.Entry, error] { return s.History(books.HistoryFilter{Page: p}) }
	for _, limit := range []int{1, 2, 7, 23, 100} {
		same(s, "people", walk(s, limit, s.People), keys(s, s.People(books.Page{})))
		same(s, "devices", walk(s, limit, s.Devices), keys(s, s.Devices(books.Page{})))
		same(s, "loans", walk(s, limit, loans), keys(s, loans(books.Page{})))
		same(s, "history", walk(s, limit, history), keys(s, history(books.Page{})))
	}
	if people, n := keys(s, s.People(books.Page{})), len(keys(s, loans(books.Page{}))); !slices.IsSorted(people) || len(people) != 23 || n != 15 {
		s.Errorf("%d loans, people %v", n, people)
	}
	// What comes between two pages neither hides a row nor shows one twice.
	first := keys(s, s.People(books.Page{Limit: 5}))
	s.ok(s.AddPerson(books.Person{ID: "a", Name: "A"}, checkout.Tag{}, actor, source))
	rest := keys(s, s.People(books.Page{After: first[4]}))
	same(s, "both pages", len(first)+len(rest), 23)
	// A row that has gone is a place all the same.
	s.ok(s.ErasePerson(first[4], actor, source))
	same(s, "after an erased person", keys(s, s.People(books.Page{After: first[4]})), rest)
}

func (s *suite) find() {
	s.lab()
	s.ok(s.AddPerson(books.Person{ID: "li", Name: "李雷"}, checkout.Tag{}, actor, source))
	s.give("ipad", "zoe")
	s.give("pixel", "ann")
	for q, want := range map[string][]string{
		"muller": {"zoe"}, "MÜLLER": {"zoe"}, "Mu\u0308ller": {"zoe"}, "zoe m": {"zoe"}, "李": {"li"}, "王": nil, "?": nil,
		"an": {"ann"}, "lab.example": {"ann", "ben", "zoe"}, "": {"ann", "ben", "li", "zoe"},
	} {
		same(s, "people "+q, keys(s, s.People(books.Page{Find: q})), want)
	}
	same(s, "devices of zoe", keys(s, s.Devices(books.Page{Find: "muller"})), []string{"ipad"})
	same(s, "phones", keys(s, s.Devices(books.Page{Find: "PHONE", Limit: 2})), []string{"ipad", "nexus"})
	same(s, "loans of zoe", s.who(books.LoanFilter{Page: books.Page{Find: "muller"}}), "ipad=zoe")
	same(s, "events of zoe", len(collect(s, s.History(books.HistoryFilter{Page: books.Page{Find: "muller"}, Kind: checkout.Checkout}))), 1)
}

func (s *suite) history() {
	s.lab()
	s.give("ipad", "ann")
	s.give("ipad", "ben")
	s.give("pixel", "ann")
	all := collect(s, s.History(books.HistoryFilter{}))
	for i, e := range all {
		if e.Seq != uint64(i+1) || e.Chain != all[0].Chain || e.ID == all[max(i-1, 0)].ID && i > 0 {
			s.Errorf("event %d has number %d of chain %s", i, e.Seq, e.Chain)
		}
	}
	last := all[len(all)-1]
	same(s, "of ann and the ipad", len(collect(s, s.History(books.HistoryFilter{Person: "ann", Device: "ipad"}))), 2)
	same(s, "of ann after the handover", keys(s, s.History(books.HistoryFilter{Person: "ann", Page: books.Page{After: all[len(all)-2].Key()}})), []string{last.Key()})
	same(s, "check-outs", len(collect(s, s.History(books.HistoryFilter{Kind: checkout.Checkout}))), 2)
	k := s.reopen()
	after := books.HistoryFilter{Page: books.Page{After: last.Key()}}
	same(s, "after the last", len(collect(s, k.History(after))), 0)
	_, err := k.Return(books.Request{Device: "ipad", Actor: actor})
	s.ok(err)
	news := collect(s, k.History(after))
	if len(news) != 1 || news[0].Kind != checkout.Return || news[0].Seq != last.Seq+1 {
		s.Errorf("since then: %+v", news)
	}
	for _, key := range []string{"x", "x:1", ":", last.Chain.String(), last.Chain.String() + ":x", strings.Repeat("0", 64) + ":1"} {
		for _, err := range k.History(books.HistoryFilter{Page: books.Page{After: key}}) {
			fails[*books.CursorError](s, key, err)
		}
	}
}

func (s *suite) revisions() {
	s.lab()
	revision := func() string {
		d, err := s.FindDevice("ipad")
		s.ok(err)
		return d.Revision
	}
	first, name := revision(), "Second"
	on := func(all ...string) books.Keeper {
		return s.On(books.Terms{Kind: checkout.KindDevice, Ref: "ipad", Revisions: all})
	}
	s.ok(on("x", first).EditDevice("ipad", books.Edit{Name: &name}, actor, source))
	if revision() == first || first == "" {
		s.Errorf("the revision %q is that of a changed device, too", first)
	}
	name = "Third"
	fails[*books.ChangedError](s, "a stale edit", on(first).EditDevice("ipad", books.Edit{Name: &name}, actor, source))
	fails[*books.ChangedError](s, "a stale edit", s.On(books.Terms{Kind: checkout.KindDevice, Ref: "ipad", Revisions: []string{}}).EditDevice("ipad", books.Edit{Name: &name}, actor, source))
	d, err := s.FindDevice("ipad")
	s.ok(err)
	same(s, "its name", d.Name, "Second")
	free := revision()
	s.give("ipad", "ann")
	_, err = on(free).Give(books.Request{Device: "ipad", Person: "ben", Actor: actor})
	fails[*books.ChangedError](s, "a stale give", err)
	same(s, "who", s.who(books.LoanFilter{}), "ipad=ann")
	fails[*books.NotFoundError](s, "nobody", s.On(books.Terms{Kind: checkout.KindPerson, Ref: "nobody", Revisions: []string{"x"}}).EditPerson("nobody", books.Edit{}, actor, source))
}

func (s *suite) once() {
	s.lab()
	terms := books.Terms{Key: "k", Request: "give ipad ann"}
	give := func(k books.Keeper) error {
		_, err := k.On(terms).Give(books.Request{Device: "ipad", Person: "ann", Actor: actor})
		return err
	}
	_, ok, err := s.Made("k")
	s.ok(err)
	same(s, "made before", ok, false)
	_, err = s.On(terms).Give(books.Request{Device: "ipad", Person: "nobody", Actor: actor})
	s.is("refused", err, books.ErrNotFound)
	s.ok(give(s.Keeper))
	fails[*books.MadeError](s, "again", give(s.Keeper))
	m, ok, err := s.Made("k")
	s.ok(err)
	same(s, "unanswered", fmt.Sprintln(m.Request, ok, m.Answer == nil), "give ipad ann true true\n")
	s.ok(s.Answered("k", []byte("the answer")))
	s.ok(s.Answered("never made", []byte("x")))
	k := s.reopen()
	fails[*books.MadeError](s, "after a restart", give(k))
	m, ok, err = k.Made("k")
	s.ok(err)
	same(s, "answered", fmt.Sprintln(string(m.Answer), ok), "the answer true\n")
	_, ok, err = k.Made("never made")
	s.ok(err)
	same(s, "never made", ok, false)
}

func (s *suite) atOnce() {
	s.lab()
	d, err := s.FindDevice("ipad")
	s.ok(err)
	before := len(collect(s, s.History(books.HistoryFilter{})))
	var all sync.WaitGroup
	var mu sync.Mutex
	done := map[string]int{}
	try := func(what string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			done[what]++
		}
	}
	for i := range 25 {
		all.Go(func() {
			name := fmt.Sprint("Name ", i)
			try("edit", s.On(books.Terms{Kind: checkout.KindDevice, Ref: "ipad", Revisions: []string{d.Revision}}).EditDevice("ipad", books.Edit{Name: &name}, actor, source))
		})
		all.Go(func() {
			_, err := s.On(books.Terms{Key: "k"}).Give(books.Request{Device: "nexus", Person: []string{"ann", "ben"}[i%2], Actor: actor})
			try("give", err)
		})
		all.Go(func() {
			_, err := s.Give(books.Request{Device: "pixel", Person: "ann", Actor: actor})
			try("same", err)
		})
	}
	all.Wait()
	same(s, "what was done", done, map[string]int{"edit": 1, "give": 1, "same": 1})
	events := collect(s, s.History(books.HistoryFilter{}))
	same(s, "events", len(events)-before, 2)
	for i, e := range events {
		same(s, "the number of an event", e.Seq, uint64(i+1))
	}
}
