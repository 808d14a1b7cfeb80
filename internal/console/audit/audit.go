// Package audit is the page that says what admins and scripts have changed, who looked at what
// others have or had, and who was not let in.
package audit

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/identity"
)

// View is the page.
type View struct {
	ui.Frame
	T        *Words
	Sought   string // a name or a word that all that is shown has; empty for everything
	Changes  []Change
	Looks    []Look
	Refusals []Refusal
}

// Change is an event that was no bump.
type Change struct {
	ui.Line
	By, Through string
}

// Look is that somebody looked at what another person has or had. Whom is their name.
type Look struct {
	identity.Look
	When, Saw, Whom string
}

// Refusal is a failed login, or something for which somebody's role was not enough.
type Refusal struct {
	identity.Refusal
	When string
}

// most is how many changes, looks and refusals the page has, and back how far it goes back.
const (
	most = 200
	back = 30 * 24 * time.Hour
)

// by are the sources of what people change who are not at a reader.
var by = []checkout.Source{checkout.SourceCLI, checkout.SourceWeb, checkout.SourceAPI}

// Make makes the page.
func Make(v View, keeper books.Keeper, looks []identity.Look, refusals []identity.Refusal, now time.Time) (View, error) {
	v.T = wordsIn(v.Words)
	finds := books.Page{Find: v.Sought}.Finds
	when := func(t time.Time) string { return v.At(t.In(now.Location()), now) }
	var newest []Change
	for e, err := range keeper.History(books.HistoryFilter{Since: now.Add(-back)}) {
		if err != nil {
			return v, err
		}
		if !slices.Contains(by, e.Source) {
			continue
		}
		c := Change{ui.LineOf(v.Words, e, now), e.Actor, string(e.Source)}
		if !finds(c.By, c.Through, c.What, ui.Text(c.Device), ui.Text(c.Person), ui.Text(c.Note)) {
			continue
		}
		if newest = append(newest, c); len(newest) > 2*most {
			newest = slices.Delete(newest, 0, most)
		}
	}
	v.Changes = newest[max(len(newest)-most, 0):]
	slices.Reverse(v.Changes)
	for _, l := range looks {
		whom, err := name(v, keeper, l.Person)
		if err != nil {
			return v, err
		}
		look := Look{l, when(l.At), cmp.Or(v.T.What[l.What], l.What), whom}
		if finds(l.Name, l.Source, look.Saw, whom) && len(v.Looks) < most {
			v.Looks = append(v.Looks, look)
		}
	}
	for _, r := range refusals {
		if finds(r.What, r.Name, r.Address, r.Call) && len(v.Refusals) < most {
			v.Refusals = append(v.Refusals, Refusal{r, when(r.At)})
		}
	}
	return v, nil
}

// name is the name of a person of the register.
func name(v View, keeper books.Keeper, id string) (string, error) {
	if id == identity.Everybody {
		return v.T.Everybody, nil
	}
	p, err := keeper.FindPerson(id)
	if errors.Is(err, books.ErrNotFound) {
		return id, nil
	}
	return p.Name, err
}
