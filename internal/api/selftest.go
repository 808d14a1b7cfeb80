package api

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"sync"

	"stump/gpio"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/wiegand"
)

// tester returns what a self-test or a scope of the reader in the query works with,
// and whether somebody answers questions.
func (s *Server) tester(r *http.Request) (env *selftest.Env, ask bool, err error) {
	q, err := params(r, "reader", "numbers", "ask")
	if err != nil {
		return nil, false, err
	}
	if ask, err = q.flag("ask"); err != nil {
		return nil, false, err
	}
	numbers, err := q.flag("numbers")
	if err != nil {
		return nil, false, err
	}
	if numbers { // whoever knows a badge's number can copy the badge
		if err := s.needs(r, identity.Admin); err != nil {
			return nil, false, err
		}
	}
	if env, err = s.o.SelfTest(q.Get("reader")); err != nil {
		return nil, false, err
	}
	env.ShowNumbers = numbers
	return env, ask, nil
}

// selftest runs a self-test. The answer is a TestLine a line; with ask=true the
// request's body has the answers to its questions, a JSON string a line.
func (s *Server) selftest(w http.ResponseWriter, r *http.Request) error {
	env, ask, err := s.tester(r)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).EnableFullDuplex() // every HTTP/1 server can
	w.Header().Set("Connection", "close")                // net/http can't reuse it when answers are left unread
	write := lines[wire.TestLine](w)
	var mu sync.Mutex
	send := func(l wire.TestLine) {
		mu.Lock()
		defer mu.Unlock()
		_ = write(l) // when the client has gone, the test ends with the request's context
	}
	env.Say = func(text string) {
		if env.Present == nil { // the simulated reader presents its cards itself
			send(wire.TestLine{Say: text})
		}
	}
	if ask {
		answers := json.NewDecoder(r.Body)
		env.Ask = func(_ context.Context, question string) (answer string, err error) {
			send(wire.TestLine{Ask: question})
			err = answers.Decode(&answer)
			return answer, err
		}
	}
	sum := selftest.Run(r.Context(), env, func(res selftest.Result) { send(wire.TestLine{Result: &res}) })
	if len(s.o.Readers) > 0 {
		s.o.Readers[0].Resume() // lines that could not be taken were not given back either
	}
	send(wire.TestLine{Summary: &sum})
	return nil
}

// scope sends views of a reader's lines, ten a second, until the client goes. Cards
// that are shown meanwhile are not taps.
func (s *Server) scope(w http.ResponseWriter, r *http.Request) error {
	env, _, err := s.tester(r)
	if err != nil {
		return err
	}
	if env.Sent != nil {
		sender, err := env.Sent(r.Context())
		if err != nil {
			return err
		}
		defer sender.Close()
		return selftest.WatchSent(r.Context(), sender, env.SentBy, s.clock(), env.ShowNumbers, lines[selftest.View](w))
	}
	src, err := env.Lines(r.Context())
	if err != nil {
		return err
	}
	defer src.Close()
	return selftest.NewScope(env.Site.Pins, env.Formats, env.ShowNumbers).Watch(r.Context(), src, lines[selftest.View](w))
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
