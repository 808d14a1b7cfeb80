package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/internal/hint"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hub.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(file)
}

// TestConfig: what of the file is the office's is read as a station's, and its lines keep
// their numbers.
func TestConfig(t *testing.T) {
	c, err := load(t, `
[database]
url = "postgres:///x"
[web]
listen = ":9"
certificate = "web.pem"
key = "web.pem"
board = "holders"
[web.oidc]
issuer = "https://id.example"
roles = { admin = "a" }
client_id = "stump"
[[reader]]
formats = ["H10301", "indasc27"]
[loans]
length = "14d"
[hub]
name = "berlin"
`)
	if err != nil {
		t.Fatal(err, hint.Of(err))
	}
	s := c.Station
	if s.Station != "hub" || s.Web.Board != "holders" || s.Web.Listen != ":9" || s.Web.URL != c.Web.URL || s.Web.OIDC.ClientID != "stump" || len(s.CardFormats()) != 2 || s.Loans.Length == 0 {
		t.Errorf("the office: %+v", s)
	}
	if s.Display.Kind != "none" || s.Backup.Keep != 0 || s.Clock.Trust != "rtc" || s.Web.Certificate != "" || !filepath.IsAbs(c.Web.Certificate) {
		t.Errorf("what it does not need: %+v", s)
	}
	c, err = load(t, "[database]\nurl = \"x\"\n[hub]\noffice = \"annex\"\n[backup]\nkeep = 3\n")
	if err != nil || c.Station.Station != "annex" || c.Station.Backup.Keep != 3 {
		t.Errorf("%+v, %v", c.Station, err)
	}
}

func TestBadConfig(t *testing.T) {
	for text, want := range map[string]string{
		"[database]\nurl = \"x\"\n[loans]\nlenght = \"14d\"\n": ":4: unknown key",
		"[desk]\nwindow = \"1s\"\n":                            "the key desk is unknown",
		"[hub]\noffice = \"a b\"\n[database]\nurl = \"x\"\n":   "no station can have that name",
		"[hub]\ncolour = \"a b\"\n[database]\nurl = \"x\"\n":   "the key hub.colour is unknown",
		"[loans]\nlength = 3\n[database]\nurl = \"x\"\n":       ":2: ",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) || hint.Of(err) == "" {
			t.Errorf("%q: %v (%s), want %q", text, err, hint.Of(err), want)
		}
	}
}
