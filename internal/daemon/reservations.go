package daemon

import (
	"context"
	"log/slog"
	"time"

	"stump/checkout/ledger"
)

// lapses is the task that ends what was reserved and nobody has come for, and so tells who is
// next. It sleeps until the next reservation may end, or something happens.
type lapses struct {
	ledger *ledger.Ledger
	log    *slog.Logger
}

func (l *lapses) String() string { return "reservations" }

// lapsesLook is how long it sleeps at most, since the clock may be set meanwhile.
const lapsesLook = time.Hour

// Run works until ctx is done.
func (l *lapses) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		appended := l.ledger.Appended()
		next, err := l.ledger.LapseReservations()
		if err != nil {
			l.log.Error("reservations do not end", "err", err)
			next = time.Now().Add(lapsesLook)
		}
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(min(max(time.Until(next), time.Second), lapsesLook))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-appended:
		case <-timer.C:
		}
	}
}
