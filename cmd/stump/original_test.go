//go:build services

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/directory/directorytest"
)

// site is a station beside the original's server.
type site struct {
	*directorytest.Original
	t      *testing.T
	dir    string
	daemon *process
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Original: directorytest.StartOriginal(t), t: t, dir: t.TempDir()}
	config := fmt.Sprintf(`station = "lab"
[[reader]]
preset = "original"
[directory]
kind = "endpoints"
checkinout = "%[1]s/checkinout.php?staff_rfid_tag={staff}&asset_rfid_tag={asset}"
whatis = "%[1]s/whatis.php?rfid={tag}"
associate = "%[1]s/associate.php?who={who}&tag={tag}"
hash_string = "ordinary salt"
`, s.URL())
	if err := os.WriteFile(s.path("stump.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station(": answers")
	return s
}

// station starts the daemon and waits until "stump sync" says so.
func (s *site) station(says string) {
	s.daemon = startProcess(s.t, exec.Command("stump", "--config", s.path("stump.toml"), "--state", s.path("state"), "--socket", s.path("sock"), "run", "--sim"), s.path("sock"))
	s.eventually("the station is up", func() bool { return strings.Contains(s.run("sync"), says) })
}

// eventually waits for something that the station does by itself.
func (s *site) eventually(what string, cond func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if cond() {
			return
		}
	}
	s.t.Fatalf("not within 10 s: %s; stump sync says\n%s", what, s.run("sync"))
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// run runs a command of stump and returns all that it prints.
func (s *site) run(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "stump", append([]string{"--socket", s.path("sock")}, args...)...).CombinedOutput()
	return string(out)
}

// The lab of the original, with nothing changed on its server: check-out, an
// unknown badge enrolled by name, a stranger refused, an unknown device, the
// server away and back with a kill -9 of the station between, return.
func TestStationWithOriginalServer(t *testing.T) {
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
	if state := s.State(); strings.Contains(state, "Mallory") || !strings.Contains(state, `"C Benninger"}`) {
		t.Errorf("the server has\n%s", state)
	}

	s.Away()
	time.Sleep(1600 * time.Millisecond) // a reader repeats itself for 1.5 s
	says("Hello C Benn", "sim", "tap", "99996")
	says("…001", "sim", "tap", "8200001") // a device that nobody has heard of yet
	says("down for", "sync")
	says("1 event waits", "sync")
	_ = s.daemon.cmd.Process.Kill()
	_ = s.daemon.cmd.Wait()
	s.station("1 event waits")
	s.Back()
	s.run("sync", "retry", "all")
	s.eventually("told when the server is back", func() bool { return len(s.Log()) == 2 })
	says("C Benninger", "who")

	time.Sleep(4 * time.Second) // the same pair within 5 s undoes nothing
	s.run("sim", "tap", "8123456")
	says("Returned", "sim", "tap", "91234")
	want := []string{"Corey checked out iPod Touch 5th Generation", "C Benninger checked out iPad Mini G1 (inky)", "Corey checked in iPod Touch 5th Generation"}
	s.eventually("all told", func() bool { return len(s.Log()) == 3 })
	if got := s.Log(); !slices.Equal(got, want) {
		t.Errorf("the server counted %q, want %q", got, want)
	}
}

// awayFor is how long the server of TestStationServerAway is away. An hour of
// the clock on the wall is
//
//	go test ./cmd/stump -run TestStationServerAway -v -away 1h -timeout 90m
var awayFor = flag.Duration("away", 11*time.Second, "how long TestStationServerAway keeps the server away")

// The real daemon and the independent server, which is away and comes back,
// by the clock on the wall. Staff go on bumping; nobody at the station does
// anything about it; then every event is told, once and in order.
func TestStationServerAway(t *testing.T) {
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
	s.eventually("told while the server is up", func() bool { return len(s.Log()) == 2 })

	s.Away()
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
	if n := len(s.Log()); n != 2 {
		t.Fatalf("%d calls were counted by a server that is away", n-2)
	}
	says := s.run("sync")
	if !strings.Contains(says, "down for") || !strings.Contains(says, fmt.Sprintf("%d events wait", bumps)) {
		t.Errorf("stump sync says\n%swant that it is down, and %d events wait", says, bumps)
	}

	s.Back()
	back := time.Now()
	for strings.Contains(s.run("sync"), "wait") && time.Since(back) < 16*time.Minute {
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("away for %s: %d bumps; back: all told after %s\nstump sync said\n%s", back.Sub(begin), bumps, time.Since(back), says)
	s.CheckCounted(want)
	t.Logf("stump sync says\n%sand who\n%s", s.run("sync"), s.run("who"))
}
