package keyboard

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxTyped is the longest name that can be typed, in letters; longer ones are
// entered by an admin.
const maxTyped = 100

// View is what the panel shows of a line that is being typed.
type View struct {
	// Typed is what was typed so far.
	Typed string
	// Offer is the name from the register that fits it, "" if none does.
	Offer string
	// Offers is how many names fit.
	Offers int
	// Free is whether Enter takes what was typed, not the offer; Tab takes
	// that.
	Free bool
}

// Answer is a line that was ended by Enter.
type Answer struct {
	// Name is the offered name, or what was typed.
	Name string
	// Known is whether Name is from the register.
	Known bool
}

// line is a name being typed. It has no clock and knows no keyboard.
type line struct {
	names  []string // of the register
	free   bool     // any name may be typed
	typed  []rune
	offers []string
	at     int // the offer that is shown
}

// view returns what is shown.
func (l *line) view() View {
	v := View{Typed: string(l.typed), Offers: len(l.offers), Free: l.free}
	if len(l.offers) > 0 {
		v.Offer = l.offers[l.at]
	}
	return v
}

// press takes a key. done is whether the line is complete.
func (l *line) press(p Press) (a Answer, done bool) {
	switch p {
	case Enter:
		return l.enter()
	case Backspace:
		l.typed = l.typed[:max(0, len(l.typed)-1)]
		l.look()
	case Tab:
		if len(l.offers) > 0 {
			l.typed = []rune(l.offers[l.at])
			l.look()
		}
	case Down:
		l.move(1)
	case Up:
		l.move(-1)
	default:
		if p < Enter && len(l.typed) < maxTyped && (len(l.typed) > 0 || p != ' ') {
			l.typed = append(l.typed, rune(p))
			l.look()
		}
	}
	return Answer{}, false
}

// enter ends the line. Where only known people may enrol, the offered name is
// taken. Where anyone may, what was typed is: an Ann who is new here must not
// become the Ann Fisher that the line offers. A line with nothing in it stays.
func (l *line) enter() (Answer, bool) {
	typed := strings.Join(strings.Fields(string(l.typed)), " ")
	if typed == "" {
		return Answer{}, false
	}
	if l.free {
		for _, name := range l.offers {
			if fold(name) == fold(typed) {
				return Answer{name, true}, true
			}
		}
	} else if len(l.offers) > 0 {
		return Answer{l.offers[l.at], true}, true
	}
	return Answer{Name: typed}, true
}

func (l *line) move(by int) {
	if n := len(l.offers); n > 0 {
		l.at = (l.at + by + n) % n
	}
}

// look finds the names that fit what was typed: those that begin with it
// first, then those of which a later word does. Case and accents don't count.
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
	slices.SortFunc(l.offers, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	slices.SortFunc(later, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
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
