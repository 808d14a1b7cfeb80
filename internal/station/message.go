package station

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/wiegand"
)

// mask is what the log shows of a tag.
func (a *attendant) mask(tag checkout.Tag) string {
	return credential.Mask(tag, a.r.Formats)
}

// name is what a person reads for a tag's owner; of a pending one only the
// end of its number is known.
func (a *attendant) name(s checkout.Subject) string { return cmp.Or(s.Name, a.mask(s.Tag)) }

// unknownKeys are the texts for an unknown tag, by what the site's rules make
// of it.
var unknownKeys = map[checkout.SubjectKind]string{
	checkout.Unknown: "unknown-tag", checkout.KindPerson: "unknown-badge", checkout.KindDevice: "unknown-device",
}

// unknownReasons are the same for the list of refusals.
var unknownReasons = map[checkout.SubjectKind]string{
	checkout.Unknown: "unknown tag", checkout.KindPerson: "unknown badge", checkout.KindDevice: "unknown device",
}

// ended is whose turn an outcome has ended; "" for nobody's.
func (a *attendant) ended(out checkout.Outcome) string {
	if out.Ended.Kind == checkout.Unknown {
		return ""
	}
	return a.name(out.Ended)
}

// waits is what the display says while a badge or a device waits for the other.
func (a *attendant) waits(s checkout.Subject) panel.Message {
	switch {
	case s.Kind == checkout.KindPerson:
		return panel.Message{Key: "greet", Person: a.name(s)}
	case s.Against != (checkout.Why{}) && s.Holder == "":
		return against(a.name(s), "", s.Against)
	case s.Doubtful:
		return panel.Message{Key: "doubtful", Device: a.name(s), Holder: s.HolderName}
	case s.Holder == "" && s.ReservedBy != "":
		return panel.Message{Key: "device-reserved", Device: a.name(s), Holder: s.ReservedBy, When: s.ReservedFrom.Local(), At: time.Now()}
	case s.Holder != "":
		return panel.Message{Key: "device-held", Device: a.name(s), Holder: s.HolderName}
	}
	return panel.Message{Key: "device-free", Device: a.name(s)}
}

// message is what the display says of an outcome that commits nothing.
func (a *attendant) message(out checkout.Outcome) panel.Message {
	s := out.Person
	if s.Kind == checkout.Unknown {
		s = out.Device
	}
	switch out.Kind {
	case checkout.RepeatResult:
		return done(*out.Result)
	case checkout.NotAsked:
		return panel.Message{Key: "kit-not-asked", Device: a.name(s)}
	case checkout.ReturnsOnly:
		return panel.Message{Key: "returns-only"}
	case checkout.Lies:
		return panel.Message{Key: "lies", Device: a.name(s)}
	case checkout.Refused:
		m := a.refusal(checkout.RefusedError{Subject: s})
		m.Ended = a.ended(out)
		return m
	}
	return a.waits(s)
}

// refusal is what the display says of who or what takes no part, of a device
// that stays with its holder, or of somebody who was erased between two taps.
func (a *attendant) refusal(no checkout.RefusedError) panel.Message {
	s := no.Subject
	switch {
	case no.NotOut:
		return panel.Message{Key: "not-out", Device: a.name(s)}
	case no.Reason != "":
		return panel.Message{Key: "refused", Detail: no.Reason}
	case no.Overdue != "":
		return panel.Message{Key: "overdue-first", Person: a.name(s), Device: no.Overdue}
	case no.Why != (checkout.Why{}):
		return against(a.name(s), no.Whom, no.Why)
	case no.ReservedBy != "":
		return panel.Message{Key: "reserved", Device: a.name(s), Holder: no.ReservedBy, When: no.ReservedFrom.Local(), At: time.Now()}
	case no.Holder != "":
		return panel.Message{Key: "refused-handover", Device: a.name(s), Holder: no.Holder}
	case s.Kind == checkout.KindDevice:
		return panel.Message{Key: "retired", Device: a.name(s)}
	case s.Status == checkout.LostBadge: // who has it now need not know whose it was
		return panel.Message{Key: "lost-badge"}
	case s.Status == checkout.OldBadge:
		return panel.Message{Key: "old-badge"}
	}
	return panel.Message{Key: "suspended", Person: a.name(s)}
}

// against is what the display says of a device that the rules of loans keep from a person.
func against(device, person string, why checkout.Why) panel.Message {
	m := panel.Message{Device: device, Person: person}
	switch {
	case why.Out != "":
		m.Key, m.Until, m.At, m.Day = "out-of-service", why.Out.Begin(time.Local), why.Today.Begin(time.Local), true
	case why.Needs != "":
		m.Key, m.Detail = "needs-group", why.Needs.String()
	default:
		m.Key, m.Detail = "limit", why.Most()
	}
	return m
}

// done is what the display says of a committed event.
func done(ev checkout.Event) panel.Message {
	m := panel.Message{
		Person: cmp.Or(ev.PersonName, ev.PersonTag), Device: cmp.Or(ev.DeviceName, ev.DeviceTag),
		From: cmp.Or(ev.FromName, ev.FromTag),
	}
	switch {
	case checkout.IsPendingID(ev.Person):
		return panel.Message{Key: "pending", Number: ev.PersonTag}
	case checkout.IsPendingID(ev.Device):
		return panel.Message{Key: "pending", Number: ev.DeviceTag}
	case ev.Kind == checkout.Return && ev.Person == "":
		m.Key, m.Person, m.From = "returned", m.From, ""
	case ev.Kind == checkout.Return && ev.From != "" && ev.From != ev.Person:
		m.Key = "returned-for"
	case ev.Kind == checkout.Return:
		m.Key = "returned"
	case ev.Kind == checkout.Handover:
		m.Key = "handed-over"
	default:
		m.Key = "checked-out"
	}
	if until := due(ev); !until.IsZero() {
		m.Until, m.At = until, ev.At.Wall.Local()
		m.Then = &panel.Message{Key: "due", Device: m.Device, Person: m.Person, Until: until, At: m.At}
	}
	for _, then := range ofKit(ev) {
		then.Device = m.Device
		m.Last().Then = &then
	}
	return m
}

// ofKit is what is said of the parts of a kit that changed hands.
func ofKit(ev checkout.Event) (all []panel.Message) {
	switch n := len(ev.Along); n {
	case 0:
	case 1:
		all = append(all, panel.Message{Key: "kit-part", Detail: ev.Along[0]})
	default:
		all = append(all, panel.Message{Key: "kit-parts", Number: strconv.Itoa(n)})
	}
	if ev.Without != nil {
		all = append(all, panel.Message{Key: "kit-without", Detail: strings.Join(ev.Without, ", ")})
	}
	return all
}

// due is when the loan ends that began with an event; zero if it has no end, or while the
// clock isn't known.
func due(ev checkout.Event) time.Time {
	from := ev.Moved()
	if !from.Trusted || ev.Loan <= 0 || ev.Kind != checkout.Checkout && ev.Kind != checkout.Handover {
		return time.Time{}
	}
	return from.Wall.Truncate(time.Second).Add(ev.Loan).Local()
}

// logID is an id for the log, or the end of the number of a pending tag.
func logID(id, tag string) string {
	if checkout.IsPendingID(id) {
		return tag
	}
	return id
}

// noiseLog keeps bad reads to one line a minute.
type noiseLog struct {
	next   time.Duration
	faults map[wiegand.Fault]int
}

func (n *noiseLog) note(log *slog.Logger, now time.Duration, read wiegand.Read) {
	n.faults[read.Fault]++
	if now < n.next {
		return
	}
	var faults []string
	for fault, count := range n.faults {
		faults = append(faults, fmt.Sprintf("%s ×%d", fault, count))
	}
	slices.Sort(faults)
	log.Warn("bad reads", "faults", strings.Join(faults, ", "), "last_bits", read.Bits.Len())
	n.next = now + time.Minute
	clear(n.faults)
}
