package journal

import (
	"fmt"
	"strings"

	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Changes tells what is new in a row.
func Changes(was, is *record.Row) string {
	word := func(r *record.Row) string { return books.Device{Lost: r.Loan.Lost, Status: r.Status}.Word() }
	var all []string
	for _, f := range []struct{ what, was, is string }{
		{"name", was.Name, is.Name}, {"e-mail", was.Email, is.Email}, {"kind", was.Kind, is.Kind},
		{"tag", was.Mask, is.Mask}, {"status", word(was), word(is)},
	} {
		if f.was != f.is {
			all = append(all, fmt.Sprintf("%s %q becomes %q", f.what, f.was, f.is))
		}
	}
	if all == nil {
		return "the tag" // one that looks the same
	}
	return strings.Join(all, ", ")
}
