// Package console has the pages of a station for browsers. They work without a script, in
// four languages, in light and dark, on a phone; the script keeps them up to date.
//
//	GET /                     who has what, and what is free
//	GET /devices, /people     lists
//	GET /devices/{id}         a device; its forms are posted to /devices/{id}/return, give, …
//	GET /people/{id}, /my     a person, and who asks
//	GET /reservations         what is reserved; its forms are posted to /reservations, …/cancel
//	GET /reports              how devices are used
//	GET /stock                stock-taking
//	GET /labels               codes for devices, to print
//	GET /audit, /settings     who changed what; what is configured, and tokens
//	/add/{kind}, …/{id}/edit  who or what is new, and what is changed of them
//	/import                   a file is looked at, and then imported
//	GET /inbox                what waits for a person; its forms are posted to /inbox/assign, …
//	GET /stations/{name}      a station's health, its self-test and its scope
//	GET /stations/{name}/lines what a scope sees, as server-sent events
//	GET /changes              says that something has changed, as server-sent events
//
// A form carries the revision of what its page showed: what has changed meanwhile is not
// changed again by a page from before. After a change the browser is sent to the page.
package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/board"
	"stump/internal/console/device"
	"stump/internal/console/imports"
	"stump/internal/console/person"
	"stump/internal/console/register"
	"stump/internal/console/reservations"
	"stump/internal/console/settings"
	"stump/internal/console/stocktaking"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/inbox"
	"stump/internal/panel"
	"stump/internal/signal"
)

// Options are what the pages work with.
type Options struct {
	Books    books.Keeper
	Station  string
	Language string           // of whoever asks for none of ours
	Zone     *time.Location   // nil: the machine's
	Now      func() time.Time // the wall clock
	// Visitor is the role whose board somebody sees who has not logged in.
	Visitor identity.Role
	// Holders is the least role that sees who has what.
	Holders identity.Role
	// Me is who asks, in the register.
	Me func(*http.Request) (books.Person, error)
	// Access has the tokens, and who was not let in; Leave is told whose work is to end.
	Access *identity.Store
	Leave  func(id string)
	// Site is where others reach the station.
	Site func() string
	// Settings are what the page of settings asks of the station.
	Settings settings.Station
	// Appended returns a channel that is closed when the next event is committed.
	Appended func() <-chan struct{}
	// Import imports a file whose columns are mapped as by sheet.Mapping, or says what that
	// would change.
	Import func(r *http.Request, kind checkout.SubjectKind, file io.Reader, pairs []string, dryRun bool) (imports.Result, error)
	// Lab is how the station stands in its lab; nil in none.
	Lab   func() *wire.Lab
	Inbox Inbox
	Enrol Enrol
	// Changed is told of each change that was made here.
	Changed func()
	// Feed makes the address of a calendar of a device or person, or ends the one that it has.
	Feed func(r *http.Request, of, id string, revoke bool) (url string, err error)
	// API answers what the pages of the station ask, as whoever asks for them.
	API http.Handler
	// Panel is what the display shows; nil without one.
	Panel *panel.Panel
	// Wiring draws which wire goes where at a reader; nil without a daemon.
	Wiring func(reader string) (svg string, err error)
	// Weeks says how a reader was read in each week; nil without a daemon.
	Weeks func(reader string) []signal.Week
}

// Console answers browsers. A handler's error is shown by Fail.
type Console struct {
	o     Options
	parts parts[[]byte]
	todos parts[[]inbox.Row]
	kept  kept
	notes notes
}

// New returns the pages.
func New(o Options) *Console {
	c := &Console{o: o}
	c.o.Changed = func() {
		c.todos.forget()
		o.Changed()
	}
	return c
}

// Route is a page, and the least role that may see it.
type Route struct {
	Pattern string
	Role    identity.Role
	Answer  func(http.ResponseWriter, *http.Request) error
}

// Routes are all pages.
func (c *Console) Routes() []Route {
	return slices.Concat([]Route{
		{"GET /{$}", identity.None, c.board},
		{"GET /changes", identity.None, c.changes},
		{"GET /assets/{file}", identity.None, c.asset},
		{"GET /my", identity.Staff, c.my},
		{"POST /my/calendar", identity.Staff, c.myCalendar},
		{"POST /devices/{ref}/calendar", identity.Admin, c.deviceCalendar},
		{"GET /devices", identity.Staff, c.devices},
		{"GET /devices/{ref}", identity.Staff, c.device},
		{"POST /devices/{ref}/return", identity.Admin, c.change("return", books.Keeper.Return)},
		{"POST /devices/{ref}/give", identity.Admin, c.change("give", books.Keeper.Give)},
		{"POST /devices/{ref}/lost", identity.Admin, c.change("lost", books.Keeper.Lose)},
		{"POST /devices/{ref}/found", identity.Admin, c.change("found", books.Keeper.Find)},
		{"POST /devices/{ref}/extend", identity.Staff, c.change("extend", books.Keeper.Extend)}, // their own; admins all
		{"GET /people", identity.Admin, c.people},
		{"GET /people/{ref}", identity.Admin, c.person},
		{"GET /reports", identity.Technician, c.reports},
		{"GET /reports.csv", identity.Technician, c.reportsCSV},
		{"GET /labels", identity.Admin, c.labels},
		{"GET /audit", identity.Admin, c.audit},
		{"GET /settings", identity.Admin, c.settings},
		{"POST /settings/tokens", identity.FreshAdmin, c.addToken},
		{"POST /settings/tokens/revoke", identity.FreshAdmin, c.revokeToken},
		{"POST /settings/sessions/end", identity.FreshAdmin, c.endSession},
		{"POST /settings/mail", identity.Admin, c.testMail},
		{"GET /import", identity.Admin, c.importPage},
		{"POST /import", identity.Admin, c.importFile},
	}, c.registerRoutes(), c.reservationRoutes(), c.inboxRoutes(), c.enrolRoutes(), c.stationRoutes(), c.stockRoutes())
}

func (c *Console) now() time.Time {
	if c.o.Zone == nil {
		return c.o.Now().In(time.Local)
	}
	return c.o.Now().In(c.o.Zone)
}

// Wants reports whether a browser asks for a page. Whoever has a token is a script, which
// no page to log in helps.
func Wants(r *http.Request) bool {
	for _, machines := range []string{"/v1/", "/healthz", "/readyz", "/metrics"} {
		if strings.HasPrefix(r.URL.Path, machines) {
			return false
		}
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Authorization") == ""
}

// frame is what is around a page for who asks.
func (c *Console) frame(r *http.Request, path string, title func(*ui.Words) string) ui.Frame {
	w, who := ui.In(r, c.o.Language), identity.Of(r.Context())
	f := ui.Frame{Words: w, Title: title(w), Station: cmp.Or(c.o.Station, "Stump"), Path: path, Links: []ui.Link{{Path: "/", Text: w.Board}}}
	if who.May(identity.Staff) {
		f.Name = cmp.Or(who.Name, who.Role.String())
		if who.Person != "" {
			f.Links = append(f.Links, ui.Link{Path: "/my", Text: w.My})
		}
		f.Links = append(f.Links, ui.Link{Path: "/devices", Text: w.Devices}, ui.Link{Path: "/reservations", Text: reservations.In(w).Title})
	}
	rare := func(path, text string) ui.Link { return ui.Link{Path: path, Text: text, Rare: true} }
	admin := who.May(identity.Admin)
	if admin {
		f.Links = append(f.Links, ui.Link{Path: "/people", Text: w.People})
	}
	if who.May(identity.Technician) {
		f.Links = append(f.Links, ui.Link{Path: "/inbox", Text: w.Inbox, N: c.todo(r, path)}, rare("/enrol", w.EnrolTitle))
	}
	if admin {
		f.Links = append(f.Links, rare("/import", w.Import), rare("/labels", w.Labels), rare("/stock", stocktaking.Name(w)))
	}
	if who.May(identity.Technician) {
		f.Links = append(f.Links, rare("/stations", w.Stations), rare("/reports", w.Reports))
	}
	if admin {
		f.Links = append(f.Links, rare("/audit", w.Audit), rare("/settings", w.Settings))
	}
	f.Done = r.URL.Query().Has("saved")
	f.Said = c.notes.get(r.URL.Query().Get("saved"))
	f.Part = r.Header.Get("Stump-Part") != ""
	return f
}

// send sends a page.
func send(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	b, err := ui.Render(r, page)
	if err != nil {
		return err
	}
	return ui.Send(w, r, status, b)
}

func (c *Console) board(w http.ResponseWriter, r *http.Request) error {
	who := identity.Of(r.Context())
	role := max(who.Role, c.o.Visitor)
	if role < identity.Board {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return nil
	}
	v := board.View{
		Frame: c.frame(r, "/", func(w *ui.Words) string { return w.WhoHasWhat }), Asked: board.Read(r.URL.Query()),
		Holders: role >= c.o.Holders, Links: who.May(identity.Staff), Names: who.May(identity.Admin),
	}
	v.Frame.Live, v.AsOf = true, c.labAway(v.Words)
	if !v.Holders {
		v.Title = v.Board
	}
	make := func() ([]byte, error) {
		v, err := board.Make(v, c.o.Books, c.now())
		if err != nil {
			return nil, err
		}
		return ui.Render(r, board.Page(v))
	}
	var page []byte
	var err error
	if v.Part {
		page, err = c.parts.get(c.o.Appended, fmt.Sprint(v.Language, v.AsOf, v.Holders, v.Links, v.Names, ui.Packs(r), v.Asked), make)
	} else { // has a name in it
		page, err = make()
	}
	if err != nil {
		return err
	}
	return ui.Send(w, r, http.StatusOK, page)
}

// labAway is when the other stations of the lab were known last, if the hub does not answer.
func (c *Console) labAway(words *ui.Words) string {
	if c.o.Lab == nil {
		return ""
	}
	l := c.o.Lab()
	switch {
	case l == nil || !l.Stale && l.Trouble == nil:
		return ""
	case l.Heard == nil:
		return "?"
	}
	return words.At(l.Heard.In(c.now().Location()), c.now())
}

func (c *Console) my(w http.ResponseWriter, r *http.Request) error {
	return c.showMine(w, r, http.StatusOK, person.View{})
}

// showMine shows what who asks has, with the calendar's address that was made, or why it was not.
func (c *Console) showMine(w http.ResponseWriter, r *http.Request, status int, v person.View) error {
	me, err := c.o.Me(r)
	if err != nil {
		return err
	}
	alert, remedy := v.Alert, v.Remedy
	v.Frame, v.Mine = c.frame(r, "/my", func(w *ui.Words) string { return w.My }), true
	v.Frame.Live, v.Alert, v.Remedy = true, alert, remedy
	v.Who = reservations.Viewer{Person: me.ID}
	v.Calendar = c.calendar(v.Calendar, "/my/calendar", "person", me.ID)
	if v, err = person.Make(v, c.o.Books, me.ID, c.now()); err != nil {
		return err
	}
	return send(w, r, status, person.Page(v))
}

func (c *Console) person(w http.ResponseWriter, r *http.Request) error {
	v := person.View{Frame: c.frame(r, "", func(w *ui.Words) string { return w.People }), Who: reservations.Viewer{Admin: true}}
	v, err := person.Make(v, c.o.Books, r.PathValue("ref"), c.now())
	if err != nil {
		return err
	}
	v.Frame.Live = true
	return send(w, r, http.StatusOK, person.Page(v))
}

func (c *Console) people(w http.ResponseWriter, r *http.Request) error {
	v := person.ListView{Frame: c.frame(r, "/people", func(w *ui.Words) string { return w.People }), Sought: board.Read(r.URL.Query()).Find}
	v.Frame.Live = true
	v, err := person.List(v, c.o.Books, c.now())
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, person.ListPage(v))
}

func (c *Console) devices(w http.ResponseWriter, r *http.Request) error {
	v := device.ListView{Frame: c.frame(r, "/devices", func(w *ui.Words) string { return w.Devices }), Sought: board.Read(r.URL.Query()).Find, Admin: identity.Of(r.Context()).May(identity.Admin)}
	v.Frame.Live = true
	v, err := device.List(v, c.o.Books)
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, device.ListPage(v))
}

func (c *Console) device(w http.ResponseWriter, r *http.Request) error {
	return c.showDevice(w, r, http.StatusOK, device.View{})
}

// showDevice shows a device's page, with what is wrong with a form that was posted.
func (c *Console) showDevice(w http.ResponseWriter, r *http.Request, status int, v device.View) error {
	who, alert, remedy := identity.Of(r.Context()), v.Alert, v.Remedy
	v.Frame = c.frame(r, "", func(w *ui.Words) string { return w.Devices })
	v.Frame.Live, v.Alert, v.Remedy = alert == "", alert, remedy
	v.Admin, v.Names, v.Who = who.May(identity.Admin), who.May(identity.Admin), c.viewer(r)
	v, err := device.Make(v, c.o.Books, r.PathValue("ref"), c.now(), who.May(identity.Technician))
	if err != nil {
		return err
	}
	v.Own = v.Holder != "" && v.Holder == v.Who.Person
	if v.Admin {
		v.Calendar = c.calendar(v.Calendar, ui.To("/devices/", v.ID)+"/calendar", "device", v.ID)
	}
	return send(w, r, status, device.Page(v, device.State(v.Words, v.Device)))
}

// maxForm is the size of the largest form, in bytes.
const maxForm = 64 << 10

// change makes what a form says happen, and sends the browser back to the page.
func (c *Console) change(form string, do func(books.Keeper, books.Request) (checkout.Event, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return hint.Errorf("send it again", "the form can't be read: %w", err)
		}
		ref, err := r.PathValue("ref"), error(nil)
		q := books.Request{Device: ref, Person: r.PostForm.Get("person"), Note: r.PostForm.Get("note"), Condition: r.PostForm.Get("condition"), Missing: r.PostForm["missing"]}
		if q.Due, err = c.due(r.PostForm.Get("due")); err == nil {
			err = c.make(r, do, q)
		}
		if err == nil {
			http.Redirect(w, r, back(r, string(ui.To("/devices/", ref)))+"?saved", http.StatusSeeOther)
			return nil
		}
		return c.refuse(w, r, form, err)
	}
}

// refuse shows a device's page with why a form of it was refused, and what was typed.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, form string, err error) error {
	var gone *books.ChangedError
	v, status, known := device.View{Asked: form, Form: r.PostForm}, http.StatusConflict, true
	words := ui.In(r, c.o.Language)
	if errors.As(err, &gone) {
		status, v.Alert = http.StatusPreconditionFailed, words.Changed
	} else if v.Alert, v.Remedy, known = device.Why(words, err, c.now()); !known {
		return err
	}
	return c.showDevice(w, r, status, v)
}

// make makes a change, on the terms of the page that it comes from.
func (c *Console) make(r *http.Request, do func(books.Keeper, books.Request) (checkout.Event, error), q books.Request) error {
	who := identity.Of(r.Context())
	q.Actor, q.Source = who.Name, who.Source
	if !who.May(identity.Admin) {
		me, err := c.o.Me(r)
		if err != nil {
			return err
		}
		q.Own, q.Actor = me.ID, me.ID
	}
	keeper := c.o.Books.On(books.Terms{Kind: checkout.KindDevice, Ref: q.Device, Revisions: []string{r.PostForm.Get("revision")}})
	_, err := do(keeper, q)
	if err == nil {
		c.o.Changed()
	}
	return err
}

// due is the end of the day that a form says; zero for none.
func (c *Console) due(day string) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, c.now().Location())
	if err != nil {
		return t, &reservations.WrongError{Reason: reservations.NoDay, Typed: day}
	}
	return t.AddDate(0, 0, 1).Add(-time.Minute), nil
}

// changes tells a page that something has happened, and not what.
func (c *Console) changes(w http.ResponseWriter, r *http.Request) error {
	if max(identity.Of(r.Context()).Role, c.o.Visitor) < identity.Board {
		return hint.Errorf("log in", "this page is not for visitors")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for ctx := r.Context(); ; {
		next, shown := c.o.Appended(), (<-chan struct{})(nil)
		if c.o.Panel != nil && r.URL.Query().Has("panel") {
			shown = c.o.Panel.Changed()
		}
		if err := rc.Flush(); err != nil {
			return nil
		}
		if !wait(ctx, next, shown) {
			return nil
		}
		if _, err := io.WriteString(w, "data: changed\n\n"); err != nil {
			return nil
		}
	}
}

// wait waits for the next event, or what is shown next, and a moment for those that come with it. It is false when
// nobody waits any more.
func wait(ctx context.Context, next, shown <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-next:
	case <-shown:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}

func (c *Console) asset(w http.ResponseWriter, r *http.Request) error {
	if !ui.ServeAsset(w, r) {
		return books.ErrNotFound
	}
	return nil
}

// Fail is the page that says why there is no other one. err has a remedy.
func (c *Console) Fail(w http.ResponseWriter, r *http.Request, status int, err error) error {
	f := c.frame(r, "", func(w *ui.Words) string { return w.Told(http.StatusText(status)) })
	f.Alert, f.Remedy = f.Tell(err.Error(), hint.Of(err))
	if status == http.StatusNotFound {
		f.Title, f.Alert, f.Remedy = f.NotFound, "", ""
		return send(w, r, status, ui.Nowhere(f))
	}
	if post := keptForm(w, r, err); post != nil {
		return send(w, r, status, register.KeptPage(register.Kept(f, r.URL.Path, post)))
	}
	return send(w, r, status, ui.Page(f))
}
