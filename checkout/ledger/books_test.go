package ledger

import (
	"path/filepath"
	"testing"

	"stump/internal/books"
	"stump/internal/books/bookstest"
)

// TestBooks: the ledger keeps the books as every keeper must.
func TestBooks(t *testing.T) {
	bookstest.Run(t, func(t testing.TB) (books.Keeper, func() books.Keeper) {
		c := newTestClock()
		x := &tester{t: t, clock: c, path: filepath.Join(t.TempDir(), "ledger.db"), o: testOptions(c)}
		x.o.Sinks = nil // nothing waits to be delivered
		l, err := Create(x.path, x.o)
		x.ok(err)
		x.Ledger = l
		t.Cleanup(func() { x.Close() })
		return x.Ledger, func() books.Keeper {
			x.reopen()
			x.verify()
			return x.Ledger
		}
	})
}
