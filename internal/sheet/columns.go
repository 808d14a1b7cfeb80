package sheet

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
)

// Column is a column of a file.
type Column struct {
	Name string
	// Is the column of ours that it seems to be; empty for none.
	Is string
}

// Columns are those that a file of a kind may have.
func Columns(kind checkout.SubjectKind) []string {
	f := formOf(kind)
	return slices.Concat(f.columns, f.more)
}

// Header reads the header of a file, and guesses what its columns are: somebody should look
// before it is imported. Empty columns at its end are left out.
func Header(kind checkout.SubjectKind, r io.Reader) ([]Column, error) {
	f := formOf(kind)
	_, l, _, err := f.begin(r, nil)
	if len(l.names) == 0 {
		return nil, err
	}
	taken := map[string]bool{}
	var all []Column
	for _, name := range l.names {
		c := Column{Name: name}
		for _, known := range []func(column string) bool{
			func(column string) bool { return plainly(name) == plainly(column) },
			func(column string) bool { return slices.Contains(calls(kind, column), plainly(name)) },
		} {
			for _, column := range Columns(kind) {
				if c.Is == "" && plainly(name) != "" && !taken[column] && known(column) {
					c.Is, taken[column] = column, true
				}
			}
		}
		all = append(all, c)
	}
	for len(all) > 0 && plainly(all[len(all)-1].Name) == "" {
		all = all[:len(all)-1]
	}
	return all, nil
}

// WriteBad writes those lines of a file that are wrong, as a file that can be corrected and
// imported: before what stands in a line are its number, and what is wrong with it.
func WriteBad(w io.Writer, kind checkout.SubjectKind, file io.Reader, mapped map[string]string, bad []*books.RowError) error {
	why := map[int]string{}
	for _, e := range bad {
		why[e.Line] = e.Err.Error()
		if h := hint.Of(e.Err); h != "" {
			why[e.Line] += ": " + h
		}
	}
	out := csv.NewWriter(w)
	write := func(line, why string, fields []string) {
		row := append([]string{line, why}, fields...)
		for i := range row {
			row[i] = Harmless(row[i])
		}
		_ = out.Write(row) // out keeps the error
	}
	c, l, _, err := formOf(kind).begin(file, mapped)
	write("line", "why", l.names)
	for err == nil {
		l.from.row()
		var record []string
		if record, err = c.Read(); err != nil {
			break
		}
		line, _ := c.FieldPos(0)
		if line += l.line - 1; why[line] != "" {
			write(strconv.Itoa(line), why[line], record)
			delete(why, line)
		}
	}
	for _, e := range bad { // lines that can't be told from others
		if why[e.Line] != "" {
			write(strconv.Itoa(e.Line), why[e.Line], nil)
			delete(why, e.Line)
		}
	}
	out.Flush()
	return out.Error()
}

// calls are, plainly, what other programs and spreadsheets call a column of ours. In a file of
// devices people have a column of their own.
func calls(kind checkout.SubjectKind, column string) []string {
	if kind == checkout.KindDevice && (column == "id" || column == "name") {
		return slices.DeleteFunc(slices.Clone(others[column]), func(name string) bool { return slices.Contains(ofPeople, name) })
	}
	return others[column]
}

var ofPeople = []string{"username", "userid", "employeenumber", "employeeid", "fullname", "displayname", "person"}

// others are, plainly, what other programs and spreadsheets call our columns.
var others = map[string][]string{
	"id":     {"username", "userid", "employeenumber", "employeeid", "assettag", "assetid", "inventorynumber", "number", "nr", "no"},
	"name":   {"fullname", "displayname", "devicename", "assetname", "title", "device", "person"},
	"email":  {"mail", "emailaddress"},
	"badge":  {"badgenumber", "card", "cardnumber", "rfid"},
	"tag":    {"rfid", "tagnumber", "card", "cardnumber"},
	"kind":   {"category", "type"},
	"serial": {"serialnumber", "sn"},
	"place":  {"location", "room", "shelf"},
	"note":   {"notes", "comment", "comments", "description"},
	"link":   {"url"},
	"person": {"holder", "username", "checkedoutto", "checkedout", "assignedto", "custody", "custodian", "borrower", "lentto", "user"},
	"since":  {"checkoutdate", "checkedoutat", "lentsince", "loandate"},
	"due":    {"duedate", "dueback", "expectedcheckindate", "expectedcheckin", "returnby", "returndate"},
	"groups": {"group", "department"}, "language": {"locale", "preferredlanguage"},
}
