package register

import (
	"cmp"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/hint"
)

// most is how many letters a field takes. The books count bytes, and say so.
const most = checkout.MaxName

// said is a field of what is said of a person or device.
func said(name, label, value string) Field {
	return Field{Name: name, Label: label, Value: value, Was: value, Most: most}
}

// once is a field that changes nothing if it is empty.
func once(name, label, hint string) Field {
	return Field{Name: name, Label: label, Hint: hint, Most: most, Once: true}
}

func personFields(w *Words, p books.Person) []Field {
	name, mail, groups := said("name", w.NameTitle, p.Name), said("email", w.Mail, p.Email), said("groups", w.Groups, p.Groups.String())
	name.Needed, mail.Type, groups.Hint = true, "email", w.GroupsHint
	if p.DirectoryGroups != "" {
		groups.Hint += " " + ui.Fill(w.ByDirectory, p.DirectoryGroups.String())
	}
	return []Field{name, mail, groups, languageField(w, p.Language)}
}

// languageField is the choice of the language in which somebody is written to.
func languageField(w *Words, l checkout.Language) Field {
	f := said("language", w.MailLanguage, string(l))
	f.Choose = [][2]string{{"", w.OfTheStation}}
	for _, l := range checkout.Languages {
		f.Choose = append(f.Choose, [2]string{string(l), LanguageName(l)})
	}
	return f
}

// LanguageName is what a language calls itself; empty for none.
func LanguageName(l checkout.Language) string {
	return map[checkout.Language]string{"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français"}[l]
}

func deviceFields(w *Words, d books.Device, kinds []string) []Field {
	name, kind, link := said("name", w.NameTitle, d.Name), said("kind", w.Kind, d.Kind), said("link", w.Link, d.Link)
	condition := said("condition", w.Condition, d.Condition)
	kit := said("kit", w.Kit, d.Kit)
	kit.Hint = w.KitHint
	name.Needed, kind.Offer, link.Type, link.Hint = true, kinds, "url", w.LinkHint
	condition.Offer, condition.Hint = []string{checkout.ConditionOK, checkout.ConditionDamaged, checkout.ConditionIncomplete}, w.ConditionHint
	return []Field{name, kind, said("serial", w.Serial, d.Serial), said("place", w.Place, d.Place), condition, said("note", w.Note, d.Note), link, kit}
}

// check says why what was typed into a field can't be kept. What depends on others, the
// books say.
func check(name, value string, now time.Time) error {
	switch name {
	case "id":
		if value == "" {
			return nil
		}
		return checkout.CheckID(value)
	case "name":
		return checkout.CheckName(value)
	case "email":
		return cmp.Or(checkout.CheckEmail(value), checkout.CheckText("e-mail address", value, most))
	case "groups":
		return checkout.CheckGroups(checkout.ParseGroups(value))
	case "language":
		return checkout.CheckLanguage(checkout.Language(value))
	case "link":
		return checkout.CheckLink(value)
	case "out_until":
		if err := checkout.CheckDay(checkout.Day(value)); err != nil {
			return err
		}
		if value != "" && !checkout.Day(value).Waits(checkout.DayOf(now)) {
			return hint.Errorf("choose a later one", "the day has come already")
		}
		return nil
	}
	return checkout.CheckText(strings.ReplaceAll(name, "_", " "), value, most)
}

// Check notes what is wrong with what was typed. It is false if anything is.
func (f *Form) Check(w *Words, now time.Time) bool {
	for i := range f.Fields {
		g := &f.Fields[i]
		if g.Needed && g.Value == "" {
			g.Wrong, g.Own = w.Needed, true
		} else if g.Value != g.Was {
			if err := check(g.Name, g.Value, now); err != nil {
				f.Blame(w.Words, g.Name, err.Error(), hint.Of(err))
			}
		}
	}
	return len(f.Wrong()) == 0
}
