package mail

import (
	"strings"
	"testing"

	"stump/directory/call"
	"stump/directory/mail/smtptest"
)

// TestTest: a test is one message to one address, in the language of the station, and says
// how far it came.
func TestTest(t *testing.T) {
	for _, c := range []struct {
		name    string
		address string
		cfg     Config
		serve   func(*smtptest.Server)
		steps   string
		last    string // what the last step says
		remedy  string
		sent    int
	}{
		{"well", "ann@lab.example", Config{}, nil, "connect tls message", "took the message to ann@lab.example", "", 1},
		{"no address", "ann", Config{}, nil, "recipient!", "is not a mail address", "correct the address", 0},
		{"no STARTTLS", "ann@lab.example", Config{}, func(s *smtptest.Server) { s.NoTLS = true }, "connect tls!", "offers no STARTTLS", "mail.tls", 0},
		{"sender", "ann@lab.example", Config{}, func(s *smtptest.Server) { s.SetScript(at(smtptest.From, "550 5.7.1 not your address")) }, "connect tls sender!", "refuses the sender", "mail.from", 0},
		{"nobody", "ann@lab.example", Config{}, func(s *smtptest.Server) { s.SetScript(at(smtptest.To, "550 5.1.1 User unknown")) }, "connect tls recipient!", "User unknown", "correct the address", 0},
		{"spam", "ann@lab.example", Config{}, func(s *smtptest.Server) { s.SetScript(at(smtptest.Message, "554 5.7.1 Spam")) }, "connect tls message!", "Spam", "whoever runs", 0},
	} {
		x := open(t, c.cfg, Options{Language: "de"})
		if c.serve != nil {
			c.serve(x.Server)
		}
		steps := x.Test(t.Context(), aReminder(), Content{Name: "Ann Okafor", Email: c.address, Station: "lab-1"})
		var names []string
		var last call.Step
		for _, last = range steps {
			if last.Outcome.Verdict != call.OK {
				last.Name += "!"
			}
			names = append(names, last.Name)
		}
		if got := strings.Join(names, " "); got != c.steps || !strings.Contains(last.Measured+last.Outcome.Reason, c.last) || !strings.Contains(last.Outcome.Remedy, c.remedy) {
			t.Errorf("%s: %q, %+v", c.name, got, last)
		}
		mails := x.Mails()
		if len(mails) != c.sent || x.looks != 0 {
			t.Errorf("%s: %d mails, %d looks", c.name, len(mails), x.looks)
		}
		if c.sent > 0 && (!strings.Contains(mails[0].Data, "Ein Test von lab-1") || !strings.Contains(mails[0].Data, "Hallo Ann Okafor")) {
			t.Errorf("%s: %s", c.name, mails[0].Data)
		}
	}
}

// at is a script that says this at a step.
func at(step, says string) func(string, string) string {
	return func(s, _ string) string {
		if s == step {
			return says
		}
		return smtptest.OK
	}
}
