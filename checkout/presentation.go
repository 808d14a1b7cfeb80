package checkout

import (
	"slices"
	"time"
)

// The times that tell a tag which lies on the reader from one that comes again.
const (
	// Presentation is how long a tag may be unseen in one presentation, or longer
	// where the reader is known to repeat a tag more slowly.
	Presentation = 1500 * time.Millisecond
	// Absence is how long a device must be unseen after a completion to be gone
	// from the reader, or longer likewise.
	Absence = 3 * time.Second
	// MaxInterval is the slowest that readers repeat a tag: a manual has up to 255 s
	// (TransCore AI1422E).
	MaxInterval = 5 * time.Minute
	// evenGaps are how many gaps alike prove the interval of a reader, and
	// shortGaps how many short ones disprove it.
	evenGaps, shortGaps = 4, 3
)

// sighting is when a tag was read, and whether the register knew it.
type sighting struct {
	tag   Tag
	at    time.Duration
	known bool
}

// presentations tells further reads of a presentation from new ones, and learns
// at which interval the reader repeats a tag that lies on it.
type presentations struct {
	fixed    bool          // the interval is configured
	interval time.Duration // 0: not known
	seen     []sighting    // the last of each tag that may still be there
	last     sighting      // of any tag
	gaps     []time.Duration
	short    int // gaps that the interval does not explain
}

// limit is how long a tag may be unseen in one presentation.
func (p *presentations) limit() time.Duration { return max(Presentation, p.interval*6/5) }

// absence is how long a device must be unseen to be gone.
func (p *presentations) absence() time.Duration { return max(Absence, p.interval*5/2) }

// read notes a read and reports whether it goes on with a presentation. A tag that
// has lost its owner meanwhile is a new one. before is the tag read before, and busy for
// how long the two have kept the reader from any other.
func (p *presentations) read(now sighting) (same bool, before Tag, busy time.Duration) {
	gap := now.at - p.last.at
	if now.tag == p.last.tag {
		p.learn(gap)
	} else {
		p.gaps = nil
	}
	if before = p.last.tag; gap <= p.limit() {
		busy = gap
	}
	p.last = now
	p.seen = slices.DeleteFunc(p.seen, func(s sighting) bool {
		if s.tag == now.tag {
			same = now.at-s.at <= p.limit() && (now.known || !s.known)
			return true
		}
		return now.at-s.at > MaxInterval*6/5
	})
	p.seen = append(p.seen, now)
	return same, before, busy
}

// forget drops what was seen of a tag: its next read is a new presentation.
func (p *presentations) forget(tag Tag) {
	p.seen = slices.DeleteFunc(p.seen, func(s sighting) bool { return s.tag == tag })
}

// learn takes the next gap between two reads of one tag. Gaps that are too short for
// the interval were made by hands: a few of them, and it is not believed any more.
func (p *presentations) learn(gap time.Duration) {
	if p.fixed {
		return
	}
	switch {
	case even(p.interval, gap):
		p.short = 0
	case gap > Presentation && gap < p.interval*4/5:
		p.short++
	}
	if p.short == shortGaps {
		p.interval, p.short = 0, 0
	}
	p.gaps = append(p.gaps[max(0, len(p.gaps)-evenGaps+1):], gap)
	for !even(p.gaps...) || p.gaps[0] > MaxInterval {
		if p.gaps = p.gaps[1:]; len(p.gaps) == 0 {
			return
		}
	}
	// What differs by less is the same interval, and need not be saved again.
	if mean := mean(p.gaps); len(p.gaps) == evenGaps && !even(p.interval, mean) {
		p.interval, p.short = mean, 0
	}
}

// even reports whether all are within 5 % of their mean.
func even(all ...time.Duration) bool {
	m := mean(all)
	return !slices.ContainsFunc(all, func(d time.Duration) bool { return (d - m).Abs() > m/20 })
}

func mean(all []time.Duration) (m time.Duration) {
	for _, d := range all {
		m += d / time.Duration(len(all))
	}
	return m
}
