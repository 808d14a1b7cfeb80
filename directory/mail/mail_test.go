package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/mail/smtptest"
	"stump/internal/hint"
)

var nine = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC) // a Thursday

// aReminder is the first event of a message.
func aReminder() checkout.Event {
	return checkout.Event{ID: uuid.MustParse("019ae5f6-0000-7000-8000-000000000001"), Kind: checkout.Remind, Station: "lab-1", Seq: 30,
		At: checkout.Stamp{Wall: nine, Trusted: true}}
}

func ipad() Loan {
	return Loan{Device: "iPad Pro 13", Due: nine.Add(33 * time.Hour), Link: "https://stump.example/extend/abc", UID: "aa-7", Revision: 30}
}

func content(loans ...Loan) Content {
	return Content{Name: "Ann Okafor", Email: "ann@lab.example", Station: "lab-1", Loans: loans}
}

// office is a server, what a Mail has to say, and a Mail.
type office struct {
	*smtptest.Server
	*Mail
	says  Content
	looks int
	look  func(n int, c *Content) // before the n-th look; may be nil
	marks []string
}

func open(t *testing.T, cfg Config, o Options) *office {
	t.Helper()
	x := &office{Server: smtptest.New(t), says: content(ipad())}
	if cfg.Server == "" {
		cfg.Server = x.Listen(t)
	}
	cfg.From, cfg.CAFile = "Device Lab <lab@lab.example>", x.CAFile()
	o.Zone = time.UTC
	m, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	x.Mail = m
	m.Use(func(checkout.Event) (Content, error) {
		x.looks++
		if x.look != nil {
			x.look(x.looks, &x.says)
		}
		return x.says, nil
	})
	return x
}

func (x *office) deliver(ctx context.Context, d call.Delivery) call.Outcome {
	d.Event = aReminder()
	d.Mark = func(asked string) error {
		x.marks = append(x.marks, asked)
		return nil
	}
	return x.Deliver(ctx, d)
}

func secretFile(t *testing.T, s string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(s+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDeliver: over TLS and with a login, by either way; the message is whole.
func TestDeliver(t *testing.T) {
	for _, ways := range []string{"PLAIN LOGIN", "XOAUTH2 LOGIN", "login"} {
		x := open(t, Config{User: "lab", PasswordFile: secretFile(t, "sesam")}, Options{})
		x.User, x.Password, x.Ways = "lab", "sesam", ways
		if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.OK {
			t.Fatalf("%s: %+v", ways, o)
		}
		got := x.Mails()
		if len(got) != 1 || !got[0].TLS || got[0].User != "lab" || got[0].From != "lab@lab.example" || got[0].To != "ann@lab.example" {
			t.Fatalf("%s: %+v", ways, got)
		}
		if len(x.marks) != 1 || x.looks != 2 {
			t.Errorf("%d marks, %d looks", len(x.marks), x.looks)
		}
	}
}

// TestVerdicts is what becomes of a message when the server does not take it.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(step, arg string) string
		want   call.Verdict
		words  string
		then   string
	}{
		{"busy", at(smtptest.Connect, "421 4.3.2 too busy"), call.Down, "refuses the connection: 421 4.3.2 too busy", ""},
		{"no service", at(smtptest.Connect, "554 5.7.1 your address is on a list"), call.BadConfig, "your address is on a list", "whoever runs"},
		{"gone", at(smtptest.Connect, smtptest.Drop), call.Down, "closed the connection", ""},
		{"gone in the middle", at(smtptest.To, smtptest.Drop), call.Down, "closed the connection", ""},
		{"no TLS today", at(smtptest.StartTLS, "454 4.7.0 TLS not available"), call.Down, "454", ""},
		{"sender for now", at(smtptest.From, "452 4.3.1 no space"), call.Down, "the sender: 452", ""},
		{"sender", at(smtptest.From, "550 5.7.1 not your address"), call.BadConfig, "refuses the sender", "mail.from"},
		{"log in first", at(smtptest.From, "530 5.7.0 Must log in"), call.BadConfig, "530", "mail.user"},
		{"greylisting", at(smtptest.To, "450 4.2.0 Greylisted"), call.Failing, "the address: 450 4.2.0 Greylisted", ""},
		{"nobody", at(smtptest.To, "550 5.1.1 User unknown"), call.Refused, "the address: 550 5.1.1 User unknown", "correct the address"},
		{"relay", at(smtptest.To, "554 5.7.1 Relay access denied"), call.BadConfig, "Relay access denied", "mail.user"},
		{"data for now", at(smtptest.Data, "451 4.3.0 later"), call.Failing, "the message: 451", ""},
		{"spam", at(smtptest.Message, "554 5.7.1 Spam"), call.Refused, "the message: 554 5.7.1 Spam", "whoever runs"},
		{"message for now", at(smtptest.Message, "451 4.3.0 scanner is away"), call.Failing, "scanner is away", ""},
		{"shuts down", at(smtptest.Message, "421 4.3.2 shutting down"), call.Down, "421", ""},
		{"no answer", at(smtptest.Message, smtptest.Drop), call.Failing, "did not say whether it took", ""},
		{"no answer after it took it", at(smtptest.Accepted, smtptest.Drop), call.Failing, "did not say whether it took", ""},
	} {
		x := open(t, Config{}, Options{})
		x.SetScript(c.script)
		o := x.deliver(t.Context(), call.Delivery{})
		if o.Verdict != c.want || !strings.Contains(o.Reason, c.words) || !strings.Contains(o.Remedy, c.then) || c.then == "" != (o.Remedy == "") {
			t.Errorf("%s: %+v, want %s, %q, %q", c.name, o, c.want, c.words, c.then)
		}
		if strings.ContainsAny(o.Reason, "\r\n") {
			t.Errorf("%s: %q", c.name, o.Reason)
		}
	}
}

// TestConnection is what a server says before it takes anything, and how the way to it is
// tried.
func TestConnection(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name  string
		cfg   Config
		serve func(*smtptest.Server)
		want  call.Verdict
		words string
		steps string
	}{
		{"well", Config{}, nil, call.OK, "", "connect tls login"},
		{"no server", Config{Server: closed.Addr().String()}, nil, call.Down, "refuses the connection", "connect!"},
		{"no STARTTLS", Config{}, func(s *smtptest.Server) { s.NoTLS = true }, call.BadConfig, "offers no STARTTLS", "connect tls!"},
		{"no STARTTLS, and none wanted", Config{TLS: "none"}, func(s *smtptest.Server) { s.NoTLS = true }, call.OK, "", "connect login"},
		{"TLS at once", Config{TLS: "tls"}, nil, call.BadConfig, "does not speak TLS", "connect tls!"},
		{"another password", Config{User: "lab"}, func(s *smtptest.Server) { s.User, s.Password = "lab", "other" }, call.BadConfig, "refuses the login: 535 5.7.8", "connect tls login!"},
		{"no login there", Config{User: "lab"}, nil, call.BadConfig, "offers no login", "connect tls login!"},
		{"another way to log in", Config{User: "lab"}, func(s *smtptest.Server) { s.User, s.Ways = "lab", "GSSAPI" }, call.BadConfig, "no way to log in in common", "connect tls login!"},
	} {
		if c.cfg.User != "" {
			c.cfg.PasswordFile = secretFile(t, "sesam")
		}
		x := open(t, c.cfg, Options{})
		if c.serve != nil {
			c.serve(x.Server)
		}
		if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != c.want || !strings.Contains(o.Reason, c.words) {
			t.Errorf("%s: %+v, want %s: %q", c.name, o, c.want, c.words)
		}
		if c.want != call.OK && len(x.marks) > 0 {
			t.Errorf("%s: marked as sent", c.name)
		}
		var steps []string
		sent := len(x.Mails())
		for _, s := range x.Reach(t.Context()) {
			name := s.Name
			if s.Outcome.Verdict != call.OK {
				name += "!"
			}
			steps = append(steps, name)
		}
		if got := strings.Join(steps, " "); got != c.steps || len(x.Mails()) != sent {
			t.Errorf("%s: %q, want %q", c.name, got, c.steps)
		}
	}
	// A certificate of somebody else's.
	x := open(t, Config{}, Options{})
	x.Mail.tls.RootCAs = nil
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.BadConfig || !strings.Contains(o.Reason, "authority that is not trusted") {
		t.Errorf("%+v", o)
	}
}

// TestUnwanted: nothing is sent of what is no longer so, however late that is known.
func TestUnwanted(t *testing.T) {
	for _, c := range []struct {
		name string
		look func(n int, c *Content)
		d    call.Delivery
		want call.Verdict
	}{
		{"brought back", func(_ int, c *Content) { c.Loans = nil }, call.Delivery{}, call.Unwanted},
		{"no address", func(_ int, c *Content) { c.Email = "" }, call.Delivery{}, call.Unwanted},
		{"dropped", func(_ int, c *Content) { c.Gone = true }, call.Delivery{}, call.Unwanted},
		{"not now", func(_ int, c *Content) { c.Later = time.Minute }, call.Delivery{}, call.Later},
		{"brought back while the server was asked", func(n int, c *Content) {
			if n == 2 {
				c.Loans = nil
			}
		}, call.Delivery{}, call.Unwanted},
		{"extended while the server was asked", func(n int, c *Content) {
			if n == 2 {
				c.Loans[0].Due = c.Loans[0].Due.AddDate(0, 0, 14)
			}
		}, call.Delivery{}, call.Later},
		{"sent perhaps, and another now", nil, call.Delivery{Touched: true, Asked: "another"}, call.Unwanted},
	} {
		x := open(t, Config{}, Options{})
		x.look = c.look
		if o := x.deliver(t.Context(), c.d); o.Verdict != c.want {
			t.Errorf("%s: %+v, want %s", c.name, o, c.want)
		}
		if n := len(x.Mails()); n != 0 {
			t.Errorf("%s: %d mails", c.name, n)
		}
	}
	x := open(t, Config{}, Options{})
	x.says.Email = "ann at lab"
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.Refused || !strings.Contains(o.Reason, `"ann at lab" is not a mail address`) {
		t.Errorf("%+v", o)
	}
	x.Use(func(checkout.Event) (Content, error) { return Content{}, errors.New("the disk is gone") })
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.Down {
		t.Errorf("%+v", o)
	}
}

// TestRepetition: what may have come is sent once more at any time of day, byte for byte;
// without an answer to that, an admin decides.
func TestRepetition(t *testing.T) {
	x := open(t, Config{}, Options{})
	x.SetScript(func(step, _ string) string {
		if step == smtptest.Accepted {
			return smtptest.Drop
		}
		return smtptest.OK
	})
	x.deliver(t.Context(), call.Delivery{})
	x.says.Later = time.Minute
	o := x.deliver(t.Context(), call.Delivery{Touched: true, Asked: x.marks[0]})
	if o.Verdict != call.Refused || !strings.Contains(o.Reason, "got the message twice") {
		t.Errorf("%+v", o)
	}
	got := x.Mails()
	if len(got) != 2 || got[0].Data != got[1].Data {
		t.Errorf("%d mails: %+v", len(got), got)
	}
}

// TestHang: a server that says nothing more ends the wait of nobody but itself.
func TestHang(t *testing.T) {
	for _, step := range []string{smtptest.Connect, smtptest.EHLO, smtptest.From, smtptest.To, smtptest.Data, smtptest.Message} {
		synctest.Test(t, func(t *testing.T) {
			x := open(t, Config{Server: "localhost:25", TLS: "none"}, Options{})
			x.cfg.TestDial = func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe()
				go x.Serve(there)
				return here, nil
			}
			x.SetScript(func(s, _ string) string {
				if s == step {
					return smtptest.Hang
				}
				return smtptest.OK
			})
			begin := time.Now()
			o := x.deliver(t.Context(), call.Delivery{})
			took := time.Since(begin)
			want := call.Down
			if step == smtptest.Message {
				want = call.Failing
			}
			if o.Verdict != want || took > messageTime+time.Minute || took < connectTime {
				t.Errorf("%s: %+v after %v", step, o, took)
			}
			// A stop does not wait for it.
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			begin = time.Now()
			x.deliver(ctx, call.Delivery{})
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("%s: a stop waited for %v", step, took)
			}
			synctest.Wait()
		})
	}
}

// TestKept: messages that follow each other take one connection, which ends soon after, and
// one that the server has ended is made anew.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t, Config{Server: "localhost:25", TLS: "none"}, Options{})
		dialled := 0
		x.cfg.TestDial = func(context.Context, string, string) (net.Conn, error) {
			dialled++
			here, there := net.Pipe()
			go x.Serve(there)
			return here, nil
		}
		send := func(want int) {
			t.Helper()
			if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.OK || dialled != want {
				t.Errorf("%+v by %d connections, want %d", o, dialled, want)
			}
		}
		send(1)
		send(1)
		time.Sleep(keepOpen + time.Second)
		synctest.Wait()
		send(2)
		x.SetScript(func(step, _ string) string {
			if step == smtptest.From && dialled == 2 {
				return "421 4.4.2 you were silent for too long"
			}
			return smtptest.OK
		})
		send(3)
		for range mostAtOnce {
			send(3 + len(x.Mails())/(mostAtOnce+3)) // the fourth after as many
		}
		if dialled != 4 {
			t.Errorf("%d connections for %d messages", dialled, len(x.Mails()))
		}
		time.Sleep(keepOpen + time.Second)
		synctest.Wait()
	})
}

// parts are the parts of a message by their types.
func parts(t *testing.T, data string) (header mail.Header, all map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all = map[string]string{}
	var read func(kind string, body io.Reader, encoding string)
	read = func(kind string, body io.Reader, encoding string) {
		kind, params, err := mime.ParseMediaType(kind)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(kind, "multipart/") {
			r := multipart.NewReader(body, params["boundary"])
			for {
				p, err := r.NextRawPart()
				if err == io.EOF {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				read(p.Header.Get("Content-Type"), p, p.Header.Get("Content-Transfer-Encoding"))
			}
		}
		if encoding != "quoted-printable" {
			t.Errorf("%s is %q", kind, encoding)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	read(m.Header.Get("Content-Type"), m.Body, "")
	return m.Header, all
}

// TestNames: names of any letters arrive, and none becomes a header, a line, or markup.
func TestNames(t *testing.T) {
	x := open(t, Config{}, Options{})
	late := ipad()
	late.Device, late.Due, late.Late, late.Link = "<b>\"Pixel\" & \r\nBcc: eve@evil.example", nine.Add(-time.Hour), true, ""
	x.says = content(late, ipad())
	x.says.Name, x.says.Station = "Zoë \"Å\" Ōkafor\r\nBcc: eve@evil.example, 李", "lab\r\n.\r\nQUIT"
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.OK {
		t.Fatalf("%+v", o)
	}
	data := x.Mails()[0].Data
	header, all := parts(t, data)
	if header.Get("Bcc") != "" || len(header) != 10 {
		t.Errorf("%v", header)
	}
	to, err := header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "ann@lab.example" || !strings.HasPrefix(to[0].Name, "Zoë \"Å\" Ōkafor") {
		t.Errorf("%v, %v", to, err)
	}
	for kind, text := range all {
		if strings.Contains(text, "\nBcc") || strings.Contains(text, "<b>") && kind == "text/html" {
			t.Errorf("%s:\n%s", kind, text)
		}
		if kind != "text/calendar" && !strings.Contains(text, "Zoë") {
			t.Errorf("%s:\n%s", kind, text)
		}
	}
	for _, line := range strings.Split(data, "\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	for _, long := range []string{strings.Repeat("ä", 500), strings.Repeat("x", 1000)} {
		x.says.Name, x.says.Loans[0].Device = long, long
		if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.OK {
			t.Fatalf("%+v", o)
		}
		got := x.Mails()
		for _, line := range strings.Split(got[len(got)-1].Data, "\n") {
			if len(line) > 998 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
}

// TestConfig: what is wrong is named, with what to write.
func TestConfig(t *testing.T) {
	good := Config{Server: "smtp.lab.example:587", From: "lab@lab.example"}
	for _, c := range []struct {
		key    string
		change func(*Config)
		remedy string
	}{
		{"", func(*Config) {}, ""},
		{"", func(c *Config) { c.TLS, c.Admin = "tls", "Root <root@lab.example>" }, ""},
		{"server", func(c *Config) { c.Server = "smtp.lab.example" }, "smtp.lab.example:587"},
		{"server", func(c *Config) { c.Server = ":25" }, "smtp.lab.example:587"},
		{"from", func(c *Config) { c.From = "" }, "lab@lab.example"},
		{"admin", func(c *Config) { c.Admin = "root" }, "lab@lab.example"},
		{"tls", func(c *Config) { c.TLS = "ssl" }, "starttls"},
		{"tls", func(c *Config) { c.TLS, c.User, c.PasswordFile = "none", "lab", "/x" }, "starttls"},
		{"password_file", func(c *Config) { c.User = "lab" }, "/etc/stump/mail-password"},
		{"ca_file", func(c *Config) { c.CAFile = "/nowhere" }, "PEM"},
	} {
		cfg := good
		c.change(&cfg)
		_, err := New(cfg, Options{})
		bad, ok := errors.AsType[*call.KeyError](err)
		if (err == nil) != (c.key == "") || ok && (bad.Table != "mail" || bad.Key != c.key || !strings.Contains(hint.Of(err), c.remedy)) {
			t.Errorf("%+v: %v / %s", cfg, err, hint.Of(err))
		}
	}
}

// TestAlert: an alert goes out at once, as it is, and says why it does not.
func TestAlert(t *testing.T) {
	x := open(t, Config{}, Options{})
	a := call.Alert{ID: aReminder().ID, Station: "lab-1", At: aReminder().At, Began: []call.Fault{{Name: "n", What: "a wire\r\nBcc: x", Remedy: "mend it"}}}
	if o := x.Alert(t.Context(), "not an address", a); o.Verdict != call.Refused || len(x.Mails()) != 0 {
		t.Errorf("%+v", o)
	}
	for range 2 { // in one connection
		if o := x.Alert(t.Context(), "root@lab.example", a); o.Verdict != call.OK {
			t.Fatalf("%+v", o)
		}
	}
	sent := x.Mails()
	if len(sent) != 2 || sent[0].To != "root@lab.example" || sent[0].Data != sent[1].Data {
		t.Fatalf("%+v", sent)
	}
	header, all := parts(t, sent[0].Data)
	if header.Get("Bcc") != "" || header.Get("Subject") != "lab-1: a wire Bcc: x" || !strings.Contains(all["text/plain"], "* a wire Bcc: x: mend it") {
		t.Errorf("%v\n%s", header, all["text/plain"])
	}
	x.SetScript(func(step, arg string) string {
		if step == smtptest.To {
			return "550 5.1.1 User unknown"
		}
		return smtptest.OK
	})
	if o := x.Alert(t.Context(), "nobody@lab.example", a); o.Verdict != call.Refused || !strings.Contains(o.Reason, "User unknown") {
		t.Errorf("%+v", o)
	}
}
