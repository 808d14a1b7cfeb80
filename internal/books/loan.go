package books

import (
	"encoding/json"
	"time"

	"stump/checkout"
)

// Soon is how long before its due date a loan is due soon.
const Soon = 24 * time.Hour

// Loan is one device in one person's hands.
type Loan struct {
	// Device and Person are names, empty for a pending tag; DeviceID and
	// PersonID are empty then too.
	Device, DeviceID string
	Person, PersonID string
	// DeviceTag and PersonTag are the masked numbers of pending tags.
	DeviceTag, PersonTag string
	Since                time.Time
	// ClockTrusted is whether Since is known to be right.
	ClockTrusted bool
	// Before is the latest that Since can be, where it is not known to be right; zero
	// if nobody knows that either.
	Before time.Time
	// Due is when the device should be back, as good as Since is known, or at the
	// latest; zero for no limit.
	Due time.Time
	// Overdue: Due is past. DueSoon: it is within Soon.
	Overdue, DueSoon bool
	// Doubtful: the directory's view differed before the bump that this is from.
	Doubtful bool
	Station  string
	// Kind is the device's.
	Kind string
	// Kit is the id of the kit with which it was taken, empty for by itself. Missing: the kit
	// is elsewhere by now.
	Kit     string
	Missing bool
	// Began is the event that says who has it, and Meant when somebody said last until
	// when it is: with that event, or later.
	Began checkout.Place
	Meant time.Time
	// Told is the first event of the last message that reminded of it, and Stage which
	// reminder that was; empty for none since Meant.
	Told  checkout.Place
	Stage string

	shown bool   // for people, see Shown
	key   string // see Key
}

// Same reports whether nothing has happened to a loan since another was read.
func (l Loan) Same(o Loan) bool {
	return l.Began == o.Began && l.Told == o.Told && l.Stage == o.Stage && l.Due.Equal(o.Due) && l.PersonID == o.PersonID
}

// Saying is what somebody is told of a loan.
type Saying struct {
	Loan  Loan
	Stage string // "-1d"
	// Again: a message said so before that nobody has got.
	Again bool
}

// LoanJSON is a loan as `who --json` writes it: every key is there, unknown is
// null.
type LoanJSON struct {
	Device       *string    `json:"device"`
	DeviceID     *string    `json:"device_id"`
	Person       *string    `json:"person"`
	PersonID     *string    `json:"person_id"`
	Since        *time.Time `json:"since"`
	ClockTrusted bool       `json:"clock_trusted"`
	Due          *time.Time `json:"due"`
	Overdue      bool       `json:"overdue"`
	Pending      bool       `json:"pending"`
	Doubtful     bool       `json:"doubtful"`
	Station      *string    `json:"station"`
	Note         *string    `json:"note"`
	// Before is for tables alone, see Shown.
	Before *time.Time `json:"before,omitempty"`
}

// JSON returns the loan's written form. What is pending has its masked number in
// the note, and what was taken with a kit its kit: "kit box-b", "kit box-b, missing".
func (l Loan) JSON() LoanJSON {
	note := l.Note()
	return LoanJSON{
		null(l.Device), null(l.DeviceID), null(l.Person), null(l.PersonID), nullTime(l.Since), l.ClockTrusted,
		nullTime(l.Due), l.Overdue, l.DeviceTag != "" || l.PersonTag != "", l.Doubtful, null(l.Station), null(note), before(l.Before, l.shown),
	}
}

// Note has the masked numbers of what is pending, and the kit of a part; it is empty for most.
func (l Loan) Note() string {
	note := ""
	if l.DeviceTag != "" {
		note = pendingNote(note, "device", l.DeviceTag)
	}
	if l.PersonTag != "" {
		note = pendingNote(note, "badge", l.PersonTag)
	}
	if l.Kit != "" {
		note = pendingNote(note, "kit", l.Kit)
	}
	if l.Missing {
		note += ", missing"
	}
	return note
}

// Shown returns the loan as people read it: the masked number of what is
// pending stands in the place of its name, and Before is written.
func (l Loan) Shown() Loan {
	l.shown = true
	if l.DeviceTag != "" {
		l.Device = pendingNote("", "device", l.DeviceTag)
	}
	if l.PersonTag != "" {
		l.Person = pendingNote("", "badge", l.PersonTag)
	}
	return l
}

// MarshalJSON writes LoanJSON.
func (l Loan) MarshalJSON() ([]byte, error) { return json.Marshal(l.JSON()) }

// LoanFilter chooses loans. Person and Device are IDs or exact names.
type LoanFilter struct {
	Page
	Person, Device string
	// Overdue keeps only what should have been back by Now, DueSoon only what should be
	// within Soon; both keep either.
	Overdue, DueSoon bool
	// Missing keeps only parts that somebody has whose kit is elsewhere.
	Missing bool
	// Now is the time to compare due dates with; time.Now if zero.
	Now time.Time
}

// before is the key of that name in what people read.
func before(t time.Time, shown bool) *time.Time {
	if !shown {
		return nil
	}
	return nullTime(t)
}

// pendingNote adds a masked number to a note.
func pendingNote(note, what, mask string) string {
	if note != "" {
		note += ", "
	}
	return note + what + " " + mask
}
