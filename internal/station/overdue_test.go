package station

import (
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
)

// TestOverdueIsSaid: who has something overdue and takes another device reads until when
// they have it, and then what is overdue; or they get nothing, and an admin sees why.
func TestOverdueIsSaid(t *testing.T) {
	for _, policy := range []checkout.OverduePolicy{checkout.OverdueWarn, checkout.OverdueRefuse} {
		inLab(t, func(o *Options, _ *ReaderOptions) {
			path := o.Ledger.Path()
			must(t, o.Ledger.Close())
			again, err := ledger.Open(path, ledger.Options{Station: "lab", SiteKey: key(), Loans: loan.Rules{Length: 2 * time.Hour},
				Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} }})
			must(t, err)
			o.Ledger, o.Trace, o.Overdue = again, NewTrace(again, o.Log), policy
		}, func(l *lab) {
			l.wants("ann", "Hello ANN")
			l.wants("ipad", "Checked out IPAD until")
			time.Sleep(3 * time.Hour)
			l.wants("ann", "Hello ANN")
			if policy == checkout.OverdueRefuse {
				l.wants("mini", "Bring back first IPAD")
				l.holds("mini", "")
				l.refusals("must bring back IPAD first: …1 ann mini door")
				return
			}
			l.wants("mini", "Checked out MINI until")
			l.holds("mini", "ann")
			time.Sleep(6 * time.Second)
			if got := l.display(); got != "IPAD is overdue" {
				t.Errorf("after the bump the display says %q", got)
			}
			time.Sleep(time.Minute)
			l.wants("ann", "Hello ANN")
			l.wants("ipad", "Returned")
		})
	}
}
