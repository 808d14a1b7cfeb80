package hub

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"stump/internal/api/wire"
	"stump/internal/certificate"
	"stump/internal/hint"
	"stump/internal/patience"
)

// Bounds of what others on the network can take.
const (
	mostConns = 30_000 // at once: a station that waits for changes has one
	headTime  = 10 * time.Second
	bodyTime  = 2 * time.Minute // for a whole request, and longer than wire.Wait
	idleTime  = 3 * time.Minute
	writeTime = 30 * time.Second // for a part of an answer
	mostHead  = 16 << 10         // bytes
	endTime   = 5 * time.Second  // for answers under way when the hub is stopped
)

// Site serves a hub by TLS. It is a task.
type Site struct {
	Handler     http.Handler
	Addr        string // such as ":8443"
	URL         string // how others reach it
	Certificate *certificate.Source
	Log         *slog.Logger

	opened net.Listener
}

// Open listens.
func (s *Site) Open() (err error) {
	if s.opened, err = net.Listen("tcp", s.Addr); err != nil {
		return hint.Errorf("choose another address with listen in the table [web]", "%w", err)
	}
	return nil
}

// Listens is the address, with the port that it got.
func (s *Site) Listens() string { return s.opened.Addr().String() }

// Web says where others reach the hub.
func (s *Site) Web() wire.Web {
	cert, listens := s.Certificate.Current(), s.Listens()
	print := certificate.Fingerprint(cert)
	return wire.Web{Listen: &listens, URL: &s.URL, Fingerprint: &print, SelfMade: s.Certificate.SelfMade(), Expires: &cert.NotAfter}
}

// String is task.Task's.
func (s *Site) String() string { return `web "` + s.Addr + `"` }

// Pin is by what stations know a self-made certificate: the SHA-256 of its public key. It is
// nil for one of an authority.
func Pin(c *certificate.Source) []byte {
	if !c.SelfMade() {
		return nil
	}
	sum := sha256.Sum256(c.Current().RawSubjectPublicKeyInfo)
	return sum[:]
}

// Run serves until ctx is done.
func (s *Site) Run(ctx context.Context) error {
	room := patience.Listen(s.opened, mostConns)
	// A station that waits costs less by HTTP/1, where a connection has one question.
	one := new(http.Protocols)
	one.SetHTTP1(true)
	waits, endWaits := context.WithCancel(ctx)
	defer endWaits()
	srv := &http.Server{
		Handler: patience.Handler(writeTime, s.Handler), Protocols: one,
		ReadHeaderTimeout: headTime, ReadTimeout: bodyTime, IdleTimeout: idleTime, MaxHeaderBytes: mostHead,
		ConnState:   room.State,
		TLSConfig:   &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.Certificate.Get},
		ErrorLog:    slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return waits },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.ServeTLS(room, "", "") }()
	s.Log.Info("the hub listens", "address", s.Listens())
	select {
	case err := <-failed:
		srv.Close()
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if srv.Shutdown(end) != nil {
		srv.Close()
	}
	return nil
}
