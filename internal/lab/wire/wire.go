// Package wire is what the stations of a lab and its hub say to each other, as JSON over
// HTTPS.
//
//	POST /v1/lab/join     Join → Joined      with the secret of a join code
//	GET  /v1/lab/head     → Head             the rest with the token of a station
//	POST /v1/lab/append   Append → []Accepted
//	GET  /v1/lab/changes  ?epoch=&since= → Changes, as soon as there are some; with &first at once
//	POST /v1/lab/lease    Lease → Leased     what one station does for all
//	POST /v1/lab/leave
//
// A station's events go up as they are in its chain, and every one of them once. What
// comes down are rows: what people, devices and loans are now.
package wire

import (
	"time"

	"github.com/google/uuid"
)

// MaxRecords is how many events one Append may have, and MaxRows how many rows one Changes
// has.
const (
	MaxRecords = 500
	MaxRows    = 2000
)

// Wait is how long a hub holds a question for changes when there are none.
const Wait = 50 * time.Second

// The paths.
const (
	PathJoin    = "/v1/lab/join"
	PathHead    = "/v1/lab/head"
	PathAppend  = "/v1/lab/append"
	PathChanges = "/v1/lab/changes"
	PathLease   = "/v1/lab/lease"
	PathLeave   = "/v1/lab/leave"
)

// Link is an event in a chain: its number, and its hash in hexadecimal digits. Seq 0 is the
// beginning of a chain, before its first event.
type Link struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// Head is what the hub has of a station.
type Head struct {
	// Epoch changes when the hub has lost what it had acknowledged. Rows are then read
	// again from the beginning.
	Epoch int64 `json:"epoch"`
	// Ver is that of the newest row of the lab.
	Ver uint64 `json:"ver"`
	// Newest is the last event of the station's chain.
	Newest Link `json:"newest"`
	// At is the lab's time.
	At time.Time `json:"at"`
	// Name is the station's in the lab.
	Name string `json:"name"`
}

// Append is the next events of a station's chain, and what it has changed in the register
// beside them. One without events says that the station is alive.
type Append struct {
	Chain string `json:"chain"` // the hash of its first event
	// After is the event before the first of Records, which the hub has acknowledged. The
	// hub answers "gap" with its Head if it has an earlier one, and begins a new epoch.
	After Link `json:"after"`
	// Epoch is the one in which After was acknowledged; 0 if the station does not know. Of what
	// is lost of an earlier epoch the hub knows already.
	Epoch int64 `json:"epoch,omitempty"`
	// Boot and Mono are the station's boot and its monotonic time now, in nanoseconds.
	Boot    uuid.UUID `json:"boot"`
	Mono    int64     `json:"mono_now"`
	Records [][]byte  `json:"records"` // as package record writes them
	Patches []Patch   `json:"patches,omitempty"`
	Station Station   `json:"station"`
	// Work and Fence are those under which the station has changed some of Patches; 0 for none.
	// Where another station has the work by now, what the lab has stays as it is.
	Work  string `json:"work,omitempty"`
	Fence uint64 `json:"fence,omitempty"`
}

// Lease asks for a work that one station of the lab does for all, such as to remind people.
type Lease struct {
	Work string `json:"work"`
	// Fence is that under which the station has it; 0: it has not.
	Fence uint64 `json:"fence,omitempty"`
	// Done is what the station is about to do, which nobody is to do twice.
	Done []string `json:"done,omitempty"`
}

// Leased is who has a work. Fence is 0 if it is another station.
type Leased struct {
	Fence uint64 `json:"fence"`
	For   int64  `json:"for"` // in nanoseconds: until when it has it, or until it may ask again
	// Fresh are those of Lease.Done that no other station has done.
	Fresh []string `json:"fresh"`
}

// Station is how a station is.
type Station struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Fault is the first thing that is wrong; empty for none.
	Fault string `json:"fault"`
	// URL is where browsers reach it; empty: nowhere.
	URL string `json:"url,omitempty"`
}

// Accepted is the receipt of an event, the same whenever it is sent again.
type Accepted struct {
	LabSeq uint64    `json:"lab_seq"` // its number in the order of arrival
	HT     time.Time `json:"ht"`      // its lab time
}

// Problem is an answer that is not a success. Head is there with "gap".
type Problem struct {
	Code  string `json:"code"`
	Error string `json:"error"`
	Hint  string `json:"hint"`
	Head  *Head  `json:"head,omitempty"`
}

// The codes of problems.
const (
	CodeGap     = "gap"     // the hub has less of the chain than the station thought, or more
	CodeForked  = "forked"  // another board has written other events into this chain
	CodeForged  = "forged"  // a record is not the next of its chain
	CodeNotHere = "unknown" // no such token, or one that was revoked
	CodeTaken   = "taken"   // a station of that name is in the lab
	CodeSpent   = "spent"   // the join code was used, or is too old
	CodeKey     = "key"     // the lab has no site key yet: send one
	CodeClash   = "clash"   // ids or tags of the station's register are others' in the lab
	CodeInvalid = "invalid" // what was sent can't be understood
	CodeFenced  = "fenced"  // another station has the work by now
	CodeNewer   = "newer"   // the hub does not know this version of records
)

// Patch changes fields of a person or device. A field that somebody else has changed since
// Base stays as it is; the hub lists that, and the row comes down again.
type Patch struct {
	Kind   string            `json:"kind"` // "person" or "device"
	ID     string            `json:"id"`
	Base   uint64            `json:"base"` // the Ver that was changed; 0: a new one
	Fields map[string]string `json:"fields"`
}

// Subject is a person or device as the lab has it. A field that is empty is left out. The
// fields are those that package lab names; the hub keeps others as they are, so that newer
// stations can have more.
type Subject struct {
	Kind   string            `json:"kind"`
	ID     string            `json:"id"`
	Ver    uint64            `json:"ver"`
	Fields map[string]string `json:"fields"`
}

// Loan is who has a device.
type Loan struct {
	Device string `json:"device"`
	Ver    uint64 `json:"ver"`
	Person string `json:"person"` // empty: nobody
	// Chain and Seq are of the event that says so, and At its lab time.
	Chain   string    `json:"chain"`
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Station string    `json:"station"`
	Length  int64     `json:"length"` // of the loan in seconds; 0 for no limit
	Lost    bool      `json:"lost,omitempty"`
	Kit     string    `json:"kit,omitempty"`
	// Doubtful: whoever has it by this event had it already, and may have brought it back.
	Doubtful bool `json:"doubtful,omitempty"`
}

// Changes are the rows that are newer than those which a station has. Where Epoch is not
// the one that was asked for, they begin again with the first.
type Changes struct {
	Epoch    int64     `json:"epoch"`
	Ver      uint64    `json:"ver"` // to ask from next
	More     bool      `json:"more"`
	At       time.Time `json:"at"` // the lab's time
	Subjects []Subject `json:"subjects"`
	Loans    []Loan    `json:"loans"`
	Stations []Member  `json:"stations"` // all of them, whenever one is new
}

// Member is a station of the lab.
type Member struct {
	Name    string    `json:"name"`
	Chain   string    `json:"chain"`
	Heard   time.Time `json:"last_heard"`
	Lag     uint64    `json:"lag"` // rows that it has not asked for yet
	Version string    `json:"version"`
	Fault   string    `json:"fault"`
	// Office: it is a hub's own, without readers.
	Office bool `json:"office,omitempty"`
	// URL is where browsers reach it; empty: nowhere, or nobody knows.
	URL string `json:"url,omitempty"`
}

// Join asks to be a station of the lab.
type Join struct {
	Name    string `json:"name"`
	Chain   string `json:"chain"`
	Version string `json:"version"`
	// As: the chain is another board's, whose card was copied; this one begins its own.
	// Replace: this is the station Name with a new card.
	As      bool `json:"as,omitempty"`
	Replace bool `json:"replace,omitempty"`
	// DryRun changes nothing: it tells of clashes.
	DryRun bool `json:"dry_run,omitempty"`
	// Key is the site key of the station, sealed with the code's secret. It is sent when the
	// hub has none yet, and has answered "key".
	Key []byte `json:"key,omitempty"`
	// Office: this is a hub's own station, without readers.
	Office bool `json:"office,omitempty"`
	// Subjects is the register of the station, to look for clashes.
	Subjects []Subject `json:"subjects"`
}

// Joined is a new member.
type Joined struct {
	Lab     string  `json:"lab"`
	Name    string  `json:"name"`
	Token   string  `json:"token"`
	Key     []byte  `json:"key"` // the lab's site key, sealed with the code's secret
	Clashes []Clash `json:"clashes"`
	Head    Head    `json:"head"`
}

// Clash is a person or device of a station that is another one in the lab.
type Clash struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Why is "id" (the lab has another of that id) or "tag" (the lab's Other has its tag).
	Why   string `json:"why"`
	Other string `json:"other"`
	Name  string `json:"name"` // of the lab's one
}
