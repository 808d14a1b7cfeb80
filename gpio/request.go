package gpio

import "fmt"

// maxBuffer is the most events that the kernel keeps for a request
// (GPIO_V2_LINES_MAX * 16); when they are full the oldest is dropped.
const maxBuffer = 1024

// Line says which line is meant, and what to call it.
type Line struct {
	Chip   string // path of the chip, "/dev/gpiochip0"
	Offset int    // number of the line on the chip
	// Name is every notation of the line, "GPIO17 = header pin 11 = gpiochip0
	// line 17 (pinctrl-bcm2711)"; empty: chip and offset stand for it.
	Name string
}

// String is how the line is printed to people.
func (l Line) String() string {
	if l.Name != "" {
		return l.Name
	}
	return fmt.Sprintf("%s line %d", l.Chip, l.Offset)
}

// ParseBias reads a bias as the configuration spells it: "", "as-is",
// "pull-up", "pull-down" or "off".
func ParseBias(s string) (Bias, error) {
	switch s {
	case "", BiasAsIs.String():
		return BiasAsIs, nil
	case BiasPullUp.String():
		return BiasPullUp, nil
	case BiasPullDown.String():
		return BiasPullDown, nil
	case BiasDisabled.String():
		return BiasDisabled, nil
	}
	return 0, fmt.Errorf("no bias %q: use as-is, pull-up, pull-down or off", s)
}

// String is the configuration's spelling.
func (b Bias) String() string {
	switch b {
	case BiasPullUp:
		return "pull-up"
	case BiasPullDown:
		return "pull-down"
	case BiasDisabled:
		return "off"
	}
	return "as-is"
}

// Request says how Open takes a reader's two data lines.
type Request struct {
	// Data0 and Data1 are the lines. On one chip they go into one request of
	// the kernel, which then numbers their edges together. On two chips (the
	// banks of a BeagleBone) their edges are merged by time stamp, and two
	// edges that the interrupt controller melted into one leave no gap in the
	// numbers: prefer two pins of one bank.
	Data0, Data1 Line
	// Consumer is what others see as the holder of the lines, at most 31
	// bytes; empty is "stump".
	Consumer string
	// BothEdges asks for rising edges too, for pulse widths in scope and
	// self-test. It doubles the interrupts; a daemon in service wants false.
	BothEdges bool
	// ActiveLow is for a stage that inverts, such as a transistor: the lines
	// idle low and pulse high. Edges and levels are then the inverted ones.
	ActiveLow bool
	// Bias is the board's own pull. Some boards (BeagleBone) accept one and
	// ignore it: their pulls come from the device tree.
	Bias Bias
	// Buffer is how many events the kernel keeps for us, up to 1024, which 0
	// stands for. It covers the time in which this process does not run.
	Buffer int
}

// Drive is how an output line makes its two levels.
type Drive uint8

// The drives. A reader's control wire idles at 5 V: never push-pull straight
// into a pin, always a transistor (PushPull, active high) or a channel of a
// level converter (OpenDrain, active low).
const (
	PushPull   Drive = iota
	OpenDrain        // pulls low, or lets go
	OpenSource       // pulls high, or lets go
)

// OutputRequest says how OpenOutput takes a line.
type OutputRequest struct {
	Line
	Consumer  string // as in Request
	ActiveLow bool   // on is the low level
	Drive     Drive
}
