package directory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

// These tests look at the queue alone: what one pick returns, what is held then, and
// what was read for it.

var (
	hookCaps = call.Capabilities{Repeatable: true}
	errOut   = errors.New("can't be read")
)

// picking is the queue of a box that a test can break.
type picking struct {
	*queue
	*box
	bad    map[uint64]bool  // these rows can't be read by themselves
	badAll bool             // no page can be read
	read   []string         // the pages
	looks  int              // at rows by themselves
	before func(seq uint64) // such a look
}

func newPicking(t *testing.T, caps call.Capabilities) *picking {
	p := &picking{box: newBox(t, Main, "hook"), bad: map[uint64]bool{}}
	p.queue = newQueue("hook", p, caps)
	return p
}

func (p *picking) OutboxOf(sink string, key ledger.RowKey) (ledger.OutboxRow, error) {
	if p.looks++; p.before != nil {
		p.before(key.Seq)
	}
	if p.bad[key.Seq] {
		return ledger.OutboxRow{}, errOut
	}
	return p.box.OutboxOf(sink, key)
}

func (p *picking) page(from ledger.RowKey, limit int, read func(string, ledger.RowKey, int) (ledger.OutboxPage, error)) (ledger.OutboxPage, error) {
	p.read = append(p.read, fmt.Sprintf("%d+%d", from.Seq, limit))
	if p.badAll {
		return ledger.OutboxPage{}, errOut
	}
	return read("hook", from, limit)
}

func (p *picking) OutboxFrom(_ string, from ledger.RowKey, limit int) (ledger.OutboxPage, error) {
	return p.page(from, limit, p.box.OutboxFrom)
}

func (p *picking) StuckFrom(_ string, from ledger.RowKey, limit int) (ledger.OutboxPage, error) {
	return p.page(from, limit, p.box.StuckFrom)
}

// hold holds the lane of event seq from it on.
func (p *picking) hold(seq uint64, state record.OutboxState, until time.Time) {
	p.t.Helper()
	r, err := p.box.row("hook", seq)
	if err != nil {
		p.t.Fatal(err)
	}
	r.State = state
	p.queue.hold(r, until)
	p.queue.cursor = ledger.RowKey{Chain: 1, Seq: max(p.queue.cursor.Seq, seq+1)}
}

// picks picks, and wants these rows: "1 2 more".
func (p *picking) picks(t *testing.T, most int, works bool, want string) {
	t.Helper()
	rows, more, err := p.pick(most, works)
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprint(r.Event.Seq))
	}
	if more {
		got = append(got, "more")
	}
	if err != nil {
		got = append(got, err.Error())
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("picked %q, want %q", s, want)
	}
}

// holds wants these lanes to be held, by the first row: "2 3 pending", the stuck ones
// with a "!".
func (p *picking) holds(t *testing.T, want string) {
	t.Helper()
	var got []string
	for _, h := range slices.SortedFunc(maps.Values(p.held), func(a, b *hold) int { return a.first.Compare(b.first) }) {
		got = append(got, fmt.Sprint(h.first.Seq)+map[bool]string{true: "!"}[h.state.Stuck()]+map[bool]string{true: " pending"}[h.pending])
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("held: %q, want %q", s, want)
	}
}

func past() time.Time  { return time.Now().Add(-time.Second) }
func later() time.Time { return time.Now().Add(time.Hour) }

// TestPickReadsOn: a pick reads no row twice, none that it doesn't send but a page, and no
// more than two pages.
func TestPickReadsOn(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.take("ipad", "pixel", "fold", "d1", "d2")
	p.hold(1, record.Parked, time.Time{})
	p.cursor = ledger.RowKey{}
	p.picks(t, 1, true, "2 more")
	p.picks(t, 1, true, "3 more")
	p.picks(t, 2, true, "4 5 more")
	p.picks(t, 2, true, "")
	if got, want := strings.Join(p.read, " "), "0+1 2+256 3+1 4+2 6+2"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}

	p = newPicking(t, hookCaps)
	for range 128 + pageRows + 1 {
		p.take("ipad")
	}
	p.take("pixel")
	p.hold(1, record.Parked, time.Time{})
	p.picks(t, 128, true, "more")
	p.picks(t, 128, true, "386")
	p.cursor = ledger.RowKey{}
	p.picks(t, 128, false, "more")
}

// TestPickPassesAnEmptyPage: a page may have rows of other sinks only.
func TestPickPassesAnEmptyPage(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.take("ipad", "pixel")
	p.queue.ledger = passing{p}
	p.picks(t, 1, true, "2 more")
}

// passing is a ledger whose first page has no rows, and goes up to row 2.
type passing struct{ *picking }

func (p passing) OutboxFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error) {
	if from.Compare(keyOf(2)) < 0 {
		return ledger.OutboxPage{Next: keyOf(2)}, nil
	}
	return p.picking.OutboxFrom(sink, from, limit)
}

// TestPickSaysWhatCannotBeRead, unless there is something to send.
func TestPickSaysWhatCannotBeRead(t *testing.T) {
	p := newPicking(t, everything)
	p.badAll = true
	p.picks(t, 5, true, "can't be read")
	p.picks(t, 5, false, "can't be read")

	p = newPicking(t, everything)
	p.take("ipad", "pixel")
	p.hold(1, record.Queued, past())
	p.bad[1] = true
	p.picks(t, 5, true, "2")
	p.picks(t, 5, true, "can't be read")
	p.picks(t, 5, false, "can't be read")
	if p.looks != 3 {
		t.Errorf("a row was looked at %d times in three picks", p.looks)
	}

	// A row with an unknown tag: others are looked at, and it stays where it is.
	p = newPicking(t, everything)
	p.stray(p.ann())
	p.bump(bobBadge, ipadTag)
	p.picks(t, 5, true, "")
	p.holds(t, "1 pending 2 pending")
	p.bad[1] = true
	p.picks(t, 5, true, "can't be read")
	p.holds(t, "1 pending 2 pending")
	p.register()
	p.picks(t, 5, true, "2 4 5") // with the events that say who they were
	p.holds(t, "1 pending")
	p.bad[1] = false
	p.picks(t, 5, true, "")
}

// TestPickTriesAgain: those that waited longest come first, before fresh rows if the
// place works, and after them if it has yet to prove itself.
func TestPickTriesAgain(t *testing.T) {
	for _, c := range []struct {
		most  int
		works bool
		want  string
	}{
		{1, true, "2 more"}, {2, true, "2 1 more"}, {3, true, "2 1 4 more"}, {9, true, "2 1 4 5"},
		{1, false, "4 more"}, {9, false, "4 5"},
	} {
		p := newPicking(t, hookCaps)
		p.take("ipad", "pixel", "fold", "d1", "d2")
		p.hold(1, record.Queued, past())
		p.hold(2, record.Queued, past().Add(-time.Minute))
		p.hold(3, record.Queued, later())
		p.picks(t, c.most, c.works, c.want)
	}
	p := newPicking(t, hookCaps)
	p.take("ipad", "pixel")
	p.hold(1, record.Queued, past())
	p.hold(2, record.Queued, past())
	p.picks(t, 1, false, "1")
}

// TestPickOfARowThatChanged while it waited.
func TestPickOfARowThatChanged(t *testing.T) {
	// Gone: what waited for it is there to be read.
	p := newPicking(t, hookCaps)
	p.take("ipad", "ipad")
	p.hold(1, record.Queued, past())
	p.cursor = keyOf(3)
	if err := p.Delivered("hook", keyOf(1)); err != nil {
		t.Fatal(err)
	}
	p.picks(t, 1, false, "more")
	p.picks(t, 1, false, "2 more")

	// Parked.
	p = newPicking(t, hookCaps)
	p.take("ipad")
	p.hold(1, record.Queued, past())
	p.save("hook", 1, record.OutboxRow{Device: "ipad", State: record.Parked})
	p.picks(t, 1, true, "")
	p.holds(t, "1!")

	// In another lane by now, where a row before it waits. That its owner is known can't
	// be seen once more.
	p = newPicking(t, hookCaps)
	p.take("ipad")
	p.stray(p.ann())
	p.hold(1, record.Queued, later())
	p.hold(2, record.Queued, past())
	p.before = func(uint64) {
		if p.looks == 2 { // the first look was for its owner
			p.own("ipad")
		}
		p.bad[2] = p.looks == 3
	}
	p.picks(t, 2, true, "")
	p.holds(t, "1")
}

// TestPickHolds rows that may not be sent, and only those.
func TestPickHolds(t *testing.T) {
	for _, c := range []struct {
		caps        call.Capabilities
		state       record.OutboxState
		want, holds string
	}{
		{everything, record.Queued, "1 2", ""},
		{everything, record.Sending, "1 2", ""},
		{call.Capabilities{Settle: time.Minute}, record.Queued, "1 2", ""},
		{call.Capabilities{Settle: time.Minute}, record.Sending, "2", "1"},
		{everything, record.Parked, "2", "1!"},
		{everything, record.Conflict, "2", "1!"},
		{everything, record.InDoubt, "2", "1!"},
	} {
		p := newPicking(t, c.caps)
		p.take("ipad", "pixel")
		p.save("hook", 1, record.OutboxRow{Device: "ipad", State: c.state})
		p.picks(t, 9, true, c.want)
		p.holds(t, c.holds)
	}
}

// TestLanes: events without a device keep the order of their person.
func TestLanes(t *testing.T) {
	row := func(person, device string) ledger.OutboxRow {
		return ledger.OutboxRow{Event: checkout.Event{Person: person}, OutboxRow: record.OutboxRow{Device: device}}
	}
	for _, c := range []struct {
		a, b ledger.OutboxRow
		same bool
	}{
		{row("ann", ""), row("ann", ""), true}, {row("ann", ""), row("bob", ""), false}, {row("ann", ""), row("", "ann"), false},
		{row("ann", "ipad"), row("bob", "ipad"), true}, {row("ann", "ipad"), row("ann", "pixel"), false},
	} {
		if laneOf(c.a) == laneOf(c.b) != c.same {
			t.Errorf("%q and %q", laneOf(c.a), laneOf(c.b))
		}
	}
}

// TestPickedButLearned: while rows were picked, a tag got its owner. All come in order.
func TestPickedButLearned(t *testing.T) {
	p := newPicking(t, everything)
	p.take("pixel")
	p.stray(p.ann())
	p.before = func(uint64) {
		if p.looks == 1 { // after the rows were picked
			p.own("ipad")
		}
	}
	p.picks(t, 9, true, "1 2 3") // with the event that says so
}

// TestBackOfAHeldRow: a row that was not sent is read again, unless it waits by itself.
func TestBackOfAHeldRow(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.take("ipad", "ipad", "pixel")
	p.picks(t, 9, true, "1 2 3")
	p.hold(2, record.Queued, later())
	for _, c := range []struct{ back, cursor uint64 }{{2, 4}, {3, 3}, {1, 1}} {
		p.cursor = keyOf(4)
		r, err := p.box.row("hook", c.back)
		if err != nil {
			t.Fatal(err)
		}
		p.back(r)
		if p.cursor != keyOf(c.cursor) {
			t.Errorf("row %d is back: reads on from %v, want %d", c.back, p.cursor, c.cursor)
		}
	}
}

// TestLearnMovesHolds into the lane of the tag's owner.
func TestLearnMovesHolds(t *testing.T) {
	for name, c := range map[string]struct {
		first, second func(*picking) // events 1 and 2, and their holds
		holds, picks  string         // then; 3 is the event that says so
	}{
		"it is stuck": {
			func(p *picking) { p.stray(p.ann()); p.hold(1, record.Parked, time.Time{}) },
			func(p *picking) { p.take("pixel"); p.hold(2, record.Queued, later()) }, "1! 2", "",
		},
		"it waits": {
			func(p *picking) { p.stray(p.ann()); p.hold(1, record.Queued, later()) },
			func(p *picking) { p.take("pixel"); p.hold(2, record.Queued, later()) }, "1 2", "",
		},
		"it waited for the register alone": {
			func(p *picking) { p.stray(p.ann()); p.hold(1, record.Queued, time.Time{}) },
			func(p *picking) { p.take("pixel"); p.hold(2, record.Queued, later()) }, "2", "1 3",
		},
		"an earlier row of the device waits": {
			func(p *picking) { p.take("ipad"); p.hold(1, record.Queued, later()) },
			func(p *picking) { p.stray(p.ann()); p.hold(2, record.Parked, time.Time{}) }, "1", "",
		},
		"a later row of the device waits, and it is stuck": {
			func(p *picking) { p.stray(p.ann()); p.hold(1, record.Parked, time.Time{}) },
			func(p *picking) { p.take("ipad"); p.hold(2, record.Queued, later()) }, "1!", "",
		},
		"a later row of the device waits": {
			func(p *picking) { p.stray(p.ann()); p.hold(1, record.Queued, time.Time{}) },
			func(p *picking) { p.take("ipad"); p.hold(2, record.Queued, later()) }, "", "1 2 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPicking(t, hookCaps)
			c.first(p)
			c.second(p)
			if changed, err := p.learn(); changed || err != nil {
				t.Errorf("nothing is known yet: %v %v", changed, err)
			}
			p.own("ipad")
			if changed, err := p.learn(); !changed || err != nil {
				t.Errorf("its owner is known: %v %v", changed, err)
			}
			p.holds(t, c.holds)
			p.save("hook", 1, record.OutboxRow{Device: "ipad", State: stateOf(p, 1)})
			p.picks(t, 9, true, c.picks)
		})
	}
}

// stateOf is the state that the queue holds a row in.
func stateOf(p *picking, seq uint64) record.OutboxState {
	for _, h := range p.held {
		if h.first == keyOf(seq) {
			return h.state
		}
	}
	return record.Queued
}

// TestLearnOfAVanishedRow: nothing is left of it.
func TestLearnOfAVanishedRow(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.stray(p.ann())
	p.stray(p.ann())
	p.hold(1, record.Parked, time.Time{})
	p.cursor = keyOf(3)
	if err := p.Delivered("hook", keyOf(1)); err != nil {
		t.Fatal(err)
	}
	if changed, err := p.learn(); !changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	p.holds(t, "")
	p.picks(t, 9, true, "2")
}

// TestLearnOfHalfAnOwner: the device is known now, and its person not yet.
func TestLearnOfHalfAnOwner(t *testing.T) {
	p := newPicking(t, everything)
	p.bump(bobBadge, strayTag)
	p.picks(t, 9, true, "")
	p.own("ipad")
	if changed, err := p.learn(); !changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	p.holds(t, "1 pending")
	if changed, err := p.learn(); changed || err != nil {
		t.Errorf("once more: changed %v, %v", changed, err)
	}
}

// TestSurvey finds the stuck rows in order, a page at a time, and no page twice.
func TestSurvey(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.badAll = true
	if whole, err := p.survey(); whole || !errors.Is(err, errOut) {
		t.Errorf("whole %v, %v", whole, err)
	}
	p.badAll, p.read = false, nil
	for i := range pageRows + 2 {
		p.take(fmt.Sprint("d", i))
		p.save("hook", uint64(i+1), record.OutboxRow{Device: fmt.Sprint("d", i), State: record.Parked})
	}
	for i, want := range []bool{false, true, true} {
		if whole, err := p.survey(); whole != want || err != nil {
			t.Errorf("survey %d: whole %v, %v", i, whole, err)
		}
	}
	if got, want := strings.Join(p.read, " "), "0+256 257+256"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
	keys := p.stuck()
	if len(keys) != pageRows+2 || !slices.IsSortedFunc(keys, ledger.RowKey.Compare) {
		t.Errorf("stuck: %v", keys)
	}
}

// TestFront is before every row that waits, is held, or is on its way.
func TestFront(t *testing.T) {
	p := newPicking(t, hookCaps)
	p.take("ipad", "pixel", "fold")
	p.cursor = keyOf(4)
	for _, c := range []struct {
		held, inflight, want uint64
	}{{0, 0, 4}, {2, 0, 2}, {2, 3, 2}, {2, 1, 1}} {
		if c.held > 0 {
			p.hold(c.held, record.Queued, later())
		}
		inflight := map[ledger.RowKey]bool{}
		if c.inflight > 0 {
			inflight[keyOf(c.inflight)] = true
		}
		if got := p.front(inflight); got != keyOf(c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestHurry ends the waits of rows that failed, not that of a call which may yet be
// counted, nor what a person must release.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPicking(t, hookCaps)
		p.take("ipad", "pixel", "fold", "d1")
		if _, ok := p.due(); ok {
			t.Error("something is due")
		}
		p.hold(1, record.Parked, time.Time{})
		if _, ok := p.due(); ok {
			t.Error("a parked row is due")
		}
		soon := time.Now().Add(time.Minute)
		p.hold(2, record.Queued, later())
		p.hold(3, record.Sending, soon)
		p.hold(4, record.Queued, later())
		for range 30 { // whatever the order of the map
			if at, ok := p.due(); !ok || !at.Equal(soon) {
				t.Errorf("due in %v, %v", time.Until(at), ok)
			}
		}
		p.hurry()
		if at, ok := p.due(); !ok || !at.Equal(time.Now()) {
			t.Errorf("due in %v, %v", time.Until(at), ok)
		}
		p.picks(t, 9, true, "2 4")
		time.Sleep(time.Minute)
		p.picks(t, 9, true, "2 4 3")
	})
}
