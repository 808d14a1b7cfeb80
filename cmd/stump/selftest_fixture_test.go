//go:build fixture

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/gpio"
	"stump/hw/selftest"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// This file runs `stump selftest` on lines of a real kernel, at a terminal,
// with a technician who is told to show cards and does.

// wires are what hangs on the chip: they hold their levels against the pulls
// that a program asks for, as a level converter does. gpio-sim has one pull a
// line for both.
type wires struct {
	*gpiosim.Chip
	low     [2]atomic.Bool
	sending atomic.Bool
	quit    chan struct{}
	close   func()
	late    time.Duration // how late an edge came, at most
}

const line0, line1, nowhere = 17, 18, 40

func newWires(t *testing.T) *wires {
	t.Helper()
	chip, err := gpiosim.New("pinctrl-bcm2711", 58, map[int]string{line0: "GPIO17", line1: "GPIO18"})
	if err != nil {
		t.Fatal(err)
	}
	w := &wires{Chip: chip, quit: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-w.quit:
				return
			case <-time.After(time.Millisecond):
			}
			for i, line := range []int{line0, line1} {
				if !w.sending.Load() {
					w.Set(line, !w.low[i].Load())
				}
			}
		}
	}()
	w.close = sync.OnceFunc(func() { close(w.quit); <-done; chip.Close() })
	t.Cleanup(w.close)
	return w
}

// show sends a card as this wiring delivers it: d0 and d1 are the lines on
// which the reader's two wires arrive.
func (w *wires) show(card wiegand.Bits, d0, d1 int) {
	w.sending.Store(true)
	defer w.sending.Store(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread's priority ends with it
		// Before every program in this kernel, as hardware is, but after the
		// kernel's interrupt threads, whose priority is 50.
		_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 20}, 0)
		next := gpio.Monotonic()
		at := func(t int64) {
			for gpio.Monotonic() < t {
			}
			w.late = max(w.late, time.Duration(gpio.Monotonic()-t))
		}
		for i := range card.Len() {
			line := []int{d0, d1}[card.Bit(i)]
			at(next)
			start := gpio.Monotonic()
			w.Set(line, false)
			at(start + int64(50*time.Microsecond))
			w.Set(line, true)
			next = start + int64(2*time.Millisecond) // no reader catches up
		}
	}()
	<-done
}

// hum has the mains pull a line down 50 times a second.
func (w *wires) hum(i int) {
	go func() {
		for next := time.Now(); ; next = next.Add(10 * time.Millisecond) {
			select {
			case <-w.quit:
				return
			case <-time.After(time.Until(next)):
				w.low[i].Store(!w.low[i].Load())
			}
		}
	}()
}

// terminal is a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), unix.TIOCGPTPEER, uintptr(unix.O_RDWR|unix.O_NOCTTY))
	if errno != 0 {
		t.Fatal(errno)
	}
	slave = os.NewFile(fd, "terminal")
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

// testResult is what the command said.
type testResult struct {
	results []selftest.Result
	sum     selftest.Summary
	status  int
	text    string // standard error: what the person was told
}

func (o *testResult) result(check string) selftest.Result {
	i := slices.IndexFunc(o.results, func(r selftest.Result) bool { return r.Check == check })
	if i < 0 {
		return selftest.Result{}
	}
	return o.results[i]
}

// bench is a folder with a configuration for the two lines.
func bench(t *testing.T) (dir, config string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "selftest")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	config = filepath.Join(dir, "stump.toml")
	if err := os.WriteFile(config, []byte("[[reader]]\nname = \"bench\"\nbias = \"pull-up\"\n\n[display]\nkind = \"none\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, config
}

// standalone is the self-test without a daemon.
func standalone(t *testing.T) *exec.Cmd {
	dir, config := bench(t)
	return stumpCommand("--config", config, "--state", filepath.Join(dir, "state"), "selftest", "--json")
}

// runSelftest runs the command at a terminal. told is called with each thing that
// the person is told or asked, and returns what is typed.
func runSelftest(t *testing.T, cmd *exec.Cmd, told func(string) string) (o testResult) {
	t.Helper()
	master, slave := terminal(t)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = slave, &out
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	in := bufio.NewReader(io.TeeReader(said, &text))
	for line := ""; ; {
		r, _, err := in.ReadRune()
		if err != nil {
			break
		}
		line += string(r)
		if question := strings.HasSuffix(line, "? [y/n] "); question || r == '\n' {
			if typed := told(strings.TrimSpace(line)); question {
				fmt.Fprintln(master, typed)
			}
			line = ""
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		o.status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	o.text = text.String()
	for line := range bytes.Lines(out.Bytes()) {
		var r selftest.Result
		if bytes.Contains(line, []byte(`"summary"`)) {
			err = json.Unmarshal(line, &o.sum)
		} else if err = json.Unmarshal(line, &r); err == nil {
			o.results = append(o.results, r)
		}
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, line, o.text)
		}
	}
	return o
}

// technician shows a card when told to, on the lines where the wires arrive.
func technician(t *testing.T, w *wires, d0, d1 int) func(string) string {
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	var cards [2]wiegand.Bits
	for i, f := range []wiegand.Fields{{Facility: 17, Number: 31066}, {Facility: 200, Number: 1042}} {
		if cards[i], err = format.Pack(f); err != nil {
			t.Fatal(err)
		}
	}
	card := 0
	return func(s string) string {
		if strings.Contains(s, "other kind") {
			card = 1
		}
		if strings.Contains(s, "card again") || strings.HasPrefix(s, "Show") || strings.Contains(s, "once more") {
			time.Sleep(200 * time.Millisecond)
			w.show(cards[card], d0, d1)
		}
		return "y"
	}
}

// TestKernelSelfTest breaks the wires and holds the command against it.
func TestKernelSelfTest(t *testing.T) {
	for _, c := range []struct {
		fault  string // empty: healthy
		d0, d1 int    // where the reader's wires arrive
		harm   func(*wires)
		failed string // the first check that fails
	}{
		{"", line0, line1, nil, ""},
		{"swapped", line1, line0, nil, "card"},
		{"d0-open", nowhere, line1, nil, "card"},
		{"d0-low", nowhere, line1, func(w *wires) { w.low[0].Store(true) }, "idle"},
		{"hum", line0, line1, func(w *wires) { w.hum(1) }, "idle"},
	} {
		t.Run(cmp.Or(c.fault, "healthy"), func(t *testing.T) {
			retry(t, func() (string, time.Duration) {
				w := newWires(t)
				defer w.close()
				if c.harm != nil {
					c.harm(w)
					time.Sleep(50 * time.Millisecond)
				}
				o := runSelftest(t, standalone(t), technician(t, w, c.d0, c.d1))
				return o.differs(c.fault, c.failed), w.late
			})
		})
	}
}

// retry makes a try that a busy host has spoiled again: one that takes the
// processor away for a while makes other pulses than a reader. It pauses longer before
// each; a host that never stops proves nothing, and that is a failure.
func retry(t *testing.T, try func() (wrong string, late time.Duration)) {
	t.Helper()
	for tries := range 12 {
		time.Sleep(time.Duration(tries) * 500 * time.Millisecond)
		wrong, late := try()
		if wrong == "" {
			return
		}
		if late < 500*time.Microsecond {
			t.Fatal(wrong)
		}
		t.Logf("edges came up to %v late: %s", late, wrong)
	}
	t.Fatal("this host is too busy for a self-test")
}

// differs says what is not as it should be, "" for nothing.
func (o *testResult) differs(fault, failed string) string {
	all, _ := json.Marshal(o.results)
	said := fmt.Sprintf("%+v, status %d\n%s\n%s", o.sum, o.status, all, o.text)
	if fault == "" {
		for _, check := range []string{"lines", "idle", "float", "card", "second-card"} {
			if o.result(check).Result != selftest.Pass {
				return check + " does not pass: " + said
			}
		}
		if len(o.sum.Causes) > 0 || o.status == 1 {
			return "not healthy: " + said
		}
		return ""
	}
	if len(o.sum.Causes) == 0 || o.sum.Causes[0] != fault || o.status != 1 {
		return "another cause: " + said
	}
	i := slices.IndexFunc(o.results, func(r selftest.Result) bool { return r.Result == selftest.Fail })
	if i < 0 || o.results[i].Check != failed || o.results[i].Remedy == "" {
		return "another check fails first: " + said
	}
	return ""
}

// TestKernelSelfTestBusy: somebody else has the lines, and is named.
func TestKernelSelfTestBusy(t *testing.T) {
	w := newWires(t)
	held, err := gpio.Open(gpio.Request{
		Data0: gpio.Line{Chip: w.Path(), Offset: line0}, Data1: gpio.Line{Chip: w.Path(), Offset: line1}, Consumer: "another program",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	o := runSelftest(t, standalone(t), func(string) string { return "y" })
	if r := o.result("lines"); r.Result != selftest.Fail || !strings.Contains(r.Measured, "another program") || r.Remedy == "" || o.status != 1 {
		t.Errorf("%+v, status %d\n%s", r, o.status, o.text)
	}
	if r := o.result("card"); r.Result != selftest.Skip {
		t.Errorf("%+v", r)
	}
}

// TestKernelSelfTestPermission: a user who may not open the chip is told how.
func TestKernelSelfTestPermission(t *testing.T) {
	newWires(t)
	// The command lies where only its owner can go.
	path, err := exec.LookPath("stump")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "command")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	cmd := standalone(t)
	cmd.Path, cmd.Dir = filepath.Join(dir, "stump"), "/"
	if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	o := runSelftest(t, cmd, func(string) string { return "y" })
	if r := o.result("lines"); r.Result != selftest.Fail || !strings.Contains(r.Measured, "permission denied") || !strings.Contains(r.Remedy, "group") {
		t.Errorf("%+v\n%s", r, o.text)
	}
	if o.status != 1 {
		t.Errorf("status %d", o.status)
	}
}

// TestKernelSelfTestOfDaemon: the daemon lends its lines, cards shown meanwhile
// become nothing, and afterwards it reads again.
func TestKernelSelfTestOfDaemon(t *testing.T) {
	w := newWires(t)
	dir, config := bench(t)
	socket := filepath.Join(dir, "socket")
	daemon := stumpCommand("--config", config, "--state", filepath.Join(dir, "state"), "--socket", socket, "run")
	var log bytes.Buffer
	daemon.Stderr = &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		_ = daemon.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	ask := func(args ...string) (string, error) {
		out, err := stumpCommand(append([]string{"--socket", socket}, args...)...).Output()
		return string(out), err
	}
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, err := ask("history", "--json"); err == nil {
			break
		} else if time.Since(start) > 20*time.Second {
			t.Fatalf("the daemon does not answer: %v", err)
		}
	}
	if out, err := ask("people", "add", "Ann", "--badge", "H10301:17:31066"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	retry(t, func() (string, time.Duration) {
		w.late = 0
		o := runSelftest(t, stumpCommand("--config", config, "--socket", socket, "selftest", "--json"), technician(t, w, line0, line1))
		return o.differs("", ""), w.late
	})
	out, err := ask("history", "--json")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if !strings.Contains(line, `"enrol"`) {
			t.Errorf("a card of the self-test became an event: %s", line)
		}
	}
	if !strings.Contains(log.String(), "ready") {
		t.Errorf("the daemon's log: %s", log.String())
	}
}
