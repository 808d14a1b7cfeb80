package reservations

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/reservation"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/hint"
)

// Words are the texts of these pages in one language, beside those that all pages share.
// Words in braces stand for names and times.
type Words struct {
	Title, Next, Now, Week, Later, Nothing      string
	What, Any, AnyOf, From, Kept, EachWeek      string
	Cancel, CancelIt, All, Everything, Show     string
	Reserve, Something, ForWhom, Weekly, BeNext string
	NextHint, FreeThen, InLine                  string
	// Refused is why something is not reserved, and what to do.
	Refused ui.Dict
}

// Reasons beside those of the rules: what is wrong with a form.
const (
	NoTime  reservation.Reason = "no-time"   // a field is no time
	NoDay   reservation.Reason = "no-day"    // a field is no day
	NoWish  reservation.Reason = "no-wish"   // nothing is chosen
	OnlyOwn reservation.Reason = "only-own"  // staff reserve for themselves
	Ended   reservation.Reason = "ended"     // the reservation has ended
	AllBusy reservation.Reason = "all-taken" // Few, with nobody to name

	NobodyIs  reservation.Reason = "nobody-is"  // nobody is called so
	NothingIs reservation.Reason = "nothing-is" // no device is
	Several   reservation.Reason = "several"    // several are
	Retired   reservation.Reason = "retired"    // a device or person that is no longer in use
	Suspended reservation.Reason = "suspended"  // a person who takes no part for now
)

// WrongError says what is wrong with a form.
type WrongError struct {
	Reason reservation.Reason
	Typed  string
}

func (e *WrongError) Error() string { return fmt.Sprintf("%s: %q", e.Reason, e.Typed) }

// In are the texts in the language of a page.
func In(w *ui.Words) *Words {
	if own, ok := words[w.Language]; ok {
		return own
	}
	return words["en"]
}

// fill puts names and times into a text, each once: a name may have braces of its own.
func fill(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// what is what is reserved: a device, or any of a kind.
func (t *Words) what(r books.Reservation) string {
	if r.DeviceID == "" {
		return fill(t.Any, "{kind}", r.Kind)
	}
	return r.Device
}

// Why says why something was not reserved or cancelled, and what to do, in the language of a
// page. ok is false if nobody foresaw the error.
func Why(w *ui.Words, err error, now time.Time) (says, remedy string, ok bool) {
	t := In(w)
	say := func(why reservation.Reason, pairs ...string) (string, string, bool) {
		return fill(t.Refused.Of(string(why)), pairs...), "", true
	}
	var (
		no      *reservation.RefusedError
		wrong   *WrongError
		status  *checkout.RefusedError
		missing *books.NotFoundError
		names   *books.AmbiguousError
	)
	switch {
	case errors.As(err, &no):
		reason := no.Reason
		if reason == reservation.Few && no.By == "" {
			reason = AllBusy
		}
		n := no.Count
		if reason == reservation.TooLong {
			n = int(reservation.Longest / (24 * time.Hour))
		}
		return say(reason, "{what}", no.What, "{kind}", no.Kind, "{by}", no.By, "{from}", at(w, no.From, now), "{to}", at(w, no.To, now), "{n}", strconv.Itoa(n))
	case errors.As(err, &wrong):
		return say(wrong.Reason, "{typed}", wrong.Typed)
	case errors.As(err, new(*books.UnreservedError)):
		return say(Ended)
	case errors.As(err, &status) && status.Subject.Status == checkout.Retired:
		return say(Retired, "{what}", status.Subject.Name)
	case errors.As(err, &status) && status.Subject.Status == checkout.Suspended:
		return say(Suspended, "{what}", status.Subject.Name)
	case errors.As(err, &missing) && missing.Kind == checkout.KindPerson:
		return say(NobodyIs, "{what}", missing.Ref)
	case errors.As(err, &missing):
		return say(NothingIs, "{what}", missing.Ref)
	case errors.As(err, &names):
		return say(Several, "{what}", names.Name, "{ids}", strings.Join(names.IDs, ", "))
	case hint.Of(err) != "", errors.Is(err, books.ErrNotFound), errors.Is(err, checkout.ErrRefused):
		says, remedy = w.Tell(err.Error(), hint.Of(err))
		return says, remedy, true
	}
	return "", "", false
}

// Free says which devices are free instead; "" for none.
func Free(w *ui.Words, names []string) string {
	const most = 5
	if len(names) == 0 {
		return ""
	}
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return fill(In(w).FreeThen, "{what}", strings.Join(names, ", "))
}

var words = map[string]*Words{"en": &english, "de": &german, "fr": &french, "es": &spanish}

// Each on its own: the compiler lays them out, and no code has to.
var (
	english = Words{
		Title: "Reservations", Next: "Who is next", Now: "To be fetched now", Week: "The next 7 days", Later: "Later", Nothing: "Nothing is reserved.",
		What: "Device or kind", Any: "any {kind}", AnyOf: "Any of a kind", From: "From", Kept: "waits to be fetched",
		EachWeek: "each week until {until}", Cancel: "Cancel", CancelIt: "Cancel {what}, {from}", All: "Cancel all {n}",
		Reserve: "Reserve", Something: "Reserve something", ForWhom: "For whom", Weekly: "Each week until", BeNext: "Be the next",
		NextHint: "Whoever is the next needs no times: it is kept for them when it is back.", Everything: "Everything", Show: "Show", FreeThen: "Free then: {what}.", InLine: "in line, place {n}",
		Refused: ui.Dict{
			{string(reservation.Lent), "{what} is with {by} until {to}. Reserve it from then on."}, {string(reservation.Booked), "{what} is reserved for {by}, {from} to {to}. Choose another time, or another device."},
			{string(reservation.Few), "No {kind} is left then: one is reserved for {by}, {from} to {to}. Choose another time."},
			{string(AllBusy), "No {kind} is free for all of that time. Choose another."},
			{string(reservation.NoKind), "No device in use is of the kind {kind}. Choose another."}, {string(reservation.Unused), "{what} is not in use. Choose another."},
			{string(reservation.Backwards), "It would be over before it begins. Give a later end."}, {string(reservation.TooLong), "A reservation lasts {n} days at most. Give an earlier end."},
			{string(reservation.HalfTimes), "One of the times is missing. Say from when and until when."}, {string(reservation.NoClock), "The station does not know the time. Nothing can be reserved until it does."},
			{string(reservation.Waits), "{by} waits for it already."}, {string(reservation.Has), "{by} has {what}. Extend the loan."}, {string(reservation.Others), "Somebody else has made this reservation. Ask them, or an admin."},
			{string(NoTime), "{typed} is no time. Write it as 2026-12-04T14:00."}, {string(NoDay), "{typed} is no day. Write it as 2026-12-04."}, {string(NoWish), "Nothing is chosen. Choose a device or a kind."},
			{string(OnlyOwn), "Here everybody reserves for themselves. Ask an admin."}, {string(Ended), "That reservation has ended already."},
			{string(NobodyIs), "Nobody is called {what}. Choose a name of the list."}, {string(NothingIs), "No device is called {what}."},
			{string(Several), "Several are called {what}. Write which one: {ids}."}, {string(Retired), "{what} is no longer in use. An admin can activate it again."}, {string(Suspended), "{what} is suspended, and can take nothing."},
		},
	}
	german = Words{
		Title: "Reservierungen", Next: "Wer als Nächstes dran ist", Now: "Jetzt abzuholen", Week: "Die nächsten 7 Tage", Later: "Später", Nothing: "Nichts ist reserviert.",
		What: "Gerät oder Art", Any: "beliebig: {kind}", AnyOf: "Beliebig aus einer Art", From: "Von", Kept: "liegt bereit",
		EachWeek: "jede Woche bis {until}", Cancel: "Absagen", CancelIt: "{what} absagen, {from}", All: "Alle {n} absagen",
		Reserve: "Reservieren", Something: "Etwas reservieren", ForWhom: "Für wen", Weekly: "Jede Woche bis", BeNext: "Als Nächstes drankommen",
		NextHint: "Wer als Nächstes drankommt, braucht keine Zeiten: Es wird aufgehoben, sobald es zurück ist.", Everything: "Alles", Show: "Zeigen", FreeThen: "Dann frei: {what}.", InLine: "wartet, Platz {n}",
		Refused: ui.Dict{
			{string(reservation.Lent), "{what} ist bis {to} bei {by}. Ab dann ist es zu reservieren."}, {string(reservation.Booked), "{what} ist für {by} reserviert, {from} bis {to}. Eine andere Zeit oder ein anderes Gerät wählen."},
			{string(reservation.Few), "Dann ist nichts der Art {kind} mehr übrig: Eines ist für {by} reserviert, {from} bis {to}. Eine andere Zeit wählen."},
			{string(AllBusy), "Nichts der Art {kind} ist die ganze Zeit frei. Eine andere wählen."},
			{string(reservation.NoKind), "Kein Gerät in Gebrauch ist von der Art {kind}. Eine andere wählen."}, {string(reservation.Unused), "{what} ist nicht in Gebrauch. Ein anderes wählen."},
			{string(reservation.Backwards), "Es wäre vorbei, bevor es beginnt. Ein späteres Ende angeben."}, {string(reservation.TooLong), "Eine Reservierung dauert höchstens {n} Tage. Ein früheres Ende angeben."},
			{string(reservation.HalfTimes), "Eine der Zeiten fehlt. Von wann und bis wann angeben."}, {string(reservation.NoClock), "Die Station weiß die Zeit nicht. Bis dahin lässt sich nichts reservieren."},
			{string(reservation.Waits), "{by} wartet schon darauf."}, {string(reservation.Has), "{by} hat {what}. Die Leihe verlängern."}, {string(reservation.Others), "Das hat jemand anders reserviert. Dort oder bei Admins fragen."},
			{string(NoTime), "{typed} ist keine Zeit. So schreiben: 2026-12-04T14:00."}, {string(NoDay), "{typed} ist kein Tag. So schreiben: 2026-12-04."}, {string(NoWish), "Nichts ist gewählt. Ein Gerät oder eine Art wählen."},
			{string(OnlyOwn), "Hier reserviert jeder für sich selbst. Admins fragen."}, {string(Ended), "Diese Reservierung gibt es nicht mehr."},
			{string(NobodyIs), "Niemand heißt {what}. Einen Namen aus der Liste wählen."}, {string(NothingIs), "Kein Gerät heißt {what}."},
			{string(Several), "Mehrere heißen {what}. Schreiben, wer gemeint ist: {ids}."}, {string(Retired), "{what} ist außer Gebrauch. Admins können das ändern."}, {string(Suspended), "{what} ist gesperrt und kann nichts nehmen."},
		},
	}
	french = Words{
		Title: "Réservations", Next: "À qui le tour", Now: "À prendre maintenant", Week: "Les 7 prochains jours", Later: "Plus tard", Nothing: "Rien n'est réservé.",
		What: "Appareil ou type", Any: "au choix : {kind}", AnyOf: "Au choix, d'un type", From: "Du", Kept: "est prêt",
		EachWeek: "chaque semaine jusqu'au {until}", Cancel: "Annuler", CancelIt: "Annuler {what}, {from}", All: "Annuler les {n}",
		Reserve: "Réserver", Something: "Réserver quelque chose", ForWhom: "Pour qui", Weekly: "Chaque semaine jusqu'au", BeNext: "Être le prochain",
		NextHint: "Le prochain n'a pas besoin d'heures : on garde l'appareil dès son retour.", Everything: "Tout", Show: "Montrer", FreeThen: "Libres alors : {what}.", InLine: "en attente, place {n}",
		Refused: ui.Dict{
			{string(reservation.Lent), "{what} est chez {by} jusqu'à {to}. Réservez-le à partir de là."}, {string(reservation.Booked), "{what} est réservé pour {by}, de {from} à {to}. Choisissez une autre heure ou un autre appareil."},
			{string(reservation.Few), "Il ne reste alors rien du type {kind} : un est réservé pour {by}, de {from} à {to}. Choisissez une autre heure."},
			{string(AllBusy), "Rien du type {kind} n'est libre tout ce temps. Choisissez-en un autre."},
			{string(reservation.NoKind), "Aucun appareil en service n'est du type {kind}. Choisissez-en un autre."}, {string(reservation.Unused), "{what} n'est pas en service. Choisissez-en un autre."},
			{string(reservation.Backwards), "Ce serait fini avant de commencer. Donnez une fin plus tardive."}, {string(reservation.TooLong), "Une réservation dure {n} jours au plus. Donnez une fin plus proche."},
			{string(reservation.HalfTimes), "Une des heures manque. Dites de quand à quand."}, {string(reservation.NoClock), "La station ignore l'heure. Rien ne peut être réservé pour l'instant."},
			{string(reservation.Waits), "{by} l'attend déjà."}, {string(reservation.Has), "{by} a {what}. Prolongez le prêt."}, {string(reservation.Others), "Quelqu'un d'autre a fait cette réservation. Demandez-lui, ou à un admin."},
			{string(NoTime), "{typed} n'est pas une heure. Écrivez 2026-12-04T14:00."}, {string(NoDay), "{typed} n'est pas un jour. Écrivez 2026-12-04."}, {string(NoWish), "Rien n'est choisi. Choisissez un appareil ou un type."},
			{string(OnlyOwn), "Ici, chacun réserve pour soi. Demandez à un admin."}, {string(Ended), "Cette réservation est déjà finie."},
			{string(NobodyIs), "Personne ne s'appelle {what}. Choisissez un nom de la liste."}, {string(NothingIs), "Aucun appareil ne s'appelle {what}."},
			{string(Several), "Plusieurs s'appellent {what}. Écrivez lequel : {ids}."}, {string(Retired), "{what} est hors d'usage. Un admin peut changer cela."}, {string(Suspended), "{what} est suspendu et ne peut rien prendre."},
		},
	}
	spanish = Words{
		Title: "Reservas", Next: "A quién le toca", Now: "Por recoger ahora", Week: "Los próximos 7 días", Later: "Más tarde", Nothing: "No hay nada reservado.",
		What: "Equipo o tipo", Any: "cualquiera: {kind}", AnyOf: "Cualquiera de un tipo", From: "Desde", Kept: "está listo",
		EachWeek: "cada semana hasta {until}", Cancel: "Cancelar", CancelIt: "Cancelar {what}, {from}", All: "Cancelar las {n}",
		Reserve: "Reservar", Something: "Reservar algo", ForWhom: "Para quién", Weekly: "Cada semana hasta", BeNext: "Ser el siguiente",
		NextHint: "El siguiente no necesita horas: se le guarda en cuanto vuelve.", Everything: "Todo", Show: "Mostrar", FreeThen: "Libres entonces: {what}.", InLine: "en espera, puesto {n}",
		Refused: ui.Dict{
			{string(reservation.Lent), "{what} lo tiene {by} hasta {to}. Resérvelo desde entonces."}, {string(reservation.Booked), "{what} está reservado para {by}, de {from} a {to}. Elija otra hora u otro equipo."},
			{string(reservation.Few), "Entonces no queda nada del tipo {kind}: uno está reservado para {by}, de {from} a {to}. Elija otra hora."},
			{string(AllBusy), "Nada del tipo {kind} está libre todo ese tiempo. Elija otro."},
			{string(reservation.NoKind), "Ningún equipo en uso es del tipo {kind}. Elija otro."}, {string(reservation.Unused), "{what} no está en uso. Elija otro."},
			{string(reservation.Backwards), "Acabaría antes de empezar. Dé un final más tardío."}, {string(reservation.TooLong), "Una reserva dura {n} días como mucho. Dé un final más cercano."},
			{string(reservation.HalfTimes), "Falta una de las horas. Diga desde cuándo y hasta cuándo."}, {string(reservation.NoClock), "La estación no sabe la hora. Por ahora no se puede reservar nada."},
			{string(reservation.Waits), "{by} ya lo espera."}, {string(reservation.Has), "{by} tiene {what}. Prolongue el préstamo."}, {string(reservation.Others), "Otra persona hizo esta reserva. Pregúntele, o a un admin."},
			{string(NoTime), "{typed} no es una hora. Escríbala así: 2026-12-04T14:00."}, {string(NoDay), "{typed} no es un día. Escríbalo así: 2026-12-04."}, {string(NoWish), "No hay nada elegido. Elija un equipo o un tipo."},
			{string(OnlyOwn), "Aquí cada uno reserva para sí. Pregunte a un admin."}, {string(Ended), "Esa reserva ya terminó."},
			{string(NobodyIs), "Nadie se llama {what}. Elija un nombre de la lista."}, {string(NothingIs), "Ningún equipo se llama {what}."},
			{string(Several), "Varios se llaman {what}. Escriba cuál: {ids}."}, {string(Retired), "{what} está fuera de uso. Un admin puede cambiarlo."}, {string(Suspended), "{what} está suspendido y no puede tomar nada."},
		},
	}
)
