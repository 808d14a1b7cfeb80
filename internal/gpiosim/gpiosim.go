//go:build linux

// Package gpiosim makes GPIO chips in the kernel and drives their lines, for
// tests in the kernel fixture. It needs root and the driver gpio-sim (Linux
// 5.19), whose interface is configfs and sysfs
// (Documentation/admin-guide/gpio/gpio-sim.rst):
//
//	/sys/kernel/config/gpio-sim/NAME/bank0/{num_lines,label,line5/name}
//	/sys/kernel/config/gpio-sim/NAME/live        1 makes the chip
//	/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio5/{pull,value}
//
// To a program that reads the line, the pull is the outside world's level; an
// edge of it is an interrupt.
package gpiosim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const configfs = "/sys/kernel/config/gpio-sim"

// Chip is one simulated chip.
type Chip struct {
	name   string // the kernel's, "gpiochip0"
	config string
	sysfs  string
	pulls  map[int]int // by line, open file descriptors of pull
}

// New makes a chip. Its label and configfs name are label; names maps line
// offsets to line names. All lines start pulled up, as idle data lines are.
func New(label string, lines int, names map[int]string) (*Chip, error) {
	c := &Chip{config: filepath.Join(configfs, label), pulls: make(map[int]int)}
	if err := c.make(label, lines, names); err != nil {
		c.Close()
		return nil, fmt.Errorf("gpio-sim %s: %w", label, err)
	}
	return c, nil
}

func (c *Chip) make(label string, lines int, names map[int]string) error {
	bank := filepath.Join(c.config, "bank0")
	if err := os.MkdirAll(bank, 0o755); err != nil {
		return err
	}
	settings := [][2]string{{bank + "/num_lines", fmt.Sprint(lines)}, {bank + "/label", label}}
	for offset, name := range names {
		line := fmt.Sprintf("%s/line%d", bank, offset)
		if err := os.Mkdir(line, 0o755); err != nil {
			return err
		}
		settings = append(settings, [2]string{line + "/name", name})
	}
	settings = append(settings, [2]string{c.config + "/live", "1"})
	for _, s := range settings {
		if err := os.WriteFile(s[0], []byte(s[1]), 0o644); err != nil {
			return err
		}
	}
	chip, err := os.ReadFile(bank + "/chip_name")
	if err != nil {
		return err
	}
	dev, err := os.ReadFile(c.config + "/dev_name")
	if err != nil {
		return err
	}
	c.name = strings.TrimSpace(string(chip))
	c.sysfs = filepath.Join("/sys/devices/platform", strings.TrimSpace(string(dev)), c.name)
	for line := range lines {
		c.Set(line, true)
	}
	return nil
}

// Path is the chip's device file.
func (c *Chip) Path() string { return "/dev/" + c.name }

// Sysfs is the directory of the chip's lines.
func (c *Chip) Sysfs() string { return c.sysfs }

var up, down = []byte("pull-up"), []byte("pull-down")

// Set drives a line from outside. It panics when there is no such line.
func (c *Chip) Set(line int, high bool) {
	level := down
	if high {
		level = up
	}
	if _, err := unix.Pwrite(c.pull(line), level, 0); err != nil {
		panic(fmt.Sprintf("gpiosim: %s line %d: %v", c.name, line, err))
	}
}

// pull keeps the file open: a pulse takes two writes, and no time for more.
func (c *Chip) pull(line int) int {
	fd, ok := c.pulls[line]
	if !ok {
		var err error
		name := fmt.Sprintf("%s/sim_gpio%d/pull", c.sysfs, line)
		if fd, err = unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			panic(fmt.Sprintf("gpiosim: %s: %v", name, err))
		}
		c.pulls[line] = fd
	}
	return fd
}

// Level is what a line is driven to, by whoever drives it: for outputs.
func (c *Chip) Level(line int) (high bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("%s/sim_gpio%d/value", c.sysfs, line))
	return strings.TrimSpace(string(b)) == "1", err
}

// Unplug makes the chip vanish while it may be in use; Replug makes it return.
func (c *Chip) Unplug() error {
	for line, fd := range c.pulls {
		unix.Close(fd)
		delete(c.pulls, line)
	}
	return os.WriteFile(c.config+"/live", []byte("0"), 0o644)
}

// Replug makes an unplugged chip return.
func (c *Chip) Replug() error {
	return os.WriteFile(c.config+"/live", []byte("1"), 0o644)
}

// Close removes the chip.
func (c *Chip) Close() {
	_ = c.Unplug()
	lines, _ := filepath.Glob(c.config + "/bank0/line*")
	for _, l := range lines {
		_ = os.Remove(l)
	}
	_ = os.Remove(c.config + "/bank0")
	_ = os.Remove(c.config)
}
