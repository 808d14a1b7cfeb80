// Package replay goes through the events of a ledger, and tells who has what after them,
// and which event of a device or person is the newest.
package replay

import (
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/record"
)

// Replay is what the events up to one say.
type Replay struct {
	// Loans are those of each device; one that is free has the zero Loan, or its last
	// event.
	Loans map[string]record.Loan
	// Devices and People are the newest event of each.
	Devices, People map[string]record.Ref
	// Reservations are those that have not ended.
	Reservations booking.Replayed
	// became is who a pending badge was, or whom somebody was merged into.
	became map[string]string
	chains map[checkout.Hash]uint16
}

// New is before the first event.
func New() *Replay {
	return &Replay{map[string]record.Loan{}, map[string]record.Ref{}, map[string]record.Ref{}, booking.Replayed{}, map[string]string{}, map[checkout.Hash]uint16{}}
}

// chain finds a chain among those of the events.
func (p *Replay) chain(id checkout.Hash) (index uint16, ok bool) {
	index, ok = p.chains[id]
	return index, ok
}

// IsNow returns who somebody was at the end.
func (p *Replay) IsNow(id string) string {
	for range p.became { // damage may cause a loop
		if p.became[id] == "" {
			break
		}
		id = p.became[id]
	}
	return id
}

// Open returns who has what at the end.
func (p *Replay) Open() map[string]string {
	open := map[string]string{}
	for id, s := range p.Loans {
		if s.Holder != "" {
			open[id] = s.Holder
		}
	}
	return open
}

// Event adds the next event, and returns what is wrong with its links.
func (p *Replay) Event(at record.Ref, ev *record.Event) (faults []string) {
	p.chains[ev.Chain] = at.Chain
	follow := func(what string, last map[string]record.Ref, id string, link record.Ref) {
		if id == "" {
			return
		}
		if last[id] != link {
			faults = append(faults, fmt.Sprintf("it links to %d as the previous event of %s %q, which is %d", link.Seq, what, id, last[id].Seq))
		}
		last[id] = at
	}
	if ev.Resolved != "" {
		if want := p.Links(ev).Resolved; want != ev.Links.Resolved {
			faults = append(faults, fmt.Sprintf("it links to %d as the pending tag's last event, which is %d", ev.Links.Resolved.Seq, want.Seq))
		}
		p.resolve(ev)
	}
	follow("device", p.Devices, ev.Device, ev.Links.Device)
	follow("person", p.People, ev.Person, ev.Links.Person)
	if ev.From != ev.Person {
		follow("person", p.People, ev.From, ev.Links.From)
	}
	if ev.Device != "" {
		p.Loans[ev.Device] = p.Loans[ev.Device].After(ev, at)
	}
	if err := booking.Apply(p.Reservations, at, ev, p.chain); err != nil { // never of what is replayed
		faults = append(faults, err.Error())
	}
	return faults
}

// Links returns the links of the next event.
func (p *Replay) Links(ev *record.Event) record.Links {
	l := record.Links{Device: p.Devices[ev.Device], Person: p.People[ev.Person]}
	if ev.From != ev.Person {
		l.From = p.People[ev.From]
	}
	if ev.Resolved != "" {
		l.Resolved = p.People[ev.Resolved]
		if ev.Device != "" {
			l.Resolved = p.Devices[ev.Resolved]
		}
	}
	return l
}

// resolve moves the loans of a pending tag to its owner.
func (p *Replay) resolve(ev *record.Event) {
	if ev.Device != "" {
		p.Loans[ev.Device] = p.Loans[ev.Device].Newer(p.Loans[ev.Resolved])
		p.Loans[ev.Resolved] = record.Loan{}
		return
	}
	p.became[ev.Resolved] = ev.Person
	for id, s := range p.Loans {
		if s.Holder == ev.Resolved {
			s.Holder = ev.Person
			p.Loans[id] = s
		}
	}
}
