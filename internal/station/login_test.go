package station

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// TestLogIn: a badge logs a browser in that waits for one, and does what it always does.
// Where the bump completes a pair, is refused, or is nobody's, nobody is asked.
func TestLogIn(t *testing.T) {
	var asked []string
	digits := ""
	logIn := func(o *Options, _ *ReaderOptions) {
		asked, digits = nil, "482951"
		o.LogIn = func(p checkout.Subject) string {
			asked = append(asked, p.ID)
			return digits
		}
	}
	inLab(t, logIn, func(l *lab) {
		l.wants("ann", "Hello ANN Log in: 482951")
		if !l.panel.State().Secret {
			t.Error("others may read the digits")
		}
		l.wants("ipad", "Checked out") // the bump counts
		l.holds("ipad", "ann")
		if s := l.panel.State(); s.Secret {
			t.Errorf("%q is a secret", s.Rows)
		}
		time.Sleep(time.Minute)

		l.wants("mini", "Tap your badge") // a device waits: no digits
		l.wants("ben", "Checked out")
		l.holds("mini", "ben")
		l.wants("H10301:17:9", "Unknown")
		if !slices.Equal(asked, []string{"ann"}) {
			t.Errorf("asked for %v", asked)
		}
		time.Sleep(time.Minute)

		// The digits leave the display, and the desk goes on waiting.
		l.wants("eve", "Hello EVE Log in: 482951")
		time.Sleep(19 * time.Second)
		if got := l.display(); !strings.Contains(got, "482951") {
			t.Errorf("after 19 s: %s", got)
		}
		time.Sleep(time.Second)
		if got := l.display(); strings.Contains(got, "482951") || !strings.Contains(got, "Hello EVE") || l.panel.State().Secret {
			t.Errorf("after 20 s: %s", got)
		}
		time.Sleep(time.Minute)

		// Nobody waits for a badge.
		digits = ""
		if got := l.bump("ben"); !strings.Contains(got, "Hello BEN Tap a device") || l.panel.State().Secret {
			t.Errorf("where no browser waits: %s", got)
		}
	})
}

// TestNoLogIn: who is expected for something else gets no digits.
func TestNoLogIn(t *testing.T) {
	logIn := func(o *Options, _ *ReaderOptions) {
		o.LogIn = func(checkout.Subject) string { return "482951" }
	}
	inLab(t, logIn, func(l *lab) {
		_, err := l.reader.Enrol(context.Background(), checkout.KindDevice, "mini", "MINI", "admin")
		must(t, err)
		if got := l.bump("ann"); strings.Contains(got, "482951") {
			t.Errorf("during an enrolment: %s", got)
		}
		time.Sleep(2 * time.Minute)
		suspended := checkout.Suspended
		must(t, l.ledger.EditPerson("ann", books.Edit{Status: &suspended}, "test", checkout.SourceCLI))
		if got := l.bump("ann"); strings.Contains(got, "482951") || !strings.Contains(got, "See the desk") {
			t.Errorf("somebody who is suspended: %s", got)
		}
	})
}

// TestNoPendingLogIn: a badge that waits for the directory's answer is nobody's yet.
func TestNoPendingLogIn(t *testing.T) {
	inSlowLab(t, &slow{}, func(o *Options) {
		o.LogIn = func(checkout.Subject) string { return "482951" }
	}, func(l *lab) {
		l.shows(newBadge)
		time.Sleep(2 * time.Second)
		if got := l.display(); strings.Contains(got, "482951") || !strings.Contains(got, "Tap a device") {
			t.Errorf("a pending badge: %s", got)
		}
	})
}
