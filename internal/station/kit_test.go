package station

import (
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/keyboard"
)

// inKit runs f in a lab where the ipad is a box, and the mini and a cable, which has no tag,
// are its parts. The charger is another's.
func inKit(t *testing.T, check bool, f func(l *lab)) {
	cards["charger"] = "H10301:200:3"
	inLab(t, func(o *Options, _ *ReaderOptions) {
		o.CheckKits = check
		box := "ipad"
		must(t, o.Ledger.AddDevice(books.Device{ID: "cable", Name: "CABLE", Kit: box}, checkout.Tag{}, "test", checkout.SourceCLI))
		must(t, o.Ledger.AddDevice(books.Device{ID: "charger", Name: "CHARGER"}, tagOf(t, "charger"), "test", checkout.SourceCLI))
		must(t, o.Ledger.EditDevice("mini", books.Edit{Kit: &box}, "test", checkout.SourceCLI))
	}, f)
}

// later wants the display to say something after a time.
func (l *lab) later(after time.Duration, text string) {
	l.t.Helper()
	time.Sleep(after)
	if got := l.display(); !strings.Contains(got, text) {
		l.t.Fatalf("the display says %q, want %q", got, text)
	}
}

// box takes the box, by somebody, and waits until that is over.
func (l *lab) box(who string) {
	l.t.Helper()
	l.wants(who, "Hello")
	l.wants("ipad", "Checked out IPAD")
	time.Sleep(20 * time.Second)
}

func TestKitIsSaid(t *testing.T) {
	inKit(t, false, func(l *lab) {
		l.wants("ann", "Hello")
		l.wants("ipad", "Checked out IPAD")
		l.later(6*time.Second, "IPAD + 2 parts")
		l.later(4*time.Second, "Lab open")
		l.holds("cable", "ann")
		l.wants("ben", "Hello")
		l.wants("mini", "Handed over")
		time.Sleep(10 * time.Second)
		l.wants("ben", "Hello")
		l.wants("ipad", "Handed over")
		l.later(6*time.Second, "IPAD + CABLE")
		l.later(4*time.Second, "IPAD without MINI")
		l.later(4*time.Second, "Lab open")
		l.wants("ben", "Hello")
		l.wants("ipad", "Returned")
		l.later(6*time.Second, "IPAD + CABLE")
		l.later(4*time.Second, "Lab open")
		l.holds("mini", "ben")
	})
}

// TestKitIsChecked: the desk asks for what has a tag, and says when all is there.
func TestKitIsChecked(t *testing.T) {
	inKit(t, true, func(l *lab) {
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		l.holds("ipad", "")
		l.holds("cable", "")
		l.holds("mini", "ann")
		l.later(6*time.Second, "IPAD + CABLE")
		l.later(4*time.Second, "IPAD: MINI missing?")
		l.wants("charger", "CHARGER not asked for")
		l.holds("charger", "")
		l.later(6*time.Second, "IPAD: MINI missing?")
		l.wants("mini", "Returned MINI")
		l.holds("mini", "")
		l.later(6*time.Second, "IPAD is complete")
		l.later(4*time.Second, "Lab open")
		l.wants("ben", "Hello")
		l.wants("charger", "Checked out")
	})
}

// TestKitLacks: what was not bumped by the window's end, or the next badge, or the end of the
// station, is noted, and stays with whom it is.
func TestKitLacks(t *testing.T) {
	noted := func(l *lab) (n int) {
		for e, err := range l.ledger.History(books.HistoryFilter{Device: "ipad", Kind: checkout.Incomplete}) {
			must(l.t, err)
			if *e.JSON().Note != "condition: incomplete, missing: MINI" || e.Reader != "door" {
				l.t.Errorf("%s at %s", *e.JSON().Note, e.Reader)
			}
			n++
		}
		l.holds("mini", "ann")
		return n
	}
	inKit(t, true, func(l *lab) {
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		if noted(l) != 0 {
			t.Error("it is noted before it is missing")
		}
		l.later(62*time.Second, "IPAD lacks MINI still with ANN")
		if noted(l) != 1 {
			t.Error("it is not noted")
		}
		l.later(10*time.Second, "Lab open")

		// Ben takes the box, and brings it; Ann has the mini. Nobody asks for it.
		l.wants("ben", "Hello")
		l.wants("ipad", "Checked out IPAD")
		l.later(9*time.Second, "IPAD without MINI")
		time.Sleep(10 * time.Second)
		l.wants("ben", "Hello")
		l.wants("ipad", "Returned IPAD")
		l.later(8*time.Second, "Lab open")
		time.Sleep(4 * time.Second)
		l.wants("ann", "Hello")
		l.wants("mini", "Returned MINI")
		l.holds("mini", "")
		time.Sleep(10 * time.Second)

		// The next badge ends it, and then waits for a device.
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		time.Sleep(10 * time.Second)
		l.wants("ben", "IPAD lacks MINI still with ANN")
		if noted(l) != 2 {
			t.Error("it is not noted")
		}
		l.later(9*time.Second, "Hello BEN")
		l.wants("charger", "Checked out")
		l.holds("charger", "ben")
		time.Sleep(10 * time.Second)
		l.wants("ann", "Hello")
		l.wants("mini", "Returned MINI")
		time.Sleep(10 * time.Second)

		// The station ends.
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		l.stop()
		if noted(l) != 3 {
			t.Error("it is not noted")
		}
	})
}

// TestKitMeanwhile: an admin gives a part that is asked for to somebody else. Its bump gives
// nobody anything.
func TestKitMeanwhile(t *testing.T) {
	inKit(t, true, func(l *lab) {
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		_, err := l.ledger.Return(books.Request{Device: "mini", Actor: "root"})
		must(t, err)
		l.wants("mini", "Not possible MINI is not with ANN")
		l.holds("mini", "")
		time.Sleep(20 * time.Second)

		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		_, err = l.ledger.Give(books.Request{Device: "mini", Person: "eve", Actor: "root"})
		must(t, err)
		l.wants("mini", "Still with EVE")
		l.holds("mini", "eve")
		l.later(70*time.Second, "Lab open")
		for e, err := range l.ledger.History(books.HistoryFilter{Kind: checkout.Incomplete}) {
			t.Errorf("%s, %v", *e.JSON().Note, err)
		}
	})
}

// TestKitIsNamed: where there is a keyboard, parts without a tag are asked for, too, and
// whoever has brought the box types which of them are there.
func TestKitIsNamed(t *testing.T) {
	cards["charger"] = "H10301:200:3"
	k := newTypist()
	inLab(t, func(o *Options, _ *ReaderOptions) {
		*k = *newTypist() // of this bubble
		o.CheckKits, o.Keyboard = true, k
		box := "ipad"
		for _, id := range []string{"cable", "pen", "case"} {
			must(t, o.Ledger.AddDevice(books.Device{ID: id, Name: strings.ToUpper(id), Kit: box}, checkout.Tag{}, "test", checkout.SourceCLI))
		}
		must(t, o.Ledger.EditDevice("mini", books.Edit{Kit: &box}, "test", checkout.SourceCLI))
	}, func(l *lab) {
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		l.later(4*time.Second, "IPAD: CABLE, CASE, MINI, PEN missing?")
		l.holds("cable", "ann")
		k.show(keyboard.View{Typed: "c", Offer: "CABLE"})
		l.later(0, "CABLE? c_")
		k.show(keyboard.View{Typed: "cz"})
		l.later(0, "IPAD: cz_")
		k.show(keyboard.View{})
		l.later(0, "IPAD: CABLE, CASE, MINI, PEN missing?")
		k.names <- "CABLE"
		l.later(0, "Returned CABLE")
		l.holds("cable", "")
		if got := strings.Join(k.given, " "); got != "CASE PEN" {
			t.Errorf("then it asks for %q", got)
		}
		k.names <- "XYZ" // no part
		l.later(4*time.Second, "IPAD: CASE, MINI, PEN missing?")
		l.wants("mini", "Returned MINI")
		l.later(4*time.Second, "IPAD: CASE, PEN missing?")
		k.names <- "PEN"
		l.later(0, "Returned PEN")
		l.holds("pen", "")
		k.names <- "" // Escape: it is not there
		l.later(0, "IPAD lacks CASE still with ANN")
		l.later(10*time.Second, "Lab open")
		l.holds("case", "ann")
		for e, err := range l.ledger.History(books.HistoryFilter{Device: "cable", Kind: checkout.Return}) {
			must(t, err)
			if e.Source != checkout.SourceKeyboard {
				t.Errorf("the cable came back by %s", e.Source)
			}
		}

		// Nobody types: the parts are missing when the window ends.
		l.box("ann")
		l.wants("ann", "Hello")
		l.wants("ipad", "Returned IPAD")
		l.later(62*time.Second, "IPAD lacks CABLE, MINI, PEN")
		<-k.dropped
		l.later(10*time.Second, "Lab open")
		l.holds("pen", "ann")
	})
}
