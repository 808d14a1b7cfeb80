package directory

import (
	"errors"
	"slices"
	"time"
)

// queue picks the rows that may be sent. It reads the outbox from the front to
// the end, no further than it can send, and remembers only where it is and which devices are held
// back, so that a million rows cost no memory; a device that is let go sends it
// back to where that device was left.
type queue struct {
	sink   string
	out    Outbox
	caps   Capabilities
	cursor uint64
	held   map[string]*hold
	// settled are rows whose last call has had its time.
	settled map[uint64]bool
	// surveyed is how far the rows that wait for a person are known; whole: all of
	// them are.
	surveyed uint64
	whole    bool
}

// hold is why the rows of a device stay where they are.
type hold struct {
	seq     uint64    // the first of them
	until   time.Time // zero: until a person, or the register, lets it go
	pending bool      // the row has a tag that the register does not know
	stuck   bool      // waits for a person
	settle  bool      // its call may yet be counted: not to be hurried
}

const pageRows = 256

func newQueue(sink string, out Outbox, caps Capabilities) *queue {
	return &queue{sink: sink, out: out, caps: caps, held: map[string]*hold{}, settled: map[uint64]bool{}}
}

// key is what keeps its order: the device; what has none is in the order of
// its person.
func (q *queue) key(r Row) string {
	switch ev := r.Event; {
	case r.Key != "":
		return "k" + r.Key
	case ev.Device != "":
		return "d" + ev.Device
	case ev.DeviceTag != "":
		return "t" + ev.DeviceTag // masked: may hold back too much, never too little
	case ev.Person != "":
		return "p" + ev.Person
	}
	return ""
}

// pick returns up to most rows that may be sent now, in order.
func (q *queue) pick(most int) ([]Row, error) {
	if err := q.letGo(time.Now()); err != nil {
		return nil, err
	}
	var picked []Row
	// A dead place is tried with the one row in front: no more is read for it.
	for limit := most; ; limit = pageRows {
		page, err := q.out.Rows(q.sink, q.cursor, limit)
		if err != nil && len(picked) > 0 {
			return picked, nil // these are read, and the cursor is past them
		}
		if err != nil {
			return nil, err
		}
		for _, r := range page.Rows {
			q.cursor = r.Seq + 1
			if q.free(r) {
				picked = append(picked, r)
			}
			if len(picked) == most {
				return picked, nil
			}
		}
		q.cursor = page.Next
		if page.End {
			return picked, nil
		}
	}
}

// free reports whether the row may be sent, and holds its device if not.
func (q *queue) free(r Row) bool {
	key := q.key(r)
	if h, held := q.held[key]; held && h.seq <= r.Seq {
		return false
	}
	switch {
	case r.State.stuck(), r.Pending && q.caps.Identities:
		q.hold(r, time.Time{})
	case r.State == Sending && q.caps.Settle > 0 && !q.settled[r.Seq]:
		// Left by a daemon that is gone; its call may yet be counted.
		q.settled[r.Seq] = true
		q.hold(r, time.Now().Add(q.caps.Settle))
	default:
		return true
	}
	return false
}

// hold keeps a device back from row r on; until zero means for good.
func (q *queue) hold(r Row, until time.Time) {
	q.held[q.key(r)] = &hold{seq: r.Seq, until: until, pending: r.Pending, stuck: r.State.stuck(), settle: r.State == Sending}
}

// again makes the rows from seq on be read once more.
func (q *queue) again(seq uint64) { q.cursor = min(q.cursor, seq) }

// letGo ends the holds whose time has come. What has a tag without an owner is
// looked at again: once the register knows it, it has another key.
func (q *queue) letGo(now time.Time) error {
	for key, h := range q.held {
		switch {
		case !h.until.IsZero() && !h.until.After(now):
			delete(q.held, key)
			q.again(h.seq)
		case h.pending:
			r, err := q.out.Row(q.sink, h.seq)
			if err == nil && r.Pending {
				continue
			}
			if err != nil && !errors.Is(err, ErrNoRow) {
				return err
			}
			delete(q.held, key)
			q.again(h.seq)
			if err == nil && (h.stuck || !h.until.IsZero()) {
				q.held[q.key(r)] = &hold{seq: h.seq, until: h.until, stuck: h.stuck, settle: h.settle}
			}
		}
	}
	return nil
}

// stuck lists the rows that wait for a person, in order. There is at most one a
// device.
func (q *queue) stuck() (seqs []uint64) {
	for _, h := range q.held {
		if h.stuck {
			seqs = append(seqs, h.seq)
		}
	}
	slices.Sort(seqs)
	return seqs
}

// survey finds the rows that wait for a person, a piece at a time, and reports
// whether all are known. They are found by sending, too, but not while the place
// is down and the rows before them wait.
func (q *queue) survey() (bool, error) {
	if q.whole {
		return true, nil
	}
	page, err := q.out.StuckRows(q.sink, q.surveyed, pageRows)
	if err != nil {
		return false, err
	}
	for _, r := range page.Rows {
		if q.held[q.key(r)] == nil {
			q.hold(r, time.Time{})
		}
	}
	q.surveyed, q.whole = page.Next, page.End
	return q.whole, nil
}

// front is not behind the first row that is there.
func (q *queue) front(inflight map[uint64]bool) uint64 {
	front := q.cursor
	for _, h := range q.held {
		front = min(front, h.seq)
	}
	for seq := range inflight {
		front = min(front, seq)
	}
	return front
}

// hurry ends the waits of rows that failed.
func (q *queue) hurry(now time.Time) {
	for _, h := range q.held {
		if !h.until.IsZero() && !h.settle {
			h.until = now
		}
	}
}

// release ends the hold that begins with row seq.
func (q *queue) release(seq uint64) {
	for key, h := range q.held {
		if h.seq == seq {
			delete(q.held, key)
			q.again(seq)
		}
	}
}

// due is when the next hold ends by itself, false if none does.
func (q *queue) due() (time.Time, bool) {
	var t time.Time
	for _, h := range q.held {
		if !h.until.IsZero() && (t.IsZero() || h.until.Before(t)) {
			t = h.until
		}
	}
	return t, !t.IsZero()
}
