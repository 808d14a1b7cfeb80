//go:build linux

// Package measure shows cards to the lines of a real kernel and counts how many
// were read, by this project's gpio and wiegand, and in the original client's way.
// It has only tests: TestKernelRows checks each row of the table of
// docs/kernel.md, and scripts/kernel/figures prints the table.
package measure

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"stump/gpio"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// measure is how cards are shown and read.
type measure struct {
	gpiosim.Pulses
	original bool          // read by a thread for each line, as the original client did
	both     bool          // ask for both edges, and compare widths
	stall    time.Duration // stop reading for this long …
	every    int           // … each time after this many edges
}

// The silence after a card, which ends its frame. The original sleeps 60 ms.
const (
	gap         = 25 * time.Millisecond
	originalGap = 80 * time.Millisecond
)

// handed is a read and when the program got it.
type handed struct {
	wiegand.Read
	late   time.Duration // after its end-of-frame gap
	widths []int64       // of its pulses in ns, with both edges
}

// h10301 is the format of the cards.
var h10301, _ = wiegand.FormatByName("H10301")

// cards returns frames of n random cards.
func cards(n int, seed uint64) ([]string, error) {
	rng := rand.New(rand.NewPCG(seed, 2))
	frames := make([]string, n)
	for i := range frames {
		bits, err := h10301.Pack(wiegand.Fields{Facility: rng.Uint64N(256), Number: rng.Uint64N(65536)})
		if err != nil {
			return nil, err
		}
		frames[i] = bits.String()
	}
	return frames, nil
}

// piece is how many cards are shown at once: enough to overflow the buffer during
// the stall.
const piece = 200

// run shows cards and adds their results to total, until n more had a reader's
// timing, until the limit if it is not 0, or until the host has spoilt nine of ten.
func (m measure) run(c *gpiosim.Chip, total *result, n int, limit time.Duration) error {
	n += total.frames
	for start := time.Now(); total.frames < n && total.frames+total.spoilt < 10*n+piece; {
		if err := m.show(c, total, min(piece, n-total.frames)); err != nil {
			return err
		}
		if limit > 0 && time.Since(start) > limit {
			break
		}
	}
	return nil
}

// show shows n cards, others each time, and adds their results to total.
func (m measure) show(c *gpiosim.Chip, total *result, n int) error {
	frames, err := cards(n, uint64(total.frames+total.spoilt+1))
	if err != nil {
		return err
	}
	job := gpiosim.Job{D0: 0, D1: 1, Frames: frames, Pulses: m.Pulses, Gap: gap}
	read := m.read
	if m.original {
		job.Gap = originalGap
		read = readOriginal
	}
	stop, err := read(c)
	if err != nil {
		return err
	}
	wait, err := c.Generate(job)
	if err != nil {
		return err
	}
	sent, err := wait()
	time.Sleep(500*time.Millisecond + m.stall)
	reads, stopErr := stop()
	if err := errors.Join(err, stopErr); err != nil {
		return err
	}
	total.judge(sent, reads)
	return nil
}

// read reads as the daemon does. stop ends it and returns the reads.
func (m measure) read(c *gpiosim.Chip) (stop func() ([]handed, error), err error) {
	src, err := gpio.Open(gpio.Request{
		Data0: gpio.Line{Chip: c.Path(), Offset: 0}, Data1: gpio.Line{Chip: c.Path(), Offset: 1},
		Consumer: "measure",
	})
	if err != nil {
		return nil, err
	}
	if err := src.SetBothEdges(m.both); err != nil {
		return nil, errors.Join(err, src.Close())
	}
	var reads []handed
	done := make(chan error, 1)
	go func() { done <- m.decode(src, func(h handed) { reads = append(reads, h) }) }()
	return func() ([]handed, error) {
		err := src.Close()
		if e := <-done; e != gpio.ErrClosed {
			err = errors.Join(err, e)
		}
		return reads, err
	}, nil
}

// decode is the loop of the daemon's reader, with stalls added.
func (m measure) decode(src gpio.Source, yield func(handed)) error {
	dec := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{h10301}, BothEdges: m.both})
	buf := make([]wiegand.Edge, 1024)
	total := 0
	for {
		deadline, open := dec.Deadline()
		if !open {
			deadline = math.MaxInt64
		}
		n, now, err := src.Read(buf, deadline)
		if err != nil {
			return err
		}
		hand := func(reads []wiegand.Read) {
			for _, r := range reads {
				h := handed{Read: r}
				if m.stall == 0 {
					h.late = time.Duration(gpio.Monotonic() - deadline)
				}
				if m.both {
					h.widths = widths(dec.LastEdges())
				}
				yield(h)
			}
		}
		for _, e := range buf[:n] {
			hand(dec.Push(e))
			if d, ok := dec.Deadline(); ok {
				deadline = d
			}
		}
		hand(dec.Advance(now))
		if m.stall > 0 && (total+n)/m.every > total/m.every {
			time.Sleep(m.stall)
		}
		total += n
	}
}

// widths returns the lengths of a frame's pulses in ns.
func widths(edges []wiegand.Edge) (ws []int64) {
	var fell [2]int64
	for _, e := range edges {
		if !e.Rising {
			fell[e.Line] = e.Time
		} else if fell[e.Line] != 0 {
			ws = append(ws, e.Time-fell[e.Line])
			fell[e.Line] = 0
		}
	}
	return ws
}
