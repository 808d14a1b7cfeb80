// Package wire has what travels between the API and those who ask it: the objects of its
// answers and requests, and its problems. They are contracts: scripts outside the project
// read them. In answers every key is always there, and null is unknown.
package wire

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/jobs"
	"stump/internal/panel"
	"stump/wiegand"
)

// Status is what the station is doing. Only an admin sees what names a file, a process
// or an address, and the words of faults.
type Status struct {
	Station string   `json:"station"`
	Version string   `json:"version"`
	PID     *int     `json:"pid"`
	Readers []string `json:"readers"`
	Sim     bool     `json:"sim"`
	Display string   `json:"display"`
	Since   *string  `json:"display_down_since"`
	Ledger  *string  `json:"ledger"` // its file
	Listen  *string  `json:"listen"` // the address beside the socket
	Events  uint64   `json:"events"` // the number of the newest; `stump verify` counts them
	// Salvaged is what was saved of a damaged ledger, until an admin has seen it.
	Salvaged *string `json:"salvaged"`
	// Damaged is the damage that was found since the start.
	Damaged *string `json:"damaged"`
	// Backups are the folders of the backups; none if they are off.
	Backups []Backup `json:"backups"`
	// Conditions are what is wrong with each reader.
	Conditions map[string][]selftest.Condition `json:"conditions"`
	// Lab is how it stands in its lab; null in none.
	Lab *Lab `json:"lab"`
}

// Withhold takes out what may name a file, a process or an address: all words of faults. An
// admin sees everything.
func (st *Status) Withhold(who identity.Principal) {
	if who.May(identity.Admin) {
		return
	}
	st.PID, st.Ledger, st.Listen, st.Salvaged, st.Damaged, st.Backups = nil, nil, nil, nil, nil, []Backup{}
	st.Display, _, _ = strings.Cut(st.Display, ":")
	for i, reader := range st.Readers {
		st.Readers[i], _, _ = strings.Cut(reader, ":")
	}
}

// Backup is the last good backup in a folder.
type Backup struct {
	Folder string  `json:"folder"`
	File   *string `json:"file"`  // null: none was found to be whole yet
	Event  uint64  `json:"event"` // the newest in it
	// At is when it was made, or found to be whole.
	At           *time.Time `json:"at"`
	ClockTrusted bool       `json:"clock_trusted"`
	// Others is how many files in the folder are of another ledger, and Damaged how many
	// can't be read.
	Others  int `json:"others"`
	Damaged int `json:"damaged"`
}

// Who is one loan: who holds which device.
type Who = books.LoanJSON

// History is one event.
type History = books.EntryJSON

// Unknown is a tag that nobody has.
type Unknown = books.SeenTag

// Person is one person of the register. Of a badge only the end is shown.
type Person struct {
	ID     string  `json:"id"`
	Name   *string `json:"name"`
	Email  *string `json:"email"`
	Badge  *string `json:"badge"` // "…066", "…066, …067 lost"
	Status string  `json:"status"`
	// Groups are all that the person is in.
	Groups []string `json:"groups"`
	// Language is the one in which the person is written to; null for the station's.
	Language *string `json:"language"`
}

// Device is one device of the register.
type Device struct {
	ID       string  `json:"id"`
	Name     *string `json:"name"`
	Tag      *string `json:"tag"`
	Kind     *string `json:"kind"`
	Status   string  `json:"status"`
	Person   *string `json:"person"`
	PersonID *string `json:"person_id"`
	Serial   *string `json:"serial"`
	Place    *string `json:"place"`
	Note     *string `json:"note"`
	Link     *string `json:"link"`
	// Out is the day on which it is lent again; null while it is in service.
	Out       *string `json:"out_until"`
	Condition *string `json:"condition"` // as it was said last
	Kit       *string `json:"kit"`       // the id of the device that it is a part of
}

// Part is a part of a kit.
type Part struct {
	Device
	In      bool `json:"in_kit"`  // somebody has the kit, and this with it
	Missing bool `json:"missing"` // somebody took it with the kit, which is elsewhere
}

// PersonShown is one person with what they have, and who was merged into them.
type PersonShown struct {
	Version
	Person
	// DirectoryGroups are those of the groups that the directory says.
	DirectoryGroups []string       `json:"directory_groups"`
	Loans           []Who          `json:"loans"`
	Was             []books.Former `json:"was"`
}

// DeviceShown is one device with its loan; null for none.
type DeviceShown struct {
	Version
	Device
	Parts []Part `json:"parts"` // of a kit
	Loan  *Who   `json:"loan"`
}

// Merge names who stays where two people are one.
type Merge struct {
	Into string `json:"into"`
}

// Warning is part of the answer to a change.
type Warning struct {
	// Warning is what is strange about the change; null if nothing is.
	Warning *string `json:"warning"`
}

// Warn is a warning of all that is strange; "" is nothing.
func Warn(all ...string) Warning {
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if len(all) == 0 {
		return Warning{}
	}
	text := strings.Join(all, "; ")
	return Warning{Warning: &text}
}

// Several is the first of n warnings of a kind.
func Several(n int, first string) string {
	if n > 1 {
		return fmt.Sprintf("%s (and %d more of this kind)", first, n-1)
	}
	return first
}

// Gone is part of the answer to a change.
type Gone struct {
	// Gone is what is shown of tags that no longer work, if there are any.
	Gone []string `json:"no_longer_works,omitempty"`
}

// PersonChange is a change to a person; a nil field stays as it is.
type PersonChange struct {
	ID     *string `json:"id,omitempty"`
	Name   *string `json:"name,omitempty"`
	Email  *string `json:"email,omitempty"`
	Badge  *string `json:"badge,omitempty"`  // a written credential, in place of the first badge
	Status *string `json:"status,omitempty"` // active, suspended, retired
	// AddBadge is a written credential, beside the badges that there are.
	AddBadge *string `json:"add_badge,omitempty"`
	// LostBadge and FoundBadge are a written credential, or what lists show of it.
	LostBadge  *string `json:"lost_badge,omitempty"`
	FoundBadge *string `json:"found_badge,omitempty"`
	// Groups are those that the person is in, beside those that the directory says.
	Groups   *[]string `json:"groups,omitempty"`
	Language *string   `json:"language,omitempty"`
}

// DeviceChange is a change to a device; a nil field stays as it is.
type DeviceChange struct {
	ID   *string `json:"id,omitempty"`
	Name *string `json:"name,omitempty"`
	Tag  *string `json:"tag,omitempty"` // a written credential
	Kind *string `json:"kind,omitempty"`
	Kit  *string `json:"kit,omitempty"` // by id or name; "" is none
	// Status is active or retired; active also finds a lost device.
	Status *string `json:"status,omitempty"`
	// The rest clears what there is if it is empty.
	Serial    *string `json:"serial,omitempty"`
	Place     *string `json:"place,omitempty"`
	Note      *string `json:"note,omitempty"`
	Link      *string `json:"link,omitempty"`
	Out       *string `json:"out_until,omitempty"`
	Condition *string `json:"condition,omitempty"`
}

// NewFeed says of what a calendar gets an address.
type NewFeed struct {
	Of   string `json:"of"`   // device, person or lab
	Name string `json:"name"` // of the device or person, or its id; "" of the lab
	Role string `json:"role"` // what the calendar shows: board or staff; "" is staff
}

// MadeFeed is a calendar with its address.
type MadeFeed struct {
	identity.Feed
	URL string `json:"url"`
}

// Give puts a device in a person's hands.
type Give struct {
	Device string `json:"device"`
	Person string `json:"person"`
	// At is when it was given, if that was not now; Due is when it should be back, if
	// that is not as usual.
	At   *time.Time `json:"at,omitempty"`
	Due  *time.Time `json:"due,omitempty"`
	Note string     `json:"note"`
}

// Bring takes a device back.
type Bring struct {
	Device    string `json:"device"`
	Condition string `json:"condition"`
	// Missing are the parts, by id or name, without which a kit came back.
	Missing []string `json:"missing,omitempty"`
	// At is when a device was brought back, if that was not now.
	At   *time.Time `json:"at,omitempty"`
	Note string     `json:"note"`
}

// Extend lets a loan end later.
type Extend struct {
	// Due is when the device should be back, if that is not as much later as it is lent.
	Due  *time.Time `json:"due,omitempty"`
	Note string     `json:"note"`
}

// Reserve reserves a device, or any of a kind: for a time, or without one as the next in line.
type Reserve struct {
	Device string     `json:"device"`
	Kind   string     `json:"kind"`
	Person string     `json:"person"`
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	// Weekly reserves it in each week after it, too, that begins before then.
	Weekly *time.Time `json:"weekly_until,omitempty"`
	Note   string     `json:"note"`
}

// Free is a device that can be reserved.
type Free struct {
	Device   string  `json:"device"`
	DeviceID string  `json:"device_id"`
	Kind     *string `json:"kind"`
}

// Key is its place in the list.
func (f Free) Key() string { return f.DeviceID }

// FreeOf is what is told of a device that can be reserved.
func FreeOf(d books.Device) Free {
	f := Free{Device: d.Name, DeviceID: d.ID}
	if d.Kind != "" {
		f.Kind = &d.Kind
	}
	return f
}

// Said is what is said of a device that is lost or found.
type Said struct {
	Condition string `json:"condition"`
	Note      string `json:"note"`
}

// NewEnrolment asks for the next unknown tag to be somebody's or something's.
type NewEnrolment struct {
	Kind   string `json:"kind"` // person, device
	Name   string `json:"name"`
	Reader string `json:"reader,omitempty"` // where it is shown; the first if empty
}

// Enrolment is a tag that is expected, or was given. While it is expected its state is
// waiting, and undone when it was taken away again.
type Enrolment struct {
	Job
	Kind string `json:"kind"` // person, device
	// PersonID or DeviceID is null for who or what is new, and not added yet.
	PersonID *string `json:"person_id"`
	DeviceID *string `json:"device_id"`
	Name     string  `json:"name"`
	New      bool    `json:"new"` // not in the register before
	Reader   string  `json:"reader"`
	Tag      *string `json:"tag"` // the end of its number, once it was shown
	Warning          // that somebody else has this name
}

// Assigned is whose an unknown tag is now.
type Assigned struct {
	Kind     string  `json:"kind"` // person, device
	PersonID *string `json:"person_id"`
	DeviceID *string `json:"device_id"`
	Name     string  `json:"name"`
	New      bool    `json:"new"` // not in the register before
	Warning          // that somebody else has this name
}

// Tap is a card for the simulated reader: a name, a credential or bits.
type Tap struct {
	Card   string `json:"card"`
	Reader string `json:"reader,omitempty"` // the first if empty
}

// Type is a name typed on the simulated keyboard, or keys on a reader's keypad.
type Type struct {
	Text   string `json:"text"`
	Reader string `json:"reader,omitempty"` // whose keypad; the keyboard if empty
}

// Tapped is what the display then shows.
type Tapped struct {
	panel.State
	// Note says why the card had no effect: no reader of this station takes it, or
	// it was a repetition; null if it had one.
	Note *string `json:"note"`
}

// Fault is a fault of a simulated reader or its wiring, or "off".
type Fault struct {
	Fault  string `json:"fault"`
	Reader string `json:"reader,omitempty"` // the first if empty
}

// Imported is what an import did.
type Imported struct {
	Rows      int `json:"rows"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Warning
	// Changes are the first that a dry run would make.
	Changes []books.ImportChange `json:"changes,omitempty"`
}

// Seeded is how many people and devices the simulated lab has.
type Seeded struct {
	People  int `json:"people"`
	Devices int `json:"devices"`
}

// Dossier is all that is held about a person.
type Dossier struct {
	Person Person `json:"person"`
	*books.Dossier
}

// Decision is what an admin decides about an event that is stuck.
type Decision struct {
	Note string `json:"note"`
}

// NewPull asks to read the register from the directory now.
type NewPull struct {
	// Force lets more people be deactivated at once than is plausible.
	Force bool `json:"force"`
}

// Pull is a reading of the register from the directory.
type Pull struct {
	Job
	Force bool `json:"force"`
}

// SyncCheck is a try of everything that the directory and the webhooks need. Its events are
// "result" and "summary".
type SyncCheck struct {
	Job
	Results []selftest.Result `json:"results"`
	Summary *selftest.Summary `json:"summary"` // null until all was tried
}

// Job is what everything has that takes longer than an answer.
type Job struct {
	ID    string     `json:"id"`
	State string     `json:"state"` // running, done, failed, cancelled, expired
	By    string     `json:"by"`    // who began it
	Began time.Time  `json:"began"`
	Ended *time.Time `json:"ended"`
	// Expires is when it ends if its owner does not ask for it; null: never.
	Expires *time.Time `json:"expires"`
	// Problem is why it did not come to its end.
	Problem *Problem `json:"problem"`
}

// JobEvent is something that happened in a job. The last one is "end", with the job.
type JobEvent = jobs.Event

// Progress is the data of the event "progress".
type Progress = jobs.Count

// Verification is a check of the ledger, with its report once there is one.
type Verification struct {
	Job
	Done   uint64   `json:"done"` // events
	Total  uint64   `json:"total"`
	Report *Verdict `json:"report"`
}

// BackupCopy is a consistent copy of the ledger.
type BackupCopy struct {
	Job
	Done  uint64 `json:"done"` // bytes
	Total uint64 `json:"total"`
	// File is where to read it, once it was made; Bytes is its size, null where no copy can
	// be made beside the ledger, and the ledger is read itself.
	File  *string `json:"file"`
	Bytes *int64  `json:"bytes"`
}

// Verdict is what a check of the ledger found.
type Verdict struct {
	OK       bool     `json:"ok"`
	Sentence string   `json:"sentence"`
	Events   uint64   `json:"events"`
	Loans    int      `json:"loans"`
	Gaps     uint64   `json:"gaps"`
	Faults   []string `json:"faults"`
	Hint     *string  `json:"hint"`
}

// NewSelfTest asks for a self-test.
type NewSelfTest struct {
	Reader  string `json:"reader"`  // the first if empty
	Numbers bool   `json:"numbers"` // show card numbers in full
	Ask     bool   `json:"ask"`     // somebody answers its questions
}

// SelfTest is a self-test. Its events are "say", "ask", "result" and "summary".
type SelfTest struct {
	Job
	Reader   string            `json:"reader"`
	Say      *string           `json:"say"`      // what the person at the reader is to do now
	Question *Question         `json:"question"` // that waits for its answer
	Results  []selftest.Result `json:"results"`
	Summary  *selftest.Summary `json:"summary"` // null until all checks were made
}

// Saying is what the person at the reader is to do.
type Saying struct {
	Text string `json:"text"`
}

// Question is what a self-test asks the person at the reader; they are counted from 1.
type Question struct {
	Question int    `json:"question"`
	Text     string `json:"text"`
}

// Answer answers a question.
type Answer struct {
	Question int    `json:"question"`
	Answer   string `json:"answer"`
}

// NewLease asks for a reader's lines, to watch them.
type NewLease struct {
	Reader  string `json:"reader"`  // the first if empty
	Numbers bool   `json:"numbers"` // show card numbers in full
}

// Lease is who has a reader's lines. Meanwhile its cards become no loans.
type Lease struct {
	Job
	Reader string `json:"reader"`
	For    string `json:"for"` // scope, self-test
}

// Key is the lease's place in the list of leases.
func (l Lease) Key() string { return l.ID }

// BadFrame is a refused frame that a reader kept, with its edges.
type BadFrame struct {
	Reader string `json:"reader"`
	wiegand.Record
	Edges []wiegand.Edge `json:"edges"`
}

// Key is the frame's place in the list of frames.
func (f BadFrame) Key() string { return fmt.Sprintf("%s/%d", f.Reader, f.StartNS) }

// Problem is the answer when something is wrong.
type Problem struct {
	Type   string `json:"type"` // "urn:stump:problem:" and the code
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"` // the same as Error
	Code   Code   `json:"code"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
}

// NewToken asks for a token.
type NewToken struct {
	Name    string     `json:"name"`
	Role    string     `json:"role"`
	Expires *time.Time `json:"expires"` // null: never
}

// MadeToken is a token with its secret, which is never shown again.
type MadeToken struct {
	identity.Token
	Secret string `json:"token"`
}

// Web is where browsers and scripts reach the station.
type Web struct {
	Listen *string `json:"listen"` // null: nowhere
	URL    *string `json:"url"`
	// Fingerprint is the certificate's SHA-256, as browsers show it.
	Fingerprint *string `json:"fingerprint"`
	SelfMade    bool    `json:"self_made"` // by the station, so that browsers ask
	// Expires is when the certificate ends.
	Expires *time.Time `json:"expires"`
}

// Link is a one-time link.
type Link struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// Version is part of an object that has a revision: its ETag.
type Version struct {
	Revision string `json:"-"`
}

// ETag is the object's ETag, empty for none.
func (v Version) ETag() string {
	if v.Revision == "" {
		return ""
	}
	return `"` + v.Revision + `"`
}

// Headers and media types.
const (
	// ActorHeader names the admin for whom root asks, escaped as in a query.
	ActorHeader = "Stump-Actor"
	// LineType is the media type of one object a line.
	LineType = "application/x-ndjson"
	// ProblemType is the media type of a problem, by RFC 9457.
	ProblemType = "application/problem+json"
)
