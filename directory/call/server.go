package call

import (
	"net/http"
	"time"
)

// Server is what a place's answers say of the machine that it runs on.
type Server struct {
	// Ahead is by how much its clock is before ours, in whole seconds; HasClock:
	// its newest answer said the time.
	Ahead    time.Duration
	HasClock bool
	// Ends is when its certificate ends; zero without one.
	Ends time.Time
}

// saw notes what an answer to a request of begin says of the server.
func (c *Client) saw(r *http.Response, begin time.Time) {
	var s Server
	now := time.Now()
	if at, err := http.ParseTime(r.Header.Get("Date")); err == nil && r.Header.Get("Age") == "" { // not from a cache
		s.HasClock = true
		switch { // the time may be from anywhere between
		case at.After(now):
			s.Ahead = at.Sub(now).Truncate(time.Second)
		case at.Before(begin.Add(-time.Second)):
			s.Ahead = at.Sub(begin).Truncate(time.Second)
		}
	}
	if r.TLS != nil {
		for _, chain := range r.TLS.VerifiedChains {
			end := chain[0].NotAfter
			for _, cert := range chain {
				if cert.NotAfter.Before(end) {
					end = cert.NotAfter
				}
			}
			if end.After(s.Ends) {
				s.Ends = end
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = s
}

// Server is what the newest answer says of the server.
func (c *Client) Server() Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

// Server is what the newest answer says of the server.
func (s *Service) Server() Server { return s.client.Server() }
