package lcd

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
)

// others says of addresses where no backpack is which display is there. 0x3e would
// be a PCF8574A's with its pad A0 bridged; what is really found there are displays
// with a controller that takes other commands (AIP31068, ST7032 data sheets).
var others = map[Address]string{
	0x28: "; a Newhaven display is, whose serial port Stump uses",
	0x3e: "; a display with an AIP31068 or ST7032 is, which takes other commands",
	0x72: "; an OpenLCD is, whose serial port Stump uses",
}

// ofBackpack reports whether a PCF8574 or PCF8574A can have the address (their data
// sheets, "Device address").
func (a Address) ofBackpack() bool {
	return (a >= 0x20 && a <= 0x27 || a >= 0x38 && a <= 0x3f) && others[a] == ""
}

// Place is where a backpack may be.
type Place struct {
	Bus     string
	Address Address
}

// String is the place in words.
func (p Place) String() string { return fmt.Sprintf("0x%02x on %s", int(p.Address), p.Bus) }

// Search looks for what answers like a backpack where the configuration does not
// say: at the other addresses, and on the other buses. The configured bus comes
// first. Only an hd44780-i2c display is looked for.
//
// It writes nothing, because other chips may be there. i2cdetect asks most addresses
// by a "quick write", a write without data, and a few by reading a byte (i2cdetect(8)):
// there is no way that is safe everywhere. At a backpack's addresses a read is. A
// PCF8574 answers with its pins, and no chip that is known there (MCP23017, AHT20,
// touch and OLED controllers) changes by one, but that an expander may forget an
// interrupt; while a quick write starts a command in some, and many adapters can't
// send it. An address that a driver of the kernel has is left out, and so is a bus
// of a monitor or of a PC's mainboard.
func (c Config) Search() (found []Place) {
	if c.Kind != "hd44780-i2c" {
		return nil
	}
	open, list := c.OpenBus, c.Buses
	if open == nil {
		open = openI2C
	}
	if list == nil {
		list = func() []string { return i2cBuses("/") }
	}
	configured := Place{cmp.Or(c.Bus, "/dev/i2c-1"), cmp.Or(c.Address, 0x27)}
	real, err := filepath.EvalSymlinks(configured.Bus) // the list has no links
	if err != nil {
		real = configured.Bus
	}
	buses := slices.DeleteFunc(list(), func(bus string) bool { return bus == real })
	for _, bus := range append([]string{configured.Bus}, buses...) {
		b, err := open(bus)
		if err != nil {
			continue
		}
		for a := Address(0x20); a <= 0x3f; a++ {
			begin := time.Now()
			if at := (Place{bus, a}); a.ofBackpack() && at != configured && !hasDriver(bus, a, "/") && answers(b, a) {
				found = append(found, at)
			}
			if time.Since(begin) > stuck {
				break
			}
		}
		b.Close()
	}
	return found
}

// stuck is how long an answer takes only on a bus that somebody holds down: there
// the kernel waits for a second, at every address.
const stuck = 300 * time.Millisecond

// answers reports whether a chip lets a byte of it be read. Some adapters report
// success where nothing is, and don't touch the byte.
func answers(bus i2c.Bus, a Address) bool {
	low, high := []byte{0x00}, []byte{0xff}
	return bus.Tx(uint16(a), nil, low) == nil && bus.Tx(uint16(a), nil, high) == nil && low[0] == high[0]
}

// number is that of a bus, by its path.
func number(bus string) (n int, ok bool) {
	if real, err := filepath.EvalSymlinks(bus); err == nil {
		bus = real
	}
	digits, ok := strings.CutPrefix(filepath.Base(bus), "i2c-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil
}

// foreign are names and makes of buses of monitors and mainboards. A Raspberry Pi
// has those of its HDMI sockets among the others (bcm2711.dtsi, bcm2712.dtsi).
var foreign = regexp.MustCompile(`(?i)hdmi|\bddc|brcmstb|gmbus|\baux\b|dpaux|smbus|nvidia|amdgpu|radeon`)

// i2cBuses lists the buses that a display may be on. root is where /dev and /sys are.
func i2cBuses(root string) (buses []string) {
	paths, _ := filepath.Glob(filepath.Join(root, "dev/i2c-[0-9]*"))
	for _, path := range paths {
		n, ok := number(path)
		device := filepath.Join(root, "sys/bus/i2c/devices", fmt.Sprint("i2c-", n))
		name, _ := os.ReadFile(filepath.Join(device, "name"))
		compatible, _ := os.ReadFile(filepath.Join(device, "of_node/compatible"))
		if ok && !foreign.Match(name) && !foreign.Match(compatible) {
			buses = append(buses, path)
		}
	}
	slices.SortFunc(buses, func(a, b string) int {
		m, _ := number(a)
		n, _ := number(b)
		return m - n
	})
	return buses
}

// hasDriver reports whether a driver of the kernel has a chip at an address, such as a
// BeagleBone's supply at 0x24.
func hasDriver(bus string, a Address, root string) bool {
	n, _ := number(bus)
	_, err := os.Stat(filepath.Join(root, "sys/bus/i2c/devices", fmt.Sprintf("%d-%04x", n, int(a)), "driver"))
	return err == nil
}
