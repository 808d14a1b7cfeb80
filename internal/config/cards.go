package config

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"stump/wiegand"
)

// FormatByName finds one of the site's own formats, else one that everybody
// knows.
func (c *Config) FormatByName(name string) (*wiegand.Format, error) {
	for _, f := range c.formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return wiegand.FormatByName(name)
}

// CardFormats are the formats of all readers, in order, each once. A plain
// decimal credential has the bit count of the first.
func (c *Config) CardFormats() []*wiegand.Format {
	var formats []*wiegand.Format
	for _, r := range c.Readers {
		for _, f := range c.ReaderFormats(r) {
			if !slices.Contains(formats, f) {
				formats = append(formats, f)
			}
		}
	}
	return formats
}

// ReaderFormats are one reader's formats; Check has seen that they exist.
func (c *Config) ReaderFormats(r Reader) []*wiegand.Format {
	var formats []*wiegand.Format
	for _, name := range r.Formats {
		if f, err := c.FormatByName(name); err == nil {
			formats = append(formats, f)
		}
	}
	return formats
}

// Accept are the reader's rules as the decoder takes them: a card that fits none
// of them is no card of this site. Without rules every card is.
func (r *Reader) Accept() []wiegand.Range {
	var all []wiegand.Range
	for _, rule := range []*Rule{r.Badge, r.Device} {
		if rule != nil {
			all = append(all, wiegand.Range(*rule))
		}
	}
	return all
}

// Fits reports whether a card is of the rule's kind; a missing rule fits
// nothing.
func (r *Rule) Fits(read wiegand.Read) bool {
	if r == nil {
		return false
	}
	limits := wiegand.Range(*r)
	return limits.Contains(read.Bits, read.Fields)
}

// Write prints the configuration with all defaults, as TOML.
func (c *Config) Write(w io.Writer) error {
	enc := toml.NewEncoder(w)
	enc.Indent = ""
	return enc.Encode(c)
}

// Warnings are what is allowed, and yet better known: formats that a damaged
// read can mistake for one another, formats that nothing checks, rules that say
// two things of a card, and lines with two readers on them.
func (c *Config) Warnings() []string {
	var notes []string
	for i, r := range c.Readers {
		note := func(key, format string, args ...any) {
			where := ""
			if line := locate(c.source, []string{"reader", strconv.Itoa(i), key}); line > 0 {
				where = fmt.Sprintf("%s:%d: ", c.path, line)
			}
			notes = append(notes, fmt.Sprintf("%sreader %s: ", where, r.Name)+fmt.Sprintf(format, args...))
		}
		formats := c.ReaderFormats(r)
		for _, conf := range wiegand.Confusions(formats) {
			note("formats", "%s", conf.Reason)
		}
		if r.Badge.overlaps(r.Device) {
			note("device", "badge and device overlap, and a card that is in both is a badge: limit them by facilities, min and max")
		}
		for _, other := range c.Readers[:i] {
			if slices.ContainsFunc(other.lines(), func(l string) bool { return slices.Contains(r.lines(), l) }) {
				note("data0", "its lines are those of reader %s, and a line has one reader", other.Name)
			}
		}
		if slices.ContainsFunc(formats, (*wiegand.Format).HasFacility) {
			continue
		}
		for _, kind := range []struct {
			name string
			rule *Rule
		}{{"badge", r.Badge}, {"device", r.Device}} {
			if kind.rule != nil && len(kind.rule.Facilities) > 0 && !kind.rule.Raw {
				note(kind.name, "%s: cards of %s have no facility, so that none is a %s", kind.name, strings.Join(r.Formats, ", "), kind.name)
			}
		}
	}
	return notes
}

// lines are the data lines, to be compared.
func (r *Reader) lines() []string {
	return []string{strings.ToLower(r.Data0), strings.ToLower(r.Data1)}
}

// overlaps reports whether a card can be in both rules. Limits of numbers and
// limits of all bits can't be compared.
func (r *Rule) overlaps(o *Rule) bool {
	if r == nil || o == nil || r.Raw != o.Raw {
		return false
	}
	if !r.Raw && len(r.Facilities) > 0 && len(o.Facilities) > 0 &&
		!slices.ContainsFunc(r.Facilities, func(f uint64) bool { return slices.Contains(o.Facilities, f) }) {
		return false
	}
	return (r.Max == 0 || o.Min <= r.Max) && (o.Max == 0 || r.Min <= o.Max)
}
