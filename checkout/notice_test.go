package checkout

import (
	"fmt"
	"testing"
)

func TestNotices(t *testing.T) {
	all := []Kind{Checkout, Handover, Return}
	for name, tt := range map[string]struct {
		kinds []Kind
		ev    Event
		want  string
	}{
		"taken":                     {all, Event{Kind: Checkout, Person: "a"}, "[{a  taken}]"},
		"taken from somebody":       {all, Event{Kind: Handover, Person: "a", From: "b"}, "[{a b taken-over} {b a handed-on}]"},
		"brought back":              {all, Event{Kind: Return, Person: "a"}, "[{a  returned}]"},
		"the same, said twice":      {all, Event{Kind: Return, Person: "a", From: "a"}, "[{a  returned}]"},
		"brought back by another":   {all, Event{Kind: Return, Person: "a", From: "b"}, "[{b a brought}]"},
		"left in a box":             {nil, Event{Kind: Return, From: "b"}, "[{b  left}]"},
		"not wanted":                {[]Kind{Handover}, Event{Kind: Checkout, Person: "a"}, "[]"},
		"wanted for hand-overs":     {[]Kind{Handover}, Event{Kind: Handover, Person: "a", From: "b"}, "[{a b taken-over} {b a handed-on}]"},
		"nobody wants any":          {nil, Event{Kind: Return, Person: "a"}, "[]"},
		"a part":                    {all, Event{Kind: Checkout, Person: "a", Kit: "box"}, "[]"},
		"a part that is left":       {all, Event{Kind: Return, From: "a", Kit: "box"}, "[]"},
		"the directory's word":      {all, Event{Kind: Checkout, Person: "a", Source: SourceSync}, "[]"},
		"extended":                  {append(all, Extend), Event{Kind: Extend, Person: "a"}, "[]"},
		"an admin's word, likewise": {all, Event{Kind: Checkout, Person: "a", Actor: "root", Source: SourceCLI}, "[{a  taken}]"},
	} {
		if got := fmt.Sprint(Notices(tt.kinds, &tt.ev)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
