package station

import (
	"context"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/wiegand"
)

// TestStockAtTheReader: devices are counted, a badge has its pair, and the window or the end
// makes the reader what it was.
func TestStockAtTheReader(t *testing.T) {
	cards["charger"] = "H10301:200:3"
	inLab(t, func(o *Options, _ *ReaderOptions) {
		must(t, o.Ledger.AddDevice(books.Device{ID: "charger", Name: "CHARGER"}, tagOf(t, "charger"), "test", checkout.SourceCLI))
	}, func(l *lab) {
		_, err := l.ledger.Give(books.Request{Device: "mini", Person: "ben", Actor: "root"})
		must(t, err)
		_, err = l.ledger.StartStock("root", checkout.SourceCLI)
		must(t, err)
		must(t, l.reader.Count(context.Background(), true, 0))
		l.later(0, "Stock-taking 0 are here")
		l.wants("ipad", "IPAD is here 1 so far")
		l.later(4*time.Second, "Stock-taking 1 are here")
		l.wants("ipad", "IPAD was here already")
		l.wants("mini", "MINI is with BEN?")
		l.later(10*time.Second, "Stock-taking 2 are here")
		l.holds("mini", "ben")

		l.wants("ann", "Hello ANN")
		l.wants("ipad", "Checked out IPAD")
		l.holds("ipad", "ann")
		l.later(20*time.Second, "Stock-taking 2 are here")
		l.wants("H10301:99:1", "Unknown tag")
		l.wants("charger", "CHARGER is here 3 so far")
		l.later(StockWindow-time.Minute, "Stock-taking 3 are here")
		l.later(2*time.Minute, "Lab open")
		l.wants("charger", "CHARGER Tap your badge")
		time.Sleep(90 * time.Second)

		must(t, l.reader.Count(context.Background(), true, 3))
		l.wants("charger", "CHARGER was here already")
		must(t, l.reader.Count(context.Background(), false, 0))
		l.later(0, "Stock-taking is over")
		l.later(4*time.Second, "Lab open")
		l.wants("mini", "MINI with BEN")
		time.Sleep(90 * time.Second)

		// It has ended elsewhere.
		must(t, l.reader.Count(context.Background(), true, 3))
		_, err = l.ledger.FinishStock(false, "root", checkout.SourceCLI)
		must(t, err)
		l.wants("charger", "Stock-taking is over")
		time.Sleep(5 * time.Second)
		l.wants("charger", "CHARGER Tap your badge")
	})
}

// TestStockAfterRestart: readers go on for what is left of the window.
func TestStockAfterRestart(t *testing.T) {
	inLab(t, func(o *Options, _ *ReaderOptions) {
		_, err := o.Ledger.StartStock("root", checkout.SourceCLI)
		must(t, err)
		o.Counting = 10 * time.Minute
	}, func(l *lab) {
		time.Sleep(9 * time.Minute)
		l.wants("ipad", "IPAD is here")
		time.Sleep(StockWindow - time.Minute)
		l.wants("mini", "MINI is here")
		time.Sleep(StockWindow + time.Minute)
		l.wants("mini", "MINI Tap your badge")
	})
}

// TestReturnsAlone: at a box devices come back without a badge, and nothing is lent.
func TestReturnsAlone(t *testing.T) {
	inLab(t, func(_ *Options, r *ReaderOptions) {
		r.ReturnsAlone = true
		r.Device = &wiegand.Range{Facilities: []uint64{200}}
	}, func(l *lab) {
		_, err := l.ledger.Give(books.Request{Device: "ipad", Person: "ann", Actor: "root"})
		must(t, err)
		l.wants("ann", "Only for returns")
		l.wants("mini", "MINI is not lent out")
		l.holds("mini", "")
		l.wants("ipad", "Returned IPAD ANN")
		l.holds("ipad", "")
		time.Sleep(2 * time.Second)
		l.wants("ipad", "Returned IPAD") // it lies there
		time.Sleep(20 * time.Second)
		l.wants("ipad", "IPAD is not lent out")
		l.wants("H10301:200:99", "Unknown device")
		time.Sleep(2 * time.Second)
		l.later(20*time.Second, "Lab open")
		var refused []string
		for e, err := range l.ledger.History(books.HistoryFilter{Kind: checkout.Refuse}) {
			must(t, err)
			refused = append(refused, e.Note)
		}
		if got := strings.Join(refused, "; "); !strings.HasPrefix(got, "came back, but nobody has it: …") {
			t.Errorf("refused: %s", got)
		}
	})
}
