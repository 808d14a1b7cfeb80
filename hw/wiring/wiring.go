// Package wiring draws which wire goes where, as text and as SVG, and lists the
// parts to buy.
package wiring

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"stump/hw/board"
)

// Plan is what is connected to a board: a reader through a level converter or a
// voltage divider, a display, a keyboard, the reader's lights and beeper.
type Plan struct {
	Board *board.Board
	// Kind is that of the reader: "wiegand" or "" with two data lines, "serial", "usb".
	Kind string
	// Port is a serial reader's, such as "/dev/serial0" on the header, or
	// "/dev/ttyUSB0" of an adapter.
	Port string
	// Data are the names of the data lines; an empty one is the board's usual line.
	Data    [2]string
	Colours board.Colours
	// Divider is true where a voltage divider, not a level converter, is between
	// reader and board.
	Divider bool
	// Display is the configuration's [display] kind.
	Display      string
	DisplayLines []DisplayLine // of an hd44780-gpio display
	Outputs      []Output
	Keyboard     bool
}

// DisplayLine is one line of a display that is wired to lines of the board.
type DisplayLine struct{ Point, Line string } // "RS", "GPIO25"

// Output is a light or the beeper of the reader.
type Output struct {
	Name      string // "green light", "red light", "beeper"
	Line      string
	ActiveLow bool // through a channel of the converter; otherwise a transistor
}

// connection is one wire to a pin of the header.
type connection struct {
	pin     board.Pin
	label   string // what goes to the pin, such as "DATA0"
	colour  string // the reader's colour where the wire goes on to the reader
	from    string // where it comes from, such as "reader DATA0"
	via     string // what it goes through, such as "HV1 to LV1"
	point   string // the point of the picture where it begins, such as "LV1"
	channel int    // the converter's channel, from 1; 0 is none
}

// connections are all wires to the header, in the order of its pins. The error
// names the first line that is not on the header.
func (p *Plan) connections() ([]connection, error) {
	if len(p.Board.Pins) == 0 {
		return nil, fmt.Errorf("the header of the %s is not known", p.Board.Name)
	}
	h := p.harness()
	if h.err != nil {
		return nil, h.err
	}
	order := func(c connection) int {
		return slices.IndexFunc(p.Board.Pins, func(q board.Pin) bool { return q.Name == c.pin.Name })
	}
	sort.SliceStable(h.all, func(i, j int) bool { return order(h.all[i]) < order(h.all[j]) })
	for i := range h.all[min(1, len(h.all)):] {
		if name := h.all[i].pin.Name; name == h.all[i+1].pin.Name {
			return nil, fmt.Errorf("two wires on header pin %s: the configuration names it twice", name)
		}
	}
	return h.all, nil
}

// harness is the connections, in the order of the parts.
type harness struct {
	*Plan
	colours  colours
	all      []connection
	signals  int // of the reader
	channels int // of the converter, in use
	err      error
}

func (p *Plan) harness() *harness {
	h := &harness{Plan: p, colours: p.palette()}
	h.connectReader()
	h.connectDisplay()
	for _, o := range p.Outputs {
		at, from, colour := h.place(o.Line), "reader "+o.Name, h.colours.output(o.Name)
		if o.ActiveLow {
			h.convert(at, o.Name, from, colour)
		} else {
			h.add(connection{pin: at, label: o.Name, colour: colour, from: from, via: "transistor", point: o.Name})
		}
	}
	return h
}

func (h *harness) add(c connection) { h.all = append(h.all, c) }

func (h *harness) pin(name string) board.Pin {
	found, ok := h.Board.Pin(name)
	if !ok {
		h.err = cmp.Or(h.err, fmt.Errorf("the %s has no pin %s", h.Board.Name, name))
	}
	return found
}

func (h *harness) place(line string) board.Pin {
	found, err := h.Board.Place(line)
	h.err = cmp.Or(h.err, err)
	return found
}

// convert adds a wire through the converter's next channel.
func (h *harness) convert(at board.Pin, label, from, colour string) {
	h.channels++
	point := channel("LV", h.channels)
	via := fmt.Sprintf("HV%d to %s", (h.channels-1)%4+1, point)
	if h.Divider && h.channels <= h.signals {
		via = "10k / 20k"
	}
	h.add(connection{pin: at, label: label, colour: colour, from: from, via: via, point: point, channel: h.channels})
}

// terminal is where a wire to the board begins at the reader: a line of its own.
type terminal struct {
	label, colour string
	at            board.Pin
}

// headerPorts are serial ports whose pins are on the header; others are adapters'.
var headerPorts = []string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0", "/dev/ttyS4", "/dev/ttyO4"}

// dataLines is whether the reader has the two data lines.
func (p *Plan) dataLines() bool { return p.Kind == "" || p.Kind == "wiegand" }

// wired is whether the reader is connected to the header, not to a USB socket.
func (p *Plan) wired() bool {
	return p.dataLines() || p.Kind == "serial" && slices.Contains(headerPorts, p.Port)
}

// terminals are the reader's signals.
func (h *harness) terminals() []terminal {
	switch {
	case !h.wired():
		return nil
	case h.Kind == "serial" && h.Board.Supplies.RX == "":
		h.err = cmp.Or(h.err, fmt.Errorf("which pin of the %s is the serial port's RX is not known: use a USB serial adapter", h.Board.Name))
		return nil
	case h.Kind == "serial":
		return []terminal{{"TX", h.colours.own("reader TX"), h.pin(h.Board.Supplies.RX)}}
	}
	return []terminal{{"DATA0", h.colours.Data0, h.place(h.line(0))}, {"DATA1", h.colours.Data1, h.place(h.line(1))}}
}

// converts is whether a level converter is needed: by the reader, or by a display
// that runs on 5 V.
func (p *Plan) converts() bool {
	shifted := p.Display != "hd44780-gpio" && len(p.displayPoints()) > 0
	return !p.Divider && (p.wired() || shifted)
}

// feed adds a wire to a pin of the supplies, if the header has one.
func (h *harness) feed(pin string, c connection) {
	if pin == "" {
		return
	}
	c.pin = h.pin(pin)
	h.add(c)
}

func (h *harness) connectReader() {
	s, c := h.Board.Supplies, h.colours
	plus := connection{label: "reader +", colour: c.Power, from: "reader +", via: "HV", point: "HV"}
	ground := connection{label: "reader ground", colour: c.Ground, from: "reader ground", via: "GND", point: "GND"}
	if !h.wired() {
		plus.label, plus.from = "converter HV", "converter HV"
		ground.label, ground.from = "converter GND", "converter GND"
	}
	if h.Divider {
		plus.via, ground.via = "-", "-"
	} else if h.converts() {
		h.feed(s.Logic, connection{label: "converter LV", colour: c.own("converter LV"), from: "converter LV", via: "LV", point: "LV"})
	}
	if h.wired() || h.converts() {
		h.feed(s.ReaderPlus, plus)
		h.feed(s.Ground, ground)
	}
	terminals := h.terminals()
	h.signals = len(terminals)
	for _, t := range terminals {
		h.convert(t.at, t.label, "reader "+t.label, t.colour)
	}
}

// connectDisplay connects the display. One that runs on 5 V gets its signals
// through the converter too, because an I2C backpack pulls them up to 5 V. An
// HD44780 takes 3.3 V signals, and never answers with its R/W on ground.
func (h *harness) connectDisplay() {
	wire := func(label, point, colour string) connection {
		return connection{label: "display " + label, colour: colour, from: "display " + point, via: "-", point: "display " + point}
	}
	points, s := h.displayPoints(), h.Board.Supplies
	if len(points) == 0 {
		return
	}
	h.feed(s.DisplayPlus, wire("5 V", "VCC", h.colours.own("display 5 V")))
	h.feed(s.DisplayGround, wire("ground", "GND", h.colours.own("display ground")))
	lines := map[string]board.Pin{}
	for _, l := range h.DisplayLines {
		lines[l.Point] = h.place(l.Line)
	}
	for point, pin := range map[string]string{"SDA": s.SDA, "SCL": s.SCL, "RX": s.TX} {
		if h.Display != "hd44780-gpio" && slices.Contains(points, point) {
			lines[point] = h.pin(pin)
		}
	}
	for _, point := range points {
		c := wire(point, point, h.colours.own("display "+point))
		if h.Divider || h.Display == "hd44780-gpio" {
			c.pin = lines[point]
			h.add(c)
		} else {
			h.convert(lines[point], c.label, c.from, c.colour)
		}
	}
}

// displayPoints are the terminals of the display's signals; none for a display
// that is not wired to the header.
func (p *Plan) displayPoints() (points []string) {
	switch p.Display {
	case "hd44780-i2c":
		return []string{"SDA", "SCL"}
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		return []string{"RX"}
	case "hd44780-gpio":
		for _, l := range p.DisplayLines {
			points = append(points, l.Point)
		}
	}
	return points
}

// channel is the name of a converter's channel on one side, "LV1". A converter
// has four channels, so the fifth is the first of a second converter.
func channel(side string, n int) string {
	if n > 4 {
		return fmt.Sprintf("%s%d (2nd)", side, (n-1)%4+1)
	}
	return fmt.Sprintf("%s%d", side, n)
}

// switches is how many outputs go through a transistor.
func (p *Plan) switches() (n int) {
	for _, o := range p.Outputs {
		if !o.ActiveLow {
			n++
		}
	}
	return n
}

func (p *Plan) line(i int) string {
	return cmp.Or(p.Data[i], []string{p.Board.Data0, p.Board.Data1}[i])
}

// Adapt prepares the plan for the picture of a board that the configuration was
// not written for: a data line that is not on its header becomes the board's
// usual one, any other is left out. It returns the missing lines.
func (p *Plan) Adapt() (missing []string) {
	gone := func(line string) bool {
		_, err := p.Board.Place(line)
		if err != nil {
			missing = append(missing, line)
		}
		return err != nil
	}
	for i := range p.Data {
		if p.dataLines() && gone(p.line(i)) {
			p.Data[i] = ""
		}
	}
	p.Outputs = slices.DeleteFunc(p.Outputs, func(o Output) bool { return gone(o.Line) })
	p.DisplayLines = slices.DeleteFunc(p.DisplayLines, func(l DisplayLine) bool { return gone(l.Line) })
	return missing
}

// Site is how remedies name the parts of this plan.
func (p *Plan) Site() board.Site {
	s := board.Site{Colours: p.Colours, Divider: p.Divider}
	for i := range s.Pins {
		if at, err := p.Board.Place(p.line(i)); err == nil {
			s.Pins[i] = fmt.Sprintf("%s (header pin %s)", at.Signal, at.Name)
		}
	}
	var ground, logic []string
	at, _ := p.Board.Place(p.line(0))
	near, _, _ := at.Position()
	for _, pin := range p.Board.Pins {
		header, _, _ := pin.Position()
		switch {
		case header != near:
		case pin.Signal == "GND":
			ground = append(ground, pin.Name)
		case pin.Signal == "3V3":
			logic = append(logic, pin.Name)
		}
	}
	s.GroundPins, s.LogicPins = oneOf(ground[:min(5, len(ground))]), oneOf(logic)
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
