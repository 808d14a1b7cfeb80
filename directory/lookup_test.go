package directory

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

// oracle is a directory that answers about tags, after a while.
type oracle struct {
	stage
	knows map[checkout.Tag]books.SyncRow
	takes time.Duration
	fails error
	asked []checkout.Tag
	enrol func(string) error
}

func newOracle() *oracle {
	o := &oracle{knows: map[checkout.Tag]books.SyncRow{annBadge: {Kind: checkout.KindPerson, Name: "Ann"}, ipadTag: {Kind: checkout.KindDevice, Name: "iPad"}}}
	o.caps = call.Capabilities{Repeatable: true, Identities: true, Parallel: 1}
	return o
}

func (o *oracle) WhatIs(ctx context.Context, tag checkout.Tag, _ checkout.SubjectKind) (books.SyncRow, error) {
	o.mu.Lock()
	takes := o.takes
	o.mu.Unlock()
	select {
	case <-ctx.Done():
		return books.SyncRow{}, call.Outcome{Verdict: call.Failing, Reason: "broken off"}
	case <-time.After(takes):
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, tag)
	if o.fails != nil {
		return books.SyncRow{}, o.fails
	}
	return o.knows[tag], nil
}

func (o *oracle) Enrol(_ context.Context, who string, tag checkout.Tag) (books.SyncRow, error) {
	if o.enrol != nil {
		if err := o.enrol(who); err != nil {
			return books.SyncRow{}, err
		}
	}
	return books.SyncRow{Kind: checkout.KindPerson, Name: who, Tag: tag}, nil
}

func (o *oracle) EnrolsPeople() bool { return true }

func (o *oracle) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// ask runs f with a worker over an oracle, in a bubble.
func ask(t *testing.T, f func(t *testing.T, o *oracle, m *box, w *Worker)) {
	synctest.Test(t, func(t *testing.T) {
		o, m := newOracle(), newBox(t, Main)
		w, stop := start(t, Options{Directory: o, Ledger: m})
		defer stop()
		synctest.Wait()
		f(t, o, m, w)
	})
}

func TestWhatIsLearns(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, m *box, w *Worker) {
		a, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson)
		if err != nil || a.Kind == checkout.Unknown || a.Name != "Ann" || a.ID == "" {
			t.Fatalf("%+v, %v", a, err)
		}
		if r, err := ownerOf(m, annBadge); r.Name != "Ann" {
			t.Errorf("the register has %+v, %v", r, err)
		}
	})
}

func TestUnknownTagIsAskedOnceInAWhile(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, _ *box, w *Worker) {
		for range 10 {
			if a, err := w.WhatIs(t.Context(), bobBadge, checkout.KindPerson); a.Kind != checkout.Unknown || err != nil {
				t.Fatalf("%+v, %v", a, err)
			}
			time.Sleep(10 * time.Second)
		}
		if o.count() != 1 {
			t.Errorf("asked %d times within 100 s, want once", o.count())
		}
		time.Sleep(5 * time.Minute)
		o.mu.Lock()
		o.knows[bobBadge] = books.SyncRow{Kind: checkout.KindPerson, Name: "Bob"}
		o.mu.Unlock()
		if a, err := w.WhatIs(t.Context(), bobBadge, checkout.KindPerson); a.Kind == checkout.Unknown || err != nil {
			t.Errorf("after 5 min: %+v, %v", a, err)
		}
	})
}

// Only the first person waits for a directory that hangs, and not for long.
func TestWhatIsOfADeadDirectory(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, _ *box, w *Worker) {
		o.mu.Lock()
		o.takes = time.Hour
		o.mu.Unlock()
		begin := time.Now()
		if _, err := w.WhatIs(t.Context(), bobBadge, checkout.KindPerson); !errors.Is(err, call.ErrOffline) {
			t.Errorf("%v, want call.ErrOffline", err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		o.mu.Lock()
		o.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "dead"} }
		o.mu.Unlock()
		time.Sleep(20 * time.Second)
		begin = time.Now()
		for range 100 {
			if _, err := w.WhatIs(t.Context(), bobBadge, checkout.KindPerson); !errors.Is(err, call.ErrOffline) {
				t.Fatalf("%v, want call.ErrOffline", err)
			}
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("100 people waited %v together", took)
		}
		// With a shorter timeout the same answer comes sooner.
		o.mu.Lock()
		o.alive = nil
		o.mu.Unlock()
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		if _, err := w.WhatIs(ctx, bobBadge, checkout.KindPerson); !errors.Is(err, call.ErrOffline) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v, want call.ErrOffline after 1 s", err, time.Since(begin))
		}
	})
}

// A question that finds the directory dead starts the probes: with nothing to
// deliver, nothing else would.
func TestLookupTroubleIsProbed(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, _ *box, w *Worker) {
		o.mu.Lock()
		o.fails = call.Outcome{Verdict: call.Down, Reason: "away"}
		o.mu.Unlock()
		w.WhatIs(t.Context(), bobBadge, checkout.KindPerson)
		if _, down := w.main.isDown(); !down {
			t.Fatal("the place is not down")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, h := w.main.wait(); h != up {
			t.Errorf("the place is %s two seconds after it answers again", h)
		}
	})
}

// Tags that were unknown while the directory was down are asked about when it is
// back, and their events delivered.
func TestPendingTagsAreResolved(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, m *box, w *Worker) {
		o.mu.Lock()
		o.fails = call.Outcome{Verdict: call.Down, Reason: "away"}
		o.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "away"} }
		o.mu.Unlock()
		m.bump(annBadge, ipadTag)
		m.complete(m.subject(checkout.KindPerson, bobBadge), m.known(checkout.KindDevice, "pixel"))
		time.Sleep(2 * time.Hour)
		o.mu.Lock()
		o.fails, o.alive, o.asked = nil, nil, nil
		o.mu.Unlock()
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		o.mu.Lock()
		first := o.asked
		o.mu.Unlock()
		if len(first) < 3 {
			t.Fatalf("asked %v", first)
		}
		for _, tag := range []checkout.Tag{ipadTag, annBadge, bobBadge} {
			if !slices.Contains(first[:3], tag) {
				t.Errorf("asked about %v first", first)
			}
		}
		if got := o.seqs(); len(got) != 1 || got[0] != 1 {
			t.Errorf("delivered %v, want 1; 2 is Bob's, whom nobody knows", got)
		}
		if tags, _ := m.Pending(); len(tags) != 1 || tags[0].Tag != bobBadge {
			t.Errorf("pending: %v", tags)
		}
	})
}

// A name that changed in the directory changes here after a tap, once a day.
func TestSeenRefreshesNames(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, m *box, w *Worker) {
		w.WhatIs(t.Context(), annBadge, checkout.KindPerson)
		o.mu.Lock()
		o.knows[annBadge] = books.SyncRow{Kind: checkout.KindPerson, Name: "Ann Roe"}
		o.mu.Unlock()
		for range 23 {
			w.Seen(annBadge)
			time.Sleep(time.Hour)
		}
		if o.count() != 1 {
			t.Fatalf("asked %d times in a day, want once", o.count())
		}
		time.Sleep(2 * time.Hour)
		w.Seen(annBadge)
		synctest.Wait()
		if r, _ := ownerOf(m, annBadge); r.Name != "Ann Roe" {
			t.Errorf("the register has %q", r.Name)
		}
		// A new name does not change who may borrow.
		m.sync(books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Name: "Ann Roe", Inactive: true})
		o.mu.Lock()
		o.knows[annBadge] = books.SyncRow{Kind: checkout.KindPerson, Name: "Ann Poe"}
		o.mu.Unlock()
		time.Sleep(25 * time.Hour)
		w.Seen(annBadge)
		synctest.Wait()
		if r, _ := ownerOf(m, annBadge); r.Name != "Ann Poe" || !r.Inactive {
			t.Errorf("the register has %+v, want it suspended still", r)
		}
		o.mu.Lock()
		o.knows[annBadge] = books.SyncRow{Kind: checkout.KindPerson, Name: "Ann Roe"}
		o.mu.Unlock()
		time.Sleep(25 * time.Hour)
		w.Seen(annBadge)
		synctest.Wait()
		// The register keeps what the directory no longer has.
		o.mu.Lock()
		delete(o.knows, annBadge)
		o.mu.Unlock()
		time.Sleep(25 * time.Hour)
		w.Seen(annBadge)
		synctest.Wait()
		if r, err := ownerOf(m, annBadge); r.Name != "Ann Roe" {
			t.Errorf("the register has %+v, %v", r, err)
		}
	})
}

func TestEnrolByTheDirectorysRule(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, m *box, w *Worker) {
		req := EnrolRequest{Kind: checkout.KindPerson, Who: "Cem", Tag: bobBadge, Policy: EnrolKnown}
		o.enrol = func(string) error { return call.ErrNobody }
		if _, err := w.Enrol(t.Context(), req); !errors.Is(err, call.ErrNobody) {
			t.Errorf("%v, want call.ErrNobody", err)
		}
		o.enrol = nil
		rec, err := w.Enrol(t.Context(), req)
		if err != nil || rec.Name != "Cem" {
			t.Errorf("%+v, %v", rec, err)
		}
		if r, _ := ownerOf(m, bobBadge); r.Name != "Cem" {
			t.Errorf("the register has %+v", r)
		}
		req.Who = "Dia"
		if _, err := w.Enrol(t.Context(), req); !errors.Is(err, ErrTaken) {
			t.Errorf("a badge that is Cem's: %v, want ErrTaken", err)
		}
		o.enrol = func(string) error { return call.Outcome{Verdict: call.Down, Reason: "away"} }
		req.Tag = annBadge
		if _, err := w.Enrol(t.Context(), req); !errors.Is(err, call.ErrOffline) {
			t.Errorf("%v, want call.ErrOffline", err)
		}
	})
}

func TestEnrolByTheRegistersRule(t *testing.T) {
	tag := func(n uint64) checkout.Tag { return testkit.Tag(n, 26) }
	for _, tc := range []struct {
		name string
		req  EnrolRequest
		want error
	}{
		{"known", EnrolRequest{Kind: checkout.KindPerson, Who: " ann ", Policy: EnrolKnown}, nil},
		{"by id", EnrolRequest{Kind: checkout.KindPerson, Who: "ann", Policy: EnrolKnown}, nil},
		{"stranger", EnrolRequest{Kind: checkout.KindPerson, Who: "Mallory", Policy: EnrolKnown}, call.ErrNobody},
		{"stranger, free", EnrolRequest{Kind: checkout.KindPerson, Who: "Mallory", Policy: EnrolFree}, nil},
		{"stranger, by an admin", EnrolRequest{Kind: checkout.KindPerson, Who: "Mallory", Policy: EnrolKnown, Admin: true}, nil},
		{"off", EnrolRequest{Kind: checkout.KindPerson, Who: "Ann", Policy: EnrolOff}, ErrEnrolOff},
		{"off, by an admin", EnrolRequest{Kind: checkout.KindPerson, Who: "Ann", Policy: EnrolOff, Admin: true}, nil},
		{"another's name, who has a badge", EnrolRequest{Kind: checkout.KindPerson, Who: "Bob", Policy: EnrolFree}, ErrHasBadge},
		{"a new badge, by an admin", EnrolRequest{Kind: checkout.KindPerson, Who: "Bob", Policy: EnrolOff, Admin: true}, nil},
		{"two of that name", EnrolRequest{Kind: checkout.KindPerson, Who: "Eve", Policy: EnrolFree}, ErrAmbiguous},
		{"who left", EnrolRequest{Kind: checkout.KindPerson, Who: "Gone", Policy: EnrolKnown}, call.ErrNobody},
		{"device", EnrolRequest{Kind: checkout.KindDevice, Who: "Nexus"}, nil},
		{"device again", EnrolRequest{Kind: checkout.KindDevice, Who: "iPad"}, nil},
	} {
		m := newBox(t)
		m.sync(
			books.SyncRow{Kind: checkout.KindPerson, Name: "Ann"}, books.SyncRow{Kind: checkout.KindPerson, Name: "Bob", Tag: tag(2)},
			books.SyncRow{Kind: checkout.KindPerson, Name: "Eve"}, books.SyncRow{Kind: checkout.KindPerson, Name: "Eve"}, books.SyncRow{Kind: checkout.KindPerson, Name: "Gone", Inactive: true},
			books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: tag(3)},
		)
		w := newWorker(Options{Ledger: m})
		tc.req.Tag = tag(9)
		rec, err := w.Enrol(t.Context(), tc.req)
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %+v, %v, want %v", tc.name, rec, err, tc.want)
		}
		if r, err := ownerOf(m, tag(9)); err != nil || r.ID != rec.ID {
			t.Errorf("%s: the tag is %+v's (%v)", tc.name, r, err)
		}
	}
}

// lister is a directory that can be pulled.
type lister struct {
	probed
	snap  call.Snapshot
	err   error
	pulls []time.Time
}

func (l *lister) Pull(context.Context) (call.Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pulls = append(l.pulls, time.Now())
	return l.snap, l.err
}

func (l *lister) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pulls)
}

func TestPullSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := &lister{snap: call.Snapshot{HasPeople: true, People: []books.SyncRow{person("", "1", "Ann")}}}, newBox(t, Main)
		w, stop := start(t, Options{Directory: l, Ledger: m, Timing: Timing{PullEvery: time.Hour}})
		defer stop()
		time.Sleep(24 * time.Hour)
		if n := l.count(); n < 22 || n > 26 {
			t.Errorf("%d pulls in a day, want one an hour", n)
		}
		l.mu.Lock()
		l.err, l.pulls = call.Outcome{Verdict: call.BadConfig, Reason: "host denies access (401 Unauthorized)", Remedy: "check the token"}, nil
		l.mu.Unlock()
		time.Sleep(2 * time.Hour)
		st, err := w.Status()
		if err != nil || st.Pull.Error == nil || *st.Pull.Error != "host denies access (401 Unauthorized)" || st.Pull.People != 1 {
			t.Errorf("%+v, %v", st.Pull, err)
		}
		if n := l.count(); n < 4 || n > 9 {
			t.Errorf("%d pulls in two hours after a 401, want one in 15 min", n)
		}
		if all, err := members(m, 0); len(all) != 1 {
			t.Errorf("%+v, %v after failed pulls", all, err)
		}
		if err := w.Retry("all"); err != nil {
			t.Fatal(err)
		}
	})
}

// After an outage a directory is pulled as soon as it answers: only the pull brings
// new people.
func TestPullWhenItAnswersAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := call.Outcome{Verdict: call.Down, Reason: "away"}
		l, m := &lister{err: away}, newBox(t, Main)
		l.alive = func() call.Outcome { return away }
		_, stop := start(t, Options{Directory: l, Ledger: m})
		defer stop()
		for range 20 {
			time.Sleep(3 * time.Hour)
			l.mu.Lock()
			l.err, l.alive, l.pulls, l.probes = nil, nil, nil, nil
			l.mu.Unlock()
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			l.mu.Lock()
			up, pull := l.probes[0], l.pulls[0]
			if pull.After(up.Add(time.Second)) {
				t.Errorf("pulled %v after it answered, want at once", pull.Sub(up))
			}
			l.err, l.alive = away, func() call.Outcome { return away }
			l.mu.Unlock()
			time.Sleep(2 * time.Hour) // the hourly pull notices it
		}
	})
}

// A pull that is cancelled says nothing about the directory.
func TestPullGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := &lister{snap: call.Snapshot{HasPeople: true}}, newBox(t, Main)
		w, stop := start(t, Options{Directory: l, Ledger: m})
		defer stop()
		synctest.Wait()
		l.mu.Lock()
		l.err = call.Outcome{Verdict: call.Down, Reason: "the call was cancelled"}
		l.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if w.Pull(ctx, false) == nil {
			t.Error("no error")
		}
		if st, err := w.Status(); err != nil || st.Pull.Error != nil || st.Sinks[0].State != up {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// A directory that is only pulled can't be asked while pulls fail; while they work,
// an unknown tag makes the next pull early.
func TestUnknownTagOfAPulledDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := &lister{err: call.Outcome{Verdict: call.Down, Reason: "away"}}, newBox(t, Main)
		w, stop := start(t, Options{Directory: l, Ledger: m, Timing: Timing{PullEvery: 24 * time.Hour}})
		defer stop()
		synctest.Wait()
		if _, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson); !errors.Is(err, call.ErrOffline) {
			t.Errorf("%v, want call.ErrOffline while pulls fail", err)
		}
		l.mu.Lock()
		l.err, l.snap = nil, call.Snapshot{HasPeople: true, People: []books.SyncRow{{Kind: checkout.KindPerson, Ref: "2", Name: "Bob", Tag: bobBadge}}}
		l.mu.Unlock()
		time.Sleep(time.Hour)
		before := l.count()
		for range 60 { // somebody tries for ten minutes
			if a, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson); a.Kind != checkout.Unknown || err != nil {
				t.Fatalf("%+v, %v", a, err)
			}
			time.Sleep(10 * time.Second)
		}
		if n := l.count() - before; n < 1 || n > 3 {
			t.Errorf("%d pulls for one unknown tag in ten minutes, want one or two", n)
		}
	})
}

// While somebody waits whom the directory might know, it is tried again within half
// a minute, however long it was down.
func TestSomebodyWaitsForADeadDirectory(t *testing.T) {
	ask(t, func(t *testing.T, o *oracle, _ *box, w *Worker) {
		o.mu.Lock()
		o.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "dead"} }
		o.fails = call.Outcome{Verdict: call.Down, Reason: "dead"}
		o.mu.Unlock()
		w.WhatIs(t.Context(), annBadge, checkout.KindPerson)
		time.Sleep(24 * time.Hour)
		o.mu.Lock()
		o.alive, o.fails = nil, nil
		o.mu.Unlock()
		for range 4 {
			if a, err := w.WhatIs(t.Context(), annBadge, checkout.KindPerson); err == nil && a.Kind != checkout.Unknown {
				return
			}
			time.Sleep(10 * time.Second)
		}
		t.Error("not known after 40 s")
	})
}
