package api

import (
	"context"
	"iter"
	"net/http"
	"sync"
	"time"

	"stump/gpio"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/jobs"
	"stump/internal/plain"
	"stump/internal/station"
	"stump/wiegand"
)

// holding is the Detail of a job that has a reader's lines.
type holding interface {
	work
	// held is the name of the reader, and what for.
	held() (reader string, use station.Use)
}

// readerName is the name of a reader; "" is the first.
func (s *Server) readerName(name string) string {
	if name == "" && len(s.o.Readers) > 0 {
		return s.o.Readers[0].Name
	}
	return name
}

// linesOf is what only one job at a time may have: a reader's lines.
func (s *Server) linesOf(reader string) string { return "lines of " + s.readerName(reader) }

// testEnv is what a self-test or a scope of a reader works with.
func (s *Server) testEnv(r *http.Request, reader string, use station.Use, numbers bool) (*selftest.Env, error) {
	if numbers { // whoever knows a badge's number can copy the badge
		if err := s.needs(r, identity.Admin); err != nil {
			return nil, err
		}
	}
	env, err := s.o.SelfTest(reader, station.Holder{Name: identity.Of(r.Context()).Name, For: use})
	if err != nil {
		return nil, err
	}
	env.ShowNumbers = numbers
	return env, nil
}

// selfTest is a self-test that runs, or ran.
type selfTest struct {
	reader string
	hide   func(string) string // what its owner may not read

	mu       sync.Mutex
	results  []selftest.Result
	summary  *selftest.Summary
	say      *string        // what the person at the reader is to do now
	asked    int            // questions so far
	question *wire.Question // that waits for its answer
	answers  chan string
}

func (*selfTest) path() string { return "selftest" }

func (t *selfTest) held() (string, station.Use) { return t.reader, station.ForTest }

func (t *selfTest) object(head wire.Job, _ jobs.Status) any {
	t.mu.Lock()
	defer t.mu.Unlock()
	return wire.SelfTest{Job: head, Reader: t.reader, Say: t.say, Question: t.question, Results: append([]selftest.Result{}, t.results...), Summary: t.summary}
}

// selftest begins a self-test of a reader.
func (s *Server) selftest(w http.ResponseWriter, r *http.Request) error {
	var in wire.NewSelfTest
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	env, err := s.testEnv(r, in.Reader, station.ForTest, in.Numbers)
	if err != nil {
		return err
	}
	t := &selfTest{reader: s.readerName(in.Reader), hide: hider(identity.Of(r.Context()), env.StateDir), answers: make(chan string, 1)}
	return s.start(w, r, jobs.Spec{
		Kind: "a self-test", On: s.linesOf(in.Reader), Hold: jobs.Patience, Detail: t,
		Run: func(ctx context.Context, j *jobs.Job) error {
			err := t.run(ctx, j, env, in.Ask)
			for _, reader := range s.o.Readers {
				if reader.Name == t.reader {
					reader.Resume() // lines that could not be taken were not given back either
				}
			}
			return err
		},
	})
}

func (t *selfTest) run(ctx context.Context, j *jobs.Job, env *selftest.Env, ask bool) error {
	env.Say = func(text string) {
		if env.Present == nil { // the simulated reader presents its cards itself
			t.mu.Lock()
			t.say = &text
			t.mu.Unlock()
			j.Emit("say", wire.Saying{Text: text})
		}
	}
	if ask {
		env.Ask = func(ctx context.Context, text string) (string, error) { return t.ask(ctx, j, text) }
	}
	sum := selftest.Run(ctx, env, func(res selftest.Result) {
		res.Measured, res.Remedy = t.hide(res.Measured), t.hide(res.Remedy)
		t.mu.Lock()
		t.results, t.say = append(t.results, res), nil
		t.mu.Unlock()
		j.Emit("result", res)
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	t.summary = &sum
	t.mu.Unlock()
	j.Emit("summary", sum)
	return nil
}

// askPatience is how long a question waits for its answer: a page that is open says
// nothing of whether somebody is there.
const askPatience = 10 * time.Minute

// ask asks the person at the reader.
func (t *selfTest) ask(ctx context.Context, j *jobs.Job, text string) (string, error) {
	t.mu.Lock()
	t.asked++
	q := wire.Question{Question: t.asked, Text: text}
	t.question = &q
	t.mu.Unlock()
	j.Emit("ask", q)
	timer := time.NewTimer(askPatience)
	defer timer.Stop()
	select {
	case answer := <-t.answers:
		return answer, nil
	case <-timer.C:
		j.End(jobs.ErrExpired)
		return "", jobs.ErrExpired
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// answerTest answers the question of a self-test.
func (s *Server) answerTest(r *http.Request, a *wire.Answer) (any, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	t := j.Detail.(*selfTest)
	t.mu.Lock()
	waits := t.question != nil && t.question.Question == a.Question && j.Status().State == jobs.Running
	if waits {
		t.question = nil
		t.answers <- a.Answer
	}
	t.mu.Unlock()
	if !waits {
		return nil, problem(wire.CodeTooLate, "its `question` says what it asks now, if anything", "the question %d waits for no answer", a.Question)
	}
	return s.resource(r, j), nil
}

// hider returns what takes out of a text what who may not read: the paths of files.
func hider(who identity.Principal, stateDir string) func(string) string {
	return func(text string) string {
		if who.May(identity.Admin) {
			return text
		}
		return plain.HidePaths(text, stateDir)
	}
}

// scope is a reader's lines in the hands of somebody who watches them.
type scope struct {
	reader string
	env    *selftest.Env
	taken  chan error

	mu      sync.Mutex
	ctx     context.Context // until the lease ends
	src     gpio.Adjustable // one of them
	sender  selftest.Sender
	watched bool
	streams sync.WaitGroup
}

func (*scope) path() string { return "leases" }

func (l *scope) held() (string, station.Use) { return l.reader, station.ForScope }

func (l *scope) object(head wire.Job, _ jobs.Status) any {
	return wire.Lease{Job: head, Reader: l.reader, For: station.ForScope.String()}
}

// lease takes a reader's lines for a scope.
func (s *Server) lease(w http.ResponseWriter, r *http.Request) error {
	var in wire.NewLease
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	env, err := s.testEnv(r, in.Reader, station.ForScope, in.Numbers)
	if err != nil {
		return err
	}
	l := &scope{reader: s.readerName(in.Reader), env: env, taken: make(chan error, 1)}
	j, err := s.jobs.Start(jobs.Spec{
		Kind: "a scope", Owner: identity.Of(r.Context()), On: s.linesOf(in.Reader), Hold: jobs.Patience, Detail: l,
		Run: func(ctx context.Context, _ *jobs.Job) error { return l.run(ctx) },
	})
	if err != nil {
		return err
	}
	return s.taken(w, r, j, l.taken, http.StatusCreated)
}

// run holds the lines until ctx is done.
func (l *scope) run(ctx context.Context) (err error) {
	l.mu.Lock()
	l.ctx = ctx
	if l.env.Sent != nil {
		l.sender, err = l.env.Sent(ctx)
	} else {
		l.src, err = l.env.Lines(ctx)
	}
	l.mu.Unlock()
	l.taken <- err
	if err != nil {
		return err
	}
	<-ctx.Done()
	l.streams.Wait() // who watches sets the lines up
	if l.sender != nil {
		err = l.sender.Close()
	} else {
		err = l.src.Close()
	}
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

// watch begins to watch the lines until ctx or the lease ends; done ends it.
func (l *scope) watch(ctx context.Context) (_ context.Context, done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx.Err() != nil:
		return nil, nil, problem(wire.CodeTooLate, "take the lines again", "the lease has ended")
	case l.watched:
		return nil, nil, problem(wire.CodeBusy, "end the other one", "somebody watches by this lease already")
	}
	l.watched = true
	l.streams.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		l.mu.Lock()
		l.watched = false
		l.mu.Unlock()
		l.streams.Done()
	}, nil
}

// scope sends views of a leased reader's lines, ten a second, until the client goes or the
// lease ends. Cards that are shown meanwhile are not taps.
func (s *Server) scope(w http.ResponseWriter, r *http.Request) error {
	j, err := s.job(r)
	if err != nil {
		return err
	}
	l := j.Detail.(*scope)
	ctx, done, err := l.watch(r.Context())
	if err != nil {
		return err
	}
	defer done()
	if s.owns(r, j) {
		defer j.Left()
	}
	rc, send := http.NewResponseController(w), lines[selftest.View](w)
	show := func(v selftest.View) error {
		_ = rc.SetWriteDeadline(time.Now().Add(eventPatience))
		return send(v)
	}
	if l.sender != nil {
		err = selftest.WatchSent(ctx, l.sender, l.env.SentBy, s.clock(), l.env.ShowNumbers, show)
	} else {
		err = selftest.NewScope(l.env.Site.Pins, l.env.Formats, l.env.ShowNumbers).Watch(ctx, l.src, show)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// renewLease lets a lease go on.
func (s *Server) renewLease(r *http.Request) (any, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	if !j.Renew() {
		return nil, problem(wire.CodeTooLate, "take the lines again", "the lease has ended")
	}
	return s.resource(r, j), nil
}

// leases are the readers that somebody has, also for a self-test.
func (s *Server) leases(_ *http.Request, _ query, p books.Page) (iter.Seq2[wire.Lease, error], error) {
	var all []wire.Lease
	for _, j := range s.jobs.All(identity.Process()) { // it stands on the display, too
		h, ok := j.Detail.(holding)
		st := j.Status()
		if !ok || st.State != jobs.Running {
			continue
		}
		reader, use := h.held()
		all = append(all, wire.Lease{Job: head(j, st), Reader: reader, For: use.String()})
	}
	return short(all, p, func(l wire.Lease) []string { return []string{l.Reader, l.By} })
}

// clock is the one that stamps what readers send.
func (s *Server) clock() func() int64 {
	if s.o.Clock != nil {
		return s.o.Clock
	}
	return gpio.Monotonic
}

// frames lists the worst refused frames of all readers.
func (s *Server) frames(_ *http.Request, _ query, p books.Page) (iter.Seq2[wire.BadFrame, error], error) {
	var worst []wire.BadFrame
	for _, r := range s.o.Readers {
		for _, f := range r.Stats().Worst {
			worst = append(worst, wire.BadFrame{Reader: r.Name, Record: wiegand.NewRecord(&f.Read, s.o.Formats), Edges: f.Edges})
		}
	}
	return short(worst, p, func(f wire.BadFrame) []string { return []string{f.Reader} })
}
