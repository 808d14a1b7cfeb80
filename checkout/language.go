package checkout

import (
	"slices"
	"strings"

	"stump/internal/hint"
)

// Language is the one in which somebody is written to: one of Languages, or empty for the
// station's.
type Language string

// Languages are those that there are texts in.
var Languages = []Language{"de", "en", "es", "fr"}

// LanguageOf is the first language with texts of a list such as "de-AT" or "it, fr-CH;q=0.9"
// (RFC 7643, 4.1.1: as browsers write them, the best one first); empty if there is none.
func LanguageOf(list string) Language {
	for tag := range strings.SplitSeq(list, ",") {
		tag, weight, _ := strings.Cut(strings.ToLower(tag), ";")
		main, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"), "-")
		never := strings.Trim(strings.ReplaceAll(weight, " ", ""), "0.") == "q="
		if i := slices.Index(Languages, Language(main)); i >= 0 && !never {
			return Languages[i] // and keep no piece of the list
		}
	}
	return ""
}

// CheckLanguage accepts languages that there are texts in, and none.
func CheckLanguage(l Language) error {
	if l != "" && !slices.Contains(Languages, l) {
		return hint.Errorf("use de, en, es or fr, or leave it empty for the station's", "there are no texts in the language %q", string(l))
	}
	return nil
}
