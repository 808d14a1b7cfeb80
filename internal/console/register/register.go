package register

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
)

// View is the page on which somebody or something is changed, or added.
type View struct {
	ui.Frame
	T *Words
	// Back leads to the page of who or what it is about.
	Back     string
	BackPath templ.SafeURL
	Sections []Section
}

// Section are forms under one heading.
type Section struct {
	Title string
	Forms []*Form
}

// Form is the form of this name; nil if there is none.
func (v *View) Form(name string) *Form {
	for _, s := range v.Sections {
		if i := slices.IndexFunc(s.Forms, func(f *Form) bool { return f.Name == name }); i >= 0 {
			return s.Forms[i]
		}
	}
	return nil
}

// view is a page whose forms are posted to a path, and what most of them ask for.
func view(f ui.Frame, kind checkout.SubjectKind, id, name string) (View, templ.SafeURL) {
	t := WordsIn(f.Words)
	f.Title = ui.Fill(t.ChangeIt, name)
	v := View{Frame: f, T: t, Back: name, BackPath: ui.To("/"+shelf(kind)+"/", id)}
	return v, v.BackPath + "/edit"
}

// shelf is what paths call the people, or the devices.
func shelf(kind checkout.SubjectKind) string {
	if kind == checkout.KindDevice {
		return "devices"
	}
	return "people"
}

// patch changes somebody or something by what was typed.
func patch(kind checkout.SubjectKind, id string) func(map[string]string) (string, []string, any) {
	return func(typed map[string]string) (string, []string, any) {
		return http.MethodPatch, []string{shelf(kind), id}, body(typed)
	}
}

// body is what was typed as the API reads it.
func body(typed map[string]string) map[string]any {
	all := map[string]any{}
	for name, value := range typed {
		all[name] = value
		if name == "groups" {
			all[name] = append([]string{}, checkout.ParseGroups(value).Names()...)
		}
	}
	return all
}

// Person is the page on which a person is changed. twin, unless empty, is the id of somebody
// else of the same name.
func Person(f ui.Frame, p books.Person, twin string) View {
	v, to := view(f, checkout.KindPerson, p.ID, p.Name)
	ask, w := patch(checkout.KindPerson, p.ID), v.T
	newForm := func(name, title, button string, also ...[2]string) *Form {
		return &Form{Name: name, Title: title, Button: button, To: to, Also: also, Revision: p.Revision, Key: NewKey(), Ask: ask}
	}
	facts := newForm("facts", "", w.Save)
	facts.Main, facts.Fields = true, personFields(w, p)

	var badges []*Form
	for i, b := range p.Badges {
		name, title := "badge-"+number(i+1), b.Number+" "+w.badge(b.Status)
		if b.Status == checkout.Active {
			badges = append(badges, newForm(name, title, w.BadgeLost, [2]string{"lost_badge", b.Number}))
		} else {
			badges = append(badges, newForm(name, title, w.BadgeFound, [2]string{"found_badge", b.Number}))
		}
	}
	add := newForm("add-badge", w.AddBadge, w.AddBadge)
	add.Fields = []Field{once("add_badge", w.Number, w.NumberHint)}
	add.Fields[0].Needed = true
	add.Else, add.ElsePath = w.BumpIt, EnrolPath("person", p.ID)
	if p.HasBadge() {
		add.Else = w.BumpInstead
	}

	merge := newForm("merge", w.Merge, w.Merge)
	merge.Grave, merge.Text, merge.Fields = true, ui.Fill(w.MergeDoes, p.Name), []Field{once("into", w.MergeInto, w.ByNameOrID)}
	merge.Fields[0].Needed, merge.Fields[0].Value = true, twin
	merge.Ask = func(typed map[string]string) (string, []string, any) {
		return http.MethodPost, []string{"people", p.ID, "merge"}, body(typed)
	}
	v.Sections = []Section{{w.Facts, []*Form{facts}}, {w.Badges, append(badges, add)}, {w.TakesPart, append(statusForms(w, p.Status, newForm, w.RetireDoes, w.Suspend), merge)}}
	return v
}

// statusForms are those that take somebody or something out of use, or back.
func statusForms(w *Words, is checkout.Status, newForm func(name, title, button string, also ...[2]string) *Form, retires, suspend string) (all []*Form) {
	add := func(to checkout.Status, title, text string) {
		f := newForm(to.String(), title, title, [2]string{"status", to.String()})
		f.Text = text
		all = append(all, f)
	}
	if is != checkout.Active {
		add(checkout.Active, w.Activate, "")
	}
	if is == checkout.Active && suspend != "" {
		add(checkout.Suspended, suspend, w.SuspendDoes)
	}
	if is != checkout.Retired {
		add(checkout.Retired, w.Retire, retires)
	}
	return all
}

// Device is the page on which a device is changed. parts are those of a kit, each with its
// revision, and kinds the kinds that there are.
func Device(f ui.Frame, d books.Device, parts []books.Device, kinds []string, now time.Time) View {
	v, to := view(f, checkout.KindDevice, d.ID, d.Name)
	ask, w := patch(checkout.KindDevice, d.ID), v.T
	newForm := func(name, title, button string, also ...[2]string) *Form {
		return &Form{Name: name, Title: title, Button: button, To: to, Also: also, Revision: d.Revision, Key: NewKey(), Ask: ask}
	}
	facts := newForm("facts", "", w.Save)
	facts.Main, facts.Fields = true, deviceFields(w, d, kinds)

	tag := newForm("tag", w.FirstTag, w.FirstTag)
	if d.HasTag() {
		tag.Title, tag.Button, tag.Text = w.NewTag, w.NewTag, ui.Fill(w.TagDoes, d.Tag)
	}
	tag.Fields = []Field{once("tag", w.Number, w.NumberHint)}
	tag.Fields[0].Needed = true
	tag.Else, tag.ElsePath = w.BumpIt, EnrolPath("device", d.ID)

	out := newForm("out", w.TakeOut, w.TakeOut)
	out.Fields = []Field{said("out_until", w.Until, string(d.Out))}
	out.Fields[0].Type, out.Fields[0].Needed, out.Fields[0].Least = "date", true, string(checkout.DayOf(now.AddDate(0, 0, 1)))
	service := []*Form{out}
	if d.Out != "" {
		service = append(service, newForm("in", w.BackIn, w.BackIn, [2]string{"out_until", ""}))
	}
	v.Sections = []Section{{w.Facts, []*Form{facts}}, {w.Tag, []*Form{tag}}, {w.Service, append(service, statusForms(w, d.Status, newForm, w.RetireDoes, "")...)}}
	if d.Kit == "" {
		v.Sections = append(v.Sections, Section{w.Parts, partForms(w, d, parts, newForm)})
	}
	return v
}

// partForms take parts out of a kit, and put one in.
func partForms(w *Words, d books.Device, parts []books.Device, newForm func(name, title, button string, also ...[2]string) *Form) (all []*Form) {
	for i, p := range parts {
		f := newForm("part-"+number(i+1), p.Name, w.PartOut, [2]string{"kit", ""})
		f.Revision, f.Ask = p.Revision, patch(checkout.KindDevice, p.ID)
		all = append(all, f)
	}
	in := newForm("part", w.AddPart, w.AddPart)
	in.Revision = "" // the part's counts, and one that is in another kit is refused
	in.Fields = []Field{once("part", w.Device, w.ByNameOrID)}
	in.Fields[0].Needed = true
	in.Ask = func(typed map[string]string) (string, []string, any) {
		return http.MethodPatch, []string{"devices", typed["part"]}, map[string]any{"kit": d.ID}
	}
	return append(all, in)
}

// New is the page on which somebody or something is added.
func New(f ui.Frame, kind checkout.SubjectKind, kinds []string) View {
	w := WordsIn(f.Words)
	v := View{Frame: f, T: w, Back: w.People, BackPath: templ.SafeURL("/" + shelf(kind))}
	add := &Form{Name: "new", Button: w.Add, To: templ.SafeURL("/add/" + kind.String()), Main: true, Key: NewKey(), Fields: personFields(w, books.Person{})}
	tag := once("badge", w.BadgeNumber, w.NumberHint)
	v.Title = w.NewPerson
	if kind == checkout.KindDevice {
		v.Title, v.Back, add.Fields = w.NewDevice, w.Devices, deviceFields(w, books.Device{}, kinds)
		tag.Name, tag.Label = "tag", w.TagNumber
	}
	add.Fields = append(add.Fields, tag, once("id", "Id", w.IDHint))
	add.Ask = func(typed map[string]string) (string, []string, any) {
		return http.MethodPost, []string{shelf(kind)}, body(typed)
	}
	v.Sections = []Section{{"", []*Form{add}}}
	return v
}

// EnrolPath is where the tag of somebody or something is bumped.
func EnrolPath(kind, id string) templ.SafeURL {
	return templ.SafeURL("/enrol?" + url.Values{"kind": {kind}, "name": {id}}.Encode())
}

// Kinds are the kinds of devices that there are, by name.
func Kinds(keeper books.Keeper) (all []string, err error) {
	for d, err := range keeper.Devices(books.Page{}) {
		if err != nil {
			return nil, err
		}
		if d.Kind != "" && !slices.Contains(all, d.Kind) && len(all) < 100 {
			all = append(all, d.Kind)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Twin is somebody else who has a person's name, but for capitals and spaces; nobody has the
// empty id.
func Twin(keeper books.Keeper, p books.Person) (twin books.Person, err error) {
	if p.MergedInto != "" {
		return twin, nil
	}
	for o, err := range keeper.People(books.Page{}) {
		if err != nil {
			return twin, err
		}
		if o.ID != p.ID && o.MergedInto == "" && o.Status != checkout.Retired && books.PlainName(o.Name) == books.PlainName(p.Name) {
			return o, nil
		}
	}
	return twin, nil
}

// badge is what is with a badge.
func (w *Words) badge(is checkout.Status) string {
	switch is {
	case checkout.LostBadge:
		return w.Lost
	case checkout.OldBadge:
		return w.Replaced
	}
	return w.Works
}

// Fault is a field with which what the books say has to do; "" for none. code is the
// problem's, see package wire.
func (f *Form) Fault(code string) string {
	typed := f.Changed()
	for _, name := range map[string][]string{
		"tag-taken": {"tag", "badge", "add_badge"}, "exists": {"id"},
		"not-found": {"part", "into", "kit"}, "ambiguous": {"part", "into", "kit"}, "refused": {"part", "into", "kit"},
		"invalid": {"tag", "badge", "add_badge", "part", "kit"},
	}[code] {
		if slices.ContainsFunc(f.Fields, func(g Field) bool { return g.Name == name && cmp.Or(typed[name], g.Value) != "" && g.Value != g.Was }) {
			return name
		}
	}
	return ""
}
