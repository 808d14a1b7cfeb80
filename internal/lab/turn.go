package lab

import (
	"context"
	"errors"
	"net/http"
	"time"

	"stump/internal/hint"
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
	old   bool          // the hub knows of no turns
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
	return t.free() || t.fence != 0 && now < t.until
}

// free reports whether nobody else can have the work.
func (t *Turn) free() bool { return t.l.member == nil || t.old }

// Begin reports whether the station may do work that changes the register, and notes that it
// does until End. Where the hub has been away for so long that nobody knows whose turn it is,
// it may, for itself.
func (t *Turn) Begin() bool {
	if !t.Mine() && !t.l.Status().Stale {
		return false
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.busy, t.over, t.late = true, false, t.fence
	return true
}

// End ends what Begin began.
func (t *Turn) End() {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.busy = false
}

// errNotMine says that the work is another station's.
var errNotMine = hint.Errorf("nothing is to be done: the other one does it", "another station of the lab does this, or the hub is away")

// Claim returns which things are to be done here, since no station of the lab has done them. The
// hub remembers them.
func (t *Turn) Claim(ctx context.Context, done []string) ([]string, error) {
	t.l.mu.Lock()
	free, mine, c := t.free(), t.fence != 0, t.l.speaks
	t.l.mu.Unlock()
	switch {
	case free:
		return done, nil
	case !mine || c == nil:
		return nil, errNotMine
	}
	got, err := t.ask(ctx, c, done)
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
	var p *Problem
	answered := errors.As(err, &p)
	l.mu.Lock()
	switch {
	case err == nil:
		t.fence, t.until, t.old = got.Fence, began+time.Duration(got.For), false
	case answered && p.Code == wire.CodeFenced:
		if t.fence == fence {
			t.fence = 0
		}
	case answered && (p.Code == wire.CodeInvalid || p.Code == noRoute):
		t.old, got.For, err = true, int64(wire.Wait), nil
	}
	taken := err == nil && fence == 0 && (t.fence != 0 || t.old)
	l.mu.Unlock()
	if taken && t.taken != nil {
		t.taken()
	}
	return got, err
}

// noRoute is what a hub answers, by its office, that knows of no turns.
const noRoute = "no-route"

// takeTurns asks for what one station does for all, again and again.
func (s *session) takeTurns() error {
	s.mu.Lock()
	s.speaks = s.c
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.speaks = nil
		s.mu.Unlock()
	}()
	for {
		wait := wire.Wait
		for _, t := range s.turns {
			ctx, end := context.WithTimeout(s.ctx, 30*time.Second)
			got, err := t.ask(ctx, s.c, nil)
			end()
			switch next := time.Duration(got.For); {
			case is(err, wire.CodeFenced):
				wait = min(wait, time.Second)
			case err != nil:
				return err
			case got.Fence != 0:
				wait = min(wait, next/3)
			default:
				wait = min(wait, next+time.Second/4)
			}
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(max(wait, time.Second/4)):
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
