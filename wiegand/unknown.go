package wiegand

import "fmt"

// What a row of refused frames shows that one alone does not.

// swapWatch notices exchanged lines: frames that fail every check as they are and
// pass inverted. Noise passes inverted one time in four, so one frame proves
// nothing. Three equal ones do, and so do different ones that chance makes only
// once in a thousand.
type swapWatch struct {
	bits   Bits
	times  int
	seen   [swapCards]Bits // different even frames, one after the other
	cards  int
	chance int // bits of checks that they passed inverted
}

const (
	swapCards  = 10 // checks of one bit each are proof then
	swapChance = 10 // 1 in 1024
)

// watchSwap looks at a frame that was refused.
func (d *Decoder) watchSwap(r *Read) {
	if r.Fault == FaultParity {
		d.passesInverted(r)
	}
	d.watchUnknown(r)
}

func (d *Decoder) passesInverted(r *Read) {
	s := &d.swap
	f, _, fault := d.identify(r.Bits.Invert())
	switch {
	case fault != "":
		*s = swapWatch{}
		return
	case s.bits == r.Bits:
		s.times++
	default:
		s.bits, s.times = r.Bits, 1
	}
	if r.Even && s.cards < swapCards && !s.has(r.Bits) {
		s.seen[s.cards] = r.Bits
		s.cards++
		s.chance += max(0, f.checkBits()-d.rivals(f))
	}
	if s.times >= 3 || s.chance >= swapChance {
		r.Fault = FaultSwapped
	}
}

func (s *swapWatch) has(b Bits) bool {
	for _, other := range s.seen[:s.cards] {
		if other == b {
			return true
		}
	}
	return false
}

// rivals are the other enabled formats of the same length: each makes it likelier
// that a frame passes one of them by chance.
func (d *Decoder) rivals(f *Format) (n int) {
	for _, other := range d.opts.Formats {
		if other != f && other.Len == f.Len {
			n++
		}
	}
	return n
}

// checkBits is how many bits of a frame are there to check the others.
func (f *Format) checkBits() int { return len(f.parity) + len(f.fixed) + 8*min(f.xorBytes, 1) }

// leastUnknown is how many bits an unknown card has at least: fewer are keys,
// or too few to show an even spacing.
const leastUnknown = 12

// unknownWatch notices cards of a format that is not enabled: three equal frames
// that the spacing proves to be intact, whatever came between them. After that,
// every intact frame of that length is one, until a card of that length is read.
type unknownWatch struct {
	seen [8]struct { // the newest last
		bits  Bits
		times int
	}
	known int // the length of which there are unknown cards; 0 none
}

func (d *Decoder) watchUnknown(r *Read) {
	u, b := &d.unknown, r.Bits
	intact := r.Even && r.Count == b.Len() && (r.Fault == FaultCount || r.Fault == FaultParity)
	if !intact || b.Len() < leastUnknown || b == (Bits{n: b.n}) || b.Invert() == (Bits{n: b.n}) {
		return
	}
	last := len(u.seen) - 1
	i := last
	for i > 0 && u.seen[i].bits != b {
		i--
	}
	now := u.seen[i]
	if now.bits != b {
		now.bits, now.times = b, 0
	}
	now.times++
	copy(u.seen[i:], u.seen[i+1:])
	u.seen[last] = now
	if now.times == 3 {
		u.known = b.Len()
	}
	r.Unknown = now.times >= 3 || u.known == b.Len()
}

// good takes a card that was read.
func (u *unknownWatch) good(b Bits) {
	if u.known == b.Len() {
		u.known = 0
	}
}

// Enable are the formats that a reader's configuration needs to take a card that the
// enabled ones refuse: those, and a known format with a check that the card fits, or
// else the raw one of its length. It also says what else may fit.
func Enable(b Bits, enabled []*Format) (line string, others []string) {
	raw := fmt.Sprintf("raw%d", b.Len())
	var fits []string
	for _, f := range Fitting(b, nil) {
		if f.Checked() && f.doubt == "" {
			fits = append(fits, f.Name)
		}
	}
	fits = append(fits, raw)
	for _, f := range enabled {
		line += fmt.Sprintf("%q, ", f.Name)
	}
	return fmt.Sprintf("formats = [%s%q]", line, fits[0]), fits[1:]
}
