package console

import (
	"errors"
	"net/http"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/todo"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/inbox"
)

// Inbox is what waits for a person, and what answers it.
type Inbox struct {
	// Waiting is what waits for who asks.
	Waiting func(*http.Request) ([]inbox.Row, error)
	// Assign gives an unknown tag to a person or device of this kind and name.
	Assign func(r *http.Request, id, kind, name string) error
	// Retry, Drop and Accept answer for an event that a place did not take; Accept for what two
	// say differently, too.
	Retry  func(id string) error
	Drop   func(id, actor string, source checkout.Source, note string) error
	Accept func(r *http.Request, id string) error
}

func (c *Console) inbox(w http.ResponseWriter, r *http.Request) error {
	v := todo.View{Frame: c.frame(r, "/inbox", func(w *ui.Words) string { return w.Inbox })}
	v.Live = true
	return c.showInbox(w, r, http.StatusOK, v)
}

func (c *Console) showInbox(w http.ResponseWriter, r *http.Request, status int, v todo.View) (err error) {
	v.Now, v.Admin = c.now(), identity.Of(r.Context()).May(identity.Admin)
	if v.Rows, err = c.waiting(r); err != nil {
		return err
	}
	if v.Names, err = todo.Names(c.o.Books, v.Admin); err != nil {
		return err
	}
	return send(w, r, status, todo.Page(v))
}

// answer does what a form of the inbox says, and sends the browser back to it.
func (c *Console) answer(do func(r *http.Request, who identity.Principal, id string) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return hint.Errorf("send it again", "the form can't be read: %w", err)
		}
		id := r.PostForm.Get("id")
		err := do(r, identity.Of(r.Context()), id)
		if err == nil {
			c.o.Changed()
			http.Redirect(w, r, "/inbox?saved", http.StatusSeeOther)
			return nil
		}
		if hint.Of(err) == "" && !errors.Is(err, books.ErrNotFound) && !errors.Is(err, checkout.ErrRefused) {
			return err
		}
		v := todo.View{Frame: c.frame(r, "/inbox", func(w *ui.Words) string { return w.Inbox }), Asked: id, Form: map[string]string{}}
		v.Alert, v.Remedy = v.Tell(err.Error(), hint.Of(err))
		for name := range r.PostForm {
			v.Form[name] = r.PostForm.Get(name)
		}
		return c.showInbox(w, r, http.StatusConflict, v)
	}
}

func (c *Console) inboxRoutes() []Route {
	return []Route{
		{"GET /inbox", identity.Technician, c.inbox},
		{"POST /inbox/assign", identity.Technician, c.answer(func(r *http.Request, _ identity.Principal, id string) error { // people: admins
			return c.o.Inbox.Assign(r, id, r.PostForm.Get("kind"), r.PostForm.Get("name"))
		})},
		{"POST /inbox/ignore", identity.Technician, c.answer(func(_ *http.Request, _ identity.Principal, id string) error {
			return c.o.Books.IgnoreTag(id)
		})},
		{"POST /inbox/retry", identity.Admin, c.answer(func(_ *http.Request, _ identity.Principal, id string) error {
			return c.o.Inbox.Retry(id)
		})},
		{"POST /inbox/drop", identity.Admin, c.answer(func(r *http.Request, who identity.Principal, id string) error {
			return c.o.Inbox.Drop(id, who.Name, who.Source, r.PostForm.Get("note"))
		})},
		{"POST /inbox/accept", identity.Admin, c.answer(func(r *http.Request, _ identity.Principal, id string) error {
			return c.o.Inbox.Accept(r, id)
		})},
	}
}

// waiting is what waits for who asks. It is looked for when something has happened, or may
// have: every page says how much it is, and all loans and queues are read for it.
func (c *Console) waiting(r *http.Request) ([]inbox.Row, error) {
	return c.todos.get(c.o.Appended, identity.Of(r.Context()).Role.String(), func() ([]inbox.Row, error) { return c.o.Inbox.Waiting(r) })
}

// todo is how many things wait. The page that lists them looks anew.
func (c *Console) todo(r *http.Request, page string) int {
	if page == "/inbox" {
		c.todos.forget()
	}
	all, err := c.waiting(r)
	if err != nil {
		return 0
	}
	return len(all)
}
