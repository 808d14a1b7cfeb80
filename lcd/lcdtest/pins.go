package lcdtest

import (
	"sync"

	"stump/lcd"
)

// Pins are the lines to a Controller, named as the display names them.
type Pins struct {
	*Controller
	mu     sync.Mutex
	levels map[string]bool
	broken error
	open   int
}

// NewPins returns lines to a display.
func NewPins(c *Controller) *Pins { return &Pins{Controller: c, levels: map[string]bool{}} }

// Wiring returns the lines for lcd.Config.Lines, each under its own name.
func (p *Pins) Wiring() map[string]string {
	return map[string]string{"rs": "rs", "e": "e", "d4": "d4", "d5": "d5", "d6": "d6", "d7": "d7", "light": "light"}
}

// OpenLine opens a line, for lcd.Config.OpenLine.
func (p *Pins) OpenLine(name string) (lcd.Pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return nil, p.broken
	}
	p.open++
	return &pin{p, name}, nil
}

// Open returns how many lines are open.
func (p *Pins) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
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
	return p.levels["light"]
}

type pin struct {
	p    *Pins
	name string
}

// Set sets the line's level.
func (l *pin) Set(high bool) error {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	p.levels[l.name] = high
	var data byte
	for i, name := range []string{"d4", "d5", "d6", "d7"} {
		if p.levels[name] {
			data |= 1 << i
		}
	}
	p.Controller.Lines(p.levels["rs"], false, p.levels["e"], data)
	return nil
}

// Close gives the line back.
func (l *pin) Close() error {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.open--
	return nil
}

// String names the line.
func (l *pin) String() string { return "model line " + l.name }
