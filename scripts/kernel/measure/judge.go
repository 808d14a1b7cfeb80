//go:build linux

package main

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
	spoilt  int // shown, but the host took the processor away in the middle
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
	late    []time.Duration // from the end of a frame to its read, sorted
	widths  []time.Duration // errors of measured widths, sorted
}

// slack is how long before the start of a frame its first stamp may be.
const slack = int64(time.Millisecond)

// judge matches reads with the cards sent, by time.
func judge(sent []gpiosim.Sent, reads []handed) result {
	var r result
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
		case !s.Good:
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
	return r
}

// add adds the counts of more cards.
func (r *result) add(s result) {
	r.frames += s.frames
	r.spoilt += s.spoilt
	r.right += s.right
	r.wrong += s.wrong
	r.parity += s.parity
	r.misread += s.misread
	r.saved += s.saved
	r.lost += s.lost
	r.silent += s.silent
	r.stories = append(r.stories, s.stories...)
	r.overrun += s.overrun
	r.pulses += s.pulses
	r.late = append(r.late, s.late...)
	r.widths = append(r.widths, s.widths...)
	slices.Sort(r.late)
	slices.Sort(r.widths)
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
			if fits(h.Bits) {
				r.parity++
			}
		}
	}
	return right
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

// fits reports whether bits have H10301's parity.
func fits(b wiegand.Bits) bool {
	f, err := wiegand.FormatByName("H10301")
	if err != nil {
		panic(err)
	}
	_, ok := f.Unpack(b)
	return ok
}

// round returns a percentile of sorted durations, rounded to microseconds.
func round(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)-1)*percent/100].Round(time.Microsecond)
}
