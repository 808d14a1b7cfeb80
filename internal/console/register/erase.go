package register

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// EraseView is the page that says what goes and what stays, before somebody is erased.
type EraseView struct {
	ui.Frame
	T        *Words
	Back     string
	BackPath templ.SafeURL
	Events   int         // that name them
	Has      [][2]string // the ids and names of what they have, which must be back before
	Form     *Form
}

// Erase is that page.
func Erase(f ui.Frame, p books.Person, events int, has [][2]string) EraseView {
	v, _ := view(f, checkout.KindPerson, p.ID, p.Name)
	w := v.T
	v.Title = ui.Fill(w.EraseIt, p.Name)
	word := once("word", ui.Fill(w.TypeWord, w.EraseWord), "")
	word.Needed = true
	return EraseView{Frame: v.Frame, T: w, Back: v.Back, BackPath: v.BackPath, Events: events, Has: has, Form: &Form{
		Name: "erase", Button: w.Erase, To: v.BackPath + "/erase", Grave: true, Revision: p.Revision, Key: NewKey(), Fields: []Field{word},
		Ask: func(map[string]string) (string, []string, any) {
			return http.MethodPost, []string{"people", p.ID, "erase"}, nil
		},
	}}
}

// Meant reports whether what was typed is the word, in whatever language the page was.
func (v *EraseView) Meant(typed string) bool {
	for _, w := range words {
		if strings.EqualFold(strings.TrimSpace(typed), w.EraseWord) {
			return true
		}
	}
	g := &v.Form.Fields[0]
	g.Value, g.Wrong, g.Own = typed, ui.Fill(v.T.OtherWord, v.T.EraseWord), true
	v.Alert, v.Frame.Wrong = v.T.Correct, v.Form.Wrong()
	return false
}
