package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/directory"
	"stump/internal/command"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/hint"
	"stump/internal/owner"
)

func runCmd(g *globals) *cobra.Command {
	var (
		sim            bool
		replay, listen string
		speed          float64
	)
	cmd := command.New("run", "Run the station", func(cmd *cobra.Command, _ []string) error {
		if err := checkReplay(cmd.Flags(), sim, speed); err != nil {
			return err
		}
		load := func() (*config.Config, error) {
			if cmd.Flags().Changed("listen") {
				return loadListening(g.config, listen)
			}
			return config.Load(g.config)
		}
		cfg, err := load()
		if err != nil {
			return err
		}
		o := daemon.Options{
			Config: cfg, StateDir: g.runState(sim), StateNamed: g.state != "", Socket: g.socketPath(), Listen: cfg.Listen,
			Sim: sim, Speed: speed, Version: version, Level: new(slog.LevelVar),
		}
		o.Log = logger(command.Raw(cmd.ErrOrStderr()), o.Level)
		if replay != "" {
			file, err := owner.Open(replay)
			if err != nil {
				return hint.Wrap(fmt.Errorf("replay: %w", err), "name a trace file: lines of time in nanoseconds, line 0 or 1, level 0 or 1")
			}
			defer file.Close()
			o.Replay = file
		}
		if err := becomeStation(o); err != nil {
			return err
		}
		ctx, stop := command.UntilSignal(cmd.Context())
		defer stop()
		o.Network = directory.NetworkChanges(ctx)
		o.Reload, o.Again = hangups(ctx), load
		return run(ctx, o)
	})
	cmd.Long = `Run the station until it is told to stop: read cards, answer on the display, keep
the ledger, serve the API on a unix socket.

SIGHUP has it read the configuration again: log level, language and texts change at
once, and the log says what needs a restart. Tokens and keys in files need neither.

With --sim the lines and the display are simulated; "stump sim tap" shows cards.
Where a real station has its ledger, --sim wants another one: --state and --socket.`
	cmd.Flags().BoolVar(&sim, "sim", false, "simulate the reader's lines and the display")
	cmd.Flags().StringVar(&replay, "replay", "", "play the edges in this trace `file`")
	cmd.Flags().Float64Var(&speed, "replay-speed", 1, "how many `times` as fast as recorded; 0 is without waiting")
	cmd.Flags().StringVar(&listen, "listen", "", "serve the API on this loopback `address` too")
	return cmd
}

// checkReplay checks the flags about a replay against each other.
func checkReplay(f *pflag.FlagSet, sim bool, speed float64) error {
	switch {
	case f.Changed("replay") && !sim:
		return command.Misuse("add --sim", "--replay plays a trace on simulated lines")
	case f.Changed("replay-speed") && !f.Changed("replay"):
		return command.Misuse("add --replay FILE", "--replay-speed without a replay")
	case !(speed >= 0) || speed > 1e6:
		return command.Misuse("1 is as recorded, 10 ten times as fast, 0 without waiting", "--replay-speed: %v is not a speed", speed)
	}
	return nil
}

// loadListening reads the configuration, with the address of --listen in place of its own.
func loadListening(path, listen string) (*config.Config, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	if err := config.CheckListen(listen); err != nil {
		return nil, command.UsageError{Err: fmt.Errorf("--listen: %w", err)}
	}
	cfg.Listen = listen
	return cfg, nil
}

// becomeStation makes root the owner of the state folder, as the service is. A folder
// for the socket that only root can make, such as the one in /run, is that owner's.
func becomeStation(o daemon.Options) error {
	if os.Geteuid() != 0 {
		return nil
	}
	path := daemon.LedgerPath(o.StateDir)
	whose, err := owner.Of(path)
	dir := filepath.Dir(o.Socket)
	if err == nil && whose.UID != 0 && owner.Check(dir) == nil && os.Mkdir(dir, 0o750) == nil {
		err = os.Lchown(dir, whose.UID, whose.GID) // nobody else can replace it
	}
	return cmp.Or(err, owner.Become(path))
}

func run(ctx context.Context, o daemon.Options) error {
	o.Ready = func() {
		o.Log.Info("ready", "station", o.Config.Station, "socket", o.Socket, "ledger", daemon.LedgerPath(o.StateDir))
		_, _ = sd.SdNotify(false, sd.SdNotifyReady)
	}
	d, err := assemble(ctx, o)
	if err != nil {
		var locked *ledger.LockedError
		if errors.As(err, &locked) {
			err = hint.Wrap(err, "stop that one first, or give this one its own --socket and --state")
		}
		return err
	}
	if d == nil {
		o.Log.Info("stopped before it was ready")
		return nil
	}
	err = d.Run(ctx)
	_, _ = sd.SdNotify(false, sd.SdNotifyStopping)
	if errors.Is(err, daemon.ErrRestart) {
		o.Log.Error("ended, to be started again", "err", err, "remedy", boltfile.SaveRemedy(err))
		return statusError(restartStatus)
	}
	o.Log.Info("stopped")
	return err
}

// restartStatus is the exit status of a daemon that wants to be started again; it is
// EX_IOERR of sysexits.h.
const restartStatus = 74

// assemble makes the daemon, which takes minutes if a damaged ledger is salvaged. When ctx
// ends before, it returns nil: what is under way ends with the process, as by a power cut.
func assemble(ctx context.Context, o daemon.Options) (*daemon.Daemon, error) {
	var d *daemon.Daemon
	made := make(chan error, 1)
	go func() {
		var err error
		d, err = daemon.New(o)
		made <- err
	}()
	select {
	case err := <-made:
		return d, err
	case <-ctx.Done():
		return nil, nil
	}
}

// hangups gets a value at each SIGHUP, with which systemctl reload asks to read the
// configuration again.
func hangups(ctx context.Context) <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(c) })
	return c
}

// logger writes the daemon's log. Under systemd the journal adds the time.
func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if os.Getenv("JOURNAL_STREAM") != "" {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(w, o))
}
