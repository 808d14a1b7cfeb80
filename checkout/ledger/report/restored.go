package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Restored says what a restore changes, or would change.
type Restored struct {
	Backup string
	// BackupSeq and BackupTime are of the newest event in the backup.
	BackupSeq  uint64
	BackupTime time.Time
	// Now is the number of the ledger's newest event, 0 if the ledger can't be read.
	// Unreadable then says why.
	Now        uint64
	Unreadable string
	// Fork is set when the two have different events with the same number.
	Fork bool
	// Lost are the first and last number of the events that only the ledger has; zero
	// for none. They stay in Aside, and their numbers are not used again.
	Lost [2]uint64
	// Loans, People and Devices are the differences, an entry each: "what: before → after".
	Loans, People, Devices []string
	// Aside is the path of the replaced ledger.
	Aside string
}

// String returns the report as sentences.
func (r *Restored) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the backup ends with event %d of %s", r.BackupSeq, r.BackupTime.Format(time.RFC3339))
	switch {
	case r.Unreadable != "":
		fmt.Fprintf(&b, "; the ledger can't be read (%s), so what the backup lacks is unknown", r.Unreadable)
	case r.Fork:
		b.WriteString("; this ledger doesn't continue it: they have gone different ways")
	case r.Lost[1] > 0:
		fmt.Fprintf(&b, "; %s would be missing", ranges([][2]uint64{r.Lost}))
	default:
		b.WriteString("; no event would be missing")
	}
	for _, part := range []struct {
		what string
		list []string
	}{{"loans", r.Loans}, {"people", r.People}, {"devices", r.Devices}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, "\n%s: %s", part.what, strings.Join(part.list, "; "))
		}
	}
	if r.Aside != "" {
		fmt.Fprintf(&b, "\nthe replaced ledger is %s", r.Aside)
	}
	return b.String()
}

// Differences lists the differences as "what: before → after".
func Differences(before, after map[string]string) (all []string) {
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if after[k] != before[k] {
			all = append(all, fmt.Sprintf("%s: %s → %s", strings.TrimSpace(k), before[k], cmp.Or(after[k], "none")))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[k]; !ok {
			all = append(all, fmt.Sprintf("%s: none → %s", strings.TrimSpace(k), after[k]))
		}
	}
	return all
}
