package sheet

import (
	"slices"
	"strings"
	"testing"

	"stump/checkout"
)

func TestHeader(t *testing.T) {
	for name, tt := range map[string]struct {
		kind checkout.SubjectKind
		file string
		want []Column
	}{
		"our own":                 {checkout.KindPerson, "id,name,badge\n", []Column{{"id", "id"}, {"name", "name"}, {"badge", "badge"}}},
		"of another system":       {checkout.KindDevice, "Asset Tag;Asset Name;Category;Serial Number;Purchase Cost;;\n1;iPad;tablet;SN;99;;\n", []Column{{"Asset Tag", "id"}, {"Asset Name", "name"}, {"Category", "kind"}, {"Serial Number", "serial"}, {"Purchase Cost", ""}}},
		"loans of another system": {checkout.KindDevice, "Username,Asset Tag,Asset Name,Checked Out,Checkout Date,Expected Checkin Date\na,1,A,B,,\n", []Column{{"Username", "person"}, {"Asset Tag", "id"}, {"Asset Name", "name"}, {"Checked Out", ""}, {"Checkout Date", "since"}, {"Expected Checkin Date", "due"}}},
		"our own word first":      {checkout.KindDevice, "Holder,person,id,name\na,b,c,d\n", []Column{{"Holder", "person"}, {"person", ""}, {"id", "id"}, {"name", "name"}}},
		"twice the same":          {checkout.KindPerson, "Username,Full Name,E-Mail,Mail\na,A,x@y,z\n", []Column{{"Username", "id"}, {"Full Name", "name"}, {"E-Mail", "email"}, {"Mail", ""}}},
		"no column we know":       {checkout.KindPerson, "a,b\n1,2\n", []Column{{"a", ""}, {"b", ""}}},
	} {
		got, err := Header(tt.kind, strings.NewReader(tt.file))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, tt.want)
		}
	}
	if got, err := Header(checkout.KindPerson, strings.NewReader("")); err == nil || got != nil {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}
