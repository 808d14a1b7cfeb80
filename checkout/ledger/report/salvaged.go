// Package report has what a check, a salvage and a restore of the ledger say.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/checkout/ledger/record"
	"stump/internal/count"
)

// Salvaged says what was saved from a damaged file, or that the file was replaced.
type Salvaged struct {
	// Replaced: nothing is damaged, but an old copy or another ledger lay in the ledger's
	// place.
	Replaced bool
	// File is the path of the damaged file; empty when the file was missing.
	File   string
	Reason string
	// Events is how many were saved, and LastSeq the number of the newest. Lost are the
	// missing numbers, as first and last, in at most 1,000 runs. Where there were more,
	// runs were joined, and include numbers that are not missing.
	Events  uint64
	LastSeq uint64
	Lost    [][2]uint64
	// Perhaps are the first and last number of events that may have existed without
	// leaving a trace. The numbers are not used again. Zero for none.
	Perhaps [2]uint64
	// Others are the missing numbers of closed chains, by the station's name then.
	Others map[string][][2]uint64
	// Restated is how many loans only the devices' rows still showed, since their events
	// are lost.
	Restated int
	// Made is how many lost rows of people and devices were made again from events.
	// Tagless of them have no tag and must be enrolled again. Partial is set when more
	// people and devices may be missing.
	Made, Tagless int
	Partial       bool
	// Rows is how many outbox rows are lost. Their events may or may not have been
	// delivered.
	Rows int
	At   time.Time
}

// String returns the report as a sentence.
func (s *Salvaged) String() string {
	if s.Replaced {
		lost := ""
		if len(s.Lost) > 0 {
			lost = "; missing: " + ranges(s.Lost)
		}
		return fmt.Sprintf("the ledger was replaced: %s%s; stop the daemon and put the newer file back, or go on with this one", s.Reason, lost)
	}
	if s.File == "" {
		return fmt.Sprintf("the ledger is gone (%s): a new one was begun; stump restore brings back a backup", s.Reason)
	}
	lost := "no event is known to be missing"
	if len(s.Lost) > 0 {
		lost = "missing is " + ranges(s.Lost)
		if len(s.Lost) > 1 || s.Lost[0][1] > s.Lost[0][0] {
			lost = "missing are " + ranges(s.Lost)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Others)) {
		lost += fmt.Sprintf("; missing from the time as station %s: %s", name, ranges(s.Others[name]))
	}
	if s.Perhaps[1] > 0 {
		lost += fmt.Sprintf(", and perhaps some after %d", s.Perhaps[0]-1)
	}
	if s.Made > 0 {
		lost += fmt.Sprintf("; %s made again from events", count.Were(s.Made, "person or device"))
	}
	if s.Tagless > 0 {
		lost += fmt.Sprintf(", %d without a tag: enrol them again", s.Tagless)
	}
	if s.Partial {
		lost += "; people and devices may be missing: compare with a backup or the directory"
	}
	if s.Rows > 0 {
		lost += fmt.Sprintf("; whether %s reached the directory is unknown: compare with it", count.Of(s.Rows, "event"))
	}
	return fmt.Sprintf("the ledger was damaged (%s): %s saved, %s; the damaged file is %s; stump restore brings back a backup",
		s.Reason, count.Were(s.Events, "event"), lost, s.File)
}

// ranges is "event 7", or "events 7-9, 12".
func ranges(all [][2]uint64) string {
	var b strings.Builder
	b.WriteString("event")
	if len(all) > 1 || all[0][1] > all[0][0] {
		b.WriteString("s")
	}
	b.WriteString(" ")
	const most = 20
	for i, r := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		if rest := len(all) - i; i == most && rest > 1 {
			fmt.Fprintf(&b, "and %d more runs up to %d", rest, all[len(all)-1][1])
			break
		}
		fmt.Fprint(&b, r[0])
		if r[1] > r[0] {
			fmt.Fprintf(&b, "-%d", r[1])
		}
	}
	return b.String()
}

// SalvagedForm is the form of a Salvaged.
func SalvagedForm(s *Salvaged) []record.Field {
	return []record.Field{
		record.Of(1, &s.File),
		record.Of(2, &s.Reason),
		record.Of(3, &s.Events),
		record.Of(4, &s.LastSeq),
		record.Of(5, &s.Restated),
		record.Of(6, &s.At),
		record.Of(12, &s.Others),
		record.Of(10, &s.Made),
		record.Of(11, &s.Partial),
		record.Of(8, &s.Perhaps[0]),
		record.Of(9, &s.Perhaps[1]),
		record.Of(13, &s.Lost),
		record.Of(14, &s.Tagless),
		record.Of(15, &s.Rows),
		record.Of(16, &s.Replaced),
	}
}

// MaxRuns is how many runs of lost numbers are listed over all chains, so that an event
// and a row can hold them.
const MaxRuns = 1000

// JoinRuns joins runs of numbers until at most most are left. It joins those with the
// fewest numbers between them first.
func JoinRuns(runs [][2]uint64, most int) [][2]uint64 {
	most = max(most, 1)
	if len(runs) <= most {
		return runs
	}
	gaps := make([]int, len(runs)-1) // the index of the run before each
	for i := range gaps {
		gaps[i] = i
	}
	between := func(i int) uint64 { return runs[i+1][0] - runs[i][1] }
	slices.SortStableFunc(gaps, func(a, b int) int { return cmp.Compare(between(a), between(b)) })
	join := map[int]bool{}
	for _, i := range gaps[:len(runs)-most] {
		join[i] = true
	}
	joined := runs[:1:1]
	for i, r := range runs[1:] {
		if join[i] {
			joined[len(joined)-1][1] = r[1]
		} else {
			joined = append(joined, r)
		}
	}
	return joined
}
