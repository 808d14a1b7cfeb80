package gpio

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// ChipInfo is what the kernel says of a GPIO chip.
type ChipInfo struct {
	Path  string // "/dev/gpiochip0"
	Name  string // "gpiochip0", the kernel's name
	Label string // "pinctrl-bcm2711", the driver's
	Lines int
}

// LineInfo is what the kernel says of one line.
type LineInfo struct {
	Offset   int
	Name     string // "GPIO17"; empty when the device tree gives none
	Consumer string // what the holder calls itself
	Used     bool   // by a program, by the kernel, or as another function of the pin
}

// Chip is an open GPIO chip, for questions only: it holds no line.
type Chip struct {
	fd   int
	info ChipInfo
}

// OpenChip opens a chip by path. The error keeps its errno: ENOENT, EACCES, or
// ENOTTY and EINVAL when the file is not a GPIO chip.
func OpenChip(path string) (*Chip, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	info, err := getChipInfo(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s is not a GPIO chip: %w", path, err)
	}
	return &Chip{fd, ChipInfo{path, text(info.Name[:]), text(info.Label[:]), int(info.Lines)}}, nil
}

// Info says what chip it is.
func (c *Chip) Info() ChipInfo { return c.info }

// Line says what line offset is, and who holds it.
func (c *Chip) Line(offset int) (LineInfo, error) {
	i, err := getLineInfo(c.fd, uint32(offset))
	if err != nil {
		return LineInfo{}, fmt.Errorf("%s line %d: %w", c.info.Name, offset, err)
	}
	return LineInfo{offset, text(i.Name[:]), text(i.Consumer[:]), i.Flags&flagUsed != 0}, nil
}

// Close closes the chip.
func (c *Chip) Close() error { return unix.Close(c.fd) }
