package daemon

import (
	"context"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"stump/internal/station"
)

// watchdog is the task that tells systemd that the station lives, as long as
// each desk answers (sd_watchdog_enabled(3)).
type watchdog struct {
	every   time.Duration
	readers []*station.Reader
	tell    func()
}

// newWatchdog returns nil if systemd does not want to be told.
func newWatchdog(readers []*station.Reader) *watchdog {
	timeout, err := sd.SdWatchdogEnabled(false)
	if err != nil || timeout == 0 {
		return nil
	}
	return &watchdog{
		every: timeout / 3, readers: readers,
		tell: func() { _, _ = sd.SdNotify(false, sd.SdNotifyWatchdog) },
	}
}

func (w *watchdog) String() string { return "watchdog" }

func (w *watchdog) Run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if w.alive(ctx) {
			w.tell()
		}
	}
}

func (w *watchdog) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, w.every)
	defer cancel()
	for _, r := range w.readers {
		if r.Alive(ctx) != nil {
			return false
		}
	}
	return true
}
