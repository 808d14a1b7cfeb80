// Package daemon puts one station together: configuration, ledger, readers,
// panel and API. It assembles and holds no rules.
package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout"
	"stump/gpio"
	"stump/internal/api"
	"stump/internal/config"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/internal/task"
	"stump/wiegand"
)

// Options say what to run.
type Options struct {
	Config *config.Config
	// StateDir holds ledger.db and backups/.
	StateDir string
	Socket   string
	Listen   string
	// Sim takes simulated lines and display instead of hardware.
	Sim bool
	// Replay is a trace that is played on the simulated lines first; nil for none.
	Replay io.Reader
	// Speed is how fast: 1 as recorded, 0 without waiting.
	Speed   float64
	Version string
	Log     *slog.Logger
	// Ready is called when every part works; may be nil.
	Ready func()
}

// Daemon is an assembled station.
type Daemon struct {
	o       Options
	Ledger  *checkout.Ledger
	Panel   *panel.Panel
	Readers []*station.Reader
	Lines   *simlab.Lines // nil without Sim
	API     *api.Server
	tasks   []task.Task
	now     func() int64
}
