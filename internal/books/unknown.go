package books

import (
	"time"

	"stump/internal/hint"
)

// SeenTag is a tag that nobody has, as `unknown --json` writes it.
type SeenTag struct {
	ID     string    `json:"id"`
	Number string    `json:"number"` // masked
	Bits   int       `json:"bits"`
	Count  int       `json:"count"` // how often it was shown
	Last   time.Time `json:"last"`
	// ClockTrusted is whether Last is known to be right.
	ClockTrusted bool `json:"clock_trusted"`
	// Reader is where it was shown last; null where that was not kept.
	Reader *string `json:"reader"`
	// Fits is "person" or "device" for a tag that can be nothing else by the site's rules.
	Fits *string `json:"fits"`
}

// ErrNoTag is returned for an id that no unknown tag has.
var ErrNoTag = hint.Errorf("`stump unknown` lists those that nobody has", "it is no unknown tag any more")
