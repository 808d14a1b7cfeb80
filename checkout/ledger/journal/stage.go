package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/internal/books"
	"stump/internal/hint"
)

// Rules are what the rows of an import are compared by.
type Rules struct {
	Kind  checkout.SubjectKind
	Check func(books.ImportRow) error // of a row by itself
	Mask  func(checkout.Tag) string   // what is shown of a tag
}

// Fill reads rows into the journal, until ctx is done, and compares them with each other.
// What is wrong with rows goes to bad; any other error of theirs ends it. An error of the
// disk is a boltfile.ErrCannotSave.
func (j *Journal) Fill(ctx context.Context, rows iter.Seq2[books.ImportRow, error], by Rules, bad *books.BadLines) error {
	for r, err := range rows {
		var row *books.RowError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &row):
			bad.Add(row)
			continue
		case err != nil:
			return err
		}
		if err := by.Check(r); err != nil {
			bad.Add(&books.RowError{Line: r.Line, Err: err})
		} else if err := j.add(r); err != nil {
			return notSaved(err)
		}
	}
	return j.Index(func(r, first books.ImportRow, what Twice) {
		err := fmt.Errorf("the id %q is in line %d too", r.ID, first.Line)
		if what == SameTag {
			err = fmt.Errorf("%s %q has the same tag %s as %q in line %d", by.Kind, r.ID, by.Mask(r.Tag), first.ID, first.Line)
		}
		bad.Add(&books.RowError{Line: r.Line, Err: err})
	})
}

// notSaved says of an error of the journal's file that it can't be saved.
func notSaved(err error) error {
	if hint.Of(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", boltfile.ErrCannotSave, err)
}
