//go:build services

package mail

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/directory/call"
	"stump/directory/mail/smtptest"
	"stump/internal/testkit"
)

// TestNodemailer: a mail server of others takes the mails, over TLS and with a login, and a
// parser of others reads in them what was meant.
func TestNodemailer(t *testing.T) {
	_, err := exec.LookPath("node")
	testkit.Need(t, err == nil, "node, for the independent mail server")
	script := exec.Command("../../scripts/npm", "directory/mail/smtptest/nodemailer")
	var says strings.Builder
	script.Stderr = &says
	dir, err := script.Output()
	testkit.Need(t, err == nil, "the mail server of npm: "+says.String())
	keys := smtptest.New(t)
	server := exec.Command("node", filepath.Join(strings.TrimSpace(string(dir)), "server.mjs"), keys.KeyFile(), keys.CAFile(), "lab", "sesam")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = server.Wait() })
	lines := bufio.NewReader(out)
	port, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the mail server says %q, %v", port, err)
	}
	cfg := Config{Server: "127.0.0.1:" + strings.TrimSpace(port), User: "lab", PasswordFile: secretFile(t, "sesam")}
	x := open(t, cfg, Options{})
	pool, err := call.HTTP{CAFile: keys.CAFile()}.Authorities()
	if err != nil {
		t.Fatal(err)
	}
	x.Mail.tls.RootCAs = pool
	steps := 0
	for _, s := range x.Reach(t.Context()) {
		if s.Outcome.Verdict != call.OK {
			t.Errorf("%+v", s)
		}
		steps++
	}
	if steps != 3 {
		t.Errorf("%d steps", steps)
	}
	tablet := ipad()
	tablet.Device = "Tablet »Ω« <b>, 漢; x"
	x.says = content(tablet)
	x.says.Name = "Zoë \"Å\" Ōkafor, Lab"
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.OK {
		t.Fatalf("%+v", o)
	}
	var got struct {
		Secure            bool
		User, Subject, ID string
		From, To          struct{ Name, Address string }
		Date              time.Time
		Text, HTML        string
		Events            []struct {
			UID, Summary, Location string
			End                    time.Time
		}
	}
	line, err := lines.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &got)
	}
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	ev := aReminder()
	switch {
	case !got.Secure || got.User != "lab":
		t.Errorf("over TLS %v, as %q", got.Secure, got.User)
	case got.From.Name != "Device Lab" || got.To.Name != x.says.Name || got.To.Address != "ann@lab.example":
		t.Errorf("%+v %+v", got.From, got.To)
	case got.Subject != tablet.Device+" is due back on Friday 4 December" || got.ID != "<"+ev.ID.String()+"@lab.example>" || !got.Date.Equal(nine):
		t.Errorf("%q %q %v", got.Subject, got.ID, got.Date)
	case !strings.Contains(got.Text, tablet.Device+": due Friday 4 December 2026, 18:00") || !strings.Contains(got.Text, tablet.Link):
		t.Errorf("%s", got.Text)
	case strings.Contains(got.HTML, "<b>") || !strings.Contains(got.HTML, `href="`+tablet.Link+`"`):
		t.Errorf("%s", got.HTML)
	case len(got.Events) != 1 || got.Events[0].Summary != "Bring back "+tablet.Device || got.Events[0].UID != "aa-7@lab.example" || !got.Events[0].End.Equal(tablet.Due):
		t.Errorf("%+v", got.Events)
	}
	fault := call.Alert{ID: ev.ID, Station: "lab-1", At: ev.At, Began: []call.Fault{{Name: "display", What: "the display »Ω« does not answer", Remedy: "check its plug"}}}
	if o := x.Alert(t.Context(), "root@lab.example", fault); o.Verdict != call.OK {
		t.Fatalf("%+v", o)
	}
	line, err = lines.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &got)
	}
	if err != nil || got.To.Address != "root@lab.example" || got.Subject != "lab-1: "+fault.Began[0].What || !strings.Contains(got.Text, "* "+fault.Began[0].What+": check its plug") {
		t.Errorf("%v: %+v", err, got)
	}
	x.says.Email = "nobody@lab.example"
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.Refused || !strings.Contains(o.Reason, "5.1.1 User unknown") {
		t.Errorf("%+v", o)
	}
	x.Mail.cfg.PasswordFile = secretFile(t, "other")
	x.Mail.open = nil // the next message logs in
	if o := x.deliver(t.Context(), call.Delivery{}); o.Verdict != call.BadConfig || !strings.Contains(o.Reason, "refuses the login") {
		t.Errorf("%+v", o)
	}
}
