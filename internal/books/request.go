package books

import (
	"time"

	"stump/checkout"
)

// Request is a word about a device: an admin's, or its holder's. Person and Device are IDs or
// exact names.
type Request struct {
	Device, Person         string
	Actor, Note, Condition string
	Source                 checkout.Source
	// Own is the id of somebody who extends a loan of their own; empty for an admin.
	Own string
	// Missing are the parts, IDs or exact names, without which a kit is returned.
	Missing []string
	// At is when it happened, if that was not now; Due is when a device that is given, or
	// whose loan is extended, should be back, if that is not as usual.
	At, Due time.Time
}
