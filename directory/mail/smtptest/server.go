// Package smtptest is a mail server for tests, which can refuse, hang, and drop the
// connection at any step.
package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The steps of a session, as Server.Script sees them.
const (
	Connect  = "connect"
	EHLO     = "ehlo"
	StartTLS = "starttls"
	Auth     = "auth"
	From     = "from"
	To       = "to"
	Data     = "data"
	Message  = "message" // it is whole, and has no answer yet
	Accepted = "accepted"
)

// What a script says besides an answer such as "451 4.7.1 try again".
const (
	OK   = ""
	Drop = "drop" // the connection ends
	Hang = "hang" // nothing more is said
)

// Mail is a message that the server took.
type Mail struct {
	From, To, User string
	TLS            bool
	Data           string
}

// Server is a mail server.
type Server struct {
	// Script says what happens at a step; nil is that all goes well. arg is the sender, the
	// recipient, or the message.
	Script func(step, arg string) string
	// User and Password are a login; it is needed if there is one. Ways are the ways to log
	// in that are offered: "PLAIN LOGIN" if empty.
	User, Password, Ways string
	// NoTLS offers none.
	NoTLS bool

	config *tls.Config
	roots  string
	mu     sync.Mutex
	mails  []Mail
}

// New returns a server with a certificate for localhost and 127.0.0.1.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := NewIn(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// NewIn is New, with the certificate in a folder.
func NewIn(dir string) (*Server, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "smtptest"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Now().AddDate(50, 0, 0), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	s := &Server{roots: filepath.Join(dir, "ca.pem")}
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = os.WriteFile(s.KeyFile(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	}
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

// CAFile has the server's certificate.
func (s *Server) CAFile() string { return s.roots }

// KeyFile has the key of that certificate.
func (s *Server) KeyFile() string { return filepath.Join(filepath.Dir(s.roots), "key.pem") }

// Listen serves at a port of this machine until the test ends, and returns its address.
func (s *Server) Listen(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go s.Accept(l)
	return l.Addr().String()
}

// Accept serves all connections of a listener, until it is closed.
func (s *Server) Accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go s.Serve(conn)
	}
}

// Mails are the messages that the server took, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// SetScript changes what happens.
func (s *Server) SetScript(f func(step, arg string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Script = f
}

// session is one connection.
type session struct {
	*Server
	conn   net.Conn
	r      *textproto.Reader
	mail   Mail
	secret bool // TLS
}

// Serve serves a connection until its end.
func (s *Server) Serve(conn net.Conn) {
	c := &session{Server: s, conn: conn}
	defer func() { c.conn.Close() }()
	c.r = textproto.NewReader(bufio.NewReader(conn))
	if !c.step(Connect, "", "220 smtptest ESMTP") {
		return
	}
	for {
		line, err := c.r.ReadLine()
		if err != nil || !c.command(line) {
			return
		}
	}
}

// step answers as the script wants it, and reports whether the session goes on.
func (c *session) step(step, arg, usual string) bool {
	ok, on := c.may(step, arg)
	if ok {
		c.say(usual)
	}
	return on
}

// may asks the script: ok, and whether the session goes on.
func (c *session) may(step, arg string) (ok, on bool) {
	c.mu.Lock()
	script := c.Script
	c.mu.Unlock()
	said := OK
	if script != nil {
		said = script(step, arg)
	}
	switch said {
	case OK:
		return true, true
	case Drop:
		return false, false
	case Hang:
		_, _ = io.Copy(io.Discard, c.conn)
		return false, false
	}
	c.say(said)
	return false, true
}

func (c *session) say(line string) { fmt.Fprintf(c.conn, "%s\r\n", line) }

func (c *session) command(line string) (on bool) {
	verb, arg, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		lines := []string{"smtptest"}
		if !c.NoTLS && !c.secret {
			lines = append(lines, "STARTTLS")
		}
		if c.User != "" {
			ways := c.Ways
			if ways == "" {
				ways = "PLAIN LOGIN"
			}
			lines = append(lines, "AUTH "+ways)
		}
		text := ""
		for _, l := range lines {
			text += "250-" + l + "\r\n"
		}
		return c.step(EHLO, arg, text+"250 8BITMIME")
	case "STARTTLS":
		if ok, on := c.may(StartTLS, ""); !ok {
			return on
		}
		c.say("220 go ahead")
		secure := tls.Server(c.conn, c.config)
		c.conn, c.secret = secure, true
		c.r = textproto.NewReader(bufio.NewReader(secure))
		return true
	case "AUTH":
		return c.auth(arg)
	case "MAIL":
		if c.User != "" && c.mail.User == "" {
			c.say("530 5.7.0 Authentication required")
			return true
		}
		c.mail.From = inAngles(arg)
		return c.step(From, c.mail.From, "250 2.1.0 ok")
	case "RCPT":
		c.mail.To = inAngles(arg)
		return c.step(To, c.mail.To, "250 2.1.5 ok")
	case "DATA":
		return c.data()
	case "RSET", "NOOP":
		c.say("250 2.0.0 ok")
		return true
	case "QUIT":
		c.say("221 2.0.0 bye")
		return false
	}
	c.say("500 5.5.1 what?")
	return true
}

func inAngles(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

// auth logs in by PLAIN or LOGIN.
func (c *session) auth(arg string) bool {
	way, first, _ := strings.Cut(arg, " ")
	given := ""
	decode := func(s string) string {
		b, _ := base64.StdEncoding.DecodeString(s)
		return string(b)
	}
	if strings.ToUpper(way) == "LOGIN" {
		for _, ask := range []string{"Username:", "Password:"} {
			c.say("334 " + base64.StdEncoding.EncodeToString([]byte(ask)))
			line, err := c.r.ReadLine()
			if err != nil {
				return false
			}
			given += "\x00" + decode(line)
		}
	} else {
		given = decode(first)
	}
	if given != "\x00"+c.User+"\x00"+c.Password {
		c.say("535 5.7.8 Authentication credentials invalid")
		return true
	}
	c.mail.User = c.User
	return c.step(Auth, c.User, "235 2.7.0 welcome")
}

func (c *session) data() bool {
	if ok, on := c.may(Data, ""); !ok {
		return on
	}
	c.say("354 go ahead")
	b, err := io.ReadAll(c.r.DotReader())
	if err != nil {
		return false
	}
	c.mail.Data, c.mail.TLS = string(b), c.secret
	if ok, on := c.may(Message, c.mail.Data); !ok {
		return on
	}
	c.mu.Lock()
	c.mails = append(c.mails, c.mail)
	c.mu.Unlock()
	return c.step(Accepted, c.mail.Data, "250 2.0.0 queued")
}
