package checkout

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, tt := range []struct{ name, wrong string }{
		{"Zoë Ångström-Ñandú", ""},
		{"👩\u200d🚀 Ann", ""},   // a joiner within an emoji
		{"مهدی\u200cنژاد", ""}, // a non-joiner within a name
		{"李雷", ""},
		{strings.Repeat("x", 1000), ""},
		{strings.Repeat("x", 1001), "1001 bytes: at most 1000"},
		{"", "empty"},
		{" \t", "empty"},
		{"Ann\nBen", "control character: U+000A"},
		{"Ann\x1b[31m", "control character: U+001B"},
		{"Ann\u009b31m", "control character: U+009B"},
		{"Ann\xff", "not valid UTF-8"},
		{"Ann \u202ekcalb", "nobody sees: U+202E"},
		{"Ann\u200b", "nobody sees: U+200B"},
		{"Ann\u2060", "nobody sees: U+2060"},
		{"\ufeffAnn", "nobody sees: U+FEFF"},
		{"An\u00adn", "nobody sees: U+00AD"},
		{"Ann\u2028Ben", "nobody sees: U+2028"},
		{"\u3164", "nobody sees: U+3164"},
		{"Ann\U000e0041", "nobody sees: U+E0041"},
	} {
		err := CheckName(tt.name)
		switch {
		case tt.wrong == "" && err != nil:
			t.Errorf("%q: %v", tt.name, err)
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("%q: %v, want %q", tt.name, err, tt.wrong)
		}
	}
}
