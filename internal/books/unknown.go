package books

import "time"

// SeenTag is a tag that nobody has, as `unknown --json` writes it.
type SeenTag struct {
	ID     string    `json:"id"`
	Number string    `json:"number"` // masked
	Bits   int       `json:"bits"`
	Count  int       `json:"count"` // how often it was shown
	Last   time.Time `json:"last"`
	// ClockTrusted is whether Last is known to be right.
	ClockTrusted bool `json:"clock_trusted"`
}
