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
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/owner"
)

// access is what a command needs of the ledger when no daemon runs.
type access int

const (
	daemonOnly access = iota // works only where readers are
	mayWrite                 // with --state: opens that ledger for writing
	mayRead                  // also reads the default ledger
)

// connect returns whom to ask, and a func that ends the asking. An explicit
// --socket is the daemon and nothing else; an explicit --state is that
// ledger, or for what only a daemon can do the daemon that has it; with neither
// it is the daemon, then, for what only reads, the default ledger.
func (g *globals) connect(ctx context.Context, need access) (*api.Client, func(), error) {
	switch {
	case g.socket != "" && g.state != "":
		return nil, nil, usageError{hint.Errorf("--socket asks that daemon, --state is a ledger: give one of them", "--socket and --state exclude each other")}
	case g.state != "" && need != daemonOnly:
		return g.openLedger(need)
	}
	var tried error
	for _, socket := range g.sockets() {
		c, err := api.Dial(ctx, socket)
		if err != nil {
			err = g.noDaemon(socket, err)
		} else if err = g.hasState(ctx, c, socket); err == nil {
			c.Actor = actor()
			return c, func() {}, nil
		}
		if tried == nil || errors.Is(err, syscall.EACCES) || errors.Is(err, errOtherLedger) {
			tried = err
		}
	}
	if g.socket != "" || need != mayRead || errors.Is(tried, syscall.EACCES) {
		return nil, nil, tried
	}
	return g.openLedger(need)
}

// errOtherLedger is a daemon that does not have the ledger that was named.
var errOtherLedger = errors.New("another ledger")

// hasState refuses a daemon that has another ledger than the one of --state.
func (g *globals) hasState(ctx context.Context, c *api.Client, socket string) error {
	if g.state == "" {
		return nil
	}
	var st api.Status
	if err := c.Do(ctx, "GET", "status", nil, &st); err != nil {
		return err
	}
	want, err := filepath.Abs(daemon.LedgerPath(g.state))
	if err != nil || want == st.Ledger {
		return err
	}
	a, aerr := os.Stat(want)
	b, berr := os.Stat(st.Ledger)
	if aerr == nil && berr == nil && os.SameFile(a, b) {
		return nil
	}
	return hint.Errorf("leave --state out to ask that one, or name the socket of the other with --socket alone",
		"the daemon at %s has %w: %s", socket, errOtherLedger, st.Ledger)
}

// noDaemon explains why nobody answers at socket.
func (g *globals) noDaemon(socket string, err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return hint.Errorf("start it with `stump run`", "no daemon answers at %s: %w", socket, err)
	}
	switch errno {
	case syscall.ENOENT:
		return hint.Errorf("start it with `stump run`, or name its socket with --socket", "no daemon: %s: %w", socket, errno)
	case syscall.ECONNREFUSED:
		if st, err := os.Stat(socket); err == nil && st.Mode()&fs.ModeSocket == 0 {
			return hint.Errorf("name the daemon's with --socket; without it the usual places are looked at", "%s is not a socket", socket)
		}
		return hint.Errorf("start it with `stump run`; the socket was left behind by one that was killed", "no daemon answers at %s: %w", socket, errno)
	case syscall.EACCES, syscall.EPERM:
		return hint.Errorf("the daemon runs as another user: become a member of its group, or use sudo", "may not ask the daemon at %s: %w", socket, errno)
	}
	return hint.Errorf("start it with `stump run`", "no daemon answers at %s: %w", socket, errno)
}

// openLedger serves the API over a ledger that no daemon has. Root becomes the
// user whose ledger it is, before anything of theirs is opened.
func (g *globals) openLedger(need access) (*api.Client, func(), error) {
	cfg, err := config.Load(g.config)
	if err != nil {
		return nil, nil, err
	}
	dir, asks := g.stateDir(), actor()
	if err := g.becomeOwner(dir); err != nil {
		return nil, nil, err
	}
	ledger, err := daemon.OpenLedger(cfg, dir, need == mayRead)
	if err != nil {
		return nil, nil, g.ledgerError(dir, err)
	}
	h := api.NewServer(api.Options{Ledger: ledger, Formats: cfg.CardFormats(), Station: cfg.Station, Check: daemon.CheckInChild})
	c := api.Local(h)
	c.Actor = asks
	return c, func() { ledger.Close() }, nil
}

// errOtherOwner is a ledger of one user's that is to be written to a file in a
// folder of another's: one process can't be both.
var errOtherOwner = errors.New("ledger and file belong to different users")

// becomeOwner makes root the user whose ledger lies in dir.
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
	switch {
	case errors.As(err, &locked) && g.state != "":
		return hint.Wrap(err, "the daemon is running; ask it through its socket: leave --state out, or name the socket with --socket")
	case errors.As(err, &locked):
		return hint.Wrap(err, "the daemon is running; ask it through its socket: name that with --socket")
	case errors.Is(err, fs.ErrPermission) && g.wasRoot:
		return g.ownerError(dir, err)
	case errors.Is(err, fs.ErrPermission) && hint.Of(err) == "":
		return hint.Errorf("it belongs to another user: start the daemon and ask it, or use sudo", "the ledger in %s: %w", dir, err)
	case errors.Is(err, fs.ErrNotExist) && hint.Of(err) == "":
		return hint.Errorf("start the daemon with `stump run`, or name the ledger's folder with --state", "no ledger in %s: %w", dir, fs.ErrNotExist)
	case errors.Is(err, syscall.ENOTDIR):
		return hint.Errorf("--state names the folder that the ledger's file is in", "no ledger in %s: %w", dir, syscall.ENOTDIR)
	}
	return err
}

// ownerError says what to do if root became the owner of dir, and there is a file
// that this user may not open.
func (g *globals) ownerError(dir string, err error) error {
	if !g.wasRoot || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return hint.Errorf("give the files in it to the user who owns the folder, with chown", "the ledger in %s: %w", dir, err)
}
