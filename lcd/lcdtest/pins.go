package lcdtest

import (
	"fmt"
	"sync"

	"stump/lcd"
)

// Pins are six lines to a Controller.
type Pins struct {
	*Controller
	mu     sync.Mutex
	levels [7]bool // RS, E, D4 to D7, light
	broken error
}

// NewPins returns lines to a display.
func NewPins(c *Controller) *Pins { return &Pins{Controller: c} }

// Config returns the lines as the driver takes them.
func (p *Pins) Config() lcd.Pins {
	l := func(i int) lcd.Pin { return &pin{p, i} }
	return lcd.Pins{RS: l(0), E: l(1), D4: l(2), D5: l(3), D6: l(4), D7: l(5), Light: l(6)}
}

// Break makes every line fail with err; nil repairs them.
func (p *Pins) Break(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = err
}

// Light is whether the backlight is on.
func (p *Pins) Light() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.levels[6]
}

type pin struct {
	p *Pins
	i int
}

// Set sets the line's level.
func (l *pin) Set(high bool) error {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	p.levels[l.i] = high
	var data byte
	for i := range 4 {
		if p.levels[2+i] {
			data |= 1 << i
		}
	}
	p.Controller.Lines(p.levels[0], false, p.levels[1], data)
	return nil
}

// String names the line.
func (l *pin) String() string { return fmt.Sprintf("model line %d", l.i) }
