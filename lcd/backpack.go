package lcd

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"
)

// PortMap is how the eight outputs of a PCF8574 are wired to a display: the
// bit of the port for each of the display's lines.
type PortMap struct {
	RS, E    int
	RW       int    // -1: the display's R/W is tied to ground
	Light    int    // -1: the backlight is not switched
	Data     [4]int // D4 to D7
	LightLow bool   // the light is on while its output is low
}

// Maps of the backpacks that are sold.
var (
	// MapCommon is for the boards on most displays (YwRobot, "LCM1602"): P0 RS,
	// P1 R/W, P2 E, P3 light, P4 to P7 data.
	MapCommon = PortMap{RS: 0, RW: 1, E: 2, Light: 3, Data: [4]int{4, 5, 6, 7}}
	// mapLCDproc is the default of lcdproc's hd44780-i2c.c: P0 to P3 data, P4
	// RS, P5 R/W, P6 E, P7 light, on while low.
	mapLCDproc = PortMap{Data: [4]int{0, 1, 2, 3}, RS: 4, RW: 5, E: 6, Light: 7, LightLow: true}
)

// ParsePortMap reads a PortMap: "common", "lcdproc", or the bit of each line,
// "rs=0 rw=1 e=2 light=3 d4=4 d5=5 d6=6 d7=7". rw and light may be left out.
// "light-low" says that the light is on while its output is low. "" is
// "common".
func ParsePortMap(s string) (PortMap, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "common":
		return MapCommon, nil
	case "lcdproc":
		return mapLCDproc, nil
	}
	m := PortMap{RS: -1, E: -1, RW: -1, Light: -1, Data: [4]int{-1, -1, -1, -1}}
	bits := map[string]*int{
		"rs": &m.RS, "e": &m.E, "rw": &m.RW, "light": &m.Light,
		"d4": &m.Data[0], "d5": &m.Data[1], "d6": &m.Data[2], "d7": &m.Data[3],
	}
	var taken []int
	for _, f := range strings.Fields(strings.ToLower(s)) {
		if f == "light-low" {
			m.LightLow = true
			continue
		}
		name, value, _ := strings.Cut(f, "=")
		n, err := strconv.Atoi(value)
		bit := bits[name]
		if bit == nil || err != nil || n < 0 || n > 7 || slices.Contains(taken, n) || *bit >= 0 {
			return PortMap{}, fmt.Errorf("map %q: %q is not a line and a free bit from 0 to 7, as in rs=0; or use common or lcdproc", s, f)
		}
		*bit, taken = n, append(taken, n)
	}
	for _, name := range needed {
		if *bits[name] < 0 {
			return PortMap{}, fmt.Errorf("map %q: %s is missing", s, name)
		}
	}
	return m, nil
}

// backpack is a PCF8574 between an I2C bus and an HD44780.
//
// A nibble takes two bytes on the port, one with E high and one with E low: the
// display takes the nibble when E falls. RS must be stable 60 ns before E rises,
// so a change of RS takes another byte with E low first. At 100 kHz, for which
// the PCF8574 is made, a byte takes 90 µs, longer than the 37 µs for which the
// controller is busy. On a faster bus every letter gets that extra byte.
type backpack struct {
	link[i2c.BusCloser]
	path string
	addr uint16
	pins PortMap
	dial func(path string) (i2c.BusCloser, error)
	fast bool
	port byte // the outputs
}

func (b *backpack) String() string { return fmt.Sprintf("%s address 0x%02x", b.path, b.addr) }

func (b *backpack) open() error {
	b.Close()
	bus, err := b.dial(b.path)
	if err != nil {
		return err
	}
	b.set(bus)
	b.fast = busHertz(b.path) > 100_000
	// The outputs are high at power-up, E among them; pull it down first.
	if err := b.tx([]byte{b.idle()}, nil); err != nil {
		return err
	}
	// A pin that is driven low reads low (PCF8574 data sheet, quasi-bidirectional
	// I/O). Some adapters don't fail a transfer to an address where nothing is:
	// they report it as short and don't touch the bytes to be read.
	port := []byte{0xff}
	if err := b.tx(nil, port); err != nil {
		return err
	}
	if port[0]&b.e() != 0 {
		return fmt.Errorf("%s: nothing answers: %w", b, syscall.ENXIO)
	}
	return nil
}

// tx does one transaction.
func (b *backpack) tx(w, r []byte) error {
	bus, err := b.get()
	if err != nil {
		return err
	}
	if err := bus.Tx(b.addr, w, r); err != nil {
		return fmt.Errorf("%s: %w", b, err)
	}
	if len(w) > 0 {
		b.port = w[len(w)-1]
	}
	return nil
}

// idle is the port with E, R/W and data low and the light on.
func (b *backpack) idle() byte {
	if b.pins.Light >= 0 && !b.pins.LightLow {
		return 1 << b.pins.Light
	}
	return 0
}

// half is the port with a nibble on the data lines, E low.
func (b *backpack) half(n byte, data bool) byte {
	p := b.idle()
	for i, bit := range b.pins.Data {
		p |= n >> i & 1 << bit
	}
	if data {
		p |= 1 << b.pins.RS
	}
	return p
}

func (b *backpack) e() byte { return 1 << b.pins.E }

func (b *backpack) nibble(n byte) error {
	p := b.half(n, false)
	return b.tx([]byte{p, p | b.e(), p}, nil)
}

// send begins a new transaction at every instruction that follows data, so that
// others on the bus needn't wait for a whole screen.
func (b *backpack) send(ops []op) error {
	var w []byte
	port := b.port
	for i, o := range ops {
		if i > 0 && !o.data && ops[i-1].data {
			if err := b.tx(w, nil); err != nil {
				return err
			}
			w, port = w[:0], b.port
		}
		hi, lo := b.half(o.b>>4, o.data), b.half(o.b&0x0f, o.data)
		if rs := byte(1) << b.pins.RS; port&rs != hi&rs || b.fast {
			w = append(w, hi)
		}
		w = append(w, hi|b.e(), hi, lo|b.e(), lo)
		port = lo
	}
	return b.tx(w, nil)
}

// counter reads the busy flag and the address counter in two nibbles. An output
// of the port is weak while high, so it can be read: the data lines are set
// high, and the display pulls down those that are 0.
func (b *backpack) counter() (byte, error) {
	if b.pins.RW < 0 {
		return 0, errOneWay
	}
	p := b.half(0x0f, false) | 1<<b.pins.RW
	var value byte
	w := []byte{p, p | b.e()}
	for range 2 {
		r := []byte{0}
		if err := b.tx(w, nil); err != nil {
			return 0, err
		}
		if err := b.tx(nil, r); err != nil {
			return 0, err
		}
		value <<= 4
		for i, bit := range b.pins.Data {
			value |= r[0] >> bit & 1 << i
		}
	}
	return value, b.tx([]byte{p, b.idle()}, nil)
}

// openI2C opens a bus of the kernel's i2c-dev driver (Documentation/i2c/
// dev-interface.rst) by its path, such as /dev/i2c-1, or by a link to it.
//
// Periph's bus reports success for a transfer that an adapter cut short
// (virtio-i2c, where nothing answers at the address). That is why backpack.open
// reads the port back.
func openI2C(path string) (i2c.BusCloser, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("display: %w (is I2C switched on?)", err)
	}
	number, ok := strings.CutPrefix(filepath.Base(real), "i2c-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return nil, fmt.Errorf("display: %s is not an I2C bus, such as /dev/i2c-1", path)
	}
	bus, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, fmt.Errorf("display: %w (may this user open it?)", err)
	}
	return bus, nil
}

// busHertz is the clock of a bus as the device tree sets it; 0 if unknown.
func busHertz(path string) uint32 {
	b, err := os.ReadFile(filepath.Join("/sys/bus/i2c/devices", filepath.Base(path), "of_node/clock-frequency"))
	if err != nil || len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}
