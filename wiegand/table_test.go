package wiegand

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	damageCards = flag.Int("damage.cards", 300, "cards a row of the decoder's tables")
	damageSeed  = flag.Uint64("damage.seed", 0, "seed of the decoder's tables; 0: another one each time, which they print")
	damageShow  = flag.Bool("damage.show", false, "show frames that were delivered wrong")
)

// damage is a row of the table.
type damage struct {
	name     string
	right    float64 // least share of the cards, 0: none asked for
	wrong    float64 // largest share
	reader   reader
	do       func(*rand.Rand, []pulse) []pulse
	stamps   func(*rand.Rand, []Edge)
	opts     Options
	before   func(*rand.Rand) []pulse // noise before the card that starts at 0
	twice    bool                     // a card that is refused is shown again, at once
	twin     bool                     // another card 30 to 60 ms later
	both     bool                     // promised with both edges only
	tags     []Bits                   // the station's register: its cards are shown, and only they are accepted
	free     bool                     // no promise: printed only
	skewed   bool                     // one line is late by up to 0.3 ms
	anySpeed bool                     // a reader of 0.3 to 0.69 ms a bit, another for each card
	mains    bool                     // damage that comes back every 20 ms
}

// tally counts what became of the cards of a row.
type tally struct{ cards, right, wrong int }

func (tl tally) share(n int) float64 { return float64(n) / float64(tl.cards) }

// run sends cards two seconds apart to one decoder.
func (dm *damage) run(rng *rand.Rand, f *Format, cards int, bothEdges bool) (tl tally) {
	o := dm.opts
	o.Formats, o.BothEdges = []*Format{f}, bothEdges
	d := NewDecoder(o)
	for i := range cards {
		sent, edges := dm.card(rng, f, i)
		if !bothEdges {
			edges = fallsOf(edges)
		}
		if dm.stamps != nil {
			dm.stamps(rng, edges)
		}
		tl.cards += len(sent)
		first := sent[0]
		for _, r := range decodeAll(d, edges) {
			if !r.OK() || len(dm.tags) > 0 && !slices.Contains(dm.tags, r.Bits) {
				continue
			}
			if i := slices.Index(sent, r.Bits); i >= 0 {
				sent = slices.Delete(sent, i, i+1)
				tl.right++
				continue
			}
			if dm.twice && r.Bits == first {
				continue
			}
			tl.wrong++
			if *damageShow {
				fmt.Println(describe(dm.name, sent, r, edges))
			}
		}
	}
	return tl
}

// card is what is sent as number i, and the edges that come of it.
func (dm *damage) card(rng *rand.Rand, f *Format, i int) (sent []Bits, edges []Edge) {
	rd := dm.reader
	switch {
	case dm.anySpeed:
		rd.interval = between(rng, 300*us, 690*us)
	case rd.interval == 0:
		rd = standardReader
	}
	rd.model = i % 3
	t := int64(1e9) + int64(i)*2e9
	sent = []Bits{randomCard(rng, f, &dm.opts)}
	if len(dm.tags) > 0 {
		sent[0] = dm.tags[rng.IntN(len(dm.tags))]
	}
	pulses := rd.send(rng, sent[0], t)
	end := pulses[len(pulses)-1].at
	if dm.before != nil {
		for _, p := range dm.before(rng) {
			p.at += t
			pulses = append(pulses, p)
		}
	}
	if dm.do != nil {
		pulses = dm.do(rng, pulses)
	}
	if dm.twice {
		pulses = append(pulses, rd.send(rng, sent[0], t+1e9)...)
	}
	if dm.twin {
		sent = append(sent, randomCard(rng, f, &dm.opts))
		pulses = append(pulses, rd.send(rng, sent[1], end+between(rng, 30*ms, 60*ms))...)
	}
	return sent, edgesOf(pulses)
}

// describe shows a frame as lines and the intervals between its edges, in
// hundredths of the median.
func describe(name string, sent []Bits, r Read, edges []Edge) string {
	s := fmt.Sprintf("%s\n  sent %v\n  got  %v %s %s %d\n ", name, sent, r.Bits, r.Fault, r.Repaired, r.Interval)
	for i, e := range edges {
		if i > 0 {
			s += fmt.Sprintf(" %d ", (e.Time-edges[i-1].Time)*100/max(1, r.Interval))
		}
		s += fmt.Sprint(e.Line)
		if e.Rising {
			s += "^"
		}
	}
	return s
}

// randomCard is any card of the format in the site's facilities.
func randomCard(rng *rand.Rand, f *Format, o *Options) Bits {
	v := Fields{Facility: pick(rng, f.facility), Number: pick(rng, f.number)}
	if len(o.Accept) > 0 {
		v.Facility = o.Accept[0].Facilities[0]
	}
	b, err := f.Pack(v)
	if err != nil {
		panic(err)
	}
	return b
}

func pick(rng *rand.Rand, fl field) uint64 {
	if len(fl.bits) == 0 {
		return 0
	}
	if fl.max == math.MaxUint64 {
		return rng.Uint64()
	}
	return rng.Uint64N(fl.max + 1)
}

// register is 500 tags that a station knows: random ones of the site, or
// consecutive numbers.
func register(rng *rand.Rand, f *Format, o *Options, sequential bool) (tags []Bits) {
	for i := range uint64(500) {
		b := randomCard(rng, f, o)
		if sequential {
			b, _ = f.Pack(Fields{Facility: o.Accept[0].Facilities[0], Number: 1000 + i})
		}
		tags = append(tags, b)
	}
	return tags
}

// TestDamageTable prints what becomes of damaged cards, as docs/decoding.md
// shows it, and fails where a promise is not kept:
//
//	go test ./wiegand -run TestDamageTable -v -damage.cards 10000
func TestDamageTable(t *testing.T) {
	seed := tableSeed(t)
	for _, name := range []string{"H10301", "H10306", "C1k35s", "H10302", "C1k48s"} {
		f := mustFormat(t, name)
		var out strings.Builder
		fmt.Fprintf(&out, "\n%s, %d cards a row, seed %d: %% right, wrong\n\n", name, *damageCards, seed)
		fmt.Fprintf(&out, "| %-58s | promised        | falling edges   | both edges      |\n|---|---|---|---|\n", "damage")
		for i, dm := range damages(f) {
			fmt.Fprintf(&out, "| %-58s | %-15s |", dm.name, dm.promise())
			for _, both := range []bool{false, true} {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				tl := dm.run(rng, f, *damageCards, both)
				fmt.Fprintf(&out, " %6.2f, %6.3f |", 100*tl.share(tl.right), 100*tl.share(tl.wrong))
				dm.check(t, name, both, tl)
			}
			out.WriteByte('\n')
		}
		t.Log(out.String())
	}
}

// promise is the right and wrong share that a row must have.
func (dm *damage) promise() string {
	switch {
	case dm.free:
		return "none possible"
	case dm.right == 0 && dm.wrong == 0:
		return "0 wrong"
	case dm.right == 0:
		return fmt.Sprintf("≤ %v wrong", 100*dm.wrong)
	case dm.both:
		return fmt.Sprintf("≥ %v with both, 0", 100*dm.right)
	}
	return fmt.Sprintf("≥ %v, 0", 100*dm.right)
}

// check compares a row with its promise, and gives it the spread that chance
// gives a sample of this size: what is promised to be none may be one in 20,000.
func (dm *damage) check(t *testing.T, format string, both bool, tl tally) {
	t.Helper()
	if dm.free {
		return
	}
	spread := func(p float64) float64 {
		n := float64(tl.cards)
		return (1 + 4*math.Sqrt(n*max(p*(1-p), 5e-5))) / n
	}
	if got := tl.share(tl.wrong); got > dm.wrong+spread(dm.wrong) {
		t.Errorf("%s, %s, both edges %v: %d of %d cards wrong", format, dm.name, both, tl.wrong, tl.cards)
	}
	if dm.both && !both {
		return
	}
	if got := tl.share(tl.right); got < dm.right-spread(dm.right) {
		t.Errorf("%s, %s, both edges %v: %.2f %% right, want %.2f %%", format, dm.name, both, 100*got, 100*dm.right)
	}
}

// damages are the rows, each with what is promised.
func damages(f *Format) []damage {
	rng := rand.New(rand.NewPCG(7, 7))
	site := Options{Accept: []Range{{Facilities: []uint64{pick(rng, f.facility)}}}}
	rows := slices.Concat(cleanRows, pulseRows, skewRows, registerRows(rng, f, site), otherRows, stampRows(), freeRows)
	if f.HasFacility() {
		rows = append(rows, damage{name: "two on the other line, 500 sequential tags", free: true, opts: site,
			tags: register(rng, f, &site, true), do: func(r *rand.Rand, p []pulse) []pulse { return exchange(r, p, 2) }})
	}
	return rows
}

// inner loses a pulse that is not the first or the last.
func inner(rng *rand.Rand, p []pulse) []pulse { return lose(p, 1+rng.IntN(len(p)-2)) }

func extraAndLost(rng *rand.Rand, p []pulse) []pulse {
	at := within(rng, p)
	p = lose(p, rng.IntN(len(p)))
	return addPulse(p, at, 50*us, uint8(rng.IntN(2)))
}

// cleanRows are readers of all kinds.
var cleanRows = []damage{
	{name: "none", right: 1},
	{name: "jitter 20-100 µs pulses, 0.3-6 ms spacing, shown twice", right: 1, twice: true,
		reader: reader{width: 20 * us, widthTo: 100 * us, interval: 300 * us, spacingTo: 6 * ms}},
	{name: "spacing ±20 %", right: 1, reader: reader{width: 50 * us, interval: 1600 * us, spacingTo: 2400 * us}},
	{name: "350-400 µs pulses", right: 1, reader: reader{width: 350 * us, widthTo: 400 * us, interval: 2350 * us, jitter: .01}},
	{name: "20 µs pulses, 200 µs interval", right: 1, reader: reader{width: 20 * us, interval: 200 * us, jitter: .01}},
	{name: "100 µs pulses, 20 ms interval", right: 1, reader: reader{width: 100 * us, interval: 20 * ms, jitter: .01}},
}

// pulseRows are pulses lost and added.
var pulseRows = []damage{
	{name: "one pulse lost", do: func(r *rand.Rand, p []pulse) []pulse { return lose(p, r.IntN(len(p))) }},
	{name: "two pulses lost", do: func(r *rand.Rand, p []pulse) []pulse {
		p = lose(p, r.IntN(len(p)))
		return lose(p, r.IntN(len(p)))
	}},
	{name: "first pulse lost", do: func(_ *rand.Rand, p []pulse) []pulse { return p[1:] }},
	{name: "last pulse lost", do: func(_ *rand.Rand, p []pulse) []pulse { return p[:len(p)-1] }},
	{name: "cut short", do: func(r *rand.Rand, p []pulse) []pulse { return p[:1+r.IntN(len(p)-1)] }},
	{name: "head lost", do: func(r *rand.Rand, p []pulse) []pulse { return p[1+r.IntN(len(p)-1):] }},
	{name: "1-10 µs glitch inside the frame", right: .99, do: func(r *rand.Rand, p []pulse) []pulse {
		return glitch(r, p, between(r, 1*us, 10*us))
	}},
	{name: "1-8 µs bounce on every edge", right: .99, do: bounce},
	{name: "50 µs extra pulse", right: .99, do: func(r *rand.Rand, p []pulse) []pulse { return glitch(r, p, 50*us) }},
	{name: "two 1-10 µs glitches", right: .95, do: func(r *rand.Rand, p []pulse) []pulse {
		return glitch(r, glitch(r, p, between(r, 1*us, 10*us)), between(r, 1*us, 10*us))
	}},
	{name: "both lines low 50 µs, anywhere", right: .9, do: func(r *rand.Rand, p []pulse) []pulse {
		at := within(r, p)
		return addPulse(addPulse(p, at, 50*us, 0), at+between(r, 0, 2*us), 50*us, 1)
	}},
	{name: "both lines low 50 µs, with a bit", do: func(r *rand.Rand, p []pulse) []pulse {
		q := p[r.IntN(len(p))]
		return addPulse(p, q.at, 50*us, 1-q.line)
	}},
	{name: "one extra and one lost, length kept", do: extraAndLost},
}

// skewRows are lines of which one is delayed by 100 to 300 µs.
var skewRows = []damage{
	{name: "one line 100-300 µs late", right: .999, skewed: true, do: skewed},
	{name: "the same, one extra and one lost", wrong: .0005, skewed: true, do: func(r *rand.Rand, p []pulse) []pulse { return skewed(r, extraAndLost(r, p)) }},
	{name: "the same, one pulse lost, --repair-lost", right: .9, skewed: true, opts: Options{RepairLost: true}, do: func(r *rand.Rand, p []pulse) []pulse { return skewed(r, inner(r, p)) }},
}

// skewed delays all pulses of a line.
func skewed(rng *rand.Rand, p []pulse) []pulse {
	p = slices.Clone(p)
	line, by := uint8(rng.IntN(2)), between(rng, 100*us, 300*us)
	for i := range p {
		if p[i].line == line {
			p[i].at += by
		}
	}
	return p
}

// registerRows need what the station knows to refuse a wrong card.
func registerRows(rng *rand.Rand, f *Format, site Options) []damage {
	return []damage{
		{name: "one pulse lost, not first or last, --repair-lost", right: .99, opts: Options{RepairLost: true}, do: inner},
		{name: "one lost and one on the other line, register of 500", wrong: .005, opts: Options{RepairLost: true},
			tags: register(rng, f, &Options{}, false),
			do:   func(r *rand.Rand, p []pulse) []pulse { return exchange(r, inner(r, p), 1) }},
		{name: "one bit on the other line", do: func(r *rand.Rand, p []pulse) []pulse { return exchange(r, p, 1) }},
		{name: "two bits on the other line, facility known, 500 random tags", wrong: .005, opts: site,
			tags: register(rng, f, &site, false),
			do:   func(r *rand.Rand, p []pulse) []pulse { return exchange(r, p, 2) }},
	}
}

// otherRows are edges that are not the card's, and what is held back.
var otherRows = []damage{
	{name: "1-3 glitches 5-300 ms before the card", right: .995, before: func(r *rand.Rand) (noise []pulse) {
		for range between(r, 1, 3) {
			noise = append(noise, pulse{-between(r, 5*ms, 300*ms), between(r, 1*us, 10*us), uint8(r.IntN(2))})
		}
		return noise
	}},
	{name: "second card 30-60 ms later", right: .995, twin: true},
	{name: "pause of 30 ms inside", do: func(r *rand.Rand, p []pulse) []pulse { return pause(r, p, 30*ms) }},
	{name: "pause of 60 ms inside", do: func(r *rand.Rand, p []pulse) []pulse { return pause(r, p, 60*ms) }},
	{name: "pause of 30-60 ms inside, of a reader known to pause", right: .999, opts: Options{Known: Profile{Pause: 62 * ms}},
		do: func(r *rand.Rand, p []pulse) []pulse { return pause(r, p, between(r, 30*ms, 60*ms)) }},
	{name: "50 Hz hum on one line", do: hum, mains: true},
	{name: "weak 50 Hz hum on one line", do: weakHum, mains: true},
	{name: "50 Hz spikes on one line", do: spikes, mains: true},
	{name: "bursts at 100 kHz", do: burst},
}

// stampRows are edges whose interrupts were taken late.
func stampRows() []damage {
	clamped := func(rng *rand.Rand, edges []Edge) { stampLate(rng, edges, true) }
	free := func(rng *rand.Rand, edges []Edge) { stampLate(rng, edges, false) }
	return []damage{
		{name: "stamps late, 2 ms reader", right: .9999, stamps: clamped},
		{name: "stamps late, out of order, 2 ms reader", right: .9999, stamps: free},
		{name: "stamps late, 1 ms reader", right: .999, stamps: clamped, reader: reader{width: 50 * us, interval: ms, jitter: .01}},
		{name: "stamps late, 200 µs reader", right: .999, stamps: clamped, reader: reader{width: 50 * us, interval: 200 * us, jitter: .01}},
		{name: "stamps late, out of order, 200 µs reader", right: .999, stamps: free, reader: reader{width: 50 * us, interval: 200 * us, jitter: .01}},
		{name: "one edge stamped 1 ms late", right: .99, stamps: lateOne},
		{name: "the same, 400 µs reader", right: .98, stamps: lateOne, reader: reader{width: 50 * us, interval: 400 * us, jitter: .01}},
		{name: "the same, 650 µs reader", right: .95, stamps: lateOne, reader: reader{width: 50 * us, interval: 650 * us, jitter: .01}},
		{name: "the same, 300-690 µs reader, and all a little late", right: .95, reader: reader{width: 50 * us, jitter: .01},
			anySpeed: true, stamps: func(r *rand.Rand, edges []Edge) {
				stampLate(r, edges, true)
				lateOne(r, edges)
			}},
	}
}

// lateOne stamps an edge 1 ms late, and those that wait behind it.
func lateOne(rng *rand.Rand, edges []Edge) {
	i := rng.IntN(len(edges))
	edges[i].Time += ms
	for ; i+1 < len(edges); i++ {
		edges[i+1].Time = max(edges[i].Time, edges[i+1].Time)
	}
}

// freeRows are what no decoder can promise.
var freeRows = []damage{
	{name: "two extra and two lost, length kept", free: true, do: func(r *rand.Rand, p []pulse) []pulse {
		return extraAndLost(r, extraAndLost(r, p))
	}},
	{name: "one end lost, a pulse up to 6 intervals beyond the other", free: true, do: func(r *rand.Rand, p []pulse) []pulse {
		from, to := span(p)
		if r.IntN(2) == 0 {
			return addPulse(p[1:], to+between(r, 0, 12*ms), 50*us, uint8(r.IntN(2)))
		}
		return addPulse(p[:len(p)-1], from-between(r, 0, 12*ms), 50*us, uint8(r.IntN(2)))
	}},
	{name: "uneven reader 0.3-6 ms, one extra and one lost", free: true, do: extraAndLost,
		reader: reader{width: 20 * us, widthTo: 100 * us, interval: 300 * us, spacingTo: 6 * ms}},
	{name: "uneven reader ±20 %, one extra and one lost", free: true, do: extraAndLost,
		reader: reader{width: 50 * us, interval: 1600 * us, spacingTo: 2400 * us}},
}
