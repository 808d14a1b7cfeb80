package config

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"stump/checkout"
	"stump/internal/hint"
)

// checkNumbers refuses numbers that can't be meant. TOML takes a negative one
// for an unsigned key, and a bare number for a length of time, in nanoseconds.
func (c *Config) checkNumbers() {
	if a := c.Display.Address; a != 0 && (a < 0x08 || a > 0x77) {
		c.bad("use 0x08 to 0x77: a PCF8574 is at 0x20 to 0x27, a PCF8574A at 0x38 to 0x3f; `i2cdetect -y 1` lists what answers",
			[]string{"display", "address"}, "%d is no address on an I2C bus", int(a))
	}
	if b := c.Display.Baud; b != 0 && (b < 300 || b > 115200) {
		c.bad("use 300 to 115200, or 0 for the speed that the display comes with", []string{"display", "baud"}, "%d is no speed of a serial port", b)
	}
	if k := c.Backup.Keep; k < 0 || k > 1000 {
		c.bad("use 0 (no backups) to 1000; 14 is usual", []string{"backup", "keep"}, "%d is no number of backups", k)
	}
	d := &c.Directory
	for _, l := range []struct {
		key   []string
		value time.Duration
	}{
		{[]string{"directory", "settle_time"}, d.SettleTime}, {[]string{"directory", "pull_every"}, d.PullEvery},
		{[]string{"directory", "unknown_for"}, d.UnknownFor}, {[]string{"directory", "known_for"}, d.KnownFor},
		{[]string{"directory", "connect_timeout"}, d.ConnectTimeout}, {[]string{"directory", "answer_timeout"}, d.AnswerTimeout},
		{[]string{"directory", "total_timeout"}, d.TotalTimeout},
		{[]string{"desk", "batch_window"}, c.Desk.BatchWindow},
		{[]string{"loans", "length"}, time.Duration(c.Loans.Length)},
		{[]string{"privacy", "retain_closed_loans"}, time.Duration(c.Privacy.RetainClosedLoans)},
	} {
		c.checkLength(l.key, l.value)
	}
	for kind, l := range c.Loans.Kinds {
		c.checkLength([]string{"loans", "kinds", kind}, time.Duration(l))
	}
	for i, w := range c.Webhooks {
		for name, v := range map[string]time.Duration{"connect_timeout": w.ConnectTimeout, "answer_timeout": w.AnswerTimeout, "total_timeout": w.TotalTimeout} {
			c.checkLength([]string{"webhook", strconv.Itoa(i), name}, v)
		}
		for _, k := range w.Kinds {
			c.oneOf(k, eventKinds, "webhook", strconv.Itoa(i), "kinds")
		}
	}
}

var eventKinds = []string{
	string(checkout.Checkout), string(checkout.Return), string(checkout.Handover), string(checkout.Enrol), string(checkout.Correct),
	string(checkout.Lost), string(checkout.Found), string(checkout.Retire), string(checkout.Resolve), string(checkout.Erase),
	string(checkout.Salvage), string(checkout.Restore),
}

// checkLength refuses lengths of time that are none: 0 is off, or the default.
func (c *Config) checkLength(key []string, d time.Duration) {
	switch {
	case d < 0:
		c.bad(`use a positive length such as "90s" or "1h", or "0s"`, key, "%v is negative", d)
	case d > 0 && d < time.Millisecond:
		c.bad(fmt.Sprintf("write the number with its unit, such as \"%ds\" or \"%dm\"", d, d), key, "%v is too short to be meant", d)
	}
}

// checkRule refuses limits that no card of the reader can keep.
func (c *Config) checkRule(r *Reader, rule *Rule, key []string) {
	sub := func(k string) []string { return append(key[:len(key):len(key)], k) }
	for _, limit := range []struct {
		name    string
		numbers []uint64
	}{{"min", []uint64{rule.Min}}, {"max", []uint64{rule.Max}}, {"facilities", rule.Facilities}} {
		for _, n := range limit.numbers {
			if n > math.MaxInt64 {
				c.bad("use 0 or more", sub(limit.name), "%d is negative", int64(n))
				return
			}
		}
	}
	if rule.Max != 0 && rule.Min > rule.Max {
		c.bad("put the smaller number first", key, "min %d is above max %d", rule.Min, rule.Max)
	}
	cards := c.ReaderFormats(*r)
	if len(cards) < len(r.Formats) {
		return // what is wrong with the others has been said
	}
	var facility, number uint64
	for _, f := range cards {
		facility = max(facility, largest(f.Facility.Bits))
		if rule.Raw || f.Raw() {
			number = max(number, largest(make([]int, f.Len)))
		} else {
			number = max(number, largest(f.Number.Bits))
		}
	}
	formats := strings.Join(r.Formats, ", ")
	for _, n := range rule.Facilities {
		if !rule.Raw && facility > 0 && n > facility { // without any, see Warnings
			c.bad(fmt.Sprintf("use 0 to %d", facility), sub("facilities"), "%d is no facility of a card of %s", n, formats)
		}
	}
	if rule.Min > number {
		c.bad(fmt.Sprintf("use 0 to %d", number), sub("min"), "%d is above every number of a card of %s", rule.Min, formats)
	}
}

// largest is the largest value of so many bits.
func largest[T any](bits []T) uint64 {
	if n := len(bits); n < 64 {
		return 1<<n - 1
	}
	return math.MaxUint64
}

// checkLines looks at how lines are written; what they are only the board knows.
func (c *Config) checkLines() {
	taken := map[string]string{}
	line := func(spec string, key ...string) bool {
		why, remedy := badLine(spec)
		if why != "" {
			c.bad(remedy, key, "%s", why)
		}
		return why == ""
	}
	for i, r := range c.Readers {
		for _, l := range []struct{ name, spec string }{{"data0", r.Data0}, {"data1", r.Data1}} {
			if line(l.spec, "reader", strconv.Itoa(i), l.name) {
				taken[strings.ToLower(l.spec)] = "reader." + l.name
			}
		}
	}
	once := func(spec string, key ...string) {
		if !line(spec, key...) {
			return
		}
		if other, ok := taken[strings.ToLower(spec)]; ok {
			c.bad("give each its own line; `stump wiring` shows the header", key, "%q is the line of %s already", spec, other)
		}
		taken[strings.ToLower(spec)] = strings.Join(key, ".")
	}
	for _, o := range []struct {
		name string
		out  *Output
	}{{"green", c.Lights.Green}, {"red", c.Lights.Red}, {"beeper", c.Lights.Beeper}} {
		if o.out != nil {
			once(o.out.Line, "lights", o.name)
		}
	}
	if c.Display.Kind != "hd44780-gpio" {
		return
	}
	for _, name := range []string{"rs", "e", "d4", "d5", "d6", "d7", "light"} {
		if spec, ok := c.Display.Lines[name]; ok {
			once(spec, "display", "lines", name)
		}
	}
}

// badLine says what is wrong with how a line is written, and what to write.
func badLine(spec string) (why, remedy string) {
	const forms = `write a line name ("GPIO17", "P9_12"), a header pin ("pin 11"), or chip and line ("pinctrl-bcm2711:17")`
	spec = strings.TrimSpace(spec)
	chip, offset, colon := strings.Cut(spec, ":")
	if i := strings.LastIndexByte(spec, ':'); i >= 0 {
		chip, offset = spec[:i], spec[i+1:]
	}
	switch _, err := strconv.Atoi(spec); {
	case spec == "" || strings.EqualFold(spec, "pin"):
		return "the line is missing", forms
	case strings.ContainsFunc(spec, unicode.IsControl):
		return fmt.Sprintf("%q is no line", spec), forms
	case err == nil:
		return fmt.Sprintf("%q can be a header pin or a GPIO", spec), fmt.Sprintf("write \"GPIO%s\" or \"pin %s\": they are different pins", spec, spec)
	case colon:
		if n, err := strconv.Atoi(offset); err != nil || n < 0 || chip == "" {
			return fmt.Sprintf("%q is no chip and line number", spec), forms
		}
	}
	return "", ""
}

// checkPaths refuses a word where a file of /dev is meant.
func (c *Config) checkPaths() {
	for _, p := range []struct {
		key     []string
		value   string
		example string
	}{
		{[]string{"display", "bus"}, c.Display.Bus, "/dev/i2c-1"},
		{[]string{"display", "port"}, c.Display.Port, "/dev/serial0"},
	} {
		if p.value != "" && !filepath.IsAbs(p.value) {
			c.bad(fmt.Sprintf("use a path such as %q", p.example), p.key, "%q is no path", p.value)
		}
	}
	if k := c.Keyboard.Device; k != "auto" && k != "off" && !filepath.IsAbs(k) {
		remedy := `use "auto", "off" or a path such as "/dev/input/by-id/usb-Acme-event-kbd"`
		if near := hint.Nearest(k, []string{"auto", "off"}); near != "" && k != "on" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		c.bad(remedy, []string{"keyboard", "device"}, "%q is no keyboard", k)
	}
}
