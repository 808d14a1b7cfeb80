package entry

import (
	"slices"
	"strings"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/hint"
)

// Holders finds people by what a file calls them: by id, else by mail address, else by name.
type Holders struct{ by [3]map[string][]string }

// Add adds a person, who may have an id from before.
func (h *Holders) Add(id string, p *books.Person) {
	for i, key := range []string{id, strings.ToLower(p.Email), books.PlainName(p.Name)} {
		if h.by[i] == nil {
			h.by[i] = map[string][]string{}
		}
		if key != "" && !slices.Contains(h.by[i][key], p.ID) {
			h.by[i][key] = append(h.by[i][key], p.ID)
		}
	}
}

// Find returns the id of a person. Errors: *books.NotFoundError, *books.AmbiguousError.
func (h *Holders) Find(ref string) (string, error) {
	for i, key := range []string{ref, strings.ToLower(ref), books.PlainName(ref)} {
		switch ids := h.by[i][key]; {
		case len(ids) == 1:
			return ids[0], nil
		case len(ids) > 1 && i == 1:
			return "", hint.Errorf("write an id", "%q is the mail address of %s", ref, strings.Join(ids, ", "))
		case len(ids) > 1:
			return "", &books.AmbiguousError{Kind: checkout.KindPerson, Name: ref, IDs: ids}
		}
	}
	return "", hint.Errorf("import the people first, or leave the cell empty", "%w", error(&books.NotFoundError{Kind: checkout.KindPerson, Ref: ref}))
}
