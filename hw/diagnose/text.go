package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
	"stump/internal/count"
)

func textNoPower(f *Findings, s *board.Site) (seen, remedy string) {
	seen = "no pulses came while a card was shown"
	if both(f.IsLow) {
		seen = "both data lines are low; with no card they should be high"
	}
	remedy = fmt.Sprintf("Does the reader beep or light up when a card is shown? If not, it has no power: measure at the reader between %s and %s, it should be 5 V (most readers take 5 to 16 V).", s.PowerWire(), s.GroundWire())
	if !s.Divider {
		remedy += " If it does, measure the level converter: HV needs the reader's 5 V, LV needs " + s.LogicSupply() + "."
	} else {
		remedy += " If it does, the data wires do not reach the board: check them at both ends."
	}
	return seen, remedy
}

func textSwapped(f *Findings, s *board.Site) (seen, remedy string) {
	return fmt.Sprintf("%d of %s make a valid card only with the two data lines exchanged", f.inverse(), count.Of(len(f.frames), "read")),
		fmt.Sprintf("The two data wires are swapped. %s belongs on %s, %s on %s: exchange them, at one end only.",
			s.DataWire(0), s.Pin(0), s.DataWire(1), s.Pin(1))
}

func textLow(i int) textFunc {
	return func(f *Findings, s *board.Site) (seen, remedy string) {
		how := "is low all the time"
		if f.twitching(i) {
			how = "rests low"
		}
		return fmt.Sprintf("DATA%d %s; with no card it should be high", i, how),
			fmt.Sprintf("Something holds %s down. Pull its wire off %s: if the line goes high, look for a strand that touches ground or the cable's shield, or for a channel of %s without power. If it stays low, look at the pin itself.",
				s.DataWire(i), s.Pin(i), s.Converter())
	}
}

func textOpen(i int) textFunc {
	return func(f *Findings, s *board.Site) (seen, remedy string) {
		where := fmt.Sprintf("Follow this wire from the reader through %s to the pin", s.Converter())
		switch {
		case f.float[i] == PulledUp && !s.Divider:
			where = "The converter's board side is in order, so look between reader and converter first"
		case f.float[i] == follows && !s.Divider:
			where = "Nothing holds the pin, so look between converter and pin first"
		}
		seen = fmt.Sprintf("only DATA%d moves when a card is shown, DATA%d never", 1-i, i)
		if f.Falls[i] > 0 {
			seen = fmt.Sprintf("in %d of %s only DATA%d moves", f.missing[i], count.Of(len(f.frames), "read"), 1-i)
		}
		return seen, fmt.Sprintf("%s does not reach %s. %s: a loose screw, a broken core, a cold solder joint.", s.DataWire(i), s.Pin(i), where)
	}
}

func textShorted(f *Findings, s *board.Site) (seen, remedy string) {
	return fmt.Sprintf("both data lines fall together: %.0f %% of the pulses come on both at once", f.pairs*100),
		fmt.Sprintf("%s and %s touch each other. Look at the screw terminals for loose strands, at the converter for a bridge of solder, and along the cable for a nail.", s.DataWire(0), s.DataWire(1))
}

func textNoGround(f *Findings, s *board.Site) (seen, remedy string) {
	return fmt.Sprintf("irregular pulses with no card, %.0f a second", f.rate(0)+f.rate(1)),
		fmt.Sprintf("Connect %s to %s of the board, even if the reader has a power supply of its own: without it the board can't tell high from low. A long cable beside mains wires looks the same.", s.GroundWire(), s.GroundPin())
}

func textConverter(f *Findings, s *board.Site) (seen, remedy string) {
	seen = "nothing outside the board holds the two lines"
	switch {
	case both(f.IsLow) && !s.Divider:
		return "both data lines are low, and no pulses came", fmt.Sprintf("The level converter has no power on one of its sides: HV needs the reader's 5 V, LV needs %s, GND both grounds. Measure each against GND.", s.LogicSupply())
	case f.unknownFloat():
		seen = "no pulses came while a card was shown"
	case f.Silent():
		seen += ", and no pulses came"
	}
	if s.Divider {
		return seen, fmt.Sprintf("Nothing drives the data pins. Check that %s and %s of the reader arrive at %s and %s.", s.DataWire(0), s.DataWire(1), s.Pin(0), s.Pin(1))
	}
	return seen, fmt.Sprintf("The level converter's board side has no power: its LV pin needs %s, its GND pin %s. Measure LV against GND: 3.3 V.", s.LogicSupply(), s.GroundPin())
}

// loose says which line seems loose, and what speaks for it.
func (f *Findings) loose() (line int, format string) {
	for _, sign := range []struct {
		of     func(line int) bool
		format string
	}{
		{f.follows, "nothing outside the board holds %s"},
		{f.changes, "%s changes by itself while it is measured"},
		{f.hums, "%s moves with no card"},
		{f.twitching, "%s rests low, and moves now and then"},
		{f.sometimes, "only %s loses pulses"},
	} {
		switch {
		case both(sign.of):
			return -1, sign.format
		case sign.of(0):
			return 0, sign.format
		case sign.of(1):
			return 1, sign.format
		}
	}
	return -1, "pulses are missing on %s"
}

func textFloating(f *Findings, s *board.Site) (seen, remedy string) {
	i, format := f.loose()
	wires, lines := s.DataWire(0)+" and "+s.DataWire(1), "both lines"
	if i >= 0 {
		wires, lines = s.DataWire(i), fmt.Sprintf("DATA%d", i)
	}
	pull := "Put 10 kΩ from the pin to 3.3 V, or set bias = \"pull-up\"."
	if !s.Divider {
		pull = "Without a converter's pull-up, put 10 kΩ from the pin to 3.3 V, or set bias = \"pull-up\"."
	}
	return fmt.Sprintf(format, lines),
		fmt.Sprintf("Nothing pulls %s up when the reader lets go. Check that the wire is firmly on, and that its channel of %s is connected on both sides. %s", wires, s.Converter(), pull)
}

func textHum(f *Findings, s *board.Site) (seen, remedy string) {
	i := 0
	if f.hertz[1] > 0 {
		i = 1
	}
	return fmt.Sprintf("steady pulses with no card on DATA%d, %.0f a second", i, f.hertz[i]),
		fmt.Sprintf("That is the mains. %s picks it up from a mains cable nearby, because it is not firmly connected or because ground is missing: check this wire at both ends, connect %s to %s, and keep the cable away from mains wires.", s.DataWire(i), s.GroundWire(), s.GroundPin())
}

func textBurst(f *Findings, s *board.Site) (seen, remedy string) {
	when := " among the card's"
	if f.idleFalls[0]+f.idleFalls[1] > 0 {
		when = ", also with no card"
	}
	return "groups of pulses far shorter than a reader's" + when, "Something throws sparks into the cable: a door lock, a motor, a lamp's ballast. Use shielded cable with the shield on ground at one end only, keep it away from lock and mains wires, and put a diode across the coil of a lock."
}

func textCrosstalk(f *Findings, s *board.Site) (seen, remedy string) {
	return fmt.Sprintf("%s on the other line right after a real one, within 100 µs; none without a card", count.Of(f.ghosts, "pulse")),
		"Each data wire makes pulses on the other. Do not run DATA0 and DATA1 as one twisted pair: twist each with ground. A shorter cable helps, or 10 nF from each data pin to ground on the board's side of " + s.Converter() + "."
}

func textWrongGPIO(f *Findings, s *board.Site) (seen, remedy string) {
	if len(f.free) > 0 {
		return textOtherPins(f, s)
	}
	seen = "nothing is connected to the two configured lines"
	if f.unknownFloat() {
		seen = "no pulses came on the two configured lines"
	}
	return seen,
		fmt.Sprintf("%s belongs on %s, %s on %s. Count the pins from the marked corner, odd numbers on one side, even on the other: header pins 17 and 18 are not GPIO17 and GPIO18.",
			s.DataWire(0), s.Pin(0), s.DataWire(1), s.Pin(1))
}

func textOtherPins(f *Findings, s *board.Site) (seen, remedy string) {
	others := strings.Join(f.free, " and on ")
	seen = "no pulses on the configured pins, but on "
	switch dead := slices.Index(f.Falls[:], 0); {
	case dead < 0:
		seen = "pulses not only on the configured pins, but also on "
	case !f.Silent():
		return fmt.Sprintf("no pulses of DATA%d on its pin, but on %s", dead, others),
			fmt.Sprintf("%s is on another pin than the configuration says. Move it to %s. Or set data%d to the pin where the pulses are.", s.DataWire(dead), s.Pin(dead), dead)
	}
	return seen + others,
		fmt.Sprintf("The data wires are on other pins than the configuration says. Move them: %s to %s, %s to %s. Or set data0 and data1 to the pins where the pulses are.",
			s.DataWire(0), s.Pin(0), s.DataWire(1), s.Pin(1))
}

func textKeypad(f *Findings, _ *board.Site) (seen, remedy string) {
	return count.Of(len(f.frames), "frame") + " of 4 or 8 bits: digits of a keypad, not a card",
		"The reader sends key presses, or a card's number digit by digit. Set it to plain Wiegand output (26 bits or more): by its configuration card or its switches, see its manual. If it has keys that you want, set keypad = \"4bit\" or \"8bit\" for this reader."
}

func textClockData(f *Findings, _ *board.Site) (seen, remedy string) {
	return fmt.Sprintf("DATA%d ticks like a clock (%s) while the other line changes beside it", f.clock, count.Of(f.Falls[max(f.clock, 0)], "pulse")),
		"The reader speaks clock-and-data, as a magnetic stripe reader does, not Wiegand. Set its output to Wiegand: by its configuration card, a switch or a wire, see its manual."
}

func textHold(f *Findings, s *board.Site) (seen, remedy string) {
	if f.late > 0 {
		return fmt.Sprintf("nothing while cards were shown, then %s at once", count.Of(f.late, "read")),
			capital(s.HoldWire()) + " must not touch anything: while it touches ground, the reader holds its cards back. Take it off and put tape around its end."
	}
	return "the lines are high as they should be, but no pulses came",
		capital(s.HoldWire()) + " must not touch anything: while it touches ground, the reader beeps and sends nothing. Take it off and show a card again."
}

func textUnheard(*Findings, *board.Site) (seen, remedy string) {
	return "the reader beeps or lights up, the lines are high as they should be, but no pulses came",
		"The reader reads the card and does not send it as Wiegand. There are three ways. One: it is in stand-alone mode, with a relay and cards of its own, as many keypads are when they are sold. Set it to reader mode or Wiegand output; its manual says how under programming. Two: it speaks OSDP, on terminals A and B. Set it to Wiegand, by its configuration card or app. Three: it has a serial output, RS-232, RS-485 or TTL. Set it to Wiegand, and use the terminals D0 and D1; or, if it sends EM4100 numbers at 9600 baud, connect it to a serial port and set kind = \"serial\"."
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
