package config

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRestarts(t *testing.T) {
	const base = "station = \"lab\"\n[[reader]]\nname = \"door\"\n[desk]\nwindow = \"60s\"\n"
	for _, tt := range []struct {
		text string
		want []string
	}{
		{base, nil},
		{"log_level = \"debug\"\n" + base + "[display]\nlanguage = \"de\"\ntexts = { greet = \"Servus {person}\" }\n", nil},
		{strings.Replace(base, "60s", "30s", 1), []string{"desk"}},
		{strings.Replace(base, "lab", "shed", 1), []string{"station"}},
		{base + "[display]\nlanguage = \"de\"\nsize = \"20x4\"\n", []string{"display"}},
		{strings.Replace(base, "door", "gate", 1) + "[[webhook]]\nurl = \"http://127.0.0.1/x\"\n[loans]\nlength = \"7d\"\n", []string{"reader", "webhook", "loans"}},
	} {
		was, now := parse(t, base), parse(t, tt.text)
		if got := was.Clone().Restarts(now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.text, got, tt.want)
		}
		was.TakeOver(now)
		if was.LogLevel != now.LogLevel || was.Display.Language != now.Display.Language || was.Level() != now.Level() {
			t.Errorf("%s: not taken over", tt.text)
		}
	}
	if got := parse(t, "log_level = \"debug\"\n"+base).Level(); got != slog.LevelDebug {
		t.Errorf("level %v", got)
	}
	c := parse(t, base)
	clone := c.Clone()
	if c.Readers[0].Data0 = "P8_7"; clone.Readers[0].Data0 == "P8_7" {
		t.Error("the clone's reader changed too")
	}
}
