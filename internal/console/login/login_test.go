package login

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// TestWords: every language says everything, and with the same places for names.
func TestWords(t *testing.T) {
	for _, language := range []string{"en", "de", "fr", "es"} {
		v, en := reflect.ValueOf(*words[language]), reflect.ValueOf(*words["en"])
		for i := range v.NumField() {
			text := v.Field(i).String()
			if places := strings.Count(text, "%s"); text == "" || places != strings.Count(en.Field(i).String(), "%s") {
				t.Errorf("%s: %s is %q", language, v.Type().Field(i).Name, text)
			}
		}
	}
}

// TestPage: the ways that there are, in the browser's language, and nothing of a name is markup.
func TestPage(t *testing.T) {
	page := func(language string, with func(*View)) string {
		r := httptest.NewRequest("GET", "/login", nil)
		r.Header.Set("Accept-Language", language)
		v := New(r, "lab <1>", "en")
		with(&v)
		var b strings.Builder
		if err := Page(v).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		language string
		with     func(*View)
		has      []string
	}{
		"a link alone":    {"en", func(*View) {}, []string{`name="secret"`, "!/login/sso", "!/login/station", "<code>stump web admin-link</code>. It", "!<1>"}},
		"all ways":        {"de", func(v *View) { v.Account, v.Reader = true, true }, []string{"Mit eigenem Konto", `action="/login/station"`, "!digits", `<html lang="de">`}},
		"a badge":         {"fr", func(v *View) { v.Reader, v.Left = true, 42 }, []string{"badge à lab &lt;1&gt;, sans", "dans les 42 s.", `name="digits"`}},
		"who has come in": {"es", func(v *View) { v.As, v.Role = "<i>Ann", "staff" }, []string{"Ha entrado &lt;i&gt;Ann, con el papel staff.", `action="/logout"`, "como otra persona", `name="secret"`}},
	} {
		p := page(tt.language, tt.with)
		for _, text := range tt.has {
			text, not := strings.CutPrefix(text, "!")
			if strings.Contains(p, text) == not {
				t.Errorf("%s: %q is there: %v\n%s", name, text, not, p)
			}
		}
	}
}
