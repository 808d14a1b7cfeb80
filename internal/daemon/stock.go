package daemon

import (
	"time"

	"stump/internal/station"
)

// counting is for how long the readers go on with a stock-taking that was under way when the
// station stopped; 0 if there is none, or nobody has bumped anything for too long.
func (d *Daemon) counting() (time.Duration, error) {
	is, err := d.Ledger.Stock()
	now := wallClock(d.o.Config).Now()
	if err != nil || !is.Open || !now.Trusted || is.Newest.IsZero() {
		return 0, err
	}
	return min(max(station.StockWindow-now.Wall.Sub(is.Newest), 0), station.StockWindow), nil
}
