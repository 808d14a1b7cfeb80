package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"stump/hw/selftest"
)

// TestLine is a line of a self-test's answer: something to do, a question that
// the next line of the request answers, a result, or at last the summary.
type TestLine struct {
	Say     string            `json:"say,omitempty"`
	Ask     string            `json:"ask,omitempty"`
	Result  *selftest.Result  `json:"result,omitempty"`
	Summary *selftest.Summary `json:"summary,omitempty"`
}

// selftest runs a self-test. The answer is a TestLine a line; with ?ask=true
// the request's body is the answers to its questions, a JSON string a line.
func (s *Server) selftest(w http.ResponseWriter, r *http.Request) error {
	if s.o.SelfTest == nil {
		return errNoDaemon
	}
	env, err := s.o.SelfTest(r.URL.Query().Get("reader"))
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex() // unsupported in this process, where it is not needed
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	var mu sync.Mutex
	send := func(l TestLine) {
		mu.Lock()
		defer mu.Unlock()
		_ = enc.Encode(l) // whoever asked has gone: the test ends with its context
		_ = rc.Flush()
	}
	env.Say = func(text string) {
		if env.Present == nil { // nobody need be told what the simulated reader does by itself
			send(TestLine{Say: text})
		}
	}
	if r.URL.Query().Get("ask") == "true" {
		env.Ask = asker(r, send)
	}
	env.ShowNumbers = r.URL.Query().Get("numbers") == "true"
	sum := selftest.Run(r.Context(), env, func(res selftest.Result) { send(TestLine{Result: &res}) })
	if len(s.o.Readers) > 0 {
		s.o.Readers[0].Resume() // where the lines could not be had, they were not given back
	}
	send(TestLine{Summary: &sum})
	return nil
}

// asker sends a question and waits for the next line of the request.
func asker(r *http.Request, send func(TestLine)) func(context.Context, string) (string, error) {
	answers := make(chan string)
	ended := make(chan error, 1)
	go func() {
		sc := bufio.NewScanner(r.Body)
		for sc.Scan() {
			var answer string
			if err := json.Unmarshal(sc.Bytes(), &answer); err != nil {
				ended <- err
				return
			}
			select {
			case answers <- answer:
			case <-r.Context().Done():
				return
			}
		}
		ended <- context.Canceled
	}()
	return func(ctx context.Context, question string) (string, error) {
		send(TestLine{Ask: question})
		select {
		case a := <-answers:
			return a, nil
		case err := <-ended:
			return "", err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
