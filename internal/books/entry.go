package books

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"stump/checkout"
)

// Entry is an event as history shows it: pending people and devices that have
// been resolved since have their names, and times that became known are set.
type Entry struct {
	checkout.Event
	// Time is the wall time as far as it is known now.
	Time         time.Time
	ClockTrusted bool
	// Before is the latest that it can have been, where Time is not known to be right;
	// zero if nobody knows that either.
	Before time.Time
	// Pending is set while the person, previous holder or device is not known.
	Pending bool

	shown bool // for people, see Shown
}

// Latest is the latest that it can have happened; in the far future if nobody knows.
func (e Entry) Latest() time.Time {
	switch {
	case e.ClockTrusted:
		return e.Time
	case !e.Before.IsZero():
		return e.Before
	}
	return time.Unix(1<<40, 0)
}

// Shown returns the entry as people read it: Before is written.
func (e Entry) Shown() Entry {
	e.shown = true
	return e
}

// EntryJSON is an entry as `history --json` and webhooks write it: every key is
// there, unknown is null.
type EntryJSON struct {
	Station      string        `json:"station"`
	Chain        *string       `json:"chain"`
	Seq          uint64        `json:"seq"`
	ID           string        `json:"id"`
	Kind         checkout.Kind `json:"kind"`
	Reader       *string       `json:"reader"`
	Actor        *string       `json:"actor"`
	Device       *string       `json:"device"`
	DeviceID     *string       `json:"device_id"`
	Person       *string       `json:"person"`
	PersonID     *string       `json:"person_id"`
	From         *string       `json:"from"`
	FromID       *string       `json:"from_id"`
	At           *time.Time    `json:"at"`
	ClockTrusted bool          `json:"clock_trusted"`
	Source       *string       `json:"source"`
	Note         *string       `json:"note"`
	// Before is for tables alone, see Entry.Shown.
	Before *time.Time `json:"before,omitempty"`
}

// JSON returns the entry's written form. Who or what is pending has no id and no
// name, and its masked number in the note, as is what was said of a device's
// condition, without which parts a kit came back, when an admin says that it changed hands, which reminder it is, until when a loan is,
// and what is reserved.
func (e Entry) JSON() EntryJSON {
	note := e.Note
	if e.Condition != "" {
		note = strings.TrimPrefix(note+", condition: "+e.Condition, ", ")
	}
	if e.Kit != "" {
		note = strings.TrimPrefix(note+", kit: "+e.Kit, ", ")
	}
	if e.Missing != nil {
		note = strings.TrimPrefix(note+", missing: "+strings.Join(e.Missing, ", "), ", ")
	}
	if !e.Happened.IsZero() {
		note = strings.TrimPrefix(note+", at: "+e.Happened.Format(time.RFC3339), ", ")
	}
	if e.Stage != "" {
		note = strings.TrimPrefix(note+", stage: "+e.Stage, ", ")
	}
	if !e.Due.IsZero() {
		note = strings.TrimPrefix(note+", due: "+e.Due.Format(time.RFC3339), ", ")
	}
	if e.Booking.Kind != "" {
		note = strings.TrimPrefix(note+", of the kind: "+e.Booking.Kind, ", ")
	}
	if !e.Booking.From.IsZero() {
		note = strings.TrimPrefix(note+", from: "+e.Booking.From.Format(time.RFC3339)+", to: "+e.Booking.To.Format(time.RFC3339), ", ")
	}
	for _, p := range []struct{ id, what, mask string }{
		{e.Device, "device", e.DeviceTag}, {e.Person, "badge", e.PersonTag}, {e.From, "from badge", e.FromTag},
	} {
		if p.mask != "" && (p.id == "" || checkout.IsPendingID(p.id)) {
			note = pendingNote(note, p.what, p.mask)
		}
	}
	id := func(s string) *string {
		if checkout.IsPendingID(s) {
			return nil
		}
		return null(s)
	}
	return EntryJSON{
		e.Station, null(e.Chain.String()), e.Seq, e.ID.String(), e.Kind, null(e.Reader), id(e.Actor), null(e.DeviceName), id(e.Device),
		null(e.PersonName), id(e.Person), null(e.FromName), id(e.From), nullTime(e.Time), e.ClockTrusted,
		null(string(e.Source)), null(note), before(e.Before, e.shown),
	}
}

// MarshalJSON writes EntryJSON.
func (e Entry) MarshalJSON() ([]byte, error) { return json.Marshal(e.JSON()) }

// HistoryFilter chooses events. Person and Device are IDs or exact names.
type HistoryFilter struct {
	Page
	Person, Device string
	// Kind keeps events of one kind, AnyKind all. Without one, history is what
	// happened: everything but refusals.
	Kind checkout.Kind
	// Since keeps what happened at that time or later. An event whose time is not
	// known may have: it is kept, unless it was before then at the latest.
	Since time.Time
	// Until ends the search when it is done; nil: nothing does.
	Until context.Context
}

// Ended is why the search is to end; nil if it is not.
func (f HistoryFilter) Ended() error {
	if f.Until == nil {
		return nil
	}
	return f.Until.Err()
}

// AnyKind is a filter's kind for all events.
const AnyKind checkout.Kind = "any"

// Keeps reports whether events of a kind are wanted.
func (f HistoryFilter) Keeps(k checkout.Kind) bool {
	return f.Kind == k || f.Kind == AnyKind || f.Kind == "" && k != checkout.Refuse
}

// null turns the empty string into JSON's null.
func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// nullTime is a time in seconds, with its zone.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Truncate(time.Second)
	return &t
}
