package console

import (
	"net/http"
	"strings"
	"time"

	"stump/internal/console/audit"
	"stump/internal/console/labels"
	"stump/internal/console/settings"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

func (c *Console) audit(w http.ResponseWriter, r *http.Request) error {
	v := audit.View{Frame: c.frame(r, "/audit", func(w *ui.Words) string { return w.Audit })}
	v, err := audit.Make(v, c.o.Books, c.o.Access.Refusals(), c.now())
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
	alert, remedy := v.Alert, v.Remedy
	v.Frame = c.frame(r, "/settings", func(w *ui.Words) string { return w.Settings })
	v.Alert, v.Remedy = alert, remedy
	var text strings.Builder
	if c.o.Config != nil {
		if err := c.o.Config(&text); err != nil {
			return err
		}
	}
	v.Config = text.String()
	return send(w, r, status, settings.Page(settings.Make(v, c.o.Access.Tokens(), c.now())))
}

// addToken makes a token, and shows its secret this once.
func (c *Console) addToken(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return hint.Errorf("send it again", "the form can't be read: %w", err)
	}
	v := settings.View{Name: r.PostForm.Get("name")}
	role, err := identity.ParseRole(r.PostForm.Get("role"))
	var ends *time.Time
	if day := r.PostForm.Get("expires"); day != "" && err == nil {
		var end time.Time
		end, err = c.due(day)
		ends = &end
	}
	if err == nil {
		_, v.Secret, err = c.o.Access.AddToken(identity.Token{Name: v.Name, Role: role, By: identity.Of(r.Context()).Name, Expires: ends})
	}
	switch {
	case err == nil:
		v.Name = ""
		return c.showSettings(w, r, http.StatusOK, v)
	case hint.Of(err) == "":
		return err
	}
	v.Alert, v.Remedy = ui.Sentence(err.Error()), ui.Sentence(hint.Of(err))
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
		v.Alert, v.Remedy = ui.Sentence(err.Error()), ui.Sentence(hint.Of(err))
		return c.showSettings(w, r, http.StatusConflict, v)
	}
	c.o.Leave("token:" + name)
	http.Redirect(w, r, "/settings?saved", http.StatusSeeOther)
	return nil
}
