// Package hubtest has stations for tests of a hub: no more than a chain of events, a clock,
// and what a station asks.
package hubtest

import (
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/lab/wire"
)

// Board is the chain of a station.
type Board struct {
	Name    string
	Chain   checkout.Hash
	Records [][]byte
	Events  []checkout.Event
	Boot    uuid.UUID
	Began   time.Time     // the boot
	Now     time.Time     // the time there
	Heard   time.Time     // the lab time last heard
	Lies    time.Duration // how wrong its wall clock is
	Trusted bool          // the wall clock
	Sent    int           // events that were acknowledged
}

// New returns a station without events.
func New(name string, now time.Time) *Board {
	return &Board{Name: name, Boot: uuid.New(), Began: now.Add(-time.Hour), Now: now, Trusted: true}
}

// Mono is its monotonic clock.
func (b *Board) Mono() time.Duration { return b.Now.Sub(b.Began) }

// Add adds an event to the chain. It sets what every event has.
func (b *Board) Add(ev checkout.Event) checkout.Event { return b.AddRecord(record.Event{Event: ev}) }

// AddResolved is Add of an event that says who or what an id turned out to be.
func (b *Board) AddResolved(ev checkout.Event, was string) checkout.Event {
	return b.AddRecord(record.Event{Event: ev, Resolved: was})
}

// AddRecord is Add of an event with what only the ledger needs of it.
func (b *Board) AddRecord(e record.Event) checkout.Event {
	e.Chain, e.Station, e.ID, e.Heard = b.Chain, b.Name, uuid.Must(uuid.NewV7()), b.Heard
	if e.Seq == 0 {
		e.Seq = b.Last().Seq + 1
	}
	if n := len(b.Events); n > 0 {
		e.Prev = b.Events[n-1].Hash
	}
	if e.At == (checkout.Stamp{}) {
		e.At = checkout.Stamp{Wall: b.Now.Add(b.Lies), Trusted: b.Trusted, BootID: b.Boot, Mono: b.Mono()}
	}
	raw := record.Encode(&e)
	b.Chain = e.Chain
	b.Records, b.Events = append(b.Records, raw), append(b.Events, e.Event)
	return e.Event
}

// Bump adds a check-out, or a return where person is empty; back is then who brings it.
func (b *Board) Bump(device, person, back string, base checkout.Place) checkout.Event {
	kind := checkout.Checkout
	if person == "" {
		kind, person = checkout.Return, back
	}
	return b.Add(checkout.Event{Kind: kind, Device: device, Person: person, PersonName: person + "'s name", Actor: person, Base: base, Source: checkout.SourceReader})
}

// Last is the last event.
func (b *Board) Last() checkout.Event {
	if len(b.Events) == 0 {
		return checkout.Event{}
	}
	return b.Events[len(b.Events)-1]
}

// After is the event before number n of the chain, counted from 0.
func (b *Board) After(n int) wire.Link {
	if n == 0 {
		return wire.Link{}
	}
	return wire.Link{Seq: b.Events[n-1].Seq, Hash: b.Events[n-1].Hash.String()}
}

// Next is what the station sends of the events from on, at most of them; all if that is 0.
func (b *Board) Next(from, most int) *wire.Append {
	to := len(b.Records)
	if most > 0 {
		to = min(to, from+most)
	}
	return &wire.Append{Chain: b.Chain.String(), After: b.After(from), Boot: b.Boot, Mono: int64(b.Mono()), Records: b.Records[from:to],
		Station: wire.Station{Name: b.Name, Version: "1"}}
}

// At is the place of an event.
func At(ev checkout.Event) checkout.Place { return checkout.Place{Chain: ev.Chain, Seq: ev.Seq} }
