package ledger

import (
	"fmt"
	"strings"
	"testing"

	"stump/checkout"
	"stump/internal/books"
)

// TestNotify: who is told of what, in the transaction of the bump, and with a row for the mail
// alone; and nothing of that stays longer than loans do.
func TestNotify(t *testing.T) {
	x := stockLab(t, MailSink, "hook")
	x.o.Notify = []checkout.Kind{checkout.Checkout, checkout.Handover, checkout.Return}
	x.reopen()
	x.ok(x.AddPerson(books.Person{ID: "cem", Name: "Cem"}, checkout.Tag{}, "root", checkout.SourceCLI))
	x.ok(x.AddDevice(books.Device{ID: "pen", Name: "Pen", Kit: "ipad"}, checkout.Tag{}, "root", checkout.SourceCLI))
	told := func() string {
		var all []string
		for e, err := range x.History(books.HistoryFilter{Kind: checkout.Notify}) {
			x.ok(err)
			all = append(all, fmt.Sprint(e.PersonName, " ", e.Stage, " ", e.FromName, " ", e.Note))
		}
		return strings.Join(all, "; ")
	}
	give := func(person string) {
		t.Helper()
		_, err := x.Give(books.Request{Device: "ipad", Person: person, Actor: "root"})
		x.ok(err)
	}
	rows := func(sink string) (n int) {
		for _, r := range rowsFor(t, x.Ledger, sink) {
			if r.Event.Kind == checkout.Notify {
				n++
			}
		}
		return n
	}
	give("ann")
	give("cem") // who has no address
	give("ben")
	_, err := x.Return(books.Request{Device: "ipad", Actor: "root"})
	x.ok(err)
	want(t, "told", told(), "Ann taken  Pen; Ann handed-on Cem Pen; Ben taken-over Cem Pen; Ben returned  Pen")
	want(t, "mails, hooks", fmt.Sprint(rows(MailSink), rows("hook")), "4 0")
	x.verify()
	x.clock.add(1000 * oneDay)
	_, err = x.Anonymise(t.Context(), x.clock.wall)
	x.ok(err)
	for e, err := range x.History(books.HistoryFilter{Kind: books.AnyKind}) {
		if x.ok(err); e.Kind != checkout.Enrol && (e.PersonName+e.FromName != "" || e.Kind == checkout.Notify && e.Note != "") {
			t.Errorf("%s still names %s, %s, %q", e.Kind, e.PersonName, e.FromName, e.Note)
		}
	}
	x.verify()
}
