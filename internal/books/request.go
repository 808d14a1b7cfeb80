package books

import (
	"stump/checkout"
)

// Request is an admin's word about a device. Person and Device are IDs or
// exact names.
type Request struct {
	Device, Person         string
	Actor, Note, Condition string
	Source                 checkout.Source
}
