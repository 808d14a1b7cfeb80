package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/identity"
)

var (
	ann  = identity.Principal{Name: "Ann", Role: identity.Technician, ID: "session:ann"}
	ben  = identity.Principal{Name: "Ben", Role: identity.Technician, ID: "session:ben"}
	root = identity.Principal{Name: "Root", Role: identity.Admin, ID: "uid:0"}
)

// until works until it is told to end.
func until(ctx context.Context, _ *Job) error {
	<-ctx.Done()
	return ctx.Err()
}

func start(t *testing.T, r *Room, s Spec) *Job {
	t.Helper()
	if s.Run == nil {
		s.Run = until
	}
	j, err := r.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// bubble runs a test with a room whose jobs all end with it.
func bubble(t *testing.T, f func(t *testing.T, r *Room)) {
	synctest.Test(t, func(t *testing.T) {
		r, ended := NewRoom(), make(chan error)
		ctx, stop := context.WithCancel(context.Background())
		go func() { ended <- r.Run(ctx) }()
		f(t, r)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if left := r.All(root); len(left) > 0 {
			t.Errorf("%d are left in the end", len(left))
		}
		if _, err := r.Start(Spec{}); !errors.Is(err, ErrStopping) {
			t.Errorf("a room that is closed: %v", err)
		}
	})
}

// TestEnds: a job's state says how it ended.
func TestEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		run   func(ctx context.Context, j *Job) error
		cause error
		state State
		err   error
	}{
		{"by itself", func(context.Context, *Job) error { return nil }, nil, Done, nil},
		{"broken", func(context.Context, *Job) error { return broken }, nil, Failed, broken},
		{"cancelled", until, ErrCancelled, Cancelled, ErrCancelled},
		{"replaced", until, ErrReplaced, Cancelled, ErrReplaced},
		{"expired", until, ErrExpired, Expired, ErrExpired},
		{"stopped", until, ErrStopping, Failed, ErrStopping},
		{"done all the same", func(ctx context.Context, _ *Job) error { <-ctx.Done(); return nil }, ErrCancelled, Done, nil},
	} {
		bubble(t, func(t *testing.T, r *Room) {
			j := start(t, r, Spec{Owner: ann, Run: tt.run})
			if tt.cause != nil {
				synctest.Wait()
				if s := j.Status(); s.State != Running || !s.Ended.IsZero() {
					t.Errorf("%s: at first %+v", tt.name, s)
				}
				time.Sleep(time.Second)
				j.End(tt.cause)
			}
			if err := j.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			s := j.Status()
			if s.State != tt.state || !errors.Is(s.Err, tt.err) || !s.Ended.Equal(time.Now()) {
				t.Errorf("%s: %+v", tt.name, s)
			}
			j.End(ErrCancelled) // is nothing any more
			if j.Status().State != tt.state || j.Renew() {
				t.Errorf("%s: what has ended goes on", tt.name)
			}
		})
	}
}

// TestHold: a job goes on while somebody asks for it.
func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		j := start(t, r, Spec{Owner: ann, Hold: 2 * time.Minute})
		for range 10 {
			time.Sleep(119 * time.Second)
			if !j.Renew() {
				t.Fatal("ended though it was renewed")
			}
		}
		if s := j.Status(); !s.Expires.Equal(time.Now().Add(2 * time.Minute)) {
			t.Errorf("expires at %v", s.Expires)
		}
		time.Sleep(121 * time.Second)
		synctest.Wait()
		if s := j.Status(); s.State != Expired || time.Since(s.Ended) != time.Second || j.Renew() {
			t.Errorf("%+v", s)
		}
		away, back := start(t, r, Spec{Owner: ann, Hold: time.Minute}), start(t, r, Spec{Owner: ann, Hold: time.Minute})
		away.Left()
		back.Left()
		time.Sleep(grace - time.Second)
		back.Renew()
		away.Left() // is not put off by that
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if away.Status().State != Expired || back.Status().State != Running || time.Until(back.Status().Expires) != 58*time.Second {
			t.Errorf("who has left: %+v; who came back: %+v", away.Status(), back.Status())
		}
		start(t, r, Spec{Owner: ann}).Left() // needs no holder
		left, stays := start(t, r, Spec{Owner: ann, Hold: time.Minute}), start(t, r, Spec{Owner: ann})
		r.Leave(ben.ID)
		synctest.Wait()
		if left.Status().State != Running {
			t.Error("ended when somebody else left")
		}
		r.Leave(ann.ID)
		synctest.Wait()
		if left.Status().State != Expired || stays.Status().State != Running {
			t.Errorf("after its owner left %v; what needs no holder %v", left.Status(), stays.Status())
		}
	})
}

// TestBusy: one job at a time has a thing; the next is told who, or takes its place.
func TestBusy(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		first := start(t, r, Spec{Kind: "a self-test", Owner: ann, On: "lines"})
		start(t, r, Spec{Kind: "a self-test", Owner: ann, On: "other lines"})
		var busy *BusyError
		for _, who := range []identity.Principal{ann, ben} {
			if _, err := r.Start(Spec{Owner: who, On: "lines"}); !errors.As(err, &busy) || busy.ID != first.ID || busy.Error() != "Ann has begun a self-test" {
				t.Errorf("%v", err)
			}
		}
		if _, err := r.Start(Spec{Owner: ben, On: "lines", Replace: true}); !errors.As(err, &busy) {
			t.Errorf("somebody else's gives way: %v", err)
		}
		second := start(t, r, Spec{Owner: ann, On: "lines", Replace: true})
		synctest.Wait()
		if s := first.Status(); s.State != Cancelled || !errors.Is(s.Err, ErrReplaced) || second.Status().State != Running {
			t.Errorf("%+v", s)
		}
		second.End(ErrCancelled)
		synctest.Wait()
		start(t, r, Spec{Owner: ben, On: "lines"})
	})
}

// TestWho: a job is seen by its owner and by admins.
func TestWho(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		hers, his := start(t, r, Spec{Owner: ann}), start(t, r, Spec{Owner: ben})
		for _, tt := range []struct {
			who  identity.Principal
			sees []*Job
		}{{ann, []*Job{hers}}, {ben, []*Job{his}}, {root, []*Job{hers, his}}, {identity.Principal{}, nil}} {
			if got := r.All(tt.who); !slices.Equal(got, tt.sees) {
				t.Errorf("%s sees %d jobs", tt.who.Name, len(got))
			}
			for _, j := range []*Job{hers, his} {
				got, err := r.Find(j.ID, tt.who)
				if sees := slices.Contains(tt.sees, j); sees != (got == j) || sees == errors.Is(err, ErrNotFound) {
					t.Errorf("%s finds %v, %v", tt.who.Name, got, err)
				}
			}
		}
	})
}

// TestBounds: what has ended is kept for its time, and as long as there is room.
func TestBounds(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		var forgotten atomic.Int32
		brief := Spec{Owner: ann, Run: func(context.Context, *Job) error { return nil }, Forget: func() { forgotten.Add(1) }}
		short := brief
		short.Keep = time.Minute
		start(t, r, brief)
		start(t, r, short)
		time.Sleep(time.Minute + time.Second)
		if n := len(r.All(ann)); n != 1 || forgotten.Load() != 1 {
			t.Errorf("after a minute %d are left, %d were forgotten", n, forgotten.Load())
		}
		time.Sleep(Keep)
		if n := len(r.All(ann)); n != 0 || forgotten.Load() != 2 {
			t.Errorf("after an hour %d are left, %d were forgotten", n, forgotten.Load())
		}
		long := start(t, r, Spec{Owner: ann})
		for range 2 * Most {
			start(t, r, brief)
			synctest.Wait()
		}
		if n := len(r.All(ann)); n != Most || r.All(ann)[0] != long || forgotten.Load() != 2+Most+1 {
			t.Errorf("%d are kept, %d were forgotten", n, forgotten.Load())
		}
		for range MostRunning - 1 {
			start(t, r, Spec{Owner: ann})
		}
		if _, err := r.Start(brief); !errors.Is(err, ErrFull) {
			t.Errorf("beside %d others: %v", MostRunning, err)
		}
		r.Forget(long)
		if len(r.All(ann)) != Most {
			t.Error("what runs was forgotten")
		}
	})
}

// TestEvents: who watches gets each event once, from where they were, and learns of the end.
func TestEvents(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		next := make(chan string)
		j := start(t, r, Spec{Owner: ann, Run: func(_ context.Context, j *Job) error {
			for what := range next {
				j.Emit(what, what)
			}
			return nil
		}})
		watch := func(after int) <-chan string {
			seen := make(chan string, 1)
			go func() {
				all := ""
				for {
					events, ended, err := j.Next(t.Context(), after)
					if err != nil {
						t.Error(err)
					}
					for _, e := range events {
						all += fmt.Sprintf("%d %s %s;", e.N, e.What, e.Data)
						after = e.N
					}
					if ended {
						seen <- all
						return
					}
				}
			}()
			return seen
		}
		early := watch(0)
		next <- "a"
		next <- "b"
		synctest.Wait()
		late := watch(1)
		next <- "c"
		close(next)
		if got := <-early; got != `1 a "a";2 b "b";3 c "c";` {
			t.Error(got)
		}
		if got := <-late; got != `2 b "b";3 c "c";` {
			t.Error(got)
		}
		if got := <-watch(3); got != "" {
			t.Error(got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := start(t, r, Spec{Owner: ann}).Next(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("who goes is told %v", err)
		}
	})
}

// TestProgress: progress is an event for each percent, and many events are no more than
// the newest.
func TestProgress(t *testing.T) {
	bubble(t, func(t *testing.T, r *Room) {
		j := start(t, r, Spec{Owner: ann, Run: func(_ context.Context, j *Job) error {
			for i := range uint64(100_001) {
				j.Progress(i, 100_000)
			}
			return nil
		}})
		synctest.Wait()
		events, _, _ := j.Next(t.Context(), 0)
		if s := j.Status(); len(events) != 101 || string(events[100].Data) != `{"done":100000,"total":100000}` || s.Done != 100_000 || s.Total != 100_000 {
			t.Errorf("%d events, the last is %+v", len(events), events[len(events)-1])
		}
		j = start(t, r, Spec{Owner: ann, Run: func(_ context.Context, j *Job) error {
			for range maxEvents + 7 {
				j.Emit("say", nil)
			}
			return nil
		}})
		synctest.Wait()
		if events, _, _ := j.Next(t.Context(), 0); len(events) != maxEvents || events[0].N != 8 {
			t.Errorf("%d events are kept, the first is %d", len(events), events[0].N)
		}
	})
}
