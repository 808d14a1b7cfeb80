package books

import (
	"time"
)

// SeenTag is a tag that nobody has, seen at a reader.
type SeenTag struct {
	// Number is masked.
	Number      string
	Bits        int
	Count       int
	First, Last time.Time
	// ClockTrusted is whether Last is known to be right.
	ClockTrusted bool
}
