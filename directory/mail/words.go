package mail

import (
	"cmp"

	"stump/checkout"
)

// words are the texts of a language. In braces stand what they are about.
type words struct {
	language                                    string
	oneDue, oneLate, manyDue, manyLate          string // subjects
	hello, intro, dueOn, lateSince, keep, outro string
	foot                                        string
	entry                                       string // of a calendar
	digest, digestIntro, digestFoot             string
	overdue, reminded, unsent, addressless      string // titles of the digest
	nothing                                     string
	notices                                     map[checkout.Notice]string
	noticeIntro, atReader, withParts            string
	noticeOutro                                 string
	test, testIntro                             string
	faults, faultOver, faultsOver, over         string // subjects, and a title
	alertFoot                                   string
	dayForm, whenForm                           string
	days                                        [7]string
	months                                      [12]string
}

var languages = map[string]*words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = words{
		language: "en",
		notices: map[checkout.Notice]string{
			checkout.NoticeTaken: "{device}: taken in your name", checkout.NoticeOver: "{device}: taken over from {person} in your name", checkout.NoticeHanded: "{device}: handed on to {person}",
			checkout.NoticeReturned: "{device}: returned", checkout.NoticeBrought: "{device}: returned by {person}", checkout.NoticeLeft: "{device}: returned",
		},
		noticeIntro: "this was saved at {station}:", atReader: "at {reader}", withParts: "with {parts}",
		noticeOutro: "Is that not so? Then tell an admin of the lab at once: badges can be copied.",
		oneDue:      "{device} is due back on {due}", oneLate: "{device} was due back on {due}",
		manyDue: "{n} devices are due back soon", manyLate: "{n} devices to bring back, {late} overdue",
		hello: "Hello {person},", intro: "this is what you have from {station} and should bring back:",
		dueOn: "due {due}", lateSince: "was due {due}", keep: "Keep it longer",
		outro:  "Brought it back in the meantime? Then there is nothing left to do.",
		foot:   "Sent by {station}, the station where you took it.",
		entry:  "Bring back {device}",
		digest: "{station}: {n} overdue", digestFoot: "Sent by {station} each Monday.", digestIntro: "This is how the loans of {station} stand this week.",
		overdue: "Overdue", reminded: "Reminded this week", unsent: "Mails that were refused (stump sync lists them)",
		addressless: "Not reminded: no mail address", nothing: "nobody, nothing",
		test: "A test of {station}", testIntro: "this is a test: what {station} sends comes here.",
		faults: "{station}: {n} faults", faultOver: "{station}: over: {what}", faultsOver: "{station}: {n} faults are over", over: "Over",
		alertFoot: "Sent by {station}, once for a fault that lasts and once when it is over.",
		dayForm:   "{weekday} {day} {month}", whenForm: "{date} {year}, {time}",
		days:   [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	}
	german = words{
		language: "de",
		notices: map[checkout.Notice]string{
			checkout.NoticeTaken: "{device}: ausgeliehen", checkout.NoticeOver: "{device}: übernommen von {person}", checkout.NoticeHanded: "{device}: weitergegeben an {person}",
			checkout.NoticeReturned: "{device}: zurückgegeben", checkout.NoticeBrought: "{device}: zurückgegeben von {person}", checkout.NoticeLeft: "{device}: zurückgegeben",
		},
		noticeIntro: "das wurde an {station} auf diesen Namen gespeichert:", atReader: "an {reader}", withParts: "mit {parts}",
		noticeOutro: "Stimmt das nicht? Dann bitte gleich der Verwaltung des Labors sagen: Ausweise lassen sich kopieren.",
		oneDue:      "{device}: zurück bis {due}", oneLate: "{device}: war bis {due} zurückzugeben",
		manyDue: "{n} Geräte sind bald zurückzugeben", manyLate: "{n} Geräte zurückzugeben, davon {late} überfällig",
		hello: "Hallo {person},", intro: "das ist von {station} ausgeliehen und zurückzugeben:",
		dueOn: "zurück bis {due}", lateSince: "war zurückzugeben bis {due}", keep: "Länger behalten",
		outro:  "Inzwischen zurückgebracht? Dann ist nichts mehr zu tun.",
		foot:   "Gesendet von {station}, der Station, an der es ausgeliehen wurde.",
		entry:  "{device} zurückbringen",
		digest: "{station}: {n} überfällig", digestFoot: "Gesendet von {station}, jeden Montag.", digestIntro: "So steht es diese Woche um die Ausleihen von {station}.",
		overdue: "Überfällig", reminded: "Diese Woche erinnert", unsent: "Abgelehnte Mails (stump sync listet sie auf)",
		addressless: "Nicht erinnert: ohne Mailadresse", nothing: "niemand, nichts",
		test: "Ein Test von {station}", testIntro: "das ist ein Test: Was {station} sendet, kommt hier an.",
		faults: "{station}: {n} Störungen", faultOver: "{station}: behoben: {what}", faultsOver: "{station}: {n} Störungen sind behoben", over: "Behoben",
		alertFoot: "Gesendet von {station}, einmal je Störung, die anhält, und einmal, wenn sie behoben ist.",
		dayForm:   "{weekday}, {day}. {month}", whenForm: "{date} {year}, {time} Uhr",
		days:   [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	}
	french = words{
		language: "fr",
		notices: map[checkout.Notice]string{
			checkout.NoticeTaken: "{device} : emprunté à votre nom", checkout.NoticeOver: "{device} : repris de {person} à votre nom", checkout.NoticeHanded: "{device} : transmis à {person}",
			checkout.NoticeReturned: "{device} : rendu", checkout.NoticeBrought: "{device} : rendu par {person}", checkout.NoticeLeft: "{device} : rendu",
		},
		noticeIntro: "voici ce qui a été enregistré à {station} :", atReader: "à {reader}", withParts: "avec {parts}",
		noticeOutro: "Ce n'est pas exact ? Prévenez aussitôt un responsable : un badge peut être copié.",
		oneDue:      "{device} : à rendre {due}", oneLate: "{device} : était à rendre {due}",
		manyDue: "{n} appareils à rendre bientôt", manyLate: "{n} appareils à rendre, dont {late} en retard",
		hello: "Bonjour {person},", intro: "voici ce que vous avez emprunté à {station} et devez rendre :",
		dueOn: "à rendre {due}", lateSince: "était à rendre {due}", keep: "Garder plus longtemps",
		outro:  "Déjà rendu entre-temps ? Alors il n'y a plus rien à faire.",
		foot:   "Envoyé par {station}, la borne où l'emprunt a été fait.",
		entry:  "Rendre {device}",
		digest: "{station} : {n} en retard", digestFoot: "Envoyé par {station} chaque lundi.", digestIntro: "Voici où en sont les prêts de {station} cette semaine.",
		overdue: "En retard", reminded: "Relances de la semaine", unsent: "Messages refusés (stump sync les liste)",
		addressless: "Sans relance : pas d'adresse mail", nothing: "personne, rien",
		test: "Un essai de {station}", testIntro: "ceci est un essai : ce que {station} envoie arrive ici.",
		faults: "{station} : {n} pannes", faultOver: "{station} : terminé : {what}", faultsOver: "{station} : {n} pannes terminées", over: "Terminé",
		alertFoot: "Envoyé par {station}, une fois par panne qui dure et une fois quand elle est terminée.",
		dayForm:   "{weekday} {day} {month}", whenForm: "{date} {year} à {time}",
		days:   [7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
		months: [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	}
	spanish = words{
		language: "es",
		notices: map[checkout.Notice]string{
			checkout.NoticeTaken: "{device}: prestado a tu nombre", checkout.NoticeOver: "{device}: recibido de {person} a tu nombre", checkout.NoticeHanded: "{device}: entregado a {person}",
			checkout.NoticeReturned: "{device}: devuelto", checkout.NoticeBrought: "{device}: devuelto por {person}", checkout.NoticeLeft: "{device}: devuelto",
		},
		noticeIntro: "esto se ha registrado en {station}:", atReader: "en {reader}", withParts: "con {parts}",
		noticeOutro: "¿No es así? Avisa enseguida a un responsable: una tarjeta se puede copiar.",
		oneDue:      "{device}: devolver hasta el {due}", oneLate: "{device}: había que devolverlo el {due}",
		manyDue: "{n} dispositivos por devolver pronto", manyLate: "{n} dispositivos por devolver, {late} con retraso",
		hello: "Hola, {person}:", intro: "esto es lo que tienes prestado de {station} y debes devolver:",
		dueOn: "hasta el {due}", lateSince: "había que devolverlo el {due}", keep: "Quedármelo más tiempo",
		outro:  "¿Ya lo has devuelto? Entonces no hay nada más que hacer.",
		foot:   "Enviado por {station}, la estación donde se prestó.",
		entry:  "Devolver {device}",
		digest: "{station}: {n} con retraso", digestFoot: "Enviado por {station} cada lunes.", digestIntro: "Así están los préstamos de {station} esta semana.",
		overdue: "Con retraso", reminded: "Avisos de esta semana", unsent: "Correos rechazados (stump sync los lista)",
		addressless: "Sin aviso: no tienen dirección", nothing: "nadie, nada",
		test: "Una prueba de {station}", testIntro: "esto es una prueba: lo que envía {station} llega aquí.",
		faults: "{station}: {n} averías", faultOver: "{station}: resuelto: {what}", faultsOver: "{station}: {n} averías resueltas", over: "Resuelto",
		alertFoot: "Enviado por {station}, una vez por cada avería que dura y otra cuando se resuelve.",
		dayForm:   "{weekday} {day} de {month}", whenForm: "{date} de {year}, {time}",
		days:   [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		months: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	}
)

// wordsFor are those in which a message is written.
func (m *Mail) wordsFor(c Content) *words { return cmp.Or(languages[string(c.Language)], m.words) }

// wordsOf returns the words of a language, of the display's; English where there are none.
func wordsOf(language string) *words { return cmp.Or(languages[language], languages["en"]) }
