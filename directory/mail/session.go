package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"time"

	"stump/directory/call"
)

// How long is waited for a server. RFC 5321 (4.5.3.2) has longer ones for queues that try
// for days; here a dead server holds up all reminders.
const (
	connectTime = 30 * time.Second
	commandTime = time.Minute
	messageTime = 5 * time.Minute // for the answer to a message
)

// session is a connection to the server that has logged in.
type session struct {
	*smtp.Client
	conn net.Conn
	host string
	sent int
	stop func() bool // no longer ends with the delivery
}

// wait bounds what comes next.
func (s *session) wait(d time.Duration) { _ = s.conn.SetDeadline(time.Now().Add(d)) }

// drop closes a connection without a word.
func (m *Mail) drop(s *session) {
	if s.stop != nil {
		s.stop()
	}
	s.conn.Close()
	if m.open == s {
		m.open = nil
	}
}

// keep keeps a connection for the next message, or ends it.
func (m *Mail) keep(s *session, o call.Outcome) {
	s.stop()
	if o.Verdict != call.OK || s.sent >= mostAtOnce {
		m.drop(s)
		return
	}
	m.open = s
	m.expiry = time.AfterFunc(keepOpen, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.open == s {
			s.wait(time.Second)
			_ = s.Quit() // it has the messages; whether it says goodbye does not matter
			m.drop(s)
		}
	})
}

// envelope says to the server from whom a message comes, and to whom it goes.
func (m *Mail) envelope(ctx context.Context, from, to string) (*session, call.Outcome) {
	for {
		s, kept := m.open, m.open != nil
		if kept {
			m.expiry.Stop()
			m.open = nil
			s.stop = context.AfterFunc(ctx, func() { s.conn.Close() })
		} else {
			var o call.Outcome
			if s, o = m.connect(ctx, nil); o.Verdict != call.OK {
				return nil, o
			}
		}
		s.wait(commandTime)
		step, err := "sender", s.Mail(from)
		if kept && err != nil && !refusedForGood(err) {
			m.drop(s)
			continue // it has waited too long for this message
		}
		if err == nil {
			s.wait(commandTime)
			step, err = "recipient", s.Rcpt(to)
		}
		if err != nil {
			o := s.outcome(step, err)
			m.drop(s)
			return nil, o
		}
		return s, call.Outcome{}
	}
}

// connect opens a connection, secures it and logs in. report, which may be nil, gets each
// step.
func (m *Mail) connect(ctx context.Context, report func(call.Step)) (*session, call.Outcome) {
	host, _, _ := net.SplitHostPort(m.cfg.Server)
	tell := func(step call.Step) {
		if report != nil {
			report(step)
		}
	}
	fail := func(step string, o call.Outcome) (*session, call.Outcome) {
		tell(call.Step{Name: step, Outcome: o})
		return nil, o
	}
	dial := (&net.Dialer{Timeout: connectTime}).DialContext
	if m.cfg.TestDial != nil {
		dial = m.cfg.TestDial
	}
	begin := time.Now()
	conn, err := dial(ctx, "tcp", m.cfg.Server)
	if err != nil {
		return fail("connect", call.NoAnswer(err, m.cfg.Server))
	}
	s := &session{conn: conn, host: host, stop: context.AfterFunc(ctx, func() { conn.Close() })}
	tell(call.Step{Name: "connect", Measured: fmt.Sprintf("%s answers in %d ms", m.cfg.Server, time.Since(begin).Milliseconds())})
	step, o := m.greet(s)
	if o.Verdict == call.OK {
		if state, ok := s.TLSConnectionState(); ok {
			tell(call.Step{Name: "tls", Measured: tls.VersionName(state.Version), Ends: call.CertificateEnd(&state)})
		}
		step, o = m.login(s)
	}
	if o.Verdict != call.OK {
		s.stop()
		conn.Close()
		return fail(step, o)
	}
	return s, call.Outcome{}
}

// greet begins the session, with TLS unless the configuration says none.
func (m *Mail) greet(s *session) (step string, o call.Outcome) {
	s.wait(connectTime)
	var err error
	if m.cfg.TLS == onlyTLS {
		secure := tls.Client(s.conn, m.tls)
		if err = secure.Handshake(); err != nil {
			return "tls", call.NoAnswer(err, m.cfg.Server)
		}
		s.conn = secure
	}
	if s.Client, err = smtp.NewClient(s.conn, s.host); err != nil {
		return "greeting", s.outcome("greeting", err)
	}
	if name, err := os.Hostname(); err == nil && !strings.ContainsAny(name, " \r\n") {
		s.wait(commandTime)
		if err := s.Hello(name); err != nil {
			return "greeting", s.outcome("greeting", err)
		}
	}
	if m.cfg.TLS == "" || m.cfg.TLS == startTLS {
		s.wait(commandTime)
		if ok, _ := s.Extension("STARTTLS"); !ok {
			return "tls", call.Outcome{Verdict: call.BadConfig, Reason: s.host + " offers no STARTTLS, so everybody on the way could read the mails",
				Remedy: `set mail.tls = "tls" and the port for it, often 465; or tls = "none" on a network that is your own`}
		}
		if err := s.StartTLS(m.tls); err != nil {
			if refusal(err) != nil {
				return "tls", s.outcome("greeting", err)
			}
			return "tls", call.NoAnswer(err, m.cfg.Server)
		}
	}
	return "", call.Outcome{}
}

// login logs in, if the configuration has a user.
func (m *Mail) login(s *session) (step string, o call.Outcome) {
	if m.cfg.User == "" {
		return "", o
	}
	password, err := call.Secret(m.cfg.PasswordFile).Read()
	if err != nil {
		return "login", call.Misconfigured(err, "check mail.password_file")
	}
	ok, ways := s.Extension("AUTH")
	if !ok {
		return "login", call.Outcome{Verdict: call.BadConfig, Reason: s.host + " offers no login", Remedy: "leave mail.user out, or take the port for clients, often 587"}
	}
	s.wait(commandTime)
	err = s.Auth(&auth{ways: strings.Fields(ways), user: m.cfg.User, password: password})
	if err != nil {
		return "login", s.outcome("login", err)
	}
	return "", call.Outcome{}
}

// auth logs in by the first of PLAIN and LOGIN that the server offers. The password goes
// over TLS alone, see New.
type auth struct {
	ways           []string
	user, password string
	step           int
}

var errNoWay = errors.New("no way to log in in common")

// Start implements smtp.Auth.
func (a *auth) Start(*smtp.ServerInfo) (string, []byte, error) {
	for _, way := range a.ways {
		switch strings.ToUpper(way) {
		case "PLAIN":
			return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
		case "LOGIN":
			return "LOGIN", nil, nil
		}
	}
	return "", nil, fmt.Errorf("%w: it knows %s", errNoWay, strings.Join(a.ways, ", "))
}

// Next implements smtp.Auth: LOGIN asks for the user, then for the password.
func (a *auth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	a.step++
	switch a.step {
	case 1:
		return []byte(a.user), nil
	case 2:
		return []byte(a.password), nil
	}
	return nil, errors.New("it asks too much")
}

// data sends a message whose envelope is there. again: it may have come before.
func (s *session) data(message []byte, again bool) call.Outcome {
	s.wait(commandTime)
	w, err := s.Data()
	if err != nil {
		return s.outcome("message", err)
	}
	s.wait(messageTime)
	if _, err = w.Write(message); err == nil {
		err = w.Close()
	}
	switch {
	case err == nil:
		s.sent++
		return call.Outcome{}
	case refusal(err) != nil:
		return s.outcome("message", err)
	case again:
		return call.Outcome{Verdict: call.Refused, Reason: s.host + " has got the message twice, and did not say whether it took it",
			Remedy: "ask the person whether it came; if so, drop it"}
	}
	return call.Outcome{Verdict: call.Failing, Reason: s.host + " did not say whether it took the message", After: doubtful}
}

// refusal is a server's no, nil if it gave none.
func refusal(err error) *textproto.Error {
	no, _ := errors.AsType[*textproto.Error](err)
	return no
}

func refusedForGood(err error) bool {
	no := refusal(err)
	return no != nil && no.Code >= 500
}

// outcome says what a no means, or that there was no answer.
func (s *session) outcome(step string, err error) call.Outcome {
	no := refusal(err)
	switch {
	case errors.Is(err, errNoWay):
		return call.Misconfigured(fmt.Errorf("%s: %w", s.host, err), "stump logs in by PLAIN or LOGIN: ask whoever runs the server")
	case no == nil && step == "recipient" && strings.HasPrefix(err.Error(), "smtp: "): // net/smtp's own word
		return call.Outcome{Verdict: call.Refused, Reason: s.host + " can't send to this address", Remedy: "correct the address, then retry"}
	case no == nil:
		return call.NoAnswer(err, s.host)
	}
	said := fmt.Sprintf("%s refuses %s: %s", s.host, refusedWords[step], call.Plain(fmt.Sprintf("%d %s", no.Code, no.Msg)))
	o := call.Outcome{Verdict: call.Down, Reason: said}
	relay := strings.Contains(strings.ToLower(no.Msg), "relay")
	switch {
	case no.Code == 421:
	case step == "login" && no.Code >= 500:
		o.Verdict, o.Remedy = call.BadConfig, "check mail.user and what is in mail.password_file"
	case no.Code == 530, step == "recipient" && relay && no.Code >= 500:
		o.Verdict, o.Remedy = call.BadConfig, "log in with mail.user, or have the server take mails from this board"
	case step == "sender" && no.Code >= 500:
		o.Verdict, o.Remedy = call.BadConfig, "check mail.from: the server must let this user send from there"
	case no.Code >= 500 && (step == "recipient" || step == "message"):
		o.Verdict, o.Remedy = call.Refused, cmp.Or(map[string]string{"recipient": "correct the address, then retry"}[step], "ask whoever runs the mail server")
	case no.Code >= 500:
		o.Verdict, o.Remedy = call.BadConfig, "ask whoever runs the mail server"
	case step == "recipient", step == "message":
		o.Verdict, o.After = call.Failing, againWait
	}
	return o
}

// refusedWords are what a server refuses.
var refusedWords = map[string]string{"greeting": "the connection", "login": "the login", "sender": "the sender", "recipient": "the address", "message": "the message"}

// Reach tries the way to the server, up to the login. Nothing is sent.
func (m *Mail) Reach(ctx context.Context) (steps []call.Step) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	s, o := m.connect(ctx, func(step call.Step) { steps = append(steps, step) })
	if o.Verdict != call.OK {
		return steps
	}
	defer m.drop(s)
	step := call.Step{Name: "login", Measured: "the login is accepted"}
	if m.cfg.User == "" {
		step = call.Step{Name: "login", Skipped: true, Measured: "without a login"}
	}
	s.wait(time.Second)
	_ = s.Quit()
	return append(steps, step)
}
