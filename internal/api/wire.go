package api

import (
	"time"

	"stump/checkout"
	"stump/internal/panel"
)

// The objects of the API. They are contracts: scripts outside the project read
// them. Every key is always there; null is unknown.

// Who is one loan: who holds which device.
type Who = checkout.LoanJSON

// History is one event.
type History = checkout.EntryJSON

// Person is one person of the register. Of the badge only the end is shown.
type Person struct {
	ID     string  `json:"id"`
	Name   *string `json:"name"`
	Email  *string `json:"email"`
	Badge  *string `json:"badge"`
	Status string  `json:"status"`
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
}

// Warning is part of the answer to a change.
type Warning struct {
	// Warning is what is strange about the change; null if nothing is.
	Warning *string `json:"warning"`
}

// Unknown is a tag that nobody has. Only the end of its number is kept.
type Unknown struct {
	Number       string    `json:"number"`
	Bits         int       `json:"bits"`
	Count        int       `json:"count"`
	Last         time.Time `json:"last"`
	ClockTrusted bool      `json:"clock_trusted"`
}

// PersonChange is what an admin asks for; a nil field stays as it is.
type PersonChange struct {
	ID     *string `json:"id,omitempty"`
	Name   *string `json:"name,omitempty"`
	Email  *string `json:"email,omitempty"`
	Badge  *string `json:"badge,omitempty"`  // a written credential
	Status *string `json:"status,omitempty"` // active, suspended, retired
}

// DeviceChange is what an admin asks for; a nil field stays as it is.
type DeviceChange struct {
	ID   *string `json:"id,omitempty"`
	Name *string `json:"name,omitempty"`
	Tag  *string `json:"tag,omitempty"` // a written credential
	Kind *string `json:"kind,omitempty"`
	// Status is active or retired; what was lost is found when it is active.
	Status *string `json:"status,omitempty"`
}

// Give is an admin's hand-out of a device.
type Give struct {
	Device string `json:"device"`
	Person string `json:"person"`
	Note   string `json:"note"`
}

// Bring is an admin's return of a device.
type Bring struct {
	Device    string `json:"device"`
	Condition string `json:"condition"`
	Note      string `json:"note"`
}

// Enrol asks for the next unknown tap.
type Enrol struct {
	Kind string `json:"kind"` // person, device
	Name string `json:"name"`
	Wait bool   `json:"wait"`
}

// Enrolled says whom a tag is expected for, or was given to.
type Enrolled struct {
	ID   *string `json:"id"`
	Name string  `json:"name"`
	New  bool    `json:"new"` // the register did not have them
}

// Tap is a card for the simulated reader: a name, a credential or bits.
type Tap struct {
	Card string `json:"card"`
}

// Tapped is what the panel answered.
type Tapped struct {
	panel.State
	// Note says why nothing came of the card: no reader of this station takes
	// such a one, or it was taken for a repetition; null if something did.
	Note *string `json:"note"`
}

// Imported is what an import did.
type Imported struct {
	Rows      int `json:"rows"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Warning
}

// Seeded is what the simulated lab was filled with.
type Seeded struct {
	People  int `json:"people"`
	Devices int `json:"devices"`
}

// Dossier is all that is held about a person.
type Dossier struct {
	Person Person           `json:"person"`
	Loans  []checkout.Loan  `json:"loans"`
	Events []checkout.Entry `json:"events"`
	// Named are events that name them as actor or in the note only.
	Named   []checkout.Entry `json:"named"`
	Explain string           `json:"explain"` // what is not in here
}

// Problem is what the API answers instead when something is wrong.
type Problem struct {
	Error string `json:"error"`
	Hint  string `json:"hint"`
}
