// Package wiring draws which wire goes where, as text and as SVG, and lists the
// parts to buy.
package wiring

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
)

// Plan is what is connected to a board: a reader through a level converter,
// a display, a keyboard, the reader's lights and beeper. It is drawn by Text
// and SVG, and listed by Parts.
type Plan struct {
	Board *board.Board
	// Data are the lines as the configuration names them; empty: the board's.
	Data    [2]string
	Colours board.Colours // empty ones are HID's
	// Divider is true where a voltage divider, not a level converter, is between
	// reader and board.
	Divider bool
	// Display is the configuration's [display] kind.
	Display string
	// DisplayLines are the lines of an hd44780-gpio display.
	DisplayLines []DisplayLine
	Outputs      []Output
	Keyboard     bool
}

// DisplayLine is one line of a display that hangs on lines of the board.
type DisplayLine struct{ Point, Line string } // "RS", "GPIO25"

// Output is a light or the beeper of the reader.
type Output struct {
	Name      string // "green light", "red light", "beeper"
	Line      string // as the configuration names it
	ActiveLow bool   // through a converter's channel; otherwise a transistor
}

// connection is one connection between a pin of the header and a part.
type connection struct {
	Pin    board.Pin
	part   string // "converter", "display", "transistor"
	Point  string // of the part: "LV1"
	Wire   string // what to call it beside the pin: "DATA0"
	Colour string // of the wire to use: the reader's where it goes on to the reader
}

// The parts between which wires are drawn.
const (
	partReader    = "reader"
	partConverter = "converter"
	partDivider   = "divider"
	partDisplay   = "display"
	partSwitch    = "transistor"
)

// supplies are the pins of a header that parts are fed from. Each use has a
// pin of its own where the header has enough.
type supplies struct {
	readerPlus, ground, logic, displayPlus, displayGround string
	sda, scl, tx                                          string
}

func (w *Plan) supplies() supplies {
	if w.Board.Family == board.BeagleBone {
		// SYS_5V works from USB as well; VDD_5V (P9_5) only with the barrel jack.
		return supplies{"P9_7", "P9_1", "P9_3", "P9_8", "P9_2", "P9_20", "P9_19", "P9_13"}
	}
	return supplies{"2", "6", "1", "4", "14", "3", "5", "8"}
}

// Ties are all connections of the header, in the order of its pins. The error
// names the first configured line that is not on the header.
func (w *Plan) connections() ([]connection, error) {
	s := w.supplies()
	var ties []connection
	var missing error
	tie := func(pin, part, point, wire, colour string) {
		p, ok := w.Board.Pin(pin)
		if !ok {
			missing = cmp.Or(missing, fmt.Errorf("the %s has no pin %s", w.Board.Name, pin))
		}
		ties = append(ties, connection{p, part, point, wire, colour})
	}
	place := func(line, part, point, wire, colour string) {
		p, err := w.Board.Place(line)
		missing = cmp.Or(missing, err)
		ties = append(ties, connection{p, part, point, wire, colour})
	}
	c := w.colours()
	tie(s.readerPlus, w.middle(), "HV", "reader +", c.Power)
	tie(s.ground, w.middle(), "GND", "reader ground", c.Ground)
	for i, colour := range []string{c.Data0, c.Data1} {
		place(w.line(i), w.middle(), channel("LV", i+1), fmt.Sprintf("DATA%d", i), colour)
	}
	if w.middle() == partConverter {
		tie(s.logic, partConverter, "LV", "converter LV", "orange")
	}
	w.tieDisplay(s, tie, place)
	for _, o := range w.Outputs {
		part, point := partSwitch, o.Name
		if o.ActiveLow {
			part = partConverter
			point = w.freeChannel(o)
		}
		place(o.Line, part, point, o.Name, w.outputColour(o.Name))
	}
	if missing != nil {
		return nil, missing
	}
	if twice := doubly(ties); twice != "" {
		return nil, fmt.Errorf("two wires on header pin %s: the configuration names it twice", twice)
	}
	slices.SortFunc(ties, func(a, b connection) int { return cmp.Compare(w.order(a.Pin), w.order(b.Pin)) })
	return ties, nil
}

// tieDisplay connects the display. One that runs on 5 V gets its signals
// through the converter too, for an I2C backpack pulls them up to 5 V. An
// HD44780 takes 3.3 V signals, and never answers with its R/W on ground.
func (w *Plan) tieDisplay(s supplies, tie, place func(at, part, point, wire, colour string)) {
	if len(w.displayPoints()) == 0 {
		return
	}
	tie(s.displayPlus, partDisplay, "VCC", "display 5 V", "red")
	tie(s.displayGround, partDisplay, "GND", "display ground", "black")
	if w.Display == "hd44780-gpio" {
		for _, l := range w.DisplayLines {
			place(l.Line, partDisplay, l.Point, "display "+l.Point, "grey")
		}
		return
	}
	pins := map[string]string{"SDA": s.sda, "SCL": s.scl, "RX": s.tx}
	for i, point := range w.displayPoints() {
		part, at := partConverter, channel("LV", 3+i)
		if w.middle() == partDivider {
			part, at = partDisplay, point
		}
		tie(pins[point], part, at, "display "+point, []string{"blue", "purple"}[i])
	}
}

// displayPoints are the display's signals; none for no display on wires.
func (w *Plan) displayPoints() (points []string) {
	switch w.Display {
	case "hd44780-i2c":
		return []string{"SDA", "SCL"}
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		return []string{"RX"}
	case "hd44780-gpio":
		for _, l := range w.DisplayLines {
			points = append(points, l.Point)
		}
	}
	return points
}

// displayChannels is how many channels of the converter the display takes.
func (w *Plan) displayChannels() int {
	if w.Display == "hd44780-gpio" || w.middle() == partDivider {
		return 0
	}
	return len(w.displayPoints())
}

// channel is the name of a converter's channel on one side, "LV1"; a board has
// four, so that the fifth is the first of a second board.
func channel(side string, n int) string {
	if n > 4 {
		return fmt.Sprintf("%s%d (2nd)", side, (n-1)%4+1)
	}
	return fmt.Sprintf("%s%d", side, n)
}

// secondConverter reports whether a wire goes to the second board.
func (t connection) secondConverter() bool { return strings.HasSuffix(t.Point, "(2nd)") }

// freeChannel is the converter's channel of an output: the first two are the
// reader's, the next the display's.
func (w *Plan) freeChannel(o Output) string {
	n := 3 + w.displayChannels()
	for _, x := range w.Outputs {
		if x == o {
			break
		}
		if x.ActiveLow {
			n++
		}
	}
	return channel("LV", n)
}

// doubly is the name of a pin that has two wires.
func doubly(ties []connection) string {
	seen := map[string]bool{}
	for _, t := range ties {
		if seen[t.Pin.Name] {
			return t.Pin.Name
		}
		seen[t.Pin.Name] = true
	}
	return ""
}

func (w *Plan) line(i int) string {
	return cmp.Or(w.Data[i], []string{w.Board.Data0, w.Board.Data1}[i])
}

// middle is the part between reader and board.
func (w *Plan) middle() string {
	if w.Divider {
		return partDivider
	}
	return partConverter
}

func (w *Plan) colours() board.Colours {
	c := w.Colours
	for _, f := range []struct{ site, hid *string }{
		{&c.Power, &board.HID.Power}, {&c.Ground, &board.HID.Ground}, {&c.Data0, &board.HID.Data0}, {&c.Data1, &board.HID.Data1},
		{&c.Green, &board.HID.Green}, {&c.Red, &board.HID.Red}, {&c.Beep, &board.HID.Beep}, {&c.Hold, &board.HID.Hold},
	} {
		*f.site = cmp.Or(*f.site, *f.hid)
	}
	return c
}

// outputColour is the colour of a light's or the beeper's wire.
func (w *Plan) outputColour(name string) string {
	c := w.colours()
	switch {
	case strings.Contains(name, "green"):
		return c.Green
	case strings.Contains(name, "red"):
		return c.Red
	}
	return c.Beep
}

// Site is what the self-test calls the parts of this wiring by.
func (w *Plan) Site() board.Site {
	s := board.Site{Colours: w.Colours, Divider: w.Divider}
	for i := range s.Pins {
		if p, err := w.Board.Place(w.line(i)); err == nil {
			s.Pins[i] = fmt.Sprintf("%s (header pin %s)", p.Signal, p.Name)
		}
	}
	var ground, logic []string
	at, _ := w.Board.Place(w.line(0))
	near, _, _ := at.Position()
	for _, p := range w.Board.Pins {
		header, _, _ := p.Position()
		switch {
		case header != near:
		case p.Signal == "GND":
			ground = append(ground, p.Name)
		case p.Signal == "3V3":
			logic = append(logic, p.Name)
		}
	}
	s.GroundPins = oneOf(ground[:min(5, len(ground))])
	s.LogicPins = oneOf(logic)
	return s
}

// oneOf is "6, 9 or 14".
func oneOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// order is a pin's place among all.
func (w *Plan) order(p board.Pin) int {
	return slices.IndexFunc(w.Board.Pins, func(q board.Pin) bool { return q.Name == p.Name })
}
