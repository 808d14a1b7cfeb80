package entry

import (
	"fmt"
	"strings"

	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Said tells what is new in what is said of a person or device beside name, address, kind,
// tag and status; empty for nothing.
func Said(was, is *record.Row) string {
	var all []string
	for _, f := range said(was, is) {
		if f.was == f.is {
			continue
		}
		if f.is == "" {
			f.is = "none"
		}
		all = append(all, f.what+": "+f.is)
	}
	return strings.Join(all, "; ")
}

type field struct{ what, was, is string }

func said(was, is *record.Row) []field {
	return []field{
		{"groups", was.Groups.String(), is.Groups.String()}, {"groups of the directory", was.RefGroups.String(), is.RefGroups.String()},
		{"language", string(was.Language), string(is.Language)}, {"kit", was.Kit, is.Kit}, {"serial", was.Serial, is.Serial}, {"place", was.Place, is.Place}, {"note", was.Note, is.Note}, {"link", was.Link, is.Link},
		{"out of service until", string(was.Out), string(is.Out)}, {"condition", was.Condition, is.Condition},
	}
}

// Changed reports whether anything is new but tag and status.
func Changed(was, is *record.Row) bool {
	return is.Name != was.Name || is.Email != was.Email || is.Kind != was.Kind || Said(was, is) != ""
}

// Changes tells what is new in a row, and what else, if that is not empty.
func Changes(was, is *record.Row, more string) string {
	word := func(r *record.Row) string { return books.Device{Lost: r.Loan.Lost, Status: r.Status}.Word() }
	var all []string
	for _, f := range append([]field{
		{"name", was.Name, is.Name}, {"e-mail", was.Email, is.Email}, {"kind", was.Kind, is.Kind},
		{"tag", was.Mask, is.Mask}, {"status", word(was), word(is)},
	}, said(was, is)...) {
		if f.was != f.is {
			all = append(all, fmt.Sprintf("%s %q becomes %q", f.what, f.was, f.is))
		}
	}
	if more != "" {
		all = append(all, more)
	}
	if all == nil {
		return "the tag" // one that looks the same
	}
	return strings.Join(all, ", ")
}
