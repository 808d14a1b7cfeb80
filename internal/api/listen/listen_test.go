package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"stump/internal/api/client"
	"stump/internal/hint"
	"syscall"
	"testing"
)

// serve listens on a socket in a short path and returns it.
func serve(t *testing.T, h http.Handler, addr string) (*Listener, context.CancelFunc, <-chan error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &Listener{Handler: h, Socket: filepath.Join(dir, "run", "stump.sock"), Addr: addr, Log: slog.New(slog.DiscardHandler)}
	if err := l.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(stop)
	return l, stop, ended
}

func TestSocketPermissions(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077} {
		old := syscall.Umask(mask)
		l, stop, ended := serve(t, http.NotFoundHandler(), "")
		syscall.Umask(old)
		info, err := os.Stat(l.Socket)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o660 {
			t.Errorf("umask %o: the socket has mode %v, want 0660", mask, info.Mode().Perm())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(l.Socket); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
	}
}

func TestSocketTakenOver(t *testing.T) {
	l, stop, ended := serve(t, http.NotFoundHandler(), "")
	second := &Listener{Handler: http.NotFoundHandler(), Socket: l.Socket, Log: l.Log}
	if err := second.Open(); err == nil || !strings.Contains(err.Error(), "a daemon is running already") {
		t.Errorf("two daemons at one socket: %v", err)
	}
	stop()
	<-ended

	// One that was killed leaves its socket behind.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	if _, err := client.Dial(t.Context(), l.Socket); err == nil {
		t.Fatal("somebody answers at a stale socket")
	}
	if err := second.Open(); err != nil {
		t.Fatalf("the stale socket is not replaced: %v", err)
	}
	for _, ln := range second.opened {
		ln.Close()
	}
	if err := os.Remove(l.Socket); err != nil {
		t.Fatal(err)
	}

	// What isn't a socket is left alone.
	if err := os.WriteFile(l.Socket, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.Open(); err == nil || hint.Of(err) == "" {
		t.Errorf("a file in the place of the socket: %v", err)
	}
	if b, _ := os.ReadFile(l.Socket); string(b) != "precious" {
		t.Error("the file is gone")
	}
	long := &Listener{Socket: "/tmp/" + strings.Repeat("x", 120), Log: l.Log}
	if err := long.Open(); err == nil || !strings.Contains(hint.Of(err), "107") {
		t.Errorf("a path that is too long: %v (%s)", err, hint.Of(err))
	}
}

// TestSocketsOfOthers: a listener removes no socket but its own, and no link.
func TestSocketsOfOthers(t *testing.T) {
	l, stop, ended := serve(t, http.NotFoundHandler(), "")
	if err := os.Remove(l.Socket); err != nil {
		t.Fatal(err)
	}
	other := &Listener{Handler: http.NotFoundHandler(), Socket: l.Socket, Log: l.Log}
	if err := other.Open(); err != nil {
		t.Fatal(err)
	}
	stop()
	<-ended
	if _, err := client.Dial(t.Context(), l.Socket); err != nil {
		t.Errorf("the first has removed the socket of the second: %v", err)
	}
	for _, ln := range other.opened {
		ln.Close()
	}
	third := &Listener{Handler: http.NotFoundHandler(), Socket: l.Socket, Log: l.Log}
	if os.Geteuid() == 0 {
		const nobody = 65534
		if err := os.Lchown(l.Socket, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		if err := third.Open(); err == nil || !strings.Contains(err.Error(), "was left behind by another user") {
			t.Errorf("another user's socket: %v", err)
		}
	}
	if err := errors.Join(os.Remove(l.Socket), os.Symlink("/run/other.sock", l.Socket)); err != nil {
		t.Fatal(err)
	}
	if err := third.Open(); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a link in the place of the socket: %v", err)
	}
}

// TestListenerRefuses: what can't be opened leaves no socket behind.
func TestListenerRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*Listener{
		"a port that is taken": {Socket: filepath.Join(dir, "sock"), Addr: taken.Addr().String()},
		"an address elsewhere": {Socket: filepath.Join(dir, "sock"), Addr: "192.0.2.1:1"},
		"below a file":         {Socket: filepath.Join(file, "sock")},
		"a file in its place":  {Socket: file},
	} {
		l.Log, l.Handler = slog.New(slog.DiscardHandler), http.NotFoundHandler()
		if err := l.Open(); err == nil || hint.Of(err) == "" || l.TCP() != "" {
			t.Errorf("%s: %v (%s), listens at %q", name, err, hint.Of(err), l.TCP())
		}
		if _, err := os.Lstat(filepath.Join(dir, "sock")); err == nil {
			t.Errorf("%s: the socket is left behind", name)
		}
	}
}
