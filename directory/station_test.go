package directory

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
)

// script is the independent server of testdata/original-server.py.
type script struct {
	t      *testing.T
	python string
	port   int
	state  string // file
	server *exec.Cmd
}

// newScript starts it on a port of its own.
func newScript(t *testing.T) *script {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no python3 for the independent server: scripts/setup installs it")
		}
		t.Skip("no python3 for the independent server")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	s := &script{t: t, python: python, port: ln.Addr().(*net.TCPAddr).Port, state: filepath.Join(t.TempDir(), "server.json")}
	s.serve()
	return s
}

func (s *script) url() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// serve starts the server and returns when it listens.
func (s *script) serve() {
	s.t.Helper()
	s.server = exec.Command(s.python, "testdata/original-server.py", strconv.Itoa(s.port), s.state)
	out, err := s.server.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	server := s.server
	if err := server.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		s.t.Fatalf("the server says %q, %v", line, err)
	}
}

// away ends the server as a power cut does.
func (s *script) away() {
	s.server.Process.Kill()
	s.server.Wait()
}

// log is what the server counted, in its order.
func (s *script) log() []string {
	var state struct{ Log []string }
	b, _ := os.ReadFile(s.state)
	json.Unmarshal(b, &state)
	return state.Log
}

// counted checks that the server counted what was wanted of each device, once
// and in this order, and nothing else.
func (s *script) counted(want map[string][]string) {
	s.t.Helper()
	got := map[string][]string{}
	for _, line := range s.log() {
		_, device, _ := strings.Cut(strings.Replace(line, " checked in ", " checked out ", 1), " checked out ")
		got[device] = append(got[device], line)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		s.t.Errorf("the server counted\n%q\nwant each once and in order\n%q", got, want)
	}
}

// site is a real "stump run --sim" beside the independent server.
type site struct {
	*script
	dir    string
	stump  string
	daemon *exec.Cmd
}

// newSite builds the daemon and starts both.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{script: newScript(t), dir: t.TempDir()}
	s.stump = filepath.Join(s.dir, "stump")
	build := exec.Command("go", "build", "-o", s.stump, "stump/cmd/stump")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	config := fmt.Sprintf(`station = "lab"
[[reader]]
preset = "original"
[directory]
kind = "endpoints"
checkinout = "%[1]s/checkinout.php?staff_rfid_tag={staff}&asset_rfid_tag={asset}"
whatis = "%[1]s/whatis.php?rfid={tag}"
associate = "%[1]s/associate.php?who={who}&tag={tag}"
hash_string = "ordinary salt"
`, s.url())
	if err := os.WriteFile(s.path("stump.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station(": answers")
	return s
}

// station starts the daemon and waits until "stump sync" says so.
func (s *site) station(says string) {
	s.daemon = exec.Command(s.stump, "--config", s.path("stump.toml"), "--state", s.path("state"), "--socket", s.path("sock"), "run", "--sim")
	if err := s.daemon.Start(); err != nil {
		s.t.Fatal(err)
	}
	daemon := s.daemon
	s.t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	eventually(s.t, "the station is up", func() bool { return strings.Contains(s.run("sync"), says) })
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// run runs a command of stump and returns all that it prints.
func (s *site) run(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, s.stump, append([]string{"--socket", s.path("sock")}, args...)...).CombinedOutput()
	return string(out)
}

// The lab of the original, with nothing changed on its server: check-out, an
// unknown badge enrolled by name, a stranger refused, an unknown device, the
// server away and back with a kill -9 of the station between, return.
func TestStationWithOriginalServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the daemon")
	}
	t.Parallel()
	s := newSite(t)
	says := func(want string, args ...string) {
		t.Helper()
		if got := s.run(args...); !strings.Contains(got, want) {
			t.Errorf("stump %s says\n%swant %q", strings.Join(args, " "), got, want)
		}
	}
	says("Corey", "sim", "tap", "91234")
	says("Checked out", "sim", "tap", "8123456")
	says("Unknown device", "sim", "tap", "8999999")
	says("Unknown badge", "sim", "tap", "99998")

	says("60 s", "enroll", "person", "Mallory")
	s.run("sim", "tap", "99997")
	says("60 s", "enroll", "person", "C Benninger")
	says("C Benninger", "sim", "tap", "99996")
	if state, _ := os.ReadFile(s.state); strings.Contains(string(state), "Mallory") || !strings.Contains(string(state), `"C Benninger"}`) {
		t.Errorf("the server has\n%s", state)
	}

	s.away()
	time.Sleep(1600 * time.Millisecond) // a reader repeats itself for 1.5 s
	says("Hello C Benn", "sim", "tap", "99996")
	says("…001", "sim", "tap", "8200001") // a device that nobody has heard of yet
	says("down for", "sync")
	says("1 event waits", "sync")
	s.daemon.Process.Kill()
	s.daemon.Wait()
	s.station("1 event waits")
	s.serve()
	s.run("sync", "retry", "all")
	eventually(t, "told when the server is back", func() bool { return len(s.log()) == 2 })
	says("C Benninger", "who")

	time.Sleep(4 * time.Second) // the same pair within 5 s undoes nothing
	s.run("sim", "tap", "8123456")
	says("Returned", "sim", "tap", "91234")
	want := []string{"Corey checked out iPod Touch 5th Generation", "C Benninger checked out iPad Mini G1 (inky)", "Corey checked in iPod Touch 5th Generation"}
	eventually(t, "all told", func() bool { return len(s.log()) == 3 })
	if got := s.log(); !slices.Equal(got, want) {
		t.Errorf("the server counted %q, want %q", got, want)
	}
}

// awayFor is how long the server of TestStationServerAway is away. An hour of
// the clock on the wall is
//
//	go test ./directory -run TestStationServerAway -v -away 1h -timeout 90m
var awayFor = flag.Duration("away", 11*time.Second, "how long TestStationServerAway keeps the server away")

// The real daemon and the independent server, which is away and comes back,
// by the clock on the wall. Staff go on bumping; nobody at the station does
// anything about it; then every event is told, once and in order.
func TestStationServerAway(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the daemon")
	}
	t.Parallel()
	s := newSite(t)
	const corey, ben, ipod, ipad = "Corey", "C Benninger", "iPod Touch 5th Generation", "iPad Mini G1 (inky)"
	tap := func(name string) (display string) {
		return s.run("sim", "tap", map[string]string{corey: "91234", ben: "99996", ipod: "8123456", ipad: "8200001"}[name])
	}
	s.run("enroll", "person", ben)
	tap(ben)
	time.Sleep(1600 * time.Millisecond) // a reader repeats itself for 1.5 s
	for _, name := range []string{ben, ipad, corey, ipod} {
		tap(name)
	}
	holder := map[string]string{ipad: ben, ipod: corey}
	want := map[string][]string{ipad: {ben + " checked out " + ipad}, ipod: {corey + " checked out " + ipod}}
	eventually(t, "told while the server is up", func() bool { return len(s.log()) == 2 })

	s.away()
	begin, bumps := time.Now(), 0
	// The same pair within 5 s undoes nothing, so bumps are further apart.
	for pause := max(*awayFor/180, 5500*time.Millisecond); time.Since(begin) < *awayFor; bumps++ {
		time.Sleep(pause)
		person, device := []string{corey, ben, ben}[bumps%3], []string{ipad, ipod}[bumps/2%2]
		had := holder[device]
		says := "Checked out"
		if had != "" {
			says = "Handed over"
			want[device] = append(want[device], had+" checked in "+device)
		}
		if had == person {
			says = "Returned"
			holder[device] = ""
		} else {
			want[device] = append(want[device], person+" checked out "+device)
			holder[device] = person
		}
		tap(person)
		if display := tap(device); !strings.Contains(display, says) {
			t.Fatalf("bump %d, %s with %s: the display says\n%swant %q", bumps, person, device, display, says)
		}
	}
	if n := len(s.log()); n != 2 {
		t.Fatalf("%d calls were counted by a server that is away", n-2)
	}
	says := s.run("sync")
	if !strings.Contains(says, "down for") || !strings.Contains(says, fmt.Sprintf("%d events wait", bumps)) {
		t.Errorf("stump sync says\n%swant that it is down, and %d events wait", says, bumps)
	}

	s.serve()
	back := time.Now()
	for strings.Contains(s.run("sync"), "wait") && time.Since(back) < 16*time.Minute {
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("away for %s: %d bumps; back: all told after %s\nstump sync said\n%s", back.Sub(begin), bumps, time.Since(back), says)
	s.counted(want)
	t.Logf("stump sync says\n%sand who\n%s", s.run("sync"), s.run("who"))
}

// The independent server is away for an hour and comes back. The clock is a
// bubble's, the rest is real: the process, its sockets, the ledger on the disk.
// Somebody bumps every 20 seconds, and no bump takes any time; the place is
// tried as often as promised; then every event is told, once and in order.
func TestAnHourAway(t *testing.T) {
	server := newScript(t)
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		l, err := checkout.Create(path, checkout.Options{Station: "lab", SiteKey: checkout.NewKey(), Sinks: []string{Main}, SealTags: true,
			Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: time.Now(), Trusted: true} }})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var mu sync.Mutex
		var tries []time.Time
		cfg := endpointsConfig(server.url())
		cfg.Proxy = "none"
		cfg.testOnlyDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			tries = append(tries, time.Now())
			mu.Unlock()
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		d, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		a := Ledger{l}
		w, stop := start(t, Options{Directory: d, Outbox: a, Register: a})
		defer stop()

		corey, ben := checkout.TagFromUint64(91234, 26), checkout.TagFromUint64(99996, 26)
		ipod, ipad := checkout.TagFromUint64(8123456, 26), checkout.TagFromUint64(8200001, 26)
		for _, tag := range []checkout.Tag{corey, ipod, ipad} {
			if a, err := w.WhatIs(t.Context(), tag, Unknown); err != nil || !a.Known {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if _, err := w.Enrol(t.Context(), EnrolRequest{Kind: Person, Who: "C Benninger", Tag: ben}); err != nil {
			t.Fatal(err)
		}
		told := map[string][]string{} // by device
		tap := func(person, device checkout.Tag) {
			begin := time.Now()
			ev := bump(t, a, person, device)
			if took := time.Since(begin); took != 0 {
				t.Errorf("a bump waited %s for the directory", took)
			}
			told[ev.DeviceName] = append(told[ev.DeviceName], toggleWords(ev)...)
		}
		tap(corey, ipod)
		time.Sleep(time.Minute)

		server.away()
		mu.Lock()
		tries = nil
		mu.Unlock()
		begin := time.Now()
		for i := 0; time.Since(begin) < time.Hour; i++ {
			tap([]checkout.Tag{corey, ben, ben}[i%3], []checkout.Tag{ipod, ipad}[i/2%2])
			time.Sleep(20 * time.Second)
		}
		if n := len(server.log()); n != 1 {
			t.Fatalf("%d calls were counted by a server that is away", n-1)
		}
		mu.Lock()
		away := slices.Clone(tries)
		mu.Unlock()
		checkTries(t, begin, away)
		n, err := l.Backlog(Main)
		if err != nil || n != 180 {
			t.Fatalf("%d events wait, %v, want all 180 of the hour", n, err)
		}

		server.serve()
		back := time.Now()
		for n > 0 && time.Since(back) < 16*time.Minute {
			time.Sleep(time.Second)
			if n, err = l.Backlog(Main); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("away for an hour: 180 bumps, %d tries; back: all told after %s", len(away), time.Since(back))
		server.counted(told)
		if st, err := w.Status(); err != nil || st.Sinks[0].State != Up || st.Sinks[0].StuckRows != 0 {
			t.Errorf("%+v, %v", st.Sinks, err)
		}
	})
}

// toggleWords are what the original's server says of an event.
func toggleWords(ev checkout.Event) []string {
	in, out := ev.PersonName+" checked in "+ev.DeviceName, ev.PersonName+" checked out "+ev.DeviceName
	switch ev.Kind {
	case checkout.Return:
		return []string{in}
	case checkout.Handover:
		return []string{ev.FromName + " checked in " + ev.DeviceName, out}
	}
	return []string{out}
}

// checkTries holds the tries of an outage that began at begin, and was noticed
// with the first of them, against what is promised: 30 s apart at most in its
// first ten minutes, 15 min later.
func checkTries(t *testing.T, begin time.Time, tries []time.Time) {
	t.Helper()
	last := begin
	for _, at := range tries {
		most := 30 * time.Second
		if last.Sub(tries[0]) >= 10*time.Minute {
			most = 15 * time.Minute
		}
		if gap := at.Sub(last); gap > most {
			t.Errorf("no try for %s, %s into the outage", gap, last.Sub(begin))
		}
		last = at
	}
	// Full jitter: half the limit on average, 40 tries and then 7.
	if n := len(tries); n < 25 || n > 120 {
		t.Errorf("%d tries in an hour", n)
	}
}
