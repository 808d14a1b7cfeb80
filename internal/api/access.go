package api

import (
	"fmt"
	"net/http"
	"net/url"

	"stump/checkout"
	"stump/internal/hint"
	"stump/internal/identity"
)

// actorHeader names the admin for whom root asks, escaped as in a query.
const actorHeader = "Stump-Actor"

// admit returns the request with who asks in its context, if they may do what needs
// this role.
func admit(r *http.Request, role identity.Role) (*http.Request, error) {
	who := identity.Of(r.Context())
	if header := r.Header.Get(actorHeader); header != "" && who.MayActFor() {
		name, err := url.QueryUnescape(header)
		if err == nil {
			err = checkout.CheckName(name)
		}
		if err != nil {
			return r, refuse("send a name, escaped as in a query, or leave it out", "%s: %w", actorHeader, err)
		}
		who.Name = name
		r = r.WithContext(identity.With(r.Context(), who))
	}
	return r, allowed(who, role)
}

// allowed is nil if who may do what needs this role.
func allowed(who identity.Principal, role identity.Role) error {
	switch {
	case who.May(role):
		return nil
	case who.Role == identity.None:
		return problem(CodeNoLogin, "send a token (`stump token add` makes one) as Authorization: Bearer TOKEN, or log in at /login (`stump web admin-link` prints a link)",
			"this needs the role %v, and nobody has logged in", role)
	case who.May(identity.Admin): // not fresh
		return problem(CodeStaleLogin, "log in again: `stump web admin-link` prints a link",
			"this needs the role %v and a login within the last %d min", role, int(identity.FreshFor.Minutes()))
	}
	return problem(CodeRole, fmt.Sprintf("ask an admin to do it, or for the role %v", role), "this needs the role %v, and %s has the role %v", role, who.Name, who.Role)
}

// withheld is what only an admin may read of a fault of the station's: its words may
// name files, processes and addresses.
func withheld(who identity.Principal, code Code, err error) error {
	switch code {
	case CodeInternal, CodeDamaged, CodeCannotSave, CodeDirectory:
		if !who.May(identity.Admin) {
			return hint.Errorf("the station's log says why; an admin can read it", "the station can't do that now")
		}
	}
	return err
}
