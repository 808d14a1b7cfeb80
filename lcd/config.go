package lcd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"periph.io/x/conn/v3/i2c"
)

// Config says which display hangs where, in plain values as a configuration
// file has them. Zero values are the defaults that the fields name.
type Config struct {
	// Kind is one of [Kinds]; "" is "none".
	Kind string
	// Size is columns by rows; "" is "16x2".
	Size string
	// ROM is the character generator: "A00" (most modules), "A02" (European),
	// "ascii" (any). Software can't read which one a module has.
	ROM string

	// Bus is the I2C bus of hd44780-i2c; "" is "/dev/i2c-1".
	Bus string
	// Address is the backpack's I2C address; 0 is 0x27.
	Address int
	// Map is how the backpack's port is wired to the display: "common",
	// "lcdproc", or pins by name, "rs=0 rw=1 e=2 light=3 d4=4 d5=5 d6=6 d7=7".
	// "" is "common".
	Map string
	// LightLow is for backpacks whose light is on while its pin is low; nil is
	// as the named map has it.
	LightLow *bool

	// Port is the serial port; "" is "/dev/serial0".
	Port string
	// Baud is the speed of the serial port; 0 is the dialect's own.
	Baud int

	// Lines are the GPIO lines of hd44780-gpio by the display's names for them:
	// rs, e, d4, d5, d6, d7, and light if the backlight is switched.
	Lines map[string]string
	// OpenLine takes a GPIO line, as an output. A line that has Close is closed
	// before it is opened again.
	OpenLine func(line string) (Pin, error)

	// Output is where the terminal display draws; nil is the standard output.
	Output io.Writer

	// OpenBus and OpenPort open the bus or port; nil ones are the kernel's.
	// They should only be set in tests.
	OpenBus  func(path string) (i2c.BusCloser, error)
	OpenPort func(path string, baud int) (Port, error)
}

// Pin is a line that a display hangs on; the gpio package's outputs are such.
type Pin interface {
	Set(high bool) error
}

// Kinds are the kinds of displays that Open knows.
func Kinds() []string {
	kinds := []string{"hd44780-gpio", "hd44780-i2c", "none", "terminal"}
	for k := range dialects {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// Open checks the configuration and returns the display. It touches no
// hardware: a display that is missing now is found by a later Init.
func Open(c Config) (Display, error) {
	size, err := ParseSize(cmp.Or(c.Size, "16x2"))
	if err != nil {
		return nil, err
	}
	rom, err := ParseROM(c.ROM)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case "", "none":
		return NewMemory(size), nil
	case "terminal":
		return NewTerminal(size, c.Output), nil
	case "hd44780-i2c":
		return openBackpack(c, size, rom)
	case "hd44780-gpio":
		return openGPIO(c, size, rom)
	}
	if d, ok := dialects[c.Kind]; ok {
		return openSerial(c, d, size, rom)
	}
	return nil, fmt.Errorf("display kind %q: use one of %s", c.Kind, strings.Join(Kinds(), ", "))
}

func openBackpack(c Config, s Size, rom *Charset) (Display, error) {
	pins, err := ParsePortMap(c.Map)
	if err != nil {
		return nil, err
	}
	if c.LightLow != nil {
		pins.LightLow = *c.LightLow
	}
	addr := cmp.Or(c.Address, 0x27)
	if addr < 0x08 || addr > 0x77 {
		return nil, fmt.Errorf("display address 0x%02x: backpacks are at 0x20 to 0x27 or 0x38 to 0x3f; i2cdetect lists what answers", addr)
	}
	b := &backpack{path: cmp.Or(c.Bus, "/dev/i2c-1"), addr: uint16(addr), pins: pins, dial: c.OpenBus}
	if b.dial == nil {
		b.dial = openI2C
	}
	return newHD44780(s, rom, b), nil
}

func openGPIO(c Config, s Size, rom *Charset) (Display, error) {
	if err := CheckLines(c.Lines); err != nil {
		return nil, err
	}
	if c.OpenLine == nil {
		return nil, errors.New("hd44780-gpio: there are no GPIO lines here")
	}
	return newHD44780(s, rom, &gpio4{lines: c.Lines, dial: c.OpenLine}), nil
}

func openSerial(c Config, d *dialect, s Size, rom *Charset) (Display, error) {
	if c.Baud < 0 {
		return nil, fmt.Errorf("display baud %d: use the display's own, usually %d", c.Baud, d.baud)
	}
	sd := &serialDisplay{
		size: s, charset: d.charset(rom), dialect: d,
		path: cmp.Or(c.Port, "/dev/serial0"), baud: cmp.Or(c.Baud, d.baud), dial: c.OpenPort,
	}
	if sd.dial == nil {
		sd.dial = openPort
	}
	return sd, nil
}
