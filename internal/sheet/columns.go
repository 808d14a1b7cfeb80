package sheet

import (
	"io"
	"slices"

	"stump/checkout"
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
		for _, column := range Columns(kind) {
			if plainly(name) != "" && !taken[column] && (plainly(name) == plainly(column) || slices.Contains(others[column], plainly(name))) {
				c.Is, taken[column] = column, true
				break
			}
		}
		all = append(all, c)
	}
	for len(all) > 0 && plainly(all[len(all)-1].Name) == "" {
		all = all[:len(all)-1]
	}
	return all, nil
}

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
	"groups": {"group", "department"},
}
