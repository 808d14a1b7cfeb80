package lcd

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// pauseByte lets the controller finish a byte: 37 µs by the data sheet, up to
// 53 µs for clones with a slow clock.
const pauseByte = 60 * time.Microsecond

// gpio4 is an HD44780 on six GPIO lines, with R/W tied to ground. E needs to be
// high for 450 ns, and its data stable for 195 ns before it falls; one call into
// the kernel takes longer than either.
type gpio4 struct {
	link[pins]
	lines map[string]string
	dial  func(line string) (Pin, error)
}

// pins are open lines by the display's names for them.
type pins map[string]Pin

func (p pins) Close() error {
	for _, pin := range p {
		if c, ok := pin.(io.Closer); ok {
			c.Close()
		}
	}
	return nil
}

// needed are the lines that the display can't do without.
var needed = []string{"rs", "e", "d4", "d5", "d6", "d7"}

// checkLines says which of the lines that an hd44780-gpio needs is missing, or
// isn't one of the display's.
func checkLines(lines map[string]string) error {
	for _, name := range needed {
		if lines[name] == "" {
			return fmt.Errorf("line %s: name the GPIO line that it is on", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if !slices.Contains(needed, name) && name != "light" {
			return fmt.Errorf("line %s: the display's lines are %s and light", name, strings.Join(needed, ", "))
		}
	}
	return nil
}

// Terminals returns the display's names for the lines that an hd44780-gpio is on,
// in the order of its terminals; none for other kinds.
func (c Config) Terminals() []string {
	if c.Kind != "hd44780-gpio" {
		return nil
	}
	return slices.DeleteFunc(append(slices.Clone(needed), "light"), func(name string) bool {
		_, ok := c.Lines[name]
		return !ok
	})
}

func (g *gpio4) String() string { return fmt.Sprintf("GPIO lines, E on %s", g.lines["e"]) }

func (g *gpio4) open() error {
	g.Close()
	open := pins{}
	for _, name := range slices.Sorted(maps.Keys(g.lines)) {
		p, err := g.dial(g.lines[name])
		if err != nil {
			open.Close()
			return fmt.Errorf("display line %s: %w", name, err)
		}
		open[name] = p
	}
	g.set(open)
	if err := g.level("e", false); err != nil || g.lines["light"] == "" {
		return err
	}
	return g.level("light", true)
}

// level sets a line.
func (g *gpio4) level(name string, high bool) error {
	open, err := g.get()
	if err != nil {
		return err
	}
	if err := open[name].Set(high); err != nil {
		return fmt.Errorf("display line %s (%v): %w", name, open[name], err)
	}
	return nil
}

// nibble sends the high half of an instruction alone.
func (g *gpio4) nibble(n byte) error { return g.half(n, false) }

// half clocks a nibble in.
func (g *gpio4) half(n byte, data bool) error {
	levels := []struct {
		line string
		high bool
	}{{"rs", data}, {"d4", n&1 != 0}, {"d5", n&2 != 0}, {"d6", n&4 != 0}, {"d7", n&8 != 0}, {"e", true}, {"e", false}}
	for _, l := range levels {
		if err := g.level(l.line, l.high); err != nil {
			return err
		}
	}
	return nil
}

func (g *gpio4) send(ops []op) error {
	for _, o := range ops {
		for _, n := range []byte{o.b >> 4, o.b & 0x0f} {
			if err := g.half(n, o.data); err != nil {
				return err
			}
		}
		time.Sleep(pauseByte)
	}
	return nil
}

func (g *gpio4) counter() (byte, error) { return 0, errOneWay }
