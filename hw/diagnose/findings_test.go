package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// format is H10301, and word is a card of it.
func format(t *testing.T) (format *wiegand.Format, word string) {
	t.Helper()
	f, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Pack(wiegand.Fields{Facility: 84, Number: 31066})
	if err != nil {
		t.Fatal(err)
	}
	return f, b.String()
}

func TestFloatAnswers(t *testing.T) {
	for _, c := range []struct {
		up, down int // of 5
		want     Answer
	}{
		{5, 5, PulledUp}, {4, 4, PulledUp}, {5, 3, changing}, {3, 5, changing},
		{0, 0, HeldLow}, {1, 1, HeldLow}, {0, 2, changing}, {2, 0, changing},
		{5, 0, follows}, {4, 1, follows}, {3, 1, changing}, {4, 2, changing},
	} {
		f := &Float{Up: [2]float64{0, float64(c.up) / 5}, Down: [2]float64{0, float64(c.down) / 5}}
		if got := f.Line(1); got != c.want {
			t.Errorf("high %d of 5 under the pull-up and %d under the pull-down: %s, want %s", c.up, c.down, got, c.want)
		}
	}
	var none *Float
	if got := none.Line(0); got != unasked || got.String() != "not measured" {
		t.Errorf("without a float test: %s", got)
	}
}

func TestExamineIdle(t *testing.T) {
	for _, c := range []struct {
		start, end, want bool // DATA0 is low
	}{{true, true, true}, {true, false, false}, {false, true, false}, {false, false, false}} {
		e := &Evidence{Idle: spell(time.Second)}
		e.Idle.Start[0], e.Idle.End[0] = !c.start, !c.end
		if f := Examine(e); f.low != [2]bool{c.want, false} {
			t.Errorf("%+v: low %v", c, f.low)
		}
	}
	f := Examine(&Evidence{Idle: spell(2*time.Second, "0@0", "1@100000", "1@300000")})
	if f.idleFalls != [2]int{1, 2} || f.rate(1) != 1 || f.hertz != [2]float64{} || f.low != [2]bool{} {
		t.Errorf("%+v", f)
	}
	// Forty falls in two seconds still twitch; a spell that was not made has no rate.
	for falls, fast := range map[int]bool{40: false, 41: true} {
		if f := (&Findings{idleTime: 2 * time.Second, idleFalls: [2]int{falls, 0}}); f.fast(0) != fast {
			t.Errorf("%d falls in 2 s are fast: %v", falls, !fast)
		}
	}
	if f := (&Findings{idleFalls: [2]int{5, 0}}); f.rate(0) != 0 {
		t.Errorf("rate %v without a time", f.rate(0))
	}
}

func TestExamineFreePins(t *testing.T) {
	f := Examine(&Evidence{Free: []gpio.Activity{
		{Line: "GPIO27 = header pin 13 = gpiochip0 line 27", Falls: []int64{1, 2, 3}},
		{Line: "GPIO22", Falls: []int64{1, 2}}, {Line: "GPIO5", Falls: []int64{1, 2, 3}},
	}})
	if got := strings.Join(f.free, ", "); got != "GPIO27 = header pin 13, GPIO5" {
		t.Errorf("pulses on %s", got)
	}
}

// pairs are n bits that come on both lines, 2 ms apart.
func pairs(n int) (at []string) {
	for i := range n {
		at = append(at, fmt.Sprintf("0@%d", i*2000), fmt.Sprintf("1@%d", i*2000+5))
	}
	return at
}

func TestExamineCards(t *testing.T) {
	h10301, good := format(t)
	card := spell(time.Second, frameAt(10, good)...)
	none := spell(time.Second)
	examine := func(cards ...Spell) *Findings {
		return Examine(&Evidence{Idle: spell(time.Second), Cards: cards, Formats: []*wiegand.Format{h10301}})
	}
	f := examine(card, none, card)
	if f.shown != 3 || f.Quiet != 1 || len(f.frames) != 2 || !f.frames[1].good || f.Falls != [2]int{2 * strings.Count(good, "0"), 2 * strings.Count(good, "1")} {
		t.Errorf("two good cards and a quiet one: %+v", f)
	}
	if f := examine(spell(time.Second, pairs(4)...), card); f.Joined != 1 || len(f.frames) != 1 || f.pairs != 1 {
		t.Errorf("four bits on both lines: %+v", f)
	}
	if f := examine(spell(time.Second, pairs(3)...)); f.Joined != 0 || len(f.frames) != 1 {
		t.Errorf("three bits on both lines: %+v", f)
	}
	most := pairs(17) // 34 of 40 falls
	for i := range 6 {
		most = append(most, fmt.Sprintf("%d@%d", i%2, 34_000+i*2000))
	}
	if f := examine(spell(time.Second, most...)); f.Joined != 1 {
		t.Errorf("17 of 23 bits on both lines: %+v", f)
	}
	// Five of seven bits on both lines are not all.
	if f := examine(spell(time.Second, slices.Concat(pairs(5), []string{"0@10000", "1@12000"})...)); f.Joined != 0 {
		t.Errorf("most bits on both lines: %+v", f)
	}
	for word, want := range map[string][2]int{"1111": {1, 0}, "111": {}, "0000": {0, 1}, "0001": {}, good: {}} {
		if f := examine(spell(time.Second, frameAt(10, word)...)); f.missing != want {
			t.Errorf("%s: missing %v, want %v", word, f.missing, want)
		}
	}
	raw, err := wiegand.FormatByName("raw4")
	if err != nil {
		t.Fatal(err)
	}
	if f := Examine(&Evidence{Cards: []Spell{spell(time.Second, frameAt(10, "1111")...)}, Formats: []*wiegand.Format{raw}}); f.missing != [2]int{} {
		t.Errorf("a good read of one line only misses %v", f.missing)
	}
	// A bit that was stamped late makes the next one look too soon.
	late := frameAt(10, good)
	late[12] = fmt.Sprintf("%c@%d", good[12], 10_000+12*2000+1200)
	if f := examine(spell(time.Second, late...)); f.Extra != 0 || !f.frames[0].good {
		t.Errorf("a late stamp: %+v", f)
	}
	// 1 ms apart: a ghost, then two strays of a group on the same line.
	f = examine(spell(time.Second, "0@0", "1@1000", "0@1050", "1@2000", "1@2300", "1@2310", "0@3000", "0@4000", "1@5000"))
	if f.Extra != 3 || f.ghosts != 1 || f.bunched != 1 {
		t.Errorf("strays: %d, ghosts %d, in groups %d", f.Extra, f.ghosts, f.bunched)
	}
}

// ticking is n ticks of a clock on DATA1, 1 ms apart, with data on DATA0 beside
// some of them.
func ticking(n int) (at []string) {
	for i := range n {
		if i%5 == 1 || i%7 == 3 {
			at = append(at, fmt.Sprintf("0@%d", i*1000-300))
		}
		at = append(at, fmt.Sprintf("1@%d", i*1000))
	}
	return at
}

func TestExamineClock(t *testing.T) {
	h10301, good := format(t)
	clock := spell(time.Second, ticking(40)...)
	for name, c := range map[string]struct {
		idle  []string
		cards []Spell
		want  int
	}{
		"a clock":                    {nil, []Spell{clock}, 1},
		"29 ticks":                   {nil, []Spell{spell(time.Second, ticking(30)...)}, -1},
		"beside a good read":         {nil, []Spell{spell(time.Second, ticking(200)...), spell(time.Second, frameAt(400, good)...)}, -1},
		"beside joined lines":        {nil, []Spell{clock, spell(time.Second, pairs(20)...)}, -1},
		"with noise on it":           {[]string{"1@1", "1@50000", "1@230000"}, []Spell{clock}, -1},
		"with noise on the other":    {[]string{"0@1", "0@50000", "0@230000"}, []Spell{clock}, 1},
		"a frame of 40 regular bits": {nil, []Spell{spell(time.Second, frameAt(10, strings.Repeat("0", 36)+"1101")...)}, -1},
	} {
		f := Examine(&Evidence{Idle: spell(time.Second, c.idle...), Cards: c.cards, Formats: []*wiegand.Format{h10301}})
		if f.clock != c.want {
			t.Errorf("%s: clock on %d, want %d", name, f.clock, c.want)
		}
	}
}

func TestExamineLate(t *testing.T) {
	none := spell(time.Second)
	eight := func(ms ...int64) (at []string) {
		for _, m := range ms {
			at = append(at, frameAt(m, "01010101")...)
		}
		return at
	}
	one, two := spell(time.Second, eight(10)...), spell(time.Second, eight(10, 60)...)
	apart := spell(time.Second, eight(10, 174)...) // 150 ms from the last bit to the first
	seven := spell(time.Second, frameAt(10, "0101010")...)
	for name, c := range map[string]struct {
		cards []Spell
		late  *Spell
		want  int
	}{
		"nothing":                          {[]Spell{none, none}, &none, 0},
		"two at once after a silent card":  {[]Spell{none, two}, nil, 2},
		"two, but the first card was read": {[]Spell{two, none}, &two, 0},
		"one after a silent card":          {[]Spell{none, one}, nil, 0},
		"one in the late time":             {[]Spell{none}, &one, 1},
		"one before the late time":         {[]Spell{none, one}, &none, 0},
		"two in the late time":             {[]Spell{none}, &two, 2},
		"two as fast as a person":          {[]Spell{none, apart}, nil, 0},
		"too short for a card":             {[]Spell{none}, &seven, 0},
	} {
		if f := Examine(&Evidence{Cards: c.cards, Late: c.late}); f.late != c.want {
			t.Errorf("%s: %d late, want %d", name, f.late, c.want)
		}
	}
}

func TestOneDead(t *testing.T) {
	for name, c := range map[string]struct {
		f    *Findings
		want bool
	}{
		"DATA1":                     {findings(only0), true},
		"DATA0":                     {findings(func(f *Findings) { f.Falls[1] = 3 }), true},
		"too few pulses":            {findings(func(f *Findings) { f.Falls[1] = 2 }), false},
		"both move":                 {findings(readsBoth), false},
		"held low":                  {findings(only0, answers(PulledUp, HeldLow)), false},
		"low, without a float test": {findings(only0, lowIdle(false, true)), true},
		"neither moves":             {findings(), false},
	} {
		if got := c.f.OneDead(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
