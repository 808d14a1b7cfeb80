package stations

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/internal/signal"
)

// weekRow is a week of a reader as the table has it.
type weekRow struct {
	Day, Good, Refused, Share, Faults string
	Bad                               bool
}

// mostBad is how many frames of a hundred may be refused in a week that is well.
const mostBad = 5

// weekRows are the weeks of a reader, the newest first.
func (v View) weekRows(weeks []signal.Week) (rows []weekRow) {
	for _, w := range slices.Backward(weeks) {
		var faults []string
		for _, f := range slices.SortedFunc(maps.Keys(w.Bad), func(a, b string) int { return cmp.Or(cmp.Compare(w.Bad[b], w.Bad[a]), cmp.Compare(a, b)) }) {
			faults = append(faults, fmt.Sprintf("%s %d", v.Told(f), w.Bad[f]))
		}
		rows = append(rows, weekRow{
			v.day(w.Begins), strconv.FormatUint(w.Good, 10), strconv.FormatUint(w.Refused(), 10), fmt.Sprintf("%.1f %%", w.Share()), strings.Join(faults, ", "), w.Share() < 100-mostBad,
		})
	}
	return rows
}

// day is a day as people read it.
func (v View) day(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return v.Day(t)
}

// The picture of the weeks, in its own units: a bar is a week, its height the good share of the
// frames, and above it stand the refused ones.
const (
	weekWide = 20
	weekGap  = 4
	weekHigh = 100
)

// bar is a rectangle of the picture.
type bar struct{ X, Y, Height, Class string }

// weekBars are the bars of a reader's weeks: half a year to the left of today, the newest at
// the right. A week of which nothing is known has none.
func weekBars(weeks []signal.Week) (bars []bar) {
	if len(weeks) == 0 {
		return nil
	}
	last, err := time.Parse(time.DateOnly, weeks[len(weeks)-1].Begins)
	if err != nil {
		return nil
	}
	for _, w := range weeks {
		begins, err := time.Parse(time.DateOnly, w.Begins)
		ago := int(last.Sub(begins).Hours() / 24 / 7)
		if err != nil || ago < 0 || ago >= signal.Weeks {
			continue
		}
		x := strconv.Itoa((signal.Weeks - 1 - ago) * (weekWide + weekGap))
		good := int(w.Share() * weekHigh / 100)
		if w.Refused() > 0 {
			good = min(good, weekHigh-2) // that there are some, is seen
		}
		bars = append(bars, bar{x, strconv.Itoa(weekHigh - good), strconv.Itoa(good), "good"})
		if good < weekHigh {
			bars = append(bars, bar{x, "0", strconv.Itoa(weekHigh - good), "bad"})
		}
	}
	return bars
}

// weekBox is the size of the picture.
func weekBox() string {
	return fmt.Sprintf("0 0 %d %d", signal.Weeks*(weekWide+weekGap)-weekGap, weekHigh)
}
