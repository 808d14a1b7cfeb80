package endpoints

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// handoverReturned is the step of a hand-over whose first call is done.
const handoverReturned = "returned"

// toggle is one CHECKINOUT call: whose badge, and what must result.
type toggle struct {
	books.Holding // whose the device is afterwards, if out
	tag           checkout.Tag
	out           bool
	key           string // event parameter: each call of a hand-over has its own
}

// nextToggle finds the call that an event needs; false if none.
func nextToggle(d call.Delivery) (toggle, bool) {
	ev, id := d.Event, d.Event.ID.String()
	person := toggle{books.Holding{ID: ev.Person, Name: ev.PersonName}, d.PersonTag, true, id}
	from := toggle{books.Holding{ID: ev.From, Name: ev.FromName}, d.FromTag, false, id + "-return"}
	switch ev.Kind {
	case checkout.Checkout:
		return person, true
	case checkout.Return:
		// A return by somebody else is delivered as the holder's own: to the server
		// it would be a check-out.
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

// who names the person.
func (t toggle) who() string { return cmp.Or(t.Name, "the person") }

// Deliver implements directory.Deliverer with one CHECKINOUT call. A hand-over
// takes two deliveries.
func (e *Endpoints) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	t, ok := nextToggle(d)
	if !ok {
		return call.Outcome{Verdict: call.Unwanted}
	}
	if t.tag.IsZero() {
		return call.Outcome{Verdict: call.Refused, Reason: "the badge number of " + t.who() + " is not known here, and the directory needs it",
			Remedy: "enrol the badge"}
	}
	if d.DeviceTag.IsZero() {
		return call.Outcome{Verdict: call.Refused, Reason: "the tag number of " + d.Event.DeviceName + " is not known here, and the directory needs it",
			Remedy: "enrol the tag"}
	}
	staff, o := e.staff(t.tag)
	if o.Verdict != call.OK {
		return o
	}
	address := fill(e.cfg.CheckInOut, "{staff}", staff, "{asset}", d.DeviceTag.Decimal())
	if e.cfg.EventParameter != "" {
		address = addParameter(address, e.cfg.EventParameter, t.key)
	}
	o = e.toggle(ctx, address, t, d.Event)
	if next := e.NextStep(d); o.Verdict == call.OK && next != "" {
		return call.Outcome{Verdict: call.Part, Step: next}
	}
	return o
}

// NextStep implements directory.Stepper.
func (e *Endpoints) NextStep(d call.Delivery) string {
	if d.Event.Kind == checkout.Handover && d.Step == "" {
		return handoverReturned
	}
	return ""
}

// IfCounted implements directory.Stepper. It depends on the half of a hand-over:
// the device on the shelf means "counted" for the first, "not counted" for the
// second.
func (e *Endpoints) IfCounted(d call.Delivery) string {
	t, _ := nextToggle(d)
	if t.out {
		return t.who() + " has " + d.Event.DeviceName + " there"
	}
	return d.Event.DeviceName + " is back there"
}

// toggle makes the call and reads the answer.
func (e *Endpoints) toggle(ctx context.Context, address string, t toggle, ev checkout.Event) call.Outcome {
	r, a, o := e.get(ctx, address)
	switch {
	case r.Status < 300 && r.IsPage():
		// A login page answers every call; the error page of a script that failed
		// after it counted the call answers only this one.
		if e.Probe(ctx).Verdict == call.OK {
			return e.doubt(call.Outcome{Verdict: call.Failing, Reason: r.URL.Host + " answers with a web page"})
		}
		return o
	case r.Status == http.StatusServiceUnavailable && o.After == 0:
		// Maintenance says how long it takes. Apache answers the same without that
		// when PHP died in the middle of the call (mod_proxy_fcgi, AH01075).
		return e.doubt(r.Failed())
	case o.Verdict != call.OK:
		return e.doubt(o)
	case a.Error != "":
		return call.Outcome{Verdict: call.Refused, Reason: "the directory says: " + call.Plain(a.Error),
			Remedy: "add what is missing to the directory"}
	}
	out, clear := e.direction(a.Response, ev)
	if !clear {
		return call.Outcome{Verdict: call.Conflict, Reason: fmt.Sprintf("the directory says %q, which is neither in nor out", call.Plain(a.Response)),
			Remedy: "set words_in and words_out to the words it uses; drop this one if it is right there, else retry"}
	}
	if out == t.out {
		return call.Outcome{}
	}
	theirs := t.Holding
	if !out {
		theirs = books.Holding{Free: true}
	}
	return call.Outcome{Verdict: call.Conflict, Theirs: &theirs,
		Reason: fmt.Sprintf("this was a %s, and the directory says: %s", ev.Kind, call.Plain(a.Response)),
		Remedy: "retry reverses it in the directory; accept takes the directory's word"}
}

// doubt turns a failure after the call was sent into InDoubt, unless the server
// recognises an event that it has seen.
func (e *Endpoints) doubt(o call.Outcome) call.Outcome {
	if o.Verdict == call.Failing && e.cfg.EventParameter == "" {
		return call.Outcome{Verdict: call.InDoubt, Reason: o.Reason}
	}
	return o
}

// direction reads in or out from the answer's words. It ignores names: a device
// may be called anything.
func (e *Endpoints) direction(text string, ev checkout.Event) (out, clear bool) {
	text = strings.ToLower(call.Plain(text))
	for _, name := range []string{ev.DeviceName, ev.PersonName, ev.FromName} {
		if name = strings.ToLower(name); len(name) > 2 {
			text = strings.ReplaceAll(text, name, " ")
		}
	}
	has := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return w != "" && strings.Contains(text, strings.ToLower(w)) })
	}
	in, out := has(e.cfg.WordsIn), has(e.cfg.WordsOut)
	return out, in != out
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
