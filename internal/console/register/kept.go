package register

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"stump/internal/console/ui"
)

// KeptView is the page that answers a form for which the login has ended.
type KeptView struct {
	ui.Frame
	T      *Words
	To     templ.SafeURL
	Fields [][2]string // all of the form
	Shown  [][2]string // what was typed, under its words
}

// Kept keeps a form that was posted to a path.
func Kept(f ui.Frame, path string, post url.Values) KeptView {
	w := WordsIn(f.Words)
	v := KeptView{Frame: f, T: w, To: templ.SafeURL((&url.URL{Path: path}).EscapedPath())}
	labels := map[string]string{
		"name": w.NameTitle, "email": w.Mail, "groups": w.Groups, "language": w.MailLanguage, "kind": w.Kind, "serial": w.Serial, "place": w.Place, "condition": w.Condition,
		"note": w.Note, "link": w.Link, "kit": w.Kit, "tag": w.TagNumber, "badge": w.BadgeNumber, "add_badge": w.BadgeNumber, "out_until": w.Until, "due": w.Until,
		"person": w.GiveTo, "part": w.AddPart, "into": w.MergeInto, "id": "Id", "expires": w.Until,
	}
	for _, name := range slices.Sorted(maps.Keys(post)) {
		for _, value := range post[name] {
			v.Fields = append(v.Fields, [2]string{name, value})
		}
		value := strings.Join(post[name], ", ")
		if label := labels[name]; label != "" && value != "" && value != post.Get(before(name)) {
			v.Shown = append(v.Shown, [2]string{label, value})
		}
	}
	v.Title = w.KeptTitle
	return v
}
