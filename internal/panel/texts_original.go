package panel

import "maps"

// original is what the display of Etsy's client said, for sites whose staff
// know it by heart. What it had no words for is said in English.
var original = with(english, map[string]string{
	"idle":           "{open}\t{mark}",
	"open":           "Lab is Open.",
	"greet":          "{person}",
	"device-free":    "{device}",
	"device-held":    "{device}",
	"checked-out":    " _Checked Out_  \n  It's Yours!",
	"returned":       "  _Checked In_  \nDevice Returned",
	"returned-for":   "  _Checked In_  \nDevice Returned",
	"unknown-device": "Device must be\nadded to DB\n{number}",
	"bad-read":       "Bad Tag Read\nPlease Tap Again",
	"unknown-format": "Unknown Format\n{number} bits",
	"cannot-save":    "API Error\nCheck Logs",
	"disk-stopped":   "API Error\nCheck Logs",
	"type-name":      "_Unknown Badge_\nType User Name:\n\r{detail}_",
	"type-name@16x2": "Type User Name:\n\r{detail}_",
	"type-name@20x2": "Type User Name:\n\r{detail}_",
	"type-name@40x2": "Type User Name:\n\r{detail}_",
})

// with returns base with some texts in place of its own.
func with(base, own map[string]string) map[string]string {
	m := maps.Clone(base)
	maps.Copy(m, own)
	return m
}
