package snipeit

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// Steps of a delivery: what was done last.
const (
	stepIn  = "checked in"
	stepOut = "checked out"
	// stepAgain: what was done last had no effect; begin anew.
	stepAgain = "again"
)

// wish is what an event wants of an asset.
type wish struct {
	holder string   // user id; "" for nobody
	was    []string // who may have it before; "" for nobody
	anyone bool     // whoever has it
	home   string   // the free location where it is put when nobody has it; "" for none
}

// wishOf finds what an event wants. The outcome is Unwanted for events that don't
// concern Snipe-IT, and Refused where it lacks the person or the asset.
func (s *SnipeIT) wishOf(d call.Delivery) (w wish, o call.Outcome) {
	ev := d.Event
	need := func(ref, id, name string) string {
		if ref == "" && id != "" {
			o = call.Outcome{Verdict: call.Refused, Reason: name + " is known here only, not in Snipe-IT", Remedy: "add it there and run: stump sync pull"}
		}
		return ref
	}
	switch ev.Kind {
	case checkout.Checkout:
		w = wish{holder: need(d.PersonRef, ev.Person, ev.PersonName), was: []string{""}}
	case checkout.Handover:
		// "": the first half is done, or somebody did it by hand.
		w = wish{holder: need(d.PersonRef, ev.Person, ev.PersonName), was: []string{need(d.FromRef, ev.From, ev.FromName), ""}}
	case checkout.Return:
		w = wish{was: []string{d.PersonRef, d.FromRef, ""}, home: s.home(d.Home)}
	case checkout.Lost:
		w = wish{was: []string{d.FromRef}}
	case checkout.Found:
		w = wish{anyone: true, home: s.home(d.Home)}
	default:
		return w, call.Outcome{Verdict: call.Unwanted}
	}
	need(d.DeviceRef, "device", ev.DeviceName)
	w.was = append(w.was, d.FormerRefs...)
	return w, o
}

// Deliver implements directory.Deliverer: it reads, compares, and makes at most
// one call that changes something; Part asks to be called again to see what came
// of it.
func (s *SnipeIT) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	w, o := s.wishOf(d)
	if o.Verdict != call.OK {
		return o
	}
	path := "/hardware/" + url.PathEscape(d.DeviceRef)
	a, o := s.look(ctx, path)
	if o.Verdict != call.OK {
		return o
	}
	at := s.place(a)
	doubt := cmp.Or(w.doubt(at, d), s.others(w, at, d))
	act, o := w.compare(at, d)
	if act {
		o = s.change(ctx, path, w, at, d)
	} else if o.Verdict == call.OK {
		o.Rev = at.rev()
	}
	o.Doubt = cmp.Or(o.Doubt, doubt)
	return o
}

// change makes the next call that brings the asset to where the event wants it.
func (s *SnipeIT) change(ctx context.Context, path string, w wish, at place, d call.Delivery) (o call.Outcome) {
	step := stepOut
	if !at.unassigned() {
		step = stepIn
	}
	if err := d.Changing(at.rev() + " " + step); err != nil {
		return call.Outcome{Verdict: call.Down, Reason: err.Error()}
	}
	switch {
	case step == stepIn:
		o = s.checkIn(ctx, path, d.Event)
	case w.holder == "":
		o = s.putHome(ctx, path, w.home, d.Event)
	default:
		o = s.checkOut(ctx, path, w.holder, d.Event)
	}
	if o.Verdict != call.Refused {
		return o
	}
	// The refusal is in any language; looking shows whether the call was needless.
	a, seen := s.look(ctx, path)
	after := s.place(a)
	switch {
	case seen.Verdict == call.OK && w.met(after):
		return call.Outcome{Doubt: cmp.Or(w.doubt(after, d), s.others(w, after, d))} // somebody was faster
	case seen.Verdict != call.OK && seen.Verdict != call.Refused:
		return seen // the delivery is repeated, beginning with a look
	case seen.Verdict == call.OK && at.unassigned() && (d.Step == stepIn || d.Event.Kind != checkout.Checkout):
		o.Reason += "; half of it is done: now it says that " + after.words()
	}
	return o
}

// look reads an asset.
func (s *SnipeIT) look(ctx context.Context, path string) (a asset, o call.Outcome) {
	o = s.call(ctx, http.MethodGet, path, nil, nil, &a)
	if o.Verdict == call.OK && (a.Deleted != nil || a.ID == 0) {
		o = call.Outcome{Verdict: call.Refused, Reason: "Snipe-IT has deleted this asset", Remedy: "restore it there"}
	}
	return a, o
}

// compare reports whether to change the asset; if not, the outcome says why.
func (w wish) compare(at place, d call.Delivery) (act bool, o call.Outcome) {
	before := at.other == "" && slices.Contains(w.was, at.user)
	switch {
	case w.met(at):
		return false, call.Outcome{}
	case d.Step == stepOut && at.unassigned(), d.Step == stepIn && !at.unassigned() && before:
		// Old versions did so (snipe-it#10629).
		return false, call.Outcome{Verdict: call.Failing, Step: stepAgain, Reason: fmt.Sprintf("Snipe-IT said that it was %s, and it is not", d.Step)}
	case before, w.anyone, d.Force, d.Step == stepIn && at.unassigned():
		return true, call.Outcome{}
	}
	return false, at.conflict(d.Event)
}

// met reports whether the asset is where the event wants it.
func (w wish) met(at place) bool {
	if w.holder != "" || at.other != "" || at.user != "" {
		return at.other == "" && at.user == w.holder
	}
	return w.home == "" || at.home != ""
}

// doubt is how Snipe-IT's view and the station's differed before a bump whose event
// finds it so already; "" if they did not.
func (w wish) doubt(at place, d call.Delivery) string {
	switch {
	case !d.First() || d.Force || d.Event.Source != checkout.SourceReader:
	case d.Event.Kind == checkout.Return && at.free(), w.holder != "" && at.user == w.holder:
		return "before it, Snipe-IT said that " + at.words()
	}
	return ""
}

// others is what a bump leaves in doubt because others moved the asset since Snipe-IT
// and the station agreed last, or since the last look: its counters show more moves than
// the last call of ours, or a check-out has a stamp that is not ours. "" if nobody did.
func (s *SnipeIT) others(w wish, at place, d call.Delivery) string {
	if d.Force || d.Event.Source != checkout.SourceReader {
		return ""
	}
	last, asked := d.Rev, ""
	if d.Asked != "" {
		last, asked, _ = strings.Cut(d.Asked, " ")
	}
	before, err := strconv.Atoi(last)
	moves := at.moves - before
	ours := moves == 1 && (asked == stepIn && at.unassigned() || asked == stepOut && w.met(at))
	counted := err != nil || at.moves < 0 || moves == 0 || ours
	stamped := !d.Touched || at.user == "" || at.user != w.holder || at.since == "" || !d.Event.At.Trusted || at.since == s.stamp(d.Event)
	if counted && stamped {
		return ""
	}
	return "meanwhile somebody else checked it out or in there"
}

// stamp is when an event was, in the server's wall time.
func (s *SnipeIT) stamp(ev checkout.Event) string {
	return ev.At.Wall.In(s.zone).Format(time.DateTime)
}

func (at place) conflict(ev checkout.Event) call.Outcome {
	if at.other != "" {
		return call.Outcome{Verdict: call.Conflict, Reason: "by Snipe-IT it is with " + at.other,
			Remedy: "retry makes Snipe-IT say what the ledger says"}
	}
	return call.Outcome{Verdict: call.Conflict, Theirs: &books.Holding{Ref: at.user, Name: at.name},
		Reason: fmt.Sprintf("by Snipe-IT %s had it before this %s", at.name, ev.Kind),
		Remedy: "retry makes Snipe-IT say what the ledger says; accept takes Snipe-IT's word"}
}

func (s *SnipeIT) checkIn(ctx context.Context, path string, ev checkout.Event) call.Outcome {
	body := map[string]any{"note": s.note(ev)}
	if ev.At.Trusted {
		// A date only: the controller adds its own time of day.
		body["checkin_at"] = ev.At.Wall.In(s.zone).Format(time.DateOnly)
	}
	return s.act(ctx, path+"/checkin", body, stepIn)
}

func (s *SnipeIT) checkOut(ctx context.Context, path, user string, ev checkout.Event) call.Outcome {
	id, err := strconv.ParseInt(user, 10, 64)
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: "the person's key is not a Snipe-IT id", Remedy: "run: stump sync pull"}
	}
	// "name" would rename the asset.
	body := map[string]any{"checkout_to_type": "user", "assigned_user": id, "note": s.note(ev)}
	if ev.At.Trusted {
		body["checkout_at"] = s.stamp(ev)
		if ev.Loan > 0 {
			// Up to v8.6 Snipe-IT keeps the date of it. From v8.7.0 on a date would be
			// its midnight, so that the loan were overdue a day too soon.
			body["expected_checkin"] = ev.At.Wall.Add(ev.Loan).In(s.zone).Format(time.DateTime)
		}
	}
	return s.act(ctx, path+"/checkout", body, stepOut)
}

// putHome checks the asset out to the free location where it stands.
func (s *SnipeIT) putHome(ctx context.Context, path, home string, ev checkout.Event) call.Outcome {
	id, _, _ := strings.Cut(home, " ")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: "the location's key is not a Snipe-IT id", Remedy: "run: stump sync pull"}
	}
	body := map[string]any{"checkout_to_type": "location", "assigned_location": n, "note": s.note(ev)}
	return s.act(ctx, path+"/checkout", body, stepOut)
}

// act makes the call that changes something. Whatever the answer, only what the
// next GET shows counts.
func (s *SnipeIT) act(ctx context.Context, path string, body map[string]any, step string) call.Outcome {
	o := s.call(ctx, http.MethodPost, path, nil, body, &envelope{})
	o.Late = o.Verdict == call.Failing
	if o.Verdict == call.OK {
		o = call.Outcome{Verdict: call.Part, Step: step}
	}
	return o
}

// note has the event's id, and is never empty, since Snipe-IT can be set to need
// one.
func (s *SnipeIT) note(ev checkout.Event) string {
	at := "time unknown"
	if ev.At.Trusted {
		at = ev.At.Wall.In(s.zone).Format("2006-01-02 15:04:05 MST")
	}
	return fmt.Sprintf("stump %s #%d, %s, %s", ev.Station, ev.Seq, at, ev.ID)
}
