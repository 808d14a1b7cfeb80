package identity

import (
	"slices"
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
		Name: r.Name, Role: r.Role, Person: r.Person, Source: checkout.SourceWeb, Fresh: now.Sub(r.Begun) < FreshFor, ID: "session:" + sum[:8],
	}, nil
}

// Logout ends a session; ending none is no error.
func (s *Store) Logout(secret string) {
	sum := hash(secret)
	s.end(func(r *sessionRow) bool { return r.Hash == sum })
}

// LogoutPerson ends all sessions of a person of the register.
func (s *Store) LogoutPerson(id string) {
	s.end(func(r *sessionRow) bool { return r.Person == id })
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
	hash string
	name string
	made time.Time // with its monotonic time: it ends though the clock is set
}

// NewLink returns the secret of a link with which a browser becomes an admin by the name
// of who asked for it: once, within LinkLife.
func (s *Store) NewLink(name string) (secret string) {
	secret = s.o.Secret()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = keepNewest(append(s.links, link{hash(secret), name, s.o.Now()}), maxLinks)
	return secret
}

// Redeem uses up a link, and returns who logs in by it.
func (s *Store) Redeem(secret string) (Principal, error) {
	sum, now := hash(secret), s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.links, func(l link) bool { return l.hash == sum })
	if i < 0 {
		return Principal{}, errNoLink
	}
	l := s.links[i]
	s.links = slices.Delete(s.links, i, i+1)
	if age := now.Sub(l.made); age < 0 || age >= LinkLife {
		return Principal{}, errNoLink
	}
	return Principal{Name: l.name, Role: Admin, Source: checkout.SourceWeb, Fresh: true}, nil
}
