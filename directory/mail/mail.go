// Package mail sends reminders and digests to a mail server (SMTP, RFC 5321).
//
// SMTP has no way to ask whether a message arrived whose answer was lost. So what is sent
// follows from the event and the books alone, and its hash is kept before it is sent:
//
//	look at the books ─▶ envelope ─▶ keep the hash ─▶ look again ─▶ the message ─▶ 250 ─▶ the row is gone
//	                                     └─ killed here: the same message again, byte for byte, by its
//	                                        hash; if it would be another, it counts as sent
package mail

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/hint"
)

// Config is the [mail] table.
type Config struct {
	// Server is the mail server and its port: "smtp.lab.example:587". Empty: no mails.
	Server string `toml:"server"`
	// From is the sender: "lab@lab.example", or "Device lab <lab@lab.example>".
	From string `toml:"from"`
	// User and PasswordFile log in; without User nobody does.
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
	// TLS is "starttls" (default), "tls" from the first byte on, or "none".
	TLS    string `toml:"tls"`
	CAFile string `toml:"ca_file"`
	// Admin gets the weekly digest; empty: nobody.
	Admin string `toml:"admin"`

	// TestDial replaces the network in tests.
	TestDial func(ctx context.Context, network, addr string) (net.Conn, error) `toml:"-"`
}

// The values of Config.TLS; "" is the first.
const (
	startTLS = "starttls"
	onlyTLS  = "tls"
	noTLS    = "none"
)

// Modes are the values of Config.TLS.
var Modes = []string{startTLS, onlyTLS, noTLS}

// Options are what else a Mail works with.
type Options struct {
	// Language is that of the texts, the display's; Zone that of its times, nil for the
	// machine's.
	Language string
	Zone     *time.Location
}

// Content is what a message says.
type Content struct {
	// Gone: the event waits for no mail any more. Later is how long it is not the time for
	// it; 0 if it is.
	Gone        bool
	Later       time.Duration
	Name, Email string // of the person; without an address nothing is sent
	// Language is the person's; empty for that of the options.
	Language checkout.Language
	Station  string
	Loans    []Loan
	Digest   *Digest // in place of Loans, as are Notice and Alert
	Notice   *Notice
	Alert    *call.Alert
}

// Notice is what was done with a device.
type Notice struct {
	checkout.Notice
	Device string
	Parts  string // that went with it, by name
	Other  string // who else it was about
	Reader string
	At     time.Time // zero while nobody knows
}

// Loan is a device of which somebody is reminded.
type Loan struct {
	Device string
	Due    time.Time
	Late   bool // the stage is after the due day
	// Link is where the loan can be extended; empty for nowhere.
	Link string
	// UID names the loan in calendars, and Revision grows with its due date.
	UID      string
	Revision uint64
}

// Digest is what an admin is told each week.
type Digest struct {
	Overdue  []Late
	Reminded []string // by name
	// Unsent are reminders that the mail server refused, and Addressless who has something
	// with an end and no address.
	Unsent      []Refused
	Addressless []string
}

// Refused is a mail that the mail server refused, for which reason.
type Refused struct{ Person, Reason string }

// Late is a device that is overdue.
type Late struct {
	Device, Person string
	Due            time.Time
}

// Mail is a mail server. It is a directory.Deliverer.
type Mail struct {
	cfg   Config
	o     Options
	sees  func(checkout.Event) (Content, error)
	from  *mail.Address
	words *words
	tls   *tls.Config

	mu     sync.Mutex // held while a message is sent
	open   *session   // kept for the next message; nil: none
	expiry *time.Timer
}

// New checks the configuration. It calls nobody.
func New(cfg Config, o Options) (*Mail, error) {
	bad := func(key, remedy, format string, args ...any) (*Mail, error) {
		return nil, &call.KeyError{Table: "mail", Key: key, Err: hint.Errorf(remedy, format, args...)}
	}
	const address = `write it as "lab@lab.example"`
	host, _, err := net.SplitHostPort(cfg.Server)
	if err != nil || host == "" {
		return bad("server", `write it as "smtp.lab.example:587"`, "%q is not a mail server with its port", cfg.Server)
	}
	m := &Mail{cfg: cfg, o: o, words: wordsOf(o.Language)}
	if m.from, err = mail.ParseAddress(cfg.From); err != nil {
		return bad("from", address, "%q is not a mail address", cfg.From)
	}
	if _, err := mail.ParseAddress(cfg.Admin); cfg.Admin != "" && err != nil {
		return bad("admin", address, "%q is not a mail address", cfg.Admin)
	}
	switch {
	case cfg.TLS != "" && !slices.Contains(Modes, cfg.TLS):
		return bad("tls", "use "+strings.Join(Modes, ", "), "%q is not known", cfg.TLS)
	case cfg.User != "" && cfg.TLS == noTLS:
		return bad("tls", "use "+startTLS+", or leave user out", "a password is not sent without TLS")
	case cfg.User != "" && cfg.PasswordFile == "":
		return bad("password_file", `write the password into a file such as "/etc/stump/mail-password"`, "it is missing, and user is set")
	}
	roots, err := call.HTTP{CAFile: cfg.CAFile}.Authorities()
	if err != nil {
		return bad("ca_file", "name a file with PEM certificates", "%w", err)
	}
	m.tls = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}
	return m, nil
}

// Use has look say what the message of an event says now. It comes before any message.
func (m *Mail) Use(look func(checkout.Event) (Content, error)) { m.sees = look }

// String names the server for people.
func (m *Mail) String() string { return "mail by " + m.cfg.Server }

// Capabilities implements directory.Deliverer. A server may take its time with an address:
// greylisting, a full mailbox.
func (m *Mail) Capabilities() call.Capabilities {
	return call.Capabilities{Repeatable: true, Settle: time.Second, Parallel: 1, Patience: 48 * time.Hour}
}

// Waits of rows.
const (
	againWait  = 10 * time.Minute // after a no for now
	doubtful   = 15 * time.Minute // after an answer that did not come
	keepOpen   = 5 * time.Second  // a connection, for the next message
	mostAtOnce = 50               // messages in one connection
)

// Deliver implements directory.Deliverer.
func (m *Mail) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, o := m.look(d)
	if o.Verdict != call.OK {
		return o
	}
	msg, err := m.message(d.Event, c)
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: err.Error(), Remedy: "correct the address, then retry"}
	}
	sum := sumOf(msg)
	if d.Touched && d.Asked != sum {
		return call.Outcome{Verdict: call.Unwanted} // it may have come, and is no longer true
	}
	s, o := m.envelope(ctx, msg.from, msg.to)
	if o.Verdict != call.OK {
		return o
	}
	if err := d.Changing(sum); err != nil {
		m.drop(s)
		return call.Outcome{Verdict: call.Down, Reason: "the ledger can't be written: " + err.Error()}
	}
	// It may have been brought back since.
	if c, o = m.look(d); o.Verdict == call.OK {
		now, err := m.message(d.Event, c)
		if err != nil || sumOf(now) != sum {
			o = call.Outcome{Verdict: call.Later, After: time.Second}
		}
	}
	if o.Verdict != call.OK {
		m.drop(s)
		if d.Touched {
			o = call.Outcome{Verdict: call.Unwanted}
		}
		return o
	}
	o = s.data(msg.bytes, d.Touched)
	m.keep(s, o)
	return o
}

// Alert sends an alert to an address at once.
func (m *Mail) Alert(ctx context.Context, to string, a call.Alert) call.Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	msg, err := m.message(checkout.Event{ID: a.ID, At: a.At}, Content{Email: to, Station: a.Station, Alert: &a})
	if err != nil {
		return call.Outcome{Verdict: call.Refused, Reason: err.Error(), Remedy: "correct the address"}
	}
	s, o := m.envelope(ctx, msg.from, msg.to)
	if o.Verdict == call.OK {
		o = s.data(msg.bytes, false)
		m.keep(s, o)
	}
	return o
}

// look is what the message says now, or why there is none.
func (m *Mail) look(d call.Delivery) (Content, call.Outcome) {
	c, err := m.sees(d.Event)
	switch {
	case err != nil:
		return c, call.Outcome{Verdict: call.Down, Reason: "the ledger can't be read: " + err.Error()}
	case c.Gone, c.Digest == nil && c.Notice == nil && len(c.Loans) == 0, c.Email == "":
		return c, call.Outcome{Verdict: call.Unwanted}
	case c.Later > 0 && !d.Touched:
		return c, call.Outcome{Verdict: call.Later, After: c.Later}
	}
	return c, call.Outcome{}
}

func sumOf(m *message) string {
	sum := sha256.Sum256(m.bytes)
	return hex.EncodeToString(sum[:])
}
