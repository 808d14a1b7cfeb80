package record

import (
	"slices"

	"stump/checkout"
)

// The sinks that have a meaning. All others are webhooks.
const (
	DirectorySink = "directory"
	MailSink      = "mail"
)

// notForDirectory are kinds of which a directory knows nothing.
var notForDirectory = []checkout.Kind{checkout.Resolve, checkout.Merge, checkout.Incomplete, checkout.Extend,
	checkout.Reserve, checkout.Cancel, checkout.Ready, checkout.Remind, checkout.Digest, checkout.Notify}

// Tells reports whether any sink may get the event.
func (ev *Event) Tells() bool {
	if ev.Kind.MovesDevice() && ev.Device == "" && ev.Kind != checkout.Resolve {
		return false
	}
	switch ev.Kind {
	case checkout.Checkout, checkout.Return, checkout.Handover, checkout.Incomplete, checkout.Extend,
		checkout.Reserve, checkout.Cancel, checkout.Ready, checkout.Remind, checkout.Digest, checkout.Notify, checkout.Lost, checkout.Found, checkout.Resolve, checkout.Merge:
		return true
	case checkout.Enrol:
		// The directory knows a tag from an import or from itself.
		return ev.Source == checkout.SourceReader || ev.Source == checkout.SourceKeyboard
	}
	return false
}

// Goes reports whether a sink gets the event, if any does.
func (ev *Event) Goes(sink string) bool {
	switch sink {
	case DirectorySink: // it said so itself, or need not know
		return ev.Source != checkout.SourceSync && !slices.Contains(notForDirectory, ev.Kind)
	case MailSink:
		return (ev.Kind == checkout.Remind || ev.Kind == checkout.Digest || ev.Kind == checkout.Notify) && ev.Part == 0
	}
	return !ev.Again && ev.Kind != checkout.Notify // they know what it tells of
}
