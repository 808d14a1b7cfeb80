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

// Set sets the tag of each row from its value. The note is about values that are
// not credentials; it does not contain them.
func (n *Numbers) Set(rows []books.SyncRow, value func(i int) string) (note []string) {
	var (
		unread []string // whose
		why    error    // the first of them
	)
	for i := range rows {
		var err error
		if rows[i].Tag, err = n.read(value(i)); err != nil {
			unread, why = append(unread, rows[i].Name), cmp.Or(why, err)
		}
	}
	switch len(unread) {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("the number that the directory has for %s is not a %s: %v", unread[0], n.what, why)}
	}
	return []string{fmt.Sprintf("%s of the directory have a number that is not a %s, %s among them: %v",
		count.Of(len(unread), "record"), n.what, unread[0], why)}
}
