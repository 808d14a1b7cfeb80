package keyboard

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxTyped is the longest name that can be typed, in letters.
const maxTyped = 100

// View is what the panel shows of a line that is being typed.
type View struct {
	Typed string // so far
	Offer string // the name from the register that matches, "" if none does
	// Free is whether Enter takes what was typed, and Tab the offer; else Enter
	// takes the offer.
	Free bool
}

// line is a name being typed.
type line struct {
	names  []string // of the register
	free   bool     // any name may be typed
	typed  []rune
	offers []string
	at     int // the offer that is shown
}

// view returns what is shown.
func (l *line) view() View {
	v := View{Typed: string(l.typed), Free: l.free}
	if len(l.offers) > 0 {
		v.Offer = l.offers[l.at]
	}
	return v
}

// press takes a key. When done, it returns the name.
func (l *line) press(p press) (name string, done bool) {
	switch p {
	case enter:
		if name = l.name(); isNumber(name) {
			name, l.typed = "", nil // a card reader that nobody has told us of typed it
			l.look()
		}
		return name, name != ""
	case backspace:
		l.typed = l.typed[:max(0, len(l.typed)-1)]
		l.look()
	case tab:
		if len(l.offers) > 0 {
			l.typed = []rune(l.offers[l.at])
			l.look()
		}
	case down:
		l.move(1)
	case up:
		l.move(-1)
	default:
		if p < enter && len(l.typed) < maxTyped && (len(l.typed) > 0 || p != ' ') {
			l.typed = append(l.typed, rune(p))
			l.look()
		}
	}
	return "", false
}

// name is the answer if the line ends now, "" if nothing was typed. Where only
// known people may enrol it is the offered name. Where anyone may, it is what was
// typed: an Ann who is new here must not become the Ann Fisher whom the line
// offers.
func (l *line) name() string {
	typed := strings.Join(strings.Fields(string(l.typed)), " ")
	if l.free {
		for _, name := range l.offers {
			if fold(name) == fold(typed) {
				return name
			}
		}
	} else if len(l.offers) > 0 {
		return l.offers[l.at]
	}
	return typed
}

// isNumber is whether what was typed is a card's number, a hexadecimal one too.
func isNumber(typed string) bool {
	return strings.ContainsAny(typed, "0123456789") && strings.Trim(typed, "0123456789abcdefABCDEF") == ""
}

func (l *line) move(by int) {
	if n := len(l.offers); n > 0 {
		l.at = (l.at + by + n) % n
	}
}

// look finds the names that match what was typed: first those that begin with
// it, then those with a later word that does. Case and accents don't count.
func (l *line) look() {
	l.offers, l.at = nil, 0
	typed := strings.TrimLeft(fold(string(l.typed)), " ")
	if strings.TrimSpace(typed) == "" {
		return
	}
	var later []string
	for _, name := range l.names {
		switch f := fold(name); {
		case strings.HasPrefix(f, typed):
			l.offers = append(l.offers, name)
		case strings.Contains(f, " "+typed):
			later = append(later, name)
		}
	}
	// In this order a name that is typed whole comes before longer ones.
	byName := func(a, b string) int { return strings.Compare(fold(a), fold(b)) }
	slices.SortFunc(l.offers, byName)
	slices.SortFunc(later, byName)
	l.offers = append(l.offers, later...)
}

// fold returns a name in small letters without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}
