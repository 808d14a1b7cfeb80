package directory

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// queue picks the rows that may be sent. It reads the outbox from the front to
// the end, no further than it can send, and remembers only where it is and which
// devices are held back, so that a million rows cost no memory; a device that is
// let go sends it back to where that device was left. A row that is only tried
// again is read by itself: while it fails, the way up to here need not be read
// once more.
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

// pick returns up to most rows that may be sent now. Those whose wait is over
// come first where the place works. Where it has yet to prove itself they come
// last: a row that fails by itself must not be the one by which it is judged.
func (q *queue) pick(most int, works bool) (picked []Row, err error) {
	if err := q.learned(); err != nil {
		return nil, err
	}
	steps := []func(int) ([]Row, error){q.again, q.scan}
	if !works {
		steps = []func(int) ([]Row, error){q.scan, q.again, q.scan}
	}
	for _, step := range steps {
		rows, err := step(most - len(picked))
		picked = append(picked, rows...)
		if len(picked) == most || len(picked) > 0 && (err != nil || !works) {
			return picked, nil // these are read, and the cursor is past them
		}
		if err != nil {
			return nil, err
		}
	}
	return picked, nil
}

// scan reads on from the cursor, and returns up to most rows that may be sent.
func (q *queue) scan(most int) (picked []Row, err error) {
	// A dead place is tried with the one row in front: no more is read for it.
	for limit := most; len(picked) < most; limit = pageRows {
		page, err := q.out.Rows(q.sink, q.cursor, limit)
		if err != nil {
			return picked, err
		}
		for _, r := range page.Rows {
			q.cursor = r.Seq + 1
			if h, held := q.held[q.key(r)]; !(held && h.seq <= r.Seq) && q.ready(r) {
				picked = append(picked, r)
			}
			if len(picked) == most {
				return picked, nil
			}
		}
		q.cursor = page.Next
		if page.End {
			break
		}
	}
	return picked, nil
}

// again returns up to most rows whose wait is over, in order. Their devices stay
// held until it is known what became of them.
func (q *queue) again(most int) (picked []Row, err error) {
	var due []*hold
	for _, h := range q.held {
		if !h.until.IsZero() && !h.until.After(time.Now()) {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b *hold) int { return cmp.Compare(a.seq, b.seq) })
	for _, h := range due[:min(most, len(due))] {
		r, err := q.out.Row(q.sink, h.seq)
		switch {
		case errors.Is(err, ErrNoRow), err == nil && q.held[q.key(r)] != h:
			q.release(h.seq) // gone, or another device's by now
		case err != nil:
			return nil, err
		case q.ready(r):
			picked = append(picked, r)
		}
	}
	return picked, nil
}

// ready reports whether a row that nothing before it holds may be sent, and
// holds its device if not.
func (q *queue) ready(r Row) bool {
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

// from makes the rows from seq on be read once more.
func (q *queue) from(seq uint64) { q.cursor = min(q.cursor, seq) }

// learned looks again at what has a tag without an owner: once the register
// knows it, it has another key.
func (q *queue) learned() error {
	for key, h := range q.held {
		if !h.pending {
			continue
		}
		r, err := q.out.Row(q.sink, h.seq)
		if err == nil && r.Pending {
			continue
		}
		if err != nil && !errors.Is(err, ErrNoRow) {
			return err
		}
		delete(q.held, key)
		q.from(h.seq)
		if err == nil && (h.stuck || !h.until.IsZero()) {
			q.held[q.key(r)] = &hold{seq: h.seq, until: h.until, stuck: h.stuck, settle: h.settle}
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

// release ends the holds that begin with one of the rows.
func (q *queue) release(seqs ...uint64) {
	for key, h := range q.held {
		if slices.Contains(seqs, h.seq) {
			delete(q.held, key)
			q.from(h.seq)
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
