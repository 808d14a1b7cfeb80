package ledger

import (
	"fmt"

	"stump/checkout/ledger/record"
)

// replay collects from the events who has what, and the newest event of each device and
// person.
type replay struct {
	loans           map[string]record.Loan
	devices, people map[string]record.Ref
	// became is who a pending badge was, or whom somebody was merged into.
	became map[string]string
}

func newReplay() *replay {
	return &replay{map[string]record.Loan{}, map[string]record.Ref{}, map[string]record.Ref{}, map[string]string{}}
}

// isNow returns who somebody was at the end.
func (p *replay) isNow(id string) string {
	for range p.became { // damage may cause a loop
		if p.became[id] == "" {
			break
		}
		id = p.became[id]
	}
	return id
}

// open returns who has what at the end.
func (p *replay) open() map[string]string {
	open := map[string]string{}
	for id, s := range p.loans {
		if s.Holder != "" {
			open[id] = s.Holder
		}
	}
	return open
}

// event adds the next event, and returns what is wrong with its links.
func (p *replay) event(at record.Ref, ev *record.Event) (faults []string) {
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
		if want := p.links(ev).Resolved; want != ev.Links.Resolved {
			faults = append(faults, fmt.Sprintf("it links to %d as the pending tag's last event, which is %d", ev.Links.Resolved.Seq, want.Seq))
		}
		p.resolve(ev)
	}
	follow("device", p.devices, ev.Device, ev.Links.Device)
	follow("person", p.people, ev.Person, ev.Links.Person)
	if ev.From != ev.Person {
		follow("person", p.people, ev.From, ev.Links.From)
	}
	if ev.Device != "" {
		p.loans[ev.Device] = after(p.loans[ev.Device], ev, at)
	}
	return faults
}

// links returns the links of the next event.
func (p *replay) links(ev *record.Event) record.Links {
	l := record.Links{Device: p.devices[ev.Device], Person: p.people[ev.Person]}
	if ev.From != ev.Person {
		l.From = p.people[ev.From]
	}
	if ev.Resolved != "" {
		l.Resolved = p.people[ev.Resolved]
		if ev.Device != "" {
			l.Resolved = p.devices[ev.Resolved]
		}
	}
	return l
}

// resolve moves the loans of a pending tag to its owner.
func (p *replay) resolve(ev *record.Event) {
	if ev.Device != "" {
		p.loans[ev.Device] = newer(p.loans[ev.Device], p.loans[ev.Resolved])
		p.loans[ev.Resolved] = record.Loan{}
		return
	}
	p.became[ev.Resolved] = ev.Person
	for id, s := range p.loans {
		if s.Holder == ev.Resolved {
			s.Holder = ev.Person
			p.loans[id] = s
		}
	}
}
