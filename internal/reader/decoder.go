package reader

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"stump/internal/keyboard"
	"stump/wiegand"
)

// What is kept of a number, or of the address in a code: more is neither.
const (
	maxChars = 64
	maxText  = 2048
)

// Bytes that have a meaning in a serial frame.
const (
	stx = '\x02'
	etx = '\x03'
)

// Decoder turns characters into reads. It is pure: time is what the characters
// and Advance say. It is not safe for concurrent use.
type Decoder struct {
	o     Options
	pause int64
	open  []Char
	more  int   // characters beyond those that are kept
	lost  int64 // when some were lost
	stats wiegand.Stats
}

// NewDecoder returns a decoder that waits for the first character.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{o: o, pause: typingPause, lost: math.MinInt64, stats: wiegand.Stats{Faults: map[wiegand.Fault]uint64{}}}
	if o.Kind == Serial {
		d.pause = bytesPause
	}
	return d
}

// Stats is a copy of what was decoded so far.
func (d *Decoder) Stats() wiegand.Stats {
	return wiegand.Stats{Reads: d.stats.Reads, Faults: maps.Clone(d.stats.Faults)}
}

// Deadline is when the number that is arriving ends if nothing more comes; ok is
// false while none is.
func (d *Decoder) Deadline() (t int64, ok bool) {
	if len(d.open) == 0 {
		return 0, false
	}
	return d.open[len(d.open)-1].Time + d.pause, true
}

// Advance says that nothing came up to now, and returns the read that this ended.
func (d *Decoder) Advance(now int64) []wiegand.Read {
	if t, open := d.Deadline(); open && now >= t {
		return []wiegand.Read{d.close(t - d.pause)}
	}
	return nil
}

// Push takes the next character, and returns the reads that it ended.
func (d *Decoder) Push(c Char) []wiegand.Read {
	reads := d.Advance(c.Time)
	switch {
	case c.Lost:
		d.lost = c.Time
		return reads
	case c.Rune == 0 && d.o.Kind == USB: // Shift, and other keys without a letter
		return reads
	case d.ends(c.Rune) && len(d.open) > 0:
		return append(reads, d.close(c.Time))
	case d.ends(c.Rune):
		return reads
	case d.o.Kind == Serial && c.Rune == stx && len(d.open) > 0:
		reads = append(reads, d.close(c.Time))
	}
	if most := d.most(); len(d.open) == most {
		d.more++
		d.open[most-1].Time = c.Time
	} else {
		d.open = append(d.open, c)
	}
	return reads
}

// most is how many characters are kept of what is arriving.
func (d *Decoder) most() int {
	if d.o.Kind == USB && len(d.open) > 0 && unicode.ToLower(d.open[0].Rune) == 'h' {
		return maxText
	}
	return maxChars
}

// ends is whether a character ends a number.
func (d *Decoder) ends(r rune) bool {
	if d.o.Kind == Serial {
		return r == etx || r == '\r' || r == '\n'
	}
	return r == '\n' || r == '\t'
}

// close judges what came up to end.
func (d *Decoder) close(end int64) wiegand.Read {
	r := wiegand.Read{Start: d.open[0].Time, End: end, Count: 4 * (len(d.open) + d.more)}
	d.judge(&r)
	d.open, d.more = d.open[:0], 0
	if r.OK() {
		d.stats.Reads++
	} else {
		d.stats.Faults[r.Fault]++
	}
	return r
}

func (d *Decoder) judge(r *wiegand.Read) {
	var text strings.Builder
	for _, c := range d.open {
		text.WriteRune(c.Rune)
	}
	var n uint64
	switch sent, framed := strings.CutPrefix(text.String(), string(stx)); {
	case d.lost > r.Start-d.pause:
		r.Fault = wiegand.FaultOverrun
	case d.more > 0, d.o.Kind == Serial && !framed:
		r.Fault = wiegand.FaultNoise
	case d.o.Kind == Serial:
		r.Count = 4 * 10
		n, r.Fault = unframe(sent)
	case address(sent):
		r.Text = sent
	default:
		n, r.Fault = parse(sent, d.o.Number)
	}
	if r.Fault != "" || r.Text != "" {
		return
	}
	b, f, v, err := Card(n, d.o.Formats)
	if err != nil {
		r.Fault = wiegand.FaultPrefix
		return
	}
	r.Bits, r.Format, r.Fields, r.Count = b, f, v, b.Len()
}

// address reports whether a text is the address of a page.
func address(s string) bool {
	scheme, _, found := strings.Cut(s, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// Retyped are characters as another layout has them.
func Retyped(chars []Char, layout string) []Char {
	again := slices.Clone(chars)
	for i, c := range again {
		if c.Rune != '\n' && c.Rune != '\t' && c.Rune != 0 {
			again[i].Rune = keyboard.Letter(layout, c.Code, c.Level)
		}
	}
	return again
}

// Decode decodes characters to their end.
func Decode(chars []Char, o Options) (reads []wiegand.Read) {
	d := NewDecoder(o)
	for _, c := range chars {
		reads = append(reads, d.Push(c)...)
	}
	if t, open := d.Deadline(); open {
		reads = append(reads, d.Advance(t)...)
	}
	return reads
}
