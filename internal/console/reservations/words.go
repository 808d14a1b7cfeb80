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

var words = ui.Texts[Words]("reservations")
