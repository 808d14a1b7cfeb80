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
	"stump/internal/hint"
)

// Line is the line that a name in the configuration means.
type Line struct {
	chip   *chip
	info   gpio.LineInfo
	pin    Pin    // its Name is empty when the line is not on a known header
	signal string // GPIO22, gpio1_28; else what the kernel calls it
}

// String is the line in every notation that is known:
// "GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-bcm2711)".
func (l Line) String() string {
	var names []string
	if l.signal != "" {
		names = append(names, l.signal)
	}
	if l.pin.Name != "" {
		names = append(names, "header pin "+l.pin.Name)
	}
	label := l.chip.Label
	if l.chip.address != "" && strings.HasPrefix(label, "gpio-") {
		label += " at " + l.chip.address // such a label depends on the order of probing
	}
	names = append(names, fmt.Sprintf("%s line %d (%s)", l.chip.Name, l.info.Offset, label))
	if base := baseName(l.info.Name); named(l.info.Name) && base != l.signal && unpad(base) != l.pin.Name {
		names = append(names, strconv.Quote(l.info.Name))
	}
	return strings.Join(names, " = ")
}

// GPIO is the line for a request.
func (l Line) GPIO() gpio.Line {
	return gpio.Line{Chip: l.chip.Path, Offset: l.info.Offset, Name: l.String()}
}

// refuse says why a name means no line, or more than one.
func refuse(name, remedy, format string, args ...any) error {
	return hint.Errorf(remedy, "line %q: %w", name, fmt.Errorf(format, args...))
}

// Lookup finds the line that a name means on this board. A name is a line name
// ("GPIO17", "P9_12"), a header pin ("pin 11", "pin P9_12"), or a chip and a
// line number ("pinctrl-bcm2711:17", "gpiochip0:17", "4804c000:28"). It refuses
// a name that means more than one line.
func (b *Board) Lookup(name string) (Line, error) {
	name = strings.TrimSpace(name)
	chips, scanErr := b.host.scan()
	l, err := b.lookup(chips, name)
	if err == nil || hint.Of(err) != "" {
		return l, err
	}
	// The line may be on a chip that could not be read.
	switch {
	case errors.Is(scanErr, fs.ErrPermission):
		err = refuse(name, "", "GPIO chips may not be read: %w", scanErr)
	case len(chips) == 0:
		err = refuse(name, "", "%w", scanErr)
	}
	return Line{}, hint.Wrap(err, gpio.Hint(scanErr))
}

func (b *Board) lookup(chips []*chip, name string) (Line, error) {
	if found := b.find(chips, func(c *chip, i int) bool { return named(c.lines[i].Name) && c.lines[i].Name == name }); len(found) == 0 {
		var err error
		if name, err = b.translate(name); err != nil {
			return Line{}, err
		}
	}
	if pin, ok := cutPin(name); ok {
		if _, split := b.Pin(pin + "A"); split {
			return b.byName(chips, pin)
		}
		p, err := b.headerLine(name, pin)
		if err != nil {
			return Line{}, err
		}
		return b.onBoard(chips, name, p.bank, p.offset)
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		return b.byOffset(chips, name, name[:i], name[i+1:])
	}
	return b.byName(chips, name)
}

// cutPin takes a header pin out of "pin 11" or "pin P9_12"; of any other name it
// returns all.
func cutPin(name string) (pin string, ok bool) {
	if word, pin, ok := strings.Cut(name, " "); ok && strings.EqualFold(word, "pin") {
		return unpad(strings.TrimSpace(pin)), true
	}
	return name, false
}

// headerLine returns a pin of the header, if it is a line.
func (b *Board) headerLine(name, pin string) (Pin, error) {
	if len(b.Pins) == 0 {
		return Pin{}, refuse(name, "use a line name, or chip and line as in \"gpiochip0:17\"; `stump config check --board` lists the chips",
			"the header of %s is not known", b)
	}
	p, ok := b.Pin(pin)
	if !ok {
		return Pin{}, refuse(name, fmt.Sprintf("its pins are %s to %s", b.Pins[0].Name, b.Pins[len(b.Pins)-1].Name), "%s has no such pin", b)
	}
	if !p.line() {
		remedy := ""
		if meant, ok := b.BySignal("GPIO" + p.Name); ok {
			remedy = fmt.Sprintf("if GPIO%s is meant, write \"GPIO%s\": it is header pin %s", p.Name, p.Name, meant.Name)
		}
		return Pin{}, refuse(name, remedy, "header pin %s is %s, not a line", p.Name, p.Signal)
	}
	return p, nil
}

// Place finds the line that a name means on the board's header, by the board's
// table alone.
func (b *Board) Place(name string) (Pin, error) {
	known, err := b.translate(strings.TrimSpace(name))
	if err != nil {
		return Pin{}, err
	}
	pin, ofHeader := cutPin(known)
	if a, split := b.Pin(pin + "A"); split {
		return Pin{}, refuse(name, fmt.Sprintf("write %q or \"%sB\"", a.Name, pin), "two lines share this pin")
	}
	if ofHeader {
		return b.headerLine(name, pin)
	}
	bank, offset, ok := b.position(known)
	if chip, number, is := cutLast(known, ":"); is {
		offset, _ = strconv.Atoi(number)
		bank, ok = b.chip(chip)
	}
	if p, found := b.at(bank, offset); ok && found {
		return p, nil
	}
	if p, found := b.Pin(known); found { // not a line
		return b.headerLine(name, p.Name)
	}
	if p, found := b.BySignal(known); found {
		return Pin{}, refuse(name, b.example(), "%s is a supply or a signal of the board, not a line", p.Signal)
	}
	return Pin{}, refuse(name, b.nearLine(known), "the header of the %s has no such line", b.Name)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// chip finds a chip of the header by a word of the configuration. The number of a
// chip depends on the kernel: on a board whose header has one chip, it is that.
func (b *Board) chip(word string) (bank int, ok bool) {
	word = strings.TrimSuffix(strings.TrimPrefix(word, "/dev/"), ".gpio")
	if b.Family == RaspberryPi {
		return 0, slices.Contains(b.chips, word) || strings.HasPrefix(word, "gpiochip")
	}
	bank = slices.Index(b.chips, word)
	return bank, bank >= 0
}

// nearLine proposes the line of the header that was probably meant.
func (b *Board) nearLine(name string) string {
	var known []string
	for _, p := range b.Pins {
		if p.line() {
			known = append(known, p.Signal, p.Name)
		}
	}
	if near := hint.Nearest(strings.ToUpper(name), known); len(name) > 3 && near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return b.example()
}

func (b *Board) byOffset(chips []*chip, name, word, number string) (Line, error) {
	offset, _ := strconv.Atoi(number) // CheckName refuses what is not one
	for _, c := range chips {
		if c.is(word) && offset >= c.Lines {
			return Line{}, refuse(name, "correct the line number", "%s has lines 0 to %d", c, c.Lines-1)
		}
	}
	found := b.find(chips, func(c *chip, i int) bool { return c.is(word) && i == offset })
	return only(name, found, "no chip %q; there is %s", word, list(chips))
}

func (b *Board) find(chips []*chip, fits func(c *chip, offset int) bool) (found []Line) {
	for _, c := range chips {
		for i := range c.lines {
			if fits(c, i) {
				found = append(found, b.line(c, i))
			}
		}
	}
	return found
}

// byName finds a line by its kernel name, whole or without what follows a
// space ("P9_22 [spi0_sclk]"); then by what the board's header calls it.
func (b *Board) byName(chips []*chip, name string) (Line, error) {
	for _, same := range []func(string) bool{
		func(s string) bool { return s == name },
		func(s string) bool { return strings.EqualFold(baseName(s), name) },
	} {
		found := b.find(chips, func(c *chip, i int) bool { return named(c.lines[i].Name) && same(c.lines[i].Name) })
		if len(found) > 0 {
			return only(name, found, "")
		}
	}
	if bank, offset, ok := b.position(name); ok {
		return b.onBoard(chips, name, bank, offset)
	}
	// Where two lines of the processor share a pin, the name does not say which.
	var split []Line
	for _, end := range []string{"A", "B"} {
		if p, ok := b.Pin(name + end); ok {
			if l, err := b.onBoard(chips, name, p.bank, p.offset); err == nil {
				split = append(split, l)
			}
		}
	}
	return only(name, split, "no chip has a line of this name; there is %s", list(chips))
}

// only returns the only line that was found. missing says what to say of none.
func only(name string, found []Line, missing string, args ...any) (Line, error) {
	switch len(found) {
	case 0:
		return Line{}, refuse(name, "", missing, args...)
	case 1:
		return found[0], nil
	}
	all := fmt.Sprintf("%d lines have this name", len(found))
	for _, l := range found {
		all += "\n  " + l.String()
	}
	return Line{}, refuse(name, fmt.Sprintf("say which, by chip and line: \"%s:%d\"", found[0].chip.Name, found[0].info.Offset), "%s", all)
}

var (
	piSignal   = regexp.MustCompile(`^(?i:gpio)([0-9]|1[0-9]|2[0-7])$`)
	boneSignal = regexp.MustCompile(`^(?i:gpio)([0-9])_([0-9]{1,3})$`)
)

// position is where the board has a line that its header or its maker calls by
// this name, whatever the kernel calls it.
func (b *Board) position(name string) (bank, offset int, ok bool) {
	pin := name
	switch b.Family {
	case RaspberryPi:
		if m := piSignal.FindStringSubmatch(name); m != nil {
			offset, _ = strconv.Atoi(m[1])
			return 0, offset, true
		}
		// Kernels for the Pi 5 of late 2023 named lines after pins: PIN11.
		if pin, ok = strings.CutPrefix(strings.ToUpper(name), "PIN"); !ok {
			return 0, 0, false
		}
	case BeagleBone:
		if m := boneSignal.FindStringSubmatch(name); m != nil {
			bank, _ = strconv.Atoi(m[1])
			offset, _ = strconv.Atoi(m[2])
			return bank, offset, bank < len(b.chips) && offset < b.lines
		}
	}
	p, ok := b.Pin(pin)
	return p.bank, p.offset, ok && p.line()
}

func (b *Board) onBoard(chips []*chip, name string, bank, offset int) (Line, error) {
	found := b.find(chips, func(c *chip, i int) bool {
		n, ok := b.bank(c)
		return ok && n == bank && i == offset
	})
	return only(name, found, "the chip of the header is missing; there is %s", list(chips))
}

// bank reports whether a chip is one of the header's, and which.
func (b *Board) bank(c *chip) (bank int, ok bool) {
	switch b.Family {
	case RaspberryPi:
		return 0, slices.Contains(b.chips, c.Label)
	case BeagleBone:
		bank = slices.Index(b.chips, c.address)
		return bank, bank >= 0
	}
	return 0, false
}

func (b *Board) line(c *chip, offset int) Line {
	l := Line{chip: c, info: c.lines[offset]}
	if named(l.info.Name) {
		l.signal = baseName(l.info.Name)
	}
	bank, ok := b.bank(c)
	if !ok {
		return l
	}
	l.pin, _ = b.at(bank, offset)
	switch {
	case b.Family == BeagleBone:
		l.signal = fmt.Sprintf("gpio%d_%d", bank, offset)
	case offset < piLines:
		l.signal = fmt.Sprintf("GPIO%d", offset)
	}
	return l
}

// named reports whether a kernel's line name names anything: unused lines are
// called "-" on a Pi 5 and "NC" in many device trees.
func named(s string) bool {
	return !slices.Contains([]string{"", "-", "?", "NC", "[NC]", "unnamed"}, s)
}

// baseName is a line name without the function in brackets.
func baseName(s string) string {
	if i := strings.IndexAny(s, " ["); i > 0 {
		return s[:i]
	}
	return s
}
