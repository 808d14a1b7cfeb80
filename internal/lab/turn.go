package lab

import (
	"context"
	"net/http"
	"time"

	"stump/internal/lab/wire"
)

// Turn is a work that one station of the lab does for all, such as to remind people. The hub
// gives it to one for two minutes at a time, under a fence: a number that grows with each new
// holder, by which the hub refuses what one before sends too late. In no lab it is the station's.
type Turn struct {
	l     *Link
	work  string
	taken func()

	// All guarded by l.mu.
	fence uint64        // 0: it is another's
	until time.Duration // by the monotonic clock
	late  uint64        // the fence under which the register was changed, until the hub was told
	busy  bool          // it is being changed
	over  bool          // it was not when the hub began to be told
}

// Turn returns the turn of a work, to be called before Run. taken is called when this station
// has it now, and had not before; it may be nil.
func (l *Link) Turn(work string, taken func()) *Turn {
	t := &Turn{l: l, work: work, taken: taken}
	l.turns = append(l.turns, t)
	return t
}

// Mine reports whether this station does the work now.
func (t *Turn) Mine() bool {
	now := t.l.o.Now().Mono
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	return t.l.member == nil || t.fence != 0 && now < t.until
}

// Begin reports whether the station may do work that changes the register, and notes that it
// does until End. Where the hub has been away for so long that nobody knows whose turn it is,
// it may, for itself.
func (t *Turn) Begin() bool {
	if !t.Mine() && !t.l.Status().Stale {
		return false
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.busy, t.over, t.late = true, false, t.fence // 0: not in its turn
	return true
}

// End ends what Begin began.
func (t *Turn) End() {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.busy = false
}

// errNotMine says that the work is another station's.
var errNotMine error = &Problem{wire.Problem{Code: wire.CodeFenced, Error: "another station of the lab does this now", Hint: "nothing is to be done"}}

// Claim returns which things are to be done here, since no station of the lab has done them. The
// hub remembers them.
func (t *Turn) Claim(ctx context.Context, done []string) ([]string, error) {
	t.l.mu.Lock()
	m, mine := t.l.member, t.fence != 0
	t.l.mu.Unlock()
	switch {
	case m == nil:
		return done, nil
	case !mine:
		return nil, errNotMine
	}
	c := t.l.client(m.URL, m.Pin, m.Token)
	got, err := t.ask(ctx, c, done)
	c.http.CloseIdleConnections()
	if err == nil && got.Fence == 0 {
		err = errNotMine
	}
	return got.Fresh, err
}

// ask asks for the work, or to go on with it.
func (t *Turn) ask(ctx context.Context, c *client, done []string) (got wire.Leased, err error) {
	l := t.l
	l.mu.Lock()
	fence := t.fence
	l.mu.Unlock()
	began := l.o.Now().Mono // before the hub counts from
	err = c.ask(ctx, http.MethodPost, wire.PathLease, wire.Lease{Work: t.work, Fence: fence, Done: done}, &got)
	l.mu.Lock()
	if err == nil {
		t.fence, t.until = got.Fence, began+time.Duration(got.For)
	} else if t.fence == fence && is(err, wire.CodeFenced) {
		t.fence = 0
	}
	l.mu.Unlock()
	if got.Fence != fence && fence == 0 && t.taken != nil {
		t.taken()
	}
	return got, err
}

// takeTurns asks for what one station does for all, again and again.
func (s *session) takeTurns() error {
	for {
		wait := wire.Wait
		for _, t := range s.turns {
			got, err := t.ask(s.ctx, s.c, nil)
			if err != nil && !is(err, wire.CodeFenced) {
				return err
			}
			next := got.For
			if got.Fence != 0 {
				next /= 3
			}
			wait = min(wait, time.Duration(next))
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(wait + time.Second/4):
		}
	}
}

// fenced adds to what is sent under which fence it may have been changed.
func (s *session) fenced(a *wire.Append) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.turns {
		if t.late != 0 && len(a.Patches) > 0 {
			a.Work, a.Fence = t.work, t.late
		}
	}
}

// tells notes that the hub is about to be told of all that was changed, or was told if done.
func (s *session) tells(done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.turns {
		if done && t.over {
			t.late = 0
		}
		t.over = !t.busy
	}
}
