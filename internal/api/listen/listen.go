package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/owner"
	"stump/internal/patience"
)

// Listener serves the API on a unix socket, and on a loopback address if one is
// given. It is a task.
type Listener struct {
	Handler http.Handler
	Socket  string
	Addr    string // "" is off
	Log     *slog.Logger

	opened []net.Listener // the socket first
	bound  os.FileInfo    // the socket's file
}

// Open listens on the socket and the address. It refuses a socket at which a
// daemon answers, and replaces a stale one.
func (l *Listener) Open() error {
	if len(l.Socket) > maxSocketPath {
		return hint.Errorf("name a shorter one with --socket: a unix socket's path has at most 107 bytes", "socket: the path %s has %d bytes", l.Socket, len(l.Socket))
	}
	if err := owner.MkdirAll(filepath.Dir(l.Socket), 0o755); err != nil {
		return hint.Wrap(err, "name another place with --socket")
	}
	if err := removeStale(l.Socket); err != nil {
		return err
	}
	// The socket must have its mode from the first moment, so chmod is too late.
	old := syscall.Umask(0o117)
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.Socket, Net: "unix"})
	syscall.Umask(old)
	if err != nil {
		return hint.Errorf("name another place with --socket", "socket: %w", err)
	}
	unix.SetUnlinkOnClose(false) // it would also remove another's socket
	if l.bound, err = os.Lstat(l.Socket); err != nil {
		unix.Close()
		return fmt.Errorf("socket: %w", err)
	}
	l.opened = append(l.opened, unix)
	if l.Addr != "" {
		tcp, err := net.Listen("tcp", l.Addr)
		if err != nil {
			l.unlink()
			unix.Close()
			return hint.Errorf("choose another port with --listen", "%w", err)
		}
		l.opened = append(l.opened, tcp)
	}
	return nil
}

// ownPages keeps foreign web pages from the loopback address, which a browser on
// this machine reaches: pages that send requests across origins, and pages whose
// name resolves to a loopback address (DNS rebinding). No browser reaches the
// socket.
func ownPages(h http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire.WriteProblem(w, wire.CodeForeignPage, hint.Errorf("ask without a browser, or from a page of this address", "the request comes from a page of %q", r.Header.Get("Origin")))
	}))
	sameOrigin := origin.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		switch {
		case addr == nil || addr.Network() == "unix":
			h.ServeHTTP(w, r)
		case !isLoopback(r.Host):
			wire.WriteProblem(w, wire.CodeForeignPage, hint.Errorf("ask at localhost", "%q is not this machine's own name", r.Host))
		default:
			sameOrigin.ServeHTTP(w, r)
		}
	})
}

// peer is who connects: by the unix socket the user whom the kernel names, by the
// loopback address whoever is on this machine. Over another network it is nobody.
func peer(ctx context.Context, c net.Conn) context.Context {
	if addr, ok := c.LocalAddr().(*net.TCPAddr); ok && addr.IP.IsLoopback() {
		return identity.With(ctx, identity.Principal{Name: "admin", Role: identity.Admin, Source: checkout.SourceAPI, Fresh: true, ID: "loopback"})
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return ctx
	}
	var cred *unix.Ucred
	cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if cerr != nil || err != nil {
		return ctx
	}
	name := ""
	if u, err := user.LookupId(strconv.FormatUint(uint64(cred.Uid), 10)); err == nil {
		name = u.Username
	}
	return identity.With(ctx, identity.User(cred.Uid, name))
}

func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// maxSocketPath is what fits into sockaddr_un with its final zero (unix(7)).
const maxSocketPath = 107

// TCP is the address beside the socket, with the port it got; "" without one.
func (l *Listener) TCP() string {
	if len(l.opened) < 2 {
		return ""
	}
	return l.opened[1].Addr().String()
}

// CheckSocket refuses a socket at which somebody answers.
func CheckSocket(path string) error {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil
	}
	conn.Close()
	return errInUse(path)
}

func errInUse(path string) error {
	return hint.Errorf("stop that one first, or give this one its own --socket and --state", "a daemon is running already: it answers at %s", path)
}

// removeStale removes a socket of this user at which nobody answers, and nothing
// else. No other user can replace root's meanwhile; see package owner.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return hint.Errorf("move it away, or name another place with --socket", "%s is there and is not a socket", path)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return hint.Errorf("remove it, or name another place with --socket", "the socket %s was left behind by another user", path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return errInUse(path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("socket: %w", err)
	}
	return os.Remove(path)
}

// String is task.Task's.
func (l *Listener) String() string { return `api "` + l.Socket + `"` }

// Run serves until ctx is done. It then gives answers under way half a second.
func (l *Listener) Run(ctx context.Context) error {
	var rooms []*patience.Listener
	for _, ln := range l.opened {
		room := patience.Listen(ln, maxConns)
		room.Short = short(l.Log, l.String())
		rooms = append(rooms, room)
	}
	srv := &http.Server{
		Handler:           ownPages(l.Handler),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHead, // as many as 256 connections send at once
		ConnState: func(c net.Conn, state http.ConnState) {
			for _, room := range rooms {
				room.State(c, state)
			}
		},
		ErrorLog:    slog.NewLogLogger(l.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: peer,
	}
	failed := make(chan error, len(l.opened))
	for _, room := range rooms {
		go func() { failed <- srv.Serve(room) }()
	}
	if l.Addr != "" {
		l.Log.Info("the API listens", "address", l.TCP())
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	l.unlink()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 500*time.Millisecond)
	defer cancel()
	if err != nil || srv.Shutdown(end) != nil {
		srv.Close()
	}
	for _, ln := range l.opened {
		_ = ln.Close() // the server closes only the listeners that it serves
	}
	return err
}

// short returns what logs that there is no file descriptor for a new connection.
func short(log *slog.Logger, where string) func(error) {
	return func(err error) {
		if err == nil {
			log.Info("there are file descriptors again", "for", where)
			return
		}
		log.Warn("there is no file descriptor for a new connection; it takes the place of one that waits", "for", where, "err", err,
			"remedy", fmt.Sprintf("`ls -l /proc/%d/fd` shows what is open; LimitNOFILE= of the unit is how many may be", os.Getpid()))
	}
}

// unlink removes the socket unless another file has taken its place.
func (l *Listener) unlink() {
	if now, err := os.Lstat(l.Socket); err == nil && os.SameFile(now, l.bound) {
		_ = os.Remove(l.Socket)
	}
}
