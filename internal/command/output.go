package command

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"golang.org/x/text/width"

	"stump/internal/owner"
	"stump/internal/plain"
)

// Format is how a list is printed: for people, or as one of the contracts.
type Format struct{ JSON, CSV bool }

func (f *Format) Flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&f.CSV, "csv", false, "print CSV with a header")
}

// PrintRows prints a stream of JSON objects, one a line: as they are, as CSV with
// the same names and order, or as a table with these columns.
func PrintRows[P any](w io.Writer, rows io.Reader, f Format, columns []string, cells func(P) []string, empty string) error {
	if f.JSON {
		_, err := io.Copy(w, rows)
		return err
	}
	if f.CSV {
		return printCSV[P](w, rows)
	}
	t := NewTable(w, columns)
	n, err := EachJSON(rows, func(row P) error { return t.Add(cells(row)) })
	switch {
	case err != nil:
		return err
	case n == 0:
		_, err = fmt.Fprintln(w, empty)
		return err
	}
	return t.Flush()
}

func printCSV[P any](w io.Writer, rows io.Reader) error {
	cw := csv.NewWriter(w)
	t := reflect.TypeFor[P]().Elem()
	var record []string
	for f := range t.Fields() {
		if name, only, _ := strings.Cut(f.Tag.Get("json"), ","); only == "" { // omitempty is for tables
			record = append(record, name)
		}
	}
	if err := cw.Write(record); err != nil {
		return err
	}
	_, err := EachJSON(rows, func(row P) error {
		for i := range record {
			record[i] = csvCell(reflect.ValueOf(row).Elem().Field(i))
		}
		return cw.Write(record)
	})
	if err != nil {
		return err
	}
	cw.Flush()
	return cw.Error()
}

func PrintJSON(cmd *cobra.Command, v any) error { return json.NewEncoder(cmd.OutOrStdout()).Encode(v) }

// EachJSON calls f with a pointer to each object of a stream and returns their number.
// For all types of pointers it is compiled only once.
func EachJSON[P any](r io.Reader, f func(P) error) (n int, err error) {
	for dec := json.NewDecoder(r); ; n++ {
		v := reflect.New(reflect.TypeFor[P]().Elem()).Interface().(P)
		if err := dec.Decode(v); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		if err := f(v); err != nil {
			return n, err
		}
	}
}

// csvCell is a JSON value in CSV; null is empty.
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
	if all, ok := v.Interface().([]string); ok {
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// Text is a value that may be unknown, for a table: a name in one line.
func Text(s *string) string {
	if s == nil {
		return "–"
	}
	return plain.Line(*s)
}

// WhenBefore is when of a time that may not be known: then it is at the latest before
// another.
func WhenBefore(t *time.Time, trusted bool, before *time.Time, now time.Time) string {
	if trusted || before == nil {
		return When(t, trusted)
	}
	b, now := before.Local(), now.Local()
	if b.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return "before " + b.Format("15:04")
	}
	return "before " + b.Format("2006-01-02 15:04")
}

// When is a time for a table, in the user's own zone.
func When(t *time.Time, trusted bool) string {
	if t == nil {
		return "–"
	}
	s := t.Local().Format("2006-01-02 15:04")
	if !trusted {
		s += " ?"
	}
	return s
}

// Raw is what is behind a writer that makes text safe: for the sequences that move a
// cursor or change a colour, and for what is no text.
func Raw(w io.Writer) io.Writer {
	for {
		u, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}

// IsTerminal reports whether w writes to a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := Raw(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TerminalSize is the columns and rows of the terminal that w writes to; 0 if it
// writes to none, or does not know.
func TerminalSize(w io.Writer) (columns, rows int) {
	if IsTerminal(w) {
		columns, rows, _ = term.GetSize(int(Raw(w).(*os.File).Fd()))
	}
	return columns, rows
}

// Columns is how wide a text may be: as the terminal, but at least 50 and at most
// 100; elsewhere 80.
func Columns(w io.Writer) int {
	if c, _ := TerminalSize(w); c > 0 {
		return min(max(c, 50), 100)
	}
	return 80
}

// OpenInput opens a file, or standard input for "-".
func OpenInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	f, err := owner.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a folder", name)
	}
	return f, nil
}

// Table prints rows in columns for people. A long one is printed in blocks, so that
// a history of years needs no memory. A later block's columns are never narrower.
type Table struct {
	w      io.Writer
	limit  int // columns of the terminal; 0: everything in full
	whole  int // how many columns are never cut
	widths []int
	rows   [][]string
}

// tableBlock is how many rows are looked at for the widths of their columns.
const tableBlock = 1000

const (
	columnGap  = 2
	leastWidth = 20 // of a column that is cut: a time is never cut
)

// NewTable returns a table with its header. An id is never cut: it is typed again.
func NewTable(w io.Writer, columns []string) *Table {
	t := &Table{w: w, rows: [][]string{columns}}
	if columns[0] == "ID" {
		t.whole = 1
	}
	t.limit, _ = TerminalSize(w)
	return t
}

func (t *Table) Add(row []string) error {
	t.rows = append(t.rows, row)
	if len(t.rows) < tableBlock {
		return nil
	}
	return t.Flush()
}

// Flush prints what was added.
func (t *Table) Flush() error {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], cellWidth(cell))
		}
	}
	shown := fitColumns(slices.Clone(t.widths), t.limit, t.whole)
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			cell = cutCell(cell, shown[i])
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", shown[i]-cellWidth(cell)+columnGap))
		}
		if _, err := fmt.Fprintln(t.w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}

// fitColumns narrows the widest columns after the first whole ones until the table
// fits, or none can be narrowed further.
func fitColumns(widths []int, limit, whole int) []int {
	total := -columnGap
	for _, w := range widths {
		total += w + columnGap
	}
	for ; limit > 0 && total > limit && len(widths) > whole; total-- {
		widest := whole
		for i := whole; i < len(widths); i++ {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= leastWidth {
			break
		}
		widths[widest]--
	}
	return widths
}

// cutCell shortens a cell to so many columns.
func cutCell(cell string, columns int) string {
	if cellWidth(cell) <= columns {
		return cell
	}
	for cellWidth(cell) >= columns {
		_, last := utf8.DecodeLastRuneInString(cell)
		cell = cell[:len(cell)-last]
	}
	return cell + "…"
}

// cellWidth is how many columns a text takes on a terminal: two for a letter of
// Chinese, Japanese or Korean and for an emoji, none for a mark and for what is
// joined to the emoji before it.
func cellWidth(s string) int {
	n, joined := 0, false
	for _, r := range s {
		switch {
		case joined || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case slices.Contains([]width.Kind{width.EastAsianWide, width.EastAsianFullwidth}, width.LookupRune(r).Kind()):
			n += 2
		default:
			n++
		}
		joined = r == '\u200d'
	}
	return n
}
