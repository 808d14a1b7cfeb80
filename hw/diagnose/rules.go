package diagnose

// isLow: the line is held low, by the float test where there was one. It may
// twitch: a level in between does, on a wire that nothing drives.
func (f *Findings) IsLow(i int) bool {
	if f.float[i] != unasked && f.float[i] != changing {
		return f.float[i] == HeldLow
	}
	return f.low[i] && f.hertz[i] == 0 && f.rate(i) <= twitches
}

// twitches is how many falls a second are no more than that.
const twitches = 20

// twitching: the line rests low, and moves now and then.
func (f *Findings) twitching(i int) bool { return f.IsLow(i) && f.idleFalls[i]+f.Falls[i] > 0 }

// noisy: edges came with no card, more than a hand near the cable explains.
func (f *Findings) noisy(i int) bool { return f.idleFalls[i] >= 3 }

// rate is falls a second with no card.
func (f *Findings) rate(i int) float64 {
	if f.idleTime <= 0 {
		return 0
	}
	return float64(f.idleFalls[i]) / f.idleTime.Seconds()
}

// silent: cards were shown and nothing came that is not noise.
func (f *Findings) Silent() bool {
	return f.shown > 0 && f.Falls[0]+f.Falls[1] == 0
}

// oneDead: one line brought pulses, and the other none though nothing holds it
// as far as is known.
func (f *Findings) OneDead() bool {
	for i := range 2 {
		if f.Falls[1-i] >= 3 && f.Falls[i] == 0 {
			return !f.IsLow(i) || f.unknownFloat()
		}
	}
	return false
}

// unknownFloat: the float test could not be made, as on a BeagleBone.
func (f *Findings) unknownFloat() bool { return f.float[0] == unasked && f.float[1] == unasked }

func weighNoPower(f *Findings, e *Evidence) float64 {
	switch {
	case f.Late > 0 || f.Free > 0:
		return 0
	case f.IsLow(0) && f.IsLow(1):
		if f.rate(0) > twitches || f.rate(1) > twitches || e.beeped() {
			return 0.6
		}
		return certain
	case !f.Silent():
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

func weighSwapped(f *Findings, _ *Evidence) float64 {
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

func weighLow(f *Findings, i int) float64 {
	switch {
	case !f.IsLow(i) || f.hertz[i] > 0:
		return 0
	case f.IsLow(1 - i):
		return 0.4
	case f.Falls[i]+f.idleFalls[i] > 0:
		return maybe
	}
	return certain
}

func weighOpen(f *Findings, i int) float64 {
	switch {
	case f.shown == 0 || f.Falls[1-i] < 3 || f.IsLow(i) && !f.unknownFloat():
		return 0
	case f.Falls[i] > 0 && f.missing[i] > 0 && !f.noisy(1-i):
		return maybe // in some reads
	case f.Falls[i] > 0:
		return 0
	case f.Free > 0 || f.IsLow(i): // without a float test the board's pull may hold it
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

func weighShorted(f *Findings, _ *Evidence) float64 {
	switch {
	case f.Joined == 0:
		return 0
	case f.noisy(0) && f.noisy(1):
		return 0.6 // noise is felt on both wires too
	case f.Joined+f.Quiet < f.shown:
		return 0.9 // now and then
	}
	return certain
}

func weighNoGround(f *Findings, _ *Evidence) float64 {
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

func weighConverter(f *Findings, e *Evidence) float64 {
	switch {
	case f.IsLow(0) && f.IsLow(1) && e.beeped():
		return likely // the reader has power, what is between does not
	case f.unknownFloat() && f.Silent() && f.Late == 0 && f.Free == 0 && f.IsLow(0) == f.IsLow(1) && (e.Answered == nil || *e.Answered):
		return maybe // the board's own pull holds the lines as well as a converter's
	case f.float[0] != follows || f.float[1] != follows || f.Falls[0]+f.Falls[1] > 0:
		return 0
	case f.noisy(0) || f.noisy(1):
		return possible
	case f.Free > 0:
		return 0
	}
	return likely
}

func weighWrongGPIO(f *Findings, e *Evidence) float64 {
	switch {
	case f.Free > 0 && (f.Silent() || f.OneDead()):
		return 0.98
	case f.Free > 0:
		return maybe
	case f.unknownFloat() && f.Silent() && e.Free == nil && f.Late == 0 && !f.IsLow(0) && !f.IsLow(1):
		return 0.45
	case f.float[0] != follows || f.float[1] != follows || f.Falls[0]+f.Falls[1] > 0:
		return 0
	case f.noisy(0) || f.noisy(1) || e.Free != nil:
		return 0.35
	}
	return 0.7 // nobody listened on the free pins yet
}

func weighFloating(f *Findings, _ *Evidence) float64 {
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
	case one >= 0 && f.IsLow(1-one):
		return possible
	case one >= 0:
		return 0.9
	case f.float[0] == follows && f.float[1] == follows && f.shown > 0 && !f.Silent():
		return 0.85
	case f.float[0] == changing || f.float[1] == changing:
		return 0.5
	case f.unknownFloat() && (f.twitching(0) || f.twitching(1)):
		return 0.6
	case f.missing[0] > 0 && f.Falls[0] > 0 || f.missing[1] > 0 && f.Falls[1] > 0:
		return 0.7
	case f.float[0] == unasked && holes > 0 && f.Falls[0] > 0 && f.Falls[1] > 0:
		return 0.6
	}
	return 0
}

func weighHum(f *Findings, _ *Evidence) float64 {
	if f.hertz[0] > 0 || f.hertz[1] > 0 {
		return certain
	}
	return 0
}

func weighBurst(f *Findings, _ *Evidence) float64 {
	idle := f.idleFalls[0] + f.idleFalls[1]
	switch {
	case f.grouped > 0.5 && idle >= 3:
		return 0.93
	case f.Joined > 0 || idle > 0 && f.grouped < 0.2 || f.clock >= 0:
		return 0
	case f.bunched >= 2 && f.bunched*2 > f.Extra:
		return 0.7
	case f.Extra > f.ghosts && idle <= 2:
		return 0.4
	}
	return 0
}

func weighCrosstalk(f *Findings, _ *Evidence) float64 {
	switch {
	case f.ghosts == 0 || f.clock >= 0:
		return 0
	case f.Joined > 0:
		return maybe
	case f.noisy(0) || f.noisy(1):
		return possible
	case f.ghosts*10 >= f.Extra*7:
		return 0.9
	}
	return 0.4
}

func weighKeypad(f *Findings, e *Evidence) float64 {
	short, n := 0, 0
	for _, fr := range f.frames {
		if fr.good {
			return 0
		}
		n++
		// Four or eight bits by chance are left of a card with one line dead,
		// which leaves holes.
		if (fr.falls == 4 || fr.falls == 8) && (fr.holes == 0 || f.Falls[0] > 0 && f.Falls[1] > 0) {
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

func weighClockData(f *Findings, _ *Evidence) float64 {
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

func weighHold(f *Findings, e *Evidence) float64 {
	switch {
	case f.Late > 0 && !f.noisy(0) && !f.noisy(1):
		return certain
	case f.Falls[0]+f.Falls[1] > 0:
		return 0
	case !f.Silent() || f.Free > 0 || f.IsLow(0) || f.IsLow(1):
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
