// Package identity says who asks, and what they may do.
//
// A Principal is set once a request, by what the request came in through: the unix
// socket, where the kernel names the user; a token of a script; a session of a
// browser. Every route needs a Role, and roles are in an order: each may do all that
// the ones below it may.
//
// A Store keeps the tokens and sessions in one file of the state folder. Their secrets
// are random (130 bits) and shown once: the file has their SHA-256 alone.
package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

// Role is what somebody may do.
type Role int

// FreshFor is how long after a login an admin may do what is dangerous.
const FreshFor = 15 * time.Minute

// The roles, the least first.
const (
	None       Role = iota // nobody knows who it is
	Board                  // sees what is free
	Staff                  // sees who has what
	Technician             // looks after readers, unknown tags and devices
	Admin                  // everything
	// FreshAdmin is what a route needs that an admin's forgotten browser must not reach:
	// an admin who has logged in within FreshFor. It is nobody's role.
	FreshAdmin
)

var roleNames = []string{"none", "board", "staff", "technician", "admin", "admin"}

// String is the role's name, as it is written everywhere.
func (r Role) String() string { return roleNames[r] }

// Roles are the names of the roles that somebody can be given, the least first.
func Roles() []string { return roleNames[Board:FreshAdmin] }

// ParseRole reads the name of a role that somebody can be given.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(Roles(), name); i >= 0 {
		return Board + Role(i), nil
	}
	remedy := "use board, staff, technician or admin"
	if near := hint.Nearest(name, Roles()); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	return None, hint.Errorf(remedy, "%q is not a role", name)
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a role that somebody can be given.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Principal is who asks. The zero Principal is nobody.
type Principal struct {
	Name   string // for the history
	Role   Role
	Person string          // their id in the register, if that is known
	Source checkout.Source // what they came in through
	Fresh  bool            // they have just said who they are
	// ID tells two of the same name apart, such as "uid:1000". It holds no secret.
	ID string
}

// May reports whether p may do what needs role.
func (p Principal) May(role Role) bool {
	if role == FreshAdmin {
		return p.Role == Admin && p.Fresh
	}
	return p.Role >= role
}

// Process is a command that works without a daemon: it may do what its user may.
func Process() Principal {
	return Principal{Name: "admin", Role: Admin, Source: checkout.SourceCLI, Fresh: true, ID: "process"}
}

// User is a user of this machine whom the kernel names; uid 0 is root.
func User(uid uint32, name string) Principal {
	id := fmt.Sprintf("uid:%d", uid)
	if name == "" {
		name = id // of a directory that this machine doesn't ask
	}
	return Principal{Name: name, Role: Admin, Source: checkout.SourceCLI, Fresh: true, ID: id}
}

// MayActFor reports whether p may say that somebody else asks: root does, for the user
// who typed sudo.
func (p Principal) MayActFor() bool { return p.ID == "uid:0" || p.ID == "process" }

type key struct{}

// With returns a context in which p asks.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// Of returns who asks, nobody if that was never said.
func Of(ctx context.Context) Principal {
	p, _ := ctx.Value(key{}).(Principal)
	return p
}
