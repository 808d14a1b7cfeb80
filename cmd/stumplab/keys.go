package main

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"stump/internal/simlab"
)

// Keys that bump a card: digits are badges, letters are devices.
const (
	badgeKeys   = "123456"
	deviceKeys  = "abcdefghijkl"
	strangerKey = "u"
	nameKey     = "n" // types a name
)

// cardOf returns the card that a key bumps.
func cardOf(key string) (simlab.Card, bool) {
	if key == strangerKey {
		return simlab.Stranger, true
	}
	if i := strings.Index(badgeKeys, key); i >= 0 && len(key) == 1 {
		return simlab.People[i], true
	}
	if i := strings.Index(deviceKeys, key); i >= 0 && len(key) == 1 {
		return simlab.Devices[i], true
	}
	return simlab.Card{}, false
}

// drawKeys draws the line of keys. On a narrow screen the words are fewer and
// closer, but every key is shown.
func (s screen) drawKeys(width int) string {
	keys := s.keys()
	for short := range keys[0].words {
		for _, between := range []string{" · ", "  ", " "} {
			var plain, drawn []string
			for _, k := range keys {
				word := k.words[short]
				if word != "" {
					word = " " + word
				}
				plain = append(plain, k.key+word)
				drawn = append(drawn, s.key.Render(k.key)+s.dim.Render(word))
			}
			fits := lipgloss.Width(strings.Join(plain, between)) <= width
			if last := short == len(keys[0].words)-1; fits && (last || between != " ") {
				return strings.Join(drawn, s.dim.Render(between))
			}
		}
	}
	return cut("? help q quit", width)
}

// keyWords is a key and what it does, from most to fewest words.
type keyWords struct {
	key   string
	words [3]string
}

func (s screen) keys() []keyWords {
	same := func(key, word string) keyWords { return keyWords{key, [3]string{word, word, word}} }
	if s.help {
		keys := []keyWords{same("? Esc", "back"), same("q", "quit")}
		if s.helpBelow() > 0 {
			keys = slices.Insert(keys, 1, same("↑↓", "more"))
		}
		return keys
	}
	keys := []keyWords{
		{"1-6", [3]string{"badge", "badge", ""}}, {"a-l", [3]string{"device", "device", ""}},
		{strangerKey, [3]string{"unknown card", "unknown", "unknown"}},
		{nameKey, [3]string{"name", "name", ""}},
		{"x", [3]string{"break a wire", "break", "break"}},
		same("?", "help"), same("q", "quit"),
	}
	if s.fault != "" {
		keys[4].words = [3]string{"next fault", "next", "next"}
		keys = slices.Insert(keys, 5, same("m", "mend"))
	}
	return keys
}
