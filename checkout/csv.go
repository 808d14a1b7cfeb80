package checkout

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// The columns of the register's files.
var (
	peopleColumns = []string{"id", "name", "email", "badge"}
	deviceColumns = []string{"id", "name", "tag", "kind"}
)

// ReadPeopleCSV reads people: columns id, name, email, badge in any order, id
// and name needed. parse reads a credential as the configuration writes it.
// Errors name the line.
func ReadPeopleCSV(r io.Reader, parse func(string) (Tag, error)) ([]PersonRow, error) {
	var rows []PersonRow
	err := readCSV(r, peopleColumns, func(line int, get func(string) string, _ func(string) bool) error {
		p := PersonRow{ID: get("id"), Name: get("name"), Email: get("email"), Line: line}
		var err error
		p.Badge, err = parseTag(get("badge"), parse)
		rows = append(rows, p)
		return err
	})
	return rows, err
}

// ReadDevicesCSV reads devices: columns id, name, tag, kind in any order, id
// and name needed.
func ReadDevicesCSV(r io.Reader, parse func(string) (Tag, error)) ([]DeviceRow, error) {
	var rows []DeviceRow
	err := readCSV(r, deviceColumns, func(line int, get func(string) string, has func(string) bool) error {
		d := DeviceRow{ID: get("id"), Name: get("name"), Kind: get("kind"), HasKind: has("kind"), Line: line}
		var err error
		d.Tag, err = parseTag(get("tag"), parse)
		rows = append(rows, d)
		return err
	})
	return rows, err
}

func parseTag(s string, parse func(string) (Tag, error)) (Tag, error) {
	if s == "" {
		return Tag{}, nil
	}
	return parse(s)
}

// readCSV reads a file with a header line and calls f with each line after it.
func readCSV(r io.Reader, columns []string, f func(line int, get func(string) string, has func(string) bool) error) error {
	c := csv.NewReader(skipBOM(r))
	c.FieldsPerRecord = -1 // counted below, with a better message
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return &RowError{1, fmt.Errorf("no header: the columns are %s", strings.Join(columns, ","))}
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
			fields := "fields"
			if len(record) == 1 {
				fields = "field"
			}
			return &RowError{line, fmt.Errorf("%d %s, the header has %d", len(record), fields, len(header))}
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
			return &RowError{line, err}
		}
	}
}

// csvHeader maps the columns that there are.
func csvHeader(header, columns []string) (map[string]int, error) {
	index := map[string]int{}
	for i, h := range header {
		name := strings.TrimSpace(h)
		if !slices.Contains(columns, name) {
			return nil, &RowError{1, fmt.Errorf("unknown column %q: the columns are %s", name, strings.Join(columns, ","))}
		}
		if _, twice := index[name]; twice {
			return nil, &RowError{1, fmt.Errorf("the column %q is there twice", name)}
		}
		index[name] = i
	}
	for _, need := range []string{"id", "name"} {
		if _, ok := index[need]; !ok {
			return nil, &RowError{1, fmt.Errorf("the column %q is missing: the columns are %s", need, strings.Join(columns, ","))}
		}
	}
	return index, nil
}

// csvError gives a parse error the form of the others.
func csvError(err error) error {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return &RowError{pe.Line, pe.Err}
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
func WritePeopleCSV(w io.Writer, people iter.Seq2[Person, error]) error {
	return writeCSV(w, peopleColumns, func(emit func(...string) error) error {
		for p, err := range people {
			if err != nil {
				return err
			}
			if err := emit(p.ID, p.Name, p.Email, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteDevicesCSV writes what ReadDevicesCSV reads. tag gives the written form
// of a device's tag, by its id, "" for none.
func WriteDevicesCSV(w io.Writer, devices iter.Seq2[Device, error], tag func(id string) (string, error)) error {
	return writeCSV(w, deviceColumns, func(emit func(...string) error) error {
		for d, err := range devices {
			if err != nil {
				return err
			}
			written, err := tag(d.ID)
			if err != nil {
				return err
			}
			if err := emit(d.ID, d.Name, written, d.Kind); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeCSV(w io.Writer, columns []string, rows func(emit func(...string) error) error) error {
	c := csv.NewWriter(w)
	if err := c.Write(columns); err != nil {
		return err
	}
	if err := rows(func(fields ...string) error { return c.Write(fields) }); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}
