//go:build linux && amd64

package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"

	"stump/internal/testkit"
)

// guestEnv is set in the environment of a test binary that runs in the kernel.
const guestEnv = "STUMP_VHOST_GUEST"

// insideGuest is whether this process runs in a kernel that Start started. A test that
// is the inner half of another one is skipped outside, on CI too.
func insideGuest() bool { return os.Getenv(guestEnv) != "" }

// kernelGuest is a kernel that runs one test of this test binary.
type kernelGuest struct {
	t      testing.TB
	out    testkit.Log
	done   chan struct{}
	err    error
	served chan error
	socket *net.UnixListener
}

// startGuest starts a kernel whose /dev/i2c-0 is the bus, and runs the named test in it.
// That test must skip itself unless Inside. The calling test is skipped if the
// kernel is not built.
func startGuest(t testing.TB, bus i2c.Bus, test string) *kernelGuest {
	t.Helper()
	uml := kernelRunner(t)
	path := filepath.Join(t.TempDir(), "i2c")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	g := &kernelGuest{t: t, done: make(chan struct{}), served: make(chan error, 1), socket: l}
	go func() { g.served <- serveVhost(l, bus) }()
	cmd := exec.Command(uml, "-t", "100", "-a", "virtio_uml.device="+path+":34", os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), guestEnv+"=1")
	cmd.Stdout, cmd.Stderr = &g.out, &g.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		g.err = cmd.Wait()
		close(g.done)
	}()
	return g
}

// eventually waits until the condition holds. It is false if the guest ended
// first.
func (g *kernelGuest) eventually(ok func() bool) bool {
	for !ok() {
		select {
		case <-g.done:
			return false
		case <-time.After(2 * time.Millisecond):
		}
	}
	return true
}

// wait waits for the test inside and returns its output. The calling test fails
// if the test inside failed.
func (g *kernelGuest) wait() string {
	g.t.Helper()
	<-g.done
	g.socket.Close()
	if err := <-g.served; err != nil && !errors.Is(err, net.ErrClosed) {
		g.t.Errorf("bus: %v", err)
	}
	if g.err != nil {
		g.t.Fatalf("inside: %v\n%s", g.err, g.out.String())
	}
	return g.out.String()
}

// kernelRunner returns scripts/uml, which runs a program in a kernel of its own.
func kernelRunner(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	built, _ := filepath.Glob(filepath.Join(cache, "stump", "linux-*", "linux"))
	testkit.Need(t, len(built) > 0, "the test kernel: make kernel")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "scripts", "uml")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("scripts/uml is not here")
	return ""
}
