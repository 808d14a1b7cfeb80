package panel

import (
	"context"
	"log/slog"
	"time"
)

// Output is a line that is on or off: a light or the beeper. The gpio
// package's outputs are outputs.
type Output interface {
	Set(on bool) error
}

// step is one part of a pattern. The last step of a pattern has no time: its
// state stays.
type step struct {
	green, red, beep bool
	time             time.Duration
}

const ms = time.Millisecond

// patterns are what each signal looks and sounds like. They differ by sound
// alone, and by colour and rhythm alone.
//
//	waiting           .            green blinks slowly
//	done              . .          green
//	refused           . . .        red
//	bad read          ———          red blinks fast
//	saved, not synced . ——         green, then red and green
var patterns = map[signal][]step{
	signalNone:           {{}},
	signalWaiting:        waiting(),
	signalWaitsOn:        waiting()[1:],
	signalDone:           {{green: true, beep: true, time: 80 * ms}, {green: true, time: 80 * ms}, {green: true, beep: true, time: 80 * ms}, {green: true, time: 2500 * ms}, {}},
	signalRefused:        {{red: true, beep: true, time: 120 * ms}, {red: true, time: 100 * ms}, {red: true, beep: true, time: 120 * ms}, {red: true, time: 100 * ms}, {red: true, beep: true, time: 120 * ms}, {red: true, time: 2500 * ms}, {}},
	signalBadRead:        {{red: true, beep: true, time: 500 * ms}, {time: 150 * ms}, {red: true, time: 150 * ms}, {time: 150 * ms}, {red: true, time: 150 * ms}, {time: 150 * ms}, {red: true, time: 150 * ms}, {}},
	signalSavedNotSynced: {{green: true, beep: true, time: 80 * ms}, {green: true, time: 80 * ms}, {green: true, beep: true, time: 250 * ms}, {green: true, time: 1200 * ms}, {green: true, red: true, time: 1200 * ms}, {}},
}

// waiting is one chirp, then green that blinks for two minutes.
func waiting() []step {
	p := []step{{green: true, beep: true, time: 60 * ms}, {green: true, time: 440 * ms}}
	for range 120 {
		p = append(p, step{time: 500 * ms}, step{green: true, time: 500 * ms})
	}
	return append(p, step{})
}

// outputRetry is how long until an output that failed is set again.
const outputRetry = 5 * time.Second

// lights are the reader's outputs.
type lights struct {
	green, red, beeper *lamp
}

// unsure is whether an output may not be what it was set to.
func (l *lights) unsure() bool { return !l.green.known || !l.red.known || !l.beeper.known }

// lamp is one output and what it is set to. Its line may be missing.
type lamp struct {
	name   string
	out    Output
	on     bool
	known  bool
	failed bool
	log    *slog.Logger
}

// set switches the output if it must change. A failure is logged once, until
// the output works again.
func (l *lamp) set(on bool) {
	if l.known && l.on == on {
		return
	}
	l.on, l.known = on, true
	if l.out == nil {
		return
	}
	if err := l.out.Set(on); err != nil {
		l.known = false
		if !l.failed {
			l.log.Warn("reader output doesn't answer, taps go on", "output", l.name, "err", err)
		}
		l.failed = true
		return
	}
	if l.failed {
		l.log.Info("reader output works again", "output", l.name)
		l.failed = false
	}
}

// runLights plays the pattern of the newest message until ctx is done, and then
// switches everything off.
func (p *Panel) runLights(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	pattern := []step{{}} // what is still to be played
	for {
		var n uint64
		select {
		case <-ctx.Done():
			p.light(step{}, 0)
			return
		case <-p.lightWake:
			var begin []step
			if begin, n = p.takeSignal(); begin == nil {
				p.publish(func() { p.lit = max(p.lit, n) })
				continue
			}
			pattern = begin
		case <-timer.C:
		}
		now := pattern[0]
		p.light(now, n)
		switch pattern = pattern[1:]; {
		case len(pattern) > 0:
			timer.Reset(now.time)
		case p.lights.unsure(): // a beeper that could not be switched off still sounds
			pattern = []step{now}
			timer.Reset(outputRetry)
		default:
			timer.Stop()
		}
	}
}

// takeSignal returns the pattern to begin and its message's number. The pattern
// is nil if the one that is played goes on.
func (p *Panel) takeSignal() ([]step, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goesOn {
		p.goesOn = false
		return nil, p.last
	}
	return patterns[p.signal], p.last
}

// light sets the outputs, the beeper first, and publishes the state; n > 0 is
// the message whose pattern this begins.
func (p *Panel) light(s step, n uint64) {
	sounds := s.beep && !p.lights.beeper.on
	p.lights.beeper.set(s.beep)
	p.lights.green.set(s.green)
	p.lights.red.set(s.red)
	p.publish(func() {
		p.state.Green, p.state.Red = s.green, s.red
		if sounds {
			p.state.Beeps++
		}
		p.lit = max(p.lit, n)
	})
}
