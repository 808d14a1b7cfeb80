// Package reservations is the page of what is reserved. The pages of a device and of a
// person have its list and its form, too.
package reservations

import (
	"cmp"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// Viewer is who looks.
type Viewer struct {
	Person string // in the register, by id; empty for nobody there
	Admin  bool   // reserves for everybody, cancels all, and sees people's pages
}

// MayReserve reports whether who looks can reserve something.
func (v Viewer) MayReserve() bool { return v.Admin || v.Person != "" }

// Row is a reservation. Others are the same in each week after it.
type Row struct {
	books.Reservation
	What         string // the device, or any of a kind
	Begins, Ends string // empty in the line
	Turn         int    // in the line: 1 is next
	Where        string // where the device is that somebody waits for
	Mine         bool   // who looks may cancel it
	Until        string // the day of the last of the Others
	Others       []Row
}

// IDs are those of a reservation and of the same in later weeks.
func (r Row) IDs() []string {
	ids := []string{r.ID}
	for _, o := range r.Others {
		ids = append(ids, o.ID)
	}
	return ids
}

// lister makes rows.
type lister struct {
	w      *ui.Words
	t      *Words
	who    Viewer
	now    time.Time
	rows   []Row
	series map[[3]string][]*series
	turns  map[string]int
}

// series is a row and when the last of it is.
type series struct {
	row      int
	from, to time.Time
}

// at is a time as people read it, with the clock in another year, too.
func at(w *ui.Words, t, now time.Time) string {
	t = t.In(now.Location())
	text := w.At(t, now)
	if !strings.Contains(text, ":") {
		text += t.Format(" 15:04")
	}
	return text
}

// add adds a reservation, or makes it one of the weeks of a row.
func (l *lister) add(r books.Reservation) {
	row := Row{Reservation: r, What: l.t.what(r), Mine: l.who.Admin || l.who.Person != "" && r.PersonID == l.who.Person}
	key := [3]string{r.DeviceID, r.Kind, r.PersonID}
	if r.From.IsZero() {
		line := r.DeviceID + "\n" + r.Kind
		l.turns[line]++
		row.Turn = l.turns[line]
		l.rows = append(l.rows, row)
		return
	}
	from, to := r.From.In(l.now.Location()), r.To.In(l.now.Location())
	row.Begins, row.Ends = at(l.w, from, l.now), at(l.w, to, l.now)
	for _, s := range l.series[key] {
		if s.from.AddDate(0, 0, 7).Equal(from) && s.to.AddDate(0, 0, 7).Equal(to) {
			s.from, s.to = from, to
			first := &l.rows[s.row]
			first.Others, first.Until = append(first.Others, row), l.w.At(from, l.now)
			return
		}
	}
	l.series[key] = append(l.series[key], &series{len(l.rows), from, to})
	l.rows = append(l.rows, row)
}

func newLister(w *ui.Words, who Viewer, now time.Time) *lister {
	return &lister{w: w, t: In(w), who: who, now: now, series: map[[3]string][]*series{}, turns: map[string]int{}}
}

// Of are the rows of the reservations of a person or of a device.
func Of(w *ui.Words, keeper books.Keeper, f books.ReservationFilter, who Viewer, now time.Time) ([]Row, error) {
	l := newLister(w, who, now)
	f.Limit = ui.MostRows
	for r, err := range keeper.Reservations(f) {
		if err != nil {
			return nil, err
		}
		l.add(r)
	}
	return l.rows, nil
}

// Asked is what somebody wants to see.
type Asked struct {
	Find string // part of a name
	What string // "kind:phone" or "device:ipad"; empty for all
}

// Read reads what an address asks for.
func Read(q url.Values) Asked {
	return Asked{Find: strings.TrimSpace(q.Get("q")), What: q.Get("what")}
}

// Chosen is the kind, or the device, that was chosen of a list; neither if nothing was.
func Chosen(what string) (kind, device string) {
	switch of, name, _ := strings.Cut(what, ":"); of {
	case "kind":
		return name, ""
	case "device":
		return "", name
	}
	return "", ""
}

// Choices are what can be chosen: the kinds, and the devices in use by name.
type Choices struct {
	Kinds   []string
	Devices []Choice
}

// Choice is a device. Name has its id where others are called the same.
type Choice struct{ ID, Name string }

// View is the page.
type View struct {
	ui.Frame
	Asked
	T       *Words
	Who     Viewer
	Choices Choices
	Lists   []List
	More    bool           // there are more than the page has
	Form    *Form          // nil: who looks can reserve nothing
	People  []books.Person // whom admins reserve for
}

// List is a part of the page.
type List struct {
	Title string
	Line  bool // of who waits
	Rows  []Row
}

// Make makes the page of what the books say.
func Make(v View, keeper books.Keeper, now time.Time) (View, error) {
	v.T = In(v.Words)
	devices := map[string]books.Device{}
	for d, err := range keeper.Devices(books.Page{}) {
		if err != nil {
			return v, err
		}
		devices[d.ID] = d
	}
	v.Choices = choices(devices)
	rows, err := v.read(keeper, devices, now)
	if err != nil {
		return v, err
	}
	lists := []List{{Title: v.T.Next, Line: true}, {Title: v.T.Now}, {Title: v.T.Week}, {Title: v.T.Later}}
	for _, r := range rows {
		i := 3
		switch {
		case r.From.IsZero():
			i = 0
			if d := devices[r.DeviceID]; d.HolderName != "" {
				r.Where = ui.Fill(v.With, d.HolderName)
			}
		case !r.From.After(now):
			i = 1
		case r.From.Before(now.AddDate(0, 0, 7)):
			i = 2
		}
		lists[i].Rows = append(lists[i].Rows, r)
	}
	v.Lists = slices.DeleteFunc(lists, func(l List) bool { return len(l.Rows) == 0 })
	if v.Form != nil {
		v.Form.Choices = &v.Choices
	}
	return v, nil
}

// read reads the reservations that are asked for, some hundreds at a time.
func (v *View) read(keeper books.Keeper, devices map[string]books.Device, now time.Time) ([]Row, error) {
	const some = 500
	l := newLister(v.Words, v.Who, now)
	kind, device := Chosen(v.What)
	f := books.ReservationFilter{Page: books.Page{Find: v.Find, Limit: some}, Device: device}
	if _, there := devices[device]; device != "" && !there {
		return nil, nil
	}
	for n, shown := some, 0; n == some; {
		n = 0
		for r, err := range keeper.Reservations(f) {
			if err != nil {
				return nil, err
			}
			n, f.After = n+1, r.Key()
			if kind != "" && r.Kind != kind && devices[r.DeviceID].Kind != kind {
				continue
			}
			if shown++; shown > ui.MostRows {
				v.More = true
				return l.rows, nil
			}
			l.add(r)
		}
	}
	return l.rows, nil
}

func choices(devices map[string]books.Device) (c Choices) {
	named := map[string]int{}
	for _, d := range devices {
		if d.Word() != checkout.Active.String() {
			continue
		}
		if d.Kind != "" && !slices.Contains(c.Kinds, d.Kind) {
			c.Kinds = append(c.Kinds, d.Kind)
		}
		named[d.Name]++
		c.Devices = append(c.Devices, Choice{d.ID, d.Name})
	}
	for i, d := range c.Devices {
		if named[d.Name] > 1 {
			c.Devices[i].Name = d.Name + " (" + d.ID + ")"
		}
	}
	slices.Sort(c.Kinds)
	sort.Slice(c.Devices, func(i, j int) bool {
		a, b := c.Devices[i], c.Devices[j]
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID)) < 0
	})
	c.Devices = c.Devices[:min(len(c.Devices), ui.MostRows)]
	return c
}

// Form is the form with which something is reserved.
type Form struct {
	T       *Words
	Action  string
	Who     Viewer
	Choices *Choices // nil: the form is of one device
	// As it was typed, or as it is proposed.
	What, Person, From, To, Weekly, Note string
}

// typedAs is how browsers write a time.
const typedAs = "2006-01-02T15:04"

// NewForm is a form that proposes a day, from the next full hour after a time on.
func NewForm(w *ui.Words, who Viewer, action string, after time.Time) *Form {
	from := time.Date(after.Year(), after.Month(), after.Day(), after.Hour()+1, 0, 0, 0, after.Location())
	return &Form{T: In(w), Action: action, Who: who, From: from.Format(typedAs), To: from.AddDate(0, 0, 1).Format(typedAs)}
}

// Typed makes the form show what was posted.
func (f *Form) Typed(q url.Values) {
	f.What, f.Person, f.From, f.To, f.Weekly, f.Note = q.Get("what"), q.Get("person"), q.Get("from"), q.Get("to"), q.Get("weekly"), q.Get("note")
}

// Time reads a time as browsers write it, where a clock is; zero for none.
func Time(typed string, zone *time.Location) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	for _, as := range []string{typedAs, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(as, typed, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &WrongError{NoTime, typed}
}

// mostPeople is how many people a form offers. A name that it does not offer can be typed.
const mostPeople = 1000

// People are those who take part, by name.
func People(keeper books.Keeper) (all []books.Person, err error) {
	for p, err := range keeper.People(books.Page{}) {
		if err != nil {
			return nil, err
		}
		if p.Status == checkout.Active {
			all = append(all, p)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return strings.ToLower(all[i].Name) < strings.ToLower(all[j].Name) })
	return all[:min(len(all), mostPeople)], nil
}
