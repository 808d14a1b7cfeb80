package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// scimUser is a User resource (RFC 7643, 4.1).
type scimUser struct {
	ID          string `json:"id"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	Name        struct {
		Formatted  string `json:"formatted"`
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Active *bool `json:"active"` // absent: active
	Emails []struct {
		Value   string `json:"value"`
		Primary bool   `json:"primary"`
	} `json:"emails"`

	all map[string]any
}

func parseScimUser(raw json.RawMessage) (u scimUser, err error) {
	if err = json.Unmarshal(raw, &u); err != nil {
		return u, err
	}
	if u.ID == "" {
		return u, errors.New("it has no id")
	}
	return u, json.Unmarshal(raw, &u.all)
}

func (u scimUser) record() Record {
	r := Record{Kind: Person, Ref: u.ID, Inactive: u.Active != nil && !*u.Active}
	for _, name := range []string{u.DisplayName, u.Name.Formatted, u.Name.GivenName + " " + u.Name.FamilyName, u.UserName} {
		if r.Name = plain(name); r.Name != "" {
			break
		}
	}
	for _, m := range u.Emails {
		if r.Email == "" || m.Primary {
			r.Email = plain(m.Value)
		}
	}
	return r
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
			return p, fmt.Errorf("%q is not an attribute path such as %s", s, scimEmployee)
		}
		p.steps = append(p.steps, attrStep{m[1], m[2], m[3]})
	}
	if len(p.steps) == 0 {
		return p, fmt.Errorf("%q is not an attribute path such as %s", s, scimEmployee)
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

// find returns the attribute's value as text, empty if there is none. Attribute
// names don't distinguish upper and lower case (RFC 7643, 2.1).
func (p attrPath) find(u scimUser) string {
	var v any = u.all
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
			if s.filter == "" || fieldText(member(item, s.filter)) == s.want {
				v = item
				break
			}
		}
	}
	if m, ok := v.(map[string]any); ok {
		v = member(m, "value")
	}
	return fieldText(v)
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
