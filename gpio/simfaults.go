package gpio

import (
	"math/bits"
	"time"

	"stump/wiegand"
)

// noPower: the reader is dead and so is the converter's reader side, which
// pulls the board's side down through the transistors' diodes. Without a pull
// the level may be anything in between and reads as either.
func (f *simFault) noPower() {
	undefined := f.chance(0.3)
	f.wire = nothing
	f.start = func(s *Sim, _ int64) {
		for i := range uint8(2) {
			s.lines[i].rest = restLow
			if undefined {
				s.lines[i].rest, s.lines[i].up = restMid, f.chance(0.5)
			}
		}
	}
}

func nothing(pulse) []pulse { return nil }

// swapped: DATA0 is on DATA1's line, and the other way round.
func (f *simFault) swapped() {
	f.wire = func(p pulse) []pulse { p.line ^= 1; return []pulse{p} }
}

// dead: one line never moves.
func (f *simFault) dead(line uint8, low bool) {
	if low {
		f.start = func(s *Sim, _ int64) { s.lines[line].rest = restLow }
	}
	f.wire = func(p pulse) []pulse {
		if p.line == line {
			return nil
		}
		return []pulse{p}
	}
}

// shorted: what happens on one line happens on both, as late as the cable's
// capacitance makes it.
func (f *simFault) shorted() {
	skew := f.duration(200*time.Nanosecond, 4800*time.Nanosecond)
	f.wire = func(p pulse) []pulse {
		q := p
		q.line ^= 1
		if d := f.rng.Int64N(skew) + 1; f.chance(0.5) {
			q.from, q.to = q.from+d, q.to+d
		} else {
			p.from, p.to = p.from+d, p.to+d
		}
		return []pulse{p, q}
	}
}

// noGround: the two sides have no common reference, so that both lines wander.
func (f *simFault) noGround() {
	rate := f.either(8, 600)
	silent := f.chance(0.3)
	lost := f.between(0.1, 0.6)
	f.start = func(s *Sim, now int64) {
		for i := range uint8(2) {
			if f.chance(0.5) {
				f.loose(s, i)
			}
			s.repeat(now+f.wait(rate), func(at int64) int64 {
				width := min(f.wait(4000)+500, int64(5*time.Millisecond))
				s.add(pulse{line: i, high: !s.lines[i].high, from: at, to: at + width})
				return at + f.wait(rate)
			})
		}
	}
	f.wire = func(p pulse) []pulse {
		if silent || f.chance(lost) {
			return nil
		}
		return []pulse{p}
	}
}

// converterUnpowered: the level converter passes nothing on, and its pull-ups pull
// nothing up.
func (f *simFault) converterUnpowered() {
	f.start = func(s *Sim, _ int64) { f.loose(s, 0); f.loose(s, 1) }
	f.wire = nothing
}

// floating: one line has no pull-up outside, so that the reader's pulses do
// not always carry it and a hand on the cable moves it.
func (f *simFault) floating() {
	line, lost, rate := f.line(), f.between(0.1, 0.9), f.either(0.2, 10)
	f.start = func(s *Sim, now int64) {
		f.loose(s, line)
		s.repeat(now+f.wait(rate), func(at int64) int64 {
			s.add(pulse{line: line, high: !s.lines[line].high, from: at, to: at + f.duration(2*time.Microsecond, 3*time.Millisecond)})
			return at + f.wait(rate)
		})
	}
	f.wire = func(p pulse) []pulse {
		if p.line == line && f.chance(lost) {
			return nil
		}
		return []pulse{p}
	}
}

// hum: mains beside a wire that is held weakly. A line without a pull-up
// outside follows it whatever the board's pull says; one with a pull-up is
// pulled down in part of each period.
func (f *simFault) hum() {
	line, hertz := f.line(), []float64{50, 60, 100, 120}[f.rng.IntN(4)]
	period := float64(time.Second) / hertz
	duty, wander, weak := f.between(0.05, 0.9), f.between(0, 0.015), f.chance(0.5)
	missed := f.between(0, 0.1)
	f.start = func(s *Sim, now int64) {
		if weak {
			f.loose(s, line)
		}
		phase := float64(now) + f.between(0, period)
		s.repeat(int64(phase), func(int64) int64 {
			at := int64(phase + period*f.between(-wander, wander))
			low := at + int64(period*duty)
			phase += period
			if !f.chance(missed) {
				s.add(pulse{line: line, from: at, to: low})
				if weak {
					s.add(pulse{line: line, high: true, from: low, to: low + int64(period)})
				}
			}
			return int64(phase - period*wander)
		})
	}
}

// burst: a lock or a motor nearby throws short groups of spikes on the cable.
func (f *simFault) burst() {
	rate, both := f.either(2.5, 30), f.chance(0.5)
	width := f.between(0.5, 14)
	f.start = func(s *Sim, now int64) {
		s.repeat(now+f.wait(rate), func(at int64) int64 {
			line, t := f.line(), at
			for range 2 + f.rng.IntN(5) {
				if both {
					line = f.line()
				}
				w := int64(f.between(0.3, width) * 1000)
				s.add(pulse{line: line, from: t, to: t + w})
				t += w + f.duration(500*time.Nanosecond, 6*time.Microsecond)
			}
			return t + f.wait(rate)
		})
	}
}

// crosstalk: a pulse on one wire is felt on its neighbour.
func (f *simFault) crosstalk() {
	share, reach := f.between(0.03, 0.35), f.duration(3*time.Microsecond, 95*time.Microsecond)
	f.wire = func(p pulse) []pulse {
		if !f.chance(share) {
			return []pulse{p}
		}
		from := p.from + 500 + f.rng.Int64N(reach)
		ghost := pulse{line: p.line ^ 1, from: from, to: from + f.duration(500*time.Nanosecond, 20*time.Microsecond)}
		return []pulse{p, ghost}
	}
}

// wrongGPIO: the wires are on two other pins of the header.
func (f *simFault) wrongGPIO() {
	cross := uint8(f.rng.IntN(2))
	f.start = func(s *Sim, _ int64) {
		f.loose(s, 0)
		f.loose(s, 1)
		s.lines[2].rest, s.lines[3].rest = restHigh, restHigh
	}
	f.wire = func(p pulse) []pulse { p.line = 2 + (p.line ^ cross); return []pulse{p} }
}

// keypad: the reader is set to send digits, one short frame each, in one of
// the two usual codes: four bits, or those after their complement.
func (f *simFault) keypad() {
	long, keys := f.chance(0.5), 1+f.rng.IntN(5)
	f.show = func(s *Sim, at int64, card wiegand.Bits) int64 {
		v, _ := card.Uint64()
		end := at
		for range keys {
			digit := v % 10
			v /= 10
			key := wiegand.BitsFromUint64(digit, 4)
			if long {
				key = wiegand.BitsFromUint64((^digit&15)<<4|digit, 8)
			}
			end = s.send(at, key)
			at = end + f.duration(60*time.Millisecond, 140*time.Millisecond)
		}
		return end
	}
}

// clockData: the reader talks like a magnetic stripe, ABA track 2: one line
// carries a clock, the other is low while a bit is 1.
func (f *simFault) clockData() {
	clock, period := f.line(), f.duration(600*time.Microsecond, 2500*time.Microsecond)
	zeros := 8 + f.rng.IntN(8)
	f.show = func(s *Sim, at int64, card wiegand.Bits) int64 {
		data := clock ^ 1
		for _, bit := range track2(card, zeros) {
			if bit {
				s.add(pulse{line: data, from: at, to: at + period})
			}
			s.add(pulse{line: clock, from: at + period/3, to: at + 2*period/3})
			at += period
		}
		return at
	}
}

// track2 is the decimal number of a card as ABA track 2 (ISO 7811): zeros,
// start sentinel, digits of four bits and odd parity, low bit first, end
// sentinel, zeros.
func track2(card wiegand.Bits, zeros int) []bool {
	out := make([]bool, zeros)
	put := func(v uint) {
		v |= uint(1-bits.OnesCount(v)&1) << 4
		for i := range 5 {
			out = append(out, v>>i&1 == 1)
		}
	}
	put(0xB)
	for _, c := range card.Decimal() {
		put(uint(c - '0'))
	}
	put(0xF)
	return append(out, make([]bool, zeros)...)
}

// hold: the reader's HOLD wire touches ground, so that it reads cards and
// keeps them. The wire comes off a while after a second card was shown.
func (f *simFault) hold() {
	after, between := f.duration(700*time.Millisecond, 1200*time.Millisecond), f.duration(30*time.Millisecond, 100*time.Millisecond)
	var held []wiegand.Bits
	var release *noise
	f.start = func(s *Sim, _ int64) {
		release = s.repeat(never, func(at int64) int64 {
			for _, b := range held {
				s.busy = s.send(at, b)
				at = s.busy + max(between, 3*int64(s.timing.Interval))
			}
			held = nil
			return never
		})
	}
	f.show = func(_ *Sim, at int64, bits wiegand.Bits) int64 {
		if held = append(held, bits); len(held) > 1 {
			release.at = at + after
		}
		return at
	}
}
