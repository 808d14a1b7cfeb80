package call

import (
	"encoding/json"
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

// FieldText is a JSON value as text; numbers without an exponent, and whole ones
// digit by digit (json.Number): as a float, long ids would be one.
func FieldText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return string(v)
		}
		if f, err := v.Float64(); err == nil {
			return FieldText(f)
		}
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
