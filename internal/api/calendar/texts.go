package calendar

import (
	"cmp"
	"strings"

	"stump/internal/books"
)

// texts are those of calendars in one language.
type texts struct{ reserved, anyOf string }

var languages = map[string]*texts{
	"en": {reserved: "Reserved", anyOf: "{kind} (any)"},
	"de": {reserved: "Reserviert", anyOf: "{kind} (beliebig)"},
	"fr": {reserved: "Réservé", anyOf: "{kind} (au choix)"},
	"es": {reserved: "Reservado", anyOf: "{kind} (cualquiera)"},
}

func textsOf(language string) *texts { return cmp.Or(languages[language], languages["en"]) }

// summary is what a calendar says of a reservation: what is not what the calendar is of.
func (t *texts) summary(of string, r books.Reservation, names bool) string {
	what, who := r.What(), t.reserved
	if r.DeviceID == "" {
		what = strings.ReplaceAll(t.anyOf, "{kind}", r.Kind)
	}
	if names {
		who = r.Person
	}
	switch of {
	case OfDevice:
		return who
	case OfPerson:
		return t.reserved + ": " + what
	}
	return what + ": " + who
}
