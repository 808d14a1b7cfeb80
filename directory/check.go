package directory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/internal/count"
)

// How far a server may be off before that is said.
const (
	clockOff     = 5 * time.Minute
	certificateT = 14 * 24 * time.Hour // before the certificate ends
)

// The results of checks.
const (
	checkPass = "pass"
	checkWarn = "warn"
	checkFail = "fail"
	checkSkip = "skip"
)

// Check is what one thing that was tried came to.
type Check struct {
	Check    string // name, connect, tls, token, answer, users, devices, badge-field, device-field, clock, webhook, mail
	Result   string // pass, warn, fail, skip
	Measured string
	Remedy   string // empty when nothing is to be done
}

// reacher is a place of which the way to it can be tried. server is one that says what
// its answers tell of its machine.
type (
	reacher interface {
		Reach(ctx context.Context) []call.Step
	}
	server interface{ Server() call.Server }
)

// checker tries everything once.
type checker struct {
	w      *Worker
	report func(Check)
}

// Check tries everything that the directory and the webhooks need, once, and reports
// what each came to. It changes nothing: no event is posted, and what is read of the
// directory is not used.
func (w *Worker) Check(ctx context.Context, report func(Check)) {
	c := checker{w, report}
	if _, local := w.dir.(Local); local {
		c.say("directory", checkSkip, w.dir.String()+": there is nobody to ask", "")
	} else if c.reach(ctx, w.dir) {
		c.directory(ctx)
	}
	for _, s := range w.senders[1:] {
		c.webhook(ctx, s)
	}
}

func (c checker) say(check, result, measured, remedy string) {
	c.report(Check{check, result, measured, remedy})
}

// wrong reports what is wrong by an outcome.
func (c checker) wrong(check string, o call.Outcome) { c.say(check, checkFail, o.Reason, o.Remedy) }

// reach tries the way to the directory, and reports whether it leads there.
func (c checker) reach(ctx context.Context, place any) bool {
	r, ok := place.(reacher)
	if !ok {
		return true
	}
	for _, s := range r.Reach(ctx) {
		check := stepCheck(s)
		c.report(check)
		ok = ok && check.Result != checkFail
	}
	return ok
}

// stepCheck is the check of a step on the way to a server.
func stepCheck(s call.Step) Check {
	switch {
	case s.Outcome.Verdict != call.OK:
		return Check{s.Name, checkFail, s.Outcome.Reason, s.Outcome.Remedy}
	case s.Skipped:
		return Check{s.Name, checkSkip, s.Measured, ""}
	case s.Ends.IsZero():
		return Check{s.Name, checkPass, s.Measured, ""}
	}
	check := Check{s.Name, checkPass, s.Measured + "; " + endWords(s.Ends), ""}
	if time.Until(s.Ends) < certificateT {
		check.Result, check.Remedy = checkWarn, "have it renewed"
	}
	return check
}

// endWords says when a certificate ends.
func endWords(ends time.Time) string {
	return fmt.Sprintf("its certificate ends on %s, in %s", ends.UTC().Format(time.DateOnly), count.Of(int(time.Until(ends).Hours()/24), "day"))
}

// directory tries what is asked of the directory.
func (c checker) directory(ctx context.Context) {
	word := "answer"
	if c.w.puller != nil {
		word = "token"
	}
	if o := c.w.dir.Probe(ctx); o.Verdict == call.OK {
		c.say(word, checkPass, map[string]string{"answer": "it answers as it should", "token": "it is accepted"}[word], "")
	} else {
		c.wrong(word, o)
		if o.Verdict == call.Down || c.w.puller == nil {
			return
		}
	}
	if c.w.puller != nil {
		c.lists(ctx)
	}
	c.clock()
}

// lists reads the whole directory, without using it.
func (c checker) lists(ctx context.Context) {
	c.w.pulls.one.Lock()
	defer c.w.pulls.one.Unlock()
	defer lean()()
	snap, err := c.w.puller.Pull(ctx)
	defer giveBack(len(snap.People) + len(snap.Devices))
	if o, ok := call.OfError(err); ok && !snap.HasPeople && !snap.HasDevices {
		c.wrong("users", o)
		return
	}
	if snap.HasPeople {
		c.list("users", "person", snap.PeopleList)
	}
	if snap.HasDevices {
		c.list("devices", "device", snap.DeviceList)
	}
	if snap.HasPeople {
		c.field("badge-field", "person", snap.BadgeField)
	}
	if snap.HasDevices {
		c.field("device-field", "device", snap.DeviceField)
	}
}

// list reports how a list was read.
func (c checker) list(check, what string, l call.Listing) {
	switch {
	case l.Outcome.Verdict != call.OK && l.Rows > 0:
		c.say(check, checkFail, strings.Join(append(l.Notes, l.Outcome.Reason), "; "), l.Outcome.Remedy)
	case l.Outcome.Verdict != call.OK:
		c.wrong(check, l.Outcome)
	case len(l.Notes) > 0:
		c.say(check, checkWarn, strings.Join(l.Notes, "; "), "")
	case l.Rows == 0:
		c.say(check, checkWarn, "the list is empty", "give the token's user the right to see them, if there are any")
	default:
		c.say(check, checkPass, count.Of(l.Rows, what)+" can be listed", "")
	}
}

// field reports what is in a field with numbers.
func (c checker) field(check, what string, f call.Field) {
	switch {
	case f.Rows == 0:
		c.say(check, checkSkip, "nothing was read that could have it", "")
	case f.Some == 0:
		c.say(check, checkWarn, strings.Join(f.Notes, "; "), "set directory."+f.Key)
	case len(f.Notes) > 0:
		c.say(check, checkWarn, strings.Join(f.Notes, "; "), "check directory."+strings.Replace(f.Key, "_field", "_form", 1))
	default:
		c.say(check, checkPass, fmt.Sprintf("%d of %s have something in %s", f.Some, count.Of(f.Rows, what), f.Name), "")
	}
}

// clock compares the directory's clock with this board's.
func (c checker) clock() {
	s, ok := c.w.dir.(server)
	if !ok {
		return
	}
	ahead, said := s.Server().Ahead()
	remedy := "set the server's clock"
	if !c.w.trusted() {
		remedy = "see that the board gets its time from the network (timedatectl)"
	}
	switch {
	case !said:
		c.say("clock", checkSkip, "the server does not say what time it has", "")
	case ahead.Abs() < clockOff:
		c.say("clock", checkPass, "the server's clock agrees with this board's, "+c.w.clockWords(), "")
	default:
		c.say("clock", checkWarn, "the server's clock is "+aheadWords(ahead)+" this board's, "+c.w.clockWords(), remedy)
	}
}

// aheadWords is how far a clock is ahead of another, or behind.
func aheadWords(d time.Duration) string {
	word := " ahead of"
	if d < 0 {
		word = " behind"
	}
	return sinceWords(d.Abs()) + word
}

// webhook tries the way to a webhook, or the mail server, in one line.
func (c checker) webhook(ctx context.Context, s *sender) {
	r, ok := s.place.(reacher)
	if !ok {
		return
	}
	what, nothing := "webhook", "no event was posted"
	if s.sink == ledger.MailSink {
		what, nothing = ledger.MailSink, "no mail was sent"
	}
	all := Check{what, checkPass, s.place.String(), ""}
	for _, step := range r.Reach(ctx) {
		check := stepCheck(step)
		if check.Result == checkSkip {
			continue
		}
		all.Measured += "; " + check.Measured
		if check.Result != checkPass {
			all.Result, all.Remedy = check.Result, check.Remedy
		}
	}
	if all.Result != checkFail {
		all.Measured += "; " + nothing
	}
	c.report(all)
}

// trusted reports whether this board's clock is known to be right.
func (w *Worker) trusted() bool { return w.clock != nil && w.clock().Trusted }

// clockWords say whether this board's clock is right.
func (w *Worker) clockWords() string {
	if w.trusted() {
		return "which is right"
	}
	return "which is not known to be right"
}

// serverNotes are what is said at once of a place's machine.
func (w *Worker) serverNotes(place any) (notes []string) {
	notes = []string{}
	p, ok := place.(server)
	if !ok {
		return notes
	}
	s := p.Server()
	if ahead, said := s.Ahead(); said && ahead.Abs() >= clockOff {
		notes = append(notes, "its clock is "+aheadWords(ahead)+" this board's, "+w.clockWords())
	}
	if !s.Ends.IsZero() && time.Until(s.Ends) < certificateT {
		notes = append(notes, endWords(s.Ends)+": have it renewed")
	}
	return notes
}
