package checkout

import (
	"strings"
	"time"
)

// SubjectKind says what a tag belongs to.
type SubjectKind uint8

// What a tag can belong to.
const (
	Unknown SubjectKind = iota
	KindPerson
	KindDevice
)

// String returns the word for the kind.
func (k SubjectKind) String() string {
	switch k {
	case KindPerson:
		return "person"
	case KindDevice:
		return "device"
	}
	return "unknown"
}

// Status says whether a person, device or badge takes part.
type Status uint8

// The states. Only people can be suspended; the last two are a badge's, and those
// of a person who comes with it.
const (
	Active Status = iota
	Retired
	Suspended
	LostBadge // reported lost: whoever has it now is not who it belongs to
	OldBadge  // another took its place
)

var statusWords = []string{"active", "retired", "suspended", "lost", "replaced"}

// String returns the word for the status.
func (s Status) String() string {
	if int(s) < len(statusWords) {
		return statusWords[s]
	}
	return statusWords[Active]
}

// Subject is what the register says of a tag.
type Subject struct {
	Kind SubjectKind
	// ID and Name are the register's. A pending subject has no name, and an
	// ID that only the ledger understands (see IsPendingID).
	ID, Name string
	Tag      Tag
	Status   Status
	// Fits is what the site's rules make of a tag that nobody knows: a badge, a
	// device, or Unknown for either.
	Fits SubjectKind
	// Holder and HolderName are who has a device; empty when it is free. The
	// name of a pending holder is the masked number.
	Holder, HolderName string
	// Against is why nobody gets a device now.
	Against Why
	// ReservedBy and ReservedFrom are who has reserved a device by name, and from when, if
	// that is now or before a loan would end that begins now; empty for nobody.
	ReservedBy   string
	ReservedFrom time.Time
	// Doubtful: the directory says otherwise of who has the device, or did before the
	// last bump.
	Doubtful bool
	// Kit and KitName are the kit of a part that the desk asks for.
	Kit, KitName string
	// Pending is set for a tag that fits the site's badge or device rule, but
	// that nobody knows yet. The caller sets it, together with Kind and Tag;
	// Ledger.Complete records the bump under the tag.
	Pending bool
}

// PendingPrefix starts the IDs of pending subjects. Register IDs are
// printable, so that the two never meet.
const PendingPrefix = "\x01"

// IsPendingID reports whether id stands for a tag that nobody knows yet.
// Such an ID never leaves the ledger's views: they show the masked number.
func IsPendingID(id string) bool { return strings.HasPrefix(id, PendingPrefix) }
