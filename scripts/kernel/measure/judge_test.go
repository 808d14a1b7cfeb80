//go:build linux

package measure

import (
	"fmt"
	"slices"
	"time"

	"stump/internal/gpiosim"
	"stump/wiegand"
)

// result counts what became of the cards that were shown.
type result struct {
	frames  int // shown with a reader's timing
	spoilt  int // shown, but the host took the processor away in the middle, or made it uneven
	right   int
	wrong   int      // read as another card
	parity  int      // of wrong: those with valid parity
	misread int      // of spoilt: read as another card
	saved   int      // of spoilt: read right
	lost    int      // not read
	silent  int      // of lost: those that no overrun reported
	stories []string // of silent: what was read instead
	overrun int      // reads refused as overrun
	pulses  int
	late    []time.Duration // from the end of a frame to its read
	widths  []time.Duration // errors of measured widths
}

// slack is how long before the start of a frame its first stamp may be.
const slack = int64(time.Millisecond)

// judge adds what became of the cards sent: it matches them with the reads, by
// time.
func (r *result) judge(sent []gpiosim.Sent, reads []handed) {
	silent := 0 // losses that no overrun has reported yet
	for i, s := range sent {
		end := int64(1<<63 - 1)
		if i+1 < len(sent) {
			end = sent[i+1].Start - slack
		}
		n := 0
		for n < len(reads) && reads[n].Start < end {
			n++
		}
		mine := reads[:n]
		reads = reads[n:]
		right := r.compare(s, mine)
		reported := slices.ContainsFunc(mine, func(h handed) bool { return h.Fault == wiegand.FaultOverrun })
		if reported {
			silent = 0
		}
		switch {
		case !s.Good, uneven(s, mine):
			r.spoilt++
			if right {
				r.saved++
			}
			continue
		case right:
			r.right++
		default:
			r.lost++
			if !reported {
				silent++ // a dropped frame is reported by the next one that is read
				r.stories = append(r.stories, story(s, mine))
			}
		}
		if right && silent > 0 {
			r.silent += silent
			silent = 0
		}
		r.frames++
	}
	r.silent += silent
}

// compare counts the reads of one frame, and reports whether one is its card.
func (r *result) compare(s gpiosim.Sent, reads []handed) (right bool) {
	for _, h := range reads {
		switch {
		case h.Fault == wiegand.FaultOverrun:
			r.overrun++
		case !h.OK():
		case h.Bits.String() == s.Bits && !right:
			right = true
			if s.Good {
				r.note(s, h)
			}
		case !s.Good:
			r.misread++
		default:
			r.wrong++
			if _, ok := h10301.Unpack(h.Bits); ok {
				r.parity++
			}
		}
	}
	return right
}

// uneven reports whether a card was read whole and refused as one that looks like chance:
// the host made its intervals uneven. Its owner is told, and shows it once more.
func uneven(s gpiosim.Sent, reads []handed) bool {
	return len(reads) == 1 && reads[0].Fault == wiegand.FaultNoise && reads[0].Bits.String() == s.Bits
}

// story describes what was read in place of a lost card.
func story(s gpiosim.Sent, reads []handed) string {
	text := fmt.Sprintf("%s sent with pulses of %d ns", s.Bits, s.Widths)
	for _, h := range reads {
		text += fmt.Sprintf("; read %s, %q, a bit in %d ns, pulses of %d ns", h.Bits, h.Fault, h.Interval, h.widths)
	}
	return text
}

// note keeps the times of a right read.
func (r *result) note(s gpiosim.Sent, h handed) {
	if h.late > 0 {
		r.late = append(r.late, h.late)
	}
	if h.widths == nil {
		return
	}
	r.pulses += len(s.Widths)
	for i := range min(len(h.widths), len(s.Widths)) {
		r.widths = append(r.widths, time.Duration(h.widths[i]-s.Widths[i]).Abs())
	}
}

// round returns a percentile of durations, rounded to microseconds.
func round(all []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)*percent/100].Round(time.Microsecond)
}

// String returns the cells of a table row.
func (r result) String() string {
	s := fmt.Sprintf("%d | %d | %d", r.frames, r.lost, r.wrong)
	note := ""
	if r.parity > 0 {
		note += fmt.Sprintf("%d of the wrong with valid parity; ", r.parity)
	}
	if r.lost > 0 {
		note += fmt.Sprintf("%d of the lost not reported; ", r.silent)
	}
	if r.overrun > 0 {
		note += fmt.Sprintf("%d refused as overrun; ", r.overrun)
	}
	if len(r.late) > 0 {
		note += fmt.Sprintf("handed over after %v, 99 %% %v; ", round(r.late, 50), round(r.late, 99))
	}
	if len(r.widths) > 0 {
		note += fmt.Sprintf("%d of %d widths, off by %v, 99 %% %v; ", len(r.widths), r.pulses, round(r.widths, 50), round(r.widths, 99))
	}
	if r.spoilt > 0 {
		note += fmt.Sprintf("%d more spoilt by the host: %d of them read right, %d misread; ", r.spoilt, r.saved, r.misread)
	}
	if note == "" {
		return s + " | "
	}
	return s + " | " + note[:len(note)-2]
}
