package selftest

import (
	"fmt"
	"slices"
	"time"

	"stump/internal/count"
	"stump/wiegand"
)

// Condition is something about the hardware that somebody should know.
type Condition struct {
	Name   string        `json:"name"`  // one of the constants
	Since  time.Duration `json:"since"` // on the monotonic clock
	Text   string        `json:"text"`
	Remedy string        `json:"remedy"`
	// Staff: it concerns those who tap, not only those who repair.
	Staff bool `json:"staff"`
}

// The conditions.
const (
	ReaderSilent = "reader-silent"
	BadReads     = "bad-reads"
	StrayEdges   = "stray-edges"
	LowVoltage   = "under-voltage"
	ClockLost    = "clock"
	SlowStorage  = "slow-storage"
)

// Limits of the conditions. A reader and its cable are held against their own
// past, for a site that always had 2 % of bad reads is no worse today.
const (
	silenceLeast  = 24 * time.Hour // shorter silences are nobody's business
	silenceFactor = 1.5            // times the longest of the past weeks
	silenceWeeks  = 8
	week          = 7 * 24 * time.Hour
	recentReads   = 50   // the window of the bad-read rate
	badLeast      = 5    // bad reads in it
	badFactor     = 3.0  // times the usual share …
	badMargin     = 0.05 // … and as much above it
	pastReads     = 2000 // how far "usual" looks back
	strayWindow   = 10 * time.Minute
	strayLimit    = 20              // stray frames in it
	strayMost     = 10 * strayLimit // counted
	clockPatience = 10 * time.Minute
	voltageMemory = time.Hour
	commits       = 20 // the window of commit times
	shortFrame    = 8  // no card has fewer bits
)

// Health keeps an eye on the hardware while the station works. Feed it what
// happens; it reads no clock: all times are of the monotonic clock, from any
// origin. It is not safe for concurrent use. The zero value is ready.
type Health struct {
	started bool
	start   time.Duration

	reads    int
	lastGood time.Duration
	gaps     [silenceWeeks]time.Duration // the longest of each past week
	thisWeek int

	recent []bool  // good?, of the last reads
	usual  float64 // share of bad reads in the past
	known  int     // how many reads that share is made of

	strays []time.Duration

	low     bool
	lows    []time.Duration // when the alarm began
	clockOK bool
	clockAt time.Duration // when it was lost or first asked
	clock   bool          // it was asked

	took []time.Duration

	active map[string]Condition
}

func (h *Health) begin(now time.Duration) {
	if !h.started {
		h.started, h.start, h.lastGood = true, now, now
	}
}

// ObserveRead takes every frame that the decoder closes.
func (h *Health) ObserveRead(now time.Duration, r *wiegand.Read) {
	h.begin(now)
	if !r.OK() && (r.Count < shortFrame || r.Count > wiegand.MaxBits) {
		if h.strays = append(h.strays, now); len(h.strays) > strayMost {
			h.strays = h.strays[1:]
		}
		return
	}
	h.noteGap(now)
	if r.OK() {
		h.reads++
		h.lastGood = now
	}
	if h.recent = append(h.recent, r.OK()); len(h.recent) > recentReads {
		h.past(h.recent[0])
		h.recent = h.recent[1:]
	}
}

// past moves a read that is no longer recent into the usual share.
func (h *Health) past(good bool) {
	h.known = min(h.known+1, pastReads)
	bad := 0.0
	if !good {
		bad = 1
	}
	h.usual += (bad - h.usual) / float64(h.known)
}

// noteGap remembers the longest silence of each week.
func (h *Health) noteGap(now time.Duration) {
	w := int((now - h.start) / week)
	for h.thisWeek < w {
		h.thisWeek++
		h.gaps[h.thisWeek%silenceWeeks] = 0
	}
	i := w % silenceWeeks
	h.gaps[i] = max(h.gaps[i], now-h.lastGood)
}

// ObserveVoltage takes the state of the supply's alarm, see UnderVoltage.
func (h *Health) ObserveVoltage(now time.Duration, low bool) {
	h.begin(now)
	if low && !h.low {
		h.lows = append(h.lows, now)
	}
	h.low = low
}

// ObserveClock takes whether the wall clock is trusted.
func (h *Health) ObserveClock(now time.Duration, trusted bool) {
	h.begin(now)
	if !h.clock || trusted != h.clockOK {
		h.clock, h.clockOK, h.clockAt = true, trusted, now
	}
}

// ObserveCommit takes how long a tap's commit took on the disk.
func (h *Health) ObserveCommit(now, took time.Duration) {
	h.begin(now)
	if h.took = append(h.took, took); len(h.took) > commits {
		h.took = h.took[1:]
	}
}

// Report returns the conditions that hold now, in a fixed order, and which of
// them began or ended since the report before: what is worth a line in the log.
func (h *Health) Report(now time.Duration) (all, began, ended []Condition) {
	h.begin(now)
	before := h.active
	h.active = map[string]Condition{}
	for _, check := range []func(time.Duration) (Condition, bool){h.silent, h.badReads, h.stray, h.voltage, h.clockLost, h.storage} {
		c, holds := check(now)
		if !holds {
			continue
		}
		old, known := before[c.Name]
		if known {
			c.Since = old.Since
		} else {
			began = append(began, c)
		}
		h.active[c.Name] = c
		all = append(all, c)
	}
	for name, c := range before {
		if _, holds := h.active[name]; !holds {
			ended = append(ended, c)
		}
	}
	slices.SortFunc(ended, func(a, b Condition) int { return int(a.Since - b.Since) })
	return all, began, ended
}

func (h *Health) silent(now time.Duration) (Condition, bool) {
	silence := now - h.lastGood
	longest := slices.Max(h.gaps[:])
	// A week of experience first, or a station would report its first weekend.
	if h.reads < 20 || h.lastGood-h.start < week || silence < max(silenceLeast, time.Duration(float64(longest)*silenceFactor)) {
		return Condition{}, false
	}
	return Condition{
		Name: ReaderSilent, Since: now,
		Text:   fmt.Sprintf("no card was read for %s; the longest silence of the past weeks was %s", days(silence), days(longest)),
		Remedy: "show a card; if the reader stays silent, run `stump selftest`",
	}, true
}

func (h *Health) badReads(now time.Duration) (Condition, bool) {
	bad := 0
	for _, good := range h.recent {
		if !good {
			bad++
		}
	}
	if bad < badLeast {
		return Condition{}, false
	}
	share := float64(bad) / float64(len(h.recent))
	_, was := h.active[BadReads]
	limit := max(0.1, h.usual*badFactor, h.usual+badMargin)
	if was {
		limit /= 2 // it has to become much better before it is called over
	}
	if share < limit {
		return Condition{}, false
	}
	text := fmt.Sprintf("%d of the last %d reads were bad", bad, len(h.recent))
	if h.known >= recentReads {
		text += fmt.Sprintf("; usually it is %.1f %%", h.usual*100)
	}
	return Condition{
		Name: BadReads, Since: now, Text: text, Staff: true,
		Remedy: "run `stump selftest`: it names the wire or the disturbance",
	}, true
}

func (h *Health) stray(now time.Duration) (Condition, bool) {
	h.strays = slices.DeleteFunc(h.strays, func(t time.Duration) bool { return t < now-strayWindow })
	if len(h.strays) < strayLimit {
		return Condition{}, false
	}
	often := count.Of(len(h.strays), "time")
	if len(h.strays) == strayMost {
		often = "more than " + often
	}
	return Condition{
		Name: StrayEdges, Since: now,
		Text:   fmt.Sprintf("pulses without a card, %s in the last %s", often, days(strayWindow)),
		Remedy: "run `stump selftest`: missing ground, a loose wire and mains hum look like this",
	}, true
}

func (h *Health) voltage(now time.Duration) (Condition, bool) {
	h.lows = slices.DeleteFunc(h.lows, func(t time.Duration) bool { return t < now-voltageMemory })
	if !h.low && len(h.lows) == 0 {
		return Condition{}, false
	}
	text := "the board's 5 V is too low now"
	if !h.low {
		text = fmt.Sprintf("the board's 5 V was too low %s in the last hour", count.Of(len(h.lows), "time"))
	}
	return Condition{
		Name: LowVoltage, Since: now, Text: text,
		Remedy: "use a supply of 5.1 V and 2.5 A or more, with a short thick cable",
	}, true
}

func (h *Health) clockLost(now time.Duration) (Condition, bool) {
	if !h.clock || h.clockOK || now-h.clockAt < clockPatience {
		return Condition{}, false
	}
	return Condition{
		Name: ClockLost, Since: now,
		Text:   fmt.Sprintf("the clock was not set for %s; events are kept in order, and marked", days(now-h.clockAt)),
		Remedy: "let the board reach a time server, or fit a clock module",
	}, true
}

func (h *Health) storage(now time.Duration) (Condition, bool) {
	if len(h.took) < 5 {
		return Condition{}, false
	}
	sorted := slices.Sorted(slices.Values(h.took))
	median, worst := sorted[len(sorted)/2], sorted[len(sorted)-1]
	if median < slowSync && worst < deadSync {
		return Condition{}, false
	}
	return Condition{
		Name: SlowStorage, Since: now, Staff: median >= time.Second,
		Text:   fmt.Sprintf("saving a tap takes %s, at worst %s", seconds(median), seconds(worst)),
		Remedy: "back up (`stump backup FILE`) and replace the memory card",
	}, true
}

// days prints a long duration in the largest unit that fits.
func days(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}
