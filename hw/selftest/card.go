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

const (
	nobodyShows = "nobody is there to show a card"
	timesShown  = 3 // how often each card is shown
)

func (s *tester) card(ctx context.Context) Result {
	if s.Present == nil && s.Ask == nil {
		return skip(nobodyShows)
	}
	for i := range timesShown {
		s.Say([]string{"Show a card to the reader and take it away again.", "The same card again.", "And once more."}[min(i, 2)])
		if err := s.show(ctx, 0); err != nil {
			return failed(err)
		}
		if len(s.evidence.Cards[0].Edges) > 0 {
			continue
		}
		came, err := s.nothingCame(ctx)
		if err != nil {
			return failed(err)
		}
		if !came {
			return s.blame(Fail, "nothing arrived")
		}
		// The card was only shown late: this one counts as the first.
		s.evidence.Cards = s.evidence.Cards[len(s.evidence.Cards)-1:]
		s.evidence.Answered, s.evidence.Free = nil, nil
	}
	if diagnose.Examine(&s.evidence).OneDead() {
		// One of the wires may be on another pin.
		if err := s.elsewhere(ctx); err != nil {
			return failed(err)
		}
	}
	s.first = s.tally(s.evidence.Cards).card.Bits
	return s.judge(s.evidence.Cards)
}

// secondCard has a card of the other kind shown: a badge and a device between
// them have more of both bits than one card has.
func (s *tester) secondCard(ctx context.Context) Result {
	switch {
	case s.Present == nil && s.Ask == nil:
		return skip(nobodyShows)
	case len(s.evidence.Cards) > 0 && len(s.evidence.Cards[0].Edges) == 0:
		return skip("nothing came from the first card")
	}
	times := timesShown
	if s.first.Len() == 0 {
		times = 1 // the first card brought nothing good: this one only adds evidence
	}
	from := len(s.evidence.Cards)
	for i := range times {
		s.Say([]string{"Show a card of the other kind: a device's tag if the first was a badge.", "The same card again.", "And once more."}[min(i, 2)])
		show := s.show
		if i == times-1 && s.clean(s.evidence.Cards) {
			show = s.showWidths
		}
		if err := show(ctx, 1); err != nil {
			return failed(err)
		}
	}
	spells := s.evidence.Cards[from:]
	r := s.judge(spells)
	if r.Result == Pass && s.tally(spells).card.Bits == s.first {
		return bad(Warn, "Run the self-test again and show a badge first, then a device.", "%s; it is the same card as before", r.Measured)
	}
	return r
}

func (s *tester) show(ctx context.Context, card int) error {
	limit := s.timing.Limit
	if s.noisy {
		limit /= 4 // the lines never get quiet
	}
	since := s.Now()
	if s.Present != nil {
		s.Present(card) // on a busy machine its first pulses are out before we go on
	}
	spell, err := s.listen(ctx, since, s.timing.Card, s.timing.Quiet, limit)
	if err == nil {
		s.evidence.Cards = append(s.evidence.Cards, spell)
	}
	return err
}

// showWidths has a card shown while rising edges are noted as well, so that
// pulses have a width. In that mode a kernel may mistake a short pulse's
// direction: where it may have, the card is shown again without. A mistake makes
// no falls that are closer than a reader's: those are kept as evidence.
func (s *tester) showWidths(ctx context.Context, card int) error {
	if s.src.SetBothEdges(true) != nil {
		return s.show(ctx, card)
	}
	err := errors.Join(s.show(ctx, card), s.src.SetBothEdges(false))
	last := len(s.evidence.Cards) - 1
	if err != nil || s.clean(s.evidence.Cards[last:]) {
		return err
	}
	if f := diagnose.Examine(&diagnose.Evidence{Cards: s.evidence.Cards[last:], Formats: s.Formats}); f.Extra+f.Joined > 0 {
		return nil
	}
	s.evidence.Cards = s.evidence.Cards[:last]
	s.Say("And a last time.")
	return s.show(ctx, card)
}

// clean reports whether nothing came but good reads.
func (s *tester) clean(spells []diagnose.Spell) bool {
	return !slices.ContainsFunc(spells, func(spell diagnose.Spell) bool { return !s.onlyCards(spell) })
}

// nothingCame looks further: where the pulses may have gone instead, and whether
// the reader holds them back. It reports whether a card comes after all.
func (s *tester) nothingCame(ctx context.Context) (came bool, err error) {
	if s.Present == nil {
		a, err := s.Ask(ctx, "Nothing arrived. Did the reader beep or light up for the card? [y/n]")
		if err != nil {
			return false, err
		}
		yes := affirmative(a)
		s.evidence.Answered = &yes
	}
	if err := s.elsewhere(ctx); err != nil {
		return false, err
	}
	f := diagnose.Examine(&s.evidence)
	switch {
	case f.Astray():
		return false, nil
	case !f.Silent():
		return true, nil
	case f.IsLow(0) || f.IsLow(1):
		return false, nil
	}
	s.Say("Still nothing. If " + s.Site.HoldWire() + " touches anything, take it off now.")
	spell, err := s.listen(ctx, s.Now(), s.timing.Late, s.timing.Quiet, s.timing.Limit)
	s.evidence.Late = &spell
	return false, err
}

// elsewhere shows the card once more while the free pins are watched.
func (s *tester) elsewhere(ctx context.Context) error {
	if s.ListenFree == nil {
		return nil
	}
	stop, err := s.ListenFree()
	if err != nil {
		s.Say("The free pins can't be watched: " + err.Error())
		return nil // a help, not a need
	}
	s.Say("Show the card again, a few times: Stump watches the free pins of the header.")
	err = s.show(ctx, 0)
	free, stopErr := stop()
	s.evidence.Free = append([]gpio.Activity{}, free...) // not nil: they were watched
	return cmp.Or(err, stopErr)
}

// tally is what the daemon's decoder makes of showing one card a few times.
type tally struct {
	reads          []wiegand.Read
	card           wiegand.Read // the commonest
	same           int          // how often it came
	good, repaired int
}

func (s *tester) tally(spells []diagnose.Spell) (t tally) {
	seen := map[wiegand.Bits]int{}
	for i := range spells {
		t.reads = append(t.reads, s.reads(&spells[i])...)
	}
	for i := range t.reads {
		r := &t.reads[i]
		if !r.OK() {
			continue
		}
		t.good++
		if r.Repaired != "" {
			t.repaired++
		}
		if seen[r.Bits]++; seen[r.Bits] > t.same {
			t.card, t.same = *r, seen[r.Bits]
		}
	}
	return t
}

// reads is what the daemon's decoder makes of a spell.
func (s *tester) reads(spell *diagnose.Spell) (reads []wiegand.Read) {
	d := wiegand.NewDecoder(wiegand.Options{Formats: s.Formats})
	for _, e := range diagnose.Falls(spell.Edges) {
		e.Seq = 0 // rising edges, which were left out, are numbered as well
		reads = append(reads, d.Push(e)...)
	}
	return append(reads, d.Advance(spell.To+wiegand.CloseAfter)...)
}

// lostEdges counts the gaps in the kernel's numbers.
func lostEdges(edges []wiegand.Edge) (n int) {
	for i := 1; i < len(edges); i++ {
		if edges[i].Seq > edges[i-1].Seq {
			n += int(edges[i].Seq-edges[i-1].Seq) - 1
		}
	}
	return n
}

// judge says what came of showing one card a few times.
func (s *tester) judge(spells []diagnose.Spell) Result {
	f := diagnose.Examine(&diagnose.Evidence{Idle: s.evidence.Idle, Float: s.evidence.Float, Cards: spells, Formats: s.Formats})
	t := s.tally(spells)
	n, lost := len(t.reads), 0
	for _, spell := range spells {
		lost += lostEdges(spell.Edges)
	}
	switch {
	case n == 0:
		return s.blame(Fail, fmt.Sprintf("%d and %d pulses on DATA0 and DATA1, but no card", f.Falls[0], f.Falls[1]))
	case lost > 0:
		v := Warn
		if t.good == 0 {
			v = Fail
		}
		return bad(v, "The board was too busy to note every edge. Stop what else runs on it and repeat the test; in service such reads are refused, never guessed.",
			"%s lost by the kernel, %d of %s good", count.Of(lost, "edge"), t.good, count.Of(n, "read"))
	case t.good == 0:
		r := s.blame(Fail, t.lengths()+", none good")
		if len(r.Causes) == 0 { // then at least what the decoder says
			r.Measured += ": " + faultText[t.reads[0].Fault]
			r.Remedy = s.unexplained(f, t)
		}
		return r
	case t.same < n || t.repaired > 0 || f.Quiet > 0:
		v := Warn
		if t.good*3 < n*2 {
			v = Fail
		}
		r := s.blame(v, t.flaws(f))
		if len(r.Causes) == 0 {
			r.Remedy = s.unexplained(f, t)
		}
		return r
	}
	const unchecked = "a format without a check (compare the number with the card: exchanged wires would not show)"
	r := pass("%s, %d of %d equal%s", describeCard(&t.card, unchecked, s.ShowNumbers), t.same, n, shape(spells))
	if len(s.diagnose()) > 0 {
		return s.blame(Warn, r.Measured) // good reads over wiring that showed a fault: luck
	}
	return r
}

// unexplained is what to do about cards of which no cause is known.
func (s *tester) unexplained(f *diagnose.Findings, t tally) string {
	equal := !slices.ContainsFunc(t.reads, func(r wiegand.Read) bool { return r.Bits != t.reads[0].Bits })
	intact := t.good == len(t.reads) && t.repaired == 0 && f.Extra == 0
	switch {
	case t.good == 0 && equal && f.Extra == 0:
		return "Check that the reader's cards are of the formats in the configuration: `stump scope` shows what arrives."
	case intact && f.Quiet == 0:
		return "More than one card was read. Keep other cards away from the reader, show one and the same each time, and run the self-test again."
	case intact:
		return "Hold the card flat on the reader until it beeps, and run the self-test again. If it beeped and nothing arrived: " + s.Site.HoldWire() + " must not touch anything, and the reader needs its full supply also while it reads."
	}
	return "Pulses were lost or damaged on the way, and nothing tells where. Press both data wires onto their terminals at the reader, at " + s.Site.Converter() + " and at the board, then run the self-test again; `stump scope` shows each read. A long cable without a shield does this too."
}

// flaws is "5 of 6 reads good (1 after a repair), 5 of the same card, 3 pulses
// too many, 1 card brought nothing".
func (t *tally) flaws(f *diagnose.Findings) string {
	text := fmt.Sprintf("%d of %d reads good", t.good, len(t.reads))
	if t.repaired > 0 {
		text += fmt.Sprintf(" (%d after a repair)", t.repaired)
	}
	text += fmt.Sprintf(", %d of the same card", t.same)
	if f.Extra > 0 {
		text += ", " + count.Of(f.Extra, "pulse") + " too many"
	}
	if f.Quiet > 0 {
		text += ", " + count.Of(f.Quiet, "card") + " brought nothing"
	}
	return text
}

// lengths is "3 reads of 24, 25, 26 bits".
func (t *tally) lengths() string {
	var n []int
	for i := range t.reads {
		n = append(n, t.reads[i].Count)
	}
	slices.Sort(n)
	n = slices.Compact(n)
	words := strings.Fields(strings.Trim(fmt.Sprint(n), "[]"))
	if len(words) > 5 {
		words = append(words[:3], "…", words[len(words)-1])
	}
	return fmt.Sprintf("%s of %s bits", count.Of(len(t.reads), "read"), strings.Join(words, ", "))
}

// shape is ", pulses 50 µs wide, 2.0 ms apart"; widths only where the source
// gave both edges.
func shape(spells []diagnose.Spell) (text string) {
	var all []wiegand.Edge
	var widths []int64
	for _, spell := range spells {
		all = append(all, diagnose.Falls(spell.Edges)...)
		var down [2]int64
		for _, e := range spell.Edges {
			switch {
			case !e.Rising:
				down[e.Line] = e.Time
			case down[e.Line] != 0:
				widths = append(widths, e.Time-down[e.Line])
				down[e.Line] = 0
			}
		}
	}
	if len(widths) > 0 {
		slices.Sort(widths)
		text = fmt.Sprintf(", pulses %s wide", seconds(time.Duration(widths[len(widths)/2])))
	}
	return text + fmt.Sprintf(", %s apart", seconds(time.Duration(diagnose.Interval(all))))
}

func affirmative(a string) bool {
	a = strings.ToLower(strings.TrimSpace(a))
	return a == "y" || a == "yes"
}
