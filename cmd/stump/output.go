package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"stump/internal/hint"
)

// format is how a list is printed: for people, or as one of the contracts.
type format struct{ json, csv bool }

func (f *format) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&f.csv, "csv", false, "print CSV with a header")
}

func (f *format) check() error {
	if f.json && f.csv {
		return usageError{hint.Errorf("give one of them", "--json and --csv exclude each other")}
	}
	return nil
}

// printRows prints the objects of a stream of JSON lines: as they are, as CSV
// with the same names and order, or as a table with the given columns.
func printRows[T any](w io.Writer, rows io.Reader, f format, columns []string, cells func(T) []string, empty string) error {
	if f.json {
		_, err := io.Copy(w, rows)
		return err
	}
	dec := json.NewDecoder(rows)
	if f.csv {
		return printCSV[T](w, dec)
	}
	t := newTable(w, columns)
	n := 0
	for {
		var row T
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		n++
		if err := t.add(cells(row)); err != nil {
			return err
		}
	}
	if n == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	return t.flush()
}

func printCSV[T any](w io.Writer, dec *json.Decoder) error {
	cw := csv.NewWriter(w)
	t := reflect.TypeFor[T]()
	var header []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		header = append(header, name)
	}
	if err := cw.Write(header); err != nil {
		return err
	}
	for {
		var row T
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			cw.Flush()
			return cw.Error()
		} else if err != nil {
			return err
		}
		v := reflect.ValueOf(row)
		record := make([]string, v.NumField())
		for i := range record {
			record[i] = csvCell(v.Field(i))
		}
		if err := cw.Write(record); err != nil {
			return err
		}
	}
}

// csvCell is a JSON value as CSV has it; null is empty.
func csvCell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v.Interface())
}

// text is a value that may be unknown, for a table. Control characters can't
// be in a name, but a table must not trust that.
func text(s *string) string {
	if s == nil {
		return "–"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, *s)
}

// when is a time for a table, in the reader's own zone.
func when(t *time.Time, trusted bool) string {
	if t == nil {
		return "–"
	}
	s := t.Local().Format("2006-01-02 15:04")
	if !trusted {
		s += " ?"
	}
	return s
}
