package station

import (
	"testing"
	"time"

	"stump/checkout"
)

// TestDone: who takes a device hears until when, if the station knows.
func TestDone(t *testing.T) {
	at := time.Date(2026, 11, 30, 10, 0, 0, 5e8, time.UTC)
	lent := checkout.Event{Kind: checkout.Checkout, Device: "ipad", DeviceName: "iPad", Loan: 72 * time.Hour, At: checkout.Stamp{Wall: at, Trusted: true}}
	with := func(change func(*checkout.Event)) checkout.Event {
		ev := lent
		change(&ev)
		return ev
	}
	for name, tt := range map[string]struct {
		ev   checkout.Event
		want time.Time
	}{
		"lent":               {lent, time.Date(2026, 12, 3, 10, 0, 0, 0, time.UTC)},
		"handed over":        {with(func(ev *checkout.Event) { ev.Kind = checkout.Handover }), time.Date(2026, 12, 3, 10, 0, 0, 0, time.UTC)},
		"without an end":     {with(func(ev *checkout.Event) { ev.Loan = 0 }), time.Time{}},
		"at an unknown time": {with(func(ev *checkout.Event) { ev.At.Trusted = false }), time.Time{}},
		"back":               {with(func(ev *checkout.Event) { ev.Kind = checkout.Return }), time.Time{}},
	} {
		m := done(tt.ev)
		if !m.Until.Equal(tt.want) || (m.Then != nil && m.Then.Key == "due" && m.Then.Until.Equal(tt.want)) == tt.want.IsZero() {
			t.Errorf("%s: until %v, want %v; then %+v", name, m.Until, tt.want, m.Then)
		}
	}
}
