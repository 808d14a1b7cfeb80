package selftest

import (
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

// card has a card shown a few times.
func (s *tester) card(ctx context.Context) Result {
	if r, ok := s.cannotShow(); !ok {
		return r
	}
	from := len(s.evidence.Cards)
	for i := range s.timing.Times {
		s.Say([]string{"Show a card to the reader and take it away again.", "The same card again.", "And once more."}[min(i, 2)])
		if err := s.show(ctx, 0); err != nil {
			return failed(err, gpio.Hint(err))
		}
		if len(s.evidence.Cards[from].Edges) > 0 {
			continue
		}
		if r, late := s.nothingCame(ctx); !late {
			return r
		}
		// The card was only shown late: this one counts as the first.
		s.evidence.Cards = s.evidence.Cards[len(s.evidence.Cards)-1:]
		s.evidence.Answered, s.evidence.Free = nil, nil
		from = 0
	}
	if f := diagnose.Examine(&s.evidence); f.OneDead() && s.evidence.Free == nil {
		// One of the wires may be on another pin.
		if err := s.elsewhere(ctx); err != nil {
			return failed(err, gpio.Hint(err))
		}
	}
	spells := s.evidence.Cards[from:]
	s.first, _, _, _ = tally(s.reads(spells))
	return s.judge(spells)
}

// secondCard has a card of the other kind shown: a badge and a device between
// them have more of both bits than one card has.
func (s *tester) secondCard(ctx context.Context) Result {
	if r, ok := s.cannotShow(); !ok {
		return r
	}
	if len(s.evidence.Cards) > 0 && len(s.evidence.Cards[0].Edges) == 0 {
		return skip("nothing came from the first card")
	}
	times := s.timing.Times
	if s.first.Len() == 0 {
		times = 1 // the first card brought nothing good: this one only adds evidence
	}
	from := len(s.evidence.Cards)
	for i := range times {
		s.Say([]string{"Show a card of the other kind: a device's tag if the first was a badge.", "The same card again.", "And once more."}[min(i, 2)])
		show := s.show
		if i > 0 && i == times-1 && s.clean(s.evidence.Cards) {
			show = s.showWidths
		}
		if err := show(ctx, 1); err != nil {
			return failed(err, gpio.Hint(err))
		}
	}
	spells := s.evidence.Cards[from:]
	r := s.judge(spells)
	if bits, _, _, _ := tally(s.reads(spells)); r.Result == Pass && bits == s.first {
		return bad(Warn, "Run the self-test again and show a badge first, then a device.", "%s; it is the same card as before", r.Measured)
	}
	return r
}

func (s *tester) cannotShow() (Result, bool) {
	switch {
	case s.src == nil:
		return skip("the lines could not be taken"), false
	case s.Present == nil && s.Ask == nil:
		return skip("nobody is there to show a card"), false
	}
	return Result{}, true
}

// show asks for a card and notes what comes.
func (s *tester) show(ctx context.Context, card int) error {
	limit := s.timing.Limit
	if s.noisy {
		limit /= 4 // the lines never get quiet
	}
	since := s.Now()
	if s.Present != nil {
		s.Present(card) // on a busy machine its first pulses are out before we go on
	}
	spell, err := s.listenSince(ctx, since, s.timing.Card, s.timing.Quiet, limit)
	if err == nil {
		s.evidence.Cards = append(s.evidence.Cards, spell)
	}
	return err
}

// showWidths has a card shown while rising edges are noted as well, so that
// pulses have a width. In that mode a kernel may mistake a short pulse's
// direction: where it may have, the card is shown again without. A mistake
// makes no falls that are closer than a reader's: those are kept as evidence.
func (s *tester) showWidths(ctx context.Context, card int) error {
	b, ok := s.src.(interface{ SetBothEdges(bool) error })
	if !ok || b.SetBothEdges(true) != nil {
		return s.show(ctx, card)
	}
	err := errors.Join(s.show(ctx, card), b.SetBothEdges(false))
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

// clean: nothing came but good reads.
func (s *tester) clean(spells []diagnose.Spell) bool {
	for i := range spells {
		if !s.onlyCards(spells[i]) {
			return false
		}
	}
	return true
}

// nothingCame looks further: where the pulses may have gone instead, and
// whether the reader keeps them. It reports true when a card comes after all.
func (s *tester) nothingCame(ctx context.Context) (r Result, late bool) {
	if s.Ask != nil && s.Present == nil {
		a, err := s.Ask(ctx, "Nothing arrived. Did the reader beep or light up for the card? [y/n]")
		if err != nil {
			return failed(err, ""), false
		}
		yes := affirmative(a)
		s.evidence.Answered = &yes
	}
	if err := s.elsewhere(ctx); err != nil {
		return failed(err, gpio.Hint(err)), false
	}
	f := diagnose.Examine(&s.evidence)
	if !f.Silent() && !f.Astray() {
		return Result{}, true
	}
	if f.Silent() && !f.Astray() && !f.IsLow(0) && !f.IsLow(1) {
		s.Say("Still nothing. If " + s.Site.HoldWire() + " touches anything, take it off now.")
		spell, err := s.listen(ctx, s.timing.Late, s.timing.Quiet, s.timing.Limit)
		if err != nil {
			return failed(err, gpio.Hint(err)), false
		}
		s.evidence.Late = &spell
	}
	return s.blame(Fail, "nothing arrived"), false
}

// elsewhere shows the card once more while the free pins are watched.
func (s *tester) elsewhere(ctx context.Context) error {
	listen := s.ListenFree
	if l, ok := s.src.(interface {
		ListenFree() (func() ([]gpio.Activity, error), error)
	}); ok && listen == nil {
		listen = l.ListenFree
	}
	if listen == nil {
		return nil
	}
	stop, err := listen()
	if err != nil {
		s.Say("The free pins can't be watched: " + err.Error())
		return nil // a help, not a need
	}
	s.Say("Show the card again, a few times: Stump watches the free pins of the header.")
	err = s.show(ctx, 0)
	free, stopErr := stop()
	if free == nil {
		free = []gpio.Activity{}
	}
	s.evidence.Free = free
	if err == nil {
		err = stopErr
	}
	return err
}

// reads is what the daemon's decoder makes of the spells.
func (s *tester) reads(spells []diagnose.Spell) (reads []wiegand.Read) {
	for i := range spells {
		d := wiegand.NewDecoder(wiegand.Options{Formats: s.Formats})
		for _, e := range diagnose.Falls(spells[i].Edges) {
			e.Seq = 0 // rising edges, which were left out, are numbered as well
			reads = append(reads, d.Push(e)...)
		}
		reads = append(reads, d.Advance(spells[i].To+wiegand.CloseAfter)...)
	}
	return reads
}

// lostEdges counts the gaps in the kernel's numbers.
func lostEdges(edges []wiegand.Edge) (n int) {
	for i := 1; i < len(edges); i++ {
		if jump := edges[i].Seq - edges[i-1].Seq; edges[i].Seq > edges[i-1].Seq && jump > 1 {
			n += int(jump) - 1
		}
	}
	return n
}

// tally counts reads: the commonest card, how often it came, how many were
// good and how many of those had to be repaired.
func tally(reads []wiegand.Read) (bits wiegand.Bits, same, good, repaired int) {
	count := map[wiegand.Bits]int{}
	for i := range reads {
		r := &reads[i]
		if !r.OK() {
			continue
		}
		good++
		if r.Repaired != "" {
			repaired++
		}
		if count[r.Bits]++; count[r.Bits] > same {
			bits, same = r.Bits, count[r.Bits]
		}
	}
	return bits, same, good, repaired
}

// judge says what came of showing one card a few times.
func (s *tester) judge(spells []diagnose.Spell) Result {
	f := diagnose.Examine(&diagnose.Evidence{Idle: s.evidence.Idle, Float: s.evidence.Float, Cards: spells, Formats: s.Formats})
	reads := s.reads(spells)
	bits, same, good, repaired := tally(reads)
	n, lost := len(reads), 0
	for i := range spells {
		lost += lostEdges(spells[i].Edges)
	}
	switch {
	case n == 0:
		return s.blame(Fail, fmt.Sprintf("%d and %d pulses on DATA0 and DATA1, but no card", f.Falls[0], f.Falls[1]))
	case lost > 0:
		v := Warn
		if good == 0 {
			v = Fail
		}
		return bad(v, "The board was too busy to note every edge. Stop what else runs on it and repeat the test; in service such reads are refused, never guessed.", "%s lost by the kernel, %d of %s good", count.Of(lost, "edge"), good, count.Of(n, "read"))
	case good == 0:
		r := s.blame(Fail, lengths(reads)+", none good")
		if len(r.Causes) == 0 { // then at least what the decoder says
			r.Measured += ": " + faultText[reads[0].Fault]
			r.Remedy = s.unexplained(f, reads)
		}
		return r
	case same < n || repaired > 0 || f.Quiet > 0 || f.Extra > 0:
		v := Warn
		if good*3 < n*2 {
			v = Fail
		}
		r := s.blame(v, fmt.Sprintf("%d of %d reads good%s, %d of the same card%s", good, n, afterRepair(repaired), same, besides(f)))
		if len(r.Causes) == 0 {
			r.Remedy = s.unexplained(f, reads)
		}
		return r
	}
	r := pass("%s, %d of %d equal%s", s.describe(bits), same, n, shape(spells))
	if causes := diagnose.Diagnose(&s.evidence, &s.Site); len(causes) > 0 {
		return s.blame(Warn, r.Measured) // good reads over wiring that showed a fault: luck
	}
	return r
}

// unexplained is what to do about cards of which no cause is known.
func (s *tester) unexplained(f *diagnose.Findings, reads []wiegand.Read) string {
	equal := !slices.ContainsFunc(reads, func(r wiegand.Read) bool { return r.Bits != reads[0].Bits })
	_, _, good, repaired := tally(reads)
	intact := good == len(reads) && repaired == 0 && f.Extra == 0
	switch {
	case good == 0 && equal && f.Extra == 0:
		return "Check that the reader's cards are of the formats in the configuration: `stump scope` shows what arrives."
	case intact && f.Quiet == 0:
		return "More than one card was read. Keep other cards away from the reader, show one and the same each time, and run the self-test again."
	case intact:
		return "Hold the card flat on the reader until it beeps, and run the self-test again. If it beeped and nothing arrived: " + s.Site.HoldWire() + " must not touch anything, and the reader needs its full supply also while it reads."
	}
	return "Pulses were lost or damaged on the way, and nothing tells where. Press both data wires onto their terminals at the reader, at " + s.Site.Converter() + " and at the board, then run the self-test again; `stump scope` shows each read. A long cable without a shield does this too."
}

// besides is ", 3 pulses too many, 1 card brought nothing".
func besides(f *diagnose.Findings) (text string) {
	if f.Extra > 0 {
		text += ", " + count.Of(f.Extra, "pulse") + " too many"
	}
	if f.Quiet > 0 {
		text += ", " + count.Of(f.Quiet, "card") + " brought nothing"
	}
	return text
}

func afterRepair(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d after a repair)", n)
}

// describe names the card: "26 bits, H10301, parity OK, number …066".
func (s *tester) describe(bits wiegand.Bits) string {
	for _, f := range s.Formats {
		v, ok := f.Unpack(bits)
		if !ok {
			continue
		}
		check := "parity OK"
		if !f.Checked() {
			check = "a format without a check (compare the number with the card: exchanged wires would not show)"
		}
		return fmt.Sprintf("%d bits, %s, %s, number %s", bits.Len(), f.Name, check, masked(f, v, s.ShowNumbers))
	}
	return count.Of(bits.Len(), "bit")
}

// lengths is "3 reads of 24, 25, 26 bits".
func lengths(reads []wiegand.Read) string {
	var n []int
	for i := range reads {
		n = append(n, reads[i].Count)
	}
	slices.Sort(n)
	n = slices.Compact(n)
	words := make([]string, 0, len(n))
	for _, v := range n {
		words = append(words, fmt.Sprint(v))
	}
	if len(words) > 5 {
		words = append(words[:3], "…", words[len(words)-1])
	}
	return fmt.Sprintf("%s of %s bits", count.Of(len(reads), "read"), strings.Join(words, ", "))
}

// shape is ", pulses 50 µs wide, 2.0 ms apart"; widths only where the source
// gave both edges.
func shape(spells []diagnose.Spell) string {
	var all []wiegand.Edge
	var widths []int64
	for i := range spells {
		all = append(all, diagnose.Falls(spells[i].Edges)...)
		widths = append(widths, pulseWidths(spells[i].Edges)...)
	}
	s := ""
	if len(widths) > 0 {
		slices.Sort(widths)
		s = fmt.Sprintf(", pulses %s wide", seconds(time.Duration(widths[len(widths)/2])))
	}
	return s + fmt.Sprintf(", %s apart", seconds(time.Duration(diagnose.Interval(all))))
}

// pulseWidths pairs each fall with the next rise of its line.
func pulseWidths(edges []wiegand.Edge) (widths []int64) {
	var down [2]int64
	for _, e := range edges {
		switch {
		case !e.Rising:
			down[e.Line] = e.Time
		case down[e.Line] != 0:
			widths = append(widths, e.Time-down[e.Line])
			down[e.Line] = 0
		}
	}
	return widths
}

func affirmative(a string) bool {
	a = strings.ToLower(strings.TrimSpace(a))
	return a == "y" || a == "yes"
}
