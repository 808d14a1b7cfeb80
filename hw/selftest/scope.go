package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"stump/gpio"
	"stump/internal/count"
	"stump/wiegand"
)

// View is what a scope shows at one moment. It is plain data: the daemon, which
// holds the lines, sends it to the command that draws it.
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
	// Of a reader without data lines: what it is, and the characters of the number
	// that came last, or is arriving.
	Kind   string   `json:"kind,omitempty"`
	Sender string   `json:"sender,omitempty"`
	Sent   []string `json:"sent,omitempty"`
	// New are the edges since the last view, for a recording.
	New []wiegand.Edge `json:"new"`
}

// FrameView is a frame as a person reads it.
type FrameView struct {
	Bits string  `json:"bits"` // empty unless card numbers are shown
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
	return Histogram{Limits: append([]int64{}, limits...), Counts: make([]int, len(limits)+1)}
}

func (h *Histogram) add(ns int64) {
	i, _ := slices.BinarySearch(h.Limits, ns+1)
	h.Counts[i]++
}

// Scope watches a reader's lines.
type Scope struct {
	numbers bool
	decoder *wiegand.Decoder
	view    View
	down    [2]int64 // when each line fell; 0: it is high
	last    int64    // the last fall on any line
	open    wiegand.Bits
	recent  []int64 // falls of the last second
	lastEnd int64   // of the last frame
}

// NewScope returns a scope for a reader whose cards have these formats. Card
// numbers are masked unless numbers is set.
func NewScope(names [2]string, formats []*wiegand.Format, numbers bool) *Scope {
	return &Scope{
		numbers: numbers,
		decoder: wiegand.NewDecoder(wiegand.Options{Formats: formats, BothEdges: true}),
		view: View{
			Names: names, Levels: [2]bool{true, true}, Bad: map[string]int{},
			Width: newHistogram(widthLimits), Space: newHistogram(spaceLimits),
		},
	}
}

// feed takes edges in order, and the time up to which these are all.
func (s *Scope) feed(edges []wiegand.Edge, now int64) {
	s.view.New = append(s.view.New, edges...)
	for _, e := range edges {
		s.note(s.decoder.Push(e))
		s.edge(e)
	}
	s.note(s.decoder.Advance(now))
	if t, ok := s.decoder.Deadline(); !ok || now > t {
		s.open = wiegand.Bits{}
	}
	s.recent = slices.DeleteFunc(s.recent, func(t int64) bool { return t < now-int64(time.Second) })
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
	s.recent = last(append(s.recent, e.Time), 10_000)
	s.open.Append(e.Line)
}

// note takes the frames that were closed, and keeps the last.
func (s *Scope) note(reads []wiegand.Read) {
	for i := range reads {
		r := &reads[i]
		if r.OK() {
			s.view.Good++
		} else {
			s.view.Bad[string(r.Fault)]++
		}
		s.view.Last = &FrameView{Text: describeRead(r, s.numbers), OK: r.OK()}
		if s.numbers {
			s.view.Last.Bits = r.Bits.String()
		}
		s.lastEnd, s.open = r.End, wiegand.Bits{}
		s.view.Edges = slices.Clone(s.decoder.LastEdges())
		for i, e := range slices.Backward(s.view.Edges) {
			s.view.Edges[i].Time = e.Time - s.view.Edges[0].Time
		}
	}
}

// describeRead says what a frame was: "26 bits, H10301, parity OK, number …658".
func describeRead(r *wiegand.Read, numbers bool) string {
	if !r.OK() {
		return fmt.Sprintf("%s, refused: %s", count.Of(r.Count, "bit"), faultText[r.Fault])
	}
	text := describeCard(r, "not checked by the format", numbers)
	if r.Repaired != "" {
		text += ", repaired: " + repairText[r.Repaired]
	}
	return text
}

// describeCard says what a card is. unchecked is what to say of a format without
// a check. Unless numbers is set it shows the last three digits of the card's
// number only: the whole number is enough to copy a badge.
func describeCard(r *wiegand.Read, unchecked string, numbers bool) string {
	check := "parity OK"
	if !r.Format.Checked() {
		check = unchecked
	}
	return fmt.Sprintf("%d bits, %s, %s, number %s", r.Bits.Len(), r.Format.Name, check, shownNumber(r, numbers))
}

// shownNumber is a card's number, with its facility; or its last three digits.
func shownNumber(r *wiegand.Read, numbers bool) string {
	number := strconv.FormatUint(r.Fields.Number, 10)
	switch {
	case !numbers:
		return "…" + number[max(0, len(number)-3):]
	case r.Format.HasFacility():
		return fmt.Sprintf("%d:%s", r.Fields.Facility, number)
	}
	return number
}

// faultText and repairText are the decoder's words as a person says them.
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
		wiegand.RepairGlitch: "short extra pulses removed",
		wiegand.RepairBounce: "repeated edges removed",
		wiegand.RepairLost:   "a lost pulse restored",
	}
)

// Watch feeds a scope from lines until the context ends, and calls show ten
// times a second while something changes, else once a second. show must not keep
// the view.
func (s *Scope) Watch(ctx context.Context, src gpio.Adjustable, show func(View) error) error {
	if err := src.SetBothEdges(true); err == nil {
		defer src.SetBothEdges(false)
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	const tick = int64(100 * time.Millisecond)
	buf := make([]wiegand.Edge, 256)
	n, now, err := src.Read(buf, 0)
	s.feed(buf[:n], now)
	next, shown := now, now
	for err == nil && ctx.Err() == nil {
		until := next
		if t, ok := s.decoder.Deadline(); ok {
			until = min(until, t)
		}
		if n, now, err = src.Read(buf, until); err != nil {
			break
		}
		s.feed(buf[:n], now)
		if now < next {
			continue
		}
		levels, err := src.Levels()
		if err != nil {
			return err
		}
		changed := levels != s.view.Levels || len(s.view.New) > 0 || s.open.Len() > 0
		s.view.Levels = levels
		next = now + tick
		if changed || now-shown >= 10*tick {
			shown = now
			s.view.Open = s.open.String()
			if err := show(s.view); err != nil {
				return err
			}
			s.view.New = nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
