package call

import (
	"github.com/google/uuid"

	"stump/checkout"
)

// Alert tells an admin of faults that last, and of those that are over.
type Alert struct {
	// ID is of this message, the same in every attempt.
	ID      uuid.UUID
	Station string
	At      checkout.Stamp
	// Began are faults that nobody was told of yet; Over are told ones that are no more.
	Began, Over []Fault
}

// Fault is something that is wrong with a station.
type Fault struct {
	Name   string `json:"name"`   // stays the same while it lasts
	What   string `json:"what"`   // is wrong
	Remedy string `json:"remedy"` // what to do; empty where that is not known
}
