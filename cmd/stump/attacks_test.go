package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"stump/internal/simlab"
	"stump/internal/testkit"
)

// An attempt is an attack on a station, played against a real daemon of a user of its own.
// It succeeds if it does what nobody may: then its test fails.
type attempt struct {
	name string
	play func(s *siege)
}

// TestAttacks plays attacks of the kinds in docs/threat-model.md, and counts those that
// succeed.
func TestAttacks(t *testing.T) {
	testkit.NeedRoot(t)
	var n int
	var won, longest atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, kind := range []struct {
			name string
			all  []attempt
		}{{"root", rootAttempts}, {"backups", backupAttempts}, {"ledgers", ledgerAttempts}, {"stops", stopAttempts}} {
			for _, a := range kind.all {
				n++
				t.Run(kind.name+"/"+a.name, func(t *testing.T) {
					t.Parallel()
					s := newSiege(t)
					s.longest = &longest
					defer func() {
						if t.Failed() {
							won.Add(1)
						}
					}()
					a.play(s)
					s.outsideIsWhole()
				})
			}
		}
	})
	t.Logf("attempts: %d, successes: %d; the longest stop took %v", n, won.Load(), time.Duration(longest.Load()).Round(time.Millisecond))
}

// siege is a station of nobody's that is attacked.
type siege struct {
	*foreign
	config, socket, log string
	d                   *process
	before              []string // root's files
	bumps               int
	longest             *atomic.Int64 // stop of all sieges, in nanoseconds
}

func newSiege(t *testing.T) *siege {
	s := &siege{foreign: newForeign(t)}
	s.config, s.log = filepath.Join(s.base, "stump.toml"), filepath.Join(s.base, "log")
	run := filepath.Join(s.base, "run")
	s.socket = filepath.Join(run, "s")
	s.ok(os.Mkdir(run, 0o755), os.Chown(run, nobody, nobody), os.WriteFile(s.config, []byte("station = \"lab\"\n"), 0o644))
	s.before = s.seen()
	return s
}

// start starts the daemon as nobody, and waits until it answers. more is added to the
// configuration.
func (s *siege) start(more string, env ...string) *process {
	s.Helper()
	s.launch(more, env...)
	return s.answers()
}

// launch starts the daemon and does not wait.
func (s *siege) launch(more string, env ...string) {
	s.Helper()
	s.ok(os.WriteFile(s.config, []byte("station = \"lab\"\n"+more), 0o644))
	cmd := exec.Command(filepath.Join(s.base, "stump"), "run", "--sim", "--config", s.config, "--state", s.state, "--socket", s.socket)
	cmd.Env = append(append(os.Environ(), "HOME="+s.state), env...)
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.ok(err)
	defer log.Close()
	cmd.Stderr, cmd.SysProcAttr = log, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	s.d = &process{t: s.T, cmd: cmd, socket: s.socket}
	s.ok(cmd.Start())
	s.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// answers waits until the daemon answers.
func (s *siege) answers() *process {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s.d.dial() == nil {
			return s.d
		}
	}
	s.Fatalf("the daemon does not answer; it said\n%s", s.said())
	return nil
}

// said is the daemon's log.
func (s *siege) said() string {
	b, _ := os.ReadFile(s.log)
	return string(b)
}

// patient is how long a stop and other things that are quick may take on a busy machine.
const patient = 10 * time.Second

// stop sends SIGTERM and wants the daemon's end.
func (s *siege) stop() {
	s.Helper()
	begin := time.Now()
	_ = s.d.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- s.d.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			s.Errorf("the stop: %v\n%s", err, s.said())
		}
	case <-time.After(patient):
		s.Fatalf("no stop within %v; it said\n%s", patient, s.said())
	}
	took := time.Since(begin)
	s.Logf("stopped in %v", took.Round(time.Millisecond))
	for longest := s.longest.Load(); int64(took) > longest && !s.longest.CompareAndSwap(longest, int64(took)); longest = s.longest.Load() {
	}
}

// works wants that two bumps are saved, of a pair that no bump of this siege had.
func (s *siege) works() {
	s.Helper()
	for range simlab.Devices { // in spite of one that still lies on the reader
		p, d := simlab.People[s.bumps%len(simlab.People)], simlab.Devices[s.bumps%len(simlab.Devices)]
		s.bumps++
		if s.d.tap(p.ID) && s.d.tap(d.ID) && (saved(s.d.last) || strings.Contains(s.d.last, "Returned")) {
			return
		}
	}
	s.Errorf("no bump is saved; the display says %q\n%s", s.d.last, s.said())
}

// ask runs a command against the daemon, as root, for at most patient.
func (s *siege) ask(args ...string) (string, error) {
	return s.run(0, append([]string{"--socket", s.socket}, args...)...)
}

// run runs the program as a user.
func (s *siege) run(uid uint32, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.Context(), patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.base, "stump"), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		s.Errorf("stump %q hangs:\n%s", args, out)
	}
	return string(out), err
}

// outsideIsWhole wants that root's files are as they were.
func (s *siege) outsideIsWhole() {
	s.Helper()
	if after := s.seen(); strings.Join(after, "\n") != strings.Join(s.before, "\n") {
		s.Errorf("root's files were\n%s\nand are\n%s", strings.Join(s.before, "\n"), strings.Join(after, "\n"))
	}
}

// theirs makes a file, folder or link nobody's.
func (s *siege) theirs(path string) { s.Helper(); s.ok(os.Lchown(path, nobody, nobody)) }

// inState is a path in the state folder.
func (s *siege) inState(name string) string { return filepath.Join(s.state, name) }

// put writes a file of nobody's.
func (s *siege) put(path string, data []byte) {
	s.Helper()
	s.ok(os.WriteFile(path, data, 0o600))
	s.theirs(path)
}

// instead puts something else in the place of a file of the state folder.
func (s *siege) instead(name string, make func(path string) error) {
	s.Helper()
	path := s.inState(name)
	s.ok(os.RemoveAll(path), make(path), os.Lchown(path, nobody, nobody))
}

// grows wants that the daemon needs at most most KiB more after f, some time later.
func (s *siege) grows(most int64, f func()) {
	s.Helper()
	before := testkit.RSSAnon(s.T, s.d.cmd.Process.Pid)
	f()
	var after int64
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if after = testkit.RSSAnon(s.T, s.d.cmd.Process.Pid) - before; after <= most {
			break
		}
	}
	s.Logf("%d KiB above idle", after)
	if after > most {
		s.Errorf("%d KiB above idle, want at most %d", after, most)
	}
}

// client speaks to the daemon's socket.
func (s *siege) client() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket)
	}}}
}

// conn is a connection to the daemon's socket.
func (s *siege) conn() net.Conn {
	s.Helper()
	c, err := net.Dial("unix", s.socket)
	s.ok(err)
	s.Cleanup(func() { c.Close() })
	return c
}

// endless is a body that never ends.
func endless(text string) io.Reader {
	return &repeated{text: []byte(text)}
}

type repeated struct {
	text []byte
	at   int
}

func (r *repeated) Read(b []byte) (n int, err error) {
	for n < len(b) {
		k := copy(b[n:], r.text[r.at:])
		n, r.at = n+k, (r.at+k)%len(r.text)
	}
	return n, nil
}

// dialed is a connection, if the daemon takes one.
func (s *siege) dialed() (net.Conn, error) {
	c, err := net.DialTimeout("unix", s.socket, time.Second)
	if err == nil {
		s.Cleanup(func() { c.Close() })
	}
	return c, err
}

// limit sets one of the daemon's limits, as its user may.
func (s *siege) limit(what string, most int) {
	s.Helper()
	cmd := exec.Command("prlimit", "--pid", fmt.Sprint(s.d.cmd.Process.Pid), fmt.Sprintf("--%s=%d:", what, most))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("prlimit: %v %s", err, out)
	}
}
