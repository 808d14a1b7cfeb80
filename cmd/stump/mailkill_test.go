package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/directory/mail/smtptest"
)

// mailStation is a daemon that sends mails to a server of the test.
type mailStation struct {
	*testing.T
	dir    string
	server *smtptest.Server

	mu     sync.Mutex
	daemon *exec.Cmd
	armed  string // the step at which the daemon is killed
	killed chan struct{}
}

func (s *mailStation) command(args ...string) *exec.Cmd {
	cmd := stumpCommand(append([]string{"--config", filepath.Join(s.dir, "stump.toml"), "--socket", filepath.Join(s.dir, "s")}, args...)...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "TZ=UTC")
	return cmd
}

func (s *mailStation) stump(args ...string) string {
	s.Helper()
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		s.Fatalf("stump %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start starts the daemon, and waits until it answers.
func (s *mailStation) start() {
	s.Helper()
	daemon := s.command("run", "--sim", "--state", filepath.Join(s.dir, "state"))
	if err := daemon.Start(); err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	s.daemon, s.killed = daemon, make(chan struct{})
	s.mu.Unlock()
	for end := time.Now().Add(time.Minute); s.command("status").Run() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("the daemon does not answer")
		}
	}
}

// script kills the daemon at the step that is armed.
func (s *mailStation) script(step, _ string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step != s.armed {
		return smtptest.OK
	}
	s.armed = ""
	_ = s.daemon.Process.Kill()
	close(s.killed)
	return smtptest.Drop
}

// TestMailKills kills a daemon at each step of a mail: whoever is to be reminded gets the
// mail, and gets it twice only where the server had it before the kill, and then the same
// bytes.
func TestMailKills(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "st") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &mailStation{T: t, dir: dir, server: smtptest.New(t)}
	address := s.server.Listen(t)
	s.server.SetScript(s.script)
	config := fmt.Sprintf("[loans]\nremind_at = \"any\"\n[mail]\nserver = %q\nca_file = %q\nfrom = \"lab@lab.example\"\n[clock]\ntrust = \"rtc\"\n", address, s.server.CAFile())
	if err := os.WriteFile(filepath.Join(dir, "stump.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() { _ = s.daemon.Process.Kill(); _ = s.daemon.Wait() })
	s.stump("sim", "seed")
	steps := []string{smtptest.StartTLS, smtptest.To, smtptest.Data, smtptest.Message, smtptest.Accepted}
	people, devices := []string{"ann", "ben", "cem", "dia", "eve"}, []string{"ipad", "mini", "pixel", "iphone", "galaxy"}
	for i, step := range steps {
		s.mu.Lock()
		s.armed = step
		s.mu.Unlock()
		s.stump("give", devices[i], people[i], "--at", "2020-01-01T10:00:00Z", "--due", "2020-01-08T10:00:00Z")
		select {
		case <-s.killed:
		case <-time.After(time.Minute):
			t.Fatalf("%s: nothing was sent", step)
		}
		_ = s.daemon.Wait()
		s.start()
		had := func() (all []smtptest.Mail) {
			for _, m := range s.server.Mails() {
				if m.To == people[i]+"@lab.example" {
					all = append(all, m)
				}
			}
			return all
		}
		want := 1
		if step == smtptest.Accepted {
			want = 2
		}
		for end := time.Now().Add(time.Minute); len(had()) < want && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		}
		if got := had(); len(got) != want || got[0].Data != got[len(got)-1].Data {
			t.Errorf("killed at %s: %d mails, want %d with the same bytes", step, len(got), want)
		}
	}
	time.Sleep(2 * time.Second) // for one too many
	if n := len(s.server.Mails()); n != len(steps)+1 {
		t.Errorf("%d mails in all", n)
	}
	if out := s.stump("history", "--kind", "remind", "--json"); strings.Count(out, "\n") != len(steps) {
		t.Errorf("%s", out)
	}
	s.stump("verify")
}
