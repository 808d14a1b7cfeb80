package console

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"stump/internal/books"
	"stump/internal/console/device"
	"stump/internal/console/person"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

// calendar is a calendar as its page shows it; the zero one where no program can reach it.
func (c *Console) calendar(is ui.Calendar, action templ.SafeURL, of, id string) ui.Calendar {
	if c.o.Feed == nil || c.o.Access == nil || c.o.Site() == "" {
		return is
	}
	is.Action, is.Has = action, c.o.Access.HasFeed(of, id)
	return is
}

func (c *Console) myCalendar(w http.ResponseWriter, r *http.Request) error {
	me, err := c.o.Me(r)
	if err != nil {
		return err
	}
	return c.changeCalendar(w, r, "person", me.ID, "/my", func(status int, cal ui.Calendar, alert, remedy string) error {
		v := person.View{Calendar: cal}
		v.Alert, v.Remedy = alert, remedy
		return c.showMine(w, r, status, v)
	})
}

func (c *Console) deviceCalendar(w http.ResponseWriter, r *http.Request) error {
	d, err := c.o.Books.FindDevice(r.PathValue("ref"))
	if err != nil {
		return err
	}
	return c.changeCalendar(w, r, "device", d.ID, string(ui.To("/devices/", d.ID)), func(status int, cal ui.Calendar, alert, remedy string) error {
		v := device.View{Calendar: cal}
		v.Alert, v.Remedy = alert, remedy
		return c.showDevice(w, r, status, v)
	})
}

// changeCalendar makes a calendar's address and shows it this once, or ends the one that it has.
func (c *Console) changeCalendar(w http.ResponseWriter, r *http.Request, of, id, page string, show func(status int, cal ui.Calendar, alert, remedy string) error) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return hint.Errorf("send it again", "the form can't be read: %w", err)
	}
	if c.o.Feed == nil {
		return books.ErrNotFound
	}
	revoke := r.PostForm.Get("do") == "revoke"
	url, err := c.o.Feed(r, of, id, revoke)
	var none *identity.FeedError
	switch {
	case err == nil && !revoke:
		return show(http.StatusOK, ui.Calendar{URL: url}, "", "")
	case err == nil, errors.As(err, &none): // it has ended before
		http.Redirect(w, r, page+"?saved", http.StatusSeeOther)
		return nil
	case hint.Of(err) == "":
		return err
	}
	alert, remedy := ui.In(r, c.o.Language).Tell(err.Error(), hint.Of(err))
	return show(http.StatusConflict, ui.Calendar{}, alert, remedy)
}
