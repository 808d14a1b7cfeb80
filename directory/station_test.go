package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// site is a real "stump run --sim" beside the independent server of
// testdata/original-server.py.
type site struct {
	t      *testing.T
	dir    string
	stump  string
	python string
	port   int
	server *exec.Cmd
	daemon *exec.Cmd
}

// newSite builds the daemon and starts both.
func newSite(t *testing.T) *site {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no python3 for the independent server: scripts/setup installs it")
		}
		t.Skip("no python3 for the independent server")
	}
	s := &site{t: t, dir: t.TempDir(), python: python}
	s.stump = filepath.Join(s.dir, "stump")
	if out, err := exec.Command("go", "build", "-o", s.stump, "stump/cmd/stump").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	base := "http://127.0.0.1:" + strconv.Itoa(s.port)
	config := fmt.Sprintf(`station = "lab"
[[reader]]
preset = "original"
[directory]
kind = "endpoints"
checkinout = "%[1]s/checkinout.php?staff_rfid_tag={staff}&asset_rfid_tag={asset}"
whatis = "%[1]s/whatis.php?rfid={tag}"
associate = "%[1]s/associate.php?who={who}&tag={tag}"
hash_string = "ordinary salt"
`, base)
	if err := os.WriteFile(s.path("stump.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.serve()
	s.station(": answers")
	return s
}

// station starts the daemon and waits until "stump sync" says so.
func (s *site) station(says string) {
	s.daemon = exec.Command(s.stump, "--config", s.path("stump.toml"), "--state", s.path("state"), "--socket", s.path("sock"), "run", "--sim")
	s.start(s.daemon)
	eventually(s.t, "the station is up", func() bool { return strings.Contains(s.run("sync"), says) })
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) start(c *exec.Cmd) {
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Process.Kill(); c.Wait() })
}

// serve starts the server and waits until it listens.
func (s *site) serve() {
	s.server = exec.Command(s.python, "testdata/original-server.py", strconv.Itoa(s.port), s.path("server.json"))
	s.start(s.server)
	eventually(s.t, "the server listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// run runs a command of stump and returns all that it prints.
func (s *site) run(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, s.stump, append([]string{"--socket", s.path("sock")}, args...)...).CombinedOutput()
	return string(out)
}

func (s *site) log() []string {
	var state struct{ Log []string }
	b, _ := os.ReadFile(s.path("server.json"))
	json.Unmarshal(b, &state)
	return state.Log
}

// The lab of the original, with nothing changed on its server: check-out, an
// unknown badge enrolled by name, a stranger refused, an unknown device, the
// server away and back with a kill -9 of the station between, return.
func TestStationWithOriginalServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the daemon")
	}
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
	if state, _ := os.ReadFile(s.path("server.json")); strings.Contains(string(state), "Mallory") || !strings.Contains(string(state), `"C Benninger"}`) {
		t.Errorf("the server has\n%s", state)
	}

	s.server.Process.Kill()
	s.server.Wait()
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
