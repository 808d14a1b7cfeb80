package directory

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"stump/checkout"
)

// toggle is one CHECKINOUT call: whose badge, and what must come of it.
type toggle struct {
	who     string // name, for people
	holding Holding
	tag     checkout.Tag
	out     bool
	key     string // event parameter: each call of a hand-over has its own
}

// nextToggle finds the call that an event needs; false if none.
func nextToggle(d Delivery) (toggle, bool) {
	ev, id := d.Event, d.Event.ID.String()
	person := toggle{ev.PersonName, Holding{ID: ev.Person, Name: ev.PersonName}, d.PersonTag, true, id}
	from := toggle{ev.FromName, Holding{ID: ev.From, Name: ev.FromName}, d.FromTag, false, id + "-return"}
	switch ev.Kind {
	case checkout.Checkout:
		return person, true
	case checkout.Return:
		// The server knows who has it; a return by somebody else is told as
		// the holder's own.
		if ev.From != "" {
			person = from
		}
		person.out, person.key = false, id
		return person, true
	case checkout.Lost:
		// What can't be found is no longer lent to anybody.
		return from, ev.From != ""
	case checkout.Handover:
		if d.Step == handoverReturned {
			return person, true
		}
		return from, true
	}
	return toggle{}, false
}

// Deliver implements Deliverer with one CHECKINOUT call. A hand-over takes two
// deliveries.
func (e *Endpoints) Deliver(ctx context.Context, d Delivery) Outcome {
	t, ok := nextToggle(d)
	if !ok {
		return Outcome{Verdict: Moot}
	}
	if t.tag.IsZero() {
		return Outcome{Verdict: Refused, Reason: "the badge number of " + orSomebody(t.who) + " is not known here, and the directory needs it",
			Remedy: "enrol the badge"}
	}
	if d.DeviceTag.IsZero() {
		return Outcome{Verdict: Refused, Reason: "the tag number of " + d.Event.DeviceName + " is not known here, and the directory needs it",
			Remedy: "enrol the tag"}
	}
	staff, err := e.staff(t.tag)
	if err != nil {
		return Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "check hash_string_file"}
	}
	address := fill(e.cfg.CheckInOut, "{staff}", staff, "{asset}", d.DeviceTag.Decimal())
	if e.cfg.EventParameter != "" {
		address = addParameter(address, e.cfg.EventParameter, t.key)
	}
	o := e.toggle(ctx, address, t, d.Event)
	if next := e.After(d); o.Verdict == Done && next != "" {
		return Outcome{Verdict: Part, Step: next}
	}
	return o
}

// After implements Resumer.
func (e *Endpoints) After(d Delivery) string {
	if d.Event.Kind == checkout.Handover && d.Step == "" {
		return handoverReturned
	}
	return ""
}

// Counted implements Resumer. The two halves of a hand-over look alike to whoever
// does not know which of them was lost.
func (e *Endpoints) Counted(d Delivery) string {
	t, _ := nextToggle(d)
	if t.out {
		return orSomebody(t.who) + " has " + d.Event.DeviceName + " there"
	}
	return d.Event.DeviceName + " is back there"
}

// toggle makes the call and reads the answer.
func (e *Endpoints) toggle(ctx context.Context, address string, t toggle, ev checkout.Event) Outcome {
	r, cerr := e.get(ctx, address)
	if cerr != nil {
		return e.doubt(noAnswer(cerr))
	}
	a, o := readAnswer(r)
	switch {
	case o.Verdict == BadConfig && isPage(r.Body) && r.Status < 300:
		// A login page answers everything; the error page of a script that broke
		// after it counted the call answers only this.
		if e.Probe(ctx).Verdict == Done {
			return e.doubt(Outcome{Verdict: Failing, Reason: r.URL.Host + " answers with a web page"})
		}
		return o
	case r.Status == http.StatusServiceUnavailable && o.After == 0:
		// Maintenance says how long it takes. Apache says the same of a PHP that
		// died in the middle of the call (mod_proxy_fcgi, AH01075).
		o.Verdict, o.Reason = Failing, fmt.Sprintf("%s failed (%s)", r.URL.Host, statusWords(r.Status))
		return e.doubt(o)
	case o.Verdict != Done:
		return e.doubt(o)
	case a.Error != "":
		return Outcome{Verdict: Refused, Reason: fmt.Sprintf("the directory says: %s", plain(a.Error)),
			Remedy: "add what is missing to the directory"}
	}
	out, clear := e.direction(a.Response, ev)
	theirs := t.holding
	if !out {
		theirs = Holding{Free: true}
	}
	switch {
	case !clear:
		return Outcome{Verdict: Differs, Reason: fmt.Sprintf("the directory says %q, which is neither in nor out", plain(a.Response)),
			Remedy: "set words_in and words_out to the words it uses; drop this one if it is right there, else retry"}
	case out != t.out:
		return Outcome{Verdict: Differs, Theirs: &theirs,
			Reason: fmt.Sprintf("we told %q and the directory says: %s", ev.Kind, plain(a.Response)),
			Remedy: "retry turns it round in the directory; accept takes the directory's word"}
	}
	return Outcome{Verdict: Done}
}

// doubt turns "failed after it was sent" into Lost, unless the server knows an
// event when it sees it again.
func (e *Endpoints) doubt(o Outcome) Outcome {
	if o.Verdict == Failing && e.cfg.EventParameter == "" {
		return Outcome{Verdict: Lost, Reason: o.Reason}
	}
	return o
}

// direction reads in or out from the answer's words. The names in it are taken
// out first: a device may be called anything.
func (e *Endpoints) direction(text string, ev checkout.Event) (out, clear bool) {
	text = strings.ToLower(plain(text))
	for _, name := range []string{ev.DeviceName, ev.PersonName, ev.FromName} {
		if name = strings.ToLower(name); len(name) > 2 {
			text = strings.ReplaceAll(text, name, " ")
		}
	}
	in, out := containsAny(text, e.cfg.WordsIn), containsAny(text, e.cfg.WordsOut)
	return out, in != out
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if w != "" && strings.Contains(text, strings.ToLower(w)) {
			return true
		}
	}
	return false
}

func addParameter(address, key, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	sep := ""
	if u.RawQuery != "" {
		sep = "&"
	}
	u.RawQuery += sep + url.QueryEscape(key) + "=" + url.QueryEscape(value)
	return u.String()
}

// hashes are badge numbers as they are sent, which servers like to repeat.
var hashes = regexp.MustCompile(`[0-9a-fA-F]{32,}`)

// plain makes a server's words fit for a display and a log: one line, no
// control characters, no hash, at most 120 characters.
func plain(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}), " ")
	s = hashes.ReplaceAllString(s, "…")
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}

func orSomebody(name string) string {
	if name == "" {
		return "the person"
	}
	return name
}
