package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"stump/gpio"
	"stump/internal/hint"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/lcd"
	"stump/wiegand"
)

// The values that the enumerated keys take.
var (
	logLevels   = []string{"debug", "info", "warn", "error"}
	policies    = []string{"handover", "return", "refuse"}
	enrolments  = []string{"known-people", "free", "off"}
	presets     = []string{"", "original"}
	keypadModes = []string{"", "4bit", "8bit"}
	directories = []string{"local", "endpoints", "snipeit", "scim"}
	converters  = []string{"", "bss138", "divider"}
)

// Check fills defaults that depend on other keys and refuses what can't be
// meant, all of it at once.
func (c *Config) Check() error {
	if len(c.Readers) == 0 {
		c.Readers = []Reader{{}}
	}
	c.checkStation()
	c.checkFormats()
	for i := range c.Readers {
		c.checkReader(i)
	}
	c.checkDesk()
	c.checkDisplay()
	c.checkRest()
	c.checkNumbers()
	c.checkLines()
	c.checkPaths()
	return Join(c.faults...)
}

func (c *Config) checkStation() {
	c.oneOf(c.LogLevel, logLevels, "log_level")
	if c.Station == "" || len(c.Station) > 64 || strings.ContainsFunc(c.Station, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		c.bad("use 1 to 64 letters, digits, - or _", []string{"station"}, "%q can't be a station's name", c.Station)
	}
	if c.Listen == "" {
		return
	}
	_ = CheckListen(c.Listen, func(remedy, format string, args ...any) error {
		c.bad(remedy, []string{"listen"}, format, args...)
		return nil
	})
}

// CheckListen refuses every address but a loopback one: the API has no
// roles yet, whoever reaches it may do everything.
func CheckListen(addr string, bad func(remedy, format string, args ...any) error) error {
	const remedy = `use a loopback address such as "127.0.0.1:8080"; to reach it from elsewhere, tunnel it over ssh`
	if addr == "" {
		return bad(remedy, "the address is empty")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return bad(remedy, "%q is no address with a port", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		return bad(remedy, "%q is no port", port)
	}
	switch host {
	case "localhost":
		return nil
	case "":
		return bad(remedy, "%q listens everywhere", addr)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return bad(remedy, "%q is not a loopback address", host)
	}
	return nil
}

func (c *Config) checkFormats() {
	for i, custom := range c.Formats {
		f, err := wiegand.NewFormat(custom)
		if err != nil {
			c.badFormat(i, err)
			continue
		}
		c.formats = append(c.formats, f)
	}
}

func (c *Config) checkReader(i int) {
	r := &c.Readers[i]
	key := func(k string) []string { return []string{"reader", strconv.Itoa(i), k} }
	c.oneOf(r.Preset, presets, key("preset")...)
	fillReader(r)
	if len(r.Name) > 64 || strings.ContainsFunc(r.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		c.bad("use 1 to 64 letters and digits", key("name"), "%q can't be a reader's name", r.Name)
	}
	if slices.ContainsFunc(c.Readers[:i], func(o Reader) bool { return o.Name == r.Name }) {
		c.bad("give every reader a name of its own", key("name"), "two readers are called %q", r.Name)
	}
	for _, name := range r.Formats {
		ours := slices.ContainsFunc(c.Formats, func(f wiegand.CustomFormat) bool { return strings.EqualFold(f.Name, name) })
		if _, err := c.FormatByName(name); err != nil && !ours {
			c.bad(cmp.Or(hint.Of(err), "docs/decoding.md lists the formats"), key("formats"), "%v", err)
		}
	}
	c.oneOf(r.Keypad, keypadModes, key("keypad")...)
	c.oneOf(r.Converter, converters, key("converter")...)
	if _, err := gpio.ParseBias(r.Bias); err != nil {
		c.bad(`use "as-is", "pull-up", "pull-down" or "off"`, key("bias"), "%v", err)
	}
	if r.Badge != nil {
		c.checkRule(r, r.Badge, key("badge"))
	}
	if r.Device != nil {
		c.checkRule(r, r.Device, key("device"))
	}
	if r.Data0 == r.Data1 {
		c.bad("DATA0 is the green wire on most readers, DATA1 the white one; each has a line of its own", key("data1"), "both data lines are %q", r.Data0)
	}
}

// badFormat tells of the first that is wrong with a format: what follows from
// that is much.
func (c *Config) badFormat(i int, err error) {
	var bad *wiegand.FormatError
	if errors.As(err, &bad) {
		c.bad("places count from 0, the first bit sent; docs/decoding.md explains the keys", []string{"format", strconv.Itoa(i), bad.Key()}, "%v", bad.Err)
	}
}

// fillReader gives r what its keys left out, the preset before the defaults.
func fillReader(r *Reader) {
	if r.Preset == "original" {
		// The original client took 26 bits unchecked and told people from
		// devices by the number (etsy/rfid-checkout, constants.py); the limits
		// themselves were neither.
		if r.Formats == nil {
			r.Formats = []string{"raw26"}
		}
		if r.Badge == nil {
			r.Badge = &Rule{Min: 90001, Max: 7999999, Raw: true}
		}
		if r.Device == nil {
			r.Device = &Rule{Min: 8000001, Max: 9989999, Raw: true}
		}
	}
	def := defaultReader()
	if r.Name == "" {
		r.Name = def.Name
	}
	if r.Data0 == "" {
		r.Data0 = def.Data0
	}
	if r.Data1 == "" {
		r.Data1 = def.Data1
	}
	if len(r.Formats) == 0 {
		r.Formats = def.Formats
	}
	r.Bias = cmp.Or(r.Bias, "as-is")
	r.Converter = cmp.Or(r.Converter, "bss138")
}

func (c *Config) checkDesk() {
	d := &c.Desk
	if d.Window < time.Second || d.Window > time.Hour {
		c.bad(`use something between "1s" and "1h"; "60s" is usual`, []string{"desk", "window"}, "%v is no time to wait for the second bump", d.Window)
	}
	if d.BatchWindow > time.Hour {
		c.bad(`use "0s" (off) to "1h"`, []string{"desk", "batch_window"}, "%v is no time for a batch", d.BatchWindow)
	}
	c.oneOf(d.HeldByOther, policies, "desk", "held_by_other")
}

func (c *Config) checkDisplay() {
	c.oneOf(c.Display.Kind, lcd.Kinds(), "display", "kind")
	if _, err := lcd.ParseSize(c.Display.Size); err != nil {
		c.bad(`use "16x2", "20x2", "16x4", "20x4" or "40x2"`, []string{"display", "size"}, "%s", strings.TrimPrefix(err.Error(), "display "))
	}
	if d := c.Display; d.Kind == "hd44780-gpio" {
		if err := lcd.CheckLines(d.Lines); err != nil {
			c.bad("docs/display.md has an example", []string{"display", "lines"}, "%s", strings.TrimPrefix(err.Error(), "display "))
		}
	}
	if _, err := lcd.ParseROM(c.Display.ROM); err != nil {
		c.bad("A00 is on most modules", []string{"display", "rom"}, "%s", strings.TrimPrefix(err.Error(), "display "))
	}
	if _, err := lcd.ParsePortMap(c.Display.Map); err != nil {
		c.bad(`"common" fits nearly every backpack`, []string{"display", "map"}, "%s", strings.TrimPrefix(err.Error(), "display "))
	}
	c.oneOf(c.Display.Language, panel.Languages(), "display", "language")
	for _, k := range slices.Sorted(maps.Keys(c.Display.Texts)) {
		if _, err := panel.NewCatalogue(c.Display.Language, map[string]string{k: c.Display.Texts[k]}); err != nil {
			c.bad(cmp.Or(hint.Of(err), "docs/display.md lists the keys of all texts and their placeholders"), []string{"display", "texts", k}, "%v", err)
		}
	}
}

func (c *Config) checkRest() {
	c.oneOf(c.Directory.Kind, directories, "directory", "kind")
	if !slices.Contains(directories, c.Directory.Kind) {
		c.Directory.Kind = "local" // said; the places are looked at by themselves
	}
	c.oneOf(c.Keyboard.Layout, keyboard.Layouts(), "keyboard", "layout")
	c.oneOf(c.Enroll.People, enrolments, "enroll", "people")
}

// oneOf refuses a value that is none of the allowed ones.
func (c *Config) oneOf(value string, allowed []string, key ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	var quoted []string
	for _, a := range allowed {
		if a != "" {
			quoted = append(quoted, strconv.Quote(a))
		}
	}
	remedy := "use " + strings.Join(quoted[:len(quoted)-1], ", ")
	if len(quoted) > 1 {
		remedy += " or "
	}
	remedy += quoted[len(quoted)-1]
	if near := hint.Nearest(value, allowed); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	c.bad(remedy, key, "%q is not known", value)
}
