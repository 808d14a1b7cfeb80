//go:build services

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// past is a history in short.
func (x *site) past(p Past) string {
	x.Helper()
	var all []string
	x.ok(x.History(x.Context(), x.lab, p, func(e books.Entry) bool {
		if !e.ClockTrusted || e.Time.IsZero() {
			x.Errorf("event %d has no time", e.Seq)
		}
		all = append(all, fmt.Sprintf("%s %s %s@%s", e.Kind, e.Device, e.PersonName, e.Station))
		return true
	}))
	return strings.Join(all, "; ")
}

// TestHistory: events are listed in the order of arrival, those of a device in that of lab
// time, with people by what is known of them now.
func TestHistory(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	a.patch("person", "ann", 0, "name", "Ann Okafor")
	a.patch("person", "ben", 0, "name", "Ben")
	b.patch("person", "ben2", 0, "name", "Ben")
	a.patch("device", "ipad", 0, "name", "The iPad")
	const tag = checkout.PendingPrefix + "01"
	a.Now = time.Now().Add(-30 * time.Minute)
	a.Add(checkout.Event{Kind: checkout.Checkout, Device: "ipad", Person: tag, At: checkout.Stamp{BootID: a.Boot, Mono: a.Mono()}})
	b.Now = time.Now()
	b.Bump("ipad", "ben", "", none)
	b.Add(checkout.Event{Kind: checkout.Refuse, Note: "unknown"})
	b.send()
	a.send()
	same(t, "as it came", x.past(Past{}), "checkout ipad ben's name@south; checkout ipad @north")
	same(t, "of the ipad", x.past(Past{Device: "ipad"}), "checkout ipad @north; checkout ipad ben's name@south")
	a.AddResolved(checkout.Event{Kind: checkout.Resolve, Person: "ann", PersonName: "Ann"}, tag)
	a.Now = time.Now()
	a.Bump("pixel", "", "ann", none)
	a.send()
	same(t, "of ann", x.past(Past{Person: "ann"}), "checkout ipad Ann Okafor@north; resolve  Ann@north; return pixel ann's name@north")
	same(t, "the first of ann", x.past(Past{Person: "ann", Limit: 1}), "checkout ipad Ann Okafor@north")
	same(t, "refused", x.past(Past{Kind: checkout.Refuse}), "refused  @south")
	same(t, "check-outs since", x.past(Past{Kind: checkout.Checkout, Since: time.Now().Add(-20 * time.Minute)}), "checkout ipad ben's name@south")
	n := 0
	x.ok(x.History(t.Context(), x.lab, Past{}, func(books.Entry) bool { n++; return false }))
	same(t, "how many somebody read who wanted one", n, 1)

	for ref, want := range map[string]string{"ann": "ann", "Ann Okafor": "ann", "ben": "ben"} {
		id, err := x.Find(t.Context(), x.lab, checkout.KindPerson, ref)
		x.ok(err)
		same(t, ref, id, want)
	}
	if _, err := x.Find(t.Context(), x.lab, checkout.KindDevice, "ann"); !errors.Is(err, books.ErrNotFound) {
		t.Errorf("a person as a device: %v", err)
	}
	_, err := x.Find(t.Context(), x.lab, checkout.KindPerson, "Ben")
	if many, ok := errors.AsType[*books.AmbiguousError](err); !ok || fmt.Sprint(many.IDs) != "[ben ben2]" {
		t.Errorf("a name of two: %v", err)
	}
}
