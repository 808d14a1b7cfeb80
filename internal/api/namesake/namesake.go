// Package namesake warns of people who have one name, and may be one person.
package namesake

import (
	"cmp"
	"fmt"
	"iter"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
)

// Present leaves out who was merged into another.
func Present(all iter.Seq2[books.Person, error]) iter.Seq2[books.Person, error] {
	return func(yield func(books.Person, error) bool) {
		for p, err := range all {
			if (err != nil || p.MergedInto == "") && !yield(p, err) {
				return
			}
		}
	}
}

// Of warns of people who have the name of another, which may be "". id is whom the change was
// about. Two devices may well have one name. There is no warning if the people can't be
// listed, for the change is saved.
func Of(l books.Keeper, id, name string) string {
	if name == "" {
		return ""
	}
	for p, err := range Present(l.People(books.Page{})) {
		if err == nil && p.ID != id && books.PlainName(p.Name) == books.PlainName(name) {
			return twins(p.Name, p.ID, id)
		}
	}
	return ""
}

// OfNew warns of new people, by id, who have the name of another, if they can be listed.
func OfNew(l books.Keeper, ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	isNew := map[string]bool{}
	for _, id := range ids {
		isNew[id] = true
	}
	first, n, names := "", 0, map[string]string{} // id of the first by name
	for p, err := range inPages(l) {
		if err != nil {
			return ""
		}
		name := books.PlainName(p.Name)
		there, twice := names[name]
		if !twice {
			names[name] = p.ID
		} else if isNew[p.ID] || isNew[there] {
			id := p.ID
			if !isNew[id] {
				id, there = there, id
			}
			first = cmp.Or(first, twins(p.Name, there, id))
			n++
			delete(isNew, id) // once is enough
		}
	}
	return wire.Several(n, first)
}

// inPages yields everybody, as Present does, but holds a thousand at most.
func inPages(l books.Keeper) iter.Seq2[books.Person, error] {
	return func(yield func(books.Person, error) bool) {
		for page := (books.Page{Limit: 1000}); ; {
			n := 0
			for p, err := range l.People(page) {
				n++
				page.After = p.ID
				if (err != nil || p.MergedInto == "") && !yield(p, err) || err != nil {
					return
				}
			}
			if n < page.Limit {
				return
			}
		}
	}
}

// twins says that two people have one name.
func twins(name, there, id string) string {
	return fmt.Sprintf("there is another %s (%s); are they one? stump people merge %s %s", name, there, hint.ShellWord(id), hint.ShellWord(there))
}
