package books

import (
	"fmt"

	"stump/checkout"
)

// ImportRow is a line of an import of people or devices.
type ImportRow struct {
	ID, Name string
	Email    string // a person's
	Kind     string // a device's
	// HasDetail is whether the file has e-mail addresses, or kinds, at all; without,
	// they stay.
	HasDetail bool
	// Tag is zero for "keep what there is".
	Tag checkout.Tag
	// Status is active, suspended (people only), lost (devices only) or retired; ""
	// keeps what there is.
	Status string
	// Line is the line of the file, for errors; 0 if there is none.
	Line int
}

// Imported counts what an import did with its rows.
type Imported struct{ Added, Changed, Unchanged int }

// RowError is what is wrong with a line of an import. Nothing was imported.
type RowError struct {
	Line int
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *RowError) Unwrap() error { return e.Err }
