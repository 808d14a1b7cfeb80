package report

import (
	"fmt"
	"time"

	"stump/checkout/ledger/boltfile"
	"stump/internal/count"
)

// Fault is an inconsistency.
type Fault struct {
	// What is the subject: "chain", "loans", "links", "outbox", "tags", "file",
	// "bbolt", or "copy" if the file is not the one that was here.
	What   string
	Detail string
}

// Verified is what a check found.
type Verified struct {
	Events, Erased uint64
	Devices        int
	People         int
	Loans          int
	Outbox         int
	// Gaps is how many event numbers an earlier salvage or restore declared as missing or
	// unused.
	Gaps uint64
	// Faults are at most 100.
	Faults []Fault
	// Bbolt is the result of bbolt's own check: "passed", "failed", or why it was not made.
	Bbolt string
	Took  time.Duration
}

const maxFaults = 100

// OtherCopy is the What of a file that is whole but not the one that was here.
const OtherCopy = "copy"

// OK reports whether there are no faults.
func (r *Verified) OK() bool { return len(r.Faults) == 0 }

// String returns the report as a sentence.
func (r *Verified) String() string {
	s := count.Of(r.Events, "event") + ", " + count.Of(r.Loans, "open loan") + ", " + count.Of(r.Outbox, "outbox row") + ": "
	if r.OK() {
		s += "everything holds"
	} else {
		s += fmt.Sprintf("%s, the first: %s: %s", count.Of(len(r.Faults), "fault"), r.Faults[0].What, r.Faults[0].Detail)
	}
	if r.Gaps > 0 {
		s += fmt.Sprintf("; %s without an event, by an earlier salvage or restore that says so", count.Of(r.Gaps, "number"))
	}
	return s + "; bbolt's own check: " + r.Bbolt
}

// Hint says what to do about the faults; it is empty without any.
func (r *Verified) Hint() string {
	switch {
	case r.OK():
		return ""
	case r.Faults[0].What == OtherCopy:
		return "put the newer file back if there is one; the daemon would go on with this one, and leave out the numbers that are missing"
	}
	return (*boltfile.DamagedError)(nil).Hint()
}

// Add adds a fault about a subject.
func (r *Verified) Add(what, format string, a ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{what, fmt.Sprintf(format, a...)})
	}
}
