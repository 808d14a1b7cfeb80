package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// alarm is an alert of docs/monitoring, as far as tests ask.
type alarm struct{ name, summary, remedy string }

// alarms are the alerts of docs/monitoring/stump.rules.yml.
func alarms(t *testing.T) (all []alarm) {
	t.Helper()
	for _, rule := range strings.Split(readPage(t, "../../docs/monitoring/stump.rules.yml"), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(rule, "\n")
		part := func(key string) string {
			m := regexp.MustCompile(`(?m)^ +` + key + `: "?(.*?)"?$`).FindStringSubmatch(rest)
			if m == nil {
				return ""
			}
			return m[1]
		}
		all = append(all, alarm{name, part("summary"), part("remedy")})
	}
	if len(all) < 20 {
		t.Fatalf("the rules have %d alerts", len(all))
	}
	return all
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAlarms: each alert says where something is wrong and what to do, has a paragraph in
// docs/operations.md, and is played by promtool both as it fires and as it does not.
func TestAlarms(t *testing.T) {
	t.Parallel()
	_, page, _ := strings.Cut(readPage(t, "../../docs/operations.md"), "\n## Alarms\n")
	page, _, _ = strings.Cut(page, "\n## ")
	paragraphs := map[string]string{}
	for _, part := range strings.Split(page, "\n### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		paragraphs[name] = strings.TrimSpace(text)
	}
	played := readPage(t, "testdata/monitoring/alerts.yml")
	var names []string
	for _, a := range alarms(t) {
		names = append(names, a.name)
		if !strings.Contains(a.summary, "$labels.instance") || !regexp.MustCompile(`^[A-Z].*\.$`).MatchString(a.remedy) {
			t.Errorf("%s says %q and %q: it needs the station, and a sentence of what to do", a.name, a.summary, a.remedy)
		}
		if text := paragraphs[a.name]; strings.Count(text, ". ")+strings.Count(text, ".\n")+strings.Count(text, ": ") < 1 || len(text) < 100 {
			t.Errorf("docs/operations.md says of %s %q", a.name, text)
		}
		delete(paragraphs, a.name)
		fires := regexp.MustCompile(`alertname="` + a.name + `".*\n.*\n +exp_samples: \[\{`)
		rests := regexp.MustCompile(`alertname="` + a.name + `".*\n.*\n +exp_samples: \[\]`)
		if !fires.MatchString(played) || !rests.MatchString(played) {
			t.Errorf("testdata/monitoring/alerts.yml does not play %s both ways", a.name)
		}
	}
	for name := range paragraphs {
		t.Errorf("docs/operations.md has an alarm %s that no rule raises", name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(alarms(t)) {
		t.Error("two alerts have one name")
	}
}
