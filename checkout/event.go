package checkout

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// Kind says what happened.
type Kind string

// The kinds of events. The first three are what two bumps can mean; an admin's
// give and return are of these kinds too, told apart by Source and Actor.
const (
	Checkout Kind = "checkout" // the device was free and is now with Person
	Return   Kind = "return"   // Person brought it back, for From where that is somebody else
	Handover Kind = "handover" // it went from From to Person without lying in the lab

	Incomplete Kind = "incomplete" // the kit Device came back without parts, which Missing names

	Extend  Kind = "extend"  // Person keeps the device for longer: Loan and Due say until when
	Reserve Kind = "reserve" // Person has reserved Device, or one of a kind, or waits in line; Booking says which and when
	Cancel  Kind = "cancel"  // the Booking of Person has ended; without an actor nobody came, or it was over
	Ready   Kind = "ready"   // Device is in the lab and kept for Person, who is next, until the end of Booking
	Remind  Kind = "remind"  // it is time to remind Person of the device: Stage says which time
	Digest  Kind = "digest"  // it is time to tell the admin what is overdue; Note says how much
	Notify  Kind = "notify"  // Person is told by mail of what the device's event before did: Stage says which Notice
	Enrol   Kind = "enrol"   // a tag was given to a person or a device
	Correct Kind = "correct" // an admin put right something else: a name, a status; Note says what
	Lost    Kind = "lost"    // the device can't be found; From is who had it. Without a device: a badge of Person
	Found   Kind = "found"   // it is there again, and free
	Refuse  Kind = "refused" // a bump was refused, or nobody knows its tag; Note says why
	Stock   Kind = "stock"   // a stock-taking begins or ends, by Stage; Note says what it has found
	Seen    Kind = "seen"    // a stock-taking has seen the device
	Retire  Kind = "retire"  // a person or device left the register

	Resolve Kind = "resolve" // a pending tag turned out to be Person's or Device
	Merge   Kind = "merge"   // somebody else in the register turned out to be Person; Note says who
	Clock   Kind = "clock"   // the clock is right now: At tells what this boot's earlier times were
	Erase   Kind = "erase"   // something personal was erased; Note says how much, never whose
	Salvage Kind = "salvage" // first of a segment saved from a damaged file
	Restore Kind = "restore" // first of a segment restored from a backup
	Migrate Kind = "migrate" // the chains of earlier names are closed; Closed has their heads
)

// Kinds are all kinds of events.
var Kinds = []Kind{Checkout, Return, Handover, Incomplete, Extend, Reserve, Cancel, Ready, Remind, Digest, Notify, Enrol, Correct, Lost, Found, Stock, Seen, Refuse, Retire, Resolve, Merge, Clock, Erase, Salvage, Restore, Migrate}

// The stages of a Stock.
const (
	StockBegins = "begin"
	StockEnds   = "end"
)

// MovesDevice reports whether events of the kind say who has a device.
func (k Kind) MovesDevice() bool {
	switch k {
	case Checkout, Return, Handover, Lost, Found, Resolve:
		return true
	}
	return false
}

// Mark is what a Correct event says of who has its device, or what stays true after
// another.
type Mark string

// The marks. One stays until a bump or an admin moves the device, or another takes its
// place.
const (
	// MarkDoubtful: before the bump the directory had it as the bump made it, so that
	// the bump may have meant the reverse.
	MarkDoubtful Mark = "doubtful"
	// MarkRight: an admin has looked, and it is as it is here.
	MarkRight Mark = "right"
	// MarkUntold: the directory will not be told, by an admin's word.
	MarkUntold Mark = "untold"
)

// Source says through what an event came in.
type Source string

// The sources of events.
const (
	SourceReader   Source = "reader"
	SourceKeyboard Source = "keyboard"
	SourceCLI      Source = "cli"
	SourceWeb      Source = "web"    // a browser
	SourceAPI      Source = "api"    // a script, with a token
	SourceSync     Source = "sync"   // the directory
	SourceSystem   Source = "system" // the station itself
)

// Hash is a SHA-256 sum.
type Hash [32]byte

// IsZero reports whether h is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// String is the hash in hexadecimal digits; empty for none.
func (h Hash) String() string {
	if h.IsZero() {
		return ""
	}
	return hex.EncodeToString(h[:])
}

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
	// Version is that of the record: 2, or 1 from before chains had names.
	Version uint8
	// Chain is the hash of the chain's first event. It names the chain.
	Chain Hash
	// Station is the station's name at that time. It is a label: a station
	// that is renamed goes on in its chain.
	Station string
	// Seq counts the chain's events from 1 without a gap; it is their order.
	Seq uint64
	// ID is a UUIDv7, the idempotency key everywhere.
	ID     uuid.UUID
	Kind   Kind
	Reader string
	// Actor is who caused the event: the ID of the person who tapped, or an
	// admin's name.
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
	// Happened is when the device changed hands by an admin's word, where that was
	// not at At; zero in all other events.
	Happened time.Time
	// Condition is what was said of the device on its return.
	Condition string
	// Kit is the id of the kit with which Device changed hands as a part of it; empty where
	// it did so by itself.
	Kit string
	// Missing are the names of the parts without which a kit came back.
	Missing []string
	// Along are the names of the parts that changed hands with a kit, and Without of those
	// that whoever took it must know not to be in it. Asked are those that whoever brought it
	// is to bump. They are for the desk alone, and not recorded.
	Along, Without []string
	Asked          []Subject
	// Base is the event that said who had the device, as the desk knew it.
	Base Place
	// Heard is the lab time last heard; zero when there was none.
	Heard time.Time
	// Closed are the heads of the chains that a station began under earlier
	// names, in the event of the migration.
	Closed []Head
	// Loan is how long the device was lent for; zero for no limit.
	Loan time.Duration
	// Due is when an extended loan ends, or one of which somebody is reminded, as far as
	// the station knows when it began; zero in all other events.
	Due time.Time
	// Booking is the reservation that an event makes or is about; of a check-out the one that
	// it fulfils.
	Booking Booking
	// ReservedBy and ReservedFrom are who else has reserved the device that Person took, by
	// name, and from when. They are for the display alone, and not recorded.
	ReservedBy   string
	ReservedFrom time.Time
	// Stage of a Remind is how long before, on or after the due day: "-1d", "0d", "3d". Of a
	// Notify it is the Notice, of a Stock its begin or end.
	Stage string
	// Part of a Remind is how many of the events before it are told of in the same message.
	// Again: an earlier event said so too, in a message that nobody has got.
	Part  int
	Again bool
	// Overdue is another device, by name, that Person should have brought back when they
	// took this one. It is for the display alone, and not recorded.
	Overdue string
	// Against is what the rules of loans say against an admin's word. It is for the answer
	// alone; the note has it, too.
	Against string
	// Mark is what a Correct event says of who has the device; empty for nothing.
	Mark Mark
	// PersonTag, DeviceTag and FromTag are the masked numbers of tags that
	// were not yet resolved when the event was recorded (a pending event).
	// A Resolve has the tag that it resolved.
	PersonTag, DeviceTag, FromTag string
	// Erased is set when what was personal in the event is gone.
	Erased bool
	// Gap names the file that a salvage or restore set aside, and what is
	// missing; nil in all other events.
	Gap *Gap
	// Prev is the hash of the chain's event before it, zero for the first.
	Prev, Hash Hash
}

// Booking is what an event says of a reservation.
type Booking struct {
	// Seq is the number of the event in the chain that made it; zero in that event itself.
	// Chain is zero where that is the event's own.
	Seq   uint64
	Chain Hash
	// Kind is of which devices any is reserved; empty for a device by name.
	Kind string
	// From and To are when it begins, and when it is over; zero in the line.
	From, To time.Time
}

// StillSo reports whether a check-out, return or hand-over left the device with who has it
// now, "" for nobody. If not, another station or an admin has moved it since, and to say the
// event again would be a false yes. Whoever was pending may have a name by now.
func (e *Event) StillSo(holder string) bool {
	if e.Kind != Checkout && e.Kind != Handover {
		return holder == ""
	}
	return holder == e.Person || holder != "" && IsPendingID(e.Person)
}

// Moved is when the device changed hands.
func (e *Event) Moved() Stamp {
	if e.Happened.IsZero() {
		return e.At
	}
	return Stamp{Wall: e.Happened, Trusted: true}
}

// Place is where an event is in the lab; that of no event is zero.
type Place struct {
	Chain Hash
	Seq   uint64
}

// Head is the last event of a closed chain.
type Head struct {
	Station string
	Chain   Hash
	Seq     uint64
	Hash    Hash
}

// Gap is what the first event of a new segment says of the file before it.
type Gap struct {
	// File is the name under which the file before was set aside.
	File string
	// Seq and Hash are of the last event that could be read of it.
	Seq  uint64
	Hash Hash
	// Lost are the sequence numbers that are known to be missing, as pairs of
	// first and last. Later events may be missing too.
	Lost [][2]uint64
	// Others are those of closed chains, by the station's name at that time.
	Others map[string][][2]uint64
}
