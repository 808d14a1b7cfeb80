// Package sheet reads and writes the register as CSV files.
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
	"stump/internal/count"
	"stump/internal/hint"
)

// The columns of the register's files. Behind them may be a status, which an
// export writes only where one is not "active": a register in which all are has
// the plain columns.
var (
	peopleColumns = []string{"id", "name", "email", "badge"}
	deviceColumns = []string{"id", "name", "tag", "kind"}
)

const statusColumn = "status"

// What a status column may say; an empty one keeps what there is.
var (
	peopleStatus = []string{checkout.Active.String(), checkout.Suspended.String(), checkout.Retired.String()}
	deviceStatus = []string{checkout.Active.String(), checkout.StatusLost, checkout.Retired.String()}
)

// ReadPeopleCSV reads people: columns id, name, email, badge, status in any
// order, id and name needed. parse reads a credential as the configuration
// writes it. Errors name the line.
func ReadPeople(r io.Reader, parse func(string) (checkout.Tag, error)) ([]checkout.PersonRow, error) {
	var rows []checkout.PersonRow
	err := readCSV(r, peopleColumns, func(line int, get func(string) string, has func(string) bool) error {
		p := checkout.PersonRow{ID: get("id"), Name: get("name"), Email: get("email"), HasEmail: has("email"), Status: strings.ToLower(get(statusColumn)), Line: line}
		rows = append(rows, p)
		if err := checkout.CheckEmail(p.Email); err != nil {
			return err
		}
		if err := checkStatus(p.Status, peopleStatus); err != nil {
			return err
		}
		var err error
		rows[len(rows)-1].Badge, err = parseTag(get("badge"), parse)
		return err
	})
	return rows, err
}

// ReadDevicesCSV reads devices: columns id, name, tag, kind, status in any
// order, id and name needed.
func ReadDevices(r io.Reader, parse func(string) (checkout.Tag, error)) ([]checkout.DeviceRow, error) {
	var rows []checkout.DeviceRow
	err := readCSV(r, deviceColumns, func(line int, get func(string) string, has func(string) bool) error {
		d := checkout.DeviceRow{ID: get("id"), Name: get("name"), Kind: get("kind"), HasKind: has("kind"), Status: strings.ToLower(get(statusColumn)), Line: line}
		rows = append(rows, d)
		if err := checkStatus(d.Status, deviceStatus); err != nil {
			return err
		}
		var err error
		rows[len(rows)-1].Tag, err = parseTag(get("tag"), parse)
		return err
	})
	return rows, err
}

func checkStatus(s string, allowed []string) error {
	if s == "" || slices.Contains(allowed, s) {
		return nil
	}
	last := len(allowed) - 1
	return hint.Errorf("use "+strings.Join(allowed[:last], ", ")+" or "+allowed[last], "%q is not a status", s)
}

func parseTag(s string, parse func(string) (checkout.Tag, error)) (checkout.Tag, error) {
	if s == "" {
		return checkout.Tag{}, nil
	}
	return parse(s)
}

// readCSV reads a file with a header line and calls f with each line after it.
func readCSV(r io.Reader, columns []string, f func(line int, get func(string) string, has func(string) bool) error) error {
	c := csv.NewReader(skipBOM(r))
	c.FieldsPerRecord = -1 // counted below, with a better message
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return &checkout.RowError{Line: 1, Err: fmt.Errorf("no header: the columns are %s", strings.Join(columns, ","))}
	}
	if err != nil {
		return csvError(err)
	}
	index, err := csvHeader(header, columns)
	if err != nil {
		return err
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return csvError(err)
		}
		line, _ := c.FieldPos(0)
		if len(record) != len(header) {
			err := fmt.Errorf("%s, the header has %d", count.Of(len(record), "field"), len(header))
			if len(record) > len(header) {
				err = hint.Errorf("a field that has a comma in it is written in double quotes", "%w", err)
			}
			return &checkout.RowError{Line: line, Err: err}
		}
		has := func(name string) bool { _, ok := index[name]; return ok }
		get := func(name string) string {
			i, ok := index[name]
			if !ok {
				return ""
			}
			return strings.TrimSpace(record[i])
		}
		if err := f(line, get, has); err != nil {
			return &checkout.RowError{Line: line, Err: err}
		}
	}
}

// csvHeader maps the columns that there are, in capitals or not.
func csvHeader(header, columns []string) (map[string]int, error) {
	if err := checkHeader(header); err != nil {
		return nil, &checkout.RowError{Line: 1, Err: err}
	}
	index := map[string]int{}
	for i, h := range header {
		name := strings.ToLower(strings.TrimSpace(h))
		if name != statusColumn && !slices.Contains(columns, name) {
			return nil, &checkout.RowError{Line: 1, Err: fmt.Errorf("unknown column %q: the columns are %s", strings.TrimSpace(h), strings.Join(columns, ","))}
		}
		if _, twice := index[name]; twice {
			return nil, &checkout.RowError{Line: 1, Err: fmt.Errorf("the column %q is there twice", name)}
		}
		index[name] = i
	}
	for _, need := range []string{"id", "name"} {
		if _, ok := index[need]; !ok {
			return nil, &checkout.RowError{Line: 1, Err: fmt.Errorf("the column %q is missing: the columns are %s", need, strings.Join(columns, ","))}
		}
	}
	return index, nil
}

// checkHeader knows what spreadsheets write that is not CSV with commas in
// UTF-8.
func checkHeader(header []string) error {
	switch all := strings.Join(header, ","); {
	case strings.Contains(all, "\x00") || !utf8.ValidString(all):
		return hint.Errorf(checkout.SaveUTF8, "the header is not valid UTF-8")
	case len(header) == 1 && strings.Contains(all, ";"):
		return hint.Errorf("save it as CSV with commas", "the columns are separated by semicolons")
	case len(header) == 1 && strings.Contains(all, "\t"):
		return hint.Errorf("save it as CSV with commas", "the columns are separated by tabs")
	}
	return nil
}

// csvError gives a parse error the form of the others.
func csvError(err error) error {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return &checkout.RowError{Line: pe.Line, Err: hint.Errorf("a quote inside a quoted field is written twice", "%w", pe.Err)}
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

// WritePeopleCSV writes what ReadPeopleCSV reads. Badges are left empty, since
// a list of them would be a box of copies; an import keeps what an empty one had.
func WritePeople(w io.Writer, people iter.Seq2[checkout.Person, error]) error {
	return writeCSV(w, peopleColumns, people, func(p checkout.Person) ([]string, string, error) {
		return []string{p.ID, p.Name, p.Email, ""}, p.Status.String(), nil
	})
}

// WriteDevicesCSV writes what ReadDevicesCSV reads. tag gives the written form
// of a device's tag, by its id, "" for none.
func WriteDevices(w io.Writer, devices iter.Seq2[checkout.Device, error], tag func(id string) (string, error)) error {
	return writeCSV(w, deviceColumns, devices, func(d checkout.Device) ([]string, string, error) {
		written, err := tag(d.ID)
		return []string{d.ID, d.Name, written, d.Kind}, d.Word(), err
	})
}

// writeCSV writes a table of rows, with their statuses if one is not active.
func writeCSV[T any](w io.Writer, columns []string, all iter.Seq2[T, error], fields func(T) ([]string, string, error)) error {
	rows, statuses := [][]string{columns}, []string{statusColumn}
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
	c := csv.NewWriter(w)
	for i, row := range rows {
		if !plain {
			row = append(row[:len(row):len(row)], statuses[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
