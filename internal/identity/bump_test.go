package identity

import (
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/internal/hint"
)

// TestBump: who begins in a browser and bumps is logged in there, by the digits of the
// display, as staff.
func TestBump(t *testing.T) {
	s, _ := newStore(t, t.TempDir())
	if digits := s.Bumped("ann", "Ann"); digits != "" {
		t.Errorf("nobody waits, and the display shows %s", digits)
	}
	mine, err := s.AwaitBump("")
	if err != nil || s.AwaitsBump(mine) != BumpTime {
		t.Fatal(mine, err)
	}
	if _, err := s.Digits(mine, ""); !errors.Is(err, ErrNoBadge) || hint.Of(err) == "" {
		t.Errorf("before a bump: %v", err)
	}
	digits := s.Bumped("ann", "Ann Okafor")
	if !regexp.MustCompile(`^\d{6}$`).MatchString(digits) {
		t.Errorf("the display shows %q", digits)
	}
	want := Principal{Name: "Ann Okafor", Role: Staff, Person: "ann", Source: checkout.SourceWeb, Fresh: true}
	if who, err := s.Digits(mine, digits); err != nil || who != want {
		t.Errorf("%+v, %v", who, err)
	}
	if who, err := s.Digits(mine, digits); !errors.Is(err, ErrNoBump) || who != (Principal{}) {
		t.Errorf("a second time: %+v, %v", who, err)
	}
}

// TestDigitsDiffer: each login has digits of its own, of all thousands.
func TestDigitsDiffer(t *testing.T) {
	s, _ := newStore(t, t.TempDir())
	secret, first, seen := "", [10]int{}, map[string]bool{}
	for range 500 {
		secret, _ = s.AwaitBump(secret)
		digits := s.Bumped("ann", "Ann")
		first[digits[0]-'0']++
		seen[digits] = true
	}
	if len(seen) < 490 {
		t.Errorf("of 500 digits %d differ", len(seen))
	}
	for digit, n := range first { // 50 each; fewer than 10 is once in 10¹²
		if n < 10 {
			t.Errorf("%d of 500 begin with %d", n, digit)
		}
	}
}

// bumpModel is what must be so, said once more: with browsers instead of secrets.
type bumpModel struct {
	browser int // 0 for none
	person  string
	until   time.Time
	wrong   int
}

// TestBumpModel: two browsers and two people do anything in any order, over time. Never is
// anybody logged in whose badge was not bumped, nor in the browser that did not begin.
func TestBumpModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
		n := 0
		s := &Store{o: Options{Now: func() time.Time { return now }, Secret: func() string { n++; return fmt.Sprint("SECRET", n) }}}
		var m bumpModel
		secrets, shown := map[int]string{}, ""
		browser := rapid.IntRange(1, 2)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if m.browser != 0 && !now.Before(m.until) {
					m = bumpModel{}
				}
				for b, secret := range secrets {
					want := time.Duration(0)
					if b == m.browser {
						want = m.until.Sub(now)
					}
					if got := s.AwaitsBump(secret); got != want {
						t.Fatalf("browser %d waits for %v; %+v", b, got, m)
					}
				}
			},
			"time goes by": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(1, int64(40*time.Second)).Draw(t, "d")))
			},
			"a browser begins": func(t *rapid.T) {
				b := browser.Draw(t, "browser")
				secret, err := s.AwaitBump(secrets[b])
				var busy *BusyError
				if other := m.browser != 0 && m.browser != b; other {
					if !errors.As(err, &busy) || busy.Wait != m.until.Sub(now) || hint.Of(err) == "" {
						t.Fatalf("browser %d begins while %d waits: %v", b, m.browser, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				secrets[b], m = secret, bumpModel{browser: b, until: now.Add(60 * time.Second)}
			},
			"a badge": func(t *rapid.T) {
				person := rapid.SampledFrom([]string{"ann", "ben"}).Draw(t, "person")
				digits := s.Bumped(person, person)
				mine := m.browser != 0 && (m.person == "" || m.person == person)
				if (digits != "") != mine || m.person == person && digits != shown {
					t.Fatalf("%s sees %q; %+v", person, digits, m)
				}
				if mine && m.person == "" {
					m.person, m.until, shown = person, now.Add(60*time.Second), digits
				}
			},
			"digits": func(t *rapid.T) {
				b := browser.Draw(t, "browser")
				digits := rapid.SampledFrom([]string{shown, "", "00000", "x" + shown, shown + "0"}).Draw(t, "digits")
				who, err := s.Digits(secrets[b], digits)
				right := digits == shown && shown != ""
				switch {
				case b != m.browser:
					if !errors.Is(err, ErrNoBump) || who != (Principal{}) {
						t.Fatalf("browser %d is %+v, %v; %+v", b, who, err, m)
					}
				case m.person == "":
					if !errors.Is(err, ErrNoBadge) || who != (Principal{}) {
						t.Fatalf("without a bump: %+v, %v", who, err)
					}
				case right:
					if err != nil || who.Person != m.person || who.Role != Staff {
						t.Fatalf("%+v, %v; %+v", who, err, m)
					}
					m = bumpModel{}
				default:
					m.wrong++
					if over := m.wrong == 3; err == nil || who != (Principal{}) || errors.Is(err, ErrWrongDigits) == over || hint.Of(err) == "" {
						t.Fatalf("wrong for the %d. time: %+v, %v", m.wrong, who, err)
					}
					if m.wrong == 3 {
						m = bumpModel{}
					}
				}
			},
		})
	})
}
