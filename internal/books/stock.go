package books

import (
	"errors"
	"time"

	"stump/checkout/stock"
)

// ErrNoStock says that no stock-taking is under way.
var ErrNoStock = errors.New("no stock-taking is under way")

// Stock is a stock-taking: the one that is under way, or else the last one.
type Stock struct {
	// Taken: there is one. Open: it is under way. Begun and Ended are zero where that has not
	// happened, or the station does not know when.
	Taken, Open  bool
	Begun, Ended time.Time
	// Seen is how many devices were shown, and Newest when the last of them was, or it began.
	Seen   int
	Newest time.Time
	Rows   []StockRow // by device
}

// StockRow is what was found of a device. Of one that the last stock-taking has found, and that
// has been put right since, there is none.
type StockRow struct {
	Device
	Finding stock.Finding
}
