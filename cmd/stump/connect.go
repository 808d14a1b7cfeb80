package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"stump/checkout/ledger"
	"stump/internal/api"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command"
	"stump/internal/command/bookcmd"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/owner"
)

// connect returns a client. With --socket it asks that daemon; with --state, that
// ledger, or the daemon that has it if only a daemon can answer; with neither the
// daemon, and then the default ledger if it only reads.
func (g *globals) connect(ctx context.Context, need bookcmd.Access) (*client.Client, error) {
	switch {
	case g.socket != "" && g.state != "":
		return nil, command.Misuse("--socket asks that daemon, --state is a ledger: give one of them", "--socket and --state exclude each other")
	case g.state != "" && need != bookcmd.DaemonOnly:
		return g.openLedger(need)
	}
	var tried error
	for _, socket := range g.sockets() {
		c, err := client.Dial(ctx, socket)
		if err != nil {
			err = noDaemon(socket, err)
		} else if err = g.hasState(ctx, c, socket); err == nil {
			c.Actor = command.Actor()
			return c, nil
		}
		if tried == nil || errors.Is(err, syscall.EACCES) || errors.Is(err, errOtherLedger) {
			tried = err
		}
	}
	if g.socket != "" || need != bookcmd.MayRead || errors.Is(tried, syscall.EACCES) {
		return nil, tried
	}
	return g.openLedger(need)
}

// errOtherLedger is returned for a daemon that has another ledger than --state's.
var errOtherLedger = errors.New("another ledger")

// hasState refuses a daemon that has another ledger than --state's.
func (g *globals) hasState(ctx context.Context, c *client.Client, socket string) error {
	if g.state == "" {
		return nil
	}
	var st wire.Status
	if err := c.Do(ctx, "GET", "status", nil, &st); err != nil {
		return err
	}
	want, err := filepath.Abs(daemon.LedgerPath(g.state))
	if err != nil || st.Ledger == nil || want == *st.Ledger {
		return err
	}
	a, aerr := os.Stat(want)
	b, berr := os.Stat(*st.Ledger)
	if aerr == nil && berr == nil && os.SameFile(a, b) {
		return nil
	}
	return hint.Errorf("leave --state out to ask that one, or name the socket of the other with --socket alone",
		"the daemon at %s has %w: %s", socket, errOtherLedger, *st.Ledger)
}

// noDaemon explains why no daemon answers at socket.
func noDaemon(socket string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // it says enough
	}
	what, remedy := "no daemon answers at %s: %w", "start it with `stump run`"
	switch errno {
	case syscall.ENOENT:
		what, remedy = "no daemon: %s: %w", remedy+", or name its socket with --socket"
	case syscall.ECONNREFUSED:
		if st, err := os.Stat(socket); err == nil && st.Mode()&fs.ModeSocket == 0 {
			return hint.Errorf("name the daemon's with --socket, or leave --socket out", "%s is not a socket", socket)
		}
		remedy += "; the last one was killed and left its socket behind"
	case syscall.EACCES, syscall.EPERM:
		what, remedy = "may not ask the daemon at %s: %w", "the daemon runs as another user: become a member of its group, or use sudo"
	}
	return hint.Errorf(remedy, what, socket, err)
}

// openLedger serves the API over a ledger that no daemon has. Root first becomes the
// ledger's owner.
func (g *globals) openLedger(need bookcmd.Access) (*client.Client, error) {
	cfg, err := config.Load(g.config)
	if err != nil {
		return nil, err
	}
	dir, asks := g.stateDir(), command.Actor()
	if err := g.becomeOwner(dir); err != nil {
		return nil, err
	}
	g.opened, err = daemon.OpenLedger(cfg, dir, need == bookcmd.MayRead)
	if err != nil {
		return nil, g.ledgerError(dir, err)
	}
	c := client.Local(api.NewServer(api.Options{
		Ledger: g.opened, Formats: cfg.CardFormats(), ParseCard: cfg.ParseCard, Station: cfg.Station, Check: daemon.CheckInChild,
	}))
	c.Actor = asks
	return c, nil
}

// errOtherOwner is returned when one user's ledger is to be copied to another user's
// folder: one process can't be both users.
var errOtherOwner = errors.New("ledger and file belong to different users")

// becomeOwner makes root the owner of the ledger in dir.
func (g *globals) becomeOwner(dir string) error {
	path := daemon.LedgerPath(dir)
	if g.writes != "" && os.Geteuid() == 0 {
		whose, err := owner.Of(path)
		if err != nil {
			return err
		}
		if other, err := owner.Of(g.writes); err != nil || other.UID != whose.UID {
			return cmp.Or(err, errOtherOwner)
		}
	}
	g.wasRoot = os.Geteuid() == 0
	return owner.Become(path)
}

// ledgerError says who has the ledger, or what to do when there is none.
func (g *globals) ledgerError(dir string, err error) error {
	var locked *ledger.LockedError
	var errno syscall.Errno
	switch {
	case errors.As(err, &locked):
		return hint.Wrap(err, "the daemon is running; ask it without --state, or name its socket with --socket")
	case errors.Is(err, fs.ErrPermission) && g.wasRoot:
		return g.ownerError(dir, err)
	case errors.As(err, &errno) && errno == syscall.ENOTDIR:
		return hint.Errorf("--state names the folder that the ledger's file is in", "no ledger in %s: %w", dir, errno)
	case hint.Of(err) != "":
	case errors.Is(err, fs.ErrPermission):
		return hint.Errorf("it belongs to another user: start the daemon and ask it, or use sudo", "the ledger in %s: %w", dir, err)
	case errors.Is(err, fs.ErrNotExist):
		remedy := "start the daemon with `stump run`, or name the ledger's folder with --state"
		if _, err := os.Stat(daemon.LedgerPath(simState())); err == nil && g.state == "" {
			remedy = "start the daemon with `stump run`; that of the simulated lab is in --state " + simState()
		}
		return hint.Errorf(remedy, "no ledger in %s: %w", dir, fs.ErrNotExist)
	}
	return err
}

// ownerError says what to do when root became the owner of dir, and may not open a
// file in it.
func (g *globals) ownerError(dir string, err error) error {
	if !g.wasRoot || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return hint.Errorf("give the files in it to the user who owns the folder, with chown", "the ledger in %s: %w", dir, err)
}

// stateDir is the folder of the ledger.
func (g *globals) stateDir() string { return cmp.Or(g.state, defaultState()) }

// runState is the folder of the ledger of a daemon. That of a simulated lab is a place of its
// own: simulated cards would change a real station's.
func (g *globals) runState(sim bool) string {
	if sim && g.state == "" {
		return simState()
	}
	return g.stateDir()
}

func simState() string { return defaultState() + "-sim" }

// defaultState is the folder of a service (systemd's StateDirectory=, or root without
// a session), or the person's own XDG folder.
func defaultState() string {
	switch {
	case os.Getenv("STATE_DIRECTORY") != "":
		return os.Getenv("STATE_DIRECTORY")
	case os.Getenv("XDG_STATE_HOME") != "":
		return filepath.Join(os.Getenv("XDG_STATE_HOME"), "stump")
	case os.Getuid() == 0:
		return "/var/lib/stump"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "state", "stump")
}

// serviceSocket is where the daemon listens when it runs as a service.
const serviceSocket = "/run/stump/stump.sock"

// socketPath is where the daemon listens. It never depends on --state: a second
// daemon needs both.
func (g *globals) socketPath() string {
	runtime := cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), os.Getenv("XDG_RUNTIME_DIR"))
	switch {
	case g.socket != "":
		return g.socket
	case runtime == "" && os.Getuid() == 0:
		return serviceSocket
	}
	return filepath.Join(cmp.Or(runtime, defaultState()), "stump.sock")
}

// sockets are where a daemon may listen: at --socket, else at the person's own socket
// or the service's.
func (g *globals) sockets() []string {
	own := g.socketPath()
	if g.socket != "" || own == serviceSocket {
		return []string{own}
	}
	return []string{own, serviceSocket}
}
