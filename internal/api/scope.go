package api

import (
	"encoding/json"
	"net/http"

	"stump/hw/selftest"
	"stump/wiegand"
)

// BadFrame is a refused frame that a reader kept, with its edges.
type BadFrame struct {
	Reader string `json:"reader"`
	wiegand.Record
	Edges []wiegand.Edge `json:"edges"`
}

// scope streams views of a reader's lines until the asker goes. Cards
// shown meanwhile become no loans.
func (s *Server) scope(w http.ResponseWriter, r *http.Request) error {
	if s.o.SelfTest == nil {
		return errNoDaemon
	}
	env, err := s.o.SelfTest(r.URL.Query().Get("reader"))
	if err != nil {
		return err
	}
	src, err := env.Lines(r.Context())
	if err != nil {
		return err
	}
	defer src.Close()
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	rc := http.NewResponseController(w)
	sc := selftest.NewScope(env.Site.Pins, env.Formats, r.URL.Query().Get("numbers") == "true")
	return sc.Watch(r.Context(), src, func(v selftest.View) error {
		if err := enc.Encode(v); err != nil {
			return err
		}
		_ = rc.Flush()
		return nil
	})
}

// frames lists the worst refused frames of all readers.
func (s *Server) frames(w http.ResponseWriter, _ *http.Request) error {
	if len(s.o.Readers) == 0 {
		return errNoDaemon
	}
	return stream(w, func(yield func(BadFrame, error) bool) {
		for _, r := range s.o.Readers {
			for _, f := range r.Stats().Worst {
				if !yield(BadFrame{r.Name, wiegand.NewRecord(&f.Read, s.o.Formats), f.Edges}, nil) {
					return
				}
			}
		}
	})
}
