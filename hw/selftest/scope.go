package selftest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"stump/gpio"
	"stump/internal/count"
	"stump/wiegand"
)

// View is what a scope sees at one moment. It is plain data, so that the
// daemon that holds the lines can hand it to the command that draws it.
type View struct {
	Names  [2]string `json:"names"`
	Levels [2]bool   `json:"levels"`
	Falls  [2]uint64 `json:"falls"` // since the scope was switched on
	Rate   float64   `json:"rate"`  // falls a second on both lines, over the last second
	Open   string    `json:"open"`  // the bits of the frame that is arriving
	// Last is the last frame, and Edges are its edges with times from its first.
	Last  *FrameView     `json:"last"`
	Edges []wiegand.Edge `json:"edges"`
	Good  uint64         `json:"good"`
	Bad   map[string]int `json:"bad"` // refused frames by fault
	Width Histogram      `json:"width"`
	Space Histogram      `json:"space"`
	// New are the edges since the view before, for who records them.
	New []wiegand.Edge `json:"new"`
}

// FrameView is a frame as a person reads it.
type FrameView struct {
	Bits string  `json:"bits"`
	Text string  `json:"text"` // "26 bits, H10301, parity OK, number …658"
	OK   bool    `json:"ok"`
	Ago  float64 `json:"ago"` // seconds
}

// Histogram counts durations. Bucket i holds those below Limits[i].
type Histogram struct {
	Limits []int64 `json:"limits"` // nanoseconds
	Counts []int   `json:"counts"` // one more than Limits
}

// The limits of pulse widths and of distances of pulses. Those of SIA AC-01,
// 20 to 100 µs and 0.2 to 20 ms, are among them.
var (
	widthLimits = []int64{5e3, 20e3, 35e3, 45e3, 60e3, 80e3, 101e3, 200e3, 400e3, 1e6, 10e6}
	spaceLimits = []int64{20e3, 100e3, 199e3, 500e3, 900e3, 1.2e6, 1.7e6, 2.3e6, 3e6, 5e6, 10e6, 21e6, 100e6}
)

func newHistogram(limits []int64) Histogram {
	return Histogram{Limits: limits, Counts: make([]int, len(limits)+1)}
}

func (h *Histogram) add(ns int64) {
	i, _ := slices.BinarySearch(h.Limits, ns+1)
	h.Counts[i]++
}

// Scope looks at edges as they come. Feed it; View tells what it has seen.
type Scope struct {
	// Now is the clock that stamps the edges; nil: CLOCK_MONOTONIC.
	Now     func() int64
	formats []*wiegand.Format
	numbers bool
	decoder *wiegand.Decoder
	view    View
	down    [2]int64 // when the line fell, 0: it is high
	last    int64    // the last fall on any line
	open    wiegand.Bits
	recent  []int64 // falls of the last second
	lastEnd int64
	frame   []wiegand.Edge // of the last frame
}

// NewScope returns a scope for a reader whose cards have these formats. With
// both edges it measures widths. Card numbers are masked unless numbers is set.
func NewScope(names [2]string, formats []*wiegand.Format, numbers bool) *Scope {
	if len(formats) == 0 {
		formats = wiegand.VerifiedFormats()
	}
	return &Scope{
		formats: formats, numbers: numbers,
		decoder: wiegand.NewDecoder(wiegand.Options{Formats: formats, BothEdges: true}),
		view: View{
			Names: names, Levels: [2]bool{true, true}, Bad: map[string]int{},
			Width: newHistogram(widthLimits), Space: newHistogram(spaceLimits),
		},
	}
}

// Feed takes edges in order, and the time up to which these are all.
func (s *Scope) Feed(edges []wiegand.Edge, now int64) {
	s.view.New = append(s.view.New, edges...)
	for _, e := range edges {
		s.note(s.decoder.Push(e))
		s.edge(e)
	}
	s.note(s.decoder.Advance(now))
	if t, ok := s.decoder.Deadline(); !ok || now > t {
		s.open = wiegand.Bits{}
	}
	for len(s.recent) > 0 && s.recent[0] < now-int64(time.Second) {
		s.recent = s.recent[1:]
	}
	s.view.Rate = float64(len(s.recent))
	if s.view.Last != nil {
		s.view.Last.Ago = time.Duration(now - s.lastEnd).Seconds()
	}
}

func (s *Scope) edge(e wiegand.Edge) {
	if e.Rising {
		if s.down[e.Line] != 0 {
			s.view.Width.add(e.Time - s.down[e.Line])
		}
		s.down[e.Line] = 0
		return
	}
	if s.last != 0 {
		s.view.Space.add(e.Time - s.last)
	}
	s.down[e.Line], s.last = e.Time, e.Time
	s.view.Falls[e.Line]++
	if s.recent = append(s.recent, e.Time); len(s.recent) > 10_000 {
		s.recent = s.recent[1:]
	}
	s.open.Append(e.Line)
}

// note keeps the last of the frames that were closed.
func (s *Scope) note(reads []wiegand.Read) {
	for i := range reads {
		r := &reads[i]
		if r.OK() {
			s.view.Good++
		} else {
			s.view.Bad[string(r.Fault)]++
		}
		s.view.Last = &FrameView{Bits: r.Bits.String(), Text: s.describe(r), OK: r.OK()}
		s.lastEnd, s.open = r.End, wiegand.Bits{}
		s.frame = slices.Clone(s.decoder.LastEdges())
	}
}

func (s *Scope) describe(r *wiegand.Read) string { return DescribeRead(r, s.numbers) }

// DescribeRead says what a frame was: "26 bits, H10301, parity OK, number …658".
func DescribeRead(r *wiegand.Read, numbers bool) string {
	if !r.OK() {
		return fmt.Sprintf("%s, refused: %s", count.Of(r.Count, "bit"), faultText[r.Fault])
	}
	check := "parity OK"
	if !r.Format.Checked() {
		check = "not checked by the format"
	}
	text := fmt.Sprintf("%d bits, %s, %s, number %s", r.Bits.Len(), r.Format.Name, check, masked(r.Format, r.Fields, numbers))
	if r.Repaired != "" {
		text += ", repaired: " + repairText[r.Repaired]
	}
	return text
}

// faultText and repairText are a person's words for a decoder's.
var (
	faultText = map[wiegand.Fault]string{
		wiegand.FaultOverrun:   "the kernel lost edges, the board is too busy",
		wiegand.FaultCollision: "both lines fell together",
		wiegand.FaultNoise:     "pulses that no reader sends",
		wiegand.FaultWidth:     "a pulse of another width than the rest",
		wiegand.FaultInterval:  "bits are missing or too many, by their distances",
		wiegand.FaultCount:     "no card of this site has so many bits",
		wiegand.FaultParity:    "the check bits (parity) are wrong",
		wiegand.FaultPrefix:    "a sound card, but of another site",
		wiegand.FaultSwapped:   "the two data wires are exchanged",
	}
	repairText = map[wiegand.Repair]string{
		wiegand.RepairGlitch: "short extra pulses taken out",
		wiegand.RepairBounce: "repeated edges taken out",
		wiegand.RepairLost:   "a lost pulse put back",
	}
)

// masked is a card's number as it is printed on the card, of which only the
// last three digits are shown unless asked: who knows a badge's number can
// copy it.
func masked(f *wiegand.Format, v wiegand.Fields, all bool) string {
	d := strconv.FormatUint(v.Number, 10)
	switch {
	case all && f.HasFacility():
		return fmt.Sprintf("%d:%s", v.Facility, d)
	case all:
		return d
	}
	return "…" + d[max(0, len(d)-3):]
}

// SetLevels tells the lines' levels of this moment.
func (s *Scope) SetLevels(levels [2]bool) { s.view.Levels = levels }

// View is what the scope has seen. New is emptied by it.
func (s *Scope) View() View {
	v := s.view
	v.Open = s.open.String()
	v.Bad = map[string]int{}
	for k, n := range s.view.Bad {
		v.Bad[k] = n
	}
	v.Width.Counts, v.Space.Counts = slices.Clone(v.Width.Counts), slices.Clone(v.Space.Counts)
	v.Edges = slices.Clone(s.frame)
	if len(v.Edges) > 0 {
		first := v.Edges[0].Time
		for i := range v.Edges {
			v.Edges[i].Time -= first
		}
	}
	if v.Last != nil {
		last := *v.Last
		v.Last = &last
		if !s.numbers {
			v.Last.Bits = ""
		}
	}
	s.view.New = nil
	return v
}

// Watch feeds a scope from lines until the context ends, and hands a view to
// show ten times a second while something changes, else once a second.
func (s *Scope) Watch(ctx context.Context, src gpio.Source, show func(View) error) error {
	if b, ok := src.(interface{ SetBothEdges(bool) error }); ok {
		if err := b.SetBothEdges(true); err != nil {
			return err
		}
		defer b.SetBothEdges(false)
	}
	const tick = int64(100 * time.Millisecond)
	buf := make([]wiegand.Edge, 256)
	n, now, err := src.Read(buf, 0)
	s.Feed(buf[:n], now)
	next, shown := now, now
	for err == nil && ctx.Err() == nil {
		var n int
		until := next
		if t, ok := s.decoder.Deadline(); ok {
			until = min(until, t)
		}
		if n, now, err = src.Read(buf, until); err != nil {
			break
		}
		s.Feed(buf[:n], now)
		if now < next {
			continue
		}
		levels, lerr := src.Levels()
		if lerr != nil {
			return lerr
		}
		changed := levels != s.view.Levels || len(s.view.New) > 0 || s.open.Len() > 0
		s.SetLevels(levels)
		next = now + tick
		if changed || now-shown >= 10*tick {
			shown = now
			if err := show(s.View()); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
