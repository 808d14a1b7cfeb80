package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"stump/directory/directorytest"
	"stump/directory/mail/smtptest"
	"stump/internal/daemon"
	"stump/internal/lab/labtest"
)

const noSleep = "atexit_sleep_ms=0"

// The scripts run this test binary as stump: the real command line, the real
// daemon in a process of its own, under the race detector if the tests are; see
// commandsUnderRace.
func TestMain(m *testing.M) {
	// The scripts wait more than they work.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	// Under the race detector every process would sleep a second at its end.
	os.Setenv("GORACE", noSleep)
	testscript.Main(tests{m}, map[string]func(){"stump": stump, "attack": attack, "crowd": crowd})
}

// firstDaily is set in the environment of a daemon that does its daily work soon.
const firstDaily = "STUMP_TEST_FIRST_DAILY"

// diskTimes is set in the environment of a daemon that tries a disk that does not save as
// often, and ends as soon and as often, to be started again.
const diskTimes = "STUMP_TEST_DISK"

func stump() {
	if after, err := time.ParseDuration(os.Getenv(firstDaily)); err == nil {
		daemon.FirstDaily = after
	}
	if every, err := time.ParseDuration(os.Getenv(diskTimes)); err == nil {
		daemon.DiskTry, daemon.DiskPatience, daemon.RestartEvery = every, every, every
	}
	main()
}

// tests are those of the package, with stump on the path.
type tests struct{ *testing.M }

func (t tests) Run() int {
	dir, err := os.MkdirTemp("", "stump-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = errors.Join(os.Chmod(dir, 0o755), commands(dir)) // other users run stump too
	}
	if err != nil {
		panic(err)
	}
	return t.M.Run()
}

// commands may put another stump on the path, from a folder of the tests'.
var commands = func(dir string) error { return nil }

// stumpCommand is stump, which TestMain has put on the path.
func stumpCommand(args ...string) *exec.Cmd { return exec.Command("stump", args...) }

func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: ownPlace,
		// A daemon that does not stop must not stop the tests.
		Deadline: time.Now().Add(8 * time.Minute),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":      await,
			"exits":      exits,
			"signal":     signalDaemon,
			"sleep":      sleep,
			"until":      until,
			"snipe":      snipe,
			"keys":       keys,
			"id":         idOf,
			"browse":     browse,
			"taken":      taken,
			"contiguous": contiguous,
			"directory":  directoryDouble,
			"hub":        hubDouble,
			"wantcsv":    wantCSV,
			"postbox":    postbox,
			"mails":      mails,
		},
	})
}

// ownPlace gives a script a station of its own. The sockets lie in a short
// path, since a unix socket's has at most 107 bytes.
func ownPlace(env *testscript.Env) error {
	run, err := os.MkdirTemp("", "st")
	if err != nil {
		return err
	}
	env.Defer(func() { os.RemoveAll(run) })
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		return err
	}
	env.Values[snipes] = new(*directorytest.Snipe)
	env.Values[postOffice{}] = new(*smtptest.Server)
	env.Values[labHub{}] = new(*labtest.Hub)
	env.Setenv("GORACE", noSleep)
	env.Setenv("TESTDATA", testdata)
	env.Setenv("XDG_RUNTIME_DIR", run)
	env.Setenv("SOCKET", filepath.Join(run, "stump.sock"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
	env.Setenv("STATE", filepath.Join(env.WorkDir, "state", "stump"))
	for _, name := range []string{"STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "NOTIFY_SOCKET"} {
		env.Setenv(name, "")
	}
	return nil
}

// await waits until a daemon answers: await [socket].
func await(ts *testscript.TestScript, neg bool, args []string) {
	socket := ts.Getenv("SOCKET")
	if len(args) > 0 {
		socket = ts.MkAbs(args[0])
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("no daemon: %v", err)
		}
	}
}

// exits runs a command and wants a certain exit status: exits 2 stump ….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case err == nil && want != 0:
		ts.Fatalf("exit status 0, want %d", want)
	case errors.As(err, &exit) && exit.ExitCode() != want:
		ts.Fatalf("exit status %d, want %d", exit.ExitCode(), want)
	case err != nil && exit == nil:
		ts.Fatalf("%v", err)
	}
}

// idOf keeps the id of the first row of a file with a text in it: id NAME TEXT FILE.
func idOf(ts *testscript.TestScript, neg bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[2])) {
		var row struct{ ID string }
		if strings.Contains(line, args[1]) && json.Unmarshal([]byte(line), &row) == nil {
			ts.Setenv(args[0], row.ID)
			return
		}
	}
	ts.Fatalf("no row has %q", args[1])
}

// signalDaemon sends TERM, INT, KILL or HUP to the daemon that has the ledger, and
// wants it gone, but for HUP: signal TERM [state].
func signalDaemon(ts *testscript.TestScript, neg bool, args []string) {
	number := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP}[args[0]]
	state := ts.Getenv("STATE")
	if len(args) > 1 {
		state = ts.MkAbs(args[1])
	}
	var holder struct {
		PID int `json:"pid"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(state, "ledger.db.holder"))), &holder))
	start := time.Now()
	ts.Check(syscall.Kill(holder.PID, number))
	for number != syscall.SIGHUP && syscall.Kill(holder.PID, 0) == nil {
		// The promise is two seconds, see BenchmarkStop; the others are for a machine under load.
		if time.Since(start) > 15*time.Second {
			ts.Fatalf("the daemon still runs %v after SIG%s", time.Since(start), args[0])
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// until runs a command until its output matches: until PATTERN stump ….
func until(ts *testscript.TestScript, neg bool, args []string) {
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 3) { // status, of a station in trouble
			ts.Check(err)
		}
		if time.Now().After(end) {
			ts.Fatalf("%q never matched", pattern)
		}
	}
}

// sleep waits: sleep 1600ms.
func sleep(ts *testscript.TestScript, neg bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	time.Sleep(d)
}

// browse sends a request by TLS and prints status, cookie and answer:
//
//	browse METHOD URL [-body TEXT] [Header=value …]
//
// The certificate's fingerprint must be the one in the file fingerprint.
func browse(ts *testscript.TestScript, neg bool, args []string) {
	var body io.Reader
	if len(args) > 3 && args[2] == "-body" {
		body = strings.NewReader(args[3])
		args = slices.Delete(args, 2, 4)
	}
	req, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	for _, header := range args[2:] {
		name, value, _ := strings.Cut(header, "=")
		req.Header.Set(name, value)
	}
	trusts := &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(c tls.ConnectionState) error {
		sum := sha256.Sum256(c.PeerCertificates[0].Raw)
		if got, want := strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"), strings.TrimSpace(ts.ReadFile("fingerprint")); got != want {
			return fmt.Errorf("the certificate is %s, and the station says %s", got, want)
		}
		return nil
	}}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: trusts, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	fmt.Fprintln(ts.Stdout(), resp.Proto, resp.Status)
	for _, c := range resp.Cookies() {
		fmt.Fprintln(ts.Stdout(), "cookie "+c.Name+"="+c.Value)
	}
	if tag := resp.Header.Get("ETag"); tag != "" {
		fmt.Fprintln(ts.Stdout(), "etag "+tag)
	}
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

// taken keeps what a pattern's group matches in the last output: taken NAME PATTERN. NAME
// is a variable, and a file with the same text.
func taken(ts *testscript.TestScript, neg bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("%q does not match", args[1])
	}
	ts.Setenv(args[0], m[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(m[1]), 0o600))
}

// keys wants every line of a file to be a JSON object with exactly these keys
// in this order: keys stdout a b c.
func keys(ts *testscript.TestScript, neg bool, args []string) {
	lines := jsonLines(ts, args[0])
	if len(lines) == 0 {
		ts.Fatalf("no objects in %s", args[0])
	}
	for _, line := range lines {
		if got := objectKeys(ts, line); !slices.Equal(got, args[1:]) {
			ts.Fatalf("keys are\n%q, want\n%q", got, args[1:])
		}
	}
}

func jsonLines(ts *testscript.TestScript, file string) []string {
	return strings.FieldsFunc(ts.ReadFile(file), func(r rune) bool { return r == '\n' })
}

// objectKeys are an object's keys in the order in which they are written.
func objectKeys(ts *testscript.TestScript, object string) []string {
	dec := json.NewDecoder(strings.NewReader(object))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		ts.Fatalf("no object: %s", object)
	}
	var list []string
	for dec.More() {
		key, err := dec.Token()
		ts.Check(err)
		list = append(list, key.(string))
		var value json.RawMessage
		ts.Check(dec.Decode(&value))
	}
	return list
}

// contiguous wants the objects of a file to have the sequence numbers 1, 2, ….
func contiguous(ts *testscript.TestScript, neg bool, args []string) {
	for i, line := range jsonLines(ts, args[0]) {
		var e struct{ Seq int }
		ts.Check(json.Unmarshal([]byte(line), &e))
		if e.Seq != i+1 {
			ts.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
	}
}

// wantCSV wants a CSV's header to be the keys of an object: wantcsv csv json.
func wantCSV(ts *testscript.TestScript, neg bool, args []string) {
	header, _, _ := strings.Cut(ts.ReadFile(args[0]), "\n")
	keys := objectKeys(ts, jsonLines(ts, args[1])[0])
	if header != strings.Join(keys, ",") {
		ts.Fatalf("header %s, keys %s", header, keys)
	}
}
