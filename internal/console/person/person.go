// Package person is the page of one person, what somebody has themselves, and the list of
// all.
package person

import (
	"sort"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/register"
	"stump/internal/console/reservations"
	"stump/internal/console/ui"
)

// View is the page of one person.
type View struct {
	ui.Frame
	books.Person
	Mine               bool // it is that of who asks
	T                  *register.Words
	Twin               books.Person // somebody else of the same name, if there is one
	Was                []books.Former
	Who                reservations.Viewer
	Loans              []Loan
	Booked             []reservations.Row
	Past               []Past // the newest first, as are the reminders
	Reminders, History []ui.Line
	// Calendar is that of who asks.
	Calendar ui.Calendar
}

// Loan is something that the person has.
type Loan struct {
	books.Loan
	Began, Ends, Late string
	// Revision is that of the device, with which its person extends the loan; empty if it
	// has no end.
	Revision string
}

// Make makes the page of what the books say of a person.
func Make(v View, keeper books.Keeper, ref string, now time.Time) (_ View, err error) {
	if v.Person, err = keeper.FindPerson(ref); err != nil {
		return v, err
	}
	for l, err := range keeper.Loans(books.LoanFilter{Person: v.Person.ID, Now: now}) {
		if err != nil {
			return v, err
		}
		row := Loan{Loan: l.Shown()}
		row.Began, row.Ends, row.Late = v.Terms(l, now)
		if v.Mine && !l.Due.IsZero() {
			d, err := keeper.FindDevice(l.DeviceID)
			if err != nil {
				return v, err
			}
			row.Revision = d.Revision
		}
		v.Loans = append(v.Loans, row)
	}
	if v.Booked, err = reservations.Of(v.Words, keeper, books.ReservationFilter{Person: v.Person.ID}, v.Who, now); err != nil {
		return v, err
	}
	history := keeper.History(books.HistoryFilter{Person: v.Person.ID})
	if v.Mine {
		v.History, err = ui.Lines(v.Words, history, now)
		return v, err
	}
	v.Title, v.T = v.Person.Name, register.WordsIn(v.Words)
	if v.Twin, err = register.Twin(keeper, v.Person); err != nil {
		return v, err
	}
	if v.Was, err = keeper.Formerly(v.Person.ID); err != nil {
		return v, err
	}
	log := newLog(v.Person.ID, v.Was)
	if v.History, err = ui.Lines(v.Words, log.watch(history), now); err != nil {
		return v, err
	}
	if v.Reminders, err = ui.Lines(v.Words, all(log.reminders), now); err != nil {
		return v, err
	}
	v.Past = log.past(v.Words, now)
	return v, nil
}

// page is where the page is.
func (v View) page() string {
	if v.Mine {
		return "/my"
	}
	return string(ui.To("/people/", v.Person.ID))
}

// ListView is the list of all people.
type ListView struct {
	ui.Frame
	Sought string
	People []Row
	More   bool
}

// Row is a person in the list, and how many devices they have.
type Row struct {
	books.Person
	Has int
}

// List makes the list of what the books say.
func List(v ListView, keeper books.Keeper, now time.Time) (ListView, error) {
	has := map[string]int{}
	for l, err := range keeper.Loans(books.LoanFilter{Now: now}) {
		if err != nil {
			return v, err
		}
		has[l.PersonID]++
	}
	for p, err := range keeper.People(books.Page{Find: v.Sought}) {
		if err != nil {
			return v, err
		}
		if p.MergedInto == "" && (p.Status != checkout.Retired || v.Sought != "") {
			v.People = append(v.People, Row{p, has[p.ID]})
		}
	}
	sort.SliceStable(v.People, func(i, j int) bool { return strings.ToLower(v.People[i].Name) < strings.ToLower(v.People[j].Name) })
	if v.More = len(v.People) > ui.MostRows; v.More {
		v.People = v.People[:ui.MostRows]
	}
	return v, nil
}

// state is whether somebody takes part, where they don't.
func state(w *ui.Words, p books.Person) string {
	switch p.Status {
	case checkout.Retired:
		return w.Retired
	case checkout.Suspended:
		return w.Suspended
	}
	return ""
}
