package call

import (
	"crypto/tls"
	"net/http"
	"time"
)

// Server is what a place's answers say of the machine that it runs on.
type Server struct {
	date, at time.Time // its clock, and when it said so
	// Ends is when its certificate ends; zero without one.
	Ends time.Time
}

// Ahead is by how much the server's clock is ahead of ours, as ours is set now; false
// if it never said the time.
func (s Server) Ahead() (ahead time.Duration, said bool) {
	if s.date.IsZero() {
		return 0, false
	}
	now := time.Now() // most boards learn the time while they run: ask the monotonic clock for what has passed
	return s.date.Add(now.Sub(s.at)).Sub(now.Round(0)).Truncate(time.Second), true
}

// saw notes what an answer says of the server.
func (c *Client) saw(r *http.Response) {
	s := Server{at: time.Now(), Ends: CertificateEnd(r.TLS)}
	if r.Header.Get("Age") == "" { // not from a cache
		s.date, _ = http.ParseTime(r.Header.Get("Date"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = s
}

// CertificateEnd is when the first certificate ends of the chain that lasts longest.
func CertificateEnd(state *tls.ConnectionState) (ends time.Time) {
	if state == nil {
		return ends
	}
	for _, chain := range state.VerifiedChains {
		end := chain[0].NotAfter
		for _, cert := range chain {
			if cert.NotAfter.Before(end) {
				end = cert.NotAfter
			}
		}
		if end.After(ends) {
			ends = end
		}
	}
	return ends
}

// Server is what the newest answer says of the server.
func (c *Client) Server() Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

// Server is what the newest answer says of the server.
func (s *Service) Server() Server { return s.client.Server() }
