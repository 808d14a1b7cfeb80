package kiosk

import (
	"fmt"
	"iter"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"stump/internal/books"
	"stump/internal/console/board"
	"stump/internal/console/ui"
	"stump/internal/panel"
)

// shelf is what is out and what is free.
type shelf struct {
	books.Keeper
	out  []books.Loan
	free []books.Device
}

func (s *shelf) Loans(books.LoanFilter) iter.Seq2[books.Loan, error] { return each(s.out) }
func (s *shelf) Devices(books.Page) iter.Seq2[books.Device, error]   { return each(s.free) }

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// noon is a Tuesday.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func lab() *shelf {
	return &shelf{
		out: []books.Loan{
			{Device: "iPad Pro 13", Person: "Ann Okafor", Due: noon.Add(50 * time.Hour), DueSoon: true},
			{Device: "Pixel 9", Person: "Ben Lindqvist", Due: noon.Add(-49 * time.Hour), Overdue: true},
			{Device: "Quest 3S", Person: "Cem Yıldız"},
		},
		free: []books.Device{{Name: "MacBook Air", Kind: "laptop"}, {Name: "Tripod"}, {Name: "iPad mini", Kind: "tablet"}},
	}
}

func viewOf(t *testing.T, s *shelf, language string, holders bool) View {
	t.Helper()
	v := View{View: board.View{Frame: ui.Frame{Words: ui.Spoken(language)}, Holders: holders}}
	v, err := Make(v, s, panel.State{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var look = regexp.MustCompile("\x1b\\[[0-9;]*m")

// read is lines as people read them.
func read(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(look.ReplaceAllString(l, ""), " ") + "\n")
	}
	return b.String()
}

// TestBody: what is overdue and back soon comes first; beside it, or below on a narrow
// screen, what is free; how many have no room is said.
func TestBody(t *testing.T) {
	many := &shelf{}
	for i := range 30 {
		many.out = append(many.out, books.Loan{Device: fmt.Sprint("Phone ", i), Person: "Ann"})
		many.free = append(many.free, books.Device{Name: fmt.Sprint("Tablet ", i), Kind: "tablet"})
	}
	for name, tt := range map[string]struct {
		shelf          *shelf
		language       string
		holders        bool
		columns, lines int
		want           string
	}{
		"wide": {lab(), "en", true, 80, 7, `
3 out                                                 3 free
Pixel 9      Ben Lindqvist                 2 d late   Tripod
iPad Pro 13  Ann Okafor                   Thu 14:00   laptop
Quest 3S     Cem Yıldız                                 MacBook Air
                                                      tablet
                                                        iPad mini

`}, "German": {lab(), "de", true, 80, 2, `
3 verliehen                                           3 frei
… +3                                                  … +5
`}, "narrow": {lab(), "en", true, 40, 10, `
3 out
Pixel 9      Ben Lindqvist      2 d late
iPad Pro 13  Ann Okafor        Thu 14:00
Quest 3S     Cem Yıldız

3 free
Tripod
laptop
  MacBook Air
… +2
`}, "nobody is named": {lab(), "en", false, 80, 3, `
3 free
Tripod
… +4
`}, "nothing": {&shelf{}, "fr", true, 70, 2, `
0 sortis                                       0 libres
Tout est là.
`}, "many": {many, "en", true, 70, 4, `
30 out                                         30 free
Phone 0   Ann                                  tablet
Phone 1   Ann                                    Tablet 0
… +28                                          … +29
`}, "no room": {lab(), "en", true, 80, 0, "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Body(viewOf(t, tt.shelf, tt.language, tt.holders), tt.columns, tt.lines)
			if s := "\n" + read(got); s != tt.want {
				t.Errorf("got%s\nwant%s", s, tt.want)
			}
			if len(got) != tt.lines {
				t.Errorf("%d lines, not %d", len(got), tt.lines)
			}
		})
	}
}

// TestHead: the display's rows in the middle, on a band as wide as the screen.
func TestHead(t *testing.T) {
	got := Head([]string{"Checked out         ", "iPad Pro 13         "}, 21)
	if want := "\n     Checked out\n     iPad Pro 13\n\n"; read(got) != want {
		t.Errorf("got\n%s", read(got))
	}
	for _, l := range got {
		if !strings.HasPrefix(l, words) || utf8.RuneCountInString(look.ReplaceAllString(l, "")) != 21 {
			t.Errorf("%q is not a band", l)
		}
	}
}

// FuzzBody: every line is as wide as the screen, and has no control character but those for
// its look, whatever people and devices are called.
func FuzzBody(f *testing.F) {
	f.Add("iPad\x1b[2J", "Ann\u202e\x9b", uint8(80), uint8(5))
	f.Add("💡\n\r\t", "\xff", uint8(1), uint8(1))
	f.Add(strings.Repeat("long ", 50), "Müller", uint8(63), uint8(9))
	f.Fuzz(func(t *testing.T, device, person string, columns, lines uint8) {
		s := &shelf{
			out:  []books.Loan{{Device: device, Person: person, Due: noon, Overdue: true}, {Device: person, Person: device, Due: noon.Add(time.Hour), DueSoon: true}},
			free: []books.Device{{Name: device, Kind: person}, {Name: person}},
		}
		v := viewOf(t, s, "es", true)
		all := Body(v, int(columns), int(lines))
		if columns > 0 && len(all) != int(lines) {
			t.Fatalf("%d lines, not %d", len(all), lines)
		}
		for _, l := range all {
			plain := look.ReplaceAllString(l, "")
			if utf8.RuneCountInString(plain) != int(columns) {
				t.Errorf("%q has %d columns, not %d", plain, utf8.RuneCountInString(plain), columns)
			}
			for _, r := range plain {
				if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
					t.Errorf("%q has the character %U", plain, r)
				}
			}
		}
	})
}
