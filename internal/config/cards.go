package config

import (
	"fmt"
	"io"
	"slices"
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
// read can mistake for one another, and formats that nothing checks.
func (c *Config) Warnings() []string {
	var notes []string
	for _, r := range c.Readers {
		formats := c.ReaderFormats(r)
		for _, conf := range wiegand.Confusions(formats) {
			notes = append(notes, fmt.Sprintf("reader %s: %s", r.Name, conf.Reason))
		}
		if slices.ContainsFunc(formats, (*wiegand.Format).HasFacility) {
			continue
		}
		for kind, rule := range map[string]*Rule{"badge": r.Badge, "device": r.Device} {
			if rule != nil && len(rule.Facilities) > 0 && !rule.Raw {
				notes = append(notes, fmt.Sprintf("reader %s: %s: cards of %s have no facility, so that none is a %s", r.Name, kind, strings.Join(r.Formats, ", "), kind))
			}
		}
	}
	return notes
}
