package device

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/loan"
	"stump/internal/books"
	"stump/internal/console/ui"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC) // a Tuesday

// TestRefusals: each reason that there is, is said in each language, with the same names and times.
func TestRefusals(t *testing.T) {
	braces := func(text string) []string {
		found := regexp.MustCompile(`{\w+}`).FindAllString(text, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	for _, why := range []loan.Reason{
		loan.Has, loan.Nobody, loan.Another, loan.IsLost, loan.NotLost, loan.Future, loan.Moved, loan.NoClock, loan.Before,
		loan.Unknown, loan.AtMost, loan.Sooner, loan.Endless, loan.Past, loan.Booked, loan.Admins, loan.Often,
	} {
		for _, language := range []string{"en", "de", "fr", "es"} {
			if text := refusals[language].Of(string(why)); text == "" || !slices.Equal(braces(text), braces(refusals["en"].Of(string(why)))) {
				t.Errorf("%s: %s is %q", language, why, text)
			}
		}
	}
}

func TestWhy(t *testing.T) {
	for _, tt := range []struct {
		err      error
		language string
		want     string
	}{
		{&loan.RefusedError{Reason: loan.Often, What: "iPad", Count: 1}, "en", "iPad was extended already: 1×. Ask an admin, or bring it back."},
		{fmt.Errorf("first: %w", &loan.RefusedError{Reason: loan.Booked, What: "{by}", By: "Ben", At: noon.Add(72 * time.Hour)}), "de", "{by} ist ab Fr 12:00 für Ben reserviert."},
		{&loan.RefusedError{Reason: loan.Has, What: "iPad", By: "Ann"}, "fr", "Ann a déjà iPad."},
		{&loan.RefusedError{Reason: loan.Nobody, What: "iPad"}, "es", "Nadie tiene iPad."},
		{&checkout.RefusedError{Subject: checkout.Subject{Name: "Ben", Status: checkout.Suspended}}, "de", "Ben ist gesperrt"},
		{&checkout.RefusedError{Subject: checkout.Subject{Name: "iPad", Status: checkout.Retired}}, "es", "iPad está fuera de uso."},
		{&books.NotFoundError{Kind: checkout.KindPerson, Ref: "Zoe"}, "fr", "Personne ne s'appelle Zoe."},
		{&books.AmbiguousError{Kind: checkout.KindPerson, Name: "Ann", IDs: []string{"ann", "ann-2"}}, "de", "Mehrere heißen Ann. Schreiben, wer gemeint ist: ann, ann-2."},
		{fmt.Errorf("%w: a rule of its own", checkout.ErrRefused), "de", "Refused: a rule of its own."},
	} {
		says, _, ok := Why(ui.Spoken(tt.language), tt.err, noon)
		if !ok || !strings.HasPrefix(says, tt.want) {
			t.Errorf("%v: %q, want %q", tt.err, says, tt.want)
		}
	}
	if says, _, ok := Why(ui.Spoken("en"), errors.New("disk full"), noon); ok {
		t.Errorf("what nobody foresaw is %q", says)
	}
}
