package call

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/count"
)

// transforms turn a directory's value into the number of a badge.
var transforms = map[string]func(string) (string, error){
	"digits": func(s string) (string, error) {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
		if digits == "" { // "n/a" must not become badge 0
			return "", errors.New("no digit in it")
		}
		return digits, nil
	},
	"strip-zeros": func(s string) (string, error) {
		if t := strings.TrimLeft(s, "0"); t != "" {
			return t, nil
		}
		return "0", nil
	},
	"hex": func(s string) (string, error) {
		n, ok := new(big.Int).SetString(strings.TrimPrefix(strings.ToLower(s), "0x"), 16)
		if !ok || n.Sign() < 0 {
			return "", fmt.Errorf("not a hexadecimal number")
		}
		return n.String(), nil
	},
}

// Badges are the keys of [directory] for where people's badge numbers are.
type Badges struct {
	// Field is a field of a Snipe-IT user, default employee_num, or a SCIM
	// attribute path, default
	// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber.
	Field string `toml:"badge_field"`
	// Transform and Form make a credential of such a value: the transforms in
	// their order (digits, strip-zeros, hex), then the form with the result in
	// place of {}, such as "H10301:84:{}". Default none and "{}".
	Transform []string `toml:"badge_transform"`
	Form      string   `toml:"badge_form"`
}

// Numbers reads the badges.
func (b Badges) Numbers(parse ParseTag) (*Numbers, error) {
	return NewNumbers("badge", b.Transform, b.Form, parse)
}

// ParseTag reads the written form of a credential.
type ParseTag func(string) (checkout.Tag, error)

// Numbers reads credentials from the fields of a directory, and remembers which
// values are none.
type Numbers struct {
	what  string // "badge" or "device"
	steps []func(string) (string, error)
	form  string
	parse ParseTag
}

// NewNumbers checks the keys what_transform and what_form.
func NewNumbers(what string, transform []string, form string, parse ParseTag) (*Numbers, error) {
	n := &Numbers{what: what, form: cmp.Or(form, "{}"), parse: parse}
	if !strings.Contains(n.form, "{}") {
		return nil, BadKey(what+"_form", "%q needs {} where the number goes", form)
	}
	for _, name := range transform {
		f := transforms[name]
		if f == nil {
			return nil, BadKey(what+"_transform", "%q is not one of digits, strip-zeros, hex", name)
		}
		n.steps = append(n.steps, f)
	}
	return n, nil
}

// read makes a tag of a value; an empty value is no tag.
func (n *Numbers) read(value string) (checkout.Tag, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return checkout.Tag{}, nil
	}
	for _, f := range n.steps {
		var err error
		if value, err = f(value); err != nil {
			return checkout.Tag{}, err
		}
	}
	tag, err := n.parse(strings.ReplaceAll(n.form, "{}", value))
	if err != nil {
		// The parser's error has the number in it.
		return checkout.Tag{}, fmt.Errorf("it does not fit %s_form %q", n.what, n.form)
	}
	return tag, nil
}

// Values reads the credentials of a list, row by row.
type Values struct {
	n      *Numbers
	rows   int // that were read
	some   int // of these, with something in the field
	unread int // of these, what is no credential
	whose  string
	why    error // of the first of them
}

// Values begins to read a list.
func (n *Numbers) Values() *Values { return &Values{n: n} }

// Set sets the tag of a row from its value.
func (v *Values) Set(row *books.SyncRow, value string) {
	v.rows++
	if strings.TrimSpace(value) != "" {
		v.some++
	}
	var err error
	if row.Tag, err = v.n.read(value); err == nil {
		return
	}
	if v.unread++; v.unread == 1 {
		v.whose, v.why = cmp.Or(row.Name, row.Ref), err
	}
}

// None reports whether there were rows, and none had anything in the field.
func (v *Values) None() bool { return v.rows > 0 && v.some == 0 }

// Field is what was in the field, which a key of the configuration names. If there was
// nothing, others says in which fields there is something.
func (v *Values) Field(key, name string, others func() []string) Field {
	f := Field{Key: key, Name: name, Rows: v.rows, Some: v.some, Notes: v.notes()}
	if v.None() {
		f.Notes = append(f.Notes, v.nobodyHas(f, others()))
	}
	return f
}

// nobodyHas is the note for None.
func (v *Values) nobodyHas(f Field, there []string) string {
	what := map[string]string{"badge": "person", "device": "device"}[v.n.what]
	text := fmt.Sprintf("none of %s has anything in %s %s", count.Of(v.rows, what), f.Key, f.Name)
	if v.rows == 1 {
		text = fmt.Sprintf("the only %s has nothing in %s %s", what, f.Key, f.Name)
	}
	field := f.Name
	there = nearest(field, there)
	if len(there) == 0 {
		return text
	}
	text += "; there are: " + strings.Join(there[:min(len(there), fieldsShown)], ", ")
	if more := len(there) - fieldsShown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if alike(field, there[0]) {
		text += ": is " + there[0] + " meant?"
	}
	return text
}

// notes are about values that are not credentials; they don't contain them.
func (v *Values) notes() []string {
	switch v.unread {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("the number that the directory has for %s is not a %s: %v", v.whose, v.n.what, v.why)}
	}
	return []string{fmt.Sprintf("%s of the directory have a number that is not a %s, %s among them: %v",
		count.Of(v.unread, "record"), v.n.what, v.whose, v.why)}
}
