package board

import (
	"fmt"
	"strconv"
	"strings"
)

// Place finds a configured line on the board's header.
func (b *Board) Place(name string) (Pin, error) {
	bare := strings.TrimSpace(name)
	if rest, ok := strings.CutPrefix(strings.ToLower(bare), "pin "); ok {
		bare = strings.TrimSpace(rest)
		if p, ok := b.Pin(bare); ok && p.Line() {
			return p, nil
		} else if ok {
			return p, fmt.Errorf("header pin %s carries %s and is no line%s", p.Name, p.Signal, b.meant(bare))
		}
	} else if p, ok := b.BySignal(bare); ok {
		return p, nil
	} else if p, ok := b.Pin(bare); ok && b.Family == BeagleBone {
		return p, nil
	}
	if _, n, ok := strings.Cut(bare, ":"); ok && b.Family == RaspberryPi {
		if offset, err := strconv.Atoi(n); err == nil {
			if p, ok := b.at(0, offset); ok {
				return p, nil
			}
		}
	}
	return Pin{}, fmt.Errorf("line %q is not on the header of the %s", name, b.Name)
}

// meant says what else a number may mean: "; GPIO17 is header pin 11".
func (b *Board) meant(number string) string {
	if p, ok := b.BySignal("GPIO" + number); ok {
		return fmt.Sprintf("; %s is header pin %s", p.Signal, p.Name)
	}
	return ""
}

// Position says where a pin is: in which header, in which row from the marked
// end, and whether in the first column (odd numbers) or the second.
func (p Pin) Position() (header string, row, column int) {
	name := strings.TrimRight(p.Name, "AB")
	header, number, ok := strings.Cut(name, "_")
	if !ok {
		header, number = "", name
	}
	n, _ := strconv.Atoi(number)
	return header, (n - 1) / 2, (n - 1) % 2
}
