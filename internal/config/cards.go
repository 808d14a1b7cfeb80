package config

import (
	"io"
	"slices"

	"github.com/BurntSushi/toml"

	"stump/wiegand"
)

// CardFormats are the formats of all readers, in order, each once. A plain
// decimal credential has the bit count of the first.
func (c *Config) CardFormats() []*wiegand.Format {
	var formats []*wiegand.Format
	for _, r := range c.Readers {
		for _, f := range r.CardFormats() {
			if !slices.Contains(formats, f) {
				formats = append(formats, f)
			}
		}
	}
	return formats
}

// CardFormats are the reader's formats; check has seen that they exist.
func (r *Reader) CardFormats() []*wiegand.Format {
	var formats []*wiegand.Format
	for _, name := range r.Formats {
		if f, err := wiegand.FormatByName(name); err == nil {
			formats = append(formats, f)
		}
	}
	return formats
}

// Fits reports whether a card is of the rule's kind; a missing rule fits
// nothing.
func (r *Rule) Fits(read wiegand.Read) bool {
	if r == nil {
		return false
	}
	n := read.Fields.Number
	if r.Raw || read.Format == nil {
		v, ok := read.Bits.Uint64()
		if !ok {
			return false
		}
		n = v
	}
	if n < r.Min || r.Max != 0 && n > r.Max {
		return false
	}
	return len(r.Facilities) == 0 || slices.Contains(r.Facilities, read.Fields.Facility)
}

// Write prints the configuration with all defaults, as TOML.
func (c *Config) Write(w io.Writer) error {
	enc := toml.NewEncoder(w)
	enc.Indent = ""
	return enc.Encode(c)
}

// Warnings are what is allowed, and yet better known.
func (c *Config) Warnings() []string {
	return nil
}
