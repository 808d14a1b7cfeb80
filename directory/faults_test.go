package directory

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stump/directory/call"
)

// fault is what a faultServer does instead of serving.
type fault string

const (
	healthy          fault = ""
	resetAtOnce      fault = "resets before it reads"
	hangAtOnce       fault = "takes the call and says nothing"
	hangAfterCommit  fault = "counts the call and says nothing"
	hangInBody       fault = "stops in the middle of its answer"
	resetAfterCommit fault = "counts the call and resets"
	status500        fault = "answers 500"
	status500Commit  fault = "counts the call and answers 500"
	status503        fault = "answers 503 with Retry-After"
	status503Commit  fault = "counts the call and answers 503"
	status429        fault = "answers 429"
	status429After   fault = "answers 429 with Retry-After"
	status401        fault = "answers 401"
	status403        fault = "answers 403"
	status404        fault = "answers 404"
	htmlPage         fault = "answers with a login page"
	redirectLogin    fault = "redirects to a login"
	redirectAway     fault = "redirects to another host"
	halfJSON         fault = "counts the call and sends half of its JSON"
	hugeBody         fault = "counts the call and sends 100 MB"
	slowDrip         fault = "counts the call and sends a byte now and then"
	closeHalfWay     fault = "counts the call and closes in the middle of its answer"
	gzipBomb         fault = "counts the call and sends 8 MB in 8 KB of gzip"
	longHeader       fault = "counts the call and sends a header without an end"
	badTrailer       fault = "counts the call and ends its chunks with rubbish"
)

// faultServer stands in front of a server and breaks it in all ways of a network.
type faultServer struct {
	inner http.Handler
	stop  chan struct{} // ends what hangs

	mu    sync.Mutex
	fault fault
	only  func(*http.Request) bool // which calls are broken; nil: all
	calls int
	seen  []string // remote addresses
}

func newFaultServer(inner http.Handler) *faultServer {
	return &faultServer{inner: inner, stop: make(chan struct{})}
}

// serve listens on loopback until the test ends.
func (f *faultServer) serve(t testing.TB) *httptest.Server {
	srv := httptest.NewUnstartedServer(f)
	srv.Config.ErrorLog = quiet
	srv.Start()
	t.Cleanup(func() {
		close(f.stop)
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv
}

func (f *faultServer) set(x fault) {
	bomb() // made now: that takes longer than some clients wait
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = x
}

func (f *faultServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A server only notices that a client has gone when it has read the body.
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	x := f.fault
	if f.only != nil && !f.only(r) {
		x = healthy
	}
	f.calls++
	f.seen = append(f.seen, r.RemoteAddr)
	f.mu.Unlock()
	commit := func() *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		f.inner.ServeHTTP(rec, r)
		return rec
	}
	page := func(code int) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		io.WriteString(w, "\n<!DOCTYPE html><html><form action=/login>…</form></html>")
	}
	switch x {
	case healthy:
		f.inner.ServeHTTP(w, r)
	case resetAtOnce:
		reset(w)
	case hangAtOnce:
		f.hang(r)
	case hangAfterCommit:
		commit()
		f.hang(r)
	case hangInBody:
		body := commit().Body.Bytes()
		w.Header().Set("Content-Length", "1000")
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		f.hang(r)
	case resetAfterCommit:
		commit()
		reset(w)
	case status500:
		http.Error(w, "Fatal error: Call to undefined function", http.StatusInternalServerError)
	case status500Commit:
		commit()
		http.Error(w, "Fatal error: mail() failed", http.StatusInternalServerError)
	case status503:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Maintenance", http.StatusServiceUnavailable)
	case status503Commit:
		commit()
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case status429:
		http.Error(w, `{"status":"error","messages":"Too many requests","payload":null}`, http.StatusTooManyRequests)
	case status429After:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "{}", http.StatusTooManyRequests)
	case status401:
		http.Error(w, `{"error":"Unauthorized or unauthenticated."}`, http.StatusUnauthorized)
	case status403:
		http.Error(w, `{"message":"This action is unauthorized."}`, http.StatusForbidden)
	case status404:
		http.NotFound(w, r)
	case htmlPage:
		page(http.StatusOK)
	case redirectLogin:
		if r.URL.Path == "/login" {
			page(http.StatusOK)
			return
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	case redirectAway:
		http.Redirect(w, r, "http://login.example/sso", http.StatusFound)
	case halfJSON:
		body := commit().Body.Bytes()
		w.Write(body[:len(body)/2])
	case closeHalfWay:
		body := commit().Body.Bytes()
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Length", "1000")
		w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	case gzipBomb:
		commit()
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb())
	case longHeader:
		commit()
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		io.WriteString(w, "{}")
	case badTrailer:
		body := commit().Body.Bytes()
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n%x\r\n%s\r\n0\r\nX-Sum\x00", len(body), body)
		conn.Close()
	case hugeBody:
		commit()
		chunk := make([]byte, 1<<20)
		for range 100 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	case slowDrip:
		commit()
		for {
			if _, err := io.WriteString(w, " "); err != nil || f.wait(r, 20*time.Millisecond) {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
}

// bomb is 8 MB of zeros in gzip.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, 8<<20))
	z.Close()
	return b.Bytes()
})

// hang keeps the connection open and is silent.
func (f *faultServer) hang(r *http.Request) { f.wait(r, time.Hour) }

func (f *faultServer) wait(r *http.Request, d time.Duration) (ended bool) {
	select {
	case <-f.stop:
	case <-r.Context().Done():
	case <-time.After(d):
		return false
	}
	return true
}

// reset closes the connection so that the other side gets an RST.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tc, ok := conn.(*net.TCPConn); ok {
		tc.SetLinger(0)
	}
	conn.Close()
}

// certificate makes a self-signed certificate and its PEM file.
func certificate(t testing.TB, host string, from, to time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		tmpl.IPAddresses = []net.IP{ip}
	} else {
		tmpl.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// serveTLS serves h under a certificate, which can be renewed.
func serveTLS(t testing.TB, h http.Handler, cert tls.Certificate) (srv *httptest.Server, renew func(tls.Certificate)) {
	var now atomic.Pointer[tls.Certificate]
	now.Store(&cert)
	srv = httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*now.Load()}}, nil
	}}
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, func(c tls.Certificate) { now.Store(&c) }
}

// quiet hides servers' messages about broken clients.
var quiet = log.New(io.Discard, "", 0)

// quick are timeouts for servers that hang.
var quick = call.HTTP{ConnectTimeout: 200 * time.Millisecond, AnswerTimeout: 150 * time.Millisecond, TotalTimeout: 300 * time.Millisecond, Proxy: "none"}

// timeouts are quick only for faults that need one, or on a busy machine they would
// hide the others.
func (x fault) timeouts() call.HTTP {
	switch x {
	case hangAtOnce, hangAfterCommit, hangInBody, slowDrip:
		return quick
	}
	return call.HTTP{Proxy: "none"}
}

// lateConn is a connection whose Write returns when all of the answer is read.
type lateConn struct {
	net.Conn
	read chan struct{} // closed at the end of the answer
	end  func()
}

func newLateConn(c net.Conn) *lateConn {
	l := &lateConn{Conn: c, read: make(chan struct{})}
	l.end = sync.OnceFunc(func() { close(l.read) })
	return l
}

func (l *lateConn) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	<-l.read
	return n, err
}

func (l *lateConn) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil {
		// The reader gets its error first, to look while Write has not returned.
		time.AfterFunc(50*time.Millisecond, l.end)
	}
	return n, err
}

// noNames runs a DNS server that knows no names, until the test ends.
func noNames(t *testing.T) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if n > 12 {
				buf[2], buf[3] = 0x81, 0x83 // an answer, recursion, NXDOMAIN
				buf[6], buf[7], buf[8], buf[9], buf[10], buf[11] = 0, 0, 0, 0, 0, 0
				end := 12 // the question alone, without EDNS
				for end < n && buf[end] != 0 {
					end += int(buf[end]) + 1
				}
				conn.WriteTo(buf[:min(end+5, n)], from)
			}
		}
	}()
	was := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = was; conn.Close() })
}

// sayings is the printed status, with lab.example as the host.
func sayings(t testing.TB, w *Worker, host string) string {
	t.Helper()
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := st.Write(&b, time.Now()); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), host, "lab.example")
}

// joinFiles joins files into one.
func joinFiles(t testing.TB, names ...string) string {
	t.Helper()
	var all []byte
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	file := filepath.Join(t.TempDir(), "all.pem")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// restartAt serves h at an address that was free.
func restartAt(t testing.TB, addr string, h http.Handler) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ErrorLog: quiet}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
}

// impatient is a backoff for tests that mend what they broke.
var impatient = func() *backoff {
	b := defaultBackoff
	b.first, b.early, b.hurried, b.doubt = 10*time.Millisecond, 50*time.Millisecond, 5*time.Millisecond, time.Millisecond
	b.minAfter, b.maxAfter = 10*time.Millisecond, 50*time.Millisecond
	return &b
}()

// drawing is the default backoff with other random numbers.
func drawing(random func(int64) int64) *backoff {
	b := defaultBackoff
	b.random = random
	return &b
}
