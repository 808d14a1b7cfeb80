package device

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"stump/checkout/loan"
	"stump/internal/console/reservations"
	"stump/internal/console/ui"
)

// Why says why a device was not given, returned, extended, lost or found, and what to do, in
// the language of a page. ok is false if nobody foresaw the error.
func Why(w *ui.Words, err error, now time.Time) (says, remedy string, ok bool) {
	var no *loan.RefusedError
	if !errors.As(err, &no) {
		return reservations.Why(w, err, now)
	}
	names := strings.NewReplacer("{what}", no.What, "{by}", no.By, "{at}", w.At(no.At.In(now.Location()), now), "{n}", strconv.Itoa(no.Count))
	return names.Replace(refusals[w.Language].Of(string(no.Reason))), "", true
}

// refusals are the reasons in the languages of pages, each with what to do. Words in braces
// stand for names and times.
var refusals = map[string]ui.Dict{
	"en": {
		{string(loan.Has), "{by} has {what} already."}, {string(loan.Nobody), "Nobody has {what}."}, {string(loan.Another), "Somebody else has {what}. Ask them, or an admin."},
		{string(loan.IsLost), "{what} is lost already."}, {string(loan.NotLost), "{what} is not lost."}, {string(loan.Future), "{at} is in the future. Give a time in the past."},
		{string(loan.Moved), "{what} changed hands later than that, {at}. Give a later time."}, {string(loan.NoClock), "The station does not know the time. Leave the day out."},
		{string(loan.Before), "It would end before it begins. Give a later day."}, {string(loan.Unknown), "The station does not know since when {what} is out. Leave the day out."},
		{string(loan.AtMost), "{what} can be extended until {at} at most. Ask an admin for more."}, {string(loan.Sooner), "{what} is due later than that already. Give a later day."},
		{string(loan.Endless), "{what} is lent without an end. Say until when."}, {string(loan.Past), "{what} would be due {at}, which is past. Give a later day, or bring it back."},
		{string(loan.Booked), "{what} is reserved for {by} from {at}. Give an earlier day, or bring it back."}, {string(loan.Admins), "Only admins extend loans here. Ask one, or bring it back."},
		{string(loan.Often), "{what} was extended already: {n}×. Ask an admin, or bring it back."},
	},
	"de": {
		{string(loan.Has), "{by} hat {what} schon."}, {string(loan.Nobody), "Niemand hat {what}."}, {string(loan.Another), "{what} hat jemand anders. Dort oder bei Admins fragen."},
		{string(loan.IsLost), "{what} ist schon als verloren gemeldet."}, {string(loan.NotLost), "{what} ist nicht verloren."}, {string(loan.Future), "{at} liegt in der Zukunft. Eine frühere Zeit angeben."},
		{string(loan.Moved), "{what} wechselte später als da den Besitzer, {at}. Eine spätere Zeit angeben."}, {string(loan.NoClock), "Die Station weiß die Zeit nicht. Den Tag weglassen."},
		{string(loan.Before), "Es wäre vorbei, bevor es beginnt. Einen späteren Tag angeben."}, {string(loan.Unknown), "Die Station weiß nicht, seit wann {what} verliehen ist. Den Tag weglassen."},
		{string(loan.AtMost), "{what} lässt sich höchstens bis {at} verlängern. Für mehr Admins fragen."}, {string(loan.Sooner), "{what} läuft schon länger als bis dahin. Einen späteren Tag angeben."},
		{string(loan.Endless), "{what} ist ohne Ende verliehen. Sagen, bis wann."}, {string(loan.Past), "{what} wäre {at} fällig, und das ist vorbei. Einen späteren Tag angeben, oder zurückbringen."},
		{string(loan.Booked), "{what} ist ab {at} für {by} reserviert. Einen früheren Tag angeben, oder zurückbringen."}, {string(loan.Admins), "Hier verlängern nur Admins. Dort fragen, oder zurückbringen."},
		{string(loan.Often), "{what} wurde schon verlängert: {n}×. Admins fragen, oder zurückbringen."},
	},
	"fr": {
		{string(loan.Has), "{by} a déjà {what}."}, {string(loan.Nobody), "Personne n'a {what}."}, {string(loan.Another), "Quelqu'un d'autre a {what}. Demandez-lui, ou à un admin."},
		{string(loan.IsLost), "{what} est déjà signalé perdu."}, {string(loan.NotLost), "{what} n'est pas perdu."}, {string(loan.Future), "{at} est dans le futur. Donnez une heure passée."},
		{string(loan.Moved), "{what} a changé de mains plus tard, {at}. Donnez une heure plus tardive."}, {string(loan.NoClock), "La station ignore l'heure. Laissez le jour vide."},
		{string(loan.Before), "Ce serait fini avant de commencer. Donnez un jour plus tardif."}, {string(loan.Unknown), "La station ignore depuis quand {what} est sorti. Laissez le jour vide."},
		{string(loan.AtMost), "{what} se prolonge jusqu'à {at} au plus. Pour plus, demandez à un admin."}, {string(loan.Sooner), "{what} est déjà prêté plus longtemps. Donnez un jour plus tardif."},
		{string(loan.Endless), "{what} est prêté sans fin. Dites jusqu'à quand."}, {string(loan.Past), "{what} serait à rendre {at}, et c'est passé. Donnez un jour plus tardif, ou rapportez-le."},
		{string(loan.Booked), "{what} est réservé pour {by} à partir de {at}. Donnez un jour plus proche, ou rapportez-le."}, {string(loan.Admins), "Ici, seuls les admins prolongent. Demandez-leur, ou rapportez-le."},
		{string(loan.Often), "{what} a déjà été prolongé : {n}×. Demandez à un admin, ou rapportez-le."},
	},
	"es": {
		{string(loan.Has), "{by} ya tiene {what}."}, {string(loan.Nobody), "Nadie tiene {what}."}, {string(loan.Another), "Otra persona tiene {what}. Pregúntele, o a un admin."},
		{string(loan.IsLost), "{what} ya está declarado perdido."}, {string(loan.NotLost), "{what} no está perdido."}, {string(loan.Future), "{at} está en el futuro. Dé una hora pasada."},
		{string(loan.Moved), "{what} cambió de manos más tarde, {at}. Dé una hora posterior."}, {string(loan.NoClock), "La estación no sabe la hora. Deje el día vacío."},
		{string(loan.Before), "Acabaría antes de empezar. Dé un día posterior."}, {string(loan.Unknown), "La estación no sabe desde cuándo está prestado {what}. Deje el día vacío."},
		{string(loan.AtMost), "{what} se prolonga hasta {at} como mucho. Para más, pregunte a un admin."}, {string(loan.Sooner), "{what} ya vence más tarde. Dé un día posterior."},
		{string(loan.Endless), "{what} está prestado sin fin. Diga hasta cuándo."}, {string(loan.Past), "{what} vencería {at}, que ya pasó. Dé un día posterior, o devuélvalo."},
		{string(loan.Booked), "{what} está reservado para {by} desde {at}. Dé un día anterior, o devuélvalo."}, {string(loan.Admins), "Aquí solo prolongan los admins. Pregúnteles, o devuélvalo."},
		{string(loan.Often), "{what} ya se prolongó: {n}×. Pregunte a un admin, o devuélvalo."},
	},
}
