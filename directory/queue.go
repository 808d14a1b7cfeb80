package directory

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"stump/directory/call"
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
	caps   call.Capabilities
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

func newQueue(sink string, out Outbox, caps call.Capabilities) *queue {
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

// pick returns up to most rows that may be sent now, and whether there is more
// to be read: it reads no more than two pages, for taps wait while it does.
func (q *queue) pick(most int, works bool) (picked []Row, more bool, err error) {
	for {
		_, unlearned := q.learned()
		picked, more, err = q.choose(most, works)
		if len(picked) == 0 {
			return nil, more, errors.Join(unlearned, err)
		}
		// What was learned meanwhile may stand before these.
		if changed, _ := q.learned(); !changed {
			return picked, more, nil
		}
		for _, r := range picked {
			q.back(r)
		}
	}
}

// choose picks. Rows whose wait is over come first where the place works. Where
// it has yet to prove itself they come last: a row that fails by itself must not
// be the one by which it is judged.
func (q *queue) choose(most int, works bool) (picked []Row, more bool, err error) {
	if works {
		picked, err = q.again(most)
	}
	fresh, more, unread := q.scan(most - len(picked))
	picked = append(picked, fresh...)
	if !works && len(picked) == 0 {
		picked, err = q.again(most)
	}
	return picked, more, errors.Join(err, unread)
}

// scan reads on from the cursor, two pages at most, and returns up to most rows
// that may be sent, and whether there are more to be read.
func (q *queue) scan(most int) (picked []Row, more bool, err error) {
	// A dead place is tried with the one row in front: no more is read for it.
	for _, limit := range []int{most, pageRows} {
		if len(picked) == most {
			break
		}
		page, err := q.out.Rows(q.sink, q.cursor, limit)
		if err != nil {
			return picked, false, err
		}
		for _, r := range page.Rows {
			q.cursor = r.Seq + 1
			if h, held := q.held[q.key(r)]; !(held && h.seq <= r.Seq) && q.ready(r) {
				picked = append(picked, r)
			}
			if len(picked) == most {
				return picked, true, nil
			}
		}
		q.cursor = page.Next
		if page.End {
			return picked, false, nil
		}
	}
	return picked, true, nil
}

// again returns up to most rows whose wait is over, the longest over first: one
// that always fails must not come before all others each time. Their devices
// stay held until it is known what became of them.
func (q *queue) again(most int) (picked []Row, err error) {
	var due []*hold
	for _, h := range q.held {
		// What is read once more before it may have got its key meanwhile.
		if !h.until.IsZero() && !h.until.After(time.Now()) && h.seq < q.cursor {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b *hold) int { return cmp.Or(a.until.Compare(b.until), cmp.Compare(a.seq, b.seq)) })
	for _, h := range due {
		if len(picked) == most {
			break
		}
		r, unread := q.out.Row(q.sink, h.seq)
		switch {
		case errors.Is(unread, ErrNoRow), unread == nil && q.held[q.key(r)] != h:
			q.release(h.seq) // gone, or another device's by now
		case unread != nil:
			err = unread // the others need not wait for it
		case q.ready(r):
			picked = append(picked, r)
		}
	}
	return picked, err
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

// back takes back a row that was picked and not sent.
func (q *queue) back(r Row) {
	if h := q.held[q.key(r)]; h == nil || h.seq != r.Seq {
		q.from(r.Seq)
	}
}

// learned looks again at what has a tag without an owner: once the register
// knows it, it has another key. It reports whether one has.
func (q *queue) learned() (changed bool, err error) {
	for key, h := range q.held {
		if !h.pending {
			continue
		}
		r, unread := q.out.Row(q.sink, h.seq)
		if unread != nil && !errors.Is(unread, ErrNoRow) {
			err = unread
			continue
		}
		if unread == nil && r.Pending && q.key(r) == key {
			continue
		}
		changed = true
		delete(q.held, key)
		q.from(h.seq)
		if unread == nil {
			q.rekey(h, r)
		}
	}
	return changed, err
}

// rekey moves a hold to the key that its row has now, where another may stand:
// the one that begins first holds for both.
func (q *queue) rekey(h *hold, r Row) {
	key := q.key(r)
	if o := q.held[key]; o != nil {
		if o.seq < h.seq {
			return // waits behind that one
		}
		delete(q.held, key) // is read again, after this one
		if o.settle {
			delete(q.settled, o.seq)
		}
	}
	if h.stuck || !h.until.IsZero() || r.Pending {
		q.held[key] = &hold{seq: h.seq, until: h.until, pending: r.Pending, stuck: h.stuck, settle: h.settle}
	}
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

// anyStuck reports whether a row waits for a person.
func (q *queue) anyStuck() bool {
	for _, h := range q.held {
		if h.stuck {
			return true
		}
	}
	return false
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
