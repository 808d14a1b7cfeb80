package bookstest

import (
	"fmt"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// notes are what the corrections of a person or device say.
func (s *suite) notes(f books.HistoryFilter) (all []string) {
	s.Helper()
	f.Kind = checkout.Correct
	for _, e := range collect(s, s.History(f)) {
		all = append(all, e.Note)
	}
	return all
}

// details are what is known of a device beside its name: they are kept, found, and each
// change of them is an event.
func (s *suite) details() {
	s.lab()
	s.ok(s.AddDevice(books.Device{ID: "drone", Name: "Drone", Kind: "drone", Details: books.Details{Serial: "SN-1", Place: "Shelf 3"}}, checkout.Tag{}, actor, source))
	same(s, "events of something new", s.notes(books.HistoryFilter{Device: "drone"}), []string(nil))
	same(s, "found by its serial", keys(s, s.Devices(books.Page{Find: "sn-1"})), []string{"drone"})
	same(s, "found by its place", keys(s, s.Devices(books.Page{Find: "shelf"})), []string{"drone"})
	str := func(v string) *string { return &v }
	day := checkout.Day("2999-01-02")
	s.ok(s.EditDevice("drone", books.Edit{Place: str("Shelf 4"), Note: str("2 rotors"), Link: str("https://assets.example/7"), Out: &day, Condition: str("damaged: a rotor")}, actor, source))
	k := s.reopen()
	d, err := k.FindDevice("drone")
	s.ok(err)
	is := fmt.Sprint(d.Serial, "|", d.Place, "|", d.Note, "|", d.Link, "|", d.Out, "|", d.Condition, "|", d.Kind)
	same(s, "the drone", is, "SN-1|Shelf 4|2 rotors|https://assets.example/7|2999-01-02|damaged: a rotor|drone")
	s.Keeper = k
	same(s, "its event", s.notes(books.HistoryFilter{Device: "drone"}),
		[]string{"place: Shelf 4; note: 2 rotors; link: https://assets.example/7; out of service until: 2999-01-02; condition: damaged: a rotor"})
	same(s, "in repair", keys(s, s.Devices(books.Page{Repair: true})), []string{"drone"})
	for what, e := range map[string]books.Edit{
		"a script": {Link: str("javascript:alert(1)")}, "no host": {Link: str("https:/7")}, "no day": {Out: (*checkout.Day)(str("friday"))},
		"a control character": {Note: str("a\nb")}, "a long serial": {Serial: str(strings.Repeat("x", checkout.MaxName+1))},
	} {
		if err := s.EditDevice("drone", e, actor, source); err == nil {
			s.Errorf("%s was taken", what)
		}
	}
	none := checkout.Day("")
	s.ok(s.EditDevice("drone", books.Edit{Out: &none, Condition: str("ok"), Note: str("")}, actor, source))
	s.ok(s.EditDevice("drone", books.Edit{Condition: str("ok")}, actor, source))
	same(s, "repaired", keys(s, s.Devices(books.Page{Repair: true})), []string(nil))
	same(s, "its events", s.notes(books.HistoryFilter{Device: "drone"})[1:], []string{"note: none; out of service until: none; condition: ok"})
	s.give("ipad", "ann")
	_, err = s.Return(books.Request{Device: "ipad", Actor: actor, Source: source, Condition: "Incomplete, no cable"})
	s.ok(err)
	same(s, "after a return", keys(s, s.Devices(books.Page{Repair: true, Limit: 1})), []string{"ipad"})
	s.give("ipad", "ann")
	_, err = s.Return(books.Request{Device: "ipad", Actor: actor, Source: source})
	s.ok(err)
	same(s, "nothing said at the next", keys(s, s.Devices(books.Page{Repair: true})), []string{"ipad"})
	o := books.ImportOptions{Actor: actor, Source: source}
	_, err = s.Import(s.Context(), checkout.KindDevice, rows(books.ImportRow{ID: "drone", Name: "Drone"}, books.ImportRow{ID: "pixel", Name: "Pixel"}), o)
	s.ok(err)
	d, err = s.FindDevice("drone")
	s.ok(err)
	same(s, "what a file does not have", d.Serial+" "+d.Place, "SN-1 Shelf 4")
	place := func(id, name, place string) books.ImportRow {
		return books.ImportRow{ID: id, Name: name, Details: books.Details{Place: place}, Has: books.HasPlace}
	}
	n, err := s.Import(s.Context(), checkout.KindDevice, rows(place("drone", "Drone", ""), place("pixel", "Pixel", "Shelf 9"), place("new", "New", "Shelf 9")), o)
	s.ok(err)
	same(s, "the import", fmt.Sprint(n.Added, n.Changed, n.Unchanged), "1 2 0")
	same(s, "at the place", keys(s, s.Devices(books.Page{Find: "shelf 9"})), []string{"new", "pixel"})
	same(s, "the drone's place", s.notes(books.HistoryFilter{Device: "drone"})[2:], []string{"place: none"})
}

// groups are those of people: who is in which, with an event for each change.
func (s *suite) groups() {
	s.lab()
	s.ok(s.AddPerson(books.Person{ID: "cem", Name: "Cem", Groups: checkout.GroupsOf("Trained")}, checkout.Tag{}, actor, source))
	two := checkout.GroupsOf("trained", "crew", "Trained")
	s.ok(s.EditPerson("ann", books.Edit{Groups: &two}, actor, source))
	same(s, "found by a group", keys(s, s.People(books.Page{Find: "train"})), []string{"ann", "cem"})
	s.Keeper = s.reopen()
	p, err := s.FindPerson("ann")
	s.ok(err)
	same(s, "ann's", p.AllGroups().String(), "crew, trained")
	same(s, "the event", s.notes(books.HistoryFilter{Person: "ann"}), []string{"groups: crew, trained"})
	comma := checkout.GroupsOf("a, b")
	if err := s.EditPerson("ann", books.Edit{Groups: &comma}, actor, source); err == nil {
		s.Error("a group that no table can hold")
	}
	o := books.ImportOptions{Actor: actor, Source: source}
	row := books.ImportRow{ID: "ann", Name: "Ann Okafor", Groups: checkout.GroupsOf("crew"), Has: books.HasGroups}
	_, err = s.Import(s.Context(), checkout.KindPerson, rows(row, books.ImportRow{ID: "cem", Name: "Cem", Has: books.HasGroups}), o)
	s.ok(err)
	same(s, "after an import", keys(s, s.People(books.Page{Find: "train"})), []string(nil))
	same(s, "cem's events", s.notes(books.HistoryFilter{Person: "cem"}), []string{"groups: none"})
	s.ok(s.EditPerson("ben", books.Edit{Groups: &two}, actor, source))
	_, err = s.MergePeople("ben", "ann", actor, source)
	s.ok(err)
	p, err = s.FindPerson("ann")
	s.ok(err)
	same(s, "after a merge", p.AllGroups().String(), "crew, trained")
	s.ok(s.ErasePerson("ann", actor, source))
	same(s, "after an erasure", len(s.notes(books.HistoryFilter{Page: books.Page{Find: "trained"}})), 0)
}

// languages are those in which people are written to.
func (s *suite) languages() {
	s.lab()
	s.ok(s.AddPerson(books.Person{ID: "cem", Name: "Cem", Language: "fr"}, checkout.Tag{}, actor, source))
	german, none, italian := checkout.Language("de"), checkout.Language(""), checkout.Language("it")
	s.ok(s.EditPerson("ann", books.Edit{Language: &german}, actor, source))
	if err := s.EditPerson("ann", books.Edit{Language: &italian}, actor, source); err == nil {
		s.Error("a language that there are no texts in")
	}
	s.Keeper = s.reopen()
	of := func() (all []string) {
		for _, id := range []string{"ann", "ben", "cem"} {
			p, err := s.FindPerson(id)
			s.ok(err)
			all = append(all, string(p.Language))
		}
		return all
	}
	same(s, "theirs", of(), []string{"de", "", "fr"})
	same(s, "the event", s.notes(books.HistoryFilter{Person: "ann"}), []string{"language: de"})
	s.ok(s.EditPerson("cem", books.Edit{Language: &none}, actor, source))
	o := books.ImportOptions{Actor: actor, Source: source}
	_, err := s.Import(s.Context(), checkout.KindPerson, rows(books.ImportRow{ID: "ben", Name: "Ben", Language: "es", Has: books.HasLanguage}, books.ImportRow{ID: "ann", Name: "Ann Okafor", Has: books.HasLanguage}), o)
	s.ok(err)
	same(s, "after an import", of(), []string{"", "es", ""})
	_, err = s.MergePeople("ben", "ann", actor, source)
	s.ok(err)
	same(s, "after a merge", of()[0], "es")
}

// importLoans are open loans that a file brings: with their dates, of people by id, address or
// name; all of them or none.
func (s *suite) importLoans() {
	s.lab()
	s.give("nexus", "ben")
	o := books.ImportOptions{Actor: actor, Source: source}
	since, due := time.Date(2024, 3, 4, 10, 30, 0, 0, time.UTC), time.Date(2099, 5, 6, 18, 0, 0, 0, time.UTC)
	device := func(id, holder string) books.ImportRow {
		r := books.ImportRow{ID: id, Name: "The " + id, Holder: holder}
		if holder != "" {
			r.Since, r.Due = since, due
		}
		return r
	}
	refused := func(what string, row books.ImportRow) {
		s.Helper()
		if _, err := s.Import(s.Context(), checkout.KindDevice, rows(device("new", "ann"), row), o); err == nil {
			s.Error(what + " is taken")
		}
		if _, err := s.FindDevice("new"); err == nil {
			s.Error("half of a file")
		}
	}
	refused("nobody", device("ipad", "Nobody"))
	refused("what another has", device("nexus", "ann"))
	future := device("ipad", "ann")
	future.Since = time.Now().Add(48 * time.Hour)
	refused("the future", future)
	late := device("ipad", "ann")
	late.Due = since.Add(-time.Hour)
	refused("the end before the begin", late)
	lost := device("ipad", "ann")
	lost.Status = "lost"
	refused("what is lost", lost)
	file := rows(device("ipad", "Ann  okafor"), device("pixel", "ZOE@lab.example"), device("new", "ben"), device("nexus", ""), device("free", ""))
	o.DryRun = true
	n, err := s.Import(s.Context(), checkout.KindDevice, file, o)
	s.ok(err)
	same(s, "it would be", fmt.Sprint(n.Added, n.Changed, n.Unchanged, " ", s.who(books.LoanFilter{})), "2 2 1 nexus=ben")
	o.DryRun = false
	_, err = s.Import(s.Context(), checkout.KindDevice, file, o)
	s.ok(err)
	s.Keeper = s.reopen()
	same(s, "who has what", s.who(books.LoanFilter{}), "ipad=ann new=ben nexus=ben pixel=zoe")
	for _, l := range collect(s, s.Loans(books.LoanFilter{Device: "pixel"})) {
		same(s, "until", l.Due.UTC().String(), due.String())
	}
	n, err = s.Import(s.Context(), checkout.KindDevice, file, o)
	s.ok(err)
	same(s, "again", fmt.Sprint(n.Added, n.Changed, n.Unchanged), "0 0 5")
	_, err = s.Return(books.Request{Device: "pixel", Actor: actor})
	s.ok(err)
	same(s, "back", s.who(books.LoanFilter{}), "ipad=ann new=ben nexus=ben")
}
