package hw

// isLow: the line is held low, by the float test where there was one. It may
// twitch: a level in between does, on a wire that nothing drives.
func (f *findings) isLow(i int) bool {
	if f.float[i] != unasked && f.float[i] != changing {
		return f.float[i] == heldLow
	}
	return f.low[i] && f.hertz[i] == 0 && f.rate(i) <= twitches
}

// twitches is how many falls a second are no more than that.
const twitches = 20

// twitching: the line rests low, and moves now and then.
func (f *findings) twitching(i int) bool { return f.isLow(i) && f.idleFalls[i]+f.falls[i] > 0 }

// noisy: edges came with no card, more than a hand near the cable explains.
func (f *findings) noisy(i int) bool { return f.idleFalls[i] >= 3 }

// rate is falls a second with no card.
func (f *findings) rate(i int) float64 {
	if f.idleTime <= 0 {
		return 0
	}
	return float64(f.idleFalls[i]) / f.idleTime.Seconds()
}

// silent: cards were shown and nothing came that is not noise.
func (f *findings) silent() bool {
	return f.shown > 0 && f.falls[0]+f.falls[1] == 0
}

// oneDead: one line brought pulses, and the other none though nothing holds it
// as far as is known.
func (f *findings) oneDead() bool {
	for i := range 2 {
		if f.falls[1-i] >= 3 && f.falls[i] == 0 {
			return !f.isLow(i) || f.unknownFloat()
		}
	}
	return false
}

// unknownFloat: the float test could not be made, as on a BeagleBone.
func (f *findings) unknownFloat() bool { return f.float[0] == unasked && f.float[1] == unasked }

func weighNoPower(f *findings, e *Evidence) float64 {
	switch {
	case f.late > 0 || f.free > 0:
		return 0
	case f.isLow(0) && f.isLow(1):
		if f.rate(0) > twitches || f.rate(1) > twitches || e.beeped() {
			return 0.6
		}
		return certain
	case !f.silent():
		return 0
	case e.beeped():
		return 0 // so it has power
	case e.Answered != nil:
		return likely + 0.1
	case f.float[0] == follows && f.float[1] == follows:
		return 0.4
	}
	return 0.6
}

func weighSwapped(f *findings, _ *Evidence) float64 {
	inverse, good := 0, 0
	for _, fr := range f.frames {
		switch {
		case fr.good:
			good++
		case fr.inverse:
			inverse++
		}
	}
	// Noise passes parity inverted one time in four, hence three reads.
	switch {
	case good > 0 || inverse == 0:
		return 0
	case inverse >= 3 && inverse*10 >= len(f.frames)*8:
		return certain
	case inverse*2 > len(f.frames):
		return maybe
	}
	return 0
}

func weighLow(f *findings, i int) float64 {
	switch {
	case !f.isLow(i) || f.hertz[i] > 0:
		return 0
	case f.isLow(1 - i):
		return 0.4
	case f.falls[i]+f.idleFalls[i] > 0:
		return maybe
	}
	return certain
}

func weighOpen(f *findings, i int) float64 {
	switch {
	case f.shown == 0 || f.falls[1-i] < 3 || f.isLow(i) && !f.unknownFloat():
		return 0
	case f.falls[i] > 0 && f.missing[i] > 0 && !f.noisy(1-i):
		return maybe // in some reads
	case f.falls[i] > 0:
		return 0
	case f.free > 0 || f.isLow(i): // without a float test the board's pull may hold it
		return maybe
	case f.clock == 1-i || f.hertz[1-i] > 0 || f.noisy(1-i):
		return possible
	case f.float[i] == follows && f.idleFalls[i] == 0:
		return 0.92 // before a loose one, of which something would be seen
	case f.float[i] == follows:
		return 0.75
	}
	return 0.9
}

func weighShorted(f *findings, _ *Evidence) float64 {
	switch {
	case f.joined == 0:
		return 0
	case f.noisy(0) && f.noisy(1):
		return 0.6 // noise is felt on both wires too
	case f.joined+f.quiet < f.shown:
		return 0.9 // now and then
	}
	return certain
}

func weighNoGround(f *findings, _ *Evidence) float64 {
	both := f.noisy(0) && f.noisy(1)
	switch {
	case f.grouped > 0.5:
		return 0
	case both && f.hertz[0] > 0 && f.hertz[1] > 0:
		return 0.7 // and hum first
	case both:
		return 0.92
	case f.hertz[0] > 0 || f.hertz[1] > 0:
		return 0.4
	case f.rate(0)+f.rate(1) > 10:
		return 0.6
	case f.noisy(0) || f.noisy(1):
		return 0.4
	}
	return 0
}

func weighConverter(f *findings, e *Evidence) float64 {
	switch {
	case f.isLow(0) && f.isLow(1) && e.beeped():
		return likely // the reader has power, what is between does not
	case f.unknownFloat() && f.silent() && f.late == 0 && f.free == 0 && f.isLow(0) == f.isLow(1) && (e.Answered == nil || *e.Answered):
		return maybe // the board's own pull holds the lines as well as a converter's
	case f.float[0] != follows || f.float[1] != follows || f.falls[0]+f.falls[1] > 0:
		return 0
	case f.noisy(0) || f.noisy(1):
		return possible
	case f.free > 0:
		return 0
	}
	return likely
}

func weighWrongGPIO(f *findings, e *Evidence) float64 {
	switch {
	case f.free > 0 && (f.silent() || f.oneDead()):
		return 0.98
	case f.free > 0:
		return maybe
	case f.unknownFloat() && f.silent() && e.Free == nil && f.late == 0 && !f.isLow(0) && !f.isLow(1):
		return 0.45
	case f.float[0] != follows || f.float[1] != follows || f.falls[0]+f.falls[1] > 0:
		return 0
	case f.noisy(0) || f.noisy(1) || e.Free != nil:
		return 0.35
	}
	return 0.7 // nobody listened on the free pins yet
}

func weighFloating(f *findings, _ *Evidence) float64 {
	one := -1
	for i := range 2 {
		if f.float[i] == follows && f.float[1-i] != follows {
			one = i
		}
	}
	holes := 0
	for _, fr := range f.frames {
		holes += fr.holes
	}
	switch {
	case f.hertz[0] > 0 || f.hertz[1] > 0:
		return 0.6
	case one >= 0 && f.rate(one) > 20:
		return 0.7
	case one >= 0 && f.noisy(1-one):
		return 0.5
	case one >= 0 && f.isLow(1-one):
		return possible
	case one >= 0:
		return 0.9
	case f.float[0] == follows && f.float[1] == follows && f.shown > 0 && !f.silent():
		return 0.85
	case f.float[0] == changing || f.float[1] == changing:
		return 0.5
	case f.unknownFloat() && (f.twitching(0) || f.twitching(1)):
		return 0.6
	case f.missing[0] > 0 && f.falls[0] > 0 || f.missing[1] > 0 && f.falls[1] > 0:
		return 0.7
	case f.float[0] == unasked && holes > 0 && f.falls[0] > 0 && f.falls[1] > 0:
		return 0.6
	}
	return 0
}

func weighHum(f *findings, _ *Evidence) float64 {
	if f.hertz[0] > 0 || f.hertz[1] > 0 {
		return certain
	}
	return 0
}

func weighBurst(f *findings, _ *Evidence) float64 {
	idle := f.idleFalls[0] + f.idleFalls[1]
	switch {
	case f.grouped > 0.5 && idle >= 3:
		return 0.93
	case f.joined > 0 || idle > 0 && f.grouped < 0.2 || f.clock >= 0:
		return 0
	case f.bunched >= 2 && f.bunched*2 > f.extra:
		return 0.7
	case f.extra > f.ghosts && idle <= 2:
		return 0.4
	}
	return 0
}

func weighCrosstalk(f *findings, _ *Evidence) float64 {
	switch {
	case f.ghosts == 0 || f.clock >= 0:
		return 0
	case f.joined > 0:
		return maybe
	case f.noisy(0) || f.noisy(1):
		return possible
	case f.ghosts*10 >= f.extra*7:
		return 0.9
	}
	return 0.4
}

func weighKeypad(f *findings, e *Evidence) float64 {
	short, n := 0, 0
	for _, fr := range f.frames {
		if fr.good {
			return 0
		}
		n++
		// Four or eight bits by chance are left of a card with one line dead,
		// which leaves holes.
		if (fr.falls == 4 || fr.falls == 8) && (fr.holes == 0 || f.falls[0] > 0 && f.falls[1] > 0) {
			short++
		}
	}
	for _, format := range e.Formats {
		if format.Len == 4 || format.Len == 8 {
			return 0
		}
	}
	switch {
	case n >= 2 && short == n:
		return certain
	case n >= 3 && short*10 >= n*8:
		return 0.7
	}
	return 0
}

func weighClockData(f *findings, _ *Evidence) float64 {
	for _, fr := range f.frames {
		if fr.good {
			return 0
		}
	}
	if f.clock >= 0 {
		return certain
	}
	return 0
}

func weighHold(f *findings, e *Evidence) float64 {
	switch {
	case f.late > 0 && !f.noisy(0) && !f.noisy(1):
		return certain
	case f.falls[0]+f.falls[1] > 0:
		return 0
	case !f.silent() || f.free > 0 || f.isLow(0) || f.isLow(1):
		return 0
	case f.float[0] == follows || f.float[1] == follows:
		return 0
	case e.beeped():
		return likely
	case e.Late != nil:
		return 0.4
	}
	return maybe
}
