package panel

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/lcd"
)

// TestUntil is short, and of the day of the loan, in the words of the language.
func TestUntil(t *testing.T) {
	at := time.Date(2026, 11, 30, 22, 42, 0, 0, time.UTC) // a Monday
	for days, want := range map[int]string{
		0:   "until 22:50|bis 22:50|pour 22:50|hasta 22:50",
		1:   "until Tue 22:50|bis Di 22:50|pour mar 22:50|hasta mar 22:50",
		6:   "until Sun 22:50|bis So 22:50|pour dim 22:50|hasta dom 22:50",
		7:   "until 7 Dec|bis 7. Dez|pour 7 déc|hasta 7 dic",
		92:  "until 2 Mar|bis 2. März|pour 2 mars|hasta 2 mar",
		365: "until 2027-11-30|bis 2027-11-30|pour 2027-11-30|hasta 2027-11-30",
		-1:  "until 2026-11-29|bis 2026-11-29|pour 2026-11-29|hasta 2026-11-29",
	} {
		var got []string
		for _, lang := range []string{"en", "de", "fr", "es"} {
			c, err := NewCatalogue(lang, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := Message{Key: "due", Device: "iPad", At: at, Until: at.AddDate(0, 0, days).Add(8 * time.Minute)}
			got = append(got, strings.Split(c.Text(m, size16x2), "\n")[1])
		}
		if got := strings.Join(got, "|"); got != want {
			t.Errorf("in %d days: %s, want %s", days, got, want)
		}
	}
	// Without an end nothing is said, and a site's own words may be too few.
	c, _ := NewCatalogue("en", map[string]string{"days": "S M"})
	if got := c.Text(Message{Key: "checked-out", Device: "iPad"}, size16x2); got != "Checked out\niPad" {
		t.Errorf("%q", got)
	}
	if got := c.Text(Message{Key: "due", Device: "iPad", At: at, Until: at.AddDate(0, 0, 3)}, size16x2); got != "iPad\nuntil  22:42" {
		t.Errorf("%q", got)
	}
}

// TestWhen is the day on which a reservation begins or began, in the words of the language.
func TestWhen(t *testing.T) {
	at := time.Date(2026, 11, 30, 22, 42, 0, 0, time.UTC) // a Monday
	for days, want := range map[int]string{
		0:  "for Ben from 22:50|für Ben ab 22:50|pour Ben dès 22:50|de Ben desde 22:50",
		4:  "for Ben from Fri|für Ben ab Fr|pour Ben dès ven|de Ben desde vie",
		7:  "for Ben from 7 Dec|für Ben ab 7. Dez|pour Ben dès 7 déc|de Ben desde 7 dic",
		-3: "for Ben from Fri|für Ben ab Fr|pour Ben dès ven|de Ben desde vie",
		-9: "for Ben from 21 Nov|für Ben ab 21. Nov|pour Ben dès 21 nov|de Ben desde 21 nov",
	} {
		for _, key := range []string{"device-reserved", "reserved", "reserved-too"} {
			var got []string
			for _, lang := range []string{"en", "de", "fr", "es"} {
				c, err := NewCatalogue(lang, nil)
				if err != nil {
					t.Fatal(err)
				}
				m := Message{Key: key, Device: "iPad", Holder: "Ben", At: at, When: at.AddDate(0, 0, days).Add(8 * time.Minute)}
				got = append(got, strings.Split(c.Text(m, size16x2), "\n")[1])
			}
			if got := strings.Join(got, "|"); got != want {
				t.Errorf("%s in %d days: %s, want %s", key, days, got, want)
			}
		}
	}
}

// TestDueFollows a check-out where the display had no row for it, for as long.
func TestDueFollows(t *testing.T) {
	for size, follows := range map[string]bool{"16x2": true, "20x4": false} {
		synctest.Test(t, func(t *testing.T) {
			s, err := lcd.ParseSize(size)
			if err != nil {
				t.Fatal(err)
			}
			p := start(t, Options{Display: lcd.None(s)})
			m := Message{Key: "checked-out", Device: "iPad", At: time.Now(), Until: time.Now().Add(3 * time.Hour)}
			m.Then = &Message{Key: "due", Device: "iPad", At: m.At, Until: m.Until}
			say(t, p, m)
			rows := func() string { synctest.Wait(); return strings.Join(p.State().Rows, "|") }
			if got := rows(); !strings.HasPrefix(got, "Checked out") || strings.Contains(got, "until") == follows {
				t.Errorf("%s, at first: %s", size, got)
			}
			time.Sleep(usual + time.Second)
			if got := rows(); strings.HasPrefix(got, "iPad") != follows || strings.Contains(got, "until") != follows {
				t.Errorf("%s, then: %s", size, got)
			}
			time.Sleep(usual)
			if got := rows(); !strings.HasPrefix(got, "Lab open") {
				t.Errorf("%s, at last: %s", size, got)
			}
		})
	}
}
