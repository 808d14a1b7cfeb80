// Package todo is the page that says what waits for a person, and takes the answers.
package todo

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/reservations"
	"stump/internal/console/ui"
	"stump/internal/inbox"
)

// View is the page.
type View struct {
	ui.Frame
	Rows  []inbox.Row
	Admin bool
	Now   time.Time
	// Names are whom and what a tag can be given to.
	Names []string
	// Asked is the row whose form was refused, and Form what was typed into it.
	Asked string
	Form  map[string]string
}

// groups are the kinds of rows, as the page has them.
func (v View) groups() []group {
	all := []group{{v.FaultsHere, inbox.Fault, nil}, {v.NobodysTags, inbox.Tag, nil}, {v.TwoStories, inbox.Doubt, nil}, {v.NotTaken, inbox.Refused, nil}, {v.PartsMissing, inbox.Part, nil},
		{v.ReservedTwice, inbox.Clash, nil}, {v.StationsDiffer, inbox.Conflict, nil}}
	for i := range all {
		for _, r := range v.Rows {
			if r.Kind == all[i].kind {
				all[i].rows = append(all[i].rows, r)
			}
		}
	}
	return slices.DeleteFunc(all, func(g group) bool { return len(g.rows) == 0 })
}

type group struct {
	title string
	kind  inbox.Kind
	rows  []inbox.Row
}

// Names are the names of devices and, for an admin, of people, who take part.
func Names(keeper books.Keeper, admin bool) (all []string, err error) {
	for d, err := range keeper.Devices(books.Page{}) {
		if err != nil {
			return nil, err
		}
		if d.Status == checkout.Active {
			all = append(all, cmp.Or(d.Name, d.ID))
		}
	}
	if admin {
		for p, err := range keeper.People(books.Page{}) {
			if err != nil {
				return nil, err
			}
			if p.Status == checkout.Active {
				all = append(all, cmp.Or(p.Name, p.ID))
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.Compact(all)[:min(len(slices.Compact(all)), ui.MostRows)], nil
}

// title says in a few words what waits.
func (v View) title(r inbox.Row) string {
	switch {
	case r.Seen != nil && r.Seen.Fits == nil:
		return ui.Fill(v.UnknownTag, r.Seen.Number)
	case r.Seen != nil && *r.Seen.Fits == checkout.KindPerson.String():
		return ui.Fill(v.UnknownBadge, r.Seen.Number)
	case r.Seen != nil:
		return ui.Fill(v.UnknownDevice, r.Seen.Number)
	case r.Queued != nil:
		return v.event(r.Queued.Event)
	case r.Doubt != nil:
		return v.event(r.Doubt.Event)
	case r.Loan != nil:
		return r.Loan.Device
	case r.Clash != nil:
		return strings.Join([]string{r.Clash.What(), r.Clash.Person, v.At(r.Clash.From.In(v.Now.Location()), v.Now)}, " · ")
	}
	return v.Told(r.What)
}

// event is an event in a few words: "iPad: taken, Ann Okafor".
func (v View) event(e books.EntryJSON) string {
	parts := []string{name(e.Device, e.DeviceID), cmp.Or(v.Kinds.Of(string(e.Kind)), string(e.Kind)), name(e.Person, e.PersonID)}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

func name(s, id *string) string { return cmp.Or(text(s), text(id)) }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// story is who has a device by one of the two.
func (v View) story(s *string) string {
	switch text(s) {
	case "":
		return "–"
	case "free":
		return v.Free
	}
	return v.Told(*s)
}

// seen says how often a tag was shown, when last, and where.
func (v View) seen(r inbox.Row) string {
	last := v.Unknown
	if r.Seen.ClockTrusted {
		last = v.At(r.Seen.Last.In(v.Now.Location()), v.Now)
	}
	s := ui.Fill(v.SeenTimes, strconv.Itoa(r.Seen.Count)) + ", " + ui.Fill(v.SeenLast, last)
	if r.Seen.Reader != nil {
		s += " " + ui.Fill(v.SeenAt, *r.Seen.Reader)
	}
	return s
}

// when is when an event was, as far as that is known.
func (v View) when(r inbox.Row) string {
	if r.At == nil || r.Queued != nil && !r.Queued.Event.ClockTrusted || r.Doubt != nil && !r.Doubt.Event.ClockTrusted {
		return ""
	}
	return v.At(r.At.In(v.Now.Location()), v.Now)
}

// about is the page of what a row is about, if one is to look at it.
func about(r inbox.Row) (folder, id string) {
	switch {
	case r.Loan == nil && r.Doubt == nil && r.There == nil:
		return "", ""
	case r.DeviceID != nil:
		return "/devices/", *r.DeviceID
	}
	return "/people/", text(r.PersonID)
}

func has(r inbox.Row, a inbox.Answer) bool { return slices.Contains(r.Answers, a) }

// typed is what stood in a field of the form that was refused.
func (v View) typed(r inbox.Row, field string) string {
	if v.Asked != r.ID {
		return ""
	}
	return v.Form[field]
}

// person reports whether the form of a tag has a person chosen.
func (v View) person(r inbox.Row) bool {
	if kind := v.typed(r, "kind"); kind != "" {
		return kind == checkout.KindPerson.String()
	}
	return text(r.Seen.Fits) == checkout.KindPerson.String()
}

// why says why a row waits.
func (v View) why(r inbox.Row) string {
	if r.Clash != nil {
		says, _, _ := reservations.Why(v.Words, r.Clash.With, v.Now)
		return says
	}
	return ui.Sentence(v.Told(text(r.Why)))
}

// remedy is what is to do, in words that the page has no form for.
func (v View) remedy(r inbox.Row) string {
	if r.Doubt != nil || r.Loan != nil || r.Clash != nil {
		return ""
	}
	return ui.Sentence(ui.Remedy(v.Told(text(r.Remedy))))
}
