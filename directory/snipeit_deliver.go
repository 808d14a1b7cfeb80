package directory

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"stump/checkout"
)

// Steps of a delivery: what was done last.
const (
	snipeIn  = "checked in"
	snipeOut = "checked out"
	// snipeAgain: what was done last did not stick; begin anew.
	snipeAgain = "again"
)

// wish is what an event wants of an asset.
type wish struct {
	holder string   // user id; "" for nobody
	was    []string // who may have it before; "" for nobody
	anyone bool     // whoever has it
}

// wishOf returns false for what Snipe-IT need not know.
func wishOf(d Delivery) (w wish, problem string, ok bool) {
	ev := d.Event
	need := func(ref, id, name string) string {
		if ref == "" && id != "" {
			problem = name + " is known here only, not in Snipe-IT"
		}
		return ref
	}
	switch ev.Kind {
	case checkout.Checkout:
		w = wish{holder: need(d.PersonRef, ev.Person, ev.PersonName), was: []string{""}}
	case checkout.Handover:
		// Nobody: the first half is done, or somebody did it by hand.
		w = wish{holder: need(d.PersonRef, ev.Person, ev.PersonName), was: []string{need(d.FromRef, ev.From, ev.FromName), ""}}
	case checkout.Return:
		w = wish{was: []string{d.PersonRef, d.FromRef}}
	case checkout.Lost:
		w = wish{was: []string{d.FromRef}}
	case checkout.Found:
		w = wish{anyone: true}
	default:
		return w, "", false
	}
	return w, problem, true
}

// Deliver implements Deliverer: it reads, compares, and makes at most one call
// that changes something; Part asks to be called again to see what came of it.
func (s *SnipeIT) Deliver(ctx context.Context, d Delivery) Outcome {
	w, problem, ok := wishOf(d)
	if !ok {
		return Outcome{Verdict: Moot}
	}
	if d.DeviceRef == "" {
		problem = d.Event.DeviceName + " is known here only, not in Snipe-IT"
	}
	if problem != "" {
		return Outcome{Verdict: Refused, Reason: problem, Remedy: "add it there and run: stump sync pull"}
	}
	path := "/hardware/" + url.PathEscape(d.DeviceRef)
	var a, after snipeAsset
	if err := s.call(ctx, http.MethodGet, path, nil, nil, &a); err != nil {
		return snipeOutcome(err)
	}
	if a.Deleted != nil || a.ID == 0 {
		return Outcome{Verdict: Refused, Reason: "Snipe-IT has deleted this asset", Remedy: "restore it there"}
	}
	has, person := a.holder()
	switch {
	case has == w.holder && person:
		return Outcome{Verdict: Done}
	case d.Step == snipeOut && has == "", d.Step == snipeIn && has != "" && slices.Contains(w.was, has):
		// Old versions did so (snipe-it#10629).
		return Outcome{Verdict: Failing, Step: snipeAgain, Reason: fmt.Sprintf("Snipe-IT said that it was %s, and it is not", d.Step)}
	case !(person && slices.Contains(w.was, has)) && !w.anyone && !d.Force && !(d.Step == snipeIn && has == ""):
		return a.conflict(d.Event)
	}
	var o Outcome
	if has != "" {
		o = s.checkIn(ctx, path, d.Event)
	} else {
		o = s.checkOut(ctx, path, w.holder, d.Event)
	}
	if o.Verdict == Refused {
		// Its word is translated; whether it was needless is seen by looking.
		err := s.call(ctx, http.MethodGet, path, nil, nil, &after)
		if trouble := snipeOutcome(err); err != nil && trouble.Verdict != Refused {
			return trouble // the whole is asked again, beginning with a look
		}
		if has, person := after.holder(); err == nil && person && has == w.holder {
			return Outcome{Verdict: Done}
		}
	}
	return o
}

// holder is the id of the user who has the asset, "" for nobody; person is
// false when it lies with a location or inside another asset.
func (a snipeAsset) holder() (id string, person bool) {
	if a.AssignedTo == nil {
		return "", true
	}
	return strconv.FormatInt(a.AssignedTo.ID, 10), a.AssignedTo.Type == "user"
}

func (a snipeAsset) conflict(ev checkout.Event) Outcome {
	o := Outcome{Verdict: Differs, Remedy: "retry makes Snipe-IT say what the ledger says; accept takes Snipe-IT's word"}
	id, person := a.holder()
	switch {
	case person:
		name := plain(html.UnescapeString(a.AssignedTo.Name))
		o.Reason = fmt.Sprintf("by Snipe-IT %s had it before this %s", name, ev.Kind)
		o.Theirs = &Holding{Ref: id, Name: name}
	default:
		o.Reason = fmt.Sprintf("by Snipe-IT it is with the %s %s", a.AssignedTo.Type, plain(html.UnescapeString(a.AssignedTo.Name)))
		o.Remedy = "retry makes Snipe-IT say what the ledger says"
	}
	return o
}

func (s *SnipeIT) checkIn(ctx context.Context, path string, ev checkout.Event) Outcome {
	body := map[string]any{"note": s.note(ev)}
	if ev.At.Trusted {
		// A date only: the controller adds its own time of day.
		body["checkin_at"] = ev.At.Wall.In(s.zone).Format(time.DateOnly)
	}
	return s.act(ctx, path+"/checkin", body, snipeIn)
}

func (s *SnipeIT) checkOut(ctx context.Context, path, user string, ev checkout.Event) Outcome {
	id, err := strconv.ParseInt(user, 10, 64)
	if err != nil {
		return Outcome{Verdict: Refused, Reason: "the person's key is no Snipe-IT id", Remedy: "run: stump sync pull"}
	}
	// "name" would rename the asset.
	body := map[string]any{"checkout_to_type": "user", "assigned_user": id, "note": s.note(ev)}
	if ev.At.Trusted {
		body["checkout_at"] = ev.At.Wall.In(s.zone).Format(time.DateTime)
		if ev.Loan > 0 {
			body["expected_checkin"] = ev.At.Wall.Add(ev.Loan).In(s.zone).Format(time.DateOnly)
		}
	}
	return s.act(ctx, path+"/checkout", body, snipeOut)
}

// act makes the one call. Whatever the answer to it, what counts is what the
// next GET shows.
func (s *SnipeIT) act(ctx context.Context, path string, body map[string]any, step string) Outcome {
	var env snipeEnvelope
	err := s.call(ctx, http.MethodPost, path, nil, body, &env)
	if err != nil {
		o := snipeOutcome(err)
		o.Late = o.Verdict == Failing
		return o
	}
	return Outcome{Verdict: Part, Step: step}
}

// note is found again by the event's id, and is never empty, since a setting of
// Snipe-IT asks for one.
func (s *SnipeIT) note(ev checkout.Event) string {
	at := "time unknown"
	if ev.At.Trusted {
		at = ev.At.Wall.In(s.zone).Format("2006-01-02 15:04:05 MST")
	}
	return fmt.Sprintf("stump %s #%d, %s, %s", ev.Station, ev.Seq, at, ev.ID)
}
