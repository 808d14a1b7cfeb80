package console

import (
	"net/http"

	"stump/internal/console/enrol"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Enrol is what the page of enrolments does.
type Enrol struct {
	// Begin has the station wait for the tag of a person or device, and returns the id of
	// the enrolment.
	Begin func(r *http.Request, kind, name string) (id string, err error)
	// Show says how far it is, and Undo takes the tag away again.
	Show func(r *http.Request, id string) (enrol.State, error)
	Undo func(r *http.Request, id string) error
}

func (c *Console) enrolRoutes() []Route {
	return []Route{
		{"GET /enrol", identity.Technician, c.enrol},
		{"POST /enrol", identity.Technician, c.beginEnrol}, // people: admins
		{"GET /enrol/{id}", identity.Technician, c.enrol},
		{"POST /enrol/{id}/undo", identity.Technician, c.undoEnrol},
	}
}

func (c *Console) enrolView(r *http.Request) (enrol.View, error) {
	v := enrol.View{Frame: c.frame(r, "/enrol", func(w *ui.Words) string { return w.EnrolTitle }), Admin: identity.Of(r.Context()).May(identity.Admin)}
	v.Live = true
	id := r.PathValue("id")
	if id == "" {
		v.Kind, v.Typed = r.URL.Query().Get("kind"), r.URL.Query().Get("name")
		return v, nil
	}
	st, err := c.o.Enrol.Show(r, id)
	v.State, v.Kind = &st, st.Kind
	return v, err
}

func (c *Console) enrol(w http.ResponseWriter, r *http.Request) error {
	v, err := c.enrolView(r)
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, enrol.Page(v))
}

// beginEnrol has the station wait for a tag.
func (c *Console) beginEnrol(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return hint.Errorf("send it again", "the form can't be read: %w", err)
	}
	kind, name := r.PostForm.Get("kind"), r.PostForm.Get("name")
	id, err := c.o.Enrol.Begin(r, kind, name)
	if err == nil {
		http.Redirect(w, r, "/enrol/"+id, http.StatusSeeOther)
		return nil
	}
	return c.refuseEnrol(w, r, kind, name, err)
}

func (c *Console) undoEnrol(w http.ResponseWriter, r *http.Request) error {
	err := c.o.Enrol.Undo(r, r.PathValue("id"))
	if err == nil {
		http.Redirect(w, r, "/enrol/"+r.PathValue("id"), http.StatusSeeOther)
		return nil
	}
	return c.refuseEnrol(w, r, "", "", err)
}

// refuseEnrol shows the page with what is wrong, and what was typed.
func (c *Console) refuseEnrol(w http.ResponseWriter, r *http.Request, kind, name string, err error) error {
	if hint.Of(err) == "" {
		return err
	}
	v, shown := c.enrolView(r)
	if shown != nil {
		return shown
	}
	v.Live, v.Typed = false, name
	if kind != "" {
		v.Kind = kind
	}
	v.Alert, v.Remedy = v.Tell(err.Error(), hint.Of(err))
	return send(w, r, http.StatusConflict, enrol.Page(v))
}
