package directory

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"time"

	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

// queue picks the rows that may be sent. It reads the outbox from front to end, no
// further than it can send, and remembers only where it is and which lanes are
// held back, so that a million rows cost no memory. When a lane is released, it
// goes back to where that lane was held. A row that is only retried is read by
// itself, so that its failures don't make the queue read everything again.
type queue struct {
	sink   string
	ledger Ledger
	caps   call.Capabilities
	cursor ledger.RowKey
	held   map[string]*hold // by laneOf
	// surveyed is how far the stuck rows are known; whole: all of them are.
	surveyed ledger.RowKey
	whole    bool
}

// hold says why the rows of a lane stay where they are.
type hold struct {
	first   ledger.RowKey
	until   time.Time // zero: until an admin, or the register, releases it
	pending bool      // the row has a tag that the register does not know
	state   record.OutboxState
}

// hurriable reports whether the hold may end early. That of a call that may yet be
// counted may not.
func (h *hold) hurriable() bool { return !h.until.IsZero() && h.state != record.Sending }

const pageRows = 256

func newQueue(sink string, l Ledger, caps call.Capabilities) *queue {
	return &queue{sink: sink, ledger: l, caps: caps, held: map[string]*hold{}}
}

// laneOf names the rows that keep their order: those of a device, or, of events
// without one, those of a person. Mails wait for no other.
func laneOf(r ledger.OutboxRow) string {
	switch {
	case r.Alone:
		return "m" + r.ID
	case r.Device != "":
		return "d" + r.Device
	}
	return "p" + r.Event.Person
}

// pick returns up to most rows that may be sent now, and whether there are more to
// read: it reads at most two pages, because taps wait meanwhile.
func (q *queue) pick(most int, works bool) (picked []ledger.OutboxRow, more bool, err error) {
	for {
		_, unlearned := q.learn()
		picked, more, err = q.choose(most, works)
		if len(picked) == 0 {
			return nil, more, errors.Join(unlearned, err)
		}
		// Rows that were learned about meanwhile may come before these.
		if changed, _ := q.learn(); !changed {
			return picked, more, nil
		}
		for _, r := range picked {
			q.back(r)
		}
	}
}

// choose picks. If the place works, rows whose wait is over come first. If it has
// yet to prove itself, they come last: it must not be judged by a row that fails
// by itself.
func (q *queue) choose(most int, works bool) (picked []ledger.OutboxRow, more bool, err error) {
	if works {
		picked, err = q.again(most)
	}
	fresh, more, unread := q.scan(most - len(picked))
	picked = append(picked, fresh...)
	if at := q.cursor; !works && len(picked) == 0 {
		picked, err = q.again(most)
		more = more || q.cursor != at // a row is gone: those that waited for it come now
	}
	return picked, more, errors.Join(err, unread)
}

// scan reads on from the cursor, at most two pages, and returns up to most rows
// that may be sent, and whether there are more to read.
func (q *queue) scan(most int) (picked []ledger.OutboxRow, more bool, err error) {
	// For a dead place, only the one row in front is read.
	for _, limit := range []int{most, pageRows} {
		if len(picked) == most {
			break
		}
		page, err := q.ledger.OutboxFrom(q.sink, q.cursor, limit)
		if err != nil {
			return picked, false, err
		}
		for _, r := range page.Rows {
			q.cursor = r.Key.Next()
			if h := q.held[laneOf(r)]; (h == nil || h.first.Compare(r.Key) > 0) && q.ready(r) {
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

// again returns up to most rows whose wait is over, those that waited longest
// first, so that one that always fails does not come first each time. Their lanes
// stay held until their outcome is known.
func (q *queue) again(most int) (picked []ledger.OutboxRow, err error) {
	var due []*hold
	for _, h := range q.held {
		// Rows that are read again before it may be in its lane by now.
		if !h.until.IsZero() && !h.until.After(time.Now()) && h.first.Compare(q.cursor) < 0 {
			due = append(due, h)
		}
	}
	sort.Slice(due, func(i, j int) bool {
		a, b := due[i], due[j]
		return cmp.Or(a.until.Compare(b.until), a.first.Compare(b.first)) < 0
	})
	for _, h := range due {
		if len(picked) == most {
			break
		}
		r, unread := q.ledger.OutboxOf(q.sink, h.first)
		switch {
		case errors.Is(unread, ledger.ErrNotQueued), unread == nil && q.held[laneOf(r)] != h:
			q.release(h.first) // gone, or in another lane by now
		case unread != nil:
			err = unread // the others need not wait for it
		case !q.blocked(r):
			picked = append(picked, r)
		}
	}
	return picked, err
}

// ready reports whether the first row of a lane may be sent, and holds the lane if
// not.
func (q *queue) ready(r ledger.OutboxRow) bool {
	if q.blocked(r) {
		return false
	}
	if r.State == record.Sending && q.caps.Settle > 0 {
		// An earlier daemon's call, which may yet be counted.
		q.hold(r, time.Now().Add(q.caps.Settle))
		return false
	}
	return true
}

// blocked reports whether a row waits for an admin or the register, and holds
// its lane if so.
func (q *queue) blocked(r ledger.OutboxRow) bool {
	blocked := r.State.Stuck() || r.Pending && q.caps.Identities
	if blocked {
		q.hold(r, time.Time{})
	}
	return blocked
}

// hold keeps a lane back from row r on; until zero means for good.
func (q *queue) hold(r ledger.OutboxRow, until time.Time) {
	q.held[laneOf(r)] = &hold{first: r.Key, until: until, pending: r.Pending, state: r.State}
}

// from reads the rows from key on again.
func (q *queue) from(key ledger.RowKey) { q.cursor = least(q.cursor, key) }

func least(a, b ledger.RowKey) ledger.RowKey {
	if b.Compare(a) < 0 {
		return b
	}
	return a
}

// back returns a row that was picked but not sent.
func (q *queue) back(r ledger.OutboxRow) {
	if h := q.held[laneOf(r)]; h == nil || h.first != r.Key {
		q.from(r.Key)
	}
}

// learn looks again at the rows with unknown tags: once the register knows the
// owner, they are in another lane. It reports whether any are.
func (q *queue) learn() (changed bool, err error) {
	for lane, h := range q.held {
		if !h.pending {
			continue
		}
		r, unread := q.ledger.OutboxOf(q.sink, h.first)
		if unread != nil && !errors.Is(unread, ledger.ErrNotQueued) {
			err = unread
			continue
		}
		if unread == nil && r.Pending && laneOf(r) == lane {
			continue
		}
		changed = true
		delete(q.held, lane)
		q.from(h.first)
		if unread == nil {
			q.move(h, r)
		}
	}
	return changed, err
}

// move moves a hold into the lane that its row is in now. If that is held already,
// the hold that begins first stays.
func (q *queue) move(h *hold, r ledger.OutboxRow) {
	lane := laneOf(r)
	if o := q.held[lane]; o != nil {
		if o.first.Compare(h.first) < 0 {
			return // waits behind that one
		}
		delete(q.held, lane) // is read again, after this one
	}
	if h.pending = r.Pending; h.pending || h.state.Stuck() || !h.until.IsZero() {
		q.held[lane] = h
	}
}

// stuck lists the rows that wait for an admin, in order. There is at most one a
// lane.
func (q *queue) stuck() (keys []ledger.RowKey) {
	for _, h := range q.held {
		if h.state.Stuck() {
			keys = append(keys, h.first)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].Compare(keys[j]) < 0 })
	return keys
}

// survey finds the stuck rows, a page at a time, and reports whether all are
// known. Sending finds them too, but not while the place is down and the rows
// before them wait.
func (q *queue) survey() (bool, error) {
	if q.whole {
		return true, nil
	}
	page, err := q.ledger.StuckFrom(q.sink, q.surveyed, pageRows)
	if err != nil {
		return false, err
	}
	for _, r := range page.Rows {
		if q.held[laneOf(r)] == nil {
			q.hold(r, time.Time{})
		}
	}
	q.surveyed, q.whole = page.Next, page.End
	return q.whole, nil
}

// front is a key before the first row, or of it.
func (q *queue) front(inflight map[ledger.RowKey]bool) ledger.RowKey {
	front := q.cursor
	for _, h := range q.held {
		front = least(front, h.first)
	}
	for key := range inflight {
		front = least(front, key)
	}
	return front
}

// hurry ends the waits of rows that failed.
func (q *queue) hurry() {
	for _, h := range q.held {
		if h.hurriable() {
			h.until = time.Now()
		}
	}
}

// release ends the holds that begin with one of the rows.
func (q *queue) release(keys ...ledger.RowKey) {
	for lane, h := range q.held {
		if slices.Contains(keys, h.first) {
			delete(q.held, lane)
			q.from(h.first)
		}
	}
}

// due is when the next hold ends; false if none ends by itself.
func (q *queue) due() (time.Time, bool) {
	var t time.Time
	for _, h := range q.held {
		if !h.until.IsZero() && (t.IsZero() || h.until.Before(t)) {
			t = h.until
		}
	}
	return t, !t.IsZero()
}
