package console

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// own are texts that are the same in every language: names, what somebody has typed, files,
// commands, and what other programs say.
var own = []string{"Ann Okafor", "Ben <b>Lindqvist</b>", "Ben Lindqvist", "iPad of Ann", "Asset ", "stump web admin-link", "found on a desk", "on the train", "my words", "listen = ", "/etc/stump.toml", "ann@lab.example", "DATA0 = GPIO17", "snipe.lab.example", "Raspberry Pi 4", "iPad & Pen", "1. Cem Yıldız", " mm", "POST /login", " 2026", "48.0 ms"}

// TestNoEnglish: no page in German, French or Spanish has a sentence that the same page has in
// English, whatever was refused on it.
func TestNoEnglish(t *testing.T) {
	texts := regexp.MustCompile(`>([^<>]+)<`)
	sentences := func(page string) (all []string) {
		_, main, _ := strings.Cut(page, "<main")
		for _, found := range texts.FindAllStringSubmatch(main, -1) {
			if text := strings.TrimSpace(html.UnescapeString(found[1])); len(strings.Fields(text)) > 2 {
				all = append(all, text)
			}
		}
		return all
	}
	is := func(text string) func(string) bool {
		return func(part string) bool { return strings.Contains(text, part) }
	}
	english := newGallery(t, "en").all
	for _, language := range []string{"de", "fr", "es"} {
		for i, s := range newGallery(t, language).all {
			there := sentences(english[i].html)
			for _, text := range sentences(s.html) {
				if slices.Contains(there, text) && !slices.ContainsFunc(own, is(text)) {
					t.Errorf("%s, %s, in %s: %q", s.page, s.state, language, text)
				}
			}
		}
	}
}
