package books

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/count"
	"stump/internal/hint"
)

// ImportRow is a line of an import of people or devices.
type ImportRow struct {
	ID, Name string
	Email    string // a person's
	Kind     string // a device's
	// Kit is the id of the device that one is a part of, as far as the file Has it.
	Kit string
	// HasDetail is whether the file has e-mail addresses, or kinds, at all; without,
	// they stay.
	HasDetail bool
	// Groups and Language are a person's, Details and Condition a device's, as far as the
	// file Has them.
	Groups   checkout.Groups
	Language checkout.Language
	Details
	Condition string
	Has       Columns
	// Holder is who has a device, by id, mail address or name; empty leaves that as it is. Since
	// is from when on, and Due until when, zero for what is not known.
	Holder     string
	Since, Due time.Time
	// Tag is zero for "keep what there is".
	Tag checkout.Tag
	// Status is active, suspended (people only), lost (devices only) or retired; ""
	// keeps what there is.
	Status string
	// Line is the line of the file, for errors; 0 if there is none.
	Line int
}

// Columns are columns that a file may lack: what they would say then stays as it is.
type Columns uint16

// The columns.
const (
	HasGroups Columns = 1 << iota
	HasSerial
	HasPlace
	HasNote
	HasLink
	HasOut
	HasCondition
	HasKit
	HasLanguage
)

// ImportOptions say how to import.
type ImportOptions struct {
	// DryRun changes nothing, and tells what would change.
	DryRun bool
	Actor  string
	Source checkout.Source
}

// Imported counts what an import did with its rows, or would do.
type Imported struct {
	Added, Changed, Unchanged int
	// New are the ids of the rows that are added.
	New []string
	// Late are rows that could not be done in whole, because somebody at the desk was
	// faster: a tag was taken, or a device that the file retires.
	Late []*RowError
	// Changes are the first that a dry run would make to rows that are there.
	Changes []ImportChange
}

// Rows is how many rows there were.
func (n Imported) Rows() int { return n.Added + n.Changed + n.Unchanged }

// ImportChange is what would change in a row.
type ImportChange struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

// MaxChanges is how many changes a dry run tells.
const MaxChanges = 100

// RowError is what is wrong with a line of an import. Nothing was imported.
type RowError struct {
	Line int
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *RowError) Unwrap() error { return e.Err }

// BadLines is what is wrong with several lines. Nothing was imported.
type BadLines struct {
	Lines []*RowError // at most keptBad
	More  int         // further ones
}

const (
	keptBad  = 1000 // lines that are kept
	shownBad = 20   // lines that are told in full
)

// Add adds what is wrong with a line.
func (b *BadLines) Add(e *RowError) {
	if len(b.Lines) < keptBad {
		b.Lines = append(b.Lines, e)
	} else {
		b.More++
	}
}

// Err returns nil if no line is bad, the error of a single line, and else b with its
// lines in their order.
func (b *BadLines) Err() error {
	switch len(b.Lines) {
	case 0:
		return nil
	case 1:
		return b.Lines[0]
	}
	slices.SortStableFunc(b.Lines, func(x, y *RowError) int { return cmp.Compare(x.Line, y.Line) })
	return b
}

func (b *BadLines) Unwrap() []error {
	var all []error
	for _, e := range b.Lines {
		all = append(all, e)
	}
	return all
}

func (b *BadLines) Error() string {
	var all []string
	for _, err := range b.Lines[:min(len(b.Lines), shownBad)] {
		text := err.Error()
		if h := hint.Of(err); h != "" {
			text += " (" + h + ")"
		}
		all = append(all, text)
	}
	if more := len(b.Lines) - len(all) + b.More; more > 0 {
		all = append(all, "and "+count.Of(more, "line")+" more")
	}
	return strings.Join(all, "; ")
}
