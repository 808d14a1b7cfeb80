package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	netmail "net/mail"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"stump/checkout"
	"stump/checkout/reminder"
	"stump/checkout/reservation"
	"stump/directory/mail"
	"stump/directory/webhook"
	"stump/hw/board"
	"stump/internal/hint"
	"stump/internal/holidays"
	"stump/internal/identity"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/lcd"
)

// The values of enumerated keys.
var (
	logLevels   = []string{"debug", "info", "warn", "error"}
	policies    = []string{string(checkout.PolicyHandover), string(checkout.PolicyReturn), string(checkout.PolicyRefuse)}
	enrolments  = []string{"known-people", "free", "off"}
	boards      = []string{"off", "free", "holders"}
	clocks      = []string{"ntp", "rtc"}
	directories = []string{"local", "endpoints", "snipeit", "scim"}
	eventKinds  = []string{
		string(checkout.Checkout), string(checkout.Return), string(checkout.Handover), string(checkout.Incomplete), string(checkout.Extend), string(checkout.Reserve), string(checkout.Cancel), string(checkout.Ready), string(checkout.Remind), string(checkout.Digest), string(checkout.Enrol), string(checkout.Correct),
		string(checkout.Lost), string(checkout.Found), string(checkout.Retire), string(checkout.Resolve), string(checkout.Merge), string(checkout.Erase),
		string(checkout.Salvage), string(checkout.Restore),
	}
)

// Check fills in the defaults that depend on other keys, and returns
// everything that is wrong.
func (c *Config) Check() error {
	if len(c.Readers) == 0 {
		c.Readers = []Reader{{}}
	}
	c.checkFormats()
	for i := range c.Readers {
		c.checkReader(i)
	}
	c.checkStation()
	c.checkDesk()
	c.checkDisplay()
	c.checkKeyboard()
	c.checkLines()
	return Join(c.faults...)
}

// oneOf refuses a value that is not one of the allowed ones.
func (c *Config) oneOf(key, value string, allowed []string) {
	if slices.Contains(allowed, value) {
		return
	}
	var quoted []string
	for _, a := range allowed {
		if a != "" {
			quoted = append(quoted, strconv.Quote(a))
		}
	}
	last := len(quoted) - 1
	remedy := "use " + quoted[last]
	if last > 0 {
		remedy = "use " + strings.Join(quoted[:last], ", ") + " or " + quoted[last]
	}
	if near := hint.Nearest(value, allowed); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	c.bad(key, remedy, "%q is not known", value)
}

func (c *Config) checkStation() {
	c.oneOf("log_level", c.LogLevel, logLevels)
	if c.Station == "" || len(c.Station) > 64 || strings.ContainsFunc(c.Station, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		c.bad("station", "use 1 to 64 letters, digits, - or _", "%q can't be a station's name", c.Station)
	}
	if c.Listen != "" {
		if err := CheckListen(c.Listen); err != nil {
			c.bad("listen", hint.Of(err), "%v", err)
		}
	}
	c.oneOf("clock.trust", c.Clock.Trust, clocks)
	c.checkLoans()
	c.checkLab()
	c.oneOf("mail.tls", c.Mail.TLS, mail.Modes)
	if !slices.Contains(mail.Modes, c.Mail.TLS) {
		c.Mail.TLS = mail.Modes[0] // so that mail.New doesn't repeat it
	}
	c.checkAlerts()
	c.checkBackup()
	c.checkWeb()
	c.checkOIDC()
	c.oneOf("directory.kind", c.Directory.Kind, directories)
	if !slices.Contains(directories, c.Directory.Kind) {
		c.Directory.Kind = "local" // so that directory.Open doesn't repeat it
	}
	for i, w := range c.Webhooks {
		c.oneOf(fmt.Sprintf("webhook[%d].format", i), cmp.Or(w.Format, webhook.Formats[0]), webhook.Formats)
		for _, k := range w.Kinds {
			c.oneOf(fmt.Sprintf("webhook[%d].kinds", i), k, eventKinds)
		}
	}
}

func (c *Config) checkAlerts() {
	a := &c.Alerts
	if a.After < time.Second || a.After > 7*24*time.Hour {
		c.bad("alerts.after", `use "1m" to "168h"; "10m" is usual`, "%v is no time after which a fault is told", a.After)
	}
	_, err := netmail.ParseAddress(a.Mail)
	switch {
	case a.Mail == "":
	case err != nil:
		c.bad("alerts.mail", `write it as "lab@lab.example"`, "%q is not a mail address", a.Mail)
	case c.Mail.Server == "":
		c.bad("alerts.mail", "name a mail server in [mail], or leave it out", "there is no mail server for %q", a.Mail)
	}
	c.oneOf("alerts.format", cmp.Or(a.Format, webhook.Formats[0]), webhook.Formats)
}

func (c *Config) checkWeb() {
	w := &c.Web
	c.oneOf("web.board", w.Board, boards)
	if _, port, err := net.SplitHostPort(w.Listen); w.Listen != "" {
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			c.bad("web.listen", `use a port such as ":8443", or an address with a port`, "%q is not an address with a port", w.Listen)
		}
	}
	if u := site(w.URL); w.URL != "" && (u == nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "") {
		c.bad("web.url", `write it as "https://stump.lab.example:8443"`, "%q is not how a browser reaches the station", w.URL)
	}
	for _, file := range []struct{ key, path, other, beside string }{
		{"web.certificate", w.Certificate, w.Key, "key"}, {"web.key", w.Key, w.Certificate, "certificate"},
	} {
		switch {
		case file.path == "":
		case !filepath.IsAbs(file.path):
			c.bad(file.key, `use a path such as "/etc/stump/web.pem"`, "%q is not a path", file.path)
		case file.other == "":
			c.bad(file.key, "give "+file.beside+" too, which may be the same file, or leave both out", "there is no %s beside it", file.beside)
		}
	}
}

// site reads an address that is a host's or of a path there; nil if it is none.
func site(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil
	}
	return u
}

func (c *Config) checkOIDC() {
	o := &c.Web.OIDC
	for role := range o.Roles {
		if _, err := identity.ParseRole(role); err != nil {
			c.bad("web.oidc.roles", hint.Of(err), "%v", err)
		}
	}
	if o.Issuer == "" {
		return
	}
	u := site(o.Issuer)
	here := u != nil && u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback() // for tests
	switch {
	case u == nil || u.Scheme != "https" && !here:
		c.bad("web.oidc.issuer", `write it as the provider does, such as "https://id.lab.example"`, "%q is not the address of a provider", o.Issuer)
	case c.Web.Listen == "":
		c.bad("web.oidc.issuer", `add listen = ":8443" to [web]`, "no browser can log in without an address")
	case o.ClientID == "":
		c.bad("web.oidc.issuer", "write the name under which the provider knows this station as client_id", "client_id is missing")
	case len(o.Roles) == 0:
		c.bad("web.oidc.issuer", `write roles = { admin = "GROUP" }, with the names of the provider's groups`, "no group has a role")
	}
	if o.SecretFile != "" && !filepath.IsAbs(o.SecretFile) {
		c.bad("web.oidc.client_secret_file", `use a path such as "/etc/stump/oidc-secret"`, "%q is not a path", o.SecretFile)
	}
}

func (c *Config) checkLab() {
	if s := c.Lab.Stale; s < time.Minute || s > 7*24*time.Hour {
		c.bad("lab.stale", `use "1m" to "168h"`, "%v is no time after which a hub is missed", s)
	}
}

func (c *Config) checkLoans() {
	c.oneOf("loans.reserved", c.Loans.Reserved, []string{string(checkout.ReservedWarn), string(checkout.ReservedRefuse)})
	if n := time.Duration(c.Loans.NoShow); n != 0 && (n < time.Minute || n > reservation.Longest) {
		c.bad("loans.no_show", `use "1h" to "92d", or "0s": until the reservation is over`, "%v is no time to wait for somebody", n)
	}
	c.oneOf("loans.overdue", c.Loans.Overdue, []string{string(checkout.OverdueWarn), string(checkout.OverdueRefuse)})
	of := []string{string(checkout.Checkout), string(checkout.Handover), string(checkout.Return)}
	for _, kind := range c.Loans.Notify {
		if c.oneOf("loans.notify", kind, of); slices.Contains(of, kind) && c.Mail.Server == "" {
			c.bad("loans.notify", "name a mail server in [mail], or leave it out", "there is no mail server for %q", kind)
		}
	}
	c.oneOf("loans.kits", c.Loans.Kits, []string{"trust", "check"})
	if n := c.Loans.Extend; n < 0 || n > 100 {
		c.bad("loans.extend", "use 0 (only admins extend loans) to 100", "%d is not a number of extensions", n)
	}
	c.checkRules()
	var days []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		days = append(days, weekday(d))
	}
	for _, d := range c.Loans.Days {
		if !slices.Contains(days, d) {
			c.bad("loans.days", "write some of "+strings.Join(days, ", "), "%q is no day of the week", d)
		}
	}
	if c.Loans.Remind == nil && c.Mail.Server != "" {
		c.Loans.Remind = []string{"-1d", "0d", "3d"}
	}
	for _, s := range c.Loans.Remind {
		if _, err := reminder.ParseStage(s); err != nil {
			c.bad("loans.remind", `write days before, on and after the due day: ["-1d", "0d", "3d"]`, "%v", err)
		}
	}
	if _, err := time.Parse("15:04", c.Loans.RemindAt); err != nil && c.Loans.RemindAt != anyTime {
		c.bad("loans.remind_at", `write a time of day, such as "09:00", or "any"`, "%q is none", c.Loans.RemindAt)
	}
	if t, err := time.Parse("15:04", c.Loans.Until); c.Loans.Until != "" && (err != nil || t.Hour() == 0 && t.Minute() == 0) {
		c.bad("loans.until", `write a time of day, such as "18:00"`, "%q is none", c.Loans.Until)
	}
	if err := holidays.CheckSource(c.Loans.Holidays); err != nil {
		c.bad("loans.holidays", hint.Of(err), "%v", err)
	}
}

// checkRules checks who may have what.
func (c *Config) checkRules() {
	for kind, groups := range c.Loans.Needs {
		if len(groups) == 0 || slices.ContainsFunc(groups, func(g string) bool { return strings.TrimSpace(g) == "" }) {
			c.bad("loans.needs", `name the groups of which one is enough, such as { drone = ["trained"] }`, "%q needs no group", kind)
		}
	}
	for kind, most := range c.Loans.Limit {
		if most < 1 {
			c.bad("loans.limit", `write how many of a kind a person may have, such as { phone = 3, "*" = 5 }`, "%d of %q is no limit", most, kind)
		}
	}
}

func (c *Config) checkBackup() {
	b := &c.Backup
	if b.Keep < 0 || b.Keep > 1000 {
		c.bad("backup.keep", "use 0 (no backups) to 1000; 14 is usual", "%d is not a number of backups", b.Keep)
	}
	const off = "keep = 0 makes no backups"
	switch {
	case b.Also == "":
	case !filepath.IsAbs(b.Also):
		c.bad("backup.also", `use a path such as "/mnt/usb/stump"`, "%q is not a path", b.Also)
	case b.Keep == 0:
		c.bad("backup.also", "give keep a number, or leave this out", off)
	case filepath.Clean(b.Also) == filepath.Clean(b.Dir):
		c.bad("backup.also", "name a folder on another disk", "%q is the folder of dir", b.Also)
	}
	if b.Run == nil {
		return
	}
	if b.Keep == 0 {
		c.bad("backup.run", "give keep a number, or leave this out", off)
	}
	if command := strings.Join(b.Run[:min(1, len(b.Run))], ""); !commandName.MatchString(command) {
		c.bad("backup.run", `write the command and its arguments apart, such as ["rclone", "copyto", "{file}", "remote:stump/{name}"]`,
			"%q is not a command", command)
	}
	for _, word := range placeholder.FindAllString(strings.Join(b.Run, " "), -1) {
		if word != "{file}" && word != "{name}" {
			c.bad("backup.run", "use {file}, the backup's path, or {name}, its name", "%s stands for nothing", word)
		}
	}
}

var (
	commandName = regexp.MustCompile(`^(/[^ {}]+|[^ /{}]+)$`) // a path, or a name to be looked up
	placeholder = regexp.MustCompile(`\{[A-Za-z]+\}`)
)

// CheckListen refuses every address but a loopback one: it has no TLS, and whoever
// reaches it is an admin.
func CheckListen(addr string) error {
	bad := func(format string, args ...any) error {
		return hint.Errorf(`use a loopback address such as "127.0.0.1:8080"; to reach it from elsewhere, set listen in the table [web]`, format, args...)
	}
	host, port, err := net.SplitHostPort(addr)
	if addr == "" {
		return bad("the address is empty")
	}
	if err != nil {
		return bad("%q is not an address with a port", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return bad("%q is not a port", port)
	}
	if host == "" {
		return bad("%q listens everywhere", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return bad("%q is not a loopback address", host)
	}
	return nil
}

func (c *Config) checkDesk() {
	d := &c.Desk
	if d.Window < time.Second || d.Window > time.Hour {
		c.bad("desk.window", `use something between "1s" and "1h"; "60s" is usual`, "%v is not a time to wait for the second bump", d.Window)
	}
	if d.BatchWindow > time.Hour {
		c.bad("desk.batch_window", `use "0s" (off) to "1h"`, "%v is not a time for a batch", d.BatchWindow)
	}
	c.oneOf("desk.held_by_other", d.HeldByOther, policies)
	c.oneOf("enroll.people", c.Enroll.People, enrolments)
}

// displayRemedies are what to write instead of a value that a display can't have.
var displayRemedies = map[string]string{
	"size":    `use "16x2", "20x2", "16x4", "20x4" or "40x2"`,
	"rom":     "A00 is on most modules",
	"map":     `"common" fits nearly every backpack`,
	"lines":   "docs/display.md has an example",
	"address": "a PCF8574 is at 0x20 to 0x27 (usually 0x27), a PCF8574A at 0x38 to 0x3f (usually 0x3f); `stump selftest` looks for it",
	"baud":    "use 300 to 115200, or 0 for the speed that the display comes with",
	"bus":     `use a path such as "/dev/i2c-1"`,
	"port":    `use a path such as "/dev/serial0"`,
}

func (c *Config) checkDisplay() {
	d := &c.Display
	c.oneOf("display.kind", d.Kind, lcd.Kinds())
	d.Check(func(key string, err error) { c.bad("display."+key, displayRemedies[key], "%v", err) })
	c.oneOf("display.language", d.Language, panel.Languages())
	for _, k := range slices.Sorted(maps.Keys(d.Texts)) {
		if err := panel.CheckText(k, d.Texts[k]); err != nil {
			remedy := cmp.Or(hint.Of(err), "docs/display.md lists the keys of all texts and their placeholders")
			c.bad("display.texts."+toml.Key{k}.String(), remedy, "%v", err)
		}
	}
}

func (c *Config) checkKeyboard() {
	c.oneOf("keyboard.layout", c.Keyboard.Layout, keyboard.Layouts())
	if k := c.Keyboard.Device; k != "auto" && k != "off" && !filepath.IsAbs(k) {
		remedy := `use "auto", "off" or a path such as "/dev/input/by-id/usb-Acme-event-kbd"`
		if near := hint.Nearest(k, []string{"auto", "off"}); near != "" && k != "on" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		c.bad("keyboard.device", remedy, "%q is not a keyboard", k)
	}
}

// checkLines checks how lines are written, and that no output has the line of
// another or of a reader. Only the board knows which lines there are.
func (c *Config) checkLines() {
	taken := map[string]string{}
	for _, l := range c.Lines() {
		if c.leftOut(l.Key) {
			continue
		}
		if err := board.CheckName(l.Name); err != nil {
			c.bad(l.Key, hint.Of(err), "%v", err)
			continue
		}
		name := strings.ToLower(l.Name)
		if other, ok := taken[name]; ok && !strings.HasPrefix(l.Key, "reader") {
			c.bad(l.Key, "give each its own line; `stump wiring` shows the header", "%q is already the line of %s", l.Name, other)
		}
		taken[name] = printable(l.Key)
	}
}

// CheckOn checks the lines by the table of a board that need not be there. The text
// says where each is on the header.
func (c *Config) CheckOn(b *board.Board) (text string, err error) {
	lines := c.Lines()
	wanted := make([]board.Wanted, len(lines))
	for i, l := range lines {
		wanted[i] = l.Wanted
	}
	text, wrong := b.Check(wanted, c.ports())
	var faults []error
	for i, l := range lines {
		// How it is written was checked before there was a board.
		if wrong[i] != nil && board.CheckName(l.Name) == nil && !c.leftOut(l.Key) {
			faults = append(faults, c.fault(l.Key, hint.Of(wrong[i]), "%v", wrong[i]))
		}
	}
	return text, Join(faults...)
}

// ports are the serial ports that are in use.
func (c *Config) ports() (all []string) {
	if c.Display.Serial() {
		all = append(all, c.Display.Port)
	}
	return all
}
