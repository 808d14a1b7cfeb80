//go:build services

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func migrated(url string) error {
	s, err := Open(Options{URL: url})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Migrate(context.Background())
	return err
}

// site is a lab in a database of its own.
type site struct {
	testing.TB
	*Store
	url string
	lab int64
}

func newSite(t testing.TB) *site {
	t.Helper()
	x := &site{TB: t, url: pgtest.Shared(t).Database(t, migrated)}
	x.Store = x.another()
	var err error
	x.lab, err = x.Store.Lab(t.Context(), "lab", true)
	x.ok(err)
	return x
}

// another is the store of another hub of the same database.
func (x *site) another() *Store {
	x.Helper()
	s, err := Open(Options{URL: x.url})
	x.ok(err)
	x.Cleanup(s.Close)
	return s
}

func (x *site) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// code is a new join code.
func (x *site) code() Code {
	x.Helper()

	c := wire.Code{URL: "https://h", ID: rand.Text(), Secret: []byte("0123456789abcdef0123")}
	x.ok(x.AddCode(x.Context(), x.lab, c))
	got, err := x.Code(x.Context(), c.Bearer())
	x.ok(err)
	return got
}

// member is a station of the lab.
type member struct {
	*site
	*hubtest.Board
	from Sender
}

// join makes a board a member.
func (x *site) join(b *hubtest.Board) *member {
	x.Helper()
	j := &wire.Join{Name: b.Name, Version: "1"}
	if len(b.Events) > 0 {
		j.Chain = b.Chain.String()
	}
	joined, err := x.Join(x.Context(), x.code(), j, func() ([]byte, error) { return []byte("checked!"), nil })
	x.ok(err)
	return x.member(b, joined.Token)
}

func (x *site) member(b *hubtest.Board, token string) *member {
	x.Helper()
	from, err := x.Sender(x.Context(), token)
	x.ok(err)
	return &member{x, b, from}
}

func (x *site) station(name string) *member { return x.join(hubtest.New(name, time.Now())) }

// send sends what was not sent yet.
func (m *member) send() []wire.Accepted {
	m.Helper()
	m.Now = time.Now()
	got, err := m.Append(m.Context(), m.from, m.Next(m.Sent, 0))
	m.ok(err)
	m.Sent = len(m.Records)
	return got
}

// rows are all rows that a station can have.
func (m *member) rows() wire.Changes {
	m.Helper()
	var all wire.Changes
	for {
		c, err := m.Changes(m.Context(), m.from, all.Epoch, all.Ver, 0)
		m.ok(err)
		all.Epoch, all.Ver, all.At, all.Subjects, all.Loans = c.Epoch, c.Ver, c.At, append(all.Subjects, c.Subjects...), append(all.Loans, c.Loans...)
		if c.Stations != nil {
			all.Stations = c.Stations
		}
		if !c.More {
			return all
		}
	}
}

// holder is who has a device, for a station that asks.
func (m *member) holder(device string) string {
	m.Helper()
	for _, l := range m.rows().Loans {
		if l.Device == device {
			return l.Person
		}
	}
	return ""
}

// is wants a problem with a code.
func is(t testing.TB, what string, err error, code string) *Problem {
	t.Helper()
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.Wire.Code != code {
		t.Fatalf("%s: %v, want the problem %q", what, err, code)
	}
	if p.Hint() == "" {
		t.Errorf("%s: %v has no hint", what, err)
	}
	return p
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

var none checkout.Place
