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
func (p *replay) event(at ref, ev *stored) (faults []string) {
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
		p.loans[ev.Device] = after(p.loans[ev.Device], ev, at)
	}
	return faults
}

// line is the next event of a station, while the events of several are put in
// an order in which they may have happened.
type line struct {
	at    ref // seq 0: no more
	links links
}

// turn returns which of the lines is next: the first of which everything that
// it links to has been. Where damage has taken that, it is the first there is;
// -1 is the end.
func turn(lines []line, done map[uint16]uint64) int {
	next := -1
	over := map[uint16]bool{}
	for _, l := range lines {
		over[l.at.station] = l.at.seq == 0
	}
	was := func(r ref) bool { return done[r.station] >= r.seq || over[r.station] }
	for i, l := range lines {
		switch {
		case l.at.seq == 0:
		case len(lines) == 1, was(l.links.device) && was(l.links.person) && was(l.links.from) && was(l.links.resolved):
			return i
		case next < 0:
			next = i
		}
	}
	return next
}

// resolve gives the loans of a pending tag to whom it belongs.
func (p *replay) resolve(ev *stored) {
	if ev.Device != "" {
		p.loans[ev.Device] = newer(p.loans[ev.Device], p.loans[ev.resolved])
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
