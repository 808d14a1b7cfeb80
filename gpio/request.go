package gpio

import (
	"fmt"
	"slices"
)

// maxBuffer is the most events that the kernel keeps for a request
// (GPIO_V2_LINES_MAX * 16); when they are full the oldest is dropped.
const maxBuffer = 1024

// Line says which line is meant, and what to call it.
type Line struct {
	Chip   string // path of the chip, "/dev/gpiochip0"
	Offset int    // number of the line on the chip
	// Name is every notation of the line, "GPIO17 = header pin 11 = gpiochip0
	// line 17 (pinctrl-bcm2711)"; when empty, chip and offset are the name.
	Name string
}

// String is how the line is printed to people.
func (l Line) String() string {
	if l.Name != "" {
		return l.Name
	}
	return fmt.Sprintf("%s line %d", l.Chip, l.Offset)
}

// Bias is the board's own pull on an input line.
type Bias uint8

const (
	BiasAsIs     Bias = iota // whatever the line has
	BiasDisabled             // no pull
	BiasPullUp               // towards 3.3 V
	BiasPullDown             // towards ground
)

var biasNames = [...]string{BiasAsIs: "as-is", BiasDisabled: "off", BiasPullUp: "pull-up", BiasPullDown: "pull-down"}

// ParseBias reads a bias as the configuration spells it: "as-is" or "",
// "pull-up", "pull-down" or "off".
func ParseBias(s string) (Bias, error) {
	i := slices.Index(biasNames[:], s)
	if i < 0 && s != "" {
		return 0, fmt.Errorf("no bias %q: use as-is, pull-up, pull-down or off", s)
	}
	return Bias(max(i, 0)), nil
}

// String is the configuration's spelling.
func (b Bias) String() string { return biasNames[b] }

// Request says how Open acquires a reader's two data lines.
type Request struct {
	// Data0 and Data1 are the lines. On one chip they go into one request of
	// the kernel, which then numbers their edges together. On two chips (the
	// banks of a BeagleBone) their edges are merged by time stamp, and two
	// edges that the interrupt controller reported as one leave no gap in the
	// numbers: prefer two pins of one bank.
	Data0, Data1 Line
	// Consumer is what others see as the holder of the lines, at most 31
	// bytes; empty is "stump".
	Consumer string
	// ActiveLow is for a stage that inverts, such as a transistor: the lines
	// idle low and pulse high. Edges and levels are then the inverted ones.
	ActiveLow bool
	// Bias is the board's own pull. Some boards (BeagleBone) accept one and
	// ignore it: their pulls come from the device tree.
	Bias Bias
}

// OutputRequest says how OpenOutput acquires a line.
type OutputRequest struct {
	Line
	Consumer  string // as in Request
	ActiveLow bool   // on is the low level
	// OpenDrain pulls the line low or leaves it alone; otherwise it is driven
	// both ways. A reader's control wire idles at 5 V: never connect it straight
	// to a pin, but through a transistor (driven, active high) or a channel of a
	// level converter (open drain, active low).
	OpenDrain bool
}
