package selftest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/internal/count"
	"stump/wiegand"
)

// Condition is something that is wrong with the hardware while it works.
type Condition struct {
	Name   string        `json:"name"`
	Since  time.Duration `json:"since"` // on the monotonic clock
	Text   string        `json:"text"`
	Remedy string        `json:"remedy"`
	// Staff is true for what people notice who tap.
	Staff bool `json:"staff"`
}

// BadReads is the name of the condition that too many reads are bad.
const BadReads = "bad-reads"

// LineLow is that of a line that should rest high.
const LineLow = "line-low"

// Measured reports whether a condition of this name was measured at the reader, or the
// board: its text names no file, no process and no address.
func Measured(name string) bool {
	for _, c := range conditions {
		if c.name == name {
			return true
		}
	}
	return name == LineLow
}

// Limits of the conditions. A reader and its cable are held against their own
// past: a site that always had 2 % of bad reads is no worse today.
const (
	silenceLeast  = 24 * time.Hour // a shorter silence is normal
	silenceFactor = 1.5            // times the longest of the past weeks
	silenceReads  = 20             // good reads before silence means anything
	silenceWeeks  = 8
	week          = 7 * 24 * time.Hour
	recentReads   = 50   // the window of the share of bad reads
	badLeast      = 5    // bad reads in it
	badShare      = 0.1  // of the window …
	badFactor     = 3.0  // … and times the usual share
	pastReads     = 2000 // how many reads the usual share covers
	strayWindow   = 10 * time.Minute
	strayLimit    = 20              // stray frames in it
	strayMost     = 10 * strayLimit // how many are counted
	clockPatience = 10 * time.Minute
	voltageMemory = time.Hour
	unknownMemory = 24 * time.Hour
	commits       = 20          // the window of commit times
	commitsLeast  = 5           // commits before their times mean anything
	slowForStaff  = time.Second // a commit that people notice
	shortFrame    = 8           // no card has fewer bits
)

// standingEase divides the limits of a condition that stands. Without it a
// measure that hovers around its limit would begin and end all the time.
const standingEase = 2

// conditions are what Report looks at, in its order. find returns what is
// wrong, or nothing; limits are divided by its last argument.
var conditions = []struct {
	name, remedy string
	find         func(h *Health, now time.Duration, ease int) (text string, staff bool)
}{
	{"reader-silent", "show a card; if the reader stays silent, run `stump selftest`", (*Health).silent},
	{"unknown-format", "put that line into the [[reader]] table of the configuration, and restart; `stump formats` lists the formats", (*Health).unknownFormat},
	{"swapped", "exchange the two data wires, at one end only, or change `swapped` of this reader in the configuration", (*Health).wiresSwapped},
	{BadReads, "run `stump selftest`: it names the wire or the disturbance", (*Health).badReads},
	{"stray-edges", "run `stump selftest`: missing ground, a loose wire and mains hum look like this", (*Health).stray},
	{"under-voltage", "use a supply of 5.1 V and 2.5 A or more, with a short thick cable", (*Health).voltage},
	{"clock", "let the board reach a time server, or fit a clock module", (*Health).clockLost},
	{"slow-storage", "back up (`stump backup FILE`) and replace the memory card", (*Health).storage},
}

// Health watches the hardware while the station works: Observe methods take what
// happens, Report says what is wrong. All times are of the monotonic clock, from
// any origin. The zero Health is ready; it is not safe for concurrent use.
type Health struct {
	started  bool
	start    time.Duration
	lastGood time.Duration // a good read; at first the start

	reads    int                         // good ones
	gaps     [silenceWeeks]time.Duration // the longest between good reads, of each past week
	thisWeek int

	unknown     string // how cards that no enabled format takes are made to be read
	unknownBits int
	unknownAt   time.Duration

	recent []bool  // whether each of the last reads was good
	usual  float64 // share of bad reads before those
	known  int     // how many reads that share covers

	swapped bool // the newest reads are right only with the lines exchanged

	strays []time.Duration

	low  bool
	lows []time.Duration // when the supply was last too low, each time

	clockBad   bool
	clockBadAt time.Duration // when it became bad

	took []time.Duration // of the last commits

	active []Condition
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
		h.strays = last(append(h.strays, now), strayMost)
		return
	}
	if r.Unknown {
		return // nothing is wrong with it: see ObserveUnknown
	}
	h.swapped = r.Fault == wiegand.FaultSwapped || h.swapped && !r.OK()
	if r.OK() {
		h.noteGap(now)
		h.reads++
		h.lastGood = now
		if r.Bits.Len() == h.unknownBits {
			h.unknown = ""
		}
	}
	if h.recent = append(h.recent, r.OK()); len(h.recent) > recentReads {
		h.known = min(h.known+1, pastReads)
		bad := 0.0
		if !h.recent[0] {
			bad = 1
		}
		h.usual += (bad - h.usual) / float64(h.known)
		h.recent = h.recent[1:]
	}
}

// ObserveUnknown takes a frame that is a card of a format that is not enabled.
// line is what the configuration needs, others are formats that may be meant instead.
func (h *Health) ObserveUnknown(now time.Duration, r *wiegand.Read, line string, others []string) {
	h.unknownAt, h.unknownBits = now, r.Bits.Len()
	h.unknown = line
	if len(others) > 0 {
		h.unknown += ", or with " + strings.Join(others, ", ")
	}
}

// unknownFormat ends a day after the last such card, or with a good one of that
// length.
func (h *Health) unknownFormat(now time.Duration, _ int) (string, bool) {
	if h.unknown == "" || now-h.unknownAt > unknownMemory {
		return "", false
	}
	return fmt.Sprintf("%d-bit cards come intact, but no enabled format takes them: %s", h.unknownBits, h.unknown), true
}

// last keeps the last n of a list.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// noteGap remembers the longest silence of each week.
func (h *Health) noteGap(now time.Duration) {
	for w := int((now - h.start) / week); h.thisWeek < w; {
		h.thisWeek++
		h.gaps[h.thisWeek%silenceWeeks] = 0
	}
	longest := &h.gaps[h.thisWeek%silenceWeeks]
	*longest = max(*longest, now-h.lastGood)
}

// ObserveVoltage takes the state of the supply's alarm, see UnderVoltage.
func (h *Health) ObserveVoltage(now time.Duration, low bool) {
	if low {
		if h.low && len(h.lows) > 0 { // still the same time
			h.lows = h.lows[:len(h.lows)-1]
		}
		h.lows = append(h.lows, now)
	}
	h.low = low
}

// ObserveClock takes whether the wall clock is trusted.
func (h *Health) ObserveClock(now time.Duration, trusted bool) {
	if !h.clockBad {
		h.clockBadAt = now
	}
	h.clockBad = !trusted
}

// ObserveCommit takes how long it took to save a tap on the disk.
func (h *Health) ObserveCommit(took time.Duration) { h.took = last(append(h.took, took), commits) }

// Silence is how long no good read has come, since the start at most.
func (h *Health) Silence(now time.Duration) time.Duration {
	h.begin(now)
	return max(now-h.lastGood, 0)
}

// Report returns the conditions that stand now, in a fixed order, and which of
// them began or ended since the last report: those are worth a line in the log.
func (h *Health) Report(now time.Duration) (all, began, ended []Condition) {
	h.begin(now)
	for _, c := range conditions {
		i := slices.IndexFunc(h.active, func(a Condition) bool { return a.Name == c.name })
		limits := 1
		if i >= 0 {
			limits = standingEase
		}
		text, staff := c.find(h, now, limits)
		standing := Condition{Name: c.name, Since: now, Text: text, Remedy: c.remedy, Staff: staff}
		switch {
		case text == "" && i >= 0:
			ended = append(ended, h.active[i])
			continue
		case text == "":
			continue
		case i >= 0:
			standing.Since = h.active[i].Since
		default:
			began = append(began, standing)
		}
		all = append(all, standing)
	}
	h.active = slices.Clone(all)
	return all, began, ended
}

// silent ends with the next card, so it needs no lower limit.
func (h *Health) silent(now time.Duration, _ int) (string, bool) {
	silence, longest := now-h.lastGood, slices.Max(h.gaps[:])
	// Without a week of experience a station would report its first weekend.
	if h.reads < silenceReads || h.lastGood-h.start < week || silence < max(silenceLeast, time.Duration(float64(longest)*silenceFactor)) {
		return "", false
	}
	return fmt.Sprintf("no card was read for %s; the longest silence of the past weeks was %s", days(silence), days(longest)), false
}

func (h *Health) wiresSwapped(time.Duration, int) (string, bool) {
	if !h.swapped {
		return "", false
	}
	return "cards are right only with DATA0 and DATA1 exchanged", true
}

func (h *Health) badReads(_ time.Duration, ease int) (string, bool) {
	bad := 0
	for _, good := range h.recent {
		if !good {
			bad++
		}
	}
	limit := max(badShare, h.usual*badFactor) * float64(len(h.recent))
	if bad*ease < badLeast || float64(bad*ease) < limit {
		return "", false
	}
	text := fmt.Sprintf("%d of the last %d reads were bad", bad, len(h.recent))
	if h.known >= recentReads {
		text += fmt.Sprintf("; usually it is %.1f %%", h.usual*100)
	}
	return text, true
}

func (h *Health) stray(now time.Duration, ease int) (string, bool) {
	h.strays = slices.DeleteFunc(h.strays, func(t time.Duration) bool { return t < now-strayWindow })
	if len(h.strays)*ease < strayLimit {
		return "", false
	}
	often := count.Of(len(h.strays), "time")
	if len(h.strays) == strayMost {
		often = "more than " + often
	}
	return fmt.Sprintf("pulses without a card, %s in the last 10 minutes", often), false
}

// voltage stands for an hour after the alarm, so it needs no lower limit.
func (h *Health) voltage(now time.Duration, _ int) (string, bool) {
	h.lows = slices.DeleteFunc(h.lows, func(t time.Duration) bool { return t < now-voltageMemory })
	switch {
	case h.low:
		return "the board's 5 V is too low now", false
	case len(h.lows) > 0:
		return fmt.Sprintf("the board's 5 V was too low %s in the last hour", count.Of(len(h.lows), "time")), false
	}
	return "", false
}

// clockLost begins after a while without a trusted clock and ends with the
// first, so it needs no lower limit.
func (h *Health) clockLost(now time.Duration, _ int) (string, bool) {
	if !h.clockBad || now-h.clockBadAt < clockPatience {
		return "", false
	}
	return fmt.Sprintf("the clock was not set for %s; events are kept in order, and marked", days(now-h.clockBadAt)), false
}

func (h *Health) storage(_ time.Duration, ease int) (string, bool) {
	if len(h.took) < commitsLeast {
		return "", false
	}
	sorted := slices.Sorted(slices.Values(h.took))
	median, worst := sorted[len(sorted)/2], sorted[len(sorted)-1]
	if e := time.Duration(ease); median*e < slowSync && worst*e < deadSync {
		return "", false
	}
	return fmt.Sprintf("saving a tap takes %s, at worst %s", seconds(median), seconds(worst)), median >= slowForStaff
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
