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
	"strings"

	"github.com/BurntSushi/toml"

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
	} `toml:"hub"`
}

// LoadConfig reads the file. "" is the default one.
func LoadConfig(path string) (c Config, err error) {
	path = cmp.Or(path, DefaultConfig)
	c.Web.Listen, c.Hub.Name = ":8443", "lab"
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
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, hint.Errorf("known are database.url; web.listen, url, certificate and key; hub.name and state", "%s: the key %s is unknown", path, unknown[0])
	}
	dir := filepath.Dir(path)
	c.Hub.State = cmp.Or(c.Hub.State, dir)
	for _, file := range []*string{&c.Hub.State, &c.Web.Certificate, &c.Web.Key} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	return c, c.check(path)
}

func (c *Config) check(path string) error {
	u, err := url.Parse(c.Web.URL)
	_, port, listenErr := net.SplitHostPort(c.Web.Listen)
	switch {
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
	return nil
}
