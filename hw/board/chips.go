package board

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stump/gpio"
	"stump/internal/count"
)

// host is a machine that lines are looked up on. The zero host is this one.
type host struct {
	root     string // where /dev, /sys and /proc are; "" is "/"
	openChip func(path string) (openChip, error)
}

// openChip answers questions about one GPIO chip. *gpio.Chip is the real one.
type openChip interface {
	Info() gpio.ChipInfo
	Line(offset int) (gpio.LineInfo, error)
	Close() error
}

func (h host) path(name string) string { return filepath.Join("/", h.root, name) }

func (h host) open(path string) (openChip, error) {
	if h.openChip != nil {
		return h.openChip(path)
	}
	c, err := gpio.OpenChip(path)
	if err != nil {
		return nil, err // not a nil *gpio.Chip in an interface
	}
	return c, nil
}

// chip is one GPIO chip with all its lines.
type chip struct {
	gpio.ChipInfo
	address string // in the device tree, "4804c000"; empty when there is none
	links   []string
	lines   []gpio.LineInfo
}

// String is the chip with its label, address and number of lines.
func (c *chip) String() string {
	if c.address != "" {
		return fmt.Sprintf("%s (%s at %s, %s)", c.Name, c.Label, c.address, count.Of(c.Lines, "line"))
	}
	return fmt.Sprintf("%s (%s, %s)", c.Name, c.Label, count.Of(c.Lines, "line"))
}

// scan reads every chip once. Raspberry Pi OS makes /dev/gpiochip4 a symbolic
// link to gpiochip0, so a link is another name of a chip, not another chip
// (RPi-Distro/raspberrypi-sys-mods, 60-gpiochip4.rules). With an error it
// returns the chips that it could read.
func (h host) scan() (chips []*chip, err error) {
	paths, _ := filepath.Glob(h.path("dev/gpiochip*"))
	if len(paths) == 0 {
		return nil, fmt.Errorf("no /dev/gpiochip*: %w", fs.ErrNotExist)
	}
	links := make(map[string][]string)
	for _, path := range paths {
		if _, err := os.Readlink(path); err == nil {
			target, _ := filepath.EvalSymlinks(path)
			links[target] = append(links[target], path)
			continue
		}
		c, e := h.read(path)
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		chips = append(chips, c)
	}
	for _, c := range chips {
		c.links = links[c.Path]
	}
	return chips, err
}

func (h host) read(path string) (*chip, error) {
	f, err := h.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &chip{ChipInfo: f.Info()}
	c.Path = path
	c.address = h.address(c.Name)
	for i := range c.Lines {
		line, err := f.Line(i)
		if err != nil {
			return nil, err
		}
		c.lines = append(c.lines, line)
	}
	return c, nil
}

// address is a chip's address, from the name of its parent device in sysfs:
// …/4804c000.gpio/gpiochip1, …/fe200000.gpio/gpiochip0.
func (h host) address(name string) string {
	target, _ := os.Readlink(h.path("sys/bus/gpio/devices/" + name))
	address, _, ok := strings.Cut(filepath.Base(filepath.Dir(target)), ".")
	if !ok || strings.Trim(address, "0123456789abcdef") != "" {
		return "" // "gpio-sim.0": a device without an address
	}
	return address
}

// is reports whether a word of the configuration means this chip: its path, a
// link to it, the kernel's name, the label, or the device-tree address.
func (c *chip) is(word string) bool {
	return word == c.Name || word == c.Label || word == "/dev/"+c.Name ||
		c.address != "" && (word == c.address || word == c.address+".gpio") ||
		slices.ContainsFunc(append(c.links, c.Path), func(path string) bool {
			return word == path || word == filepath.Base(path)
		})
}

func list(chips []*chip) string {
	var names []string
	for _, c := range chips {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}
