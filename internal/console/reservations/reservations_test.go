package reservations

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/reservation"
	"stump/internal/books"
	"stump/internal/console/ui"
)

var (
	berlin, _ = time.LoadLocation("Europe/Berlin")
	noon      = time.Date(2026, 3, 17, 12, 0, 0, 0, berlin) // a Tuesday; the clocks change on the 29th
	frame     = ui.In(httptest.NewRequest("GET", "/", nil), "en")
)

// TestWords: every language says everything, with the same names and times in it.
func TestWords(t *testing.T) {
	braces := func(s string) []string {
		return slices.Sorted(slices.Values(regexp.MustCompile(`\{\w+\}`).FindAllString(s, -1)))
	}
	en := words["en"]
	for language, w := range words {
		v, e := reflect.ValueOf(*w), reflect.ValueOf(*en)
		for i := range v.NumField() {
			if v.Field(i).Kind() != reflect.String {
				continue
			}
			name, text := v.Type().Field(i).Name, v.Field(i).String()
			if text == "" || !slices.Equal(braces(text), braces(e.Field(i).String())) {
				t.Errorf("%s: %s is %q", language, name, text)
			}
		}
		for _, e := range en.Refused {
			if text := w.Refused.Of(e[0]); text == "" || !slices.Equal(braces(text), braces(e[1])) {
				t.Errorf("%s: %s is %q", language, e[0], text)
			}
		}
	}
}

// TestWhy has the words of each refusal of the rules and of a form.
func TestWhy(t *testing.T) {
	friday := noon.AddDate(0, 0, 3)
	for want, err := range map[string]error{
		"iPad is with Ben until Fri 12:00. Reserve it from then on.":          &reservation.RefusedError{Reason: reservation.Lent, What: "iPad", By: "Ben", To: friday.UTC()},
		"{by} is reserved for {what}, 12:00 to Fri 12:00. Choose":             &reservation.RefusedError{Reason: reservation.Booked, What: "{by}", By: "{what}", From: noon, To: friday},
		"No phone is left then: one is reserved for Ben, 12:00 to Fri 12:00.": &reservation.RefusedError{Reason: reservation.Few, Kind: "phone", Count: 2, By: "Ben", From: noon, To: friday},
		"No phone is free for all of that time.":                              &reservation.RefusedError{Reason: reservation.Few, Kind: "phone", Count: 2},
		"No device in use is of the kind <b>.":                                &reservation.RefusedError{Reason: reservation.NoKind, Kind: "<b>"},
		"iPad is not in use.":                                                 &reservation.RefusedError{Reason: reservation.Unused, What: "iPad"},
		"A reservation lasts 92 days at most.":                                fmt.Errorf("first: %w", &reservation.RefusedError{Reason: reservation.TooLong}),
		"It would be over before it begins.":                                  &reservation.RefusedError{Reason: reservation.Backwards},
		"Ben has iPad. Extend the loan.":                                      &reservation.RefusedError{Reason: reservation.Has, What: "iPad", By: "Ben"},
		"That reservation has ended already.":                                 &books.UnreservedError{ID: "7"},
		"soon is no time. Write it as":                                        &WrongError{NoTime, "soon"},
		"Ben is suspended, and can take nothing.":                             &checkout.RefusedError{Subject: checkout.Subject{Kind: checkout.KindPerson, ID: "ben", Name: "Ben", Status: checkout.Suspended}},
	} {
		says, _, ok := Why(frame, err, noon)
		if !ok || !strings.HasPrefix(says, want) {
			t.Errorf("%v: %q, want %q", err, says, want)
		}
	}
	if says, _, ok := Why(frame, errors.New("disk full"), noon); ok {
		t.Errorf("what nobody foresaw is %q", says)
	}
}

// list are rows as a line each.
func list(rows []Row) (all []string) {
	for _, r := range rows {
		line := fmt.Sprintf("%s %s-%s", r.What, r.Begins, r.Ends)
		if r.Turn > 0 {
			line = fmt.Sprintf("%s turn %d", r.What, r.Turn)
		}
		if r.Until != "" {
			line += fmt.Sprintf(" and %d until %s", len(r.Others), r.Until)
		}
		all = append(all, line)
	}
	return all
}

// TestRows: what repeats each week is one row, also over a change of the clocks; the line is
// counted for each device.
func TestRows(t *testing.T) {
	l := newLister(frame, Viewer{Person: "ann"}, noon)
	at := func(days, hour int) time.Time { return time.Date(2026, 3, 17+days, hour, 0, 0, 0, berlin).UTC() }
	n := 0
	add := func(device, kind, person string, from, to time.Time) {
		n++
		l.add(books.Reservation{ID: fmt.Sprint(n), Device: device, DeviceID: device, Kind: kind, PersonID: person, From: from, To: to})
	}
	add("ipad", "", "ben", time.Time{}, time.Time{})
	add("", "phone", "cem", time.Time{}, time.Time{})
	add("ipad", "", "ann", time.Time{}, time.Time{})
	for week := range 3 {
		add("ipad", "", "ann", at(1+7*week, 9), at(1+7*week, 11))
		add("", "phone", "ann", at(1+7*week, 9), at(1+7*week, 11+week)) // each lasts longer
		add("ipad", "", "ann", at(2+7*week, 9), at(2+7*week, 11))
	}
	add("ipad", "", "ben", at(22, 9), at(22, 11)) // as another's
	want := []string{
		"ipad turn 1", "any phone turn 1", "ipad turn 2",
		"ipad Wed 09:00-Wed 11:00 and 2 until 1 Apr 09:00", "any phone Wed 09:00-Wed 11:00", "ipad Thu 09:00-Thu 11:00 and 2 until 2 Apr 09:00",
		"any phone 25 Mar 09:00-25 Mar 12:00", "any phone 1 Apr 09:00-1 Apr 13:00", "ipad 8 Apr 09:00-8 Apr 11:00",
	}
	if got := list(l.rows); !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := l.rows[3].IDs(); !slices.Equal(got, []string{"4", "7", "10"}) {
		t.Errorf("the ids are %v", got)
	}
	if l.rows[0].Mine || !l.rows[2].Mine || l.rows[8].Mine {
		t.Error("whose reservation it is")
	}
}

// TestTime reads what browsers send, where the station is.
func TestTime(t *testing.T) {
	for _, typed := range []string{"2026-03-17T12:00", "2026-03-17T12:00:00", "2026-03-17 12:00"} {
		if got, err := Time(typed, berlin); err != nil || !got.Equal(noon) {
			t.Errorf("%s: %v, %v", typed, got, err)
		}
	}
	if got, err := Time("", berlin); err != nil || !got.IsZero() {
		t.Errorf("none: %v, %v", got, err)
	}
	var wrong *WrongError
	if _, err := Time("12:00", berlin); !errors.As(err, &wrong) || wrong.Reason != NoTime {
		t.Error(err)
	}
}

// TestNewForm proposes a day from the next full hour on.
func TestNewForm(t *testing.T) {
	f := NewForm(frame, Viewer{}, "/reservations", noon.Add(12*time.Hour-time.Second))
	if f.From != "2026-03-18T00:00" || f.To != "2026-03-19T00:00" {
		t.Errorf("from %s to %s", f.From, f.To)
	}
}

// TestChosen reads a choice, and nothing else.
func TestChosen(t *testing.T) {
	for what, want := range map[string][2]string{"kind:phone": {"phone", ""}, "device:a:b": {"", "a:b"}, "phone": {}, "": {}, "person:ann": {}} {
		if kind, device := Chosen(what); [2]string{kind, device} != want {
			t.Errorf("%q: %q, %q", what, kind, device)
		}
	}
}

// TestChoices are in order, and tell devices of the same name apart.
func TestChoices(t *testing.T) {
	c := choices(map[string]books.Device{
		"p1": {ID: "p1", Name: "Pixel", Kind: "phone"}, "p2": {ID: "p2", Name: "Pixel", Kind: "phone"}, "a": {ID: "a", Name: "apple tv"},
		"old": {ID: "old", Name: "Old", Kind: "fax", Status: checkout.Retired}, "lost": {ID: "lost", Name: "Lost", Kind: "key", Lost: true},
	})
	if got, want := fmt.Sprint(c), "{[phone] [{a apple tv} {p1 Pixel (p1)} {p2 Pixel (p2)}]}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Free(frame, []string{"a", "b", "c", "d", "e", "f"}); got != "Free then: a, b, c, d, e, …." {
		t.Errorf("%q", got)
	}
}
