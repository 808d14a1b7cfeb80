package lcd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// chip answers a read, or not.
type chip func(r []byte) error

// buses are I2C buses with chips, which remember what was written to them.
type buses struct {
	chips   map[string]map[uint16]chip
	written []string
	asked   map[string][]uint16
	slow    time.Duration // of every transfer
}

type chipBus struct {
	*buses
	path string
}

func (b *buses) open(path string) (i2c.BusCloser, error) {
	if b.chips[path] == nil {
		return nil, os.ErrNotExist
	}
	return chipBus{b, path}, nil
}

func (b chipBus) Tx(addr uint16, w, r []byte) error {
	time.Sleep(b.slow)
	if len(w) > 0 {
		b.written = append(b.written, b.path)
	}
	b.asked[b.path] = append(b.asked[b.path], addr)
	if c := b.chips[b.path][addr]; c != nil {
		return c(r)
	}
	return unix.EREMOTEIO
}
func (b chipBus) Close() error                    { return nil }
func (b chipBus) String() string                  { return b.path }
func (b chipBus) SetSpeed(physic.Frequency) error { return nil }

func reads(v byte) chip { return func(r []byte) error { r[0] = v; return nil } }

// A backpack is found wherever it can be, and nothing that can't be one; whatever is
// on the buses, nothing is written to it.
func TestSearch(t *testing.T) {
	counter := byte(0)
	for name, tt := range map[string]struct {
		config Config
		chips  map[string]map[uint16]chip
		want   []Place
	}{
		"at the other chip's address": {Config{Address: 0x27}, map[string]map[uint16]chip{"/dev/i2c-1": {0x3f: reads(0x08)}}, []Place{{"/dev/i2c-1", 0x3f}}},
		"just powered: all pins high": {Config{Address: 0x3f}, map[string]map[uint16]chip{"/dev/i2c-1": {0x20: reads(0xff)}}, []Place{{"/dev/i2c-1", 0x20}}},
		"all pins low":                {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {0x38: reads(0)}}, []Place{{"/dev/i2c-1", 0x38}}},
		"on another bus":              {Config{}, map[string]map[uint16]chip{"/dev/i2c-0": {0x27: reads(0x08)}, "/dev/i2c-1": {}}, []Place{{"/dev/i2c-0", 0x27}}},
		"the configured bus first": {Config{Bus: "/dev/i2c-2"}, map[string]map[uint16]chip{"/dev/i2c-0": {0x27: reads(8)}, "/dev/i2c-2": {0x26: reads(8)}},
			[]Place{{"/dev/i2c-2", 0x26}, {"/dev/i2c-0", 0x27}}},
		"the configured bus is missing": {Config{Bus: "/dev/i2c-7"}, map[string]map[uint16]chip{"/dev/i2c-1": {0x27: reads(8)}}, []Place{{"/dev/i2c-1", 0x27}}},
		"where it was tried":            {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {0x27: reads(8)}}, nil},
		"no backpack's addresses":       {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {0x1f: reads(8), 0x28: reads(8), 0x3c + 2: reads(8), 0x48: reads(8), 0x50: reads(8), 0x72: reads(8)}}, nil},
		"an adapter that fails nothing": {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {0x26: func([]byte) error { return nil }}}, nil},
		"a chip that counts":            {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {0x26: func(r []byte) error { counter++; r[0] = counter; return nil }}}, nil},
		"none":                          {Config{}, map[string]map[uint16]chip{"/dev/i2c-1": {}}, nil},
		"no bus":                        {Config{}, nil, nil},
	} {
		b := &buses{chips: tt.chips, asked: map[string][]uint16{}}
		tt.config.Kind, tt.config.OpenBus = "hd44780-i2c", b.open
		tt.config.Buses = func() []string { return []string{"/dev/i2c-0", "/dev/i2c-1", "/dev/i2c-2"} }
		if got := tt.config.Search(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", name, got, tt.want)
		}
		if len(b.written) > 0 {
			t.Errorf("%s: something was written", name)
		}
		for bus, addresses := range b.asked {
			for _, a := range addresses {
				if !Address(a).ofBackpack() {
					t.Errorf("%s: 0x%02x on %s was asked", name, a, bus)
				}
			}
		}
		tt.config.Kind = "openlcd"
		if got := tt.config.Search(); got != nil {
			t.Errorf("%s: a serial display is at %v", name, got)
		}
	}
}

// A bus that is held down keeps nobody waiting for a second at every address.
func TestSearchOfAStuckBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &buses{chips: map[string]map[uint16]chip{"/dev/i2c-1": {}, "/dev/i2c-0": {0x27: reads(8)}}, asked: map[string][]uint16{}}
		open := func(path string) (i2c.BusCloser, error) {
			b.slow = 0
			if path == "/dev/i2c-1" {
				b.slow = time.Second
			}
			return b.open(path)
		}
		c := Config{Kind: "hd44780-i2c", OpenBus: open, Buses: func() []string { return []string{"/dev/i2c-0"} }}
		begin := time.Now()
		if got := c.Search(); !slices.Equal(got, []Place{{"/dev/i2c-0", 0x27}}) {
			t.Errorf("found %v", got)
		}
		if d := time.Since(begin); d > 1500*time.Millisecond {
			t.Errorf("it took %v", d)
		}
	})
}

// The kernel's buses, but for those of monitors and mainboards; and the chips that
// a driver has.
func TestI2CBuses(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"0", "1", "10", "13", "20", "3", "4"} {
		write("dev/i2c-"+n, "")
	}
	write("dev/i2c-x", "")
	write("sys/bus/i2c/devices/i2c-1/name", "bcm2835 (i2c@7e804000)\n")
	write("sys/bus/i2c/devices/i2c-20/of_node/compatible", "brcm,bcm2711-hdmi-i2c\x00")
	write("sys/bus/i2c/devices/i2c-13/of_node/compatible", "brcm,brcmstb-i2c\x00")
	write("sys/bus/i2c/devices/i2c-3/name", "SMBus PIIX4 adapter port 0 at 0b00\n")
	write("sys/bus/i2c/devices/i2c-4/name", "i915 gmbus dpb\n")
	want := []string{filepath.Join(root, "dev/i2c-0"), filepath.Join(root, "dev/i2c-1"), filepath.Join(root, "dev/i2c-10")}
	if got := i2cBuses(root); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	write("sys/bus/i2c/devices/0-0024/driver/x", "")
	for _, c := range []struct {
		bus  string
		a    Address
		want bool
	}{{"/dev/i2c-0", 0x24, true}, {"/dev/i2c-0", 0x25, false}, {"/dev/i2c-1", 0x24, false}} {
		if got := hasDriver(c.bus, c.a, root); got != c.want {
			t.Errorf("0x%02x on %s has a driver: %v", int(c.a), c.bus, got)
		}
	}
}

func TestAddressOfBackpack(t *testing.T) {
	for a := range Address(0x80) {
		want := a >= 0x20 && a <= 0x27 || a >= 0x38 && a <= 0x3f && a != 0x3e
		if a.ofBackpack() != want {
			t.Errorf("0x%02x: %v", int(a), !want)
		}
		refused := ""
		Config{Kind: "hd44780-i2c", Address: a}.Check(func(key string, err error) { refused += key + err.Error() })
		if a != 0 && (refused == "") != want { // 0 is the default
			t.Errorf("0x%02x: %q", int(a), refused)
		}
	}
	if !(Config{Kind: "openlcd"}).Serial() || (Config{Kind: "hd44780-i2c"}).Serial() {
		t.Error("an OpenLCD is serial, a backpack is not")
	}
}
