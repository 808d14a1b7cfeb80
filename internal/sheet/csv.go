// Package sheet reads and writes the register as CSV files, one of people and one of
// devices.
package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/count"
	"stump/internal/hint"
)

// form is what a file of people and one of devices differ in. A file may also have a
// status column; an export has one only if a status is not "active".
type form struct {
	columns  []string
	tag      string // the column of tags
	detail   string // the column that rows may leave empty to clear it
	statuses []string
}

var (
	people = form{[]string{"id", "name", "email", "badge"}, "badge", "email",
		[]string{checkout.Active.String(), checkout.Suspended.String(), checkout.Retired.String()}}
	devices = form{[]string{"id", "name", "tag", "kind"}, "tag", "kind",
		[]string{checkout.Active.String(), books.StatusLost, checkout.Retired.String()}}
)

const statusColumn = "status"

// Read reads a file of people or devices. The header names the columns, in any order
// and in capitals or not; id and name must be there. parse reads a credential as the
// configuration writes it. What is wrong with a line is a *books.RowError; of
// several lines BadLines.
func Read(kind checkout.SubjectKind, r io.Reader, parse func(string) (checkout.Tag, error)) ([]books.ImportRow, error) {
	f := people
	if kind == checkout.KindDevice {
		f = devices
	}
	c := csv.NewReader(skipBOM(r))
	c.FieldsPerRecord = -1 // counted below, with a better message
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, &books.RowError{Line: 1, Err: fmt.Errorf("no header: the columns are %s", strings.Join(f.columns, ","))}
	}
	if err != nil {
		return nil, csvError(err)
	}
	index, err := f.index(header)
	if err != nil {
		return nil, &books.RowError{Line: 1, Err: err}
	}
	rows, bad := []books.ImportRow{}, []error(nil)
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) && len(bad) == 0 {
			return rows, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, badRows(bad)
		}
		if err != nil {
			return nil, badRows(append(bad, csvError(err)))
		}
		line, _ := c.FieldPos(0)
		row, err := f.row(index, record, parse)
		if err != nil {
			bad = append(bad, &books.RowError{Line: line, Err: err})
		}
		row.Line = line
		rows = append(rows, row)
	}
}

// maxBad is how many bad lines are reported in full.
const maxBad = 20

// BadLines is what is wrong with several lines, in their order.
type BadLines []error

func (b BadLines) Unwrap() []error { return b }

func (b BadLines) Error() string {
	var all []string
	for _, err := range b[:min(len(b), maxBad)] {
		text := err.Error()
		if h := hint.Of(err); h != "" {
			text += " (" + h + ")"
		}
		all = append(all, text)
	}
	if more := len(b) - maxBad; more > 0 {
		all = append(all, "and "+count.Of(more, "line")+" more")
	}
	return strings.Join(all, "; ")
}

func badRows(bad []error) error {
	if len(bad) == 1 {
		return bad[0]
	}
	return BadLines(bad)
}

// index returns where each column is.
func (f form) index(header []string) (map[string]int, error) {
	// Spreadsheets write other encodings and separators, too.
	switch all := strings.Join(header, ","); {
	case strings.Contains(all, "\x00") || !utf8.ValidString(all):
		return nil, hint.Errorf(checkout.SaveUTF8, "the header is not valid UTF-8")
	case len(header) == 1 && strings.Contains(all, ";"):
		return nil, hint.Errorf("save it as CSV with commas", "the columns are separated by semicolons")
	case len(header) == 1 && strings.Contains(all, "\t"):
		return nil, hint.Errorf("save it as CSV with commas", "the columns are separated by tabs")
	}
	columns := strings.Join(f.columns, ",")
	index := map[string]int{}
	for i, h := range header {
		name := strings.ToLower(strings.TrimSpace(h))
		if name != statusColumn && !slices.Contains(f.columns, name) {
			return nil, fmt.Errorf("unknown column %q: the columns are %s", strings.TrimSpace(h), columns)
		}
		if _, twice := index[name]; twice {
			return nil, fmt.Errorf("the column %q is there twice", name)
		}
		index[name] = i
	}
	for _, need := range f.columns[:2] {
		if _, ok := index[need]; !ok {
			return nil, fmt.Errorf("the column %q is missing: the columns are %s", need, columns)
		}
	}
	return index, nil
}

// row reads the fields of a line.
func (f form) row(index map[string]int, record []string, parse func(string) (checkout.Tag, error)) (row books.ImportRow, err error) {
	if n := len(index); len(record) != n {
		err := fmt.Errorf("%s, the header has %d", count.Of(len(record), "field"), n)
		if len(record) > n {
			err = hint.Errorf("a field that has a comma in it is written in double quotes", "%w", err)
		}
		return row, err
	}
	get := func(name string) string {
		if i, ok := index[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	_, hasDetail := index[f.detail]
	row = books.ImportRow{
		ID: get("id"), Name: get("name"), Email: get("email"), Kind: get("kind"), HasDetail: hasDetail,
		Status: strings.ToLower(get(statusColumn)),
	}
	if err := checkout.CheckEmail(row.Email); err != nil {
		return row, err
	}
	if row.Status != "" && !slices.Contains(f.statuses, row.Status) {
		return row, hint.Errorf("use "+strings.Join(f.statuses[:2], ", ")+" or "+f.statuses[2], "%q is not a status", row.Status)
	}
	if tag := get(f.tag); tag != "" {
		row.Tag, err = parse(tag)
	}
	return row, err
}

// csvError makes the error of a line of a parse error.
func csvError(err error) error {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return &books.RowError{Line: pe.Line, Err: hint.Errorf("a quote inside a quoted field is written twice", "%w", pe.Err)}
	}
	return err
}

// skipBOM drops the mark that spreadsheets put before UTF-8.
func skipBOM(r io.Reader) io.Reader {
	const bom = "\ufeff"
	head := make([]byte, len(bom))
	n, err := io.ReadFull(r, head)
	if err == nil && string(head) == bom {
		return r
	}
	return io.MultiReader(strings.NewReader(string(head[:n])), r)
}

// WritePeople writes a file of people. It leaves the badges empty, since whoever has
// their numbers can copy them; an import then keeps the badges.
func WritePeople(w io.Writer, all iter.Seq2[books.Person, error]) error {
	return write(w, people, all, func(p books.Person) ([]string, string, error) {
		return []string{p.ID, p.Name, p.Email, ""}, p.Status.String(), nil
	})
}

// WriteDevices writes a file of devices. tag returns the written form of the tag of
// the device with an id, "" for none.
func WriteDevices(w io.Writer, all iter.Seq2[books.Device, error], tag func(id string) (string, error)) error {
	return write(w, devices, all, func(d books.Device) ([]string, string, error) {
		written, err := tag(d.ID)
		return []string{d.ID, d.Name, written, d.Kind}, d.Word(), err
	})
}

// write writes a header and rows. Nothing is written if a row fails.
func write[T any](w io.Writer, f form, all iter.Seq2[T, error], fields func(T) (row []string, status string, err error)) error {
	rows, statuses := [][]string{f.columns}, []string{statusColumn}
	plain := true
	for v, err := range all {
		if err != nil {
			return err
		}
		row, status, err := fields(v)
		if err != nil {
			return err
		}
		rows, statuses = append(rows, row), append(statuses, status)
		plain = plain && status == checkout.Active.String()
	}
	if !plain {
		for i, status := range statuses {
			rows[i] = append(slices.Clip(rows[i]), status)
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}
