package diagnose

import (
	"strings"
	"testing"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/wiegand"
)

// Evidence counted, as the rules look at it: 2 s without a card, lines that
// something pulls up, three cards.
func findings(change ...func(*Findings)) *Findings {
	f := &Findings{idleTime: 2 * time.Second, float: [2]Answer{PulledUp, PulledUp}, shown: 3, clock: -1}
	for _, c := range change {
		c(f)
	}
	return f
}

func noFloat(f *Findings)            { f.float = [2]Answer{} }
func bothFollow(f *Findings)         { f.float = [2]Answer{follows, follows} }
func bothLow(f *Findings)            { f.float = [2]Answer{HeldLow, HeldLow} }
func elsewhere(f *Findings)          { f.free = []string{"GPIO27"} }
func late(f *Findings)               { f.late = 2 }
func readsBoth(f *Findings)          { f.Falls = [2]int{40, 38} }
func only0(f *Findings)              { f.Falls = [2]int{40, 0} }
func noise(a, b int) func(*Findings) { return func(f *Findings) { f.idleFalls = [2]int{a, b} } }
func hums(a, b float64) func(*Findings) {
	return func(f *Findings) { f.hertz = [2]float64{a, b} }
}
func answers(a, b Answer) func(*Findings) { return func(f *Findings) { f.float = [2]Answer{a, b} } }
func frames(fr ...frame) func(*Findings)  { return func(f *Findings) { f.frames = fr } }
func strays(extra, ghosts, bunched int) func(*Findings) {
	return func(f *Findings) { f.Extra, f.ghosts, f.bunched = extra, ghosts, bunched }
}
func joined(n, quiet int) func(*Findings) { return func(f *Findings) { f.Joined, f.Quiet = n, quiet } }
func missing(a, b int) func(*Findings)    { return func(f *Findings) { f.missing = [2]int{a, b} } }
func lowIdle(a, b bool) func(*Findings) {
	return func(f *Findings) { f.float, f.low = [2]Answer{}, [2]bool{a, b} }
}

// bits is a frame of n bits.
func bits(n, holes int) frame {
	return frame{bits: wiegand.BitsFromUint64(0x2aaaaaaa>>(32-min(n, 32)), n), holes: holes}
}

// TestWeights goes through the rules, line by line.
func TestWeights(t *testing.T) {
	yes, no := true, false
	said := func(answer *bool) *Evidence { return &Evidence{Answered: answer} }
	watched := &Evidence{Free: []gpio.Activity{}}
	waited := &Evidence{Late: &Spell{}}
	beepedInVain := &Evidence{Late: &Spell{}, Answered: &yes}
	good, inverse := frame{good: true}, frame{inverse: true}
	for _, c := range []struct {
		rule, why string
		f         *Findings
		e         *Evidence
		want      float64
	}{
		{"no-power", "pulses on other pins", findings(bothLow, elsewhere), nil, 0},
		{"no-power", "pulses came late", findings(late), nil, 0},
		{"no-power", "both low", findings(bothLow), nil, certain},
		{"no-power", "both low, but moving", findings(lowIdle(true, true), noise(41, 41)), nil, 0.6},
		{"no-power", "both low by the float test, but one moves fast", findings(bothLow, noise(0, 41)), nil, 0.6},
		{"no-power", "both low, and the reader beeped", findings(bothLow), said(&yes), 0.6},
		{"no-power", "pulses came", findings(readsBoth), nil, 0},
		{"no-power", "no card was shown", findings(func(f *Findings) { f.shown = 0 }), nil, 0},
		{"no-power", "the reader beeped", findings(), said(&yes), 0},
		{"no-power", "the reader is mute", findings(), said(&no), 0.9},
		{"no-power", "nothing holds the lines", findings(bothFollow), nil, 0.4},
		{"no-power", "something holds one line", findings(answers(follows, PulledUp)), nil, 0.6},
		{"no-power", "silent", findings(), nil, 0.6},

		{"swapped", "one good read", findings(frames(inverse, inverse, inverse, good)), nil, 0},
		{"swapped", "three of three", findings(frames(inverse, inverse, inverse)), nil, certain},
		{"swapped", "four of five", findings(frames(inverse, inverse, inverse, inverse, bits(20, 0))), nil, certain},
		{"swapped", "two of two", findings(frames(inverse, inverse)), nil, maybe},
		{"swapped", "three of four", findings(frames(inverse, inverse, inverse, bits(20, 0))), nil, maybe},
		{"swapped", "one of two", findings(frames(inverse, bits(20, 0))), nil, 0},
		{"swapped", "none", findings(frames(bits(20, 0))), nil, 0},

		{"d0-low", "held low", findings(answers(HeldLow, PulledUp)), nil, certain},
		{"d0-low", "the other is", findings(answers(PulledUp, HeldLow)), nil, 0},
		{"d0-low", "both are", findings(bothLow), nil, 0.4},
		{"d0-low", "it hums", findings(answers(HeldLow, PulledUp), hums(50, 0)), nil, 0},
		{"d0-low", "it twitches", findings(answers(HeldLow, PulledUp), noise(1, 0)), nil, maybe},
		{"d0-low", "without a float test", findings(lowIdle(true, false)), nil, certain},
		{"d0-low", "changing, and low at both ends", findings(lowIdle(true, false), answers(changing, PulledUp)), nil, certain},
		{"d0-low", "high, without a float test", findings(lowIdle(false, false)), nil, 0},
		{"d0-low", "low, humming, without a float test", findings(lowIdle(true, true), hums(0, 50)), nil, certain},
		{"d0-low", "it moves too fast for one that twitches", findings(lowIdle(true, false), noise(41, 0)), nil, 0},
		{"d0-low", "it moves as fast as one that twitches", findings(lowIdle(true, false), noise(40, 0)), nil, maybe},

		{"d1-open", "only the other moves", findings(only0), nil, 0.9},
		{"d1-open", "just enough pulses", findings(func(f *Findings) { f.Falls[0] = 3 }), nil, 0.9},
		{"d1-open", "too few pulses", findings(func(f *Findings) { f.Falls[0] = 2 }), nil, 0},
		{"d1-open", "it is held low", findings(only0, answers(PulledUp, HeldLow)), nil, 0},
		{"d1-open", "it rests low, without a float test", findings(only0, lowIdle(false, true)), nil, maybe},
		{"d1-open", "missing in some reads", findings(readsBoth, missing(0, 1)), nil, maybe},
		{"d1-open", "missing in some reads, with noise on the other", findings(readsBoth, missing(0, 1), noise(3, 0)), nil, 0},
		{"d1-open", "missing in none", findings(readsBoth), nil, 0},
		{"d1-open", "pulses on another pin", findings(only0, elsewhere), nil, maybe},
		{"d1-open", "the other is a clock", findings(only0, func(f *Findings) { f.clock = 0 }), nil, possible},
		{"d1-open", "the other hums", findings(only0, hums(50, 0)), nil, possible},
		{"d1-open", "the other is noisy", findings(only0, noise(3, 0)), nil, possible},
		{"d1-open", "nothing holds it", findings(only0, answers(PulledUp, follows)), nil, 0.92},
		{"d1-open", "nothing holds it, and it moved", findings(only0, answers(PulledUp, follows), noise(0, 1)), nil, 0.75},

		{"shorted", "never", findings(), nil, 0},
		{"shorted", "always", findings(joined(3, 0)), nil, certain},
		{"shorted", "always, but for a card that brought nothing", findings(joined(2, 1)), nil, certain},
		{"shorted", "now and then", findings(joined(2, 0)), nil, 0.9},
		{"shorted", "with noise on both", findings(joined(3, 0), noise(3, 3)), nil, 0.6},
		{"shorted", "with noise on one", findings(joined(3, 0), noise(3, 2)), nil, certain},

		{"no-ground", "groups", findings(noise(9, 9), func(f *Findings) { f.grouped = 0.6 }), nil, 0},
		{"no-ground", "half in groups", findings(noise(9, 9), func(f *Findings) { f.grouped = 0.5 }), nil, 0.92},
		{"no-ground", "both noisy", findings(noise(3, 3)), nil, 0.92},
		{"no-ground", "both hum", findings(noise(90, 90), hums(50, 50)), nil, 0.7},
		{"no-ground", "both noisy, one hums", findings(noise(90, 90), hums(50, 0)), nil, 0.92},
		{"no-ground", "one hums", findings(noise(90, 0), hums(50, 0)), nil, 0.4},
		{"no-ground", "one noisy, often", findings(noise(21, 0)), nil, 0.6},
		{"no-ground", "one noisy", findings(noise(0, 20)), nil, 0.4},
		{"no-ground", "a hand at the cable", findings(noise(2, 2)), nil, 0},

		{"converter-unpowered", "both low, and the reader beeped", findings(bothLow), said(&yes), likely},
		{"converter-unpowered", "both low", findings(bothLow), nil, 0},
		{"converter-unpowered", "no float test", findings(noFloat), nil, maybe},
		{"converter-unpowered", "no float test, and the reader beeped", findings(noFloat), said(&yes), maybe},
		{"converter-unpowered", "no float test, and the reader is mute", findings(noFloat), said(&no), 0},
		{"converter-unpowered", "no float test, pulses came", findings(noFloat, readsBoth), nil, 0},
		{"converter-unpowered", "no float test, pulses came late", findings(noFloat, late), nil, 0},
		{"converter-unpowered", "no float test, one line low", findings(lowIdle(true, false)), nil, 0},
		{"converter-unpowered", "nothing holds the lines", findings(bothFollow), nil, likely},
		{"converter-unpowered", "nothing holds one line", findings(answers(follows, PulledUp)), nil, 0},
		{"converter-unpowered", "nothing holds the lines, but pulses came", findings(bothFollow, readsBoth), nil, 0},
		{"converter-unpowered", "nothing holds the lines, and they are noisy", findings(bothFollow, noise(0, 3)), nil, possible},
		{"converter-unpowered", "nothing holds the lines, pulses on other pins", findings(bothFollow, elsewhere), nil, 0},

		{"wrong-gpio", "pulses on other pins", findings(elsewhere), nil, 0.98},
		{"wrong-gpio", "pulses of one line on another pin", findings(elsewhere, only0), nil, 0.98},
		{"wrong-gpio", "pulses also on other pins", findings(elsewhere, readsBoth), nil, maybe},
		{"wrong-gpio", "no float test", findings(noFloat), nil, 0.45},
		{"wrong-gpio", "no float test, pulses came", findings(noFloat, readsBoth), nil, 0},
		{"wrong-gpio", "no float test, other pins watched", findings(noFloat), watched, 0},
		{"wrong-gpio", "no float test, pulses came late", findings(noFloat, late), nil, 0},
		{"wrong-gpio", "no float test, a line low", findings(lowIdle(false, true)), nil, 0},
		{"wrong-gpio", "nothing holds the lines", findings(bothFollow), nil, 0.7},
		{"wrong-gpio", "something holds the lines", findings(), nil, 0},
		{"wrong-gpio", "nothing holds the lines, but pulses came", findings(bothFollow, readsBoth), nil, 0},
		{"wrong-gpio", "nothing holds the lines, and they are noisy", findings(bothFollow, noise(3, 0)), nil, 0.35},
		{"wrong-gpio", "nothing holds the lines, other pins watched", findings(bothFollow), watched, 0.35},

		{"floating", "hum", findings(hums(0, 50), answers(follows, PulledUp)), nil, 0.6},
		{"floating", "nothing holds one line", findings(answers(PulledUp, follows)), nil, 0.9},
		{"floating", "nothing holds one line, and it moves fast", findings(answers(PulledUp, follows), noise(0, 41)), nil, 0.7},
		{"floating", "nothing holds one line, and the other is noisy", findings(answers(PulledUp, follows), noise(3, 0)), nil, 0.5},
		{"floating", "nothing holds one line, and the other is low", findings(answers(follows, HeldLow)), nil, possible},
		{"floating", "nothing holds the lines, and pulses came", findings(bothFollow, readsBoth), nil, 0.85},
		{"floating", "nothing holds the lines", findings(bothFollow), nil, 0},
		{"floating", "nothing holds the lines, and one moves fast", findings(bothFollow, noise(0, 41)), nil, 0},
		{"floating", "a line changes by itself", findings(answers(changing, PulledUp)), nil, 0.5},
		{"floating", "no float test, a line twitches", findings(lowIdle(false, true), noise(0, 1)), nil, 0.6},
		{"floating", "a low line twitches", findings(answers(PulledUp, HeldLow), noise(0, 1)), nil, 0},
		{"floating", "a line is missing in some reads", findings(readsBoth, missing(1, 0)), nil, 0.7},
		{"floating", "a line is missing in all reads", findings(only0, missing(0, 3)), nil, 0},
		{"floating", "no float test, bits missing on both", findings(noFloat, readsBoth, frames(bits(24, 2))), nil, 0.6},
		{"floating", "no float test, no bits missing", findings(noFloat, readsBoth, frames(bits(26, 0))), nil, 0},
		{"floating", "no float test, bits missing, DATA1 dead", findings(noFloat, only0, frames(bits(12, 14))), nil, 0},
		{"floating", "no float test, bits missing, DATA0 dead", findings(noFloat, frames(bits(12, 14)), func(f *Findings) { f.Falls[1] = 12 }), nil, 0},
		{"floating", "bits missing, lines held", findings(readsBoth, frames(bits(24, 2))), nil, 0},

		{"hum", "one line", findings(hums(0, 60)), nil, certain},
		{"hum", "none", findings(), nil, 0},

		{"burst", "groups with no card", findings(noise(3, 0), func(f *Findings) { f.grouped = 0.6 }), nil, 0.93},
		{"burst", "half in groups", findings(noise(3, 0), func(f *Findings) { f.grouped = 0.5 }), nil, 0},
		{"burst", "a group of two", findings(noise(2, 0), func(f *Findings) { f.grouped = 0.6 }), nil, 0},
		{"burst", "noise, not in groups", findings(noise(2, 0), strays(4, 0, 4)), nil, 0},
		{"burst", "noise, partly in groups", findings(noise(2, 0), strays(4, 0, 4), func(f *Findings) { f.grouped = 0.3 }), nil, 0.7},
		{"burst", "a fifth of two in groups", findings(noise(2, 0), strays(4, 0, 0), func(f *Findings) { f.grouped = 0.2 }), nil, 0.4},
		{"burst", "groups among the card's", findings(strays(3, 0, 2)), nil, 0.7},
		{"burst", "one pulse in a group", findings(strays(1, 0, 1)), nil, 0.4},
		{"burst", "few of the strays in groups", findings(strays(4, 0, 2)), nil, 0.4},
		{"burst", "only ghosts", findings(strays(4, 4, 0)), nil, 0},
		{"burst", "strays and some noise", findings(strays(4, 0, 0), noise(3, 0), func(f *Findings) { f.grouped = 0.3 }), nil, 0},
		{"burst", "wires that touch", findings(strays(4, 0, 4), joined(3, 0)), nil, 0},
		{"burst", "a clock", findings(strays(4, 0, 4), func(f *Findings) { f.clock = 0 }), nil, 0},

		{"crosstalk", "no ghosts", findings(strays(4, 0, 0)), nil, 0},
		{"crosstalk", "ghosts", findings(strays(10, 7, 0)), nil, 0.9},
		{"crosstalk", "among other strays", findings(strays(10, 6, 0)), nil, 0.4},
		{"crosstalk", "a clock", findings(strays(4, 4, 0), func(f *Findings) { f.clock = 0 }), nil, 0},
		{"crosstalk", "wires that touch", findings(strays(4, 4, 0), joined(1, 0)), nil, maybe},
		{"crosstalk", "noise", findings(strays(4, 4, 0), noise(0, 3)), nil, possible},

		{"keypad", "two keys", findings(frames(bits(4, 0), bits(8, 0))), nil, certain},
		{"keypad", "one key", findings(frames(bits(4, 0))), nil, 0},
		{"keypad", "four of five", findings(frames(bits(4, 0), bits(4, 0), bits(8, 0), bits(8, 0), bits(26, 0))), nil, 0.7},
		{"keypad", "three of four", findings(frames(bits(4, 0), bits(4, 0), bits(8, 0), bits(26, 0))), nil, 0},
		{"keypad", "a good read", findings(frames(bits(4, 0), bits(4, 0), bits(4, 0), bits(4, 0), good)), nil, 0},
		{"keypad", "a site with keys", findings(frames(bits(4, 0), bits(4, 0))), &Evidence{Formats: []*wiegand.Format{{Len: 4}}}, 0},
		{"keypad", "a site with long keys", findings(frames(bits(8, 0), bits(8, 0))), &Evidence{Formats: []*wiegand.Format{{Len: 8}}}, 0},
		{"keypad", "what is left of cards without DATA1", findings(only0, frames(bits(4, 22), bits(8, 18))), nil, 0},
		{"keypad", "what is left of cards without DATA0", findings(frames(bits(4, 22), bits(8, 18)), func(f *Findings) { f.Falls[1] = 12 }), nil, 0},
		{"keypad", "slow keys", findings(readsBoth, frames(bits(4, 1), bits(8, 0))), nil, certain},

		{"clock-data", "a clock", findings(func(f *Findings) { f.clock = 0 }), nil, certain},
		{"clock-data", "none", findings(), nil, 0},

		{"hold", "reads came late", findings(late), nil, certain},
		{"hold", "reads came late, among noise", findings(late, noise(0, 3), readsBoth), nil, 0},
		{"hold", "pulses came", findings(readsBoth), nil, 0},
		{"hold", "pulses on other pins", findings(elsewhere), nil, 0},
		{"hold", "a line is low", findings(answers(PulledUp, HeldLow)), nil, 0},
		{"hold", "nothing holds a line", findings(answers(follows, PulledUp)), nil, 0},
		{"hold", "the reader beeped", findings(), said(&yes), likely},
		{"hold", "nothing came late either", findings(), waited, 0.4},
		{"hold", "the reader beeped, and nothing came late either", findings(), beepedInVain, 0.4},
		{"hold", "silent", findings(), nil, maybe},

		{"no-wiegand", "the reader beeped", findings(), said(&yes), 0.6},
		{"no-wiegand", "the reader beeped, and nothing came late either", findings(), beepedInVain, likely},
		{"no-wiegand", "nobody was asked", findings(), waited, 0},
		{"no-wiegand", "the reader is mute", findings(), said(&no), 0},
		{"no-wiegand", "reads came late", findings(late), said(&yes), 0},
		{"no-wiegand", "pulses came", findings(readsBoth), said(&yes), 0},
		{"no-wiegand", "pulses on other pins", findings(elsewhere), said(&yes), 0},
		{"no-wiegand", "a line is low", findings(answers(PulledUp, HeldLow)), said(&yes), 0},
		{"no-wiegand", "nothing holds a line", findings(answers(follows, PulledUp)), said(&yes), 0},
	} {
		if c.e == nil {
			c.e = &Evidence{}
		}
		if got := find(c.rule).weigh(c.f, c.e).first(); got != c.want {
			t.Errorf("%s, %s: weight %v, want %v", c.rule, c.why, got, c.want)
		}
	}
}

// TestSeen: each text names the line that the evidence is about.
func TestSeen(t *testing.T) {
	divider := &board.Site{Divider: true}
	for _, c := range []struct {
		rule string
		f    *Findings
		site *board.Site
		want string
	}{
		{"no-power", findings(bothLow), nil, "both data lines are low"},
		{"no-power", findings(), nil, "no pulses came"},
		{"no-power", findings(), nil, "LV needs 3.3 V"},
		{"no-power", findings(), divider, "the data wires do not reach the board"},
		{"swapped", findings(frames(frame{inverse: true}, frame{inverse: true, good: true}, bits(20, 0))), nil, "1 of 3 reads"},
		{"d1-low", findings(answers(PulledUp, HeldLow)), nil, "DATA1 is low all the time"},
		{"d1-low", findings(answers(PulledUp, HeldLow), noise(0, 1)), nil, "DATA1 rests low"},
		{"d1-open", findings(only0), nil, "only DATA0 moves when a card is shown"},
		{"d1-open", findings(readsBoth, missing(0, 1), frames(bits(12, 0), bits(26, 0))), nil, "in 1 of 2 reads only DATA0 moves"},
		{"d1-open", findings(only0), nil, "The converter's board side is in order"},
		{"d1-open", findings(only0), divider, "through the voltage divider to the pin"},
		{"d1-open", findings(only0, answers(PulledUp, follows)), nil, "Nothing holds the pin"},
		{"d1-open", findings(only0, answers(PulledUp, follows)), divider, "Follow this wire"},
		{"d1-open", findings(only0, noFloat), nil, "Follow this wire"},
		{"converter-unpowered", findings(bothLow), nil, "one of its sides"},
		{"converter-unpowered", findings(bothLow), divider, "nothing outside the board holds the two lines, and no pulses came"},
		{"converter-unpowered", findings(noFloat), nil, "no pulses came while a card was shown"},
		{"converter-unpowered", findings(bothFollow, readsBoth), nil, "holds the two lines: "},
		{"converter-unpowered", findings(bothFollow), divider, "Nothing drives the data pins"},
		{"floating", findings(answers(PulledUp, follows)), nil, "nothing outside the board holds DATA1"},
		{"floating", findings(answers(follows, PulledUp)), nil, "nothing outside the board holds DATA0"},
		{"floating", findings(bothFollow), nil, "nothing outside the board holds both lines"},
		{"floating", findings(answers(PulledUp, changing)), nil, "DATA1 changes by itself"},
		{"floating", findings(hums(0, 50)), nil, "DATA1 moves with no card"},
		{"floating", findings(lowIdle(false, true), noise(0, 1)), nil, "DATA1 rests low"},
		{"floating", findings(readsBoth, missing(0, 2)), nil, "only DATA1 loses pulses"},
		{"floating", findings(noFloat, readsBoth), nil, "pulses are missing on both lines"},
		{"floating", findings(bothFollow), divider, "both sides. Put 10 kΩ"},
		{"floating", findings(bothFollow), nil, "both sides. Without a converter's pull-up"},
		{"hum", findings(hums(0, 50)), nil, "on DATA1, 50 a second"},
		{"hum", findings(hums(60, 0)), nil, "on DATA0, 60 a second"},
		{"burst", findings(noise(0, 4)), nil, "also with no card"},
		{"burst", findings(), nil, "among the card's"},
		{"wrong-gpio", findings(elsewhere), nil, "no pulses on the configured pins, but on GPIO27"},
		{"wrong-gpio", findings(elsewhere, only0), nil, "no pulses of DATA1 on its pin, but on GPIO27"},
		{"wrong-gpio", findings(elsewhere, func(f *Findings) { f.Falls[1] = 40 }), nil, "no pulses of DATA0 on its pin, but on GPIO27"},
		{"wrong-gpio", findings(elsewhere, readsBoth), nil, "but also on GPIO27"},
		{"wrong-gpio", findings(noFloat), nil, "no pulses came on the two configured lines"},
		{"wrong-gpio", findings(bothFollow), nil, "nothing is connected"},
		{"hold", findings(late), nil, "then 2 reads at once"},
		{"hold", findings(), nil, "high as they should be"},
		{"no-wiegand", findings(), nil, "stand-alone mode"}, {"no-wiegand", findings(), nil, "OSDP"}, {"no-wiegand", findings(), nil, "a serial output"},
	} {
		if c.site == nil {
			c.site = &board.Site{}
		}
		seen, remedy := find(c.rule).text(c.f, c.site)
		if got := seen + ": " + remedy; !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in %q", c.rule, c.want, got)
		}
	}
}
