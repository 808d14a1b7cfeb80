package books

import (
	"fmt"

	"stump/checkout"
)

// Terms are what a change depends on beside itself. They are checked in the transaction
// of the change. The zero Terms are none.
type Terms struct {
	// Revisions, unless nil: the person or device Ref of this kind must have one of
	// these. Ref is an id or exact name.
	Kind      checkout.SubjectKind
	Ref       string
	Revisions []string
	// Key, unless empty, names the request: it changes something once. Request says
	// what was asked. Both are hashes or short.
	Key, Request string
}

// ChangedError says that a person or device is no longer what it was when whoever asks
// looked.
type ChangedError struct {
	Kind checkout.SubjectKind
	ID   string
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("the %s %q has changed meanwhile", e.Kind, e.ID)
}

// Hint says what to do.
func (e *ChangedError) Hint() string { return "nothing was changed; read it again, and decide anew" }

// Made is a request that has changed something already.
type Made struct {
	Request string // what was asked, see Terms
	Answer  []byte // nil: it was not kept
}

// MadeError says that a request was made before.
type MadeError struct{ Made }

func (e *MadeError) Error() string { return "this request was made before" }
