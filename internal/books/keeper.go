package books

import (
	"context"
	"iter"
	"time"

	"stump/checkout"
)

// Keeper keeps the books: at a station the ledger does. Package bookstest has what every
// keeper must do. All methods are safe for concurrent use.
//
// A person or device is named by ref: its id, or else its exact name. Errors about them
// are ErrNotFound and *AmbiguousError. What the rules of the lab forbid is a
// checkout.ErrRefused. A change is made as a whole or not at all, with its events.
type Keeper interface {
	// People, Devices and Loans are in the order of ids, the history in that of events,
	// and unknown tags begin with the one seen last. Retired people and devices are in
	// their lists. Loans are those of one moment; each person or device is as they were
	// when they were read.
	People(Page) iter.Seq2[Person, error]
	Devices(Page) iter.Seq2[Device, error]
	Loans(LoanFilter) iter.Seq2[Loan, error]
	// History begins after Page.After, which must be a place in it, or one to come, of a
	// known chain (*CursorError). A page that is searched for long ends with an
	// *UnfinishedError.
	History(HistoryFilter) iter.Seq2[Entry, error]
	UnknownTags() ([]SeenTag, error)
	// UnknownTag is the tag of one of them, and IgnoreTag leaves one out of the list from
	// now on. Errors: ErrNoTag.
	UnknownTag(id string) (checkout.Tag, error)
	IgnoreTag(id string) error

	// FindPerson and FindDevice return one, with its Revision.
	FindPerson(ref string) (Person, error)
	FindDevice(ref string) (Device, error)
	// Parts are those of a kit, in the order of ids.
	Parts(ref string) ([]Part, error)
	// Formerly are those who were merged into a person.
	Formerly(id string) ([]Former, error)
	// TagNumber is the number of a tag, where it is kept.
	TagNumber(kind checkout.SubjectKind, id string) (checkout.Tag, error)

	// Give, Return, Lose and Find are an admin's words about a device.
	Give(Request) (checkout.Event, error)
	Return(Request) (checkout.Event, error)
	Lose(Request) (checkout.Event, error)
	Find(Request) (checkout.Event, error)
	// Extend lets a loan end later, by the rules of loans. It is also the word of who has
	// the device.
	Extend(Request) (checkout.Event, error)

	// Reserve reserves a device, or any of a kind, and returns the reservations that it made,
	// of a weekly one each. CancelReservation ends one (*UnreservedError); own is the id of
	// somebody who may only end theirs, "" for an admin.
	Reserve(Booking) ([]Reservation, error)
	CancelReservation(id, own, note, actor string, source checkout.Source) (checkout.Event, error)
	// Reservations are in the order in which they begin; the line comes first. Free are the
	// devices that can be reserved for all of a time.
	// Clashes are reservations of other stations that were made at the same time.
	Clashes() ([]Clash, error)
	Reservations(ReservationFilter) iter.Seq2[Reservation, error]
	Free(from, to time.Time) iter.Seq2[Device, error]

	// AddPerson and AddDevice add one, with a tag unless it is zero. Errors: *ExistsError,
	// *TagTakenError.
	AddPerson(p Person, badge checkout.Tag, actor string, source checkout.Source) error
	AddDevice(d Device, tag checkout.Tag, actor string, source checkout.Source) error
	EditPerson(ref string, e Edit, actor string, source checkout.Source) error
	EditDevice(ref string, e Edit, actor string, source checkout.Source) error
	// Import adds and changes by id: all rows, or none (*RowError, *BadLines). The end of
	// ctx ends it before anything has changed.
	Import(ctx context.Context, kind checkout.SubjectKind, rows iter.Seq2[ImportRow, error], o ImportOptions) (Imported, error)
	MergePeople(old, into, actor string, source checkout.Source) (checkout.Event, error)
	ErasePerson(ref, actor string, source checkout.Source) error

	// On returns the same books, whose changes are made on terms. Errors of those:
	// *ChangedError, *MadeError.
	On(Terms) Keeper
	// Made returns the request that was made with a key within a day; false if none was.
	Made(key string) (m Made, ok bool, err error)
	// Answered keeps the answer to a request that was made.
	Answered(key string, answer []byte) error
}
