package board

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"stump/gpio"
)

// Line is what a name in the configuration turned out to be.
type Line struct {
	Chip     gpio.ChipInfo
	Offset   int
	Name     string // the kernel's line name; empty when it has none
	Pin      Pin    // on the header; its Name is empty when it is not there, or the board is unknown
	Used     bool   // somebody has it
	Consumer string // who, as they call themselves
	address  string
	signal   string // GPIO22, gpio1_28; else what the kernel calls it
}

// String is the line in every notation that is known:
// "GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-bcm2711)".
func (l Line) String() string {
	var names []string
	add := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	if l.signal != "" {
		add("%s", l.signal)
	}
	if l.Pin.Name != "" {
		add("header pin %s", l.Pin.Name)
	}
	if l.address != "" && strings.HasPrefix(l.Chip.Label, "gpio-") {
		// These labels follow the order of probing: the address says more.
		add("%s line %d (%s at %s)", l.Chip.Name, l.Offset, l.Chip.Label, l.address)
	} else {
		add("%s line %d (%s)", l.Chip.Name, l.Offset, l.Chip.Label)
	}
	if named(l.Name) && baseName(l.Name) != l.signal && baseName(l.Name) != l.Pin.Name {
		add("%q", l.Name)
	}
	return strings.Join(names, " = ")
}

// GPIO is the line for a request.
func (l Line) GPIO() gpio.Line {
	return gpio.Line{Chip: l.Chip.Path, Offset: l.Offset, Name: l.String()}
}

// lookupError says why a name means no line, or more than one.
type lookupError struct {
	Name  string
	Why   string
	Found []Line // more than one
	hint  string
	err   error
}

// Error says what is wrong.
func (e *lookupError) Error() string {
	s := fmt.Sprintf("line %q: %s", e.Name, e.Why)
	for _, l := range e.Found {
		s += "\n  " + l.String()
	}
	return s
}

// Hint says what to do.
func (e *lookupError) Hint() string { return e.hint }

// Unwrap is the reason why chips could not be read, if that is why.
func (e *lookupError) Unwrap() error { return e.err }

// Lookup finds the line that a name means on a board. A name is a line name
// ("GPIO17", "P9_12"), a header pin ("pin 11", "pin P9_12"), or a chip and a
// line number ("pinctrl-bcm2711:17", "gpiochip0:17", "4804c000:28"). A name
// that means more than one line is refused.
func (b *Board) Lookup(name string) (Line, error) {
	chips, scanErr := b.host.scan()
	l, err := lookup(chips, b, name)
	if err == nil {
		return l, nil
	}
	// What could not be read may be the chip that was meant.
	if e, ok := err.(*lookupError); ok && scanErr != nil && len(e.Found) == 0 && e.hint == "" {
		e.err, e.hint = scanErr, gpio.Hint(scanErr)
		switch {
		case errors.Is(scanErr, fs.ErrPermission):
			e.Why = "GPIO chips may not be read: " + scanErr.Error()
		case len(chips) == 0:
			e.Why = scanErr.Error()
		}
	}
	return Line{}, err
}

// lookup decides by the form of the name.
func lookup(chips []*chip, b *Board, name string) (Line, error) {
	name = strings.TrimSpace(name)
	if pin, ok := cutPin(name); ok {
		return byPin(chips, b, name, pin)
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		return byOffset(chips, b, name, name[:i], name[i+1:])
	}
	if _, err := strconv.Atoi(name); err == nil {
		return Line{}, &lookupError{
			Name: name, Why: "a bare number can be a header pin or a GPIO",
			hint: fmt.Sprintf("write \"GPIO%s\" or \"pin %s\": they are different pins", name, name),
		}
	}
	return byName(chips, b, name)
}

// cutPin takes a header pin out of "pin 11" or "pin P9_12".
func cutPin(name string) (pin string, ok bool) {
	word, pin, ok := strings.Cut(name, " ")
	return strings.TrimSpace(pin), ok && strings.EqualFold(word, "pin")
}

// byPin finds a pin of the header.
func byPin(chips []*chip, b *Board, name, pin string) (Line, error) {
	if len(b.Pins) == 0 {
		return Line{}, &lookupError{
			Name: name, Why: fmt.Sprintf("the header of %s is not known", b),
			hint: "use a line name, or chip and line as in \"gpiochip0:17\"; `stump config check --board` lists the chips",
		}
	}
	pin = unpad(pin)
	p, ok := b.Pin(pin)
	if _, split := b.Pin(pin + "A"); !ok && split {
		return byName(chips, b, pin)
	}
	if !ok {
		return Line{}, &lookupError{
			Name: name, Why: fmt.Sprintf("%s has no such pin", b),
			hint: fmt.Sprintf("its pins are %s to %s", b.Pins[0].Name, b.Pins[len(b.Pins)-1].Name),
		}
	}
	if !p.Line() {
		e := &lookupError{Name: name, Why: fmt.Sprintf("header pin %s is %s, not a line", p.Name, p.Signal)}
		if meant, ok := b.BySignal("GPIO" + p.Name); ok {
			e.hint = fmt.Sprintf("if GPIO%s is meant, write \"GPIO%s\": it is header pin %s", p.Name, p.Name, meant.Name)
		}
		return Line{}, e
	}
	return onBoard(chips, b, name, p.Bank, p.Offset)
}

// byOffset finds a line by its chip and number.
func byOffset(chips []*chip, b *Board, name, word, number string) (Line, error) {
	offset, err := strconv.Atoi(number)
	if err != nil || offset < 0 {
		return Line{}, &lookupError{
			Name: name, Why: fmt.Sprintf("%q is not a line number", number),
			hint: "write chip and line as in \"pinctrl-bcm2711:17\"",
		}
	}
	var found []Line
	for _, c := range chips {
		if !c.is(word) {
			continue
		}
		if offset >= c.Lines {
			return Line{}, &lookupError{
				Name: name, Why: fmt.Sprintf("%s has lines 0 to %d", c, c.Lines-1),
				hint: "correct the line number",
			}
		}
		found = append(found, c.line(b, offset))
	}
	if len(found) == 0 {
		return Line{}, &lookupError{Name: name, Why: fmt.Sprintf("no chip %q; there is %s", word, list(chips))}
	}
	return one(name, found)
}

// byName finds a line by its kernel name, whole or without what follows a
// space ("P9_22 [spi0_sclk]"); then by what the board's header calls it.
func byName(chips []*chip, b *Board, name string) (Line, error) {
	name = unpad(name)
	for _, same := range []func(string) bool{
		func(s string) bool { return s == name },
		func(s string) bool { return strings.EqualFold(baseName(s), name) },
	} {
		if found := search(chips, b, same); len(found) > 0 {
			return one(name, found)
		}
	}
	if bank, offset, ok := b.position(name); ok {
		return onBoard(chips, b, name, bank, offset)
	}
	// Two balls of the processor on one pin: either will do, so none is right.
	var split []Line
	for _, end := range []string{"A", "B"} {
		if p, ok := b.Pin(name + end); ok {
			if l, err := onBoard(chips, b, name, p.Bank, p.Offset); err == nil {
				split = append(split, l)
			}
		}
	}
	if len(split) > 0 {
		return one(name, split)
	}
	return Line{}, &lookupError{Name: name, Why: fmt.Sprintf("no chip has a line of this name; there is %s", list(chips))}
}

// search returns all lines whose name fits.
func search(chips []*chip, b *Board, fits func(string) bool) (found []Line) {
	for _, c := range chips {
		for _, l := range c.lines {
			if named(l.Name) && fits(l.Name) {
				found = append(found, c.line(b, l.Offset))
			}
		}
	}
	return found
}

// one insists that there is one.
func one(name string, found []Line) (Line, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	return Line{}, &lookupError{
		Name: name, Why: fmt.Sprintf("%d lines are called so", len(found)), Found: found,
		hint: fmt.Sprintf("say which, by chip and line: \"%s:%d\"", found[0].Chip.Name, found[0].Offset),
	}
}

var boneSignal = regexp.MustCompile(`^(?i:gpio)([0-3])_([0-9]|[12][0-9]|3[01])$`)

// position is where the board has a line that its header, or its maker, calls
// by this name, whatever the kernel calls it.
func (b *Board) position(name string) (bank, offset int, ok bool) {
	switch b.Family {
	case RaspberryPi:
		// As periph and wiringPi users write it, with or without a header pin.
		var g int
		if n, _ := fmt.Sscanf(strings.ToUpper(name), "GPIO%d", &g); n == 1 && fmt.Sprintf("GPIO%d", g) == strings.ToUpper(name) && g < 28 {
			return 0, g, true
		}
		// Kernels for the Pi 5 of late 2023 named lines after pins: PIN11.
		if pin, ok := b.Pin(strings.TrimPrefix(strings.ToUpper(name), "PIN")); ok && pin.Line() {
			return pin.Bank, pin.Offset, true
		}
	case BeagleBone:
		if p, ok := b.Pin(name); ok && p.Line() {
			return p.Bank, p.Offset, true
		}
		if m := boneSignal.FindStringSubmatch(name); m != nil {
			bank, _ = strconv.Atoi(m[1])
			offset, _ = strconv.Atoi(m[2])
			return bank, offset, true
		}
	}
	return 0, 0, false
}

// onBoard finds a line by its place on the board: the chip by what it is.
func onBoard(chips []*chip, b *Board, name string, bank, offset int) (Line, error) {
	var found []Line
	for _, c := range chips {
		if i, ok := b.bank(c); ok && i == bank && offset < c.Lines {
			found = append(found, c.line(b, offset))
		}
	}
	if len(found) == 0 {
		return Line{}, &lookupError{
			Name: name, Why: fmt.Sprintf("the chip of the header is not there; there is %s", list(chips)),
		}
	}
	return one(name, found)
}

// bank tells whether a chip is one of the header's, and which.
func (b *Board) bank(c *chip) (int, bool) {
	switch b.Family {
	case RaspberryPi:
		return 0, slices.Contains(piLabels, c.Label)
	case BeagleBone:
		i := slices.Index(bankAddress[:], c.address)
		return i, i >= 0
	}
	return 0, false
}

// line describes a line of the chip.
func (c *chip) line(b *Board, offset int) Line {
	info := c.lines[offset]
	l := Line{
		Chip: c.ChipInfo, Offset: offset, Name: info.Name, Used: info.Used, Consumer: info.Consumer,
		address: c.address,
	}
	if named(info.Name) {
		l.signal = baseName(info.Name)
	}
	bank, ok := b.bank(c)
	if !ok {
		return l
	}
	l.Pin, _ = b.at(bank, offset)
	switch b.Family {
	case RaspberryPi:
		if offset < 28 {
			l.signal = fmt.Sprintf("GPIO%d", offset)
		}
	case BeagleBone:
		l.signal = fmt.Sprintf("gpio%d_%d", bank, offset)
	}
	return l
}

// named reports whether a kernel's line name names anything: unused lines are
// called "-" on a Pi 5 and "NC" in many device trees.
func named(s string) bool {
	return s != "" && s != "-" && s != "?" && s != "NC" && s != "[NC]" && s != "unnamed"
}

// baseName is a line name without the function in brackets.
func baseName(s string) string {
	if i := strings.IndexAny(s, " ["); i > 0 {
		return s[:i]
	}
	return s
}

var padded = regexp.MustCompile(`^(?i:(p[89]))[_.]0*([0-9]+[AaBb]?)$`)

// unpad writes a BeagleBone's pin as its kernel does: P8_07 and p8.7 are P8_7.
func unpad(name string) string {
	if m := padded.FindStringSubmatch(name); m != nil {
		return strings.ToUpper(m[1] + "_" + m[2])
	}
	return name
}

// list names the chips that are there.
func list(chips []*chip) string {
	if len(chips) == 0 {
		return "no GPIO chip at all"
	}
	var names []string
	for _, c := range chips {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}
