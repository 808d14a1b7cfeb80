// Package directorytest has a directory's other side for tests: a lab's server
// as the original client (etsy/rfid-checkout) expects it, in another language
// and without a line in common with stump.
package directorytest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/internal/testkit"
)

//go:embed original-server.py
var original string

// Original is that server, a process that listens on the loopback. It knows the
// badge 91234 of Corey, the name of C Benninger, and the devices 8123456, "iPod
// Touch 5th Generation", and 8200001, "iPad Mini G1 (inky)".
type Original struct {
	t      *testing.T
	port   string // "0" until it has one
	state  string // file
	server *exec.Cmd
}

// StartOriginal starts it until the test ends.
func StartOriginal(t *testing.T) *Original {
	t.Helper()
	_, err := exec.LookPath("python3")
	testkit.Need(t, err == nil, "python3, for the independent server")
	o := &Original{t: t, port: "0", state: filepath.Join(t.TempDir(), "server.json")}
	o.Back()
	return o
}

// URL is where it answers, without a slash at the end.
func (o *Original) URL() string { return "http://127.0.0.1:" + o.port }

// Away ends the server as a power cut does. What it counted it has written.
func (o *Original) Away() {
	o.server.Process.Kill()
	o.server.Wait()
}

// Back starts the server with what it had, and returns when it listens.
func (o *Original) Back() {
	o.t.Helper()
	server := exec.Command("python3", "-c", original, o.port, o.state)
	o.server = server
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		o.t.Fatalf("the server says %q, %v", line, err)
	}
	o.port = strings.TrimSpace(line)
}

// State is the file in which it keeps what it has.
func (o *Original) State() string {
	b, _ := os.ReadFile(o.state)
	return string(b)
}

// Log is what the server counted, in its order: "Corey checked out iPad".
func (o *Original) Log() []string {
	var state struct{ Log []string }
	json.Unmarshal([]byte(o.State()), &state)
	return state.Log
}

// CheckCounted checks that the server counted what was wanted of each device,
// once and in this order, and nothing else.
func (o *Original) CheckCounted(want map[string][]string) {
	o.t.Helper()
	got := map[string][]string{}
	for _, line := range o.Log() {
		_, device, _ := strings.Cut(strings.Replace(line, " checked in ", " checked out ", 1), " checked out ")
		got[device] = append(got[device], line)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		o.t.Errorf("the server counted\n%q\nwant each once and in order\n%q", got, want)
	}
}
