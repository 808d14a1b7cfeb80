package hub

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"stump/checkout"
	"stump/internal/config"
	"stump/internal/hint"
)

// DefaultConfig is the file that is read if no other is named.
const DefaultConfig = "/etc/stump-hub/stump-hub.toml"

// Config is the hub's configuration file.
type Config struct {
	Database struct {
		URL string `toml:"url"`
	} `toml:"database"`
	Web struct {
		Listen      string `toml:"listen"`
		URL         string `toml:"url"`
		Certificate string `toml:"certificate"`
		Key         string `toml:"key"`
	} `toml:"web"`
	Hub struct {
		Name  string `toml:"name"`
		State string `toml:"state"`
		// Office is the name of the hub's own station in its lab; of several hubs each has its own.
		Office string `toml:"office"`
	} `toml:"hub"`

	// Station is what the file says for the office, as a station's file would.
	Station *config.Config `toml:"-"`
}

// ofOffice are the tables and keys of a station's file that are an office's, too. Readers
// say how card numbers are written there; the hub reads none.
var ofOffice = []string{"web", "directory", "webhook", "mail", "loans", "privacy", "backup", "display", "reader", "format", "lab", "log_level"}

// LoadConfig reads the file. "" is the default one.
func LoadConfig(path string) (c Config, err error) {
	path = cmp.Or(path, DefaultConfig)
	c.Web.Listen, c.Hub.Name, c.Hub.Office = ":8443", "lab", "hub"
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, hint.Errorf("write one, see docs/hub.md, or name another with --config", "there is no configuration at %s", path)
	case errors.Is(err, fs.ErrPermission):
		return c, hint.Errorf("run it as the hub's user: `sudo runuser -u stump-hub -- stump-hub …`", "the configuration %s may not be read by this user", path)
	case err != nil:
		return c, err
	}
	meta, err := toml.Decode(string(text), &c)
	if err != nil {
		return c, hint.Errorf("docs/hub.md has a whole file", "%s: %w", path, err)
	}
	for _, key := range meta.Undecoded() {
		if !slices.Contains(ofOffice, key[0]) {
			return c, hint.Errorf("known are database.url; hub.name, state and office; and of a station's configuration "+strings.Join(ofOffice, ", "), "%s: the key %s is unknown", path, key)
		}
	}
	if c.Station, err = config.Parse(path, stationText(string(text))); err != nil {
		return c, err
	}
	c.office(meta)
	dir := filepath.Dir(path)
	c.Hub.State = cmp.Or(c.Hub.State, dir)
	for _, file := range []*string{&c.Hub.State, &c.Web.Certificate, &c.Web.Key} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	return c, c.check(path)
}

// ownTable is one of the tables that only a hub has, and ownKey a key of [web] whose file may
// be named as beside this one.
var ownTable, ownKey = regexp.MustCompile(`^\s*\[+\s*(database|hub)\b`), regexp.MustCompile(`^\s*(certificate|key)\s*=`)

// stationText is the part of the file that a station's may have. Its lines keep their numbers.
func stationText(text string) string {
	lines := strings.Split(text, "\n")
	own, web := false, false
	for i, line := range lines {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "[") {
			own, web = ownTable.MatchString(line), trimmed == "[web]"
		}
		if own || web && ownKey.MatchString(line) {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// office completes the configuration of the office: it has no reader, no display and no
// keyboard, the clock is a server's, and its ledger needs no backup, since the database has
// all of it.
func (c *Config) office(file toml.MetaData) {
	s := c.Station
	s.Station, s.Listen = c.Hub.Office, ""
	s.Display.Kind, s.Keyboard.Device, s.Clock.Trust, s.Privacy.KeyFile = "none", "off", "rtc", ""
	s.Lights = config.Lights{}
	if !file.IsDefined("backup", "keep") {
		s.Backup.Keep = 0
	}
}

func (c *Config) check(path string) error {
	u, err := url.Parse(c.Web.URL)
	_, port, listenErr := net.SplitHostPort(c.Web.Listen)
	switch {
	case checkout.CheckID(c.Hub.Office) != nil || len(c.Hub.Office) > 64 || strings.Contains(c.Hub.Office, " "):
		return hint.Errorf("use 1 to 64 letters, digits, - or _", "%s: hub.office is %q, and no station can have that name", path, c.Hub.Office)
	case c.Database.URL == "":
		return hint.Errorf(`write url = "postgres:///stump" in the table [database], or the address of your PostgreSQL`, "%s: no database is named", path)
	case (c.Web.Certificate == "") != (c.Web.Key == ""):
		return hint.Errorf("name both files, or neither for a certificate that the hub makes", "%s: web.certificate and web.key belong together", path)
	case listenErr != nil:
		return hint.Errorf(`write ":8443", or "10.0.0.5:8443"`, "%s: web.listen: %w", path, listenErr)
	case c.Web.URL == "":
		host, err := os.Hostname()
		if err != nil {
			return err
		}
		c.Web.URL = fmt.Sprintf("https://%s", net.JoinHostPort(strings.ToLower(host), port))
	case err != nil || u.Scheme != "https" || u.Host == "":
		return hint.Errorf(`write it as "https://hub.example:8443"`, "%s: web.url is %q", path, c.Web.URL)
	}
	c.Web.URL = strings.TrimRight(c.Web.URL, "/")
	c.Station.Web.Listen, c.Station.Web.URL = c.Web.Listen, c.Web.URL
	return nil
}
