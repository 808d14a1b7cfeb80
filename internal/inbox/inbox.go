// Package inbox lists what waits for a person: the one list that the API, the commands and
// the pages show. Technicians see faults and unknown tags, admins everything.
package inbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/hint"
)

// Kind is what a row is about.
type Kind string

// The kinds, in the order of the list.
const (
	Fault   Kind = "fault"       // of the station
	Tag     Kind = "unknown-tag" // that was shown, and that nobody has
	Doubt   Kind = "doubtful"    // a device of which the station and the directory tell two stories
	Refused Kind = "refused"     // an event that a place did not take
	Part    Kind = "part"        // is missing from its kit
	Clash   Kind = "clash"       // a reservation that was made at two stations at once
	// Conflict is what stations of a lab did not agree on, at its hub.
	Conflict Kind = "conflict"
)

// Answer is something that can be done about a row.
type Answer string

// The answers.
const (
	Assign Answer = "assign" // the tag to a person or device
	Ignore Answer = "ignore" // the tag
	Retry  Answer = "retry"  // tell the place again
	Drop   Answer = "drop"   // never tell it, with a note
	Accept Answer = "accept" // Refused: the place's word; Doubt: the station's; Conflict: the lab's
	Cancel Answer = "cancel" // the reservation
)

// Row is something that waits. ID is what the commands that answer it take.
type Row struct {
	ID   string  `json:"id"`
	Kind Kind    `json:"kind"`
	What string  `json:"what"`
	Why  *string `json:"why"`
	// Remedy is what to do, where that is not one of the Answers alone.
	Remedy   *string    `json:"remedy"`
	At       *time.Time `json:"at"` // when it was seen last
	Place    *string    `json:"place"`
	DeviceID *string    `json:"device_id"`
	PersonID *string    `json:"person_id"`
	// Here is who has the device by the station, and There by the directory. Of a Conflict they
	// are what the lab has, and what the station Place said.
	Here    *string  `json:"here"`
	There   *string  `json:"there"`
	Answers []Answer `json:"answers"`

	// What the row was made of.
	Seen   *books.SeenTag      `json:"-"`
	Queued *directory.Row      `json:"-"`
	Doubt  *directory.DoubtRow `json:"-"`
	Loan   *books.Loan         `json:"-"`
	Clash  *books.Clash        `json:"-"`
}

// Key is the row's place in the list.
func (r Row) Key() string {
	place := ""
	if r.Place != nil {
		place = *r.Place
	}
	return string(r.Kind) + ":" + place + ":" + r.ID
}

// Station is where rows come from. Without a daemon there are Books and Info alone.
type Station struct {
	Books books.Keeper
	// Info is what the ledger knows of its own damage; nil without one.
	Info func() (ledger.Info, error)
	// Status is that of the directory's worker; nil without one.
	Status func() (directory.Status, error)
	// Conditions are what is wrong with each reader; nil without readers.
	Conditions func() map[string][]selftest.Condition
	// Lab is what waits in the database of a lab; nil at a station.
	Lab func() []Row
	Now time.Time
}

// Disputes are what the stations of a lab have not agreed on, in its database.
type Disputes interface {
	// Waiting lists them; where it can't, it says so in a row.
	Waiting(ctx context.Context) []Row
	// Accept takes the row of an id off the list; is reports whether the id is of one.
	Accept(ctx context.Context, id, actor string) (is bool, err error)
}

// Waiting is the list for an admin, or else for a technician.
func (s Station) Waiting(admin bool) ([]Row, error) {
	all := faults(Conditions(s.Conditions, admin))
	tags, err := s.Books.UnknownTags()
	if err != nil {
		return nil, err
	}
	for _, t := range tags {
		all = append(all, tag(t))
	}
	if !admin {
		return all, nil
	}
	if s.Info != nil {
		info, err := s.Info()
		if err != nil && info.Damaged == nil {
			return nil, err
		}
		all = append(all, damage(info)...)
	}
	if s.Status != nil {
		st, err := s.Status()
		if err != nil {
			return nil, err
		}
		all = append(all, places(st)...)
	}
	for l, err := range s.Books.Loans(books.LoanFilter{Missing: true, Now: s.Now}) {
		if err != nil {
			return nil, err
		}
		all = append(all, part(l.Shown()))
	}
	clashes, err := s.Books.Clashes()
	if err != nil {
		return nil, err
	}
	for _, c := range clashes {
		all = append(all, clash(c))
	}
	if s.Lab != nil {
		all = append(all, s.Lab()...)
	}
	return all, nil
}

func damage(info ledger.Info) (all []Row) {
	if info.Damaged != nil {
		all = append(all, Row{ID: "damaged", Kind: Fault, What: info.Damaged.Error(), Remedy: known(hint.Of(info.Damaged)), Answers: []Answer{}})
	}
	if info.Salvaged != nil {
		all = append(all, Row{ID: "salvaged", Kind: Fault, What: info.Salvaged.String(), Remedy: known("seen it? `stump verify --seen` takes the notice away"), Answers: []Answer{}})
	}
	return all
}

func faults(conditions map[string][]selftest.Condition) (all []Row) {
	for _, reader := range slices.Sorted(maps.Keys(conditions)) {
		for _, c := range conditions[reader] {
			row := Row{ID: c.Name, Kind: Fault, What: c.Text, Remedy: known(c.Remedy), Place: known(reader), Answers: []Answer{}}
			if reader != "" {
				row.ID = reader + "/" + c.Name
			}
			all = append(all, row)
		}
	}
	return all
}

func tag(t books.SeenTag) Row {
	what := "tag"
	switch {
	case t.Fits == nil:
	case *t.Fits == "person":
		what = "badge"
	default:
		what = "device's tag"
	}
	return Row{ID: t.ID, Kind: Tag, What: fmt.Sprintf("unknown %s %s", what, t.Number), Place: t.Reader, At: &t.Last,
		Answers: []Answer{Assign, Ignore}, Seen: &t}
}

// places are the rows of the directory and of what else is told of events.
func places(st directory.Status) (all []Row) {
	for _, d := range st.Doubts {
		all = append(all, Row{ID: d.ID, Kind: Doubt, What: directory.EventWords(d.Event), At: d.Event.At, DeviceID: known(d.DeviceID), PersonID: d.Event.PersonID,
			Here: holder(d.Event), There: known(d.Theirs), Remedy: known("see who has it, then accept what is so here, or give or return it"), Answers: []Answer{Accept}, Doubt: &d})
	}
	for _, sink := range st.Sinks {
		if sink.State == directory.Stopped {
			all = append(all, Row{ID: "all", Kind: Fault, What: sink.Name + ": " + sink.Place + " is told nothing until this is put right", Why: sink.Reason, Remedy: sink.Remedy, Place: &sink.Name, Answers: []Answer{Retry}})
		}
		for _, r := range sink.Stuck {
			all = append(all, queued(sink.Name, r))
		}
	}
	if st.Pull != nil && st.Pull.Error != nil {
		all = append(all, Row{ID: "pull", Kind: Fault, What: "the register can't be read from " + st.Directory, Why: st.Pull.Error, Remedy: st.Pull.Remedy, Answers: []Answer{}})
	}
	for _, o := range st.Orphans {
		all = append(all, Row{ID: "all@" + o.Name, Kind: Refused, What: fmt.Sprintf("%d events wait for %s, which is no longer in the configuration", o.Rows, o.Name),
			Remedy: known("put it back, or drop them"), Place: known(o.Name), Answers: []Answer{Drop}})
	}
	return all
}

// queued is the row of an event that a place did not take.
func queued(place string, r directory.Row) Row {
	row := Row{ID: r.ID, Kind: Refused, What: directory.EventWords(r.Event), Why: known(r.Reason), Remedy: r.Remedy, At: r.Event.At, Place: known(place),
		DeviceID: r.Event.DeviceID, PersonID: r.Event.PersonID, Answers: []Answer{Retry, Drop}, Queued: &r}
	if r.State == record.Conflict.String() {
		row.Here = holder(r.Event)
		if r.Theirs != nil {
			there := r.Theirs.Name
			if r.Theirs.Free {
				there = "free"
			}
			row.There = known(there)
		}
	}
	if r.State == record.InDoubt.String() || r.State == record.Conflict.String() && r.Theirs != nil {
		row.Answers = []Answer{Retry, Accept, Drop}
	}
	return row
}

// holder is who has a device after an event; "free" for nobody.
func holder(ev books.EntryJSON) *string {
	switch {
	case ev.Kind == "return":
		return known("free")
	case ev.Person != nil:
		return ev.Person
	}
	return ev.PersonID
}

func part(l books.Loan) Row {
	what := l.Device + " is missing from its kit: " + l.Person + " has it"
	return Row{ID: l.DeviceID, Kind: Part, What: what, At: &l.Since, DeviceID: known(l.DeviceID), PersonID: known(l.PersonID),
		Remedy: known("return it when it is there, or report it as lost"), Answers: []Answer{}, Loan: &l}
}

func clash(c books.Clash) Row {
	why := c.With.Error()
	if _, said, ok := strings.Cut(why, checkout.ErrRefused.Error()+": "); ok {
		why = said
	}
	what := fmt.Sprintf("%s has reserved %s from %s to %s at another station", c.Person, c.What(), c.From.Local().Format(time.RFC3339), c.To.Local().Format(time.RFC3339))
	return Row{ID: c.ID, Kind: Clash, What: what, Why: &why, Remedy: known("cancel one of the two"), DeviceID: known(c.DeviceID), PersonID: known(c.PersonID),
		Answers: []Answer{Cancel}, Clash: &c}
}

// Conditions are what is wrong with each reader. What may name a file, a process or an
// address is for admins.
func Conditions(of func() map[string][]selftest.Condition, admin bool) map[string][]selftest.Condition {
	all := map[string][]selftest.Condition{}
	if of == nil {
		return all
	}
	for reader, list := range of() {
		list = slices.Clone(list)
		for i, c := range list {
			if !admin && !selftest.Measured(c.Name) {
				list[i].Text, list[i].Remedy = c.Name, "run the self-test, or ask an admin"
			}
		}
		all[reader] = list
	}
	return all
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
