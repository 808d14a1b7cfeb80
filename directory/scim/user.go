package scim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// user is a User resource (RFC 7643, 4.1). It is read attribute by attribute:
// servers send "True" for true and a number for an id, and one such user must not
// make the whole list unreadable.
type user map[string]any

// parseUser reads a user; where it returns an error, the user may still have an id.
func parseUser(raw json.RawMessage) (u user, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // ids of more digits than a float has
	if d.Decode(&u) != nil {
		return nil, errors.New("it is not an object")
	}
	if u.id() == "" {
		return u, errors.New("it has no id")
	}
	if _, ok := u.active(); !ok {
		return u, fmt.Errorf("%s is neither active nor not", cmp.Or(call.Plain(u.text("userName")), "it"))
	}
	return u, nil
}

// words are what servers say for true and false.
var words = map[string]bool{
	"true": true, "1": true, "yes": true, "y": true, "t": true, "on": true, "active": true, "enabled": true,
	"false": false, "0": false, "no": false, "n": false, "f": false, "off": false, "inactive": false, "disabled": false,
}

// active returns the attribute; absent is true.
func (u user) active() (active, ok bool) {
	switch v := u.at("active").(type) {
	case nil:
		return true, true
	case bool:
		return v, true
	default:
		word := strings.ToLower(strings.TrimSpace(call.FieldText(v)))
		word = strings.TrimSuffix(word, ".0")
		active, ok = words[word]
		return active, ok
	}
}

// paths are the paths of attributes in which there is something. Of the members of
// a schema the path begins with it.
func (u user) paths() (all []string) {
	add := func(path string, v any) {
		if call.FieldText(v) != "" {
			all = append(all, path)
		}
	}
	for name, v := range u {
		sep := "."
		if strings.HasPrefix(strings.ToLower(name), "urn:") {
			sep = ":"
		}
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		if parts, ok := v.(map[string]any); ok {
			for part, v := range parts {
				add(call.Plain(name+sep+part), v)
			}
		} else {
			add(call.Plain(name), v)
		}
	}
	return all
}

func (u user) at(path ...string) any {
	var v any = map[string]any(u)
	for _, name := range path {
		v = member(v, name)
	}
	return v
}

func (u user) text(path ...string) string { return call.FieldText(u.at(path...)) }

func (u user) id() string { return u.text("id") }

func (u user) row() books.SyncRow {
	active, _ := u.active()
	r := books.SyncRow{Kind: checkout.KindPerson, Ref: u.id(), Inactive: !active, Language: checkout.LanguageOf(u.text("preferredLanguage"))}
	for _, name := range []string{u.text("displayName"), u.text("name", "formatted"), u.text("name", "givenName") + " " + u.text("name", "familyName"), u.text("userName")} {
		if r.Name = call.Plain(name); r.Name != "" {
			break
		}
	}
	emails, _ := u.at("emails").([]any)
	for _, m := range emails {
		if v := call.Plain(call.FieldText(member(m, "value"))); r.Email == "" || member(m, "primary") == true && v != "" {
			r.Email = v
		}
	}
	return r
}

// groups are those that a user is in, by name and by key (RFC 7643, 4.1.2). said is whether
// the user has the attribute.
func (u user) groups() (g checkout.Groups, said bool) {
	list, said := u.at("groups").([]any)
	var names []string
	for _, m := range list {
		names = append(names, call.Plain(call.FieldText(member(m, "display"))), call.Plain(call.FieldText(member(m, "value"))))
	}
	return checkout.GroupsOf(names...), said
}

// attrPath is an attribute path (RFC 7644, 3.10), with at most a simple filter
// on a multi-valued attribute:
//
//	employeeNumber
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber
//	urn:example:badges:2.0:User:badges[type eq "lab"].value
type attrPath struct {
	schema string
	steps  []attrStep
}

type attrStep struct{ name, filter, want string }

var attrStepForm = regexp.MustCompile(`^([A-Za-z$][\w$-]*)(?:\[([A-Za-z$][\w$-]*) eq "([^"]*)"\])?$`)

func parseAttrPath(s string) (p attrPath, err error) {
	rest := s
	if strings.HasPrefix(strings.ToLower(s), "urn:") {
		// The name begins after the last colon before any filter.
		head, _, _ := strings.Cut(s, "[")
		i := strings.LastIndex(head, ":")
		p.schema, rest = s[:i], s[i+1:]
	}
	for _, part := range splitPath(rest) {
		m := attrStepForm.FindStringSubmatch(part)
		if m == nil {
			return p, fmt.Errorf("%q is not an attribute path such as %s", s, employeeNumber)
		}
		p.steps = append(p.steps, attrStep{m[1], m[2], m[3]})
	}
	if len(p.steps) == 0 {
		return p, fmt.Errorf("%q is not an attribute path such as %s", s, employeeNumber)
	}
	return p, nil
}

// splitPath splits at dots outside brackets.
func splitPath(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == '.' && depth == 0
	})
}

// name is the attribute to ask the server for.
func (p attrPath) name() string {
	name := p.steps[0].name
	if p.schema != "" {
		name = p.schema + ":" + name
	}
	return name
}

// member is the member of a user that has the attribute.
func (p attrPath) member() string {
	if p.schema != "" {
		return p.schema
	}
	return p.steps[0].name
}

// find returns the attribute's value as text, empty if there is none. Attribute
// names don't distinguish upper and lower case (RFC 7643, 2.1).
func (p attrPath) find(u user) string {
	var v any = map[string]any(u)
	if p.schema != "" {
		v = member(v, p.schema)
	}
	for _, s := range p.steps {
		v = member(v, s.name)
		list, many := v.([]any)
		if !many {
			continue
		}
		v = nil
		for _, item := range list {
			if s.filter == "" || call.FieldText(member(item, s.filter)) == s.want {
				v = item
				break
			}
		}
	}
	if m, ok := v.(map[string]any); ok {
		v = member(m, "value")
	}
	return call.FieldText(v)
}

func member(v any, name string) any {
	m, _ := v.(map[string]any)
	if x, ok := m[name]; ok {
		return x
	}
	for k, x := range m {
		if strings.EqualFold(k, name) {
			return x
		}
	}
	return nil
}
