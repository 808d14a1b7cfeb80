package identity

import (
	"maps"
	"net/netip"
	"strings"
	"time"
)

// maxNoted is how many refusals, and how many looks, are kept: the newest. They are in no chain, which
// nobody on a network shall fill.
const maxNoted = 500

// Refusal is a failed login, or a call for which somebody's role was not enough. Equal
// ones in a row are one.
type Refusal struct {
	At      time.Time `json:"at"` // the last time
	Count   int       `json:"count"`
	What    string    `json:"what"`    // login, token, session, role
	Name    string    `json:"name"`    // who it was, if that is known
	Address string    `json:"address"` // where they were
	Call    string    `json:"call"`    // what they asked for
	Needs   string    `json:"needs"`   // the role that this needs
}

// Key is the refusal's place in the list.
func (r Refusal) Key() string {
	return strings.Join([]string{r.What, r.Name, r.Address, r.Call, r.Needs}, " ")
}

// Refuse notes a refusal.
func (s *Store) Refuse(r Refusal) {
	r.At, r.Count = s.o.Now(), 1
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = note(s.refused, r, func(r *Refusal) (*time.Time, *int) { return &r.At, &r.Count })
	s.touch()
}

// Refusals are the newest refusals, the newest first.
func (s *Store) Refusals() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newestFirst(s.refused)
}

// How often an address may fail in a minute. A secret can't be guessed: the limits bound
// the work.
const (
	LoginFailures = 10
	TokenFailures = 100
	failuresIn    = time.Minute
)

// maxCounted is how many are counted apart at once; the others share one count.
const maxCounted = 5000

// limiter counts what somebody does in a while.
type limiter struct {
	counts map[string]*counted
	tidied time.Time // when what is over was taken out last
}

type counted struct {
	n    int
	ends time.Time
}

// Failed counts a failure of who, such as "login 192.0.2.7", and returns for how long
// they must wait: 0 for the first most ones in a minute.
func (s *Store) Failed(who string, most int) (wait time.Duration) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.count(who, most, now)
}

func (l *limiter) count(who string, most int, now time.Time) time.Duration {
	if l.counts == nil {
		l.counts = map[string]*counted{}
	}
	over := func(c *counted) bool { return !now.Before(c.ends) || c.ends.Sub(now) > failuresIn }
	c := l.counts[who]
	if full := c == nil && len(l.counts) >= maxCounted; full && now.Sub(l.tidied).Abs() >= time.Second {
		l.tidied = now
		maps.DeleteFunc(l.counts, func(_ string, c *counted) bool { return over(c) })
	}
	if c == nil && len(l.counts) >= maxCounted {
		who = ""
		c = l.counts[who]
	}
	if c == nil || over(c) {
		c = &counted{0, now.Add(failuresIn)}
		l.counts[who] = c
	}
	if c.n++; c.n > most {
		return c.ends.Sub(now)
	}
	return 0
}

// Where is an address as it is counted: of IPv6 the network, since whoever has one
// address there has them all.
func Where(remote string) string {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "this machine"
	}
	ip := addr.Addr().Unmap()
	if ip.Is6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
