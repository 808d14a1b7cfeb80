package station

import (
	"sync"
	"time"

	"stump/hw/selftest"
	"stump/wiegand"
)

// watch keeps the health of one reader: taps feed it, Conditions reads it.
type watch struct {
	mu sync.Mutex
	selftest.Health
}

func (w *watch) read(now time.Duration, r *wiegand.Read) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveRead(now, r)
}

func (w *watch) unknown(now time.Duration, r *wiegand.Read, line string, others []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveUnknown(now, r, line, others)
}

func (w *watch) commit(took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveCommit(took)
}

// Machine is what a reader's health depends on besides its lines.
type Machine struct {
	ClockTrusted bool
	// LowVoltage is the supply's alarm, nil where the board has none.
	LowVoltage *bool
}

// Conditions are what is wrong now. What began or ended since the last call is
// logged.
func (r *Reader) Conditions(m Machine) []selftest.Condition {
	w, o := &r.attendant.watch, r.attendant.o
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Duration(o.Now())
	w.ObserveClock(now, m.ClockTrusted)
	if m.LowVoltage != nil {
		w.ObserveVoltage(now, *m.LowVoltage)
	}
	all, began, ended := w.Report(now)
	for _, c := range began {
		o.Log.Warn("health: "+c.Text, "condition", c.Name, "remedy", c.Remedy)
	}
	for _, c := range ended {
		o.Log.Info("health: over", "condition", c.Name)
	}
	return all
}
