package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/sheet"
)

// parseDecimal stands in for the formats, which this package does not know.
func parseDecimal(s string) (checkout.Tag, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return checkout.Tag{}, fmt.Errorf("%q is no credential", s)
	}
	return tag(n), nil
}

// importing imports rows.
func (x *tester) importing(kind checkout.SubjectKind, rows []books.ImportRow) (books.Imported, error) {
	return x.Import(x.t.Context(), kind, func(yield func(books.ImportRow, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}, books.ImportOptions{Actor: "admin", Source: checkout.SourceCLI})
}

// importCSV imports a file of people or devices.
func (x *tester) importCSV(kind checkout.SubjectKind, csv string, dry bool) (books.Imported, error) {
	return x.Import(x.t.Context(), kind, sheet.Rows(kind, strings.NewReader(csv), sheet.Options{Parse: parseDecimal}),
		books.ImportOptions{DryRun: dry, Actor: "admin", Source: checkout.SourceCLI})
}

func (x *tester) importPeople(csv string) error {
	_, err := x.importCSV(checkout.KindPerson, csv, false)
	return err
}

func (x *tester) importDevices(csv string) error {
	_, err := x.importCSV(checkout.KindDevice, csv, false)
	return err
}

func (x *tester) exportPeople() string {
	x.t.Helper()
	var b bytes.Buffer
	x.ok(sheet.WritePeople(&b, x.People(books.Page{})))
	return b.String()
}

func (x *tester) exportDevices() string {
	x.t.Helper()
	var b bytes.Buffer
	x.ok(sheet.WriteDevices(&b, x.Devices(books.Page{}), func(string) (string, error) { return "", nil }))
	return b.String()
}

// imports imports people, or devices if the columns are theirs, and returns
// what was added, changed and left.
func (x *tester) imports(csv string) string {
	x.t.Helper()
	kind := checkout.KindPerson
	if header, _, _ := strings.Cut(csv, "\n"); strings.Contains(header, "tag") || strings.Contains(header, "kind") {
		kind = checkout.KindDevice
	}
	n, err := x.importCSV(kind, csv, false)
	x.ok(err)
	return fmt.Sprintf("{%d %d %d}", n.Added, n.Changed, n.Unchanged)
}

func TestImportIsAllOrNothing(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{"empty", "", "line 1: no header: the columns are id,name,email,badge"},
		{"unknown column", "id,name,phone\nx,X,1\n", `line 1: unknown column "phone": the columns are id,name,email,badge`},
		{"missing column", "id,email\nx,y\n", `line 1: the column "name" is missing: the columns are id,name,email,badge`},
		{"column twice", "id,name,id\n", `line 1: the column "id" is there twice`},
		{"too few fields", "id,name,badge\nx,X\n", "line 2: 2 fields, the header has 3"},
		{"empty id", "id,name\ndia,Dia\n,Eve\n", "line 3: the id is empty"},
		{"empty name", "id,name\ndia,\n", "line 2: the name is empty"},
		{"long id", "id,name\n" + strings.Repeat("x", 65) + ",X\n", "line 2: the id \"" + strings.Repeat("x", 65) + "\" has 65 characters: at most 64"},
		{"long name", "id,name\nx," + strings.Repeat("x", 1001) + "\n", "line 2: the name has 1001 bytes: at most 1000"},
		{"control character", "id,name\nx,\"a\tb\"\n", "line 2: the name has a control character: U+0009"},
		{"not UTF-8", "id,name\nx,é\ny,\xff\n", "line 3: \"\ufffd\" can't be read"},
		{"id twice", "id,name\ndia,Dia\neve,Eve\ndia,Dia\n", `line 4: the id "dia" is in line 2 too`},
		{"badge twice", "id,name,badge\ndia,Dia,50\neve,Eve,50\n", `line 3: person "eve" has the same tag …050 as "dia" in line 2`},
		{"badge of another", "id,name,badge\ndia,Dia,2\n", `line 2: the tag …002 can't be given to person "dia": it is that of person "ben"`},
		{"tag of a device", "id,name,badge\ndia,Dia,11\n", `line 2: the tag …011 can't be given to person "dia": it is that of device "ipad"`},
		{"no credential", "id,name,badge\ndia,Dia,50\neve,Eve,half\n", `line 3: "half" is no credential`},
		{"bad quotes", "id,name\nx,\"a\n", `line 2: extraneous or missing " in quoted-field`},
		{"UTF-16 without its mark", "i\x00d\x00,\x00", "line 1: the header is not valid UTF-8"},
		{"no e-mail address", "id,name,email\nx,X,x@lab.example\ny,Y,y at lab\n", `line 3: "y at lab" is no e-mail address`},
		{"an e-mail address with a name", "id,name,email\nx,X,X <x@lab.example>\n", `line 2: "X <x@lab.example>" is no e-mail address`},
		{"no status", "id,name,status\nx,X,lost\n", `line 2: "lost" is not a status`},
		{"in capitals twice", "ID,Name,id\nx,X,y\n", `line 1: the columns "ID" and "id" are both "id"`},
		{"retired with a device", "id,name,status\nben,Ben,retired\n", `line 2: refused: Ben still has The pixel`},
		{"line numbers count lines", "id,name\n\"x\",\"two\nlines\"\n", "line 2: the name has a control character: U+000A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newLedger(t)
			x.bump(2, 12)
			before := x.exportPeople() + x.history(books.HistoryFilter{})
			err := x.importPeople(c.csv)
			var row *books.RowError
			if !errors.As(err, &row) || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			want(t, "afterwards", x.exportPeople()+x.history(books.HistoryFilter{}), before)
		})
	}
}

func TestImportExport(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.ok(x.importPeople("\ufeffbadge,name,id\n,Annette,ann\n50,\"Dia, the second\",dia\n3,Cem,cem\n"))
	want(t, "export", x.exportPeople(), "id,name,email,badge\nann,Annette,ann@example.org,\nben,Ben,ben@example.org,\ncem,Cem,cem@example.org,\ndia,\"Dia, the second\",,\n")
	want(t, "an empty badge keeps what there was", x.subject(1).Name, "Annette")
	want(t, "the same badge is no event", x.history(books.HistoryFilter{Person: "cem"}), "3:enrol")
	want(t, "dia", x.subject(50).ID, "dia")
	x.ok(x.importPeople("id,name,email\ncem,Cem,\n"))
	want(t, "an empty address is none", strings.Split(x.exportPeople(), "\n")[3], "cem,Cem,,")
	want(t, "loans", x.who(), "ipad=ann")
	x.ok(x.importPeople(x.exportPeople()))
	want(t, "again", x.subject(50).ID, "dia")

	x.ok(x.importPeople("id,name,badge\nann,Ann,2\nben,Ben,1\n"))
	want(t, "badges exchanged", x.subject(1).ID+x.subject(2).ID, "benann")
	x.verify()

	x.ok(x.importDevices("id,name\nipad,iPad mini\n"))
	d, err := x.FindDevice("iPad mini")
	x.ok(err)
	d.Revision = ""
	want(t, "device", fmt.Sprintf("%+v", d), "{ID:ipad Name:iPad mini Details:{Serial: Place: Note: Link: Out:} Kind:phone Kit: Tag:…011 Status:active Holder:ann HolderName:Ann Lost:false Condition: Ref: ByDirectory:false Home: DirectoryRev: Revision:}")
	x.ok(x.importDevices("id,name,kind\nipad,iPad mini,\n"))
	d, err = x.FindDevice("ipad")
	x.ok(err)
	want(t, "kind", d.Kind, "")
	var b bytes.Buffer
	x.ok(sheet.WriteDevices(&b, x.Devices(books.Page{}), func(id string) (string, error) { return "tag of " + id, nil }))
	want(t, "export", b.String(), "id,name,tag,kind\nipad,iPad mini,tag of ipad,\nnexus,The nexus,tag of nexus,phone\npixel,The pixel,tag of pixel,phone\n")
}

// TestImportRemedies: what a spreadsheet gets wrong has a way out.
func TestImportRemedies(t *testing.T) {
	for csv, remedy := range map[string]string{
		"id,name\né,é\nx,Mu\xf1oz\n": "CSV UTF-8",
		"i\x00d\x00,\x00":            "CSV UTF-8",
		"id,name\nx,Okafor, Ann\n":   "double quotes",
		"id,name,email\nx,X,x\n":     "ann@lab.example",
		"id,name,status\nx,X,away\n": "active, suspended or retired",
		"id,name\nx,\"a\"b\"\n":      "written twice",
	} {
		if err := newLedger(t).importPeople(csv); !strings.Contains(hint.Of(err), remedy) {
			t.Errorf("%q: %v, want a hint that says %q", csv, err, remedy)
		}
	}
}

// TestAllBadLines: what is wrong with the lines of a file is told together, in their order,
// whether the file or the ledger shows it.
func TestAllBadLines(t *testing.T) {
	x := newLedger(t)
	x.bump(2, 12)
	before := x.exportPeople() + x.history(books.HistoryFilter{})
	err := x.importPeople("id,name,badge,status\ndia,Dia,2,\neve,Eve,half,\n,Fay,,\nann,Annie,51,\nben,Ben,,retired\ngus,Gus,11,\n")
	want(t, "told", fmt.Sprint(err), `line 2: the tag …002 can't be given to person "dia": it is that of person "ben"; line 3: "half" is no credential; `+
		`line 4: the id is empty (give one, of letters and digits); line 6: refused: Ben still has The pixel; line 7: the tag …011 can't be given to person "gus": it is that of device "ipad"`)
	want(t, "afterwards", x.exportPeople()+x.history(books.HistoryFilter{}), before)
	var many strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&many, "p%d,\n", i)
	}
	err = x.importPeople("id,name\n" + many.String())
	if text := fmt.Sprint(err); !strings.HasSuffix(text, "line 21: the name is empty (give one); and 1480 lines more") {
		t.Error(text)
	}
}

// TestDryRun: it tells what an import would do, and changes nothing.
func TestDryRun(t *testing.T) {
	x := newLedger(t)
	before := x.exportPeople() + x.history(books.HistoryFilter{})
	const csv = "id,name,email,badge,status\nann,Annie,ann@example.org,,\nben,Ben,,51,suspended\ncem,Cem,cem@example.org,3,active\ndia,Dia,,52,\n"
	n, err := x.importCSV(checkout.KindPerson, csv, true)
	x.ok(err)
	want(t, "counts", fmt.Sprint(n.Added, n.Changed, n.Unchanged), "1 2 1")
	want(t, "changes", fmt.Sprint(n.Changes), `[{ann name "Ann" becomes "Annie"} {ben e-mail "ben@example.org" becomes "", tag "…002" becomes "…051", status "active" becomes "suspended"}]`)
	want(t, "afterwards", x.exportPeople()+x.history(books.HistoryFilter{}), before)
	_, err = x.importCSV(checkout.KindPerson, "id,name,badge\ndia,Dia,11\n", true)
	if err == nil || !strings.Contains(err.Error(), "it is that of device") {
		t.Errorf("a refusal: %v", err)
	}
	n, err = x.importCSV(checkout.KindPerson, csv, false)
	x.ok(err)
	want(t, "in earnest", fmt.Sprint(n.Added, n.Changed, n.Unchanged, n.Changes), "1 2 1 []")
}

// TestStatusMoves: a register that is exported and imported elsewhere keeps who
// and what is out of use, and an import says what it did.
func TestStatusMoves(t *testing.T) {
	x := newLedger(t)
	want(t, "all active", x.exportPeople(), "id,name,email,badge\nann,Ann,ann@example.org,\nben,Ben,ben@example.org,\ncem,Cem,cem@example.org,\n")
	suspended := checkout.Suspended
	x.ok(x.EditPerson("ben", books.Edit{Status: &suspended}, "admin", checkout.SourceCLI))
	x.ok(x.RetirePerson("cem", "admin", checkout.SourceCLI))
	x.ok(x.RetireDevice("nexus", "admin", checkout.SourceCLI))
	_, err := x.Lose(books.Request{Device: "pixel", Actor: "admin"})
	x.ok(err)
	people := x.exportPeople()
	want(t, "people", people, "id,name,email,badge,status\nann,Ann,ann@example.org,,active\nben,Ben,ben@example.org,,suspended\ncem,Cem,cem@example.org,,retired\n")
	devices := x.exportDevices()
	want(t, "devices", devices, "id,name,tag,kind,status\nipad,The ipad,,phone,active\nnexus,The nexus,,phone,retired\npixel,The pixel,,phone,lost\n")

	other := newEmptyLedger(t)
	want(t, "people", other.imports(people), "{3 0 0}")
	want(t, "devices", other.imports(devices), "{3 0 0}")
	want(t, "people there", other.exportPeople(), people)
	want(t, "devices there", other.exportDevices(), devices)
	events := other.history(books.HistoryFilter{})
	want(t, "again", other.imports(people)+other.imports(devices), "{0 0 3}{0 0 3}")
	want(t, "no event without a change", other.history(books.HistoryFilter{}), events)
	other.verify()

	// Without the column, or where it is empty, the status stays.
	want(t, "a name", other.imports("id,name\nben,Benjamin\n"), "{0 1 0}")
	want(t, "empty", other.imports("id,name,Status\ncem,Cem,\nben,Benjamin,Suspended\n"), "{0 0 2}")
	want(t, "back", other.imports("id,name,badge,status\nann,Ann,,active\nben,Benjamin,,active\ncem,Cem,77,active\n"), "{0 2 1}")
	want(t, "all active again", other.exportPeople(), "id,name,email,badge\nann,Ann,ann@example.org,\nben,Benjamin,ben@example.org,\ncem,Cem,cem@example.org,\n")
	want(t, "found", other.imports("id,name,tag,status\npixel,The pixel,,active\nnexus,The nexus,,active\n"), "{0 2 0}")
	want(t, "devices again", other.exportDevices(), "id,name,tag,kind\nipad,The ipad,,phone\nnexus,The nexus,,phone\npixel,The pixel,,phone\n")
	other.verify()
}

func TestNamesSurvive(t *testing.T) {
	x := newLedger(t)
	for i, name := range []string{"Zoë Ünïcødé", "王小明", "🦊 Fox", "محمد", strings.Repeat("é", 500), "|", "a'b\"c\\"} {
		id := fmt.Sprint("n", i)
		x.ok(x.AddPerson(books.Person{ID: id, Name: name}, checkout.Tag{}, "admin", checkout.SourceCLI))
		p, err := x.FindPerson(name)
		x.ok(err)
		want(t, "found", p.ID, id)
		_, err = x.Give(books.Request{Device: "ipad", Person: id, Actor: "admin"})
		x.ok(err)
		for l, err := range x.Loans(books.LoanFilter{}) {
			x.ok(err)
			want(t, "loan", l.Person, name)
		}
	}
}

func TestFind(t *testing.T) {
	x := newLedger(t)
	x.ok(x.AddPerson(books.Person{ID: "a2", Name: "Ann"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	x.ok(x.AddPerson(books.Person{ID: "Ben", Name: "Cem"}, checkout.Tag{}, "admin", checkout.SourceCLI))
	for ref, id := range map[string]string{"ann": "ann", "ben": "ben", "Ben": "Ben", "cem": "cem"} {
		p, err := x.FindPerson(ref)
		x.ok(err)
		want(t, ref, p.ID, id)
	}
	_, err := x.FindPerson("Ann")
	want(t, "ambiguous", fmt.Sprint(err), `the name "Ann" is that of 2 people: use an id, one of a2, ann`)
	_, err = x.FindPerson("nobody")
	want(t, "nobody", fmt.Sprint(err), `person "nobody": not in the register`)
	if !errors.Is(err, books.ErrNotFound) {
		t.Error(err)
	}
	if _, err = x.FindDevice(""); !errors.Is(err, books.ErrNotFound) {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	for _, err := range []error{x.RetirePerson("ann", "admin", checkout.SourceCLI), x.RetireDevice("ipad", "admin", checkout.SourceCLI)} {
		if !errors.Is(err, checkout.ErrRefused) {
			t.Errorf("retired with an open loan: %v", err)
		}
	}
	suspended := checkout.Suspended
	x.ok(x.EditPerson("ann", books.Edit{Status: &suspended}, "admin", checkout.SourceCLI))
	want(t, "subject", x.subject(1).Status, checkout.Suspended)
	pair := checkout.Completion{Person: x.subject(1), Device: x.subject(12)}
	if _, err := x.Complete(pair); !errors.Is(err, checkout.ErrRefused) || err.Error() != "refused: Ann is suspended" {
		t.Error(err)
	}
	if err := x.EditDevice("ipad", books.Edit{Status: &suspended}, "admin", checkout.SourceCLI); err == nil {
		t.Error("a device was suspended")
	}
	active := checkout.Active
	x.ok(x.EditPerson("ann", books.Edit{Status: &active}, "admin", checkout.SourceCLI))
	x.bump(1, 11)
	x.ok(x.RetireDevice("ipad", "admin", checkout.SourceCLI))
	x.ok(x.RetirePerson("ann", "admin", checkout.SourceCLI))
	pair = checkout.Completion{Person: x.subject(2), Device: x.subject(11)}
	if _, err := x.Complete(pair); !errors.Is(err, checkout.ErrRefused) || err.Error() != "refused: The ipad is retired" {
		t.Error(err)
	}
	want(t, "history", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 7:checkout 8:correct 9:correct 10:return 12:retire")
	if err := x.AddPerson(books.Person{ID: "ann", Name: "Another"}, checkout.Tag{}, "admin", checkout.SourceCLI); fmt.Sprint(err) != `there is a person "ann" already` {
		t.Error(err)
	}
	x.verify()
}

func TestTagReplacedKeepsHistory(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	_, err := x.EnrolDevice("ipad", tag(60), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "old", x.subject(11).Kind, checkout.Unknown)
	want(t, "new", x.subject(60).HolderName, "Ann")
	x.bump(1, 60)
	want(t, "history", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout 8:enrol 9:return")
	_, err = x.EnrolPerson("ben", tag(60), "admin", checkout.SourceCLI)
	var taken *books.TagTakenError
	if !errors.As(err, &taken) || taken.Owner != "ipad" {
		t.Error(err)
	}
	x.verify()
}

// TestRetiredTagIsGivenOutAgain: the badge of somebody who left.
func TestRetiredTagIsGivenOutAgain(t *testing.T) {
	x := newLedger(t)
	x.ok(x.RetirePerson("ann", "admin", checkout.SourceCLI))
	want(t, "owner", x.subject(1).ID, "ann")
	_, err := x.EnrolPerson("ben", tag(1), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "owner after", x.subject(1).ID, "ben")
	ann, err := x.FindPerson("ann")
	x.ok(err)
	want(t, "ann's badge", ann.HasBadge(), false)
	x.verify()
}
