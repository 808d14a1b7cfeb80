package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// eve is a third user, who owns nothing of the station.
const eve = 12345

// linked are attempts on root by a link of nobody's, in the place of a file of the state
// folder, to a file of root's.
func linked(name, to string) attempt {
	return attempt{name + " leads to " + to, func(s *siege) {
		s.instead(name, func(path string) error { return os.Symlink(filepath.Join(s.outside, to), path) })
		for _, args := range [][]string{
			{"verify"}, {"who"}, {"people", "import", filepath.Join(s.outside, "people.csv")}, {"token", "add", "x", "--role", "staff"},
			{"backup", filepath.Join(s.state, "copy.db"), "--force"}, {"restore", filepath.Join(s.outside, "backup.db"), "--yes", "--fork"},
		} {
			if out, _ := s.run(0, append([]string{"--state", s.state}, args...)...); strings.Contains(out, "root's") || strings.Contains(out, "panic") {
				s.Errorf("%q says\n%s", args, out)
			}
			s.outsideIsWhole()
		}
		s.station()
	}}
}

// station has root run a station in nobody's folder for a moment.
func (s *siege) station() {
	s.Helper()
	cmd := exec.Command(filepath.Join(s.base, "stump"), "run", "--sim", "--config", s.config, "--state", s.state, "--socket", s.socket)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	s.ok(cmd.Start())
	time.Sleep(400 * time.Millisecond)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patient, func() { _ = cmd.Process.Kill(); s.Errorf("no stop:\n%s", &out) })
	_ = cmd.Wait()
	kill.Stop()
	if strings.Contains(out.String(), "root's") || strings.Contains(out.String(), "panic") {
		s.Errorf("the station says\n%s", &out)
	}
}

// races are attempts by nobody, who exchanges files for links as fast as it can.
func races(how string, args ...string) attempt {
	return attempt{"links renamed in (" + how + ") during " + strings.Join(args, " "), func(s *siege) {
		a := exec.Command(filepath.Join(s.base, "attack"), how, s.state, s.outside)
		a.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		s.ok(a.Start())
		defer func() { _ = a.Wait() }()
		defer func() { _ = a.Process.Kill() }()
		for range 8 {
			if args[0] == "run" {
				s.station()
			} else if out, _ := s.run(0, append([]string{"--state", s.state}, args...)...); strings.Contains(out, "panic") {
				s.Errorf("%q: %s", args, out)
			}
			s.outsideIsWhole()
			s.ok(a.Process.Signal(syscall.SIGSTOP), unix.Waitid(unix.P_PID, a.Process.Pid, nil, unix.WSTOPPED, nil))
			s.renew()
			s.ok(a.Process.Signal(syscall.SIGCONT))
		}
	}}
}

// writes has root write a file to a place that nobody has prepared.
func writes(name string, args []string, prepare func(s *siege, path string)) attempt {
	return attempt{args[0] + " to " + name, func(s *siege) {
		dir := filepath.Join(s.parent, "for-root")
		s.ok(os.Mkdir(dir, 0o755), os.Lchown(dir, nobody, nobody))
		path := filepath.Join(dir, "file")
		prepare(s, path)
		if args[0] == "scope" {
			s.start("")
			defer s.stop()
			args = append([]string{"--socket", s.socket}, args...)
		} else {
			args = append([]string{"--state", s.state}, args...)
		}
		for i, a := range args {
			args[i] = strings.ReplaceAll(a, "FILE", path)
		}
		out, _ := s.run(0, args...)
		s.Logf("%s", out)
	}}
}

func symlinkTo(name string) func(*siege, string) {
	return func(s *siege, path string) {
		s.ok(os.Symlink(filepath.Join(s.outside, name), path), os.Lchown(path, nobody, nobody))
	}
}

var rootAttempts = []attempt{
	races("temps", "people", "export"), races("ledger", "verify"), races("folder", "token", "add", "x", "--role", "staff"),
	races("temps", "run"), races("ledger", "run"), races("folder", "run"),
	linked("ledger.db", "lab/ledger.db"), linked("ledger.db.holder", "secret"), linked("site.key", "secret"), linked("access.json", "secret"),
	linked("backups", "lab"), linked("backup.json", "new"), linked("frames", "lab"), linked("ledger.db.suspect", "secret"), linked("ledger.db.import", "secret"),
	writes("a link to root's file", []string{"backup", "FILE", "--force"}, symlinkTo("secret")),
	writes("a link to root's new file", []string{"backup", "FILE"}, symlinkTo("new")),
	writes("a link to root's file", []string{"wiring", "--svg", "FILE"}, symlinkTo("secret")),
	writes("a link to root's file", []string{"scope", "-o", "FILE"}, symlinkTo("new")),
	{"backup to a pipe that nobody reads", func(s *siege) {
		path := filepath.Join(s.own, "pipe")
		s.ok(syscall.Mkfifo(path, 0o600))
		s.run(0, "--state", s.state, "backup", path, "--force")
	}},
	{"backup to a device", func(s *siege) {
		path := filepath.Join(s.own, "null")
		s.ok(syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|3))
		out, err := s.run(0, "--state", s.state, "backup", path, "--force")
		if st, serr := os.Lstat(path); serr != nil || st.Mode()&os.ModeCharDevice == 0 {
			s.Errorf("the device is %v now: %v %s", st, err, out)
		}
	}},
	{"restore from a pipe, a device, a folder and a link", func(s *siege) {
		pipe, endless, link := filepath.Join(s.own, "pipe"), filepath.Join(s.own, "zero"), filepath.Join(s.parent, "link")
		s.ok(syscall.Mkfifo(pipe, 0o600), syscall.Mknod(endless, syscall.S_IFCHR|0o666, 1<<8|5),
			os.Symlink(filepath.Join(s.outside, "secret"), link), os.Lchown(link, nobody, nobody))
		for _, from := range []string{pipe, endless, s.own, link} {
			out, err := s.run(0, "--state", s.state, "restore", from, "--yes")
			if err == nil {
				s.Errorf("%s was restored: %s", from, out)
			}
		}
	}},
	{"a hard link to root's file as the ledger", func(s *siege) {
		for _, name := range []string{"ledger.db", "site.key", "access.json"} {
			_ = os.Remove(s.inState(name))
			s.ok(os.Link(filepath.Join(s.outside, "secret"), s.inState(name)))
		}
		s.station()
		s.run(0, "--state", s.state, "verify")
	}},
	{"a state folder that two users may write to", func(s *siege) {
		shared := filepath.Join(s.base, "shared")
		s.ok(os.Mkdir(shared, 0o777), os.Chmod(shared, 0o777))
		out, err := s.run(0, "--state", filepath.Join(shared, "state"), "people", "add", "Ann")
		if err == nil || !strings.Contains(out, "several users may write") {
			s.Errorf("%v %s", err, out)
		}
	}},
	{"a socket's place that is a file, a link, another's socket", func(s *siege) {
		tmp := filepath.Join(s.base, "tmp")
		s.ok(os.Mkdir(tmp, 0o777), os.Chmod(tmp, 0o777|os.ModeSticky))
		for _, what := range []string{"file", "link", "socket", "pipe"} {
			path := filepath.Join(tmp, what)
			switch what {
			case "file":
				s.ok(os.WriteFile(path, []byte("eve's"), 0o666))
			case "link":
				s.ok(os.Symlink(filepath.Join(s.outside, "secret"), path))
			case "pipe":
				s.ok(syscall.Mkfifo(path, 0o666))
			case "socket":
				l, err := net.Listen("unix", path)
				s.ok(err)
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				s.ok(l.Close())
			}
			s.ok(os.Lchown(path, eve, eve))
			was, _ := os.Lstat(path)
			out, err := s.run(nobody, "run", "--sim", "--config", s.config, "--state", s.state, "--socket", path)
			now, _ := os.Lstat(path)
			if err == nil || now == nil || !os.SameFile(was, now) {
				s.Errorf("%s: %v, and is now %v: %s", what, err, now, out)
			}
			// Root asks there, and is shown nothing of anybody's.
			if out, err := s.run(0, "--socket", path, "status"); err == nil || strings.Contains(out, "root's") {
				s.Errorf("%s: root is told %s", what, out)
			}
		}
	}},
	{"another user at the socket", func(s *siege) {
		s.start("")
		s.works()
		if out, err := s.run(eve, "--socket", s.socket, "who"); err == nil || !strings.Contains(out, "permission denied") {
			s.Errorf("eve is told %s", out)
		}
		if out, err := s.run(eve, "--state", s.state, "who"); err == nil {
			s.Errorf("eve reads %s", out)
		}
		s.stop()
	}},
	{"a socket that answers with escapes", func(s *siege) {
		path := s.evilSocket(func(c net.Conn) {
			body := "\x1b]0;owned\x07\x1b[2J"
			fmt.Fprintf(c, "HTTP/1.1 500 \x1b[31m\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n{\"error\":\"%s\",\"hint\":\"\\u001b[2J\",\"code\":\"\\u001b[2J\"}", body)
		})
		for _, args := range [][]string{{"who"}, {"status"}, {"history", "--json"}, {"people", "list"}, {"sync"}} {
			if out, _ := s.run(0, append([]string{"--socket", path}, args...)...); strings.ContainsAny(out, "\x1b\x07") {
				s.Errorf("%q prints %q", args, out)
			}
		}
	}},
	{"a socket that answers for ever", func(s *siege) {
		path := s.evilSocket(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 500 no\r\nX: ")
			for range 4000 {
				if _, err := fmt.Fprint(c, strings.Repeat("x", 64<<10)); err != nil {
					return
				}
			}
		})
		if out, err := s.run(0, "--socket", path, "who"); err == nil {
			s.Errorf("%s", out)
		}
	}},
	{"names of files with escapes", func(s *siege) {
		evil := filepath.Join(s.parent, "\x1b]0;owned\x07.db")
		for _, args := range [][]string{{"restore", evil}, {"people", "import", evil}, {"backup", evil + "/x/y"}, {"decode", evil}, {"--config", evil, "config", "check"}} {
			if out, _ := s.run(0, append([]string{"--state", s.state}, args...)...); strings.ContainsAny(out, "\x1b\x07") {
				s.Errorf("%q prints %q", args, out)
			}
		}
	}},
}

// evilSocket is a socket at which each caller is answered so.
func (s *siege) evilSocket(answer func(net.Conn)) (path string) {
	s.Helper()
	path = filepath.Join(s.base, "evil")
	l, err := net.Listen("unix", path)
	s.ok(err)
	s.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return path
}
