package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	stdutf16 "unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/testkit"
)

// parseDecimal reads a tag of 34 bits.
func parseDecimal(s string) (checkout.Tag, error) {
	n, err := strconv.ParseUint(s, 10, 34)
	if err != nil {
		return checkout.Tag{}, fmt.Errorf("%q is not a number", s)
	}
	return testkit.Tag(n, 34), nil
}

// read reads a file to its first error.
func read(kind checkout.SubjectKind, r io.Reader, mapped map[string]string) (rows []books.ImportRow, err error) {
	rows = []books.ImportRow{}
	for row, err := range Rows(kind, r, Options{Parse: parseDecimal, Map: mapped}) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func readPeople(s string) ([]books.ImportRow, error) {
	return read(checkout.KindPerson, strings.NewReader(s), nil)
}

func readDevices(s string) ([]books.ImportRow, error) {
	return read(checkout.KindDevice, strings.NewReader(s), nil)
}

func TestRead(t *testing.T) {
	tag := func(n uint64) checkout.Tag { return testkit.Tag(n, 34) }
	type rows = []books.ImportRow
	for _, tt := range []struct {
		name string
		read func(string) ([]books.ImportRow, error)
		csv  string
		want rows
	}{
		{"header only", readPeople, "id,name\n", rows{}},
		{"people", readPeople, "id,name,email,badge\nann,Ann,ann@lab.example,7\nben,Ben,,\n", rows{
			{ID: "ann", Name: "Ann", Email: "ann@lab.example", HasDetail: true, Tag: tag(7), Line: 2},
			{ID: "ben", Name: "Ben", HasDetail: true, Line: 3},
		}},
		{"devices", readDevices, "id,name,tag,kind\nipad,iPad,9,tablet\n", rows{
			{ID: "ipad", Name: "iPad", Kind: "tablet", HasDetail: true, Tag: tag(9), Line: 2},
		}},
		{"fewer columns, another order", readPeople, "badge,name,id\n7,Ann,ann\n", rows{{ID: "ann", Name: "Ann", Tag: tag(7), Line: 2}}},
		{"without kinds", readDevices, "name,id\niPad,ipad\n", rows{{ID: "ipad", Name: "iPad", Line: 2}}},
		{"capitals and spaces", readPeople, " ID , Name,EMAIL\n ann ,  Ann Okafor , \n", rows{{ID: "ann", Name: "Ann Okafor", HasDetail: true, Line: 2}}},
		{"statuses of people", readPeople, "id,name,status\na,A,Suspended\nb,B,retired\nc,C,active\nd,D,\n", rows{
			{ID: "a", Name: "A", Status: "suspended", Line: 2}, {ID: "b", Name: "B", Status: "retired", Line: 3},
			{ID: "c", Name: "C", Status: "active", Line: 4}, {ID: "d", Name: "D", Line: 5},
		}},
		{"statuses of devices", readDevices, "id,name,status\na,A,LOST\nb,B,retired\n", rows{
			{ID: "a", Name: "A", Status: "lost", Line: 2}, {ID: "b", Name: "B", Status: "retired", Line: 3},
		}},
		{"groups", readPeople, "id,name,groups\na,A,\"trained, Crew\"\nb,B,crew;trained;crew\nc,C,\n", rows{
			{ID: "a", Name: "A", Groups: "Crew\ntrained", Has: books.HasGroups, Line: 2}, {ID: "b", Name: "B", Groups: "crew\ntrained", Has: books.HasGroups, Line: 3},
			{ID: "c", Name: "C", Has: books.HasGroups, Line: 4},
		}},
		{"groups in a file of Excel in Europe", readPeople, "id;name;groups\na;A;\"crew;trained\"\nb;B;crew, trained\n", rows{
			{ID: "a", Name: "A", Groups: "crew\ntrained", Has: books.HasGroups, Line: 2}, {ID: "b", Name: "B", Groups: "crew\ntrained", Has: books.HasGroups, Line: 3},
		}},
		{"languages", readPeople, "id,name,Language\na,A,de_AT\nb,B,\nc,C,FR\n", rows{
			{ID: "a", Name: "A", Language: "de", Has: books.HasLanguage, Line: 2}, {ID: "b", Name: "B", Has: books.HasLanguage, Line: 3},
			{ID: "c", Name: "C", Language: "fr", Has: books.HasLanguage, Line: 4},
		}},
		{"details", readDevices, "id,name,Serial,Out until,place,condition\na,A,SN 1,2026-12-04,Shelf 3,damaged: x\n", rows{
			{ID: "a", Name: "A", Details: books.Details{Serial: "SN 1", Place: "Shelf 3", Out: "2026-12-04"}, Condition: "damaged: x",
				Has: books.HasSerial | books.HasPlace | books.HasOut | books.HasCondition, Line: 2},
		}},
		{"a column that is left out", func(s string) ([]books.ImportRow, error) {
			mapped, err := Mapping(checkout.KindPerson, []string{"Phone=-"})
			if err != nil {
				return nil, err
			}
			return read(checkout.KindPerson, strings.NewReader(s), mapped)
		}, "id,Phone,name\nann,1,Ann\n", rows{{ID: "ann", Name: "Ann", Line: 2}}},
		{"kits", readDevices, "id,name,KIT\na,A,box\nbox,Box,\n", rows{
			{ID: "a", Name: "A", Kit: "box", Has: books.HasKit, Line: 2}, {ID: "box", Name: "Box", Has: books.HasKit, Line: 3},
		}},
		{"mark of a spreadsheet", readPeople, "\ufeffid,name\r\nann,Ann\r\n", rows{{ID: "ann", Name: "Ann", Line: 2}}},
		{"quotes", readPeople, "id,name\n\"ann\",\"Okafor, \"\"Ann\"\"\"\n", rows{{ID: "ann", Name: `Okafor, "Ann"`, Line: 2}}},
		{"empty lines don't count as rows", readPeople, "id,name\n\nann,Ann\n\n\nben,Ben", rows{{ID: "ann", Name: "Ann", Line: 3}, {ID: "ben", Name: "Ben", Line: 6}}},
		{"a line end in a name", readPeople, "id,name\nann,\"A\nB\"\nben,Ben\n", rows{{ID: "ann", Name: "A\nB", Line: 2}, {ID: "ben", Name: "Ben", Line: 4}}},
	} {
		got, err := tt.read(tt.csv)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

// TestRefusals: every refusal names the line; what has a remedy says it.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct{ name, csv, want, remedy string }{
		{"an empty file", "", "line 1: no header: the columns are id,name,email,badge", ""},
		{"a mark and no more", "\ufeff", "line 1: no header: the columns are id,name,email,badge", ""},
		{"a part of a mark", "\xef\xbb", `line 1: the column "id" is missing`, ""},
		{"not UTF-8 after all", "id,name\nz,Zoë\nn,N\xe4\n", "line 3: \"N\ufffd\" can't be read", "CSV UTF-8"},
		{"UTF-16 that was cut", "\xff\xfei\x00d\x00,\x00n", "line 1: the header is not valid UTF-8", "CSV UTF-8"},
		{"UTF-16 without its mark", "i\x00d\x00,\x00", "line 1: the header is not valid UTF-8", "CSV UTF-8"},
		{"an unknown column", "id,name, Phone\nann,Ann,\nben,Ben,12\n", `line 1: unknown column "Phone": the columns are id,name,email,badge`, "leave it out: --map 'Phone=-', or if it is that: --map 'Phone=email'"},
		{"a column of devices", "id,name,kind\na,A,phone\n", `line 1: unknown column "kind": the columns are id,name,email,badge`, "leave it out: --map 'kind=-'"},
		{"a column without a name", "id,name,,email\na,A,x,\n", `line 2: column 3 has no name: the columns are id,name,email,badge`, "give it the name"},
		{"a field behind the last column", "id,name\na,A,,x\n", "line 2: 4 fields, the header has 2", "that has a comma in it"},
		{"a semicolon in a name", "id;name\nann;Okafor; Ann\n", "line 2: 3 fields, the header has 2", "that has a semicolon in it"},
		{"a column twice", "id,name,id\n", `line 1: the column "id" is there twice`, ""},
		{"a column twice, spelt otherwise", "id,name,E-Mail,email\n", `line 1: the columns "E-Mail" and "email" are both "email"`, ""},
		{"a header of a file without one", "ann,Ann\nben,Ben\n", `line 1: the column "id" is missing: the columns are id,name,email,badge`, "--map 'NAME=id'"},
		{"a rounded badge", "id,name,badge\na,A,1.10722E+07\n", "line 2: the spreadsheet has rounded the number 1.10722E+07", "format the column as text and export again"},
		{"a rounded badge in Europe", "id;name;badge\na;A;1,10722E+07\n", "line 2: the spreadsheet has rounded the number 1,10722E+07", "format the column as text and export again"},
		{"a rounded id", "id,name\n1.2E+11,A\n", "line 2: the spreadsheet has rounded the number 1.2E+11", "format the column as text and export again"},
		{"a column of devices with groups", "id,name,serial\na,A,7\n", `line 1: unknown column "serial"`, "leave it out: --map 'serial=-'"},
		{"no id", "name,email\n", `line 1: the column "id" is missing: the columns are id,name,email,badge`, ""},
		{"no name", "id,email\n", `line 1: the column "name" is missing: the columns are id,name,email,badge`, ""},
		{"a broken header", "id,\"na\"me\n", `line 1: extraneous or missing " in quoted-field`, "written twice"},
		{"too few fields", "id,name,email\nann,Ann,\nben,Ben\n", "line 3: 2 fields, the header has 3", ""},
		{"one field", "id,name\nann\n", "line 2: 1 field, the header has 2", ""},
		{"a comma in a name", "id,name\nann,Okafor, Ann\n", "line 2: 3 fields, the header has 2", "double quotes"},
		{"a quote in a field", "id,name\nann,\"A\"nn\"\n", `line 2: extraneous or missing " in quoted-field`, "written twice"},
		{"a quote without its end in a large file", "id,name\nann,Ann\nben,\"Ben\n" + strings.Repeat("x,X\n", 50_000), "line 3: a row of more than 64 kB", "quote lacks its end"},
		{"a header without an end", strings.Repeat("column,", 50_000), "line 1: a row of more than 64 kB", ""},
		{"a long field", "id,name\nann," + strings.Repeat("x", 2001) + "\n", "line 2: column 2 has 2001 bytes: at most 1000", ""},
		{"a quote without its end", "id,name\nann,Ann\nben,\"Ben\n", `line 3: extraneous or missing " in quoted-field`, "written twice"},
		{"not an address", "id,name,email\nann,Ann,ann at lab\n", `line 2: "ann at lab" is no`, "ann@lab.example"},
		{"an unknown status", "id,name,status\nann,Ann,away\n", `line 2: "away" is not a status`, "use active, suspended or retired"},
		{"a status of devices", "id,name,status\nann,Ann,lost\n", `line 2: "lost" is not a status`, "use active, suspended or retired"},
		{"not a credential", "id,name,badge\nann,Ann,1\nben,Ben,half\n", `line 3: "half" is not a number`, ""},
	} {
		rows, err := readPeople(tt.csv)
		var row *books.RowError
		if !errors.As(err, &row) || !strings.HasPrefix(err.Error(), tt.want) || !strings.Contains(hint.Of(err), tt.remedy) || rows != nil {
			t.Errorf("%s: %v (%s), want %s (%s)", tt.name, err, hint.Of(err), tt.want, tt.remedy)
		}
	}
	for _, tt := range []struct{ name, csv, want, remedy string }{
		{"an empty file", "", "line 1: no header: the columns are id,name,tag,kind", ""},
		{"a column of people", "id,name,badge\na,A,7\n", `line 1: unknown column "badge": the columns are id,name,tag,kind`, ""},
		{"a status of people", "id,name,status\nipad,iPad,suspended\n", `line 2: "suspended" is not a status`, "use active, lost or retired"},
		{"not a credential", "id,name,tag\nipad,iPad,x\n", `line 2: "x" is not a number`, ""},
	} {
		_, err := readDevices(tt.csv)
		if err == nil || err.Error() != tt.want || !strings.Contains(hint.Of(err), tt.remedy) {
			t.Errorf("devices, %s: %v (%s), want %s (%s)", tt.name, err, hint.Of(err), tt.want, tt.remedy)
		}
	}
}

// TestBrokenReader: a file that could not be read to its end is not a file with fewer
// rows.
func TestBrokenReader(t *testing.T) {
	broken := errors.New("broken")
	for _, part := range []string{"", "id", "id,name", "id,name\nann,Ann\n"} {
		in := io.MultiReader(strings.NewReader(part), iotest.ErrReader(broken))
		rows, err := read(checkout.KindPerson, in, nil)
		if !errors.Is(err, broken) || rows != nil {
			t.Errorf("after %q: %v, %v", part, rows, err)
		}
	}
	rows, err := read(checkout.KindPerson, iotest.OneByteReader(strings.NewReader("\ufeffid,name\nann,Ann\n")), nil)
	if err != nil || len(rows) != 1 {
		t.Errorf("byte by byte: %v, %v", rows, err)
	}
}

func all[T any](rows []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

func noTag(string) (string, error) { return "", nil }

func TestWrite(t *testing.T) {
	people := []books.Person{
		{ID: "ann", Name: "Ann, the first", Email: "ann@lab.example", Badges: []books.Badge{{Number: "…007"}}},
		{ID: "ben", Name: `Ben "B"`},
	}
	var b strings.Builder
	if err := WritePeople(&b, all(people, nil)); err != nil {
		t.Fatal(err)
	}
	if want := "id,name,email,badge\nann,\"Ann, the first\",ann@lab.example,\nben,\"Ben \"\"B\"\"\",,\n"; b.String() != want {
		t.Errorf("people: %s", b.String())
	}
	people[1].Status = checkout.Suspended
	b.Reset()
	if err := WritePeople(&b, all(people[1:], nil)); err != nil {
		t.Fatal(err)
	}
	if want := "id,name,email,badge,status\nben,\"Ben \"\"B\"\"\",,,suspended\n"; b.String() != want {
		t.Errorf("with a status: %s", b.String())
	}
	b.Reset()
	devices := []books.Device{{ID: "ipad", Name: "iPad", Kind: "tablet"}, {ID: "pixel", Name: "Pixel", Lost: true}}
	if err := WriteDevices(&b, all(devices, nil), func(id string) (string, error) { return "raw34:" + id, nil }); err != nil {
		t.Fatal(err)
	}
	if want := "id,name,tag,kind,status\nipad,iPad,raw34:ipad,tablet,active\npixel,Pixel,raw34:pixel,,lost\n"; b.String() != want {
		t.Errorf("devices: %s", b.String())
	}
	b.Reset()
	if err := WriteDevices(&b, all[books.Device](nil, nil), noTag); err != nil || b.String() != "id,name,tag,kind\n" {
		t.Errorf("nothing: %s, %v", b.String(), err)
	}
}

// TestWriteFails: a file that is not whole is not begun, and what can't be written is
// an error.
func TestWriteFails(t *testing.T) {
	broken := errors.New("broken")
	var b bytes.Buffer
	device := []books.Device{{ID: "ipad", Name: "iPad"}}
	for name, err := range map[string]error{
		"a person":       WritePeople(&b, all([]books.Person{{ID: "ann", Name: "Ann"}}, broken)),
		"a device":       WriteDevices(&b, all(device, broken), noTag),
		"a device's tag": WriteDevices(&b, all(device, nil), func(string) (string, error) { return "", broken }),
		"the writer":     WriteDevices(brokenWriter{broken}, all(device, nil), noTag),
	} {
		if !errors.Is(err, broken) || b.Len() > 0 {
			t.Errorf("%s: %v, written %q", name, err, b.String())
		}
	}
}

// TestWriteChanged: rows may change while they are written. A status that has no column is
// no status "active".
func TestWriteChanged(t *testing.T) {
	reads := 0
	changing := func(yield func(books.Person, error) bool) {
		p := books.Person{ID: "ann", Name: "Ann"}
		if reads++; reads > 1 {
			p.Status = checkout.Suspended
		}
		yield(p, nil)
	}
	var b strings.Builder
	if err := WritePeople(&b, changing); err == nil || strings.Contains(b.String(), "Ann") {
		t.Errorf("%v, written %q", err, b.String())
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }

// TestRoundTrip: what is written is read again, all but the badges.
func TestRoundTrip(t *testing.T) {
	word := rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("a,\"';\t é李\n\u202f💡#=-+@'"), unicode.Latin), 1, 12, -1), strings.TrimSpace)
	text := rapid.Map(word, func(s string) string { return strings.ReplaceAll(s, "\r", "") + "x" })
	group := rapid.Map(text, func(s string) string { return strings.NewReplacer(",", "", ";", "").Replace(s) })
	maybe := rapid.OneOf(rapid.Just(""), text)
	number := rapid.Uint64Range(1, 1<<34-1)
	rapid.Check(t, func(t *rapid.T) {
		var people []books.Person
		var devices []books.Device
		tags := map[string]string{}
		for i := range rapid.IntRange(0, 4).Draw(t, "rows") {
			id := fmt.Sprint("id", i)
			people = append(people, books.Person{
				ID: id, Name: text.Draw(t, "person"), Email: rapid.SampledFrom([]string{"", "a@b.example"}).Draw(t, "email"),
				Status: rapid.SampledFrom([]checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired}).Draw(t, "status"),
				Groups: checkout.GroupsOf(rapid.SliceOfN(group, 0, 3).Draw(t, "groups")...),
			})
			devices = append(devices, books.Device{
				ID: id, Name: text.Draw(t, "device"), Kit: rapid.SampledFrom([]string{"", "box"}).Draw(t, "kit"), Kind: rapid.SampledFrom([]string{"", "phone"}).Draw(t, "kind"),
				Lost: rapid.Bool().Draw(t, "lost"), Status: rapid.SampledFrom([]checkout.Status{checkout.Active, checkout.Retired}).Draw(t, "out of use"),
				Details: books.Details{Serial: maybe.Draw(t, "serial"), Place: maybe.Draw(t, "place"), Note: maybe.Draw(t, "note"), Link: maybe.Draw(t, "link"),
					Out: checkout.Day(maybe.Draw(t, "out"))}, Condition: maybe.Draw(t, "condition"),
			})
			tags[id] = fmt.Sprint(number.Draw(t, "tag"))
		}
		var b strings.Builder
		if err := WritePeople(&b, all(people, nil)); err != nil {
			t.Fatal(err)
		}
		rows, err := readPeople(b.String())
		if err != nil || len(rows) != len(people) {
			t.Fatalf("%d people are read as %d rows, %v:\n%s", len(people), len(rows), err, b.String())
		}
		plain := !slices.ContainsFunc(people, func(p books.Person) bool { return p.Status != checkout.Active })
		var has books.Columns
		if slices.ContainsFunc(people, func(p books.Person) bool { return p.Groups != "" }) {
			has = books.HasGroups
		}
		for i, p := range people {
			want := books.ImportRow{ID: p.ID, Name: p.Name, Email: p.Email, Groups: p.Groups, Has: has, HasDetail: true, Status: p.Status.String(), Line: rows[i].Line}
			if plain {
				want.Status = ""
			}
			if rows[i] != want {
				t.Fatalf("%+v is read as %+v", p, rows[i])
			}
		}
		b.Reset()
		if err := WriteDevices(&b, all(devices, nil), func(id string) (string, error) { return tags[id], nil }); err != nil {
			t.Fatal(err)
		}
		rows, err = readDevices(b.String())
		if err != nil || len(rows) != len(devices) {
			t.Fatalf("%d devices are read as %d rows, %v:\n%s", len(devices), len(rows), err, b.String())
		}
		plain = !slices.ContainsFunc(devices, func(d books.Device) bool { return d.Word() != "active" })
		has = 0
		for _, d := range devices {
			for column, field := range map[books.Columns]string{books.HasSerial: d.Serial, books.HasPlace: d.Place, books.HasNote: d.Note,
				books.HasLink: d.Link, books.HasOut: string(d.Out), books.HasCondition: d.Condition, books.HasKit: d.Kit} {
				if field != "" {
					has |= column
				}
			}
		}
		for i, d := range devices {
			tag, _ := parseDecimal(tags[d.ID])
			want := books.ImportRow{ID: d.ID, Name: d.Name, Kind: d.Kind, Kit: d.Kit, Details: d.Details, Condition: d.Condition, Has: has, HasDetail: true, Tag: tag, Status: d.Word(), Line: rows[i].Line}
			if plain {
				want.Status = ""
			}
			if rows[i] != want {
				t.Fatalf("%+v is read as %+v", d, rows[i])
			}
		}
	})
}

// TestFilesAsTheyCome: one person and a badge, as many programs write them.
func TestFilesAsTheyCome(t *testing.T) {
	utf16 := func(s string, big bool) string {
		var b strings.Builder
		for _, u := range append([]uint16{0xfeff}, stdutf16.Encode([]rune(s))...) {
			if big {
				b.Write([]byte{byte(u >> 8), byte(u)})
			} else {
				b.Write([]byte{byte(u), byte(u >> 8)})
			}
		}
		return b.String()
	}
	for name, file := range map[string]string{
		"as it should be":         "id,name,email,badge\nz,Zoë Ångström,,7\n",
		"a byte order mark":       "\ufeffid,name,email,badge\r\nz,Zoë Ångström,,7\r\n",
		"UTF-16, little end":      utf16("id\tname\tbadge\r\nz\tZoë Ångström\t7\r\n", false),
		"UTF-16, big end":         utf16("id,name,badge\nz,Zoë Ångström,7\n", true),
		"Latin-1":                 "id;name;badge\r\nz;Zo\xeb \xc5ngstr\xf6m;7\r\n",
		"semicolons":              "id;name;email;badge\nz;Zoë Ångström;;7\n",
		"tabs":                    "id\tname\tbadge\nz\tZoë Ångström\t7\n",
		"lone CR":                 "id,name,badge\rz,Zoë Ångström,7\r",
		"lone CR, no end":         "id,name,badge\rz,Zoë Ångström,7",
		"sep":                     "sep=;\r\nid;name;badge\r\nz;Zoë Ångström;7\r\n",
		"sep of another kind":     "\"SEP=|\"\nid|name|badge\nz|Zoë Ångström|7\n",
		"empty rows":              ",,,\nid,name,email,badge\n,,,\nz,Zoë Ångström,,7\n,,,\n \n",
		"empty columns":           ",id,,name,badge,,\n,z,,Zoë Ångström,7,,\n,,,,,,,,\n",
		"an empty column unknown": "id,name,badge,phone\nz,Zoë Ångström,7,\n",
		"a title":                 "Staff list 2026,,\nid,name,badge\nz,Zoë Ångström,7\n",
		"a title, alone":          "Staff; as of \"today\"\n\nid;name;badge\nz;Zoë Ångström;7\n",
		"spellings":               "I.D., Name ,E-Mail,BADGE\nz,Zoë Ångström,,7\n",
		"an apostrophe for text":  "id,name,badge\nz,Zoë Ångström,'7\n",
		"columns left out behind": "id,name,badge,,\nz,Zoë Ångström,7\n",
	} {
		rows, err := readPeople(file)
		if err != nil || len(rows) != 1 || rows[0].ID != "z" || rows[0].Name != "Zoë Ångström" || rows[0].Tag != testkit.Tag(7, 34) {
			t.Errorf("%s: %+v %v", name, rows, err)
			continue
		}
		want := 1 + strings.Count(strings.ReplaceAll(file[:strings.Index(file, "7")], "\r\n", "\n"), "\n")
		if utf := strings.HasPrefix(name, "UTF-16"); name != "lone CR" && name != "lone CR, no end" && !utf && rows[0].Line != want {
			t.Errorf("%s: line %d, want %d", name, rows[0].Line, want)
		}
	}
}

// TestMap: a column is what the map says, whatever it is called.
func TestMap(t *testing.T) {
	mapped, err := Mapping(checkout.KindPerson, []string{"Personal-Nr.=ID", "Vor- und Nachname = name", "a=b=email"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := read(checkout.KindPerson, strings.NewReader("personal nr;VOR- UND NACHNAME;A=B\nz;Zoë;z@lab.example\n"), mapped)
	if err != nil || len(rows) != 1 || rows[0].ID != "z" || rows[0].Name != "Zoë" || rows[0].Email != "z@lab.example" {
		t.Errorf("%+v %v", rows, err)
	}
	if _, err = read(checkout.KindPerson, strings.NewReader("id,name\nz,Zoë\n"), map[string]string{"mail": "email"}); err == nil ||
		err.Error() != `line 1: the file has no column "mail" to map` || hint.Of(err) != "its columns: id, name" {
		t.Errorf("%v (%s)", err, hint.Of(err))
	}
	for _, tt := range []struct{ pair, want string }{
		{"Mail", `"Mail" maps no column`}, {"=email", `"=email" maps no column`}, {"Tel=phone", `there is no column "phone" to map to`}, {"Tag=tag", `there is no column "tag" to map to`},
	} {
		if _, err := Mapping(checkout.KindPerson, []string{tt.pair}); err == nil || err.Error() != tt.want || hint.Of(err) == "" {
			t.Errorf("%s: %v", tt.pair, err)
		}
	}
}

// TestFormulas: nothing in an export begins like a formula, and it comes back as it was.
func TestFormulas(t *testing.T) {
	for _, name := range []string{"=1+1", "+1", "-1", "@x", "'=1", "''@", "'", "'x", "O'Hara", "=HYPERLINK(\"http://x\")"} {
		var b strings.Builder
		if err := WritePeople(&b, all([]books.Person{{ID: "a", Name: name}}, nil)); err != nil {
			t.Fatal(err)
		}
		record, err := csv.NewReader(strings.NewReader(b.String()[strings.Index(b.String(), "\n")+1:])).Read()
		if err != nil || strings.ContainsRune(formula, rune(record[1][0])) {
			t.Errorf("%s is written as %q, %v", name, record, err)
		}
		if rows, err := readPeople(b.String()); err != nil || rows[0].Name != name {
			t.Errorf("%s comes back as %+v, %v", name, rows, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("id,name,email,badge\nann,Ann,,1\n")
	f.Add("\ufeffid,name\n\"a\",\"b\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := readPeople(s)
		var row *books.RowError
		if err != nil && !errors.As(err, &row) {
			t.Errorf("%q: %v names no line", s, err)
		}
		for _, r := range rows {
			if r.Line < 2 || r.Line > 1+strings.Count(s, "\n")+strings.Count(s, "\r") {
				t.Errorf("line %d of %q", r.Line, s)
			}
		}
	})
}

// TestWindows1252: each byte is what it is in the table of golang.org/x/text.
func TestWindows1252(t *testing.T) {
	for b := range 256 {
		if got, want := windows1252(byte(b)), charmap.Windows1252.DecodeByte(byte(b)); got != want {
			t.Errorf("%#x is %q, want %q", b, got, want)
		}
	}
}
