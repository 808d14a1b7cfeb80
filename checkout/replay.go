package checkout

import "fmt"

// replay is what the events say, by themselves: who has what, and which event
// of each device and person is the newest.
type replay struct {
	loans           map[string]loanState
	devices, people map[string]ref
}

func newReplay() *replay {
	return &replay{map[string]loanState{}, map[string]ref{}, map[string]ref{}}
}

// open is who has what at the end.
func (p *replay) open() map[string]string {
	open := map[string]string{}
	for id, s := range p.loans {
		if s.holder != "" {
			open[id] = s.holder
		}
	}
	return open
}

// event takes in the next event, and returns what is wrong with its links.
func (p *replay) event(at ref, ev *Event) (faults []string) {
	follow := func(what string, last map[string]ref, id string, link ref) {
		if id == "" {
			return
		}
		if last[id] != link {
			faults = append(faults, fmt.Sprintf("it links to %d as the event of %s %q before it, that is %d", link.seq, what, id, last[id].seq))
		}
		last[id] = at
	}
	if ev.resolved != "" {
		if want := p.links(ev).resolved; want != ev.links.resolved {
			faults = append(faults, fmt.Sprintf("it links to %d as the pending tag's last event, that is %d", ev.links.resolved.seq, want.seq))
		}
		p.resolve(ev)
	}
	follow("device", p.devices, ev.Device, ev.links.device)
	follow("person", p.people, ev.Person, ev.links.person)
	if ev.From != ev.Person {
		follow("person", p.people, ev.From, ev.links.from)
	}
	if ev.Device != "" {
		p.loans[ev.Device] = p.loans[ev.Device].after(ev, at)
	}
	return faults
}

// resolve gives the loans of a pending tag to whom it belongs.
func (p *replay) resolve(ev *Event) {
	if ev.Device != "" {
		p.loans[ev.Device] = p.loans[ev.Device].newer(p.loans[ev.resolved])
		p.loans[ev.resolved] = loanState{}
		return
	}
	for id, s := range p.loans {
		if s.holder == ev.resolved {
			s.holder = ev.Person
			p.loans[id] = s
		}
	}
}
