package books

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/lcd"
)

// NewID makes an id from a name, with a number behind it if it is taken.
func NewID(k Keeper, kind checkout.SubjectKind, name string) (string, error) {
	base := cmp.Or(slug(name), kind.String())
	id := base
	for n := 2; ; n++ {
		var several *AmbiguousError
		_, err := k.FindPerson(id)
		if kind == checkout.KindDevice {
			_, err = k.FindDevice(id)
		}
		if errors.Is(err, ErrNotFound) {
			return id, nil
		}
		if err != nil && !errors.As(err, &several) {
			return "", err
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

// slug is a name as an id: lower case letters and digits, in ASCII if the displays
// have a likeness in ASCII for each letter.
func slug(name string) string {
	name = norm.NFC.String(strings.ToLower(name))
	id := dashed(name)
	if !slices.Contains(lcd.ASCII.Fold(id), '?') {
		id = dashed(strings.ToLower(string(lcd.ASCII.Fold(name))))
	}
	letters := []rune(id)
	return strings.TrimRight(string(letters[:min(len(letters), 40)]), "-")
}

// dashed is the words of s with a dash between them.
func dashed(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), "-")
}
