package checkout

import "testing"

func TestLanguageOf(t *testing.T) {
	for list, want := range map[string]Language{
		"": "", "de": "de", "DE": "de", "de-AT": "de", "de_AT": "de", " fr-CH ": "fr", "it": "", "it-IT, fr-CH;q=0.9, en;q=0.5": "fr", "*": "", "deutsch": "",
		"de;q=0, es": "es", "de; q=0.0, es": "es", "en-US": "en", ",,": "", "zh-Hans-CN,en": "en", "den": "",
	} {
		if got := LanguageOf(list); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
		if err := CheckLanguage(LanguageOf(list)); err != nil {
			t.Errorf("%q: %v", list, err)
		}
	}
	for _, bad := range []Language{"it", "DE", "de-AT"} {
		if CheckLanguage(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
