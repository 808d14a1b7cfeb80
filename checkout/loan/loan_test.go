package loan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hint"
)

const day = 24 * time.Hour

// TestExtend has each rule of an extension, of a loan of 14 days that began at day 0.
func TestExtend(t *testing.T) {
	began := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return began.Add(time.Duration(n) * day) }
	rules := Rules{Length: 14 * day, Kinds: map[string]time.Duration{"headset": 3 * day, "cable": 0}, Extensions: 2}
	for name, tt := range map[string]struct {
		e    Extension
		want int    // days
		why  string // part of the refusal
	}{
		"as usual":                    {Extension{Length: 14 * day}, 28, ""},
		"by the kind's length":        {Extension{Kind: "headset", Length: 14 * day}, 17, ""},
		"of a boot without a clock":   {Extension{Length: 14 * day, Since: time.Time{}, Now: at(3)}, 28, ""},
		"until then":                  {Extension{Length: 14 * day, Since: at(0), Until: at(40), Now: at(1)}, 40, ""},
		"an admin makes it shorter":   {Extension{Length: 14 * day, Since: at(0), Until: at(7), Now: at(1)}, 7, ""},
		"an admin gives it an end":    {Extension{Kind: "cable", Since: at(0), Until: at(7), Now: at(1)}, 7, ""},
		"a little overdue":            {Extension{Length: 14 * day, Since: at(0), Now: at(27)}, 28, ""},
		"overdue by all of it":        {Extension{Length: 14 * day, Since: at(0), Now: at(28)}, 0, "which is past"},
		"without an end":              {Extension{Kind: "cable"}, 0, "without an end"},
		"lent before there was a end": {Extension{}, 0, "without an end"},
		"until a time that is past":   {Extension{Length: 14 * day, Since: at(0), Until: at(3), Now: at(4)}, 0, "which is past"},
		"before the loan":             {Extension{Length: 14 * day, Since: at(0), Until: at(-3), Now: at(4)}, 0, "before the loan"},
		"nobody knows since when":     {Extension{Length: 14 * day, Until: at(3)}, 0, "does not know when"},

		"own":                    {Extension{Own: true, Length: 14 * day}, 28, ""},
		"own, the last time":     {Extension{Own: true, Length: 28 * day, Before: 1}, 42, ""},
		"own, too often":         {Extension{Own: true, Length: 42 * day, Before: 2}, 0, "extended 2 times already"},
		"own, until then":        {Extension{Own: true, Length: 14 * day, Since: at(0), Until: at(20)}, 20, ""},
		"own, as long as can be": {Extension{Own: true, Length: 14 * day, Since: at(0), Until: at(28)}, 28, ""},
		"own, for too long":      {Extension{Own: true, Length: 14 * day, Since: at(0), Until: at(29)}, 0, "until 2026-11-30T10:00:00Z at most"},
		"own, not longer":        {Extension{Own: true, Length: 14 * day, Since: at(0), Until: at(14)}, 0, "later than that already"},
		"own, without an end":    {Extension{Own: true, Until: at(14), Since: at(0)}, 0, "without an end"},
	} {
		tt.e.Device = "iPad"
		got, err := rules.Extend(tt.e)
		if tt.why == "" && (err != nil || got != time.Duration(tt.want)*day) {
			t.Errorf("%s: %v, %v; want %d days", name, got, err, tt.want)
		}
		if tt.why != "" && (!errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), tt.why) || hint.Of(err) == "") {
			t.Errorf("%s: %v (%s), want %s", name, err, hint.Of(err), tt.why)
		}
	}
	// An extension ends on an open day: from a Monday, 14 days later is one, and 17 a Thursday.
	work := Rules{Length: 5 * day, Calendar: Calendar{Days: workdays, Zone: time.UTC}}
	if got, err := work.Extend(Extension{Length: 14 * day, Since: began}); err != nil || got != 21*day {
		t.Error("until a Saturday", got, err)
	}
	rules.Extensions = 0
	if _, err := rules.Extend(Extension{Own: true, Length: day}); err == nil || !strings.Contains(err.Error(), "only admins") {
		t.Error(err)
	}
	if got, err := rules.Extend(Extension{Length: day}); err != nil || got != 15*day {
		t.Error("an admin", got, err)
	}
}

// TestExtendReserved has loans of 14 days of a device that is reserved from day 20.
func TestExtendReserved(t *testing.T) {
	began := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return began.Add(time.Duration(n) * day) }
	for name, tt := range map[string]struct {
		e    Extension
		want int // days; 0: refused
	}{
		"as usual, as far as it goes": {Extension{Length: 14 * day}, 20},
		"it has that already":         {Extension{Length: 20 * day}, 0},
		"before it":                   {Extension{Length: 14 * day, Until: at(19)}, 19},
		"until it":                    {Extension{Length: 14 * day, Until: at(20)}, 20},
		"over it":                     {Extension{Length: 14 * day, Until: at(21)}, 0},
		"an admin gives it an end":    {Extension{Until: at(21)}, 0},
		"an admin makes it shorter":   {Extension{Length: 30 * day, Until: at(25)}, 25},
		"own":                         {Extension{Own: true, Length: 14 * day}, 20},
		"own, over it":                {Extension{Own: true, Length: 14 * day, Until: at(21)}, 0},
	} {
		e := tt.e
		e.Device, e.Since, e.Now = "iPad", began, at(2)
		e.Reserved = func(until time.Time) (time.Time, string) {
			if until.After(at(20)) {
				return at(20), "Ben"
			}
			return time.Time{}, ""
		}
		got, err := Rules{Length: 14 * day, Extensions: 1}.Extend(e)
		switch {
		case tt.want > 0 && (err != nil || got != time.Duration(tt.want)*day):
			t.Errorf("%s: %v, %v; want %d days", name, got, err, tt.want)
		case tt.want == 0 && (err == nil || !strings.Contains(err.Error(), "iPad is reserved for Ben from 2026-11-22") || hint.Of(err) == ""):
			t.Errorf("%s: %v (%s)", name, err, hint.Of(err))
		}
	}
}

// TestExtendRemedies: what is to be done is never what was refused just before.
func TestExtendRemedies(t *testing.T) {
	r := Rules{}
	for name, e := range map[string]Extension{"without a date": {Device: "iPad"}, "with one": {Device: "iPad", Until: time.Unix(9, 0)}} {
		if _, err := r.Extend(e); !strings.Contains(hint.Of(err), "set the station's clock") {
			t.Errorf("%s, where nobody knows since when: %v (%s)", name, err, hint.Of(err))
		}
	}
	if _, err := r.Extend(Extension{Device: "iPad", Since: time.Unix(1, 0)}); hint.Of(err) != "say until when, with --due" {
		t.Errorf("without a date: %v (%s)", err, hint.Of(err))
	}
}
