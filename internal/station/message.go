package station

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/panel"
	"stump/wiegand"
)

// name is what a person reads for a tag's owner; of a pending one only the
// end of its number is known.
func (a *attendTask) name(s checkout.Subject) string {
	if s.Name != "" {
		return s.Name
	}
	return a.mask(s.Tag)
}

// message is what the display says of an outcome that commits nothing.
func (a *attendTask) message(out checkout.Outcome) panel.Message {
	switch out.Kind {
	case checkout.WaitDevice:
		return panel.Message{Key: "greet", Person: a.name(out.Person)}
	case checkout.WaitBadge:
		m := panel.Message{Key: "device-free", Device: a.name(out.Device)}
		if out.Device.Holder != "" {
			m.Key, m.Holder = "device-held", out.Device.HolderName
		}
		return m
	case checkout.RepeatResult:
		return a.done(*out.Result)
	case checkout.Refused:
		if out.Device.Kind == checkout.KindDevice {
			return a.refusal(out.Device, "")
		}
		return a.refusal(out.Person, "")
	default:
		return panel.Message{Key: "timeout"}
	}
}

// refusal is what the display says of who or what takes no part, or of a device
// that stays with its holder.
func (a *attendTask) refusal(s checkout.Subject, holder string) panel.Message {
	switch {
	case holder != "":
		return panel.Message{Key: "refused-handover", Device: a.name(s), Holder: holder}
	case s.Kind == checkout.KindDevice:
		return panel.Message{Key: "retired", Device: a.name(s)}
	}
	return panel.Message{Key: "suspended", Person: a.name(s)}
}

// done is what the display says of a committed event.
func (a *attendTask) done(ev checkout.Event) panel.Message {
	m := panel.Message{
		Person: orTag(ev.PersonName, ev.PersonTag), Device: orTag(ev.DeviceName, ev.DeviceTag),
		From: orTag(ev.FromName, ev.FromTag),
	}
	switch {
	case checkout.IsPendingID(ev.Person):
		return panel.Message{Key: "pending", Number: ev.PersonTag}
	case checkout.IsPendingID(ev.Device):
		return panel.Message{Key: "pending", Number: ev.DeviceTag}
	case ev.Kind == checkout.Return && ev.From != "" && ev.From != ev.Person:
		m.Key = "returned-for"
	case ev.Kind == checkout.Return:
		m.Key = "returned"
	case ev.Kind == checkout.Handover:
		m.Key = "handed-over"
	default:
		m.Key = "checked-out"
	}
	return m
}

// logID is an id for the log, or the end of the number of a pending tag.
func logID(id, tag string) string {
	if checkout.IsPendingID(id) {
		return tag
	}
	return id
}

func orTag(name, tag string) string {
	if name != "" {
		return name
	}
	return tag
}

// noiseLog keeps bad reads to one line a minute.
type noiseLog struct {
	next   time.Duration
	faults map[wiegand.Fault]int
}

func (n *noiseLog) note(log *slog.Logger, now time.Duration, read wiegand.Read) {
	if n.faults == nil {
		n.faults = map[wiegand.Fault]int{}
	}
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
