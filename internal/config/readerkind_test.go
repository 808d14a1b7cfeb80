package config

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stump/internal/reader"
)

const (
	usbPath = "/dev/input/by-id/usb-Acme-event-kbd"
	usb     = "[[reader]]\nkind = \"usb\"\ndevice = \"" + usbPath + "\"\n"
	serial  = "[[reader]]\nname = \"shelf\"\nkind = \"serial\"\ndevice = \"/dev/ttyUSB0\"\n"
)

// A reader without data lines: what the file leaves out, and what Write shows.
func TestReadersWithoutLines(t *testing.T) {
	c, err := Parse("x", usb+"badge = { facilities = [17] }\n"+strings.Replace(serial, `"/dev/ttyUSB0"`, `{ path = "/dev/ttyUSB0", facilities = [200], min = 5 }`, 1))
	if err != nil {
		t.Fatal(err)
	}
	u, s := c.Readers[0], c.Readers[1]
	if u.Device.Path != usbPath || u.Device.Rule != nil || u.Layout != "us" || u.Number != "decimal" || u.Data0 != "" || u.Bias != "" {
		t.Errorf("usb: %+v", u)
	}
	if r := s.Device.Rule; s.Device.Path != "/dev/ttyUSB0" || r == nil || !slices.Equal(r.Facilities, []uint64{200}) || r.Min != 5 || s.Layout != "" {
		t.Errorf("serial: %+v", s)
	}
	if len(c.Lines()) != 0 || len(c.Warnings()) != 0 {
		t.Errorf("lines %v, warnings %q", c.Lines(), c.Warnings())
	}
	if o := c.Sent(u); o.Kind != reader.USB || o.Number != "decimal" || o.Layout != "us" || len(o.Formats) != 1 || o.Formats[0].Name != "H10301" {
		t.Errorf("options %+v", o)
	}
	var shown bytes.Buffer
	if err := c.Write(&shown); err != nil {
		t.Fatal(err)
	}
	again, err := Parse("x", shown.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, &shown)
	}
	if d := again.Readers[1].Device; d.Path != s.Device.Path || d.Rule.Min != 5 || d.Rule.Facilities[0] != 200 || again.Readers[0].Device.Path != usbPath {
		t.Errorf("shown and read again: %+v\n%s", again.Readers, &shown)
	}
}

// What doesn't go together.
func TestReaderKinds(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"no device":            {"[[reader]]\nkind = \"serial\"\n", "\"\" is not the device file of a reader"},
		"no path":              {"[[reader]]\nkind = \"usb\"\ndevice = \"event3\"\n", "\"event3\" is not the device file"},
		"a rule alone":         {"[[reader]]\nkind = \"usb\"\ndevice = { facilities = [1] }\n", "\"\" is not the device file"},
		"data lines":           {usb + "data0 = \"GPIO17\"\n", "a usb reader has no data lines"},
		"a preset":             {usb + "preset = \"original\"\n", "a usb reader has no data lines"},
		"a keypad":             {serial + "keypad = \"4bit\"\n", "a serial reader has no data lines"},
		"a layout":             {serial + "layout = \"us\"\n", "a serial reader types nothing"},
		"an unknown layout":    {usb + "layout = \"dvorak\"\n", "\"dvorak\" is not known"},
		"an unknown number":    {usb + "number = \"octal\"\n", "\"octal\" is not known"},
		"the same device":      {serial + strings.Replace(serial, "shelf", "desk", 1), "/dev/ttyUSB0 is that of reader shelf, too"},
		"the keyboard":         {usb + "[keyboard]\ndevice = \"" + usbPath + "\"\n", "is the keyboard's, too"},
		"the display":          {serial + "[display]\nkind = \"openlcd\"\nport = \"/dev/ttyUSB0\"\n", "is the display's, too"},
		"a display not serial": {serial + "[display]\nkind = \"hd44780-i2c\"\nport = \"/dev/ttyUSB0\"\n", ""},
		"a divider":            {serial + "converter = \"divider\"\n", ""},
	} {
		switch _, err := Parse("x", tt.src); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// The examples of docs/readers.md are good.
func TestReadersPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/readers.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 4 {
		t.Errorf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		c, err := Parse("readers.md", b[1])
		if err != nil || len(c.Warnings()) > 0 {
			t.Errorf("%v, %q:\n%s", err, c.Warnings(), b[1])
		}
	}
}
