package books

import (
	"encoding/json"
	"fmt"
	"time"

	"stump/checkout"
)

// Reservation is a promise of a device, or of any of a kind, to a person.
type Reservation struct {
	ID string
	// Device and DeviceID are empty where any device of the Kind is reserved, and Kind where
	// it is one by name.
	Device, DeviceID string
	Kind             string
	Person, PersonID string
	// From and To are when it begins, and when it is over; zero for a place in the line.
	From, To time.Time
	// Kept: it was a place in the line, and the device is there now.
	Kept bool

	key string // see Key
}

// ReservationJSON is a reservation as `reservations --json` writes it: every key is there,
// null where there is nothing.
type ReservationJSON struct {
	ID       string     `json:"id"`
	DeviceID *string    `json:"device_id"`
	Kind     *string    `json:"kind"`
	PersonID string     `json:"person_id"`
	From     *time.Time `json:"from"`
	To       *time.Time `json:"to"`
	Device   *string    `json:"device"`
	Person   *string    `json:"person"`
}

// JSON returns the reservation's written form.
func (r Reservation) JSON() ReservationJSON {
	return ReservationJSON{r.ID, null(r.DeviceID), null(r.Kind), r.PersonID, nullTime(r.From), nullTime(r.To), null(r.Device), null(r.Person)}
}

// MarshalJSON writes ReservationJSON.
func (r Reservation) MarshalJSON() ([]byte, error) { return json.Marshal(r.JSON()) }

// What is what is reserved, for people: the device's name, or the kind.
func (r Reservation) What() string {
	if r.DeviceID == "" {
		return r.Kind
	}
	return r.Device
}

// Key is the reservation's place in the list: by when it begins, then by when it was made.
func (r Reservation) Key() string { return r.key }

// At returns the reservation with its place in the list.
func (r Reservation) At(key string) Reservation {
	r.key = key
	return r
}

// Clash is a reservation that another station of the lab has made, and what is in its way. With
// says that as it would to who makes it now.
type Clash struct {
	Reservation
	With error
}

// ReservationFilter chooses reservations. Person and Device are ids or exact names.
type ReservationFilter struct {
	Page
	Person, Device, Kind string
}

// Booking is a wish to reserve a device, or any device of a kind, for a person; with neither
// From nor To, as the next in the line. Device and Person are ids or exact names.
type Booking struct {
	Device, Kind, Person string
	From, To             time.Time
	// Weekly reserves it in each week after it, too, that begins before then; zero for once.
	Weekly      time.Time
	Actor, Note string
	Source      checkout.Source
}

// UnreservedError is an ErrNotFound of a reservation.
type UnreservedError struct{ ID string }

func (e *UnreservedError) Error() string { return fmt.Sprintf("there is no reservation %q", e.ID) }

// Hint says what to do.
func (e *UnreservedError) Hint() string {
	return "`stump reservations` lists those that there are; one that has ended is in the history"
}

func (e *UnreservedError) Unwrap() error { return ErrNotFound }
