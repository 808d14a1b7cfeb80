package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"stump/checkout"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/register"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

// registerRoutes are the pages on which admins change people and devices. What their forms
// ask for, the API does.
func (c *Console) registerRoutes() []Route {
	return []Route{
		{"GET /add/{kind}", identity.Admin, c.showRegister(c.newPage)},
		{"POST /add/{kind}", identity.Admin, c.postRegister(c.newPage)},
		{"GET /people/{ref}/edit", identity.Admin, c.showRegister(c.personForms)},
		{"POST /people/{ref}/edit", identity.Admin, c.postRegister(c.personForms)},
		{"GET /devices/{ref}/edit", identity.Admin, c.showRegister(c.deviceForms)},
		{"POST /devices/{ref}/edit", identity.Admin, c.postRegister(c.deviceForms)},
		{"GET /people/{ref}/erase", identity.FreshAdmin, c.erasePage},
		{"POST /people/{ref}/erase", identity.FreshAdmin, c.erase},
		{"GET /people/{ref}/dossier", identity.FreshAdmin, c.dossier},
	}
}

// forms make a page of forms as the register is now.
type forms func(*http.Request) (register.View, error)

func (c *Console) newPage(r *http.Request) (v register.View, err error) {
	kind, kinds := checkout.KindPerson, []string(nil)
	switch r.PathValue("kind") {
	case checkout.KindPerson.String():
	case checkout.KindDevice.String():
		kind = checkout.KindDevice
		kinds, err = register.Kinds(c.o.Books)
	default:
		err = books.ErrNotFound
	}
	return register.New(c.frame(r, "", func(*ui.Words) string { return "" }), kind, kinds), err
}

func (c *Console) personForms(r *http.Request) (v register.View, err error) {
	p, err := c.o.Books.FindPerson(r.PathValue("ref"))
	if err != nil {
		return v, err
	}
	twin, err := register.Twin(c.o.Books, p)
	return register.Person(c.frame(r, "", func(*ui.Words) string { return "" }), p, twin.ID), err
}

func (c *Console) deviceForms(r *http.Request) (v register.View, err error) {
	d, err := c.o.Books.FindDevice(r.PathValue("ref"))
	if err != nil {
		return v, err
	}
	kit, err := c.o.Books.Parts(d.ID)
	if err != nil {
		return v, err
	}
	var parts []books.Device
	for _, p := range kit {
		part, err := c.o.Books.FindDevice(p.ID)
		if err != nil {
			return v, err
		}
		parts = append(parts, part)
	}
	kinds, err := register.Kinds(c.o.Books)
	return register.Device(c.frame(r, "", func(*ui.Words) string { return "" }), d, parts, kinds, c.now()), err
}

func (c *Console) showRegister(page forms) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := page(r)
		if err != nil {
			return err
		}
		return send(w, r, http.StatusOK, register.Page(v))
	}
}

// postRegister asks for what a form says, and sends the browser to whom or what it is about.
func (c *Console) postRegister(page forms) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := form(w, r); err != nil {
			return err
		}
		v, err := page(r)
		if err != nil {
			return err
		}
		f := v.Form(r.PostForm.Get("form"))
		if f == nil { // somebody else was faster, and there is nothing to be done any more
			v.Alert = v.Changed
			return send(w, r, http.StatusPreconditionFailed, register.Page(v))
		}
		made, status, err := c.submit(r, f, &v.Frame, v.T)
		switch {
		case err != nil:
			return err
		case status != http.StatusOK:
			return send(w, r, status, register.Page(v))
		}
		to := string(v.BackPath)
		if f.Name == "new" {
			to = string(ui.To(to+"/", made.ID))
		}
		http.Redirect(w, r, to+"?saved"+c.notes.keep(strange(str(made.Warning))), http.StatusSeeOther)
		return nil
	}
}

// made is what the API says of a change.
type made struct {
	ID      string
	Warning *string
}

// submit asks the API for what a form says. Unless that was done, and the status is OK, the
// form is shown again, with what is wrong at the head of the page.
func (c *Console) submit(r *http.Request, f *register.Form, head *ui.Frame, w *register.Words) (out made, status int, err error) {
	now, revision, header := f.Copy(), r.PostForm.Get("revision"), []string(nil)
	f.Type(r.PostForm)
	if f.Revision != "" {
		f.Revision, header = revision, []string{"If-Match", `"` + revision + `"`}
	}
	if !f.Check(w, c.now()) {
		head.Alert, head.Wrong = w.Correct, f.Wrong()
		return out, http.StatusUnprocessableEntity, nil
	}
	method, path, body := f.Ask(f.Changed())
	for i := range path {
		path[i] = client.Ref(path[i])
	}
	err = c.api(r, method, strings.Join(path, "/"), body, &out, append(header, "Idempotency-Key", f.Key)...)
	var p *wire.CodedError
	switch {
	case err == nil:
		c.o.Changed()
		return out, http.StatusOK, nil
	case !errors.As(err, &p):
		return out, 0, err
	case p.Code == wire.CodeChanged, p.Code == wire.CodeKeyReused && header != nil:
		*f = now
		f.Late(r.PostForm)
		head.Alert, head.Remedy = w.Words.Changed, w.TypedStays
		return out, http.StatusPreconditionFailed, nil
	case p.Code == wire.CodeKeyReused:
		f.Key = register.NewKey()
		head.Alert = w.SentBefore
	case f.Blame(w.Words, f.Fault(string(p.Code)), err.Error(), plainly(err)):
		head.Alert, head.Wrong = w.Correct, f.Wrong()
	default:
		head.Alert, head.Remedy = head.Tell(err.Error(), plainly(err))
	}
	status, _ = p.Code.Row()
	return out, status, nil
}

// plainly is what to do about an error, unless that is for who types commands.
func plainly(err error) string { return strange(hint.Of(err)) }

// strange is a text of the API without what names commands.
func strange(text string) string {
	parts := strings.Split(text, "; ")
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return strings.Contains(s, "stump ") || strings.Contains(s, "--") }), "; ")
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// notes are what was strange about changes, for the pages that follow them.
type notes struct {
	mu  sync.Mutex
	all map[string]string
}

// mostNotes are kept: a page is asked for as soon as its change was made.
const mostNotes = 100

// keep keeps a text, and returns the end of the address of the page that shows it.
func (n *notes) keep(text string) string {
	if text == "" {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all == nil || len(n.all) >= mostNotes {
		n.all = map[string]string{}
	}
	key := register.NewKey()
	n.all[key] = text
	return "=" + key
}

func (n *notes) get(key string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all[key]
}

// dossierOf is all that is held about the person of a path, as the API says it.
func (c *Console) dossierOf(r *http.Request, out any) (books.Person, error) {
	p, err := c.o.Books.FindPerson(r.PathValue("ref"))
	if err == nil {
		err = c.api(r, "GET", "people/"+client.Ref(p.ID)+"/dossier", nil, out)
	}
	return p, err
}

// dossier is a file of all that is held about somebody.
func (c *Console) dossier(w http.ResponseWriter, r *http.Request) error {
	var all json.RawMessage
	if _, err := c.dossierOf(r, &all); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, all, "", "  "); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="dossier.json"`)
	_, err := text.WriteTo(w)
	return err
}

func (c *Console) eraseView(r *http.Request) (v register.EraseView, err error) {
	var held struct {
		Loans         []wire.Who
		Events, Named []struct{}
	}
	p, err := c.dossierOf(r, &held)
	var has [][2]string
	for _, l := range held.Loans {
		has = append(has, [2]string{str(l.DeviceID), str(l.Device)})
	}
	return register.Erase(c.frame(r, "", func(*ui.Words) string { return "" }), p, len(held.Events)+len(held.Named), has), err
}

func (c *Console) erasePage(w http.ResponseWriter, r *http.Request) error {
	v, err := c.eraseView(r)
	if err != nil {
		return err
	}
	return send(w, r, http.StatusOK, register.ErasePage(v))
}

// erase erases somebody, once the word for it was typed.
func (c *Console) erase(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	v, err := c.eraseView(r)
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if v.Meant(r.PostForm.Get("word")) {
		_, status, err = c.submit(r, v.Form, &v.Frame, v.T)
	}
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		http.Redirect(w, r, "/people?saved", http.StatusSeeOther)
		return nil
	}
	return send(w, r, status, register.ErasePage(v))
}

// keptForm is the form of a request whose login has ended, or is too old for it; nil for
// none.
func keptForm(w http.ResponseWriter, r *http.Request, err error) url.Values {
	var p *wire.CodedError
	if r.Method != http.MethodPost || !errors.As(err, &p) || p.Code != wire.CodeNoLogin && p.Code != wire.CodeStaleLogin {
		return nil
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || form(w, r) != nil || len(r.PostForm) == 0 {
		return nil
	}
	return r.PostForm
}
