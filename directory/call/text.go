package call

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hashes are badge numbers as they are sent; servers repeat them in errors.
var hashes = regexp.MustCompile(`[0-9a-fA-F]{32,}`)

// Plain makes a server's words fit for a display and a log: one line, no
// control characters, no hash, at most 120 characters.
func Plain(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}), " ")
	s = hashes.ReplaceAllString(s, "…")
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}

// FieldText is a JSON value as text; numbers without an exponent.
func FieldText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
