package main

import (
	"os"
	"path/filepath"
)

// stateDir is where the ledger lies: as told, else the default.
func (g *globals) stateDir() string {
	if g.state != "" {
		return g.state
	}
	return defaultState()
}

// defaultState is the folder of a service (systemd's StateDirectory=, or root
// without a session), or the person's own XDG folder.
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

// socketPath is where the daemon listens. It never depends on --state: a second
// daemon needs both.
func (g *globals) socketPath() string {
	switch {
	case g.socket != "":
		return g.socket
	case os.Getenv("RUNTIME_DIRECTORY") != "":
		return filepath.Join(os.Getenv("RUNTIME_DIRECTORY"), "stump.sock")
	case os.Getenv("XDG_RUNTIME_DIR") != "":
		return filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "stump.sock")
	case os.Getuid() == 0:
		return serviceSocket
	}
	return filepath.Join(defaultState(), "stump.sock")
}

// serviceSocket is the daemon's when it runs as a service.
const serviceSocket = "/run/stump/stump.sock"

// sockets are the places where a daemon may be asked when none was named: the
// person's own first, then the service's.
func (g *globals) sockets() []string {
	own := g.socketPath()
	if g.socket != "" || own == serviceSocket {
		return []string{own}
	}
	return []string{own, serviceSocket}
}
