package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// soon has the daemon do its daily work at once.
const soon = firstDaily + "=1ms"

// backedUp waits until the folder of the backups has a new one.
func (s *siege) backedUp() string {
	s.Helper()
	for end := time.Now().Add(patient); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for line := range strings.Lines(s.said()) {
			if _, file, ok := strings.Cut(line, "msg=backup file="); ok {
				return strings.TrimSpace(file)
			}
		}
	}
	s.Fatalf("no backup; the daemon says\n%s", s.said())
	return ""
}

// rotated lets a daemon make its daily backup in a folder that has been prepared, keeping
// one, and wants everything that was in the folder to be there still.
func rotated(name string, prepare func(s *siege, dir string)) attempt {
	return attempt{"rotation with " + name, func(s *siege) {
		dir := s.inState("backups")
		prepare(s, dir)
		list := func() (names []string) {
			all, err := os.ReadDir(dir)
			s.ok(err)
			for _, e := range all {
				var st syscall.Stat_t
				s.ok(syscall.Lstat(filepath.Join(dir, e.Name()), &st))
				names = append(names, fmt.Sprint(e.Name(), " ", st.Ino, " ", st.Size))
			}
			return names
		}
		was := list()
		s.start("[backup]\nkeep = 1\n", soon)
		made := s.backedUp()
		s.works()
		s.stop()
		now := list()
		for _, name := range was {
			if !slices.Contains(now, name) {
				s.Errorf("%s is no longer there, but\n%s", name, strings.Join(now, "\n"))
			}
		}
		if out, err := s.run(nobody, "--state", s.state, "restore", made); err != nil && !os.IsNotExist(err) && !strings.Contains(out, "no such file") {
			s.Errorf("the backup: %v %s", err, out)
		}
	}}
}

func (s *siege) foreignLedger() []byte {
	dir := filepath.Join(s.own, "foreign")
	s.ok(os.MkdirAll(dir, 0o700))
	d := startDaemonAt(s.T, dir, filepath.Join(dir, "s"))
	d.ask("sim/seed", nil, nil)
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	b, err := os.ReadFile(filepath.Join(dir, "ledger.db"))
	s.ok(err)
	return b
}

// taking is an attempt by what [backup] run does.
func taking(name, script string, after func(s *siege)) attempt {
	return attempt{"a backup command that " + name, func(s *siege) {
		path := filepath.Join(s.base, "command")
		s.ok(os.WriteFile(path, []byte("#!/bin/sh\necho >\"$HOME/began\"\n"+script), 0o755))
		s.start(fmt.Sprintf("[backup]\nrun = [%q, \"{file}\"]\n", path), soon)
		s.eventually("the command runs", func() bool { _, err := os.Stat(s.inState("began")); return err == nil })
		s.works()
		if after != nil {
			after(s)
		}
		s.stop()
		if out, _ := exec.Command("pgrep", "-u", fmt.Sprint(nobody), "-f", path).Output(); len(out) > 0 {
			s.Errorf("left behind: %s", out)
		}
	}}
}

// eventually waits until something is so.
func (s *siege) eventually(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(patient); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("never: %s\n%s", what, s.said())
		}
	}
}

// troubled waits until the status names a trouble.
func (s *siege) troubled(name string, is bool) {
	s.Helper()
	s.eventually(fmt.Sprint("trouble ", name, " is ", is), func() bool {
		out, _ := s.ask("status", "--json")
		return strings.Contains(out, `"name":"`+name+`"`) == is
	})
}

var backupAttempts = []attempt{
	rotated("another station's backups", func(s *siege, dir string) {
		b := s.foreignLedger()
		for i := range 20 {
			s.put(filepath.Join(dir, fmt.Sprintf("ledger-%012d-20200101T000000Z.db", i)), b)
		}
	}),
	rotated("links, folders and pipes of a backup's name", func(s *siege, dir string) {
		at := func(i int) string { return filepath.Join(dir, fmt.Sprintf("ledger-%012d-20200101T000000Z.db", i)) }
		s.ok(os.Symlink(filepath.Join(s.outside, "backup.db"), at(1)), os.Symlink("/dev/zero", at(2)), os.Mkdir(at(3), 0o755), syscall.Mkfifo(at(4), 0o666), os.Symlink(dir, at(5)))
	}),
	rotated("files that are no ledger, one of a terabyte", func(s *siege, dir string) {
		s.put(filepath.Join(dir, "ledger-999999999999-99991231T235959Z.db"), []byte("text"))
		s.put(filepath.Join(dir, "ledger-000000000001-20200101T000000Z.db"), s.files["ledger.db"][:5000])
		huge := filepath.Join(dir, "ledger-000000000002-20200101T000000Z.db")
		s.put(huge, s.files["ledger.db"][:8192])
		s.ok(os.Truncate(huge, 1<<40))
	}),
	{"a backup whose name is of the year 9999", func(s *siege) {
		old := filepath.Join(s.state, "backups", "ledger-999999999999-99991231T235959Z.db")
		s.put(old, s.files["ledger.db"])
		s.start("[backup]\nkeep = 1\n")
		s.works()
		s.stop()
		all, _ := filepath.Glob(filepath.Join(s.state, "backups", "ledger-*.db"))
		if len(all) != 1 || all[0] == old {
			s.Errorf("kept: %v", all)
		}
	}},
	{"the newest backup has rotted", func(s *siege) {
		s.start("", soon)
		made := s.backedUp()
		s.stop()
		b, err := os.ReadFile(made)
		s.ok(err)
		for i := 8192; i < len(b); i += 512 {
			b[i] ^= 0x55
		}
		s.put(made, b)
		s.ok(os.Remove(s.log), os.Remove(s.inState("backup.json")))
		s.start("", soon)
		s.eventually("a new one is made, or it is said", func() bool {
			all, _ := filepath.Glob(filepath.Join(s.state, "backups", "ledger-*.db"))
			out, _ := s.ask("status", "--json")
			return len(all) > 1 || !slices.Contains(all, made) && len(all) > 0 || strings.Contains(out, "no-backup")
		})
		s.stop()
	}},
	{"the folder of the backups is a file, and then one again", func(s *siege) {
		s.instead("backups", func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) })
		s.start("", soon)
		s.troubled("no-backup", true)
		s.works()
		s.stop()
	}},
	{"leftovers that are links, locked, or another's", func(s *siege) {
		link, locked, half := s.inState("ledger.db.new-1"), s.inState("ledger.db.new-2"), s.inState("ledger.db.new-3")
		s.ok(os.Symlink(filepath.Join(s.outside, "secret"), link))
		s.theirs(link)
		s.put(locked, nil)
		s.put(half, []byte("half"))
		f, err := os.Open(locked)
		s.ok(err, unix.Flock(int(f.Fd()), unix.LOCK_EX))
		defer f.Close()
		s.start("")
		s.stop()
		_, lerr := os.Lstat(link)
		_, kerr := os.Lstat(locked)
		if _, err := os.Lstat(half); lerr != nil || kerr != nil || err == nil {
			s.Errorf("link: %v, locked: %v, half: %v", lerr, kerr, err)
		}
	}},
	taking("hangs", "sleep 1000\n", nil),
	taking("ignores signals", "trap '' TERM INT HUP; while :; do sleep 1; done\n", nil),
	taking("forks a hundred children with its output", "for i in $(seq 100); do sleep 1000 & done; exit 0\n", func(s *siege) { time.Sleep(1500 * time.Millisecond) }),
	taking("prints for ever", "exec yes a line without sense\n", func(s *siege) {
		s.grows(10<<10, func() { time.Sleep(time.Second) })
	}),
	taking("prints escapes", "printf '\\033]0;owned\\007\\033[2Jtext\\n'; exit 1\n", func(s *siege) {
		s.troubled("backup-command", true)
		if out, _ := s.ask("status"); strings.ContainsAny(out+s.said(), "\x1b\x07") {
			s.Errorf("%q %q", out, s.said())
		}
	}),
	taking("puts a link in the place of the backup", "rm \"$1\"; ln -s "+"/etc/passwd"+" \"$1\"\n", nil),
	taking("removes the ledger's folder of backups", "rm -rf \"$(dirname \"$1\")\"\n", nil),
	taking("kills its parent's children and stops itself", "kill -STOP $$\n", nil),
	{"a backup command that fills the disk", func(s *siege) {
		s.small("size=24m")
		path := filepath.Join(s.base, "command")
		s.ok(os.WriteFile(path, []byte("#!/bin/sh\ncat /dev/zero >\"$HOME/fills\"\n"), 0o755))
		s.start(fmt.Sprintf("[backup]\nrun = [%q]\n", path), soon)
		s.eventually("the disk is full", func() bool { _, err := os.Stat(s.inState("fills")); return err == nil && s.free() == 0 })
		s.d.ask("sim/seed", nil, nil)
		if _, err := s.ask("status"); err == nil {
			s.Errorf("all is well with a full disk")
		}
		s.ok(os.Remove(s.inState("fills")))
		s.eventually("bumps are saved again", func() bool { s.d.tap("ann"); return s.d.tap("ipad") && saved(s.d.last) })
		s.stop()
	}},
	{"a second folder that is a link to the ledger's disk", func(s *siege) {
		link := filepath.Join(s.parent, "usb")
		s.ok(os.Symlink(s.state, link))
		s.theirs(link)
		s.start(fmt.Sprintf("[backup]\nalso = %q\n", link), soon)
		s.troubled("no-backup", true)
		s.works()
		s.stop()
	}},
}

// small puts the state folder on a disk of its own in memory.
func (s *siege) small(options string) {
	s.Helper()
	s.ok(unix.Mount("none", s.state, "tmpfs", 0, options+fmt.Sprintf(",uid=%d,gid=%d,mode=755", nobody, nobody)))
	s.Cleanup(func() { _ = unix.Unmount(s.state, unix.MNT_DETACH) })
	for name, b := range s.files {
		s.put(s.inState(name), b)
	}
}

// free is how many bytes the disk of the state folder has.
func (s *siege) free() uint64 {
	s.Helper()
	var st unix.Statfs_t
	s.ok(unix.Statfs(s.state, &st))
	return st.Bavail * uint64(st.Bsize)
}

// replaced starts a daemon where something else is in the ledger's place. It must not take
// that for its ledger without a word.
func replaced(name, want string, make func(s *siege, path string) error) attempt {
	return attempt{name + " in the ledger's place", func(s *siege) {
		s.instead("ledger.db", func(path string) error { return make(s, path) })
		s.launch("")
		s.eventually("it says "+want, func() bool { return strings.Contains(s.said(), want) })
		time.Sleep(100 * time.Millisecond)
		_ = s.d.cmd.Process.Signal(syscall.SIGTERM)
		done := time.AfterFunc(patient, func() { s.Errorf("no stop:\n%s", s.said()); _ = s.d.cmd.Process.Kill() })
		_ = s.d.cmd.Wait()
		done.Stop()
		if strings.Contains(s.said(), "panic") {
			s.Errorf("%s", s.said())
		}
	}}
}

func contents(change func(b []byte) []byte) func(s *siege, path string) error {
	return func(s *siege, path string) error {
		return os.WriteFile(path, change(slices.Clone(s.files["ledger.db"])), 0o600)
	}
}

var ledgerAttempts = []attempt{
	replaced("nothing", "", func(s *siege, path string) error { return os.WriteFile(path, nil, 0o600) }),
	replaced("a text", "", contents(func([]byte) []byte { return []byte("id,name\n") })),
	replaced("half of it", "", contents(func(b []byte) []byte { return b[:len(b)/2] })),
	replaced("a folder", "", func(s *siege, path string) error { return os.Mkdir(path, 0o755) }),
	replaced("a pipe", "", func(s *siege, path string) error { return syscall.Mkfifo(path, 0o666) }),
	replaced("a link to /dev/zero", "", func(s *siege, path string) error { return os.Symlink("/dev/zero", path) }),
	replaced("a forged newest page", "", contents(func(b []byte) []byte {
		for i := 16; i < 80; i++ {
			b[i], b[4096+i] = b[4096+i]^0xff, b[i]
		}
		return b
	})),
	{"an old copy put back while it is stopped", func(s *siege) {
		s.start("")
		s.works()
		s.stop()
		n := s.events()
		s.put(s.inState("ledger.db"), s.files["ledger.db"])
		s.ok(os.Remove(s.log))
		s.start("")
		out, _ := s.ask("status")
		verified, _ := s.ask("verify")
		if !strings.Contains(s.said(), "an old copy was put back") || !strings.Contains(out, "missing: event 19") {
			s.Errorf("nobody says so: %s\n%s", out, s.said())
		}
		s.works()
		history, _ := s.ask("history", "--json")
		numbers := regexp.MustCompile(`"seq":\d+`).FindAllString(history, -1)
		slices.Sort(numbers)
		if !strings.Contains(verified, "1 number without an event") || len(numbers) < n || len(slices.Compact(numbers)) < len(numbers) {
			s.Errorf("of %d events, verify says %s\nand there are %v", n, verified, numbers)
		}
		s.stop()
	}},
	{"an old copy put back while it runs", func(s *siege) {
		s.start("")
		s.works()
		s.put(s.inState("copy"), s.files["ledger.db"])
		s.ok(os.Rename(s.inState("copy"), s.inState("ledger.db")))
		s.keepsBumps()
	}},
	{"the ledger is removed while it runs", func(s *siege) {
		s.start("")
		s.works()
		s.ok(os.Remove(s.inState("ledger.db")))
		s.keepsBumps()
	}},
	{"two daemons, one ledger", func(s *siege) {
		s.start("")
		for _, socket := range []string{s.socket, s.socket + "2"} {
			if out, err := s.run(nobody, "run", "--sim", "--config", s.config, "--state", s.state, "--socket", socket); err == nil {
				s.Errorf("a second daemon ran: %s", out)
			}
		}
		if out, err := s.run(nobody, "--state", s.state, "people", "add", "Zoe"); err == nil {
			s.Errorf("added beside the daemon: %s", out)
		}
		s.works()
		s.stop()
	}},
	{"only backups are left", func(s *siege) {
		s.start("", soon)
		s.works()
		s.backedUp()
		s.stop()
		s.ok(os.Remove(s.inState("ledger.db")), os.Remove(s.log))
		s.launch("")
		time.Sleep(time.Second)
		if out, _ := s.ask("who"); !strings.Contains(s.said(), "backup") {
			s.Errorf("nobody names the backups: %s\n%s", out, s.said())
		}
	}},
	{"only a file that was set aside is left", func(s *siege) {
		s.ok(os.Rename(s.inState("ledger.db"), s.inState("ledger.db.damaged-20260101T000000Z")))
		s.launch("")
		time.Sleep(time.Second)
		if !strings.Contains(s.said(), "the ledger is gone") {
			s.Errorf("nobody says so:\n%s", s.said())
		}
	}},
	{"another station's ledger", func(s *siege) {
		s.start("")
		s.stop()
		s.put(s.inState("ledger.db"), s.foreignLedger())
		s.ok(os.Remove(s.log))
		s.launch("")
		time.Sleep(time.Second)
		out, _ := s.ask("status")
		if !strings.Contains(s.said()+out, "another") && !strings.Contains(s.said(), "site key") {
			s.Errorf("nobody says so: %s\n%s", out, s.said())
		}
	}},
	{"a forged note of the newest event", func(s *siege) {
		s.start("")
		s.works()
		s.stop()
		all, _ := filepath.Glob(s.inState("*.json"))
		notes, _ := filepath.Glob(s.inState("ledger.db.*"))
		for _, path := range append(all, notes...) {
			for _, text := range []string{"", "\x00\xff", "[]", "{}", "null", `{"seq":18446744073709551615}`, strings.Repeat("9", 5000)} {
				had, err := os.ReadFile(path)
				if err != nil {
					continue
				}
				s.put(path, []byte(text))
				s.start("")
				s.works()
				s.stop()
				if strings.Contains(s.said(), "panic") {
					s.Fatalf("%s with %q: %s", path, text, s.said())
				}
				s.put(path, had)
			}
		}
	}},
	{"pipes in the place of what is noted", func(s *siege) {
		for _, name := range []string{"access.json", "backup.json", "readers.json", "ledger.db.holder", "site.key"} {
			s.instead(name, func(path string) error { return syscall.Mkfifo(path, 0o666) })
			s.launch("")
			time.Sleep(500 * time.Millisecond)
			begin := time.Now()
			_ = s.d.cmd.Process.Signal(syscall.SIGTERM)
			kill := time.AfterFunc(patient, func() { _ = s.d.cmd.Process.Kill() })
			_ = s.d.cmd.Wait()
			if !kill.Stop() {
				s.Errorf("%s: no stop:\n%s", name, s.said())
			}
			s.Logf("%s: stopped in %v", name, time.Since(begin))
			s.renew()
		}
	}},
}

// events is the number of the newest event.
func (s *siege) events() int {
	s.Helper()
	out, _ := s.run(0, "--state", s.state, "history", "--json")
	return strings.Count(out, "\n")
}

// keepsBumps bumps at a station whose ledger's file is another now, and starts it again: what
// was confirmed is there.
func (s *siege) keepsBumps() {
	s.Helper()
	time.Sleep(500 * time.Millisecond)
	s.d.tap("cem")
	s.d.tap("pixel")
	confirmed := saved(s.d.last)
	s.stop()
	s.start("")
	loans, _ := s.ask("who")
	if confirmed && !strings.Contains(loans, "Pixel") {
		s.Errorf("a confirmed bump is lost:\n%s\nlog:\n%s", loans, s.said())
	}
	s.stop()
}
