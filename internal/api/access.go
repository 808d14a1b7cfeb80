package api

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// What the role board may see.
const (
	boardFree    = "free"
	boardHolders = "holders"
)

// board is the least role for what the role board sees if the lab has set one of these.
func (s *Server) board(set ...string) identity.Role {
	if slices.Contains(set, s.o.Board) {
		return identity.Board
	}
	return identity.Staff
}

// deviceList lists the devices: all of them to who may see the holders, and to the others
// those that are free. A tag and what else is known of them is for staff.
func (s *Server) deviceList(r *http.Request, q query, p books.Page) (_ iter.Seq2[party, error], err error) {
	who := identity.Of(r.Context())
	if p.Repair, err = q.flag("repair"); err != nil {
		return nil, err
	}
	if who.May(identity.Staff) {
		return s.devices.all(p), nil
	}
	most := p.Limit
	p.Limit = 0 // how many of them are free, is not known before
	return func(yield func(party, error) bool) {
		n := 0
		for d, err := range s.devices.all(p) {
			device, _ := d.row.(wire.Device)
			if err == nil && (device.PersonID != nil || device.Status != checkout.Active.String()) && !who.May(s.board(boardHolders)) {
				continue
			}
			device.Tag, device.Serial, device.Place, device.Note, device.Link, device.Condition, device.Kit = nil, nil, nil, nil, nil, nil, nil
			d.row = device
			if !yield(d, err) || err != nil {
				return
			}
			if n++; n == most {
				return
			}
		}
	}, nil
}

// admit returns the request with who asks in its context, if they may use the route.
func (s *Server) admit(r *http.Request, to route) (*http.Request, error) {
	who, err := s.asks(r)
	if err != nil {
		return r, err
	}
	if header := r.Header.Get(wire.ActorHeader); header != "" && who.MayActFor() {
		name, err := url.QueryUnescape(header)
		if err == nil {
			err = checkout.CheckName(name)
		}
		if err != nil {
			return r, refuse("send a name, escaped as in a query, or leave it out", "%s: %w", wire.ActorHeader, err)
		}
		who.Name = name
	}
	r = r.WithContext(identity.With(r.Context(), who))
	return r, s.needs(r, to.role)
}

// needs refuses who asks if they may not do what needs this role, and notes it: of a
// route's role, or for what needs more than that.
func (s *Server) needs(r *http.Request, role identity.Role) error {
	who := identity.Of(r.Context())
	err := allowed(who, role)
	if err != nil && who.Role != identity.None && s.o.Access != nil {
		s.o.Access.Refuse(identity.Refusal{What: "role", Name: who.Name, Address: identity.Where(r.RemoteAddr), Call: r.Pattern, Needs: role.String()})
	}
	return err
}

// asks is who asks: by a token, by the cookie of a browser, or else by what they came in
// through.
func (s *Server) asks(r *http.Request) (identity.Principal, error) {
	who := identity.Of(r.Context())
	if s.o.Access == nil {
		return who, nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return who, problem(wire.CodeNoLogin, "send the token as Authorization: Bearer TOKEN", "%q is no way to say who asks", scheme)
		}
		who, err := s.o.Access.Bearer(strings.TrimSpace(secret))
		if err != nil {
			return who, door.Failed(s.o.Access, r, "token", identity.TokenFailures, err)
		}
		return who, nil
	}
	if secret := door.Cookie(r, door.Session); secret != "" {
		if session, err := s.o.Access.Session(secret); err == nil && !s.left(session) {
			return session, nil
		}
	}
	if token := door.Cookie(r, kioskCookie); token != "" && who.Role == identity.None {
		if screen, err := s.screen(token); err == nil {
			return screen, nil
		}
	}
	return who, nil
}

// left reports whether who has logged in is no longer active in the register. A register
// that can't be read keeps nobody from the station: they may be there to mend it.
func (s *Server) left(who identity.Principal) bool {
	if who.Person == "" {
		return false
	}
	p, err := s.desk.FindPerson(who.Person)
	return errors.Is(err, books.ErrNotFound) || err == nil && p.Status != checkout.Active
}

// allowed is nil if who may do what needs this role.
func allowed(who identity.Principal, role identity.Role) error {
	switch {
	case who.May(role):
		return nil
	case who.Role == identity.None:
		return problem(wire.CodeNoLogin, "send a token (`stump token add` makes one) as Authorization: Bearer TOKEN, or log in at /login (`stump web admin-link` prints a link)",
			"this needs the role %v, and nobody has logged in", role)
	case who.May(identity.Admin): // not fresh
		return problem(wire.CodeStaleLogin, "log in again: `stump web admin-link` prints a link",
			"this needs the role %v and a login within the last %d min", role, int(identity.FreshFor.Minutes()))
	}
	return problem(wire.CodeRole, fmt.Sprintf("ask an admin to do it, or for the role %v", role), "this needs the role %v, and %s has the role %v", role, who.Name, who.Role)
}

// withheld is what only an admin may read of a fault of the station's: its words may
// name files, processes and addresses.
func withheld(who identity.Principal, code wire.Code, err error) error {
	switch code {
	case wire.CodeInternal, wire.CodeDamaged, wire.CodeCannotSave, wire.CodeDirectory:
		if !who.May(identity.Admin) {
			return hint.Errorf("the station's log says why; an admin can read it", "the station can't do that now")
		}
	}
	return err
}
