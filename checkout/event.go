package checkout

import (
	"time"

	"github.com/google/uuid"
)

// Kind says what happened.
type Kind string

// The kinds of events. The first three are what two bumps can mean.
const (
	Checkout Kind = "checkout" // the device was free and is now with Person
	Return   Kind = "return"   // Person brought it back
	Handover Kind = "handover" // it went from From to Person without lying in the lab
	Enrol    Kind = "enrol"    // a tag was given to a person or a device
	Correct  Kind = "correct"  // an admin put right what the ledger said
	Lost     Kind = "lost"
	Found    Kind = "found"
	Retire   Kind = "retire" // a person or device left the register
)

// Source says through what an event came in.
type Source string

// The sources of events.
const (
	SourceReader   Source = "reader"
	SourceKeyboard Source = "keyboard"
	SourceCLI      Source = "cli"
	SourceWeb      Source = "web"
)

// Hash is a SHA-256 sum.
type Hash [32]byte

// Stamp is when something happened, in all the ways that a board without a
// clock can tell.
type Stamp struct {
	// Wall is the wall time; it means something only when Trusted.
	Wall time.Time
	// Mono is CLOCK_MONOTONIC, counted from the boot BootID.
	Mono time.Duration
	// BootID is /proc/sys/kernel/random/boot_id.
	BootID uuid.UUID
	// Trusted is whether the wall clock was known to be right.
	Trusted bool
}

// Event is the committed record of something that happened. It is never
// changed; what is personal in it can be erased.
type Event struct {
	Version uint8
	Station string
	// Seq counts this station's events from 1 without a gap; it is their order.
	Seq uint64
	// ID is a UUIDv7, the idempotency key everywhere.
	ID     uuid.UUID
	Kind   Kind
	Reader string
	// Actor is who caused the event: the person who tapped, or an admin.
	Actor string
	// Person is who has the device now, or brought it back; nobody's ID is
	// empty. PersonName is the name at that time.
	Person, PersonName string
	Device, DeviceName string
	// From is the previous holder of a hand-over, or of a return by another.
	From, FromName string
	Source         Source
	At             Stamp
	Note           string
	// PersonTag and DeviceTag are the masked numbers of tags that were not
	// yet resolved to a person or device (a pending event).
	PersonTag, DeviceTag string
	// Prev is the hash of this station's event before it, zero for the first.
	Prev, Hash Hash
}
