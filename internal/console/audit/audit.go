// Package audit is the page that says what admins and scripts have changed, and who was not
// let in.
package audit

import (
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
	Changes  []Change
	Refusals []Refusal
}

// Change is an event that was no bump.
type Change struct {
	ui.Line
	By, Through string
}

// Refusal is a failed login, or something for which somebody's role was not enough.
type Refusal struct {
	identity.Refusal
	When string
}

// most is how many changes and refusals the page has, and back how far it goes back.
const (
	most = 200
	back = 30 * 24 * time.Hour
)

// by are the sources of what people change who are not at a reader.
var by = []checkout.Source{checkout.SourceCLI, checkout.SourceWeb, checkout.SourceAPI}

// Make makes the page.
func Make(v View, keeper books.Keeper, refusals []identity.Refusal, now time.Time) (View, error) {
	var newest []books.Entry
	for e, err := range keeper.History(books.HistoryFilter{Since: now.Add(-back)}) {
		if err != nil {
			return v, err
		}
		if slices.Contains(by, e.Source) {
			if newest = append(newest, e); len(newest) > 2*most {
				newest = slices.Delete(newest, 0, most)
			}
		}
	}
	for _, e := range slices.Backward(newest[max(len(newest)-most, 0):]) {
		v.Changes = append(v.Changes, Change{ui.LineOf(v.Words, e, now), e.Actor, string(e.Source)})
	}
	slices.SortStableFunc(refusals, func(a, b identity.Refusal) int { return b.At.Compare(a.At) })
	for _, r := range refusals[:min(len(refusals), most)] {
		v.Refusals = append(v.Refusals, Refusal{r, v.At(r.At.In(now.Location()), now)})
	}
	return v, nil
}
