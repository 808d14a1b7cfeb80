package station

import (
	"sync"
	"time"

	"stump/hw/selftest"
	"stump/wiegand"
)

// watch is the health line of one reader: it is fed by taps, and looked at
// when somebody wants to know.
type watch struct {
	mu sync.Mutex
	selftest.Health
}

func (w *watch) read(now time.Duration, r *wiegand.Read) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveRead(now, r)
}

func (w *watch) commit(now, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveCommit(now, took)
}

// Machine is what a reader's health depends on besides its lines.
type Machine struct {
	ClockTrusted bool
	// LowVoltage is the supply's alarm, nil where the board has none.
	LowVoltage *bool
}

// Conditions are what is wrong now. What has begun or ended since it was last
// asked for is said in the log.
func (r *Reader) Conditions(m Machine) []selftest.Condition {
	w := &r.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Duration(r.o.Now())
	w.ObserveClock(now, m.ClockTrusted)
	if m.LowVoltage != nil {
		w.ObserveVoltage(now, *m.LowVoltage)
	}
	all, began, ended := w.Report(now)
	for _, c := range began {
		r.log.Warn("health: "+c.Text, "condition", c.Name, "remedy", c.Remedy)
	}
	for _, c := range ended {
		r.log.Info("health: over", "condition", c.Name)
	}
	return all
}
