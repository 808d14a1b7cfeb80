package directory

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/internal/count"
)

// transforms turn what a directory has in a field into the number of a badge.
var transforms = map[string]func(string) (string, error){
	"digits": func(s string) (string, error) {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
		if digits == "" { // "n/a" is nobody's badge 0
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

// numbers reads credentials from the fields of a directory.
type numbers struct {
	steps []func(string) (string, error)
	key   string
	form  string
	parse func(string) (checkout.Tag, error)
}

func newNumbers(key string, names []string, form string, parse func(string) (checkout.Tag, error)) (numbers, error) {
	n := numbers{key: key, form: form, parse: parse}
	if !strings.Contains(form, "{}") {
		return n, badKey(key+"_form", "%q needs {} where the number goes", form)
	}
	for _, name := range names {
		f := transforms[name]
		if f == nil {
			return n, badKey(key+"_transform", "%q is not one of digits, strip-zeros, hex", name)
		}
		n.steps = append(n.steps, f)
	}
	return n, nil
}

// read makes a tag of a value; an empty value is no tag.
func (n numbers) read(value string) (checkout.Tag, error) {
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
		// What the parser says has the number in it.
		return checkout.Tag{}, fmt.Errorf("it does not fit %s_form %q", n.key, n.form)
	}
	return tag, nil
}

// decimal26 reads a plain decimal as 26 bits, where the station says nothing
// else.
func decimal26(s string) (checkout.Tag, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) {
		return checkout.Tag{}, fmt.Errorf("not a decimal number")
	}
	v, err := strconv.ParseUint(s, 10, 26)
	if err != nil {
		return checkout.Tag{}, fmt.Errorf("not a number of 26 bits")
	}
	return checkout.TagFromUint64(v, 26), nil
}

// unread collects values that are no credentials, without telling them.
type unread struct {
	n     int
	first string
	err   error
}

func (u *unread) add(name string, err error) {
	if u.n++; u.n == 1 {
		u.first, u.err = name, err
	}
}

func (u *unread) note(snap *Snapshot, what string) {
	switch {
	case u.n == 1:
		snap.Notes = append(snap.Notes, fmt.Sprintf("what the directory has as the number of %s is no %s: %s", u.first, what, u.err))
	case u.n > 1:
		snap.Notes = append(snap.Notes, fmt.Sprintf("%s of the directory have a number that is no %s, %s among them: %s", count.Of(u.n, "record"), what, u.first, u.err))
	}
}
