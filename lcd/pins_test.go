package lcd_test

import (
	"sync"

	"stump/lcd"
	"stump/lcd/lcdtest"
)

// pins are the lines to a Controller, named as the display names them.
type pins struct {
	*lcdtest.Controller
	mu     sync.Mutex
	levels map[string]bool
	broken error
	open   int
}

func newPins(c *lcdtest.Controller) *pins { return &pins{Controller: c, levels: map[string]bool{}} }

// wiring returns the lines for lcd.Config.Lines, each under its own name.
func (p *pins) wiring() map[string]string {
	return map[string]string{"rs": "rs", "e": "e", "d4": "d4", "d5": "d5", "d6": "d6", "d7": "d7", "light": "light"}
}

// openLine opens a line, for lcd.Config.OpenLine.
func (p *pins) openLine(name string) (lcd.Pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return nil, p.broken
	}
	p.open++
	return &pin{p, name}, nil
}

// opened returns how many lines are open.
func (p *pins) opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// breakAll makes every line fail with err; nil repairs them.
func (p *pins) breakAll(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = err
}

// light is whether the backlight is on.
func (p *pins) light() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.levels["light"]
}

type pin struct {
	p    *pins
	name string
}

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

func (l *pin) Close() error {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.open--
	return nil
}

func (l *pin) String() string { return "model line " + l.name }
