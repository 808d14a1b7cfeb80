// Package register has the forms with which admins change people and devices.
//
// A form brings what the register had when its page was made: only what somebody has typed
// over that is changed. Of a form that is too late, what was typed stays, and beside it
// stands what is there now.
package register

import (
	"cmp"
	"crypto/rand"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"stump/internal/console/ui"
)

// Form is a form of a page.
type Form struct {
	// Name tells the forms of a page apart.
	Name, Title, Button string
	To                  templ.SafeURL
	Main, Grave         bool // the one that the page is for; it can't be undone
	Text                string
	Fields              []Field
	// Also are fields that nobody types.
	Also [][2]string
	// Revision is what the form was made of; empty for what is new. Key names it, so that it
	// counts once however often it is sent.
	Revision, Key string
	// Ask is what the API is asked for, with what was typed: the method, the parts of the
	// path, and the body.
	Ask func(typed map[string]string) (method string, path []string, body any)
	// Else is another way, and where it leads.
	Else     string
	ElsePath templ.SafeURL
}

// Field is a field of a form.
type Field struct {
	Name, Label, Hint string
	Type, Least       string // of the input, if it is not a text, and from when on a date counts
	Most              int    // letters
	Needed, Once      bool   // Once: it changes nothing if it is empty
	Offer             []string
	// Choose are the only values, each with its words.
	Choose [][2]string
	// Value stands in it, and Was is what the register had when the page was made.
	Value, Was string
	// Now is what the register has, if somebody else has changed it meanwhile.
	Now *string
	// Wrong is what is wrong with Value, and Remedy what to do.
	Wrong, Remedy string
	Own           bool // in the language of the page
}

// NewKey is the name of a form that nobody has sent yet.
func NewKey() string { return rand.Text() }

// before is the name of the field that has what the register had before.
func before(name string) string { return "was." + name }

// Copy is a form with fields of its own.
func (f *Form) Copy() Form {
	other := *f
	other.Fields = slices.Clone(f.Fields)
	return other
}

// Type takes over what was typed into a form.
func (f *Form) Type(post url.Values) {
	f.Key = cmp.Or(post.Get("key"), f.Key)
	for i := range f.Fields {
		g := &f.Fields[i]
		if !g.Once {
			g.Was = post.Get(before(g.Name))
		}
		g.Value = typed(post, *g)
	}
}

// typed is what was typed into a field, without spaces around it unless they were there.
func typed(post url.Values, g Field) string {
	value := post.Get(g.Name)
	if !g.Once && value == post.Get(before(g.Name)) {
		return value
	}
	return strings.TrimSpace(value)
}

// Late takes over what was typed into a form of a page from before. A field into which
// nothing was typed shows what is there now.
func (f *Form) Late(post url.Values) {
	f.Key = NewKey()
	for i := range f.Fields {
		g := &f.Fields[i]
		was, now := post.Get(before(g.Name)), g.Was
		g.Value = typed(post, *g)
		switch {
		case g.Once:
		case g.Value == was:
			g.Value = now
		case now != was && now != g.Value:
			g.Now = &now
		}
	}
}

// Changed are the fields into which something else was typed than there was, by name, and
// those that nobody types.
func (f *Form) Changed() map[string]string {
	all := map[string]string{}
	for _, g := range f.Fields {
		if g.Value != g.Was {
			all[g.Name] = g.Value
		}
	}
	for _, a := range f.Also {
		all[a[0]] = a[1]
	}
	return all
}

// Blame notes what is wrong with a field. It is false if there is no such field.
func (f *Form) Blame(w *ui.Words, name, wrong, remedy string) bool {
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			g := &f.Fields[i]
			_, lang := w.Say(wrong)
			g.Wrong, g.Remedy = w.Tell(wrong, remedy)
			g.Own = lang == w.Language
			return true
		}
	}
	return false
}

// Wrong are the fields with which something is wrong, for the head of the page.
func (f *Form) Wrong() (all []ui.Wrong) {
	for _, g := range f.Fields {
		if g.Wrong != "" {
			all = append(all, ui.Wrong{Field: f.id(g), Label: g.Label, Text: g.Wrong})
		}
	}
	return all
}

// id is the id of a field's element.
func (f *Form) id(g Field) string { return f.Name + "-" + g.Name }

// says are the ids of the elements that say something about a field.
func (f *Form) says(g Field) string {
	var all []string
	if g.Wrong != "" {
		all = append(all, f.id(g)+"-wrong")
	}
	if g.Now != nil {
		all = append(all, f.id(g)+"-now")
	}
	if g.Hint != "" {
		all = append(all, f.id(g)+"-hint")
	}
	return strings.Join(all, " ")
}

func number(n int) string { return strconv.Itoa(n) }
