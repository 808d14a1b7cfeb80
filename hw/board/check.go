package board

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Check is what the board's table says of the lines, also without the board: where
// each is on the header, and of each what is wrong, nil if nothing is. ports are the
// serial ports that the configuration uses.
//
// The pins of I2C are refused whether or not a display is on the bus: a Raspberry
// Pi has fixed pull-ups of 1.8 kΩ there (bcm2835 data sheet and schematics), and a
// Beagle's device tree gives the pins to the bus.
func (b *Board) Check(wanted []Wanted, ports []string) (text string, wrong []error) {
	var out strings.Builder
	wrong = make([]error, len(wanted))
	taken := map[string]string{}
	for i, w := range wanted {
		p, err := b.Place(w.Name)
		if b.here { // Survey says which lines there are, by all their names
			l, missing := b.Lookup(w.Name)
			if p, err = l.pin, nil; missing != nil || p.Name == "" {
				continue
			}
		}
		switch {
		case err != nil && b.elsewhere(w.Name):
			fmt.Fprintf(&out, "note: %s: only the board itself can tell what line %q is\n", w.Role, w.Name)
			continue
		case err != nil:
			wrong[i] = err
			continue
		case taken[p.Name] != "":
			wrong[i] = refuse(w.Name, b.otherPin(wanted), "header pin %s is %s already", p.Name, taken[p.Name])
			continue
		}
		taken[p.Name] = w.Role
		switch {
		case strings.HasPrefix(p.Use, "I2C"):
			wrong[i] = refuse(w.Name, b.otherPin(wanted), "header pin %s is the I2C bus's own (%s)", p.Name, p.Use)
		case b.onPort(p, ports) != "":
			wrong[i] = refuse(w.Name, b.otherPin(wanted), "header pin %s is %s, which the configuration uses as %s", p.Name, p.Use, b.onPort(p, ports))
		default:
			fmt.Fprintf(&out, "%s = %s = header pin %s\n", w.Role, p.Signal, p.Name)
			if p.Use != "" {
				fmt.Fprintf(&out, "  note: the board may use it: %s\n", p.Use)
			}
		}
	}
	return out.String(), wrong
}

// elsewhere reports whether a name may mean a line of a chip that is not the
// header's, such as an expander's: it names that chip, or is like no line of the
// header.
func (b *Board) elsewhere(name string) bool {
	if known, err := b.translate(name); err == nil {
		if chip, _, ok := cutLast(known, ":"); ok {
			_, header := b.chip(chip)
			return !header && !slices.Contains(piLabels, chip)
		}
		return !lineLike.MatchString(known) && b.nearLine(known) == b.example()
	}
	return false
}

// lineLike is what a header's lines are called on some board.
var lineLike = regexp.MustCompile(`^(?i:(pin|gpio|p[0-9]|gp)[ _.:-]?[0-9]|[35]v|pin)`)

// otherPin proposes free pins.
func (b *Board) otherPin(wanted []Wanted) string {
	taken := func(p Pin) bool {
		return slices.ContainsFunc(wanted, func(w Wanted) bool { at, err := b.Place(w.Name); return err == nil && at.Name == p.Name })
	}
	var free []string
	for _, p := range b.Pins {
		if p.line() && p.Use == "" && !taken(p) {
			free = append(free, p.Signal)
		}
	}
	return fmt.Sprintf("take a free pin: %s …; `stump wiring --board %s` draws the header", strings.Join(free[:min(5, len(free))], ", "), b.Key)
}

// onPort is the port, of those that are used, whose signal is on a pin.
func (b *Board) onPort(p Pin, ports []string) string {
	uart, _, _ := strings.Cut(p.Use, " ")
	i := slices.IndexFunc(ports, func(port string) bool { return strings.HasPrefix(uart, "UART") && b.uart(port) == uart })
	if i < 0 {
		return ""
	}
	return ports[i]
}

// ttyNumber is the number of a processor's own serial port.
var ttyNumber = regexp.MustCompile(`^/dev/tty[SO]([0-9])$`)

// uart is what the table calls the pins of a serial port. On a Raspberry Pi the
// header's port has three names, by model and kernel.
func (b *Board) uart(port string) string {
	m := ttyNumber.FindStringSubmatch(port)
	switch {
	case b.Family == RaspberryPi && slices.Contains([]string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"}, port):
		return "UART"
	case b.Family == BeagleBone && m != nil:
		return "UART" + m[1]
	}
	return ""
}
