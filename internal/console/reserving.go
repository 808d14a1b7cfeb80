package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/reservation"
	"stump/internal/books"
	"stump/internal/console/device"
	"stump/internal/console/reservations"
	"stump/internal/console/ui"
	"stump/internal/identity"
)

func (c *Console) reservationRoutes() []Route {
	return []Route{
		{"GET /reservations", identity.Staff, c.reservations},
		{"POST /reservations", identity.Staff, c.reserve}, // for themselves; admins for all
		{"POST /reservations/cancel", identity.Staff, c.cancel},
		{"POST /devices/{ref}/reserve", identity.Staff, c.reserveDevice},
		{"POST /devices/{ref}/report", identity.Staff, c.reportFault}, // of what they have
	}
}

// viewer is who asks, as reservations know them.
func (c *Console) viewer(r *http.Request) (v reservations.Viewer) {
	who := identity.Of(r.Context())
	v.Admin = who.May(identity.Admin)
	if who.Person != "" {
		if me, err := c.o.Me(r); err == nil {
			v.Person = me.ID
		}
	}
	return v
}

// back is where a form of several pages leads, or else otherwise.
func back(r *http.Request, otherwise string) string {
	to := r.PostForm.Get("back")
	if to == "/my" || strings.HasPrefix(to, "/devices/") || strings.HasPrefix(to, "/people/") {
		return to
	}
	return otherwise
}

func (c *Console) reservations(w http.ResponseWriter, r *http.Request) error {
	return c.showReservations(w, r, http.StatusOK, nil)
}

// showReservations shows the page, with why a form of it was refused.
func (c *Console) showReservations(w http.ResponseWriter, r *http.Request, status int, refused error) (err error) {
	f := c.frame(r, "/reservations", func(w *ui.Words) string { return reservations.In(w).Title })
	v := reservations.View{Frame: f, Asked: reservations.Read(r.URL.Query()), Who: c.viewer(r)}
	if v.Who.MayReserve() {
		v.Form = reservations.NewForm(f.Words, v.Who, "/reservations", c.now())
		v.Form.What = v.Asked.What
	}
	if v.Live = refused == nil; refused != nil {
		var known bool
		if v.Alert, v.Remedy, known = reservations.Why(f.Words, refused, c.now()); !known {
			return refused
		}
		if v.Form != nil && r.PostForm.Has("what") {
			v.Form.Typed(r.PostForm)
			if v.Remedy == "" {
				v.Remedy = c.freeThen(r, f.Words, refused)
			}
		}
	}
	if v.Who.Admin {
		if v.People, err = reservations.People(c.o.Books); err != nil {
			return err
		}
	}
	if v, err = reservations.Make(v, c.o.Books, c.now()); err != nil {
		return err
	}
	return send(w, r, status, reservations.Page(v))
}

// booking is what a form wants to reserve. A device is that of the form's page, "" for what
// was chosen.
func (c *Console) booking(w http.ResponseWriter, r *http.Request, device string) (b books.Booking, err error) {
	if err := form(w, r); err != nil {
		return b, err
	}
	who, typed := identity.Of(r.Context()), r.PostForm
	b = books.Booking{Device: device, Note: strings.TrimSpace(typed.Get("note")), Source: who.Source, Actor: who.Name, Person: strings.TrimSpace(typed.Get("person"))}
	if device == "" {
		b.Kind, b.Device = reservations.Chosen(typed.Get("what"))
	}
	if b.Kind == "" && b.Device == "" {
		return b, &reservations.WrongError{Reason: reservations.NoWish}
	}
	if !who.May(identity.Admin) || b.Person == "" {
		me, err := c.o.Me(r)
		if err != nil {
			return b, err
		}
		if b.Person != "" && b.Person != me.ID {
			return b, &reservations.WrongError{Reason: reservations.OnlyOwn}
		}
		b.Person = me.ID
		if !who.May(identity.Admin) {
			b.Actor = me.ID
		}
	}
	if typed.Has("line") {
		return b, nil
	}
	zone := c.now().Location()
	if b.From, err = reservations.Time(typed.Get("from"), zone); err != nil {
		return b, err
	}
	if b.To, err = reservations.Time(typed.Get("to"), zone); err != nil {
		return b, err
	}
	if b.From.IsZero() || b.To.IsZero() {
		return b, &reservation.RefusedError{Reason: reservation.HalfTimes}
	}
	b.Weekly, err = c.due(typed.Get("weekly"))
	return b, err
}

// book reserves what a form says.
func (c *Console) book(w http.ResponseWriter, r *http.Request, device string) error {
	b, err := c.booking(w, r, device)
	if err != nil {
		return err
	}
	if _, err = c.o.Books.Reserve(b); err == nil {
		c.o.Changed()
	}
	return err
}

func (c *Console) reserve(w http.ResponseWriter, r *http.Request) error {
	if err := c.book(w, r, ""); err != nil {
		return c.showReservations(w, r, http.StatusConflict, err)
	}
	http.Redirect(w, r, "/reservations?saved", http.StatusSeeOther)
	return nil
}

func (c *Console) reserveDevice(w http.ResponseWriter, r *http.Request) error {
	d, err := c.o.Books.FindDevice(r.PathValue("ref"))
	if err != nil {
		return err
	}
	if err := c.book(w, r, d.ID); err != nil {
		words, known := ui.In(r, c.o.Language), false
		v := device.View{Asked: "reserve", Form: r.PostForm}
		if v.Alert, v.Remedy, known = reservations.Why(words, err, c.now()); !known {
			return err
		}
		if v.Remedy == "" {
			v.Remedy = c.freeThen(r, words, err)
		}
		return c.showDevice(w, r, http.StatusConflict, v)
	}
	http.Redirect(w, r, string(ui.To("/devices/", d.ID))+"?saved", http.StatusSeeOther)
	return nil
}

// freeThen says which devices of the same kind are free for the time of a form that was
// refused since another has what it wants; "" for none.
func (c *Console) freeThen(r *http.Request, w *ui.Words, refused error) string {
	var no *reservation.RefusedError
	if !errors.As(refused, &no) || no.Reason != reservation.Booked && no.Reason != reservation.Lent && no.Reason != reservation.Few {
		return ""
	}
	kind, ref := reservations.Chosen(r.PostForm.Get("what"))
	if kind == "" {
		if ref == "" {
			ref = r.PathValue("ref")
		}
		d, err := c.o.Books.FindDevice(ref)
		if err != nil {
			return ""
		}
		kind = d.Kind
	}
	from, _ := reservations.Time(r.PostForm.Get("from"), c.now().Location())
	to, _ := reservations.Time(r.PostForm.Get("to"), c.now().Location())
	var names []string
	for d, err := range c.o.Books.Free(from, to) {
		if err != nil {
			return ""
		}
		if d.Kind == kind {
			names = append(names, d.Name)
		}
	}
	return reservations.Free(w, names)
}

// cancel ends reservations: one's own, and those of all by admins.
func (c *Console) cancel(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	who, own := identity.Of(r.Context()), ""
	actor := who.Name
	if !who.May(identity.Admin) {
		me, err := c.o.Me(r)
		if err != nil {
			return err
		}
		own, actor = me.ID, me.ID
	}
	ids := r.PostForm["id"]
	for _, id := range ids {
		_, err := c.o.Books.CancelReservation(id, own, "", actor, who.Source)
		if len(ids) > 1 && errors.Is(err, books.ErrNotFound) { // one of the weeks has ended before
			continue
		}
		if err != nil {
			return c.showReservations(w, r, http.StatusConflict, err)
		}
		c.o.Changed()
	}
	http.Redirect(w, r, back(r, "/reservations")+"?saved", http.StatusSeeOther)
	return nil
}

// reportFault notes what is wrong with a device, by whoever has it.
func (c *Console) reportFault(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	me, err := c.o.Me(r)
	if err != nil {
		return err
	}
	d, err := c.o.Books.FindDevice(r.PathValue("ref"))
	if err != nil {
		return err
	}
	condition := r.PostForm.Get("condition")
	switch {
	case d.Holder != me.ID || d.Revision != r.PostForm.Get("revision"):
		return c.refuse(w, r, "report", &books.ChangedError{Kind: checkout.KindDevice, ID: d.ID})
	case !slices.Contains([]string{checkout.ConditionDamaged, checkout.ConditionIncomplete}, condition):
		condition = checkout.ConditionDamaged
	}
	if words := strings.TrimSpace(r.PostForm.Get("words")); words != "" {
		condition += ": " + words
	}
	keeper := c.o.Books.On(books.Terms{Kind: checkout.KindDevice, Ref: d.ID, Revisions: []string{d.Revision}})
	if err := keeper.EditDevice(d.ID, books.Edit{Condition: &condition}, me.ID, identity.Of(r.Context()).Source); err != nil {
		return c.refuse(w, r, "report", err)
	}
	c.o.Changed()
	http.Redirect(w, r, string(ui.To("/devices/", d.ID))+"?saved", http.StatusSeeOther)
	return nil
}
