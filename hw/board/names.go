package board

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"stump/internal/hint"
)

// ByName returns a board by its short name, or by another that people give it:
// "cm4", "compute-module-4", "Raspberry Pi 4 Model B", "rpi4", "pi4b". Case, blanks
// and hyphens don't count.
func ByName(name string) (*Board, error) {
	all := All()
	for _, b := range all {
		for _, known := range b.names() {
			if plain(known) == plain(name) {
				return b, nil
			}
		}
	}
	return nil, hint.Errorf(nearBoard(name, all), "there is no board %q", name)
}

func (b *Board) names() []string { return append([]string{b.Key, b.Name}, b.others...) }

// nearBoard proposes the board that was probably meant, or all.
func nearBoard(name string, all []*Board) string {
	for _, form := range []func(string) string{strings.ToLower, plain} {
		var known []string
		of := map[string]*Board{}
		for _, b := range all {
			for _, n := range b.names() {
				known, of[form(n)] = append(known, form(n)), b
			}
		}
		if near := of[hint.Nearest(form(name), known)]; near != nil {
			return fmt.Sprintf("did you mean %s, the %s?", near.Key, near.Name)
		}
	}
	return "use one of " + strings.Join(Keys(), ", ")
}

// plain is a board's name without what people leave out or write in other ways.
func plain(name string) string {
	name = strings.NewReplacer("+", "plus", "model", "", "compute module", "cm", "compute-module", "cm", "computemodule", "cm").Replace(strings.ToLower(name))
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
	for _, maker := range []string{"raspberrypi", "raspberry", "raspi", "rpi", "pi"} {
		if rest, ok := strings.CutPrefix(name, maker); ok && rest != "" {
			return rest
		}
	}
	return name
}

// CheckName refuses a line that is wrong on whatever board, by how it is written.
func CheckName(name string) error {
	const forms = `write a line name ("GPIO17", "P9_12"), a header pin ("pin 11"), or chip and line ("pinctrl-bcm2711:17")`
	name = strings.TrimSpace(name)
	if name == "" || strings.EqualFold(name, "pin") {
		return hint.Wrap(errors.New("the line is missing"), forms)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return refuse(name, forms, "no line is called so")
	}
	if _, err := strconv.Atoi(name); err == nil {
		return refuse(name, fmt.Sprintf("write \"GPIO%s\" or \"pin %s\": they are different pins", name, name), "a bare number can be a header pin or a GPIO")
	}
	if m := dotted.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[1])
		remedy := fmt.Sprintf("write \"GPIO%d\" if Broadcom's number is meant", n)
		if gpio, ok := wiringPi(n); ok {
			remedy = fmt.Sprintf("write \"GPIO%d\" if wiringPi's number is meant, \"GPIO%d\" if Broadcom's is", gpio, n)
		}
		return refuse(name, remedy, "wiringPi calls its pin %d so, and others GPIO%[1]d", n)
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		const chip = `write chip and line as in "pinctrl-bcm2711:17"`
		if n, err := strconv.Atoi(name[i+1:]); err != nil || n < 0 {
			return refuse(name, chip, "%q is not a line number", name[i+1:])
		}
		if i == 0 {
			return refuse(name, chip, "the chip is missing")
		}
	}
	return nil
}

// dotted is a line as `gpio readall` prints it.
var dotted = regexp.MustCompile(`^(?i:gpio) ?\. ?([0-9]+)$`)

// wiringPiGPIO are the GPIOs of wiringPi's pins on a header of 40 pins (wiringPi.c,
// pinToGpioR2). Pins 17 to 20 are on a connector that only the first boards have.
var wiringPiGPIO = []int{
	17, 18, 27, 22, 23, 24, 25, 4, 2, 3, 8, 7, 10, 9, 11, 14, 15, -1, -1, -1, -1,
	5, 6, 13, 19, 26, 12, 16, 20, 21, 0, 1,
}

func wiringPi(n int) (gpio int, ok bool) {
	if n >= len(wiringPiGPIO) || wiringPiGPIO[n] < 0 {
		return 0, false
	}
	return wiringPiGPIO[n], true
}

// schemes are how other programs and books write a line of each family.
var schemes = []struct {
	family Family
	form   *regexp.Regexp
	number string // what the number after the word is
}{
	{RaspberryPi, regexp.MustCompile(`^(?i:bcm|broadcom|board\.d|d)[ _.:#-]?([0-9]+)$`), "bcm"},
	{RaspberryPi, regexp.MustCompile(`^(?i:gpio)[ _.:#-]?([0-9]+)$`), "gpio"},
	{RaspberryPi, regexp.MustCompile(`^(?i:wpi|wiringpi)[ _.:#-]*([0-9]+)$`), "wiringPi"},
	{RaspberryPi, regexp.MustCompile(`^(?i:j8|p1|board|physical|phys|header|header pin)[ _.:#-]*([0-9]+)$`), "pin"},
	{RaspberryPi, regexp.MustCompile(`^(?i:pin)[_.:#-]([0-9]+)$`), "pin"},
	{BeagleBone, regexp.MustCompile(`^(?i:gpio) ?([0-9])[ _.:\[-]([0-9]{1,3})\]?$`), "bank"},
	{BeagleBone, regexp.MustCompile(`^(?i:gpio)[ _.-]?([0-9]+)$`), "sysfs"},
}

// chipThenLine is a line as libgpiod's tools take it.
var chipThenLine = regexp.MustCompile(`^(/dev/gpiochip[0-9]+|gpiochip[0-9]+)[ /]+([0-9]+)$`)

// translate writes a line of another scheme as this program does. It refuses a
// name that is certainly of another family, or that could be two lines.
func (b *Board) translate(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if m := chipThenLine.FindStringSubmatch(name); m != nil {
		return m[1] + ":" + m[2], nil
	}
	name = unpad(name)
	if _, ok := b.Pin(name); ok {
		return name, nil
	}
	for _, s := range schemes {
		m := s.form.FindStringSubmatch(name)
		switch {
		case m == nil:
		case s.family == b.Family:
			return b.inScheme(name, s.number, m[1:])
		case b.Family == BeagleBone && s.number != "gpio": // a Beagle has GPIO numbers, too
			return "", refuse(name, b.example(), "that is a name of a Raspberry Pi's line, and this is the %s", b)
		}
	}
	if b.Family == RaspberryPi && headerPin.MatchString(name) && !strings.HasPrefix(strings.ToUpper(name), "P1_") {
		return "", refuse(name, b.example(), "that is a pin of a BeagleBone, and this is the %s", b)
	}
	return name, nil
}

// example says how this board's usual lines are written.
func (b *Board) example() string {
	if b.Data0 == "" {
		return `write a line name, or chip and line as in "gpiochip0:17"`
	}
	return fmt.Sprintf("its lines are written as in %q and %q; `stump wiring` draws its header", b.Data0, b.Data1)
}

func (b *Board) inScheme(name, number string, found []string) (string, error) {
	n, _ := strconv.Atoi(found[0])
	switch number {
	case "pin":
		return fmt.Sprintf("pin %d", n), nil
	case "bank":
		return fmt.Sprintf("gpio%d_%s", n, found[1]), nil
	case "sysfs":
		remedy := b.example()
		if p, ok := b.at(n/b.lines, n%b.lines); ok && b.lines == am335xLines {
			remedy = fmt.Sprintf("if it is the kernel's number, write %q (header pin %s); %s", p.Signal, p.Name, remedy)
		}
		return "", refuse(name, remedy, "a %s has no such line", b.Name)
	case "wiringPi":
		gpio, ok := wiringPi(n)
		if !ok {
			return "", refuse(name, b.example(), "wiringPi has no such pin on this board")
		}
		// On the first board wiringPi's pins are at the same places of the header.
		if p, ok := b.atPlaceOf(gpio); ok {
			gpio = p.offset
		}
		return fmt.Sprintf("GPIO%d", gpio), nil
	}
	return fmt.Sprintf("GPIO%d", n), nil
}

// atPlaceOf returns the pin that is where later boards have this GPIO.
func (b *Board) atPlaceOf(gpio int) (Pin, bool) {
	i := slices.Index(piHeader, strconv.Itoa(gpio))
	if i < 0 || i >= len(b.Pins) {
		return Pin{}, false
	}
	return b.Pins[i], b.Pins[i].line()
}

// headerPin is a pin of a named header: P9_12, P8.07, p9-12, P1:31.
var headerPin = regexp.MustCompile(`^(?i:(P[0-9]|GP[01]|I2C|UT1|GPS))[_.: -]0*([0-9]+[AaBb]?)$`)

// unpad writes a pin of a named header as the table does: P8_07 and p8.7 are P8_7.
func unpad(name string) string {
	if m := headerPin.FindStringSubmatch(name); m != nil {
		return strings.ToUpper(m[1] + "_" + m[2])
	}
	return name
}
