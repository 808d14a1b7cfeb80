// Package looks finds, of what is asked, who looks at what another person has or had.
package looks

import (
	"net/http"

	"stump/internal/books"
	"stump/internal/identity"
)

// Watcher notes looks.
type Watcher struct {
	Access *identity.Store // nil notes nothing
	// Find finds a person by what stands in an address.
	Find func(ref string) (books.Person, error)
}

// Note notes the look that a request is, if it is one. Who looks at themselves, or asks as
// nobody for what everybody may see, is not noted.
func (w Watcher) Note(r *http.Request) {
	what, ref := of(r)
	who := identity.Of(r.Context())
	if w.Access == nil || what == "" || who.Role == identity.None {
		return
	}
	look := identity.Look{Name: who.Name, Source: string(who.Source), What: what, Person: identity.Everybody}
	if ref != "" {
		p, err := w.Find(ref)
		if err != nil || p.ID == who.Person {
			return
		}
		look.Person = p.ID
	}
	w.Access.Looked(look)
}

// of returns what of a person a request asks for, "" for nothing, and who they are, "" for
// everybody.
func of(r *http.Request) (what, ref string) {
	asked := r.URL.Query()
	switch r.Pattern {
	case "GET /people/{ref}":
		if r.Header.Get("Stump-Part") == "" { // else the page shows what is new by itself
			return "history", r.PathValue("ref")
		}
	case "GET /v1/people/{ref}":
		return "loans", r.PathValue("ref")
	case "GET /v1/people/{ref}/dossier":
		return "dossier", r.PathValue("ref")
	case "GET /v1/who":
		if asked.Get("person") != "" { // else it is the board
			return "loans", asked.Get("person")
		}
	case "GET /v1/history":
		if asked.Get("person") != "" || asked.Get("device") == "" {
			return "history", asked.Get("person")
		}
	case "GET /v1/events":
		return "history", ""
	}
	return "", ""
}
