package record

import (
	"testing"

	"stump/checkout"
)

// TestSinks: who gets which event.
func TestSinks(t *testing.T) {
	for _, tt := range []struct {
		what                      string
		ev                        checkout.Event
		any, directory, mail, web bool
	}{
		{"a bump", checkout.Event{Kind: checkout.Checkout, Device: "ipad", Source: checkout.SourceReader}, true, true, false, true},
		{"the directory's own word", checkout.Event{Kind: checkout.Return, Device: "ipad", Source: checkout.SourceSync}, true, false, false, true},
		{"a return of nothing", checkout.Event{Kind: checkout.Return}, false, true, false, true},
		{"a resolved person", checkout.Event{Kind: checkout.Resolve}, true, false, false, true},
		{"a reservation", checkout.Event{Kind: checkout.Reserve}, true, false, false, true},
		{"a reminder", checkout.Event{Kind: checkout.Remind}, true, false, true, true},
		{"its second device", checkout.Event{Kind: checkout.Remind, Part: 1}, true, false, false, true},
		{"once more", checkout.Event{Kind: checkout.Remind, Again: true}, true, false, true, false},
		{"a notice", checkout.Event{Kind: checkout.Notify}, true, false, true, false},
		{"enrolled at the reader", checkout.Event{Kind: checkout.Enrol, Source: checkout.SourceReader}, true, true, false, true},
		{"enrolled by an import", checkout.Event{Kind: checkout.Enrol, Source: checkout.SourceCLI}, false, true, false, true},
		{"a correction", checkout.Event{Kind: checkout.Correct}, false, true, false, true},
	} {
		ev := &Event{Event: tt.ev}
		if ev.Tells() != tt.any || ev.Goes(DirectorySink) != tt.directory || ev.Goes(MailSink) != tt.mail || ev.Goes("hook") != tt.web {
			t.Errorf("%s: any %v, directory %v, mail %v, hook %v", tt.what, ev.Tells(), ev.Goes(DirectorySink), ev.Goes(MailSink), ev.Goes("hook"))
		}
	}
}
