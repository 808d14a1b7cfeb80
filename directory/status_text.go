package directory

import (
	"fmt"
	"io"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/count"
)

// Write renders the status for people:
//
//	directory   endpoints of lab.example: down for 3 h
//	            lab.example refuses the connection
//	            12 events wait, the oldest for 3 h; next try in 9 min
//	            parked 17: Ann took iPad (2026-11-21 10:43)
//	              the directory says: Unknown Device
//	              add what is missing to the directory
//	              then: stump sync retry 17, or: stump sync drop 17 --note WHY
func (s Status) Write(out io.Writer, now time.Time) error {
	p := &printer{}
	if len(s.Sinks) == 0 {
		p.head("directory", s.Directory+": nothing to deliver")
	}
	for _, sink := range s.Sinks {
		p.sink(sink, now)
	}
	p.pull(s.Pull, now)
	if s.PendingTags > 0 {
		text := count.Of(s.PendingTags, "tag") + " were bumped and have no owner yet; their bumps are kept"
		if s.PendingTags == 1 {
			text = "1 tag was bumped and has no owner yet; its bumps are kept"
		}
		p.head("unknown", text)
	}
	for i, d := range s.Doubts {
		name := ""
		if i == 0 {
			name = "in doubt"
		}
		p.head(name, d.ID+": "+EventWords(d.Event))
		p.line("  " + d.Theirs)
		p.line("  see who has it, then: stump sync accept " + d.ID + ", or: stump give, or: stump return " + d.DeviceID)
	}
	for _, o := range s.Orphans {
		p.head(o.Name, waits(o.Rows)+" for this place, which is no longer in the configuration")
		p.line("put it back, or: stump sync drop " + allOf + o.Name + " --note WHY")
	}
	_, err := io.WriteString(out, p.String())
	return err
}

type printer struct{ strings.Builder }

func (p *printer) head(name, text string) { fmt.Fprintf(p, "%-11s %s\n", name, text) }
func (p *printer) line(text string)       { p.head("", text) }

func (p *printer) sink(s SinkStatus, now time.Time) {
	for_ := " for " + sinceWords(now.Sub(s.Since))
	switch s.State {
	case up:
		p.head(s.Name, s.Place+": answers")
	case starting:
		p.head(s.Name, s.Place+": not asked yet")
	case down:
		p.head(s.Name, s.Place+": down"+for_)
	case stopped:
		p.head(s.Name, s.Place+": stopped"+for_+", until this is put right")
	}
	for _, text := range []*string{s.Reason, s.Remedy} {
		if text != nil {
			p.line(*text)
		}
	}
	for _, n := range s.Notes {
		p.line(n)
	}
	if s.State == stopped {
		p.line("then: stump sync retry all")
	}
	if waiting := s.Backlog - s.StuckRows; waiting > 0 {
		text := waits(waiting)
		if s.Oldest != nil {
			text += ", the oldest for " + sinceWords(now.Sub(*s.Oldest))
		}
		if s.Next != nil {
			text += "; next try in " + sinceWords(max(s.Next.Sub(now), 0))
		}
		p.line(text)
	}
	for _, r := range s.Stuck {
		p.stuck(r)
	}
	if more := s.StuckRows - len(s.Stuck); more > 0 {
		p.line(fmt.Sprintf("and %d more", more))
	}
}

func (p *printer) stuck(r Row) {
	p.line(fmt.Sprintf("%s %s: %s", r.State, r.ID, EventWords(r.Event)))
	p.line("  " + r.Reason)
	if r.Remedy != nil {
		p.line("  " + *r.Remedy)
	}
	other := "drop " + r.ID + " --note WHY"
	if r.State == record.InDoubt.String() || r.State == record.Conflict.String() && r.Theirs != nil {
		other = "accept " + r.ID
	}
	p.line("  then: stump sync retry " + r.ID + ", or: stump sync " + other)
}

func (p *printer) pull(s *PullStatus, now time.Time) {
	if s == nil {
		return
	}
	switch {
	case s.Error != nil:
		p.head("people", "the last pull failed: "+*s.Error)
		if s.Remedy != nil {
			p.line(*s.Remedy)
		}
	case s.At == nil:
		p.head("people", "not pulled yet")
	default:
		what := count.Of(s.People, "person")
		if s.Devices > 0 {
			what += " and " + count.Of(s.Devices, "device")
		}
		p.head("people", fmt.Sprintf("%s, pulled %s ago", what, sinceWords(now.Sub(*s.At))))
	}
	for _, n := range s.Notes {
		p.line(n)
	}
}

// EventWords describes an event in words.
func EventWords(ev books.EntryJSON) string {
	name := func(s, id *string, other string) string {
		switch {
		case s != nil:
			return *s
		case id != nil:
			return *id
		}
		return other
	}
	person := name(ev.Person, ev.PersonID, "somebody")
	device := name(ev.Device, ev.DeviceID, "something")
	from := name(ev.From, ev.FromID, "somebody")
	var text string
	switch ev.Kind {
	case checkout.Checkout:
		text = person + " took " + device
	case checkout.Return:
		text = person + " returned " + device
		if ev.From != nil || ev.FromID != nil {
			text += " for " + from
		}
	case checkout.Handover:
		text = from + " handed " + device + " to " + person
	case checkout.Remind:
		text = "reminder to " + person + " of " + device
	case checkout.Notify:
		text = "message to " + person + " about " + device
	case checkout.Digest:
		text = "digest for the admin"
	default:
		text = string(ev.Kind) + " of " + device
		if ev.Device == nil && ev.DeviceID == nil {
			text = string(ev.Kind) + " of " + person
		}
	}
	if ev.At != nil {
		text += " (" + ev.At.Format("2006-01-02 15:04")
		if !ev.ClockTrusted {
			text += ", by a clock that was not set"
		}
		text += ")"
	}
	return text
}

// waits is "1 event waits", or "2 events wait".
func waits(n int) string {
	if n == 1 {
		return "1 event waits"
	}
	return count.Of(n, "event") + " wait"
}

// sinceWords is a duration in words.
func sinceWords(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
