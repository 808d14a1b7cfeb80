package identity

import (
	"slices"
	"sort"
	"time"

	"stump/checkout"
)

// How long browsers stay logged in, and links can be used.
const (
	SessionIdle = 12 * time.Hour     // since the last request
	SessionLife = 7 * 24 * time.Hour // since the login
	LinkLife    = 10 * time.Minute
	maxSessions = 500 // the oldest end first
	maxLinks    = 10
)

// sessionRow is a browser that has logged in.
type sessionRow struct {
	Hash   string    `json:"hash"`
	Name   string    `json:"name"`
	Role   Role      `json:"role"`
	Person string    `json:"person"`
	Begun  time.Time `json:"begun"`
	Seen   time.Time `json:"seen"` // to the minute
}

// id tells sessions apart, and holds no secret.
func (r *sessionRow) id() string { return "session:" + r.Hash[:8] }

// lasts reports whether the session goes on. A clock that is behind the session's last
// request has not been set yet: until it is, nobody knows how old the session is.
func (r *sessionRow) lasts(now time.Time) bool {
	const slack = 5 * time.Minute // when the clock is set a little
	return now.After(r.Seen.Add(-slack)) && now.Sub(r.Seen) < SessionIdle && now.Sub(r.Begun) < SessionLife
}

// Login begins a session of p, and returns the secret of its cookie.
func (s *Store) Login(p Principal) (secret string) {
	now := s.o.Now()
	secret = s.o.Secret()
	s.mu.Lock()
	s.sessions = slices.DeleteFunc(s.sessions, func(r *sessionRow) bool { return now.Sub(r.Seen) >= SessionIdle })
	s.sessions = append(s.sessions, &sessionRow{hash(secret), p.Name, p.Role, p.Person, now, now})
	s.sessions = keepNewest(s.sessions, maxSessions)
	s.mu.Unlock()
	s.saveOrSay() // what can't be saved lasts until a restart
	return secret
}

// Session is whose cookie this is.
func (s *Store) Session(secret string) (Principal, error) {
	sum, now := hash(secret), s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.sessions, func(r *sessionRow) bool { return r.Hash == sum })
	if i < 0 || !s.sessions[i].lasts(now) {
		return Principal{}, errNoCookie
	}
	r := s.sessions[i]
	if now.Sub(r.Seen) >= time.Minute {
		r.Seen = now
		s.touch()
	}
	return Principal{
		Name: r.Name, Role: r.Role, Person: r.Person, Source: checkout.SourceWeb, Fresh: now.Sub(r.Begun) < FreshFor, ID: r.id(),
	}, nil
}

// Logout ends a session; ending none is no error.
func (s *Store) Logout(secret string) {
	sum := hash(secret)
	s.end(func(r *sessionRow) bool { return r.Hash == sum })
}

// Session is a browser that has logged in.
type Session struct {
	ID          string // a Principal's
	Name        string
	Role        Role
	Begun, Seen time.Time
}

// Sessions are those that go on, the one that was used last first.
func (s *Store) Sessions() (list []Session) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.sessions {
		if r.lasts(now) {
			list = append(list, Session{r.id(), r.Name, r.Role, r.Begun, r.Seen})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Seen.After(list[j].Seen) })
	return list
}

// EndSession ends the session that Sessions has by this id; ending none is no error.
func (s *Store) EndSession(id string) { s.end(func(r *sessionRow) bool { return r.id() == id }) }

// Forget ends all sessions and the calendar of a person who was erased, and takes out who looked at them and
// at whom they looked.
func (s *Store) Forget(id, name string) {
	s.mu.Lock()
	s.looks = slices.DeleteFunc(s.looks, func(l Look) bool { return l.Person == id || l.Name == name })
	s.mu.Unlock()
	s.end(func(r *sessionRow) bool { return r.Person == id })
	s.dropFeed("person", id)
	s.saveOrSay()
}

// end ends sessions.
func (s *Store) end(which func(*sessionRow) bool) {
	s.mu.Lock()
	n := len(s.sessions)
	s.sessions = slices.DeleteFunc(s.sessions, which)
	gone := len(s.sessions) < n
	s.mu.Unlock()
	if gone {
		s.saveOrSay()
	}
}

// link is a one-time link.
type link struct {
	Hash string    `json:"hash"`
	Name string    `json:"name"`
	Made time.Time `json:"made"` // until a restart with its monotonic time: it ends though the clock is set
}

// NewLink returns the secret of a link with which a browser becomes an admin by the name
// of who asked for it: once, within LinkLife. It is saved when Run ends, at the latest.
func (s *Store) NewLink(name string) (secret string) {
	secret = s.o.Secret()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch()
	s.links = keepNewest(append(s.links, link{hash(secret), name, s.o.Now()}), maxLinks)
	return secret
}

// Redeem uses up a link, and returns who logs in by it.
func (s *Store) Redeem(secret string) (Principal, error) {
	sum, now := hash(secret), s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.links, func(l link) bool { return l.Hash == sum })
	if i < 0 {
		return Principal{}, errNoLink
	}
	l := s.links[i]
	s.links = slices.Delete(s.links, i, i+1)
	if age := now.Sub(l.Made); age < 0 || age >= LinkLife {
		return Principal{}, errNoLink
	}
	return Principal{Name: l.Name, Role: Admin, Source: checkout.SourceWeb, Fresh: true}, nil
}
