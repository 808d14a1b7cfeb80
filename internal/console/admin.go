package console

import (
	"net/http"
	"time"

	"stump/internal/console/audit"
	"stump/internal/console/board"
	"stump/internal/console/labels"
	"stump/internal/console/reservations"
	"stump/internal/console/settings"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

func (c *Console) audit(w http.ResponseWriter, r *http.Request) error {
	v := audit.View{Frame: c.frame(r, "/audit", func(w *ui.Words) string { return w.Audit }), Sought: board.Read(r.URL.Query()).Find}
	v, err := audit.Make(v, c.o.Books, c.o.Access.Looks(), c.o.Access.Refusals(), c.now())
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, audit.Page(v))
}

func (c *Console) labels(w http.ResponseWriter, r *http.Request) error {
	v := labels.Read(r.URL.Query())
	v.Frame = c.frame(r, "/labels", func(w *ui.Words) string { return w.Labels })
	v, err := labels.Make(v, c.o.Books, c.o.Site())
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, labels.Page(v))
}

func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	return c.showSettings(w, r, http.StatusOK, settings.View{})
}

// showSettings shows the settings, with the token that was made or why it was not.
func (c *Console) showSettings(w http.ResponseWriter, r *http.Request, status int, v settings.View) error {
	alert, remedy, who := v.Alert, v.Remedy, identity.Of(r.Context())
	v.Frame = c.frame(r, "/settings", func(w *ui.Words) string { return w.Settings })
	v.Alert, v.Remedy = alert, remedy
	if me, err := c.o.Me(r); err == nil { // who is not in the register has no address
		v.Email = me.Email
	}
	if err := v.Read(c.o.Settings); err != nil {
		return err
	}
	return send(w, r, status, settings.Page(settings.Make(v, c.o.Access, who, c.now())))
}

// testMail sends a message to who asks, and says how far it came.
func (c *Console) testMail(w http.ResponseWriter, r *http.Request) error {
	me, err := c.o.Me(r)
	if c.o.Settings.Mail == nil || err != nil || me.Email == "" { // the page says which
		return c.showSettings(w, r, http.StatusConflict, settings.View{})
	}
	return c.showSettings(w, r, http.StatusOK, settings.View{Steps: c.o.Settings.Mail(r.Context(), me)})
}

// endSession ends a browser's session, and what it began.
func (c *Console) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	id := r.PostForm.Get("id")
	c.o.Access.EndSession(id)
	c.o.Leave(id)
	http.Redirect(w, r, "/settings?saved", http.StatusSeeOther)
	return nil
}

// addToken makes a token, and shows its secret this once.
func (c *Console) addToken(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return hint.Errorf("send it again", "the form can't be read: %w", err)
	}
	v := settings.View{Typed: r.PostForm.Get("name")}
	role, err := identity.ParseRole(r.PostForm.Get("role"))
	var ends *time.Time
	if day := r.PostForm.Get("expires"); day != "" && err == nil {
		var end time.Time
		end, err = c.due(day)
		ends = &end
	}
	if err == nil {
		_, v.Secret, err = c.o.Access.AddToken(identity.Token{Name: v.Typed, Role: role, By: identity.Of(r.Context()).Name, Expires: ends})
	}
	if err == nil {
		v.Typed = ""
		return c.showSettings(w, r, http.StatusOK, v)
	}
	var known bool
	if v.Alert, v.Remedy, known = reservations.Why(ui.In(r, c.o.Language), err, c.now()); !known {
		return err
	}
	return c.showSettings(w, r, http.StatusConflict, v)
}

func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	name := r.PostFormValue("name")
	if err := c.o.Access.RevokeToken(name); err != nil {
		if hint.Of(err) == "" {
			return err
		}
		v := settings.View{}
		v.Alert, v.Remedy = ui.In(r, c.o.Language).Tell(err.Error(), hint.Of(err))
		return c.showSettings(w, r, http.StatusConflict, v)
	}
	c.o.Leave("token:" + name)
	http.Redirect(w, r, "/settings?saved", http.StatusSeeOther)
	return nil
}
