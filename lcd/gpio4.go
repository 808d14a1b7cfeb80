package lcd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// pauseByte lets the controller work on a byte: 37 µs by the data sheet, up to
// 53 µs for clones with a slow clock.
const pauseByte = 60 * time.Microsecond

// gpio4 is an HD44780 on six GPIO lines, R/W tied to ground. E needs to be
// high for 450 ns and its data be stable 195 ns before it falls; one call into
// the kernel takes longer than either.
type gpio4 struct {
	lines map[string]string
	dial  func(line string) (Pin, error)

	mu   sync.Mutex // guards pins: close may come from elsewhere
	pins map[string]Pin
	set  map[string]bool // levels as last set
}

// needed are the lines that the display can't do without.
var needed = []string{"rs", "e", "d4", "d5", "d6", "d7"}

// CheckLines says which of the lines that an hd44780-gpio needs is missing, or
// is none.
func CheckLines(lines map[string]string) error {
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

func (g *gpio4) String() string { return fmt.Sprintf("GPIO lines, E on %s", g.lines["e"]) }

func (g *gpio4) acks() bool { return false }

func (g *gpio4) open() error {
	g.close()
	pins := map[string]Pin{}
	g.mu.Lock()
	g.pins, g.set = pins, map[string]bool{}
	g.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(g.lines)) {
		p, err := g.dial(g.lines[name])
		if err != nil {
			return fmt.Errorf("display line %s: %w", name, err)
		}
		g.mu.Lock()
		pins[name] = p
		g.mu.Unlock()
	}
	if err := g.level("e", false); err != nil || g.lines["light"] == "" {
		return err
	}
	return g.level("light", true)
}

// close gives the lines back.
func (g *gpio4) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, p := range g.pins {
		if c, ok := p.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	g.pins = nil
	return errors.Join(errs...)
}

// level sets a line if it must change.
func (g *gpio4) level(name string, high bool) error {
	if was, ok := g.set[name]; ok && was == high {
		return nil
	}
	g.mu.Lock()
	p := g.pins[name]
	g.mu.Unlock()
	if p == nil {
		return ErrClosed
	}
	delete(g.set, name)
	if err := p.Set(high); err != nil {
		return fmt.Errorf("display line %s (%v): %w", name, p, err)
	}
	g.set[name] = high
	return nil
}

// half clocks a nibble in.
func (g *gpio4) half(n byte, data bool) error {
	if err := g.level("rs", data); err != nil {
		return err
	}
	for i, name := range []string{"d4", "d5", "d6", "d7"} {
		if err := g.level(name, n>>i&1 != 0); err != nil {
			return err
		}
	}
	if err := g.level("e", true); err != nil {
		return err
	}
	return g.level("e", false)
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
