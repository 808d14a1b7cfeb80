package lcd

import (
	"fmt"
	"time"
)

// pauseByte lets the controller work on a byte: 37 µs by the data sheet, up to
// 53 µs for clones with a slow clock.
const pauseByte = 60 * time.Microsecond

// gpio4 is an HD44780 on six GPIO lines, R/W tied to ground. E needs to be
// high for 450 ns and its data be stable 195 ns before it falls; one call into
// the kernel takes longer than either.
type gpio4 struct {
	pins Pins
	set  map[Pin]bool // levels as last set
}

func (g *gpio4) String() string { return fmt.Sprintf("GPIO lines, E on %v", g.pins.E) }

func (g *gpio4) acks() bool { return false }

func (g *gpio4) open() error {
	g.set = map[Pin]bool{}
	if err := g.level(g.pins.E, false); err != nil {
		return err
	}
	if g.pins.Light == nil {
		return nil
	}
	return g.level(g.pins.Light, true)
}

// close leaves the lines to their owner.
func (g *gpio4) close() error { return nil }

// level sets a line if it must change.
func (g *gpio4) level(p Pin, high bool) error {
	if was, ok := g.set[p]; ok && was == high {
		return nil
	}
	delete(g.set, p)
	if err := p.Set(high); err != nil {
		return fmt.Errorf("display line %v: %w", p, err)
	}
	g.set[p] = high
	return nil
}

// half clocks a nibble in.
func (g *gpio4) half(n byte, data bool) error {
	if err := g.level(g.pins.RS, data); err != nil {
		return err
	}
	for i, p := range []Pin{g.pins.D4, g.pins.D5, g.pins.D6, g.pins.D7} {
		if err := g.level(p, n>>i&1 != 0); err != nil {
			return err
		}
	}
	if err := g.level(g.pins.E, true); err != nil {
		return err
	}
	return g.level(g.pins.E, false)
}

func (g *gpio4) nibble(n byte) error { return g.half(n, false) }

func (g *gpio4) send(ops []op) error {
	for _, o := range ops {
		if err := g.half(o.b>>4, o.data); err != nil {
			return err
		}
		if err := g.half(o.b&0x0f, o.data); err != nil {
			return err
		}
		time.Sleep(pauseByte)
	}
	return nil
}

func (g *gpio4) counter() (byte, error) { return 0, errOneWay }
