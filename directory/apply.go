package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory/plan"
	"stump/internal/books"
)

// syncRows is how many rows of a pull are written at once, unless a bump waits: it then
// waits for their pages, too.
const syncRows = 100

// apply writes the changes of a pull. A row that the register refuses is left out,
// and noted: it must not keep all others out for ever.
func (w *Worker) apply(ctx context.Context, changes []books.SyncRow) (notes []string, err error) {
	for len(changes) > 0 {
		if err := w.ledger.Settled(ctx); err != nil {
			return notes, err
		}
		if err := ctx.Err(); err != nil {
			return notes, err
		}
		rows := changes[:min(syncRows, len(changes))]
		done, err := w.ledger.Sync(rows, Main, checkout.SourceSync)
		if err == nil {
			changes = changes[len(done):]
			continue
		}
		changes = changes[len(rows):]
		for _, row := range rows {
			if _, err = w.ledger.Sync([]books.SyncRow{row}, Main, checkout.SourceSync); err == nil {
				continue
			}
			if errors.Is(err, ledger.ErrCannotSave) || errors.Is(err, ledger.ErrClosed) {
				return notes, err
			}
			if len(notes) < plan.MostNotes {
				notes = append(notes, fmt.Sprintf("left out: %v", err))
			}
		}
	}
	return notes, nil
}

// A pull may take so much memory before garbage is collected: bumps wait for the collector's
// processors, so it should work rarely, but at least leastGarbage comes together before it
// does, and leanPercent of what is in use. (A limit on the memory is worse: near it Go
// collects without a pause, gives that up after a while, and then needs more than ever.)
const (
	roomy        = 17 << 20
	leastGarbage = 3 << 19
	leanPercent  = 10
)

// lean keeps the use of memory down until the returned function is called.
func lean() (done func()) {
	before := debug.SetGCPercent(leanPercent)
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for percent := leanPercent; ; {
			metrics.Read(sample)
			live := max(int(sample[0].Value.Uint64()), 1)
			now := min(max(max(roomy-live, leastGarbage)*100/live, leanPercent), 200)
			if now < percent*4/5 || now > percent*5/4 { // each change stops all for a moment
				percent = now
				debug.SetGCPercent(percent)
			}
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
		debug.SetGCPercent(before)
	}
}

// bigPull is how many rows leave memory behind that is given back at once.
const bigPull = 1000

// giveBack gives back the memory that so many rows took.
func giveBack(rows int) {
	if rows > bigPull {
		debug.FreeOSMemory()
	}
}
