package lcd

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"periph.io/x/conn/v3/i2c"
)

// Config says which display there is and how it is connected, by the keys of a
// configuration file. Zero values are the defaults given here.
type Config struct {
	Kind string `toml:"kind"` // one of [Kinds]; "" is "none"
	Size string `toml:"size"` // columns by rows; "" is "16x2"
	// ROM is the character generator: "A00" (most modules), "A02" (European),
	// "ascii" (any). Software can't detect it.
	ROM string `toml:"rom"`

	Bus     string  `toml:"bus"`     // the I2C bus of hd44780-i2c; "" is "/dev/i2c-1"
	Address Address `toml:"address"` // of the backpack, 0x20 to 0x27 or 0x38 to 0x3f; 0 is 0x27
	Map     string  `toml:"map"`     // how the backpack's port is wired to the display, see [ParsePortMap]
	// LightLow is for backpacks whose light is on while its pin is low; nil is
	// as the map has it.
	LightLow *bool `toml:"light_low"`

	Port string `toml:"port"` // the serial port, or a terminal's screen; "" is "/dev/serial0"
	Baud int    `toml:"baud"` // its speed; 0 is the dialect's own

	// Lines are the GPIO lines of hd44780-gpio by the display's names for them:
	// rs, e, d4, d5, d6, d7, and light if the backlight is switched.
	Lines map[string]string `toml:"lines"`
	// OpenLine opens a GPIO line as an output. A line that is an io.Closer is
	// closed before it is opened again.
	OpenLine func(line string) (Pin, error) `toml:"-"`

	// OpenBus and OpenPort open the bus or port, and Buses lists the buses; nil is
	// the kernel's. Only tests set them.
	OpenBus  func(path string) (i2c.BusCloser, error)  `toml:"-"`
	Buses    func() []string                           `toml:"-"`
	OpenPort func(path string, baud int) (Port, error) `toml:"-"`
}

// serialPort is where a serial display is unless the configuration says so.
const serialPort = "/dev/serial0"

// Screen is the path of a terminal with a screen of its own, such as the console /dev/tty1
// of a monitor; "" is any other display, such as a terminal that the program runs on.
func (c Config) Screen() string {
	if c.Kind != "terminal" || c.Port == serialPort {
		return ""
	}
	return c.Port
}

// Address is an address on an I2C bus, which is written in hexadecimal.
type Address int

// MarshalTOML writes 0x27.
func (a Address) MarshalTOML() ([]byte, error) { return fmt.Appendf(nil, "%#02x", int(a)), nil }

// Pin is a line of a display. The gpio package's outputs are pins.
type Pin interface {
	Set(high bool) error
}

// Kinds are the kinds of displays that Open knows, sorted.
func Kinds() []string {
	kinds := slices.AppendSeq([]string{"hd44780-gpio", "hd44780-i2c", "none", "terminal"}, maps.Keys(dialects))
	slices.Sort(kinds)
	return kinds
}

// Check calls bad for each key whose value can't be used, Kind aside.
func (c Config) Check(bad func(key string, err error)) {
	check := func(key string, err error) {
		if err != nil {
			bad(key, err)
		}
	}
	_, err := ParseSize(cmp.Or(c.Size, "16x2"))
	check("size", err)
	_, err = ParseROM(c.ROM)
	check("rom", err)
	_, err = ParsePortMap(c.Map)
	check("map", err)
	if c.Kind == "hd44780-gpio" {
		check("lines", checkLines(c.Lines))
	}
	a, b := cmp.Or(c.Address, 0x27), cmp.Or(c.Baud, 9600)
	check("address", unless(a >= 0x08 && a <= 0x77, "%d is not an address on an I2C bus", int(a)))
	if c.Kind == "hd44780-i2c" && a >= 0x08 && a <= 0x77 {
		check("address", unless(a.ofBackpack(), "no PCF8574 backpack is at 0x%02x%s", int(a), others[a]))
	}
	check("baud", unless(b >= 300 && b <= 115200, "%d is not a speed of a serial port", b))
	check("bus", unless(c.Bus == "" || filepath.IsAbs(c.Bus), "%q is not a path", c.Bus))
	check("port", unless(c.Port == "" || filepath.IsAbs(c.Port), "%q is not a path", c.Port))
}

func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// Open checks the configuration and returns the display. It touches no
// hardware: whether the display is there is found by Init.
func Open(c Config) (Display, error) {
	var first error
	c.Check(func(_ string, err error) { first = cmp.Or(first, err) })
	if first != nil {
		return nil, fmt.Errorf("display: %w", first)
	}
	size, _ := ParseSize(cmp.Or(c.Size, "16x2"))
	rom, _ := ParseROM(c.ROM)
	switch c.Kind {
	case "", "none":
		return None(size), nil
	case "terminal":
		return newTerminal(size, os.Stdout), nil
	case "hd44780-i2c":
		return &driven{driver: &hd44780{size: size, wires: newBackpack(c), acks: true}, charset: rom}, nil
	case "hd44780-gpio":
		wires := &gpio4{lines: c.Lines, dial: c.OpenLine}
		return &driven{driver: &hd44780{size: size, wires: wires}, charset: rom}, nil
	}
	if d, ok := dialects[c.Kind]; ok {
		return &driven{driver: newSerial(c, d, size), charset: d.charset(rom)}, nil
	}
	return nil, fmt.Errorf("display: kind %q: use one of %s", c.Kind, strings.Join(Kinds(), ", "))
}

func newBackpack(c Config) *backpack {
	pins, _ := ParsePortMap(c.Map)
	if c.LightLow != nil {
		pins.LightLow = *c.LightLow
	}
	b := &backpack{path: cmp.Or(c.Bus, "/dev/i2c-1"), addr: uint16(cmp.Or(c.Address, 0x27)), pins: pins, dial: c.OpenBus}
	if b.dial == nil {
		b.dial = openI2C
	}
	return b
}

func newSerial(c Config, d *dialect, size Size) *serialDisplay {
	sd := &serialDisplay{size: size, dialect: d, path: cmp.Or(c.Port, serialPort), baud: cmp.Or(c.Baud, d.baud), dial: c.OpenPort}
	if sd.dial == nil {
		sd.dial = openPort
	}
	return sd
}

// Serial reports whether the display is at a serial port.
func (c Config) Serial() bool { return dialects[c.Kind] != nil }
