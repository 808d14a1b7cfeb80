package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"stump/internal/keyboard"
	"stump/internal/reader"
)

// Wiegand is the kind of readers that have two data lines.
const Wiegand = "wiegand"

var (
	readerKinds   = []string{Wiegand, reader.USB, reader.Serial}
	keypadNumbers = []string{"", "employee-number"}
)

// ReturnsAlone is a Reader's Returns where devices come back without a badge.
const ReturnsAlone = "device-alone"

// DeviceKey is a reader's key device: which tags are devices', or the device file
// of a reader without data lines. Where both are wanted, the table has the file as
// path: device = { path = "/dev/ttyUSB0", facilities = [200] }.
type DeviceKey struct {
	Path string
	Rule *Rule
}

// deviceTable is DeviceKey as a table.
type deviceTable struct {
	Path string `toml:"path"`
	Rule
}

// UnmarshalTOML reads a string or a table. Config.shape has seen to their types.
func (d *DeviceKey) UnmarshalTOML(v any) error {
	if path, ok := v.(string); ok {
		d.Path = path
		return nil
	}
	text, err := toml.Marshal(v)
	if err != nil {
		return err
	}
	var t deviceTable
	if _, err := toml.Decode(string(text), &t); err != nil {
		return err
	}
	d.Path, d.Rule = t.Path, &t.Rule
	if table, ok := v.(map[string]any); ok && len(table) == 1 && t.Path != "" {
		d.Rule = nil // a rule that nothing was said of would be every tag's
	}
	return nil
}

// MarshalTOML writes what UnmarshalTOML reads.
func (d DeviceKey) MarshalTOML() ([]byte, error) {
	if d.Rule == nil {
		return []byte(fmt.Sprintf("%q", d.Path)), nil
	}
	var parts []string
	if d.Path != "" {
		parts = append(parts, fmt.Sprintf("path = %q", d.Path))
	}
	if len(d.Rule.Facilities) > 0 {
		parts = append(parts, "facilities = "+strings.ReplaceAll(fmt.Sprint(d.Rule.Facilities), " ", ", "))
	}
	parts = append(parts, fmt.Sprintf("min = %d, max = %d, raw = %t", d.Rule.Min, d.Rule.Max, d.Rule.Raw))
	return []byte("{ " + strings.Join(parts, ", ") + " }"), nil
}

// fillSent sets the keys that the file leaves out of a reader without data lines.
func (r *Reader) fillSent() {
	if len(r.Formats) == 0 {
		r.Formats = []string{"H10301"}
	}
	if r.Kind == reader.USB {
		r.Layout, r.Number = cmp.Or(r.Layout, "us"), cmp.Or(r.Number, reader.Numbers[0])
	}
}

// checkKind checks the keys that not every kind of reader has.
func (c *Config) checkKind(i int) {
	r, key := &c.Readers[i], fmt.Sprintf("reader[%d].", i)
	if c.oneOf(key+"kind", r.Kind, readerKinds); !slices.Contains(readerKinds, r.Kind) {
		r.Kind = Wiegand // so that nothing follows from it
	}
	c.oneOf(key+"keypad_enrols", r.KeypadEnrols, keypadNumbers)
	if r.Returns != "" {
		c.oneOf(key+"returns", r.Returns, []string{"with-badge", ReturnsAlone})
	}
	if slices.Contains(keypadNumbers[1:], r.KeypadEnrols) && r.Keypad == "" {
		c.bad(key+"keypad_enrols", `say what its keys send, keypad = "4bit" or "8bit"`, "this reader has no keypad")
	}
	for _, k := range []struct{ name, value string }{{"layout", r.Layout}, {"number", r.Number}} {
		if k.value != "" && r.Kind != reader.USB {
			c.bad(key+k.name, `leave it out, or set kind = "usb"`, "a %s reader types nothing", r.Kind)
		}
	}
	if r.Kind == Wiegand {
		if r.Device.Path != "" {
			c.bad(key+"device", `set kind = "usb" or "serial" for the reader at this file; a rule is { facilities = [200] }`, "a reader with data lines has no device file")
		}
		return
	}
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"data0", r.Data0 != ""}, {"data1", r.Data1 != ""}, {"preset", r.Preset != ""}, {"keypad", r.Keypad != ""},
		{"bias", r.Bias != ""}, {"active_low", r.ActiveLow}, {"converter", r.Converter != "" && r.Kind != reader.Serial},
	} {
		if k.set {
			c.bad(key+k.name, `leave it out, or set kind = "wiegand"`, "a %s reader has no data lines", r.Kind)
		}
	}
	r.fillSent()
	if r.Kind == reader.USB {
		c.oneOf(key+"layout", r.Layout, keyboard.Layouts())
		c.oneOf(key+"number", r.Number, reader.Numbers)
	}
	c.checkDevice(key+"device", r, i)
}

// checkDevice checks the device file of a reader without data lines.
func (c *Config) checkDevice(key string, r *Reader, i int) {
	remedy := `write its path, such as device = "/dev/ttyUSB0"; ` + "`ls /dev/serial/by-id` lists adapters"
	if r.Kind == reader.USB {
		remedy = `write its path, such as device = "/dev/input/by-id/usb-Acme-event-kbd"; ` + "`ls /dev/input/by-id` lists them"
	}
	path := r.Device.Path
	if !filepath.IsAbs(path) {
		c.bad(key, remedy, "%q is not the device file of a reader", path)
		return
	}
	if c.Keyboard.Device == path {
		c.bad(key, "give each a device of its own", "%s is the keyboard's, too", path)
	}
	if c.Display.Port == path && slices.Contains(serialDisplays, c.Display.Kind) {
		c.bad(key, "give each a port of its own", "%s is the display's, too", path)
	}
	for _, o := range c.Readers[:i] {
		if o.Device.Path == path {
			c.bad(key, "give each reader a device of its own", "%s is that of reader %s, too", path, o.Name)
		}
	}
}

// serialDisplays are the kinds of displays that have a serial port.
var serialDisplays = []string{"sparkfun", "openlcd", "newhaven", "matrix-orbital"}

// Sent are the options of the decoder of a reader without data lines.
func (c *Config) Sent(r Reader) reader.Options {
	return reader.Options{Kind: r.Kind, Number: r.Number, Layout: r.Layout, Formats: c.ReaderFormats(r)}
}
