// Package sheet reads and writes the register as CSV files, one of people and one of
// devices.
package sheet

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/count"
	"stump/internal/hint"
)

// form is what a file of people and one of devices differ in.
type form struct {
	columns []string
	// more are columns that an export has only if there is something in them: for a status,
	// something but "active".
	more     []string
	tag      string // the column of tags
	detail   string // the column that rows may leave empty to clear it
	statuses []string
}

var (
	people = form{[]string{"id", "name", "email", "badge"}, []string{"groups", "language", statusColumn}, "badge", "email",
		[]string{checkout.Active.String(), checkout.Suspended.String(), checkout.Retired.String()}}
	devices = form{[]string{"id", "name", "tag", "kind"},
		[]string{"kit", "serial", "place", "note", "link", "out_until", "condition", "person", "since", "due", statusColumn}, "tag", "kind",
		[]string{checkout.Active.String(), books.StatusLost, checkout.Retired.String()}}
)

const statusColumn = "status"

// Options say how to read a file.
type Options struct {
	// Parse reads a credential as the configuration writes it.
	Parse func(string) (checkout.Tag, error)
	// Map has columns by other names that a file may call them, see Mapping.
	Map map[string]string
}

func formOf(kind checkout.SubjectKind) form {
	if kind == checkout.KindDevice {
		return devices
	}
	return people
}

// Rows reads a file of people or devices, row by row. The header names the columns, in any
// order and spelling; id and name must be there. Titles above it, and rows and columns
// that are empty, are passed over. What is wrong with a line is a *books.RowError, and
// the lines after it follow, unless the file can't be read any further.
func Rows(kind checkout.SubjectKind, r io.Reader, o Options) iter.Seq2[books.ImportRow, error] {
	return func(yield func(books.ImportRow, error) bool) {
		f := formOf(kind)
		c, l, index, err := f.begin(r, o.Map)
		if err != nil {
			yield(books.ImportRow{}, err)
			return
		}
		lines := newLines(f, l, index, o.Parse)
		for i, name := range l.names {
			lines.heed[i] = lines.heed[i] || cmp.Or(o.Map[plainly(name)], o.Map[Others]) == LeftOut
		}
		for line := 1; ; {
			l.from.row()
			record, err := c.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(books.ImportRow{}, csvError(err, l.line-1, line))
				return
			}
			line, _ = c.FieldPos(0)
			if blank(record) {
				continue
			}
			row, err := lines.row(record)
			row.Line = line + l.line - 1
			if header := (*headerError)(nil); errors.As(err, &header) {
				err = refuseHeader(l, header.error)
			} else if err != nil {
				err = &books.RowError{Line: row.Line, Err: err}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// readable reports whether all characters of a text could be read.
func readable(s string) bool { return !strings.ContainsRune(s, utf8.RuneError) }

// lines reads the lines below a header.
type lines struct {
	form
	layout
	index map[string]int
	parse func(string) (checkout.Tag, error)
	width int    // up to the last column with a name
	heed  []bool // the columns that are known, or were refused already
	has   books.Columns
}

func newLines(f form, l layout, index map[string]int, parse func(string) (checkout.Tag, error)) *lines {
	all := &lines{form: f, layout: l, index: index, parse: parse, heed: make([]bool, len(l.names))}
	for _, i := range index {
		all.heed[i] = true
	}
	for name, has := range optional {
		if _, ok := index[name]; ok {
			all.has |= has
		}
	}
	for i, name := range l.names {
		if strings.TrimSpace(name) != "" {
			all.width = i + 1
		}
	}
	return all
}

// rounded is a number of which a spreadsheet has kept some digits.
var rounded = regexp.MustCompile(`^\d+(?:[.,]\d+)?[eE]\+\d+$|^\d+[.,]\d+[eE]\d+$`)

// maxRow is how long a row may be, in bytes: no more of a file is ever in memory.
const maxRow = 64 << 10

var errLong = hint.Errorf("see whether a quote lacks its end", "a row of more than %d kB", maxRow>>10)

// meter ends a row that is too long. left is how much of it may follow.
type meter struct {
	r    io.Reader
	left int
}

// row says that another row begins, nearly: some of it may have been read already.
func (m *meter) row() { m.left = maxRow }

func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLong
	}
	n, err := m.r.Read(b)
	m.left -= n
	return n, err
}

// row reads the fields of a line.
func (f *lines) row(record []string) (row books.ImportRow, err error) {
	if err := f.fits(record); err != nil {
		return row, err
	}
	get := func(name string) string {
		if i, ok := f.index[name]; ok {
			return harmful(strings.TrimSpace(record[i]))
		}
		return ""
	}
	_, hasDetail := f.index[f.detail]
	row = books.ImportRow{
		ID: get("id"), Name: get("name"), Email: get("email"), Kind: get("kind"), HasDetail: hasDetail,
		Status: strings.ToLower(get(statusColumn)), Has: f.has, Kit: get("kit"), Groups: checkout.ParseGroups(get("groups")), Condition: get("condition"),
		Details: books.Details{Serial: get("serial"), Place: get("place"), Note: get("note"), Link: get("link"), Out: checkout.Day(get("outuntil"))},
	}
	if err := checkout.CheckEmail(row.Email); err != nil {
		return row, err
	}
	if said := get("language"); said != "" {
		if row.Language = checkout.LanguageOf(said); row.Language == "" {
			return row, checkout.CheckLanguage(checkout.Language(said))
		}
	}
	if row.Status != "" && !slices.Contains(f.statuses, row.Status) {
		return row, hint.Errorf("use "+strings.Join(f.statuses[:2], ", ")+" or "+f.statuses[2], "%q is not a status", row.Status)
	}
	if err := loan(&row, get); err != nil {
		return row, err
	}
	tag := strings.TrimPrefix(get(f.tag), "'")
	for _, number := range []string{row.ID, tag, row.Serial, row.Kit} {
		if rounded.MatchString(number) {
			return row, hint.Errorf("format the column as text and export again", "the spreadsheet has rounded the number %s", number)
		}
	}
	if tag != "" {
		row.Tag, err = f.parse(tag)
	}
	return row, err
}

// loan reads who has a device.
func loan(row *books.ImportRow, get func(string) string) (err error) {
	row.Holder = get("person")
	if row.Since, _, err = typedTime(get("since")); err == nil {
		row.Due, err = dueTime(get("due"))
	}
	if row.Holder == "" { // of a loan that is over
		row.Since, row.Due = time.Time{}, time.Time{}
	}
	return err
}

// optional are, by their plain names, the columns whose rows may be empty to clear what there
// is.
var optional = map[string]books.Columns{
	"groups": books.HasGroups, "serial": books.HasSerial, "place": books.HasPlace, "note": books.HasNote, "link": books.HasLink,
	"outuntil": books.HasOut, "condition": books.HasCondition, "kit": books.HasKit, "language": books.HasLanguage,
}

// longField is from where on a field is too long to be quoted, in bytes.
const longField = 2 * checkout.MaxName

// fits checks a line against the header.
func (f *lines) fits(record []string) error {
	over := len(record) > len(f.names) && !blank(record[len(f.names):])
	if n := len(record); n < f.width || over {
		err := fmt.Errorf("%s, the header has %d", count.Of(n, "field"), f.width)
		if over {
			err = hint.Errorf("a field that has a "+f.commaWord()+" in it is written in double quotes", "%w", err)
		}
		return err
	}
	for i, field := range record[:min(len(record), len(f.names))] {
		if len(field) > longField {
			return fmt.Errorf("column %d has %d bytes: at most %d", i+1, len(field), checkout.MaxName)
		}
		if !readable(field) {
			return hint.Errorf(checkout.SaveUTF8, "%q can't be read", strings.ToValidUTF8(field, "\ufffd"))
		}
		if !f.heed[i] && strings.TrimSpace(field) != "" {
			f.heed[i] = true
			return f.unknown(i)
		}
	}
	return nil
}

func (f *lines) commaWord() string {
	switch f.comma {
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	}
	return "comma"
}

// headerError is an error of the header that a line has shown.
type headerError struct{ error }

// unknown refuses a column with something in it.
func (f *lines) unknown(i int) error {
	name := strings.TrimSpace(f.names[i])
	if name == "" {
		return hint.Errorf("give it the name of a column, or leave it out", "column %d has no name: the columns are %s", i+1, f.list())
	}
	remedy := fmt.Sprintf("leave it out: --map '%s=-'", name)
	for _, c := range f.columns {
		if _, there := f.index[c]; !there {
			remedy += fmt.Sprintf(", or if it is that: --map '%s=%s'", name, c)
			break
		}
	}
	return &headerError{hint.Errorf(remedy, "unknown column %q: the columns are %s", name, f.list())}
}

// csvError makes the error of a line of a parse error, or of a row that is too long. above
// is the number of lines above those that the parser has seen, of which last begins the row
// before.
func csvError(err error, above, last int) error {
	var pe *csv.ParseError
	if errors.Is(err, errLong) {
		return &books.RowError{Line: last + 1 + above, Err: err}
	}
	if errors.As(err, &pe) {
		return &books.RowError{Line: pe.Line + above, Err: hint.Errorf("a quote inside a quoted field is written twice", "%w", pe.Err)}
	}
	return err
}

// Some spreadsheets take a field that begins like a formula for one, and may then do what
// somebody else has written into a name. An export puts an apostrophe before it, which
// spreadsheets don't show, and an import takes it away.
const formula = "=+-@\t\r"

// Harmless returns what is written for a field of a file that spreadsheets open.
func Harmless(s string) string {
	if rest := strings.TrimLeft(s, "'"); rest != "" && strings.ContainsRune(formula, rune(rest[0])) {
		return "'" + s
	}
	return s
}

// harmful is the reverse of Harmless.
func harmful(s string) string {
	if rest := strings.TrimLeft(s, "'"); rest != s && rest != "" && strings.ContainsRune(formula, rune(rest[0])) {
		return s[1:]
	}
	return s
}

// WritePeople writes a file of people. It leaves the badges empty, since whoever has
// their numbers can copy them; an import then keeps the badges.
func WritePeople(w io.Writer, all iter.Seq2[books.Person, error]) error {
	return write(w, people, all, func(p books.Person) ([]string, error) {
		return []string{p.ID, p.Name, p.Email, "", p.Groups.String(), string(p.Language), p.Status.String()}, nil
	})
}

// WriteDevices writes a file of devices. tag returns the written form of the tag of
// the device with an id, "" for none.
func WriteDevices(w io.Writer, all iter.Seq2[books.Device, error], tag func(id string) (string, error)) error {
	return write(w, devices, all, func(d books.Device) ([]string, error) {
		written, err := tag(d.ID)
		return []string{d.ID, d.Name, written, d.Kind, d.Kit, d.Serial, d.Place, d.Note, d.Link, string(d.Out), d.Condition, "", "", "", d.Word()}, err
	})
}

// errChanged: the file has no column for what is now in a row.
var errChanged = hint.Errorf("ask again", "what was empty in all rows has changed while they were written")

// write writes a header and rows, without the further columns in which there is nothing: for
// a status, nothing is active. The rows are read twice, so that none is kept: first to know
// the columns. Nothing is written if a row fails then.
func write[T any](w io.Writer, f form, all iter.Seq2[T, error], fields func(T) (row []string, err error)) error {
	each := func(do func(row []string) error) error {
		for v, err := range all {
			if err != nil {
				return err
			}
			row, err := fields(v)
			if err == nil {
				err = do(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	header := slices.Concat(f.columns, f.more)
	used := make([]bool, len(header))
	for i := range f.columns {
		used[i] = true
	}
	something := func(field string) bool { return field != "" && field != checkout.Active.String() }
	err := each(func(row []string) error {
		for i, field := range row {
			used[i] = used[i] || something(field)
		}
		return nil
	})
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(pick(header, used)); err != nil {
		return err
	}
	err = each(func(row []string) error {
		for i, field := range row {
			if !used[i] && something(field) {
				return errChanged
			}
			row[i] = Harmless(field)
		}
		return out.Write(pick(row, used))
	})
	if out.Flush(); err == nil {
		err = out.Error()
	}
	return err
}

// pick are the fields of the columns that are used.
func pick(row []string, used []bool) (fields []string) {
	for i, field := range row {
		if used[i] {
			fields = append(fields, field)
		}
	}
	return fields
}
