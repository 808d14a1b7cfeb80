//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"

	"stump/internal/gpiosim"
	"stump/wiegand"
)

// result is what became of the cards that were shown.
type result struct {
	frames  int // shown as a reader shows them
	spoilt  int // shown too, but with the processor taken away in the middle
	right   int
	wrong   int      // another card was read
	parity  int      // of the wrong, with a parity that fits
	misread int      // another card was read out of one that was spoilt
	saved   int      // of the spoilt, read right all the same
	lost    int      // no card was read
	unsaid  int      // of the lost, without a read that said overrun
	stories []string // of those: what was read instead
	overrun int      // reads refused as overrun
	pulses  int
	late    []time.Duration // from the end of a frame to its read, sorted
	widths  []time.Duration // how far off measured widths are, sorted
}

// slack is how much before a frame's driven start its stamp may seem to be.
const slack = int64(time.Millisecond)

// judge compares what was read with what was sent, by time.
func judge(sent []gpiosim.Sent, reads []handed) result {
	var r result
	said := true // whether the losses up to here were told of by an overrun
	quiet := 0   // losses not yet told of
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
		said = slices.ContainsFunc(mine, func(h handed) bool { return h.Fault == wiegand.FaultOverrun })
		if said {
			quiet = 0
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
			if !said {
				quiet++ // unless the next read says so: dropped frames can't
				r.stories = append(r.stories, story(s, mine))
			}
		}
		if right && quiet > 0 {
			r.unsaid += quiet
			quiet = 0
		}
		r.frames++
	}
	r.unsaid += quiet
	return r
}

// add counts what became of more cards.
func (r *result) add(s result) {
	r.frames += s.frames
	r.spoilt += s.spoilt
	r.right += s.right
	r.wrong += s.wrong
	r.parity += s.parity
	r.misread += s.misread
	r.saved += s.saved
	r.lost += s.lost
	r.unsaid += s.unsaid
	r.stories = append(r.stories, s.stories...)
	r.overrun += s.overrun
	r.pulses += s.pulses
	r.late = append(r.late, s.late...)
	r.widths = append(r.widths, s.widths...)
	slices.Sort(r.late)
	slices.Sort(r.widths)
}

// compare counts the reads of one frame; it reports whether the card is there.
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

// story tells what was read where a card was lost.
func story(s gpiosim.Sent, reads []handed) string {
	text := fmt.Sprintf("%s sent with pulses of %d ns", s.Bits, s.Widths)
	for _, h := range reads {
		text += fmt.Sprintf("; read %s, %q, a bit in %d ns, pulses of %d ns", h.Bits, h.Fault, h.Interval, h.widths)
	}
	return text
}

// note keeps the figures of a good read of a good frame.
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

// fits reports whether bits pass the check of the common format.
func fits(b wiegand.Bits) bool {
	f, err := wiegand.FormatByName("H10301")
	if err != nil {
		panic(err)
	}
	_, ok := f.Unpack(b)
	return ok
}

// round is a percentile of sorted durations, in microseconds.
func round(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)-1)*percent/100].Round(time.Microsecond)
}
