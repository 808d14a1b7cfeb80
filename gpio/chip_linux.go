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
	Offset    int
	Name      string // "GPIO17"; empty when the device tree gives none
	Consumer  string // who uses it, as they call themselves
	Used      bool   // by a program, by the kernel, or as another function of the pin
	Output    bool
	ActiveLow bool
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
	return &Chip{fd, ChipInfo{
		Path:  path,
		Name:  text(info.Name[:]),
		Label: text(info.Label[:]),
		Lines: int(info.Lines),
	}}, nil
}

// Info says what chip it is.
func (c *Chip) Info() ChipInfo { return c.info }

// Line says what line offset is, and who has it.
func (c *Chip) Line(offset int) (LineInfo, error) {
	i, err := getLineInfo(c.fd, uint32(offset))
	if err != nil {
		return LineInfo{}, fmt.Errorf("%s line %d: %w", c.info.Name, offset, err)
	}
	return LineInfo{
		Offset:    offset,
		Name:      text(i.Name[:]),
		Consumer:  text(i.Consumer[:]),
		Used:      i.Flags&flagUsed != 0,
		Output:    i.Flags&flagOutput != 0,
		ActiveLow: i.Flags&flagActiveLow != 0,
	}, nil
}

// Close lets the chip go.
func (c *Chip) Close() error { return unix.Close(c.fd) }
