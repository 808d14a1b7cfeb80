package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/gpio"
	"stump/hw/board"
	"stump/internal/credential"
	"stump/internal/hint"
	"stump/wiegand"
)

// The data lines of a Raspberry Pi where the original client had them: header
// pins 11 and 12.
const (
	DefaultData0 = "GPIO17"
	DefaultData1 = "GPIO18"
)

var (
	presets     = []string{"", "original"}
	keypadModes = []string{"", "4bit", "8bit"}
	converters  = []string{"", "bss138", "divider"}
)

// fill sets the keys that the file leaves out.
func (r *Reader) fill() {
	formats := []string{"H10301", "H10306", "H10302"}
	if r.Preset == "original" {
		// The original client took 26 bits unchecked and told people from
		// devices by the number (etsy/rfid-checkout, constants.py); the limits
		// themselves were neither.
		formats = []string{"raw26"}
		r.Badge = cmp.Or(r.Badge, &Rule{Min: 90001, Max: 7999999, Raw: true})
		r.Device.Rule = cmp.Or(r.Device.Rule, &Rule{Min: 8000001, Max: 9989999, Raw: true})
	}
	if len(r.Formats) == 0 {
		r.Formats = formats
	}
	r.Data0 = cmp.Or(r.Data0, DefaultData0)
	r.Data1 = cmp.Or(r.Data1, DefaultData1)
	r.Bias = cmp.Or(r.Bias, "as-is")
	r.Converter = cmp.Or(r.Converter, "bss138")
}

// checkFormats makes the site's own formats. Of each format it reports only
// the first fault: the others often follow from it.
func (c *Config) checkFormats() {
	for i, custom := range c.Formats {
		f, err := wiegand.NewFormat(custom)
		if bad := (*wiegand.FormatError)(nil); errors.As(err, &bad) {
			c.bad(fmt.Sprintf("format[%d].%s", i, bad.Key()), "places count from 0, the first bit sent; docs/decoding.md explains the keys", "%v", bad.Err)
			continue
		}
		c.formats = append(c.formats, f)
	}
}

func (c *Config) checkReader(i int) {
	r := &c.Readers[i]
	key := fmt.Sprintf("reader[%d].", i)
	c.oneOf(key+"preset", r.Preset, presets)
	r.Name, r.Kind = cmp.Or(r.Name, "stump"), cmp.Or(r.Kind, Wiegand)
	c.checkKind(i)
	if r.Kind == Wiegand {
		r.fill()
	}
	if len(r.Name) > 64 || strings.ContainsFunc(r.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		c.bad(key+"name", "use 1 to 64 letters and digits", "%q can't be a reader's name", r.Name)
	}
	if other := slices.IndexFunc(c.Readers[:i], func(o Reader) bool { return o.Name == r.Name }); other >= 0 && !c.leftOut(fmt.Sprintf("reader[%d].name", other)) {
		c.bad(key+"name", "give every reader a name of its own", "two readers are called %q", r.Name)
	}
	for _, name := range r.Formats {
		ours := slices.ContainsFunc(c.Formats, func(f wiegand.CustomFormat) bool { return strings.EqualFold(f.Name, name) })
		if _, err := c.FormatByName(name); err != nil && !ours {
			c.bad(key+"formats", cmp.Or(hint.Of(err), "`stump formats` lists the formats"), "%v", err)
		}
	}
	c.checkNormal(key+"normalize", r)
	if r.Repeat < 0 || r.Repeat > checkout.MaxInterval {
		c.bad(key+"repeat", `use "0s" to learn it, or up to "5m"`, "%v is not an interval at which readers repeat a card", r.Repeat)
	}
	c.oneOf(key+"keypad", r.Keypad, keypadModes)
	c.oneOf(key+"converter", r.Converter, converters)
	c.checkRule(key+"badge", r, r.Badge)
	c.checkRule(key+"device", r, r.Device.Rule)
	if r.Kind != Wiegand {
		return
	}
	if _, err := gpio.ParseBias(r.Bias); err != nil {
		c.bad(key+"bias", `use "as-is", "pull-up", "pull-down" or "off"`, "%v", err)
	}
	if r.Data0 == r.Data1 && !c.leftOut(key+"data0") {
		c.bad(key+"data1", "DATA0 is the green wire on most readers, DATA1 the white one; each has a line of its own", "both data lines are %q", r.Data0)
	}
}

// checkRule refuses limits that no card of the reader can be within.
func (c *Config) checkRule(key string, r *Reader, rule *Rule) {
	if rule == nil || c.leftOut(key[:strings.IndexByte(key, '.')]+".formats") {
		return
	}
	if rule.Max != 0 && rule.Min > rule.Max {
		c.bad(key, "put the smaller number first", "min %d is above max %d", rule.Min, rule.Max)
	}
	cards := c.NormalFormats(*r)
	if len(cards) < len(r.Formats) {
		return // the formats that are not known have been reported
	}
	var facility, number uint64
	for _, f := range cards {
		v := f.Largest()
		if rule.Raw {
			v.Number = largest(f.Len)
		}
		facility, number = max(facility, v.Facility), max(number, v.Number)
	}
	formats := strings.Join(r.Formats, ", ")
	for _, n := range rule.Facilities {
		if !rule.Raw && facility > 0 && n > facility { // cards without a facility: see Warnings
			c.bad(key+".facilities", fmt.Sprintf("use 0 to %d", facility), "%d is not a facility of a card of %s", n, formats)
		}
	}
	if rule.Min > number {
		c.bad(key+".min", fmt.Sprintf("use 0 to %d", number), "%d is above every number of a card of %s", rule.Min, formats)
	}
}

// largest is the largest value of n bits.
func largest(n int) uint64 {
	if n < 64 {
		return 1<<n - 1
	}
	return math.MaxUint64
}

// OwnFormats are the site's own formats.
func (c *Config) OwnFormats() []*wiegand.Format { return c.formats }

// FormatByName finds one of the site's own formats or a known one.
func (c *Config) FormatByName(name string) (*wiegand.Format, error) {
	for _, f := range c.formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return wiegand.FormatByName(name)
}

// ParseCard reads a written credential. Where every reader reads cards as the
// original client did, a number alone is the value of all bits.
func (c *Config) ParseCard(written string) (wiegand.Bits, error) {
	if slices.ContainsFunc(c.Readers, func(r Reader) bool { return r.Preset != "original" }) {
		return credential.Parse(written, c.CardFormats())
	}
	return credential.ParseOriginal(written, c.CardFormats())
}

// CardFormats are the formats of all readers' cards once they are normalized, in
// order, each once: those of written cards.
func (c *Config) CardFormats() []*wiegand.Format { return c.each(c.NormalFormats) }

// ReadFormats are the formats that all readers take, in order, each once.
func (c *Config) ReadFormats() []*wiegand.Format { return c.each(c.ReaderFormats) }

func (c *Config) each(of func(Reader) []*wiegand.Format) (formats []*wiegand.Format) {
	for _, r := range c.Readers {
		for _, f := range of(r) {
			if !slices.ContainsFunc(formats, func(o *wiegand.Format) bool { return o.Name == f.Name }) {
				formats = append(formats, f)
			}
		}
	}
	return formats
}

// Normal is how a reader's cards are normalized.
func (c *Config) Normal(r Reader) wiegand.Normal {
	n, _ := wiegand.ParseNormal(r.Normalize, c.FormatByName) // Check reports a bad one
	return n
}

// NormalFormats are the formats of a reader's cards once they are normalized.
func (c *Config) NormalFormats(r Reader) []*wiegand.Format {
	formats, n := c.ReaderFormats(r), c.Normal(r)
	for i, f := range formats {
		if to, err := n.Format(f); err == nil {
			formats[i] = to
		}
	}
	return formats
}

// checkNormal refuses steps that there are not, or that can't be gone with a
// format of the reader.
func (c *Config) checkNormal(key string, r *Reader) {
	const remedy = `use "reverse-bytes", "strip-parity", or "as " and the name of a format`
	n, err := wiegand.ParseNormal(r.Normalize, c.FormatByName)
	if err != nil {
		c.bad(key, remedy, "%v", err)
		return
	}
	if len(n) > 0 && r.Preset == "original" {
		c.bad(key, "leave one of them out", "preset = \"original\" takes cards as they are read")
	}
	for _, f := range c.ReaderFormats(*r) {
		if _, err := n.Format(f); err != nil {
			c.bad(key, "leave that step or that format out", "cards of %s: %v", f.Name, err)
			return
		}
	}
}

// ReaderFormats are one reader's formats.
func (c *Config) ReaderFormats(r Reader) []*wiegand.Format {
	var formats []*wiegand.Format
	for _, name := range r.Formats {
		if f, err := c.FormatByName(name); err == nil { // Check reports the others
			formats = append(formats, f)
		}
	}
	return formats
}

// Accept are the reader's rules for the decoder: it takes only cards that fit
// one of them. Without rules it takes every card.
func (r *Reader) Accept() []wiegand.Range {
	var all []wiegand.Range
	for _, rule := range []*Rule{r.Badge, r.Device.Rule} {
		if rule != nil {
			all = append(all, *rule)
		}
	}
	return all
}

// overlap reports whether both rules can hold for one card. Limits of numbers
// and limits of all bits can't be compared.
func overlap(r, o *Rule) bool {
	if r == nil || o == nil || r.Raw != o.Raw {
		return false
	}
	if !r.Raw && len(r.Facilities) > 0 && len(o.Facilities) > 0 &&
		!slices.ContainsFunc(r.Facilities, func(f uint64) bool { return slices.Contains(o.Facilities, f) }) {
		return false
	}
	return (r.Max == 0 || o.Min <= r.Max) && (o.Max == 0 || r.Min <= o.Max)
}

// Warnings are what is allowed but rarely meant: formats that a damaged read
// can mistake for one another, formats without a check, rules that overlap or
// that no card fits, and lines of two readers.
func (c *Config) Warnings() []string {
	var notes []string
	for i, r := range c.Readers {
		note := func(key, format string, args ...any) {
			where := ""
			if line := c.line(fmt.Sprintf("reader[%d].%s", i, key)); line > 0 {
				where = fmt.Sprintf("%s:%d: ", c.path, line)
			}
			notes = append(notes, fmt.Sprintf("%sreader %s: ", where, r.Name)+fmt.Sprintf(format, args...))
		}
		formats := c.ReaderFormats(r)
		for _, reason := range wiegand.Confusions(formats) {
			note("formats", "%s", reason)
		}
		if first, second, twice := r.Colours.Twins(); twice {
			note("colours", "the wires %s and %s have the same colour, so no picture can tell them apart", first, second)
		}
		if overlap(r.Badge, r.Device.Rule) {
			note("device", "badge and device overlap, and a card that is in both is a badge: limit them by facilities, min and max")
		}
		for _, other := range c.Readers[:i] {
			if r.Kind == Wiegand && other.Kind == Wiegand && slices.ContainsFunc(other.lines(), func(l string) bool { return slices.Contains(r.lines(), l) }) {
				note("data0", "it has a line of reader %s, but a line has one reader", other.Name)
			}
		}
		if slices.ContainsFunc(formats, (*wiegand.Format).HasFacility) {
			continue
		}
		for _, k := range []struct {
			kind string
			rule *Rule
		}{{"badge", r.Badge}, {"device", r.Device.Rule}} {
			if k.rule != nil && len(k.rule.Facilities) > 0 && !k.rule.Raw {
				note(k.kind, "%s: cards of %s have no facility, so none is a %s", k.kind, strings.Join(r.Formats, ", "), k.kind)
			}
		}
	}
	return notes
}

// lines are the data lines, to be compared.
func (r *Reader) lines() []string {
	return []string{strings.ToLower(r.Data0), strings.ToLower(r.Data1)}
}

// NamedOutput is a configured light or beeper.
type NamedOutput struct {
	Key, Name string // "green", "green light"
	*Output
}

// Outputs are the lights and the beeper that are configured.
func (c *Config) Outputs() (all []NamedOutput) {
	for _, o := range []NamedOutput{{"green", "green light", c.Lights.Green}, {"red", "red light", c.Lights.Red}, {"beeper", "beeper", c.Lights.Beeper}} {
		if o.Output != nil {
			all = append(all, o)
		}
	}
	return all
}

// Line is a line that the configuration names, with its key in the file.
type Line struct {
	Key string
	board.Wanted
}

// Lines are all lines that the configuration names.
func (c *Config) Lines() (all []Line) {
	add := func(key, role, name string) { all = append(all, Line{key, board.Wanted{Role: role, Name: name}}) }
	for i, r := range c.Readers {
		if r.Kind != Wiegand {
			continue
		}
		add(fmt.Sprintf("reader[%d].data0", i), r.Name+" DATA0", r.Data0)
		add(fmt.Sprintf("reader[%d].data1", i), r.Name+" DATA1", r.Data1)
	}
	for _, o := range c.Outputs() {
		add("lights."+o.Key, o.Name, o.Line)
	}
	for _, name := range c.Display.Terminals() {
		add("display.lines."+name, "display "+strings.ToUpper(name), c.Display.Lines[name])
	}
	return all
}

// Wires are the lines on which DATA0 and DATA1 arrive.
func (r *Reader) Wires() (data0, data1 string) {
	if r.Swapped {
		return r.Data1, r.Data0
	}
	return r.Data0, r.Data1
}

// Request is how the reader's lines are acquired.
func (r *Reader) Request() gpio.Request {
	bias, _ := gpio.ParseBias(r.Bias) // Check reports a bad one
	return gpio.Request{ActiveLow: r.ActiveLow, Bias: bias}
}
