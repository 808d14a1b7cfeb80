package sheet

import (
	"strconv"
	"strings"
	"testing"

	"stump/checkout"
)

func FuzzRead(f *testing.F) {
	f.Add("id,name,email,badge\nann,Ann,,1\n")
	f.Add("\ufeffid,name\n\"a\",\"b\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := Read(checkout.KindPerson, strings.NewReader(s), parseDecimal)
		for _, r := range rows {
			if err == nil && (r.Line < 2 || r.Line > 1+strings.Count(s, "\n")) {
				t.Errorf("line %d of %q", r.Line, s)
			}
		}
	})
}

func parseDecimal(s string) (checkout.Tag, error) {
	n, err := strconv.ParseUint(s, 10, 34)
	return checkout.TagFromUint64(n, 34), err
}
