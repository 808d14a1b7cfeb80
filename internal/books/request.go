package books

import (
	"time"

	"stump/checkout"
)

// Request is an admin's word about a device. Person and Device are IDs or
// exact names.
type Request struct {
	Device, Person         string
	Actor, Note, Condition string
	Source                 checkout.Source
	// At is when it happened, if that was not now; Due is when a device that is given
	// should be back, if that is not as usual.
	At, Due time.Time
}
