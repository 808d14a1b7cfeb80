package station

import (
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/internal/books"
)

// TestReservedIsSaid: who bumps a device that Ben has reserved reads that, and has it until
// then; or they get nothing, and an admin sees why. Ben gets it.
func TestReservedIsSaid(t *testing.T) {
	for _, policy := range []checkout.ReservedPolicy{checkout.ReservedWarn, checkout.ReservedRefuse} {
		inLab(t, func(o *Options, _ *ReaderOptions) {
			path := o.Ledger.Path()
			must(t, o.Ledger.Close())
			again, err := ledger.Open(path, ledger.Options{Station: "lab", SiteKey: key(), Loans: loan.Rules{Length: 72 * time.Hour},
				Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} }})
			must(t, err)
			from := time.Now().Add(48 * time.Hour)
			_, err = again.Reserve(books.Booking{Device: "ipad", Person: "ben", From: from, To: from.Add(time.Hour), Actor: "admin"})
			must(t, err)
			o.Ledger, o.Trace, o.Reserved = again, NewTrace(again, o.Log), policy
		}, func(l *lab) {
			on := time.Now().Add(48 * time.Hour).Format("Mon")
			l.wants("ipad", "IPAD for BEN from "+on)
			if policy == checkout.ReservedRefuse {
				l.wants("ann", "IPAD for BEN from "+on)
				l.holds("ipad", "")
				l.refusals("reserved for BEN: …1 ann ipad door")
				time.Sleep(48 * time.Hour)
				l.wants("ben", "Hello BEN")
				l.wants("ipad", "Checked out")
				l.holds("ipad", "ben")
				return
			}
			l.wants("ann", "Checked out IPAD until "+on)
			l.holds("ipad", "ann")
			time.Sleep(6 * time.Second)
			if got := l.display(); !strings.HasPrefix(got, "IPAD for BEN from "+on) {
				t.Errorf("after the bump the display says %q", got)
			}
		})
	}
}
