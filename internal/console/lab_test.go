package console

import (
	"testing"
	"time"

	"stump/internal/api/wire"
)

// TestLabAway: the board says as of when it knows other stations, while the hub does not
// answer.
func TestLabAway(t *testing.T) {
	var lab *wire.Lab
	p := newPages(t, func(o *Options) { o.Lab = func() *wire.Lab { return lab } })
	board := func() string {
		_, page := p.ask(root, "GET", "/", nil, "Stump-Part", "live")
		return page
	}
	const says = "The lab is not reached"
	p.has("in no lab", board(), "!"+says)
	heard, trouble := noon.Add(-time.Hour), "the hub does not answer"
	lab = &wire.Lab{Heard: &heard}
	p.has("all is well", board(), "!"+says)
	lab = &wire.Lab{Heard: &heard, Trouble: &trouble}
	p.has("the hub is away", board(), says, "11:00")
	lab = &wire.Lab{Stale: true}
	p.has("since the start", board(), says, "at ?")
}
