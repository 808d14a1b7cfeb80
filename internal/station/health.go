package station

import (
	"maps"
	"sync"
	"time"

	"stump/hw/selftest"
	"stump/internal/histogram"
	"stump/wiegand"
)

// watch keeps the health and the figures of one reader: taps feed it, Conditions and Figures
// read it.
type watch struct {
	mu sync.Mutex
	selftest.Health
	bumps map[string]uint64
	took  histogram.Times
}

// Figures are what was counted at a reader since the start.
type Figures struct {
	// Bumps are by what came of them: the kind of the event, or Refused, Unknown, NotSaved.
	Bumps map[string]uint64
	// Took is how long it took from the last edge of a pair's second card until the pair was
	// saved.
	Took histogram.Times
	// Silence is how long no good read has come, since the start at most.
	Silence time.Duration
}

// What came of a bump that made no event.
const (
	Refused  = "refused"
	Unknown  = "unknown"
	NotSaved = "not-saved"
)

// Figures returns what was counted at the reader.
func (r *Reader) Figures() Figures {
	w := &r.attendant.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	return Figures{Bumps: maps.Clone(w.bumps), Took: w.took, Silence: w.Silence(time.Duration(r.attendant.o.Now()))}
}

// bumped counts what came of a bump.
func (w *watch) bumped(result string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bumps[result]++
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

// commit takes how long the disk took for a pair, and how long the whole did.
func (w *watch) commit(disk, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ObserveCommit(disk)
	w.took.Add(took)
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
