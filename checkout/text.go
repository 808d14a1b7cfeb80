package checkout

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"stump/internal/hint"
)

const (
	maxID   = 64    // characters
	MaxName = 1000  // bytes
	MaxNote = 4_000 // bytes
)

// checkID accepts ids: 1 to 64 printable characters, no space at either end.
func CheckID(id string) error {
	switch n := utf8.RuneCountInString(id); {
	case id == "":
		return hint.Errorf("give one, of letters and digits", "the id is empty")
	case !utf8.ValidString(id):
		return hint.Errorf(SaveUTF8, "the id %q is not valid UTF-8", id)
	case n > maxID:
		return hint.Errorf("choose a shorter one", "the id %q has %d characters: at most %d", id, n, maxID)
	case id[0] == ' ' || id[len(id)-1] == ' ':
		return hint.Errorf("leave the space out", "the id %q begins or ends with a space", id)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return hint.Errorf("leave it out", "the id %q has a character that can't be printed: %U", id, r)
		}
	}
	return nil
}

// CheckName accepts what can be the name of a person or a device: 1 to 1,000 bytes
// of UTF-8 without control characters, and not only spaces.
func CheckName(name string) error {
	if strings.TrimSpace(name) == "" {
		return hint.Errorf("give one", "the name is empty")
	}
	return CheckText("name", name, MaxName)
}

// CheckText accepts at most most bytes of UTF-8 without control characters, and without
// characters that nobody sees: what looks the same is the same.
func CheckText(what, s string, most int) error {
	if len(s) > most {
		return hint.Errorf("shorten it", "the %s has %d bytes: at most %d", what, len(s), most)
	}
	if !utf8.ValidString(s) {
		return hint.Errorf(SaveUTF8, "the %s is not valid UTF-8", what)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return hint.Errorf("leave tabs and line breaks out", "the %s has a control character: %U", what, r)
		}
		if invisible(r) {
			return hint.Errorf("type it anew instead of copying it", "the %s has a character that nobody sees: %U", what, r)
		}
	}
	return nil
}

// invisible reports whether r shows nothing, or changes the order in which others are
// shown. The two joiners are letters' own: Persian and families of emoji need them.
func invisible(r rune) bool {
	switch r {
	case '\u200c', '\u200d':
		return false
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800': // fillers, and a Braille sign without dots
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// SaveUTF8 is the remedy for text in another encoding.
const SaveUTF8 = `save it as UTF-8; a spreadsheet calls that "CSV UTF-8"`

// CheckEmail accepts an address such as ann@lab.example, and none. It is for
// what an admin gives; a directory is taken at its word.
func CheckEmail(s string) error {
	if s == "" {
		return nil
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return hint.Errorf("write it as ann@lab.example, without a name, or leave it empty", "%q is no e-mail address", s)
	}
	return nil
}
