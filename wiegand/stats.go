package wiegand

// Stats is what a decoder has seen.
type Stats struct {
	Reads    uint64           // good reads
	Faults   map[Fault]uint64 // refused frames by name
	LastGood int64            // End of the last good read, 0 none
	Interval int64            // the reader's learned interval in ns, 0 unknown
}

type stats struct {
	reads    uint64
	faults   [len(faults)]uint64
	lastGood int64
}

func (s *stats) note(f *frame, r *Read) {
	if r.OK() {
		s.reads++
		s.lastGood = r.End
		return
	}
	for i, name := range faults {
		if name == r.Fault {
			s.faults[i]++
		}
	}
}

// Stats returns what the decoder has seen so far.
func (d *Decoder) Stats() Stats {
	s := Stats{Reads: d.stats.reads, Faults: map[Fault]uint64{}, LastGood: d.stats.lastGood, Interval: d.interval}
	for i, name := range faults {
		if d.stats.faults[i] > 0 {
			s.Faults[name] = d.stats.faults[i]
		}
	}
	return s
}
