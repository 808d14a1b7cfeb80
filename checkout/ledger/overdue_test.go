package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/grouped"
	"stump/internal/books"
)

// take is a bump under a policy of what is overdue.
func (x *tester) take(person, device int, o checkout.OverduePolicy, p checkout.Policy) (checkout.Event, error) {
	return x.Complete(checkout.Completion{Person: x.subject(person), Device: x.subject(device), Policy: p, Overdue: o, Reader: "door"})
}

// TestOverdue has the table of docs/loans.md: ann has an overdue ipad and bumps the pixel.
func TestOverdue(t *testing.T) {
	for _, tt := range []struct {
		overdue checkout.OverduePolicy
		with    int // who has the pixel; 0: nobody
		policy  checkout.Policy
		want    string
	}{
		{"", 0, "", "checkout "},
		{checkout.OverdueWarn, 0, "", "checkout The ipad"},
		{checkout.OverdueRefuse, 0, "", "refused: Ann must bring back The ipad first"},
		{checkout.OverdueWarn, 1, "", "return "},
		{checkout.OverdueRefuse, 1, "", "return "},
		{checkout.OverdueWarn, 2, "", "handover The ipad"},
		{checkout.OverdueRefuse, 2, "", "refused: Ann must bring back The ipad first"},
		{checkout.OverdueWarn, 2, checkout.PolicyReturn, "return "},
		{checkout.OverdueRefuse, 2, checkout.PolicyReturn, "return "},
		{checkout.OverdueRefuse, 2, checkout.PolicyRefuse, "refused: Ben has The pixel"},
	} {
		x := newLedger(t)
		x.o.Loans.Length = 24 * time.Hour
		x.reopen()
		x.bump(1, 11)
		x.bump(1, 13)
		if tt.with != 0 {
			x.bump(tt.with, 12)
		}
		x.clock.add(25 * time.Hour)
		x.bump(1, 13) // back
		ev, err := x.take(1, 12, tt.overdue, tt.policy)
		got := fmt.Sprint(ev.Kind, " ", ev.Overdue)
		if err != nil {
			got = err.Error()
		}
		want(t, fmt.Sprintf("%+v", tt), got, tt.want)
		if err != nil && !errors.Is(err, checkout.ErrRefused) {
			t.Error(err)
		}
		x.clock.trusted = false
		if ev, err := x.take(3, 13, checkout.OverdueRefuse, ""); err != nil || ev.Overdue != "" {
			t.Error("while the time is not known:", err)
		}
	}
}

// TestOverdueModel compares what the ledger finds overdue, tap by tap, with all loans of the
// person: also after restarts, returns, and when its list of who may have what is made anew.
func TestOverdueModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := newLedger(t)
		x.o.Loans.Length = 2 * time.Hour
		x.reopen()
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				x.reopen()
			case 1, 2:
				x.clock.add(time.Hour)
			case 3:
				x.held = grouped.IDs{}
			default:
				person, device := rapid.IntRange(1, 3).Draw(rt, "person"), rapid.IntRange(11, 13).Draw(rt, "device")
				who := x.subject(person).ID
				late, has := map[string]bool{}, x.subject(device).Holder
				for l, err := range x.Loans(books.LoanFilter{Person: who, Overdue: true, Now: x.clock.wall}) {
					x.ok(err)
					late[l.Device] = true
				}
				ev, err := x.take(person, device, checkout.OverdueRefuse, "")
				var no *checkout.RefusedError
				switch {
				case has == who && err != nil:
					rt.Fatalf("a return: %v", err)
				case has != who && len(late) == 0 && err != nil:
					rt.Fatal(err)
				case has != who && len(late) > 0 && !(errors.As(err, &no) && late[no.Overdue]):
					rt.Fatalf("%s has %v overdue, and gets %s: %v", who, late, ev.Device, err)
				}
			}
		}
	})
}
