package selftest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stump/gpio"
	"stump/hw/diagnose"
	"stump/internal/count"
	"stump/wiegand"
)

func (s *tester) lines(ctx context.Context) Result {
	src, err := s.Lines(ctx)
	if err != nil {
		return failed(err)
	}
	s.src = src
	// Falling edges alone are sure; rising ones are asked for when needed.
	if err := src.SetBothEdges(false); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return failed(err)
	}
	if len(s.Others) > 0 {
		return pass("%s; this is one reader, the others have a test of their own: --reader %s", src, strings.Join(s.Others, ", "))
	}
	return pass("%s", src)
}

// listen notes what the lines do for d from now, which may have passed. With
// quiet it ends earlier, once there were edges and then none for so long, or
// after limit.
func (s *tester) listen(ctx context.Context, now int64, d, quiet, limit time.Duration) (spell diagnose.Spell, err error) {
	spell.From = now
	if spell.Start, err = s.src.Levels(); err != nil {
		return spell, err
	}
	buf := make([]wiegand.Edge, 256)
	for end := now + int64(d); now < end && ctx.Err() == nil; {
		until := min(end, now+int64(100*time.Millisecond)) // to notice a cancelled context
		n, t, err := s.src.Read(buf, until)
		if err != nil {
			return spell, err
		}
		now = t
		for _, e := range buf[:n] {
			if e.Time > spell.From { // the queue may hold older ones
				spell.Edges = append(spell.Edges, e)
			}
		}
		if n := len(spell.Edges); n > 0 && quiet > 0 {
			end = min(spell.Edges[n-1].Time+int64(quiet), spell.Edges[0].Time+int64(limit))
		}
	}
	spell.To = now
	spell.End, err = s.src.Levels()
	return spell, cmp.Or(err, ctx.Err())
}

func (s *tester) idle(ctx context.Context) Result {
	if s.Present == nil {
		s.Say(fmt.Sprintf("Hands off the wires and cards away from the reader, for %s.", seconds(s.timing.Idle)))
	}
	spell, err := s.listen(ctx, s.Now(), s.timing.Idle, 0, 0)
	if err != nil {
		return failed(err)
	}
	measured := fmt.Sprintf("DATA0 %s, DATA1 %s, %s in %s", level(spell.End[0]), level(spell.End[1]), pulses(spell.Edges), seconds(spell.Duration()))
	card := s.onlyCards(spell)
	if card { // somebody used the reader: that is not noise
		spell.Edges = nil
	}
	s.evidence.Idle = spell
	n := len(diagnose.Falls(spell.Edges))
	s.noisy = float64(n) > 3*spell.Duration().Seconds()
	if spell.End != [2]bool{true, true} {
		// The float test tells what a low line means, so it comes first.
		if err := s.measureFloat(ctx); err != nil {
			return failed(err)
		}
		return s.blame(Fail, measured)
	}
	return verdicts{
		{card, bad(Warn, "Keep cards away while the lines are listened to, and run the self-test again to be sure.", "%s: a card was read", measured)},
		{n == 0, pass("%s", measured)},
		{n > 2, s.blame(Fail, measured)},
		{true, bad(Warn, "Something moved a line though no card was there: a hand at the cable, or a disturbance nearby. Run the self-test again; if it comes back, watch `stump scope` while lights, locks and motors nearby switch.", "%s", measured)},
	}.first()
}

// onlyCards reports whether everything that came belongs to good reads.
func (s *tester) onlyCards(spell diagnose.Spell) bool {
	reads := s.reads(&spell)
	return len(reads) > 0 && !slices.ContainsFunc(reads, func(r wiegand.Read) bool { return !r.OK() || r.Repaired != "" })
}

// pulses is "no pulse", or "12 pulses on DATA0, 3 on DATA1".
func pulses(edges []wiegand.Edge) string {
	f := diagnose.Falls(edges)
	if len(f) == 0 {
		return "no pulse"
	}
	return fmt.Sprintf("%s on DATA0, %d on DATA1", count.Of(len(diagnose.OnLine(f, 0)), "pulse"), len(diagnose.OnLine(f, 1)))
}

func level(high bool) string {
	if high {
		return "high"
	}
	return "low"
}

// tie is a difference of weights that leaves the order of two causes open.
const tie = 0.35

// blame adds what the evidence so far says. Where the first two causes are
// close, the remedy includes the measurement that tells them apart.
func (s *tester) blame(v Verdict, measured string) Result {
	r := Result{Result: v, Measured: measured}
	causes := s.diagnose()
	r.Causes = diagnose.Names(causes)
	if len(causes) == 0 {
		return r
	}
	first := causes[0]
	r.Measured += ": " + first.Seen
	r.Remedy = first.Remedy
	if len(causes) > 1 && first.Weight-causes[1].Weight < tie {
		r.Remedy += fmt.Sprintf(" It may also be %s. To tell: %s", diagnose.Label(causes[1].Name), first.Next)
	}
	return r
}

// float pulls the lines up and down with the board's own resistors.
func (s *tester) float(ctx context.Context) Result {
	if s.NoFloat != "" {
		return skip("%s", s.NoFloat)
	}
	if err := s.measureFloat(ctx); err != nil {
		return failed(err)
	}
	f := s.evidence.Float
	if f == nil {
		return skip("the pull resistors of these lines can't be changed")
	}
	answers := [2]diagnose.Answer{f.Line(0), f.Line(1)}
	measured := fmt.Sprintf("DATA0 %s, DATA1 %s", answers[0], answers[1])
	if answers[0] == answers[1] {
		measured = fmt.Sprintf("DATA0 and DATA1 each %s", answers[0])
	}
	return verdicts{
		{answers == [2]diagnose.Answer{diagnose.PulledUp, diagnose.PulledUp}, pass("%s; that is the converter's or the reader's doing, a card will tell", measured)},
		{slices.Contains(answers[:], diagnose.HeldLow), s.blame(Fail, measured)},
		{true, s.blame(Warn, measured)},
	}.first()
}

// settling is how long lines move after their pull was changed: a long cable
// on the board's 50 kΩ takes a few milliseconds.
const settling = 20 * time.Millisecond

// measureFloat reads the levels under both pulls, once, where that is possible,
// and restores the configured pull. As-is can't be asked for again; a pull-up
// does no harm, because the lines rest high.
func (s *tester) measureFloat(ctx context.Context) error {
	if s.NoFloat != "" || s.evidence.Float != nil {
		return nil
	}
	var f diagnose.Float
	configured := s.Bias
	if configured == gpio.BiasAsIs {
		configured = gpio.BiasPullUp
	}
	err := errors.Join(
		s.src.SetBias(gpio.BiasPullUp), s.readings(ctx, &f.Up),
		s.src.SetBias(gpio.BiasPullDown), s.readings(ctx, &f.Down),
		s.src.SetBias(configured),
	)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	}
	s.evidence.Float = &f
	_, err = s.listen(ctx, s.Now(), settling, 0, 0) // what the last change of the pull does is not evidence
	return err
}

// readings reads the levels a few times over more than a period of the mains.
func (s *tester) readings(ctx context.Context, share *[2]float64) error {
	const times = 7
	for range times {
		spell, err := s.listen(ctx, s.Now(), 3700*time.Microsecond, 0, 0)
		if err != nil {
			return err
		}
		for i, high := range spell.End {
			if high {
				share[i] += 1. / times
			}
		}
	}
	return nil
}
