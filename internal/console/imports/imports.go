// Package imports is the page on which a file of people or devices is looked at, and then
// imported.
package imports

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/sheet"
)

// MaxFile is how large a file may be, in bytes: it travels with the form, since nothing is
// kept of it before it is imported.
const MaxFile = 1 << 20

// View is the page.
type View struct {
	ui.Frame
	Kind    checkout.SubjectKind
	Data    string // the file, in base64; empty before there is one
	Columns []sheet.Column
	Pairs   []string // what is said of them
	Result  *Result  // what an import would do; nil while something is wrong
	Bad     []*books.RowError
	MoreBad int
	Done    *Result // what an import has done
}

// Result is what an import does.
type Result struct {
	Added, Changed, Unchanged int
	Warning                   string
	Changes                   []books.ImportChange
}

// File is the file of a form.
func File(data string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, hint.Errorf("choose the file again", "the form has lost its file: %w", err)
	}
	return b, nil
}

// Pack is a file as a form has it.
func Pack(file []byte) string { return base64.StdEncoding.EncodeToString(file) }

// Look reads the header of a file, and what somebody has said of its columns: chosen is that
// of the n-th, "" where nothing was said yet.
func (v *View) Look(file string, chosen func(n int) string) (pairs []string, err error) {
	if v.Columns, err = sheet.Header(v.Kind, strings.NewReader(file)); err != nil {
		return nil, err
	}
	for i := range v.Columns {
		c := &v.Columns[i]
		if is := chosen(i); is != "" {
			c.Is = strings.TrimPrefix(is, sheet.LeftOut)
		}
		switch {
		case strings.TrimSpace(c.Name) == "":
		case c.Is == "":
			pairs = append(pairs, c.Name+"="+sheet.LeftOut)
		default:
			pairs = append(pairs, c.Name+"="+c.Is)
		}
	}
	v.Pairs = pairs
	return pairs, nil
}

// ours are the columns that one of a file can be.
func (v *View) ours() []string { return sheet.Columns(v.Kind) }

// Wrong notes which lines of a file are wrong.
func (v *View) Wrong(several *books.BadLines, one *books.RowError) {
	const most = 50
	switch {
	case several != nil:
		v.Bad, v.MoreBad = several.Lines[:min(len(several.Lines), most)], several.More+max(len(several.Lines)-most, 0)
	case one != nil:
		v.Bad = []*books.RowError{one}
	}
}

// BadFile is a file of the lines that are wrong, for somebody to correct.
func (v *View) BadFile(w io.Writer, file []byte, several *books.BadLines, one *books.RowError) error {
	lines := []*books.RowError{one}
	if several != nil {
		lines = several.Lines
	}
	mapped, err := sheet.Mapping(v.Kind, v.Pairs)
	if err != nil {
		return err
	}
	return sheet.WriteBad(w, v.Kind, bytes.NewReader(file), mapped, lines)
}

func (v *View) kinds() []checkout.SubjectKind {
	return []checkout.SubjectKind{checkout.KindPerson, checkout.KindDevice}
}

// counts says how many rows are new, different, and as they were.
func (v *View) counts(r Result) string {
	return fmt.Sprintf("%d %s, %d %s, %d %s", r.Added, v.Added, r.Changed, v.Altered, r.Unchanged, v.Unchanged)
}

func (v *View) kindName(k checkout.SubjectKind) string {
	if k == checkout.KindDevice {
		return v.Devices
	}
	return v.People
}
