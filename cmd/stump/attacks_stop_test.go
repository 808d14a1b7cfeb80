package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"stump/internal/simlab"
)

// sends is an attempt that sends bytes to the socket from n connections at once, and lets them hang.
func sends(name string, n int, text string) attempt {
	return attempt{name, func(s *siege) {
		s.start("")
		s.works()
		s.grows(10<<10, func() {
			for range n {
				c := s.conn()
				go func() { _, _ = io.Copy(c, strings.NewReader(text)) }()
			}
			time.Sleep(300 * time.Millisecond)
			s.works()
			time.Sleep(6 * time.Second)
		})
		s.works()
		s.stop()
	}}
}

// reload sends SIGHUP after the configuration has been replaced.
func reload(name string, change func(s *siege)) attempt {
	return attempt{"SIGHUP with " + name, func(s *siege) {
		s.start("")
		s.works()
		s.grows(10<<10, func() {
			change(s)
			_ = s.d.cmd.Process.Signal(syscall.SIGHUP)
			time.Sleep(500 * time.Millisecond)
			s.works()
		})
		s.stop()
	}}
}

func (s *siege) instead2(make func(path string) error) {
	s.Helper()
	s.ok(os.RemoveAll(s.config), make(s.config))
}

// large is the state of a station with many events, made once.
var large = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("/dev/shm", "stump-attacks-")
	if err == nil {
		err = fillState(dir, 20_000)
	}
	return dir, err
})

// under stops the daemon of a large ledger while something is under way.
func under(name, config string, env string, begin func(s *siege)) attempt {
	return attempt{"SIGTERM under " + name, func(s *siege) {
		dir, err := large()
		s.ok(err)
		for _, name := range []string{"ledger.db", "site.key"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			s.ok(err)
			s.put(s.inState(name), b)
		}
		_ = os.Remove(s.inState("ledger.db.holder"))
		if strings.HasPrefix(name, "salvage") {
			s.put(s.inState("ledger.db.suspect"), []byte("a test"))
			s.launch(config)
			time.Sleep(400 * time.Millisecond)
		} else {
			s.start(config, env)
		}
		if begin != nil {
			begin(s)
		}
		s.stop()
	}}
}

// asks begins commands, and waits a moment.
func asks(commands ...string) func(s *siege) {
	return func(s *siege) {
		for _, c := range commands {
			cmd := exec.Command(filepath.Join(s.base, "stump"), append([]string{"--socket", s.socket}, strings.Fields(strings.ReplaceAll(c, "OWN", s.own))...)...)
			s.ok(cmd.Start())
			s.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// post sends a body and returns the status of the answer, 0 for none.
func (s *siege) post(path, kind string, body io.Reader) int {
	r, err := s.client().Post("http://stump/v1/"+path, kind, body)
	if err != nil {
		return 0
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode
}

var stopAttempts = []attempt{
	under("an import", "", "", func(s *siege) {
		s.ok(os.WriteFile(filepath.Join(s.own, "people.csv"), manyPeople(50_000), 0o600))
		asks("people import OWN/people.csv")(s)
	}),
	under("exports", "", "", asks("people export", "devices export", "history --json", "history --json")),
	under("verify", "", "", asks("verify", "verify")),
	under("a backup", "", "", asks("backup OWN/copy.db")),
	under("an erasure", "", "", asks("people erase nobody-1 --yes")),
	under("a dossier", "", "", asks("people dossier person-1")),
	under("a salvage", "", "", nil),
	under("the daily work", "[privacy]\nretain_closed_loans = \"24h\"\n[clock]\ntrust = \"rtc\"\n", soon, func(s *siege) { time.Sleep(300 * time.Millisecond) }),
	{"SIGTERM under a pull that never ends", func(s *siege) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"totalResults":3,"Resources":[`)
			_ = without(w, func(i int) string { time.Sleep(time.Millisecond); return scimUser(i, fmt.Sprint("Person ", i)) })
		}))
		defer srv.Close()
		defer srv.CloseClientConnections()
		token := filepath.Join(s.base, "token")
		s.ok(os.WriteFile(token, []byte("secret\n"), 0o644))
		s.start(fmt.Sprintf("[directory]\nkind = \"scim\"\nurl = %q\ntoken_file = %q\n", srv.URL, token))
		asks("sync pull")(s)
		s.works()
		s.stop()
	}},
	{"SIGTERM under 200 streams", func(s *siege) {
		s.start("")
		for range 200 {
			c := s.conn()
			fmt.Fprint(c, "GET /v1/events HTTP/1.1\r\nHost: stump\r\nAccept: text/event-stream\r\n\r\n")
		}
		time.Sleep(300 * time.Millisecond)
		s.works()
		s.stop()
	}},
	{"slow uploads", func(s *siege) {
		s.start("")
		for i := range 60 {
			c := s.conn()
			fmt.Fprintf(c, "POST /v1/%s HTTP/1.1\r\nHost: stump\r\nContent-Type: text/csv\r\nContent-Length: 30000000\r\n\r\nid,name\n", []string{"people/import", "devices/import", "people"}[i%3])
			go func() {
				for {
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		s.works()
		if out, err := s.ask("people", "list"); err != nil {
			s.Errorf("%v %s", err, out)
		}
		s.stop()
	}},
	{"four uploads of 32 MB at once, refused", func(s *siege) {
		s.start("")
		s.works()
		s.post("people/import", "text/csv", strings.NewReader("id,name,email\nx,X,x\n"))
		s.grows(10<<10, func() {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					body := io.MultiReader(strings.NewReader("id,name,email\n"), io.LimitReader(endless("a,Person,nobody,"+strings.Repeat("x", 300)+"\n"), 32<<20))
					if status := s.post("people/import", "text/csv", body); status < 400 {
						s.Errorf("answered %d", status)
					}
				})
			}
			all.Wait()
		})
		s.works()
		s.stop()
	}},
	{"uploads where none is wanted", func(s *siege) {
		s.start("")
		s.works()
		s.grows(10<<10, func() {
			for _, path := range []string{"people", "devices", "loans", "enrol", "selftest", "scope", "who", "sim/tap", "tokens", "pulls", "backup", "verify", "jobs", "reservations"} {
				if status := s.post(path, "application/json", io.LimitReader(endless("[{\"a\":"), 64<<20)); status > 0 && status < 400 {
					s.Errorf("%s answered %d", path, status)
				}
			}
		})
		s.works()
		s.stop()
	}},
	sends("a hundred heads of a megabyte without an end", 100, "GET /v1/who HTTP/1.1\r\nHost: stump\r\nX: "+strings.Repeat("x", 1000<<10)),
	sends("a hundred heads of 20,000 lines", 100, "GET /v1/who HTTP/1.1\r\nHost: stump\r\n"+strings.Repeat("X-Y: z\r\n", 20_000)),
	sends("a path of a megabyte", 50, "GET /"+strings.Repeat("%2e", 300<<10)+" HTTP/1.1\r\nHost: stump\r\n\r\n"),
	sends("lengths and encodings that contradict each other", 50, "POST /v1/people HTTP/1.1\r\nHost: stump\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n{}"),
	sends("a chunk's extension without an end", 50, "POST /v1/people HTTP/1.1\r\nHost: stump\r\nTransfer-Encoding: chunked\r\n\r\n1;"+strings.Repeat("x", 4<<20)),
	sends("five thousand requests whose answers nobody reads", 4, strings.Repeat("GET /v1/history HTTP/1.1\r\nHost: stump\r\n\r\n", 5000)),
	sends("bytes that are no HTTP", 200, strings.Repeat("\x16\x03\x01\x00\xff", 1000)),
	{"a thousand connections", func(s *siege) {
		s.start("")
		for range 1000 {
			if c, err := s.dialed(); err == nil {
				fmt.Fprint(c, "GET ")
			}
		}
		s.eventually("the desk answers", func() bool { s.d.ask("sim/seed", nil, nil); return s.d.dial() == nil && s.d.tap("ann") })
		s.stop()
	}},
	reload("a mistake", func(s *siege) {
		s.instead2(func(p string) error { return os.WriteFile(p, []byte("station = 7\n\x00"), 0o644) })
	}),
	reload("no file", func(s *siege) { s.ok(os.Remove(s.config)) }),
	reload("a folder", func(s *siege) { s.instead2(func(p string) error { return os.Mkdir(p, 0o755) }) }),
	reload("a pipe", func(s *siege) {
		s.instead2(func(p string) error { return syscall.Mkfifo(p, 0o644) })
		s.ok(os.Chmod(s.config, 0o644))
	}),
	reload("a file that never ends", func(s *siege) { s.instead2(func(p string) error { return os.Symlink("/dev/zero", p) }) }),
	reload("a file of 200 MB", func(s *siege) {
		s.instead2(func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("# a comment\n", 17<<20)), 0o644) })
	}),
	{"a storm of SIGHUP", func(s *siege) {
		s.start("")
		s.works()
		s.grows(10<<10, func() {
			for range 3000 {
				_ = s.d.cmd.Process.Signal(syscall.SIGHUP)
				time.Sleep(100 * time.Microsecond)
			}
			s.works()
		})
		s.stop()
	}},
	{"no space", func(s *siege) {
		s.small("size=2m")
		s.start("")
		s.works()
		fill := s.inState("fill")
		f, err := os.Create(fill)
		s.ok(err)
		_, _ = io.Copy(f, endless("x"))
		f.Close()
		confirmed := 1
		refused := 0
		for i, p := range simlab.People[1:] {
			s.d.tap(p.ID)
			s.d.tap(simlab.Devices[i+6].ID)
			if saved(s.d.last) { // in pages that were free
				confirmed++
			} else if refused++; !strings.Contains(s.d.last, "Can't save") {
				s.Errorf("the display says %q", s.d.last)
			}
		}
		if out, err := s.ask("status"); refused > 0 && err == nil {
			s.Errorf("the status says that all is well: %s", out)
		}
		s.ok(os.Remove(fill))
		s.eventually("the disk saves again", func() bool { _, err := s.ask("status"); return err == nil })
		s.works()
		s.stop()
		s.start("")
		if kept := len(s.d.bumps()); kept < confirmed+1 {
			s.Errorf("%d bumps were confirmed, %d are there", confirmed+1, kept)
		}
		s.stop()
	}},
	{"no inodes", func(s *siege) {
		s.small("size=20m,nr_inodes=40")
		s.start("")
		s.works()
		var made []string
		for i := 0; ; i++ {
			name := s.inState(fmt.Sprint("fill", i))
			f, err := os.Create(name)
			if err != nil {
				break
			}
			f.Close()
			made = append(made, name)
		}
		s.works() // a bump needs no new file
		for _, name := range made {
			s.ok(os.Remove(name))
		}
		s.works()
		s.stop()
	}},
	{"no file descriptors", func(s *siege) {
		s.start("")
		s.works()
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.d.cmd.Process.Pid))
		s.ok(err)
		s.limit("nofile", len(open)+2)
		for range 40 {
			if c, err := s.dialed(); err == nil {
				fmt.Fprint(c, "GET /v1/events HTTP/1.1\r\nHost: stump\r\nAccept: text/event-stream\r\n\r\n")
			}
		}
		time.Sleep(500 * time.Millisecond)
		s.limit("nofile", 1024)
		s.eventually("it answers again", func() bool { return s.d.dial() == nil && s.d.tap("ann") })
		s.works()
		s.stop()
	}},
	{"no memory", func(s *siege) {
		s.start("")
		s.works()
		loans, _ := s.ask("who", "--json")
		s.limit("as", 1) // nothing more can be mapped
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.post("people/import", "text/csv", io.LimitReader(endless("a,Person,nobody\n"), 32<<20)) })
		}
		all.Wait()
		_ = s.d.cmd.Process.Kill()
		_ = s.d.cmd.Wait()
		s.start("")
		if now, _ := s.ask("who", "--json"); strings.Count(now, "\n") < strings.Count(loans, "\n") {
			s.Errorf("there were\n%s\nand are\n%s", loans, now)
		}
		if out, err := s.ask("verify"); err != nil {
			s.Errorf("%s", out)
		}
		s.stop()
	}},
	{"the socket is removed, and another put there", func(s *siege) {
		s.start("")
		s.ok(os.Remove(s.socket), os.WriteFile(s.socket, []byte("eve's"), 0o600))
		s.stop()
		if b, err := os.ReadFile(s.socket); err != nil || string(b) != "eve's" {
			s.Errorf("%v %q", err, b)
		}
	}},
	{"a client that reads a byte a second", func(s *siege) {
		dir, err := large()
		s.ok(err)
		for _, name := range []string{"ledger.db", "site.key"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			s.ok(err)
			s.put(s.inState(name), b)
		}
		_ = os.Remove(s.inState("ledger.db.holder"))
		s.start("")
		s.d.ask("sim/seed", nil, nil)
		s.works()
		s.grows(40*500, func() {
			for range 40 {
				c := s.conn()
				fmt.Fprint(c, "GET /v1/history HTTP/1.1\r\nHost: stump\r\nAccept: application/x-ndjson\r\n\r\n")
				_, _ = bufio.NewReaderSize(c, 16).ReadByte()
			}
			s.works()
			time.Sleep(time.Second)
			s.works()
		})
		s.stop()
	}},
}
