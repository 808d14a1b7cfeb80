package directory

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
)

// syncRows is how many rows of a pull are written at once: a bump waits for no
// more.
const syncRows = 250

// apply writes the changes of a pull. A row that the register refuses is left out,
// and noted: it must not keep all others out for ever.
func (w *Worker) apply(changes []books.SyncRow) (notes []string, err error) {
	for rows := range slices.Chunk(changes, syncRows) {
		if _, err = w.ledger.Sync(rows, Main, checkout.SourceSync); err == nil {
			continue
		}
		for _, row := range rows {
			if _, err = w.ledger.Sync([]books.SyncRow{row}, Main, checkout.SourceSync); err == nil {
				continue
			}
			if errors.Is(err, ledger.ErrCannotSave) || errors.Is(err, ledger.ErrClosed) {
				return notes, err
			}
			if len(notes) < notesKept {
				notes = append(notes, fmt.Sprintf("left out: %v", err))
			}
		}
	}
	return notes, nil
}

// leanPercent is how much the garbage may grow during a pull, in percent of what is
// in use: a large list needs memory enough without it.
const leanPercent = 25

// bigPull is how many rows leave memory behind that is given back at once.
const bigPull = 1000

// lean keeps the use of memory down until the returned function is called.
func lean() (done func(rows int)) {
	before := debug.SetGCPercent(leanPercent)
	return func(rows int) {
		debug.SetGCPercent(before)
		if rows > bigPull {
			debug.FreeOSMemory()
		}
	}
}
