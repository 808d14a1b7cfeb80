package lcd

import (
	"fmt"
	"io"
	"slices"
	"strings"
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

	// Pins are the lines of hd44780-gpio.
	Pins Pins

	// Output is where the terminal display draws; nil is the standard output.
	Output io.Writer
}

// Pin is a line that a display hangs on; the gpio package's outputs are such.
type Pin interface {
	Set(high bool) error
}

// Pins are the lines of an HD44780 in 4-bit mode. R/W is tied to ground.
type Pins struct {
	RS, E, D4, D5, D6, D7 Pin
	// Light switches the backlight; it may be nil.
	Light Pin
}

// Kinds are the kinds of displays that Open knows.
func Kinds() []string {
	return []string{"none", "terminal"}
}

// Open checks the configuration and returns the display. It touches no
// hardware: a display that is missing now is found by a later Init.
func Open(c Config) (Display, error) {
	if c.Size == "" {
		c.Size = "16x2"
	}
	size, err := ParseSize(c.Size)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case "", "none":
		return NewMemory(size), nil
	case "terminal":
		return NewTerminal(size, c.Output), nil
	}
	return nil, fmt.Errorf("display kind %q: use one of %s", c.Kind, strings.Join(slices.Sorted(slices.Values(Kinds())), ", "))
}
