package station

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/directory"
	"stump/directory/call"
	"stump/gpio"
	"stump/internal/books"
	"stump/internal/task"
	"stump/internal/testkit"
	"stump/wiegand"
)

// slow is a directory that answers when the test lets it.
type slow struct {
	Directory
	stubborn bool        // does not even stop when it is told to
	answers  chan func() // each lets one call return, after the register has learned
	released chan struct{}
	mu       sync.Mutex
	calls    int
	open     int
}

func (s *slow) wait(ctx context.Context) error {
	s.mu.Lock()
	s.calls++
	s.open++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
	}()
	stop := ctx.Done()
	if s.stubborn {
		stop = s.released
	}
	select {
	case learn := <-s.answers:
		learn()
		return nil
	case <-stop:
		return call.ErrOffline
	}
}

func (s *slow) count() (calls, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.open
}

func (s *slow) WhatIs(ctx context.Context, _ checkout.Tag, _ checkout.SubjectKind) (books.SyncRow, error) {
	return books.SyncRow{}, s.wait(ctx)
}

func (s *slow) Enrol(ctx context.Context, r directory.EnrolRequest) (books.SyncRow, error) {
	if err := s.wait(ctx); err != nil {
		return books.SyncRow{}, err
	}
	return s.Directory.Enrol(ctx, r)
}

// inSlowLab has a directory that hangs, and rules for badges (facility 18) and
// devices (201).
func inSlowLab(t *testing.T, s *slow, change func(*Options), f func(*lab)) {
	inLab(t, func(o *Options, r *ReaderOptions) {
		s.Directory, o.Directory = o.Directory, s
		s.answers, s.released = make(chan func()), make(chan struct{}) // of the bubble
		r.Badge, r.Device = &wiegand.Range{Facilities: []uint64{18}}, &wiegand.Range{Facilities: []uint64{201}}
		if change != nil {
			change(o)
		}
	}, func(l *lab) {
		defer close(s.released)
		f(l)
	})
}

const (
	newBadge  = "H10301:18:5"
	newDevice = "H10301:201:5"
	noKind    = "H10301:99:5"
)

// shows presents a card and waits for nobody's answer.
func (l *lab) shows(card string) {
	decoded := func() (n uint64) {
		st := l.reader.Stats()
		n = st.Reads
		for _, bad := range st.Faults {
			n += bad
		}
		return n
	}
	before := decoded()
	l.sim.Present(bitsOf(l.t, card))
	for decoded() == before {
		time.Sleep(5 * time.Millisecond)
	}
	synctest.Wait()
}

// says wants the display to say something now.
func (l *lab) says(text string) {
	l.t.Helper()
	if got := l.display(); !strings.Contains(got, text) {
		l.t.Fatalf("the display says %q, want %q", got, text)
	}
}

// answer lets one call return, after the register has learned.
func (s *slow) answer(t *testing.T, learn func()) {
	t.Helper()
	select {
	case s.answers <- learn:
	case <-time.After(10 * time.Second):
		t.Fatal("the directory is not being asked")
	}
	synctest.Wait()
}

// knowsNot lets the directory answer that it does not know the card.
func (s *slow) knowsNot(t *testing.T) {
	t.Helper()
	s.answer(t, func() {})
}

// knows lets it answer that a card is a device's or a person's, by their id.
func (s *slow) knows(l *lab, kind checkout.SubjectKind, id, card string) {
	l.t.Helper()
	s.answer(l.t, func() {
		tag := tagOf(l.t, card)
		if kind == checkout.KindPerson {
			must(l.t, l.ledger.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id)}, tag, "directory", checkout.SourceSync))
		} else {
			must(l.t, l.ledger.AddDevice(books.Device{ID: id, Name: strings.ToUpper(id)}, tag, "directory", checkout.SourceSync))
		}
	})
}

// TestNobodyWaitsForTheNetwork has the directory hang: whoever comes next is
// answered as fast as ever, at this reader and at another, the window ends on
// time, and the clock goes on.
func TestNobodyWaitsForTheNetwork(t *testing.T) {
	s := new(slow)
	inSlowLab(t, s, nil, func(l *lab) {
		window := l.another("window")
		timed := func(l *lab, card, text string) time.Duration {
			l.t.Helper()
			time.Sleep(150 * time.Millisecond) // the simulated reader's pause
			start := time.Now()
			l.wants(card, text)
			return time.Since(start)
		}
		ordinary := timed(l, "ben", "Hello BEN") + 10*time.Millisecond
		open := func(n int) {
			l.t.Helper()
			if _, got := s.count(); got != n {
				l.t.Fatalf("%d questions are open, want %d", got, n)
			}
		}
		l.shows(newBadge)
		open(1)
		if took := timed(l, "ann", "Hello ANN"); took > ordinary {
			t.Errorf("the next person waited %v, usually %v", took, ordinary)
		}
		if took := timed(window, "eve", "Hello EVE"); took > ordinary {
			t.Errorf("at another reader they waited %v, usually %v", took, ordinary)
		}
		open(1)

		// An enrolment may take five seconds.
		time.Sleep(57 * time.Second) // of Ann's window, and of Eve's
		_, err := l.reader.Enrol(context.Background(), checkout.KindDevice, "mini", "MINI", "admin")
		must(t, err)
		l.shows(newDevice)
		open(1)
		time.Sleep(4 * time.Second)
		l.says("Time is up")
		open(1)
		l.panel.Over(nil, "timeout")
		clock := l.display()
		if _, err := l.reader.Enrol(context.Background(), checkout.KindDevice, "ipad", "IPAD", "admin"); err != nil {
			t.Fatal(err)
		}
		l.shows("H10301:201:6")
		l.panel.Over(nil, "enrol-next", "timeout")
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + time.Second)))
		if got := l.display(); got == clock || !strings.Contains(got, "Lab open") {
			t.Errorf("the display says %q, and a minute before %q", got, clock)
		}
	})
}

// holder is who has the only device that is out; "" if none is.
func (l *lab) holder() (id string) {
	for loan, err := range l.ledger.Loans(books.LoanFilter{}) {
		must(l.t, err)
		id = loan.PersonID
	}
	return id
}

// TestAnswer has the directory answer half a second after the tap.
func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name, before, card string
		kind               checkout.SubjectKind // what it is, Unknown for nobody's
		after              string               // who taps meanwhile
		want, holder       string               // of ipad and new, one of whom was bumped
		wait               time.Duration        // between before and card
	}{
		{name: "a device", before: "ann", card: newDevice, kind: checkout.KindDevice, want: "Checked out NEW", holder: "ann"},
		{name: "a badge", before: "ipad", card: newBadge, kind: checkout.KindPerson, want: "Checked out IPAD", holder: "new"},
		{name: "a badge that comes first", card: newBadge, kind: checkout.KindPerson, want: "Hello NEW"},
		{name: "it fits no rule", before: "ann", card: noKind, kind: checkout.KindDevice, want: "Checked out NEW", holder: "ann"},
		{name: "nobody's", before: "ann", card: newDevice, want: "Unknown device"},
		{name: "somebody came", before: "ann", card: newDevice, kind: checkout.KindDevice, after: "ben", want: "Hello BEN"},
		{name: "a device came", before: "ann", card: newBadge, kind: checkout.KindPerson, after: "ipad", want: "IPAD Tap your badge"},
		{name: "nobody's, and somebody came", before: "ann", card: newDevice, after: "ben", want: "Hello BEN"},
		{name: "the window ends meanwhile", before: "ann", wait: 59*time.Second + 600*time.Millisecond,
			card: newDevice, kind: checkout.KindDevice, want: "Checked out NEW", holder: "ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := new(slow)
			inSlowLab(t, s, nil, func(l *lab) {
				if c.before != "" {
					l.bump(c.before)
				}
				time.Sleep(c.wait)
				shown := l.now()
				l.shows(c.card)
				if c.after != "" {
					l.bump(c.after)
				}
				time.Sleep(time.Duration(shown) + 700*time.Millisecond - time.Duration(l.now()))
				if c.kind == checkout.Unknown {
					s.knowsNot(l.t)
				} else {
					s.knows(l, c.kind, "new", c.card)
				}
				l.says(c.want)
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				must(t, l.reader.Answered(ctx, shown))
				if held := l.holder(); held != c.holder {
					t.Errorf("the device is with %q, want %q", held, c.holder)
				}
				l.o.Trace.Save(true)
				unknown, err := l.ledger.UnknownTags()
				must(t, err)
				if got := len(unknown); (got == 1) != (c.kind == checkout.Unknown) {
					t.Errorf("%d unknown tags", got)
				}
				subject, err := l.ledger.Subject(tagOf(t, c.card))
				if must(t, err); subject.Kind != c.kind {
					t.Errorf("the register says %v, want %v", subject.Kind, c.kind)
				}
				l.shows(c.card) // it is lying there still
				l.says(c.want)
			})
		})
	}
}

// TestTheSecondIsOver treats a tag as if the directory could not be asked, also
// where the call does not end.
func TestTheSecondIsOver(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		for card, want := range map[string]string{newBadge: "Hello …", noKind: "Unknown tag"} {
			s := new(slow)
			s.stubborn = stubborn
			inSlowLab(t, s, nil, func(l *lab) {
				start := l.now()
				l.wants(card, want)
				if took := time.Duration(l.now() - start); took < askTime || took > askTime+200*time.Millisecond {
					t.Errorf("the answer took %v", took)
				}
				if !stubborn {
					return
				}
				// The call still goes on; the tag is not asked about again.
				time.Sleep(2 * time.Second)
				start = l.now()
				l.wants(card, want)
				if took := time.Duration(l.now() - start); took > 200*time.Millisecond {
					t.Errorf("the second answer took %v", took)
				}
				if calls, _ := s.count(); calls != 1 {
					t.Errorf("the directory was called %d times", calls)
				}
				s.knows(l, checkout.KindPerson, "new", card)
				l.says(want)
				time.Sleep(2 * time.Second)
				l.wants(card, "Hello NEW")
			})
		}
	}
}

// TestPendingPairWhileTheDirectoryHangs records the tap as pending when the
// second is over.
func TestPendingPairWhileTheDirectoryHangs(t *testing.T) {
	s := new(slow)
	inSlowLab(t, s, nil, func(l *lab) {
		l.wants("ann", "Hello ANN")
		l.wants(newDevice, "Saved for later")
	})
}

func TestQuestionsAreBounded(t *testing.T) {
	s := new(slow)
	s.stubborn = true
	inSlowLab(t, s, func(o *Options) { o.Desk.Repeat = -1 }, func(l *lab) {
		for range 3 {
			l.shows("H10301:99:1")
		}
		if calls, _ := s.count(); calls != 1 {
			t.Errorf("the same tag was asked about %d times", calls)
		}
		for n := range 12 {
			l.shows(fmt.Sprint("H10301:99:", 100+n))
		}
		calls, open := s.count()
		if calls != maxAsked || open != maxAsked {
			t.Errorf("%d calls, %d open, want %d", calls, open, maxAsked)
		}
		l.wants("H10301:99:77", "Unknown tag") // at once
		l.wants("ann", "Hello ANN")
		for range maxAsked {
			s.knowsNot(l.t)
		}
		l.says("Hello ANN")
		l.shows("H10301:99:78")
		if calls, _ := s.count(); calls != maxAsked+1 {
			t.Errorf("%d calls: a question that was answered counts still", calls)
		}
		s.knowsNot(l.t)
	})
}

func TestStopEndsQuestions(t *testing.T) {
	s := new(slow)
	synctest.Test(t, func(t *testing.T) {
		s.answers = make(chan func())
		now := func() int64 { return time.Now().UnixNano() }
		r := NewReader(Options{Now: now, Directory: s}, ReaderOptions{Name: "x", Source: gpio.NewSim(now)})
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- task.Serve(ctx, nil, nil, r.Tasks()...) }()
		synctest.Wait()
		r.attendant.post(func() {
			r.attendant.ask(testkit.Tag(1, 26), &question{
				limit: time.Hour,
				query: func(ctx context.Context) (books.SyncRow, error) { return books.SyncRow{}, s.wait(ctx) },
				done:  func(books.SyncRow, error) { t.Error("answered a stopped desk") },
			})
		})
		start := time.Now()
		stop()
		must(t, <-ended)
		synctest.Wait()
		if _, open := s.count(); open != 0 || time.Since(start) != 0 {
			t.Errorf("%d questions are open %v after the stop", open, time.Since(start))
		}
	})
}

// TestEnrolmentDisturbsNobody has the answer come when somebody else stands
// there, or nobody.
func TestEnrolmentDisturbsNobody(t *testing.T) {
	for _, c := range []struct {
		name, meanwhile string
		fails           bool
		want            string
	}{
		{name: "alone", want: "Tag now belongs to MINI"},
		{name: "a bad read", meanwhile: "bits:11111111111111", want: "Tag now belongs to MINI"},
		{name: "its own repeat", meanwhile: newDevice, want: "Tag now belongs to MINI"},
		{name: "somebody came", meanwhile: "ann", want: "Hello ANN"},
		{name: "a stranger came", meanwhile: noKind, want: "Unknown tag"},
		{name: "no answer", fails: true, want: "Not possible try again later"},
		{name: "no answer, and somebody came", meanwhile: "ann", fails: true, want: "Hello ANN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := new(slow)
			inSlowLab(t, s, nil, func(l *lab) {
				done, err := l.reader.Enrol(context.Background(), checkout.KindDevice, "mini", "MINI", "admin")
				must(t, err)
				l.shows(newDevice)
				time.Sleep(2 * time.Second)
				if c.meanwhile != "" {
					l.shows(c.meanwhile)
				}
				if c.meanwhile == noKind {
					s.knowsNot(l.t) // one of the two; the other has gone
				}
				if !c.fails {
					s.knowsNot(l.t)
				} else {
					time.Sleep(3 * time.Second)
				}
				l.says(c.want)
				if e := <-done; (e.Err != nil) != c.fails || c.fails && !errors.Is(e.Err, call.ErrOffline) {
					t.Errorf("the admin is told %+v", e)
				}
			})
		})
	}
}

// TestEnrolmentWithdrawn: who no longer wants it ends it, unless the tag was shown: then
// the directory's answer counts.
func TestEnrolmentWithdrawn(t *testing.T) {
	enough := errors.New("enough")
	s := new(slow)
	inSlowLab(t, s, nil, func(l *lab) {
		enrol := func() (<-chan Enrolled, context.CancelCauseFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			done, err := l.reader.Enrol(ctx, checkout.KindDevice, "mini", "MINI", "admin")
			must(t, err)
			l.says("Tap the tag of MINI")
			return done, cancel
		}
		done, cancel := enrol()
		cancel(enough)
		if e := <-done; !errors.Is(e.Err, enough) {
			t.Errorf("withdrawn: %+v", e)
		}
		l.says("Lab open")
		done, cancel = enrol()
		l.shows(newDevice)
		time.Sleep(time.Second)
		cancel(enough)
		s.knowsNot(l.t)
		if e := <-done; e.Err != nil {
			t.Errorf("withdrawn too late: %+v", e)
		}
		l.says("Tag now belongs to MINI")
	})
}

// TestTypedNameWaitsForTheDirectory lets a typed name's tap count when the
// directory has enrolled them, if nobody came meanwhile.
func TestTypedNameWaitsForTheDirectory(t *testing.T) {
	for meanwhile, want := range map[string]string{"": "Hello FAY", newBadge: "Hello FAY", "ann": "Hello ANN"} {
		s, k := new(slow), &typist{}
		inSlowLab(t, s, func(o *Options) {
			*k = *newTypist()
			o.Keyboard, o.EnrolPeople = k, directory.EnrolKnown
		}, func(l *lab) {
			must(t, l.ledger.AddPerson(books.Person{ID: "fay", Name: "FAY"}, checkout.Tag{}, "test", checkout.SourceCLI))
			l.wants("ipad", "Tap your badge")
			l.shows(newBadge)
			s.knowsNot(l.t)
			l.says("Another badge Again: IPAD") // whoever stands there is not who brought the iPad
			time.Sleep(4 * time.Second)
			l.says("Type your name")
			k.names <- "FAY"
			synctest.Wait()
			time.Sleep(2 * time.Second)
			if meanwhile != "" {
				l.shows(meanwhile)
			}
			s.knowsNot(l.t)
			l.says(want)
			subject, err := l.ledger.Subject(tagOf(t, newBadge))
			if must(t, err); subject.ID != "fay" {
				t.Errorf("the badge is %q's", subject.ID)
			}
		})
	}
}
