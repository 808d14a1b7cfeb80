package console

import (
	"net/http"
	"net/url"
	"testing"

	"stump/internal/console/enrol"
	"stump/internal/hint"
)

// TestEnrol: the page says how far it is, keeps what was typed, and offers the next.
func TestEnrol(t *testing.T) {
	st := enrol.State{ID: "x1", Is: "waiting", Kind: "device", Name: "Pixel <10>", Reader: "door"}
	var asked []string
	p := newPages(t, func(o *Options) {
		o.Enrol = Enrol{
			Begin: func(_ *http.Request, kind, name string) (string, error) {
				if asked = append(asked, kind+" "+name); name == "slip" {
					return "", hint.Errorf("did you mean Quest?", "not in the register")
				}
				return st.ID, nil
			},
			Show: func(*http.Request, string) (enrol.State, error) { return st, nil },
			Undo: func(_ *http.Request, id string) error {
				asked = append(asked, "undo "+id)
				st.Is = "undone"
				return nil
			},
		}
	})
	_, page := p.ask(root, "GET", "/enrol", nil)
	p.has("an admin", page, `<option value="person"`, "!data-state")
	_, page = p.ask(tess, "GET", "/enrol", nil)
	p.has("a technician", page, `!<option value="person"`, `name="kind" value="device"`)
	w, _ := p.ask(tess, "POST", "/enrol", url.Values{"kind": {"device"}, "name": {"Pixel <10>"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/enrol/x1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	_, page = p.ask(tess, "GET", "/enrol/x1", nil)
	p.has("waiting", page, `data-state="waiting"`, "Bump the tag of Pixel &lt;10&gt; now", "(door)", "!/undo", "<body data-live")
	st.Is, st.Tag, st.Subject = "done", "…711", "pixel-10"
	_, page = p.ask(tess, "GET", "/enrol/x1", nil)
	p.has("done", page, "Pixel &lt;10&gt; has its tag", "…711", `href="/devices/pixel-10"`, `action="/enrol/x1/undo"`, `action="/enrol"`)
	p.ask(tess, "POST", "/enrol/x1/undo", nil)
	_, page = p.ask(tess, "GET", "/enrol/x1", nil)
	p.has("undone", page, "was taken away again")
	w, page = p.ask(tess, "POST", "/enrol", url.Values{"kind": {"device"}, "name": {"slip"}})
	if p.has("a slip", page, `role="alert"`, "Did you mean Quest?", `value="slip"`); w.Code != http.StatusConflict {
		t.Error(w.Code)
	}
	if len(asked) != 3 || asked[1] != "undo x1" {
		t.Errorf("%q", asked)
	}
}
