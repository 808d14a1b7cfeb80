package config

import (
	"strings"
	"testing"
)

// TestShowKeepsSecrets: what is printed can be sent to somebody who helps.
func TestShowKeepsSecrets(t *testing.T) {
	c := parse(t, `
[directory]
kind = "endpoints"
checkinout = "http://ann:SECRET@lab.example/c?key=SECRET&s={staff}&a={asset}"
whatis = "http://lab.example/w?key=SECRET&r={tag}"
hash_string = "SECRET"
[[webhook]]
url = "https://hooks.example/services/T0/SECRET"
[[webhook]]
name = "other"
url = "https://SECRET@hooks.example"
[alerts]
url = "https://hooks.example/alerts/SECRET"
`)
	var b strings.Builder
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "SECRET") {
		t.Errorf("shown:\n%s", b.String())
	}
	for _, part := range []string{`whatis = "http://lab.example/w?key=xxxxx&r={tag}"`, `hash_string = "xxxxx"`, `url = "https://hooks.example/services/xxxxx"`, `url = "https://hooks.example/alerts/xxxxx"`} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("%s is not in\n%s", part, b.String())
		}
	}
	if c.Directory.HashString != "SECRET" || !strings.HasSuffix(c.Webhooks[0].URL, "SECRET") {
		t.Error("the configuration itself was changed")
	}
}
