package webhook

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/reminder"
)

// words are the sentences of a language. In braces stand who and what it is about.
type words struct {
	took, returned, returnedFor, handed   string
	keeps                                 string
	reserved, waits, ended, ready         string
	without                               string // a kit came back
	due, dueIn                            string // after took, handed, keeps and the next two
	remind, late                          string // until the due day, and after it
	digest                                string
	lost, had, found, lostBadge           string // had comes after lost
	badgeOf, tagOf, badgeIs, tagIs, other string // enrolled; an unknown tag became known; the rest
	badge, tag                            string // in place of a name that is not known
	over                                  string // of a fault
	days                                  [7]string
	lengths                               [3]string // of {n} days, hours, minutes
}

var languages = map[string]*words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = words{
		took: "{person} took {device}", returned: "{person} returned {device}", returnedFor: "{person} returned {device} for {from}",
		handed: "{from} handed {device} to {person}", keeps: "{person} keeps {device}",
		reserved: "{person} reserved {device}, {when}", waits: "{person} waits for {device}", ended: "{device} is no longer reserved for {person}",
		ready: "{device} is in the lab, kept for {person}, {when}", without: "{device} came back without {missing}", due: ", due {due}", dueIn: ", due in {due}",
		remind: "{person} should bring back {device}", late: "{person} should have brought back {device}", digest: "This week: {overdue} overdue, {reminded} reminded",
		lost: "{device} can't be found", had: ", {from} had it", found: "{device} is there again", lostBadge: "A badge of {person} is lost",
		badgeOf: "A badge was given to {person}", tagOf: "A tag was given to {device}",
		badgeIs: "The unknown badge {tag} is of {person}", tagIs: "The unknown tag {tag} is of {device}", other: "{kind}: {subject}",
		badge: "badge {tag}", tag: "tag {tag}", over: "over",
		days:    [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		lengths: [3]string{"{n} days", "{n} hours", "{n} minutes"},
	}
	german = words{
		took: "{person} hat {device} mitgenommen", returned: "{person} hat {device} zurückgebracht",
		returnedFor: "{person} hat {device} für {from} zurückgebracht",
		handed:      "{from} hat {device} an {person} übergeben", keeps: "{person} behält {device}",
		reserved: "{person} hat {device} reserviert, {when}", waits: "{person} wartet auf {device}", ended: "{device} ist nicht mehr für {person} reserviert",
		ready: "{device} liegt für {person} bereit, {when}", without: "{device} kam ohne {missing} zurück", due: ", zurück bis {due}", dueIn: ", zurück in {due}",
		remind: "{person} soll {device} zurückbringen", late: "{person} hätte {device} zurückbringen sollen", digest: "Diese Woche: {overdue} überfällig, {reminded} erinnert",
		lost: "{device} ist nicht zu finden", had: ", zuletzt bei {from}", found: "{device} ist wieder da",
		lostBadge: "Ein Ausweis von {person} ist verloren",
		badgeOf:   "Ein Ausweis gehört jetzt {person}", tagOf: "Ein Etikett gehört jetzt zu {device}",
		badgeIs: "Der unbekannte Ausweis {tag} gehört {person}", tagIs: "Das unbekannte Etikett {tag} gehört zu {device}", other: "{kind}: {subject}",
		badge: "Ausweis {tag}", tag: "Etikett {tag}", over: "behoben",
		days:    [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
		lengths: [3]string{"{n} Tagen", "{n} Stunden", "{n} Minuten"},
	}
	french = words{
		took: "{person} a pris {device}", returned: "{person} a rendu {device}", returnedFor: "{person} a rendu {device} pour {from}",
		handed: "{from} a remis {device} à {person}", keeps: "{person} garde {device}",
		reserved: "{person} a réservé {device}, {when}", waits: "{person} attend {device}", ended: "{device} n'est plus réservé pour {person}",
		ready: "{device} est gardé pour {person}, {when}", without: "{device} est revenu sans {missing}", due: ", à rendre pour {due}", dueIn: ", à rendre dans {due}",
		remind: "{person} doit rendre {device}", late: "{person} aurait dû rendre {device}", digest: "Cette semaine : {overdue} en retard, {reminded} relances",
		lost: "{device} est introuvable", had: ", en dernier chez {from}", found: "{device} est de nouveau là",
		lostBadge: "Un badge de {person} est perdu",
		badgeOf:   "Un badge a été attribué à {person}", tagOf: "Une étiquette a été attribuée à {device}",
		badgeIs: "Le badge inconnu {tag} est celui de {person}", tagIs: "L'étiquette inconnue {tag} est celle de {device}", other: "{kind} : {subject}",
		badge: "badge {tag}", tag: "étiquette {tag}", over: "terminé",
		days:    [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
		lengths: [3]string{"{n} jours", "{n} heures", "{n} minutes"},
	}
	spanish = words{
		took: "{person} se llevó {device}", returned: "{person} devolvió {device}", returnedFor: "{person} devolvió {device} por {from}",
		handed: "{from} entregó {device} a {person}", keeps: "{person} se queda {device}",
		reserved: "{person} reservó {device}, {when}", waits: "{person} espera {device}", ended: "{device} ya no está reservado para {person}",
		ready: "{device} está guardado para {person}, {when}", without: "{device} volvió sin {missing}", due: ", hasta {due}", dueIn: ", durante {due}",
		remind: "{person} debe devolver {device}", late: "{person} debería haber devuelto {device}", digest: "Esta semana: {overdue} con retraso, {reminded} avisos",
		lost: "No se encuentra {device}", had: ", lo tenía {from}", found: "{device} ha aparecido",
		lostBadge: "Se perdió una tarjeta de {person}",
		badgeOf:   "Una tarjeta es ahora de {person}", tagOf: "Una etiqueta es ahora de {device}",
		badgeIs: "La tarjeta desconocida {tag} es de {person}", tagIs: "La etiqueta desconocida {tag} es de {device}", other: "{kind}: {subject}",
		badge: "tarjeta {tag}", tag: "etiqueta {tag}", over: "resuelto",
		days:    [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		lengths: [3]string{"{n} días", "{n} horas", "{n} minutos"},
	}
)

// wordsOf returns the words of a language, of the display's; English where there
// are none.
func wordsOf(language string) *words {
	return cmp.Or(languages[language], languages["en"])
}

// Fields are what a template may use. A value that is not known is empty. All are
// made harmless for the format, see chat.go.
type Fields struct {
	Text    string // the sentence that is sent without a template
	Kind    string // checkout, return, handover, incomplete, extend, reserve, cancel, ready, remind, digest, lost, found, enrol, resolve
	Person  string // who has the device now, or brought it back
	Device  string
	From    string // who had it before
	Due     string // when it should be back: a day, or today's time; a length where the time is not known
	At      string // when it happened: 2026-11-21 10:43
	Station string
	Reader  string
	Note    string
}

// late is how late a message may come before it says when the event was.
const late = 15 * time.Minute

const minute = "2006-01-02 15:04"

// fields returns what can be said of an event at a time. safe makes a value harmless.
func (w *words) fields(ev checkout.Event, now time.Time, safe func(string) string) Fields {
	if ev.Kind == checkout.Return && ev.Person+ev.PersonName+ev.PersonTag == "" { // put into a box, by nobody knows whom
		ev.Person, ev.PersonName, ev.PersonTag = ev.From, ev.FromName, ev.FromTag
	}
	name := func(s, tag, unknown string) string {
		if s == "" && tag != "" {
			s = strings.ReplaceAll(unknown, "{tag}", tag)
		}
		return safe(s)
	}
	f := Fields{
		Kind: string(ev.Kind), Station: safe(ev.Station), Reader: safe(ev.Reader), Note: safe(ev.Note),
		Person: name(ev.PersonName, ev.PersonTag, w.badge), Device: name(cmp.Or(ev.DeviceName, ev.Booking.Kind), ev.DeviceTag, w.tag), From: name(ev.FromName, ev.FromTag, w.badge),
	}
	if ev.At.Trusted {
		f.At = ev.At.Wall.Local().Format(minute)
	}
	switch {
	case !ev.Due.IsZero():
		f.Due = w.dueDay(ev.At.Wall, ev.Due, now)
	case ev.Kind == checkout.Extend: // its length is from a beginning that nobody knows
	case ev.Loan > 0 && ev.At.Trusted:
		f.Due = w.dueDay(ev.At.Wall, ev.At.Wall.Add(ev.Loan), now)
	case ev.Loan > 0:
		f.Due = w.length(ev.Loan)
	}
	overdue, reminded, _ := reminder.ParseSummary(ev.Note)
	f.Text = strings.NewReplacer("{overdue}", strconv.Itoa(overdue), "{reminded}", strconv.Itoa(reminded), "{person}", f.Person, "{device}", f.Device, "{from}", f.From, "{due}", f.Due, "{kind}", f.Kind, "{when}", span(ev.Booking), "{missing}", safe(strings.Join(ev.Missing, ", ")),
		"{tag}", safe(cmp.Or(ev.PersonTag, ev.DeviceTag)), "{subject}", cmp.Or(f.Device, f.Person, f.Note)).Replace(w.sentence(ev, f))
	if f.At != "" && now.Sub(ev.At.Wall) > late {
		f.Text += " (" + f.At + ")"
	}
	return f
}

// sentence is what is said of an event, with placeholders.
func (w *words) sentence(ev checkout.Event, f Fields) string {
	due := ""
	if f.Due != "" {
		if due = w.due; !ev.At.Trusted && ev.Due.IsZero() {
			due = w.dueIn
		}
	}
	about := func(person, device string) string {
		if ev.Device != "" || f.Device != "" {
			return device
		}
		return person
	}
	switch ev.Kind {
	case checkout.Checkout:
		return w.took + due
	case checkout.Handover:
		return w.handed + due
	case checkout.Extend:
		return w.keeps + due
	case checkout.Reserve, checkout.Cancel, checkout.Ready:
		return w.booking(ev)
	case checkout.Remind:
		if stage, err := reminder.ParseStage(ev.Stage); err == nil && stage > 0 {
			return w.late + due
		}
		return w.remind + due
	case checkout.Digest:
		return w.digest
	case checkout.Incomplete:
		return w.without
	case checkout.Return:
		if f.From != "" && ev.From != ev.Person {
			return w.returnedFor
		}
		return w.returned
	case checkout.Lost:
		if f.From != "" {
			return w.lost + w.had
		}
		return about(w.lostBadge, w.lost)
	case checkout.Found:
		return w.found
	case checkout.Enrol:
		return about(w.badgeOf, w.tagOf)
	case checkout.Resolve:
		return about(w.badgeIs, w.tagIs)
	}
	return w.other
}

// booking is what is said of a reservation.
func (w *words) booking(ev checkout.Event) string {
	switch {
	case ev.Kind == checkout.Cancel:
		return w.ended
	case ev.Kind == checkout.Ready:
		return w.ready
	case ev.Booking.From.IsZero():
		return w.waits
	}
	return w.reserved
}

// span is when a reservation is; empty for a place in the line.
func span(b checkout.Booking) string {
	if b.From.IsZero() {
		return ""
	}
	from, to := b.From.Local(), b.To.Local()
	if midnight(from).Equal(midnight(to)) {
		return from.Format(minute) + "–" + to.Format("15:04")
	}
	return from.Format(minute) + " – " + to.Format(minute)
}

// dueDay is when the device should be back: the time, if that is on the same day; the
// weekday, if it comes within a week; else the date.
func (w *words) dueDay(at, due, now time.Time) string {
	at, due = at.Local(), due.Local()
	days := int(midnight(due).Sub(midnight(at)).Hours()/24 + 0.5) // a day may have 23 hours
	switch soon := now.Sub(at) < 24*time.Hour; {
	case days < 0:
	case days == 0 && soon:
		return due.Format("15:04")
	case days < 7 && soon:
		return w.days[due.Weekday()]
	}
	return due.Format(time.DateOnly)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// length is a time of at least two days, two hours or some minutes, in whole ones.
func (w *words) length(d time.Duration) string {
	text, n := w.lengths[2], d/time.Minute
	switch {
	case d >= 48*time.Hour:
		text, n = w.lengths[0], d/(24*time.Hour)
	case d >= 2*time.Hour:
		text, n = w.lengths[1], d/time.Hour
	}
	return strings.ReplaceAll(text, "{n}", strconv.Itoa(int(n)))
}
