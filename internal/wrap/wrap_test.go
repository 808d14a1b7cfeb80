package wrap

import (
	"strings"
	"testing"
)

func TestHang(t *testing.T) {
	for text, want := range map[string]string{
		"a bb  ccc dddddddd e": "> a bb|  ccc|  dddddddd|  e",
		"äää ö ü":              "> äää ö|  ü",
		"  ":                   "> ",
		"cccccccccc a":         "> cccccccccc|  a",
	} {
		if got := strings.Join(Hang("> ", text, 7), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
