package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/hw/board"
	"stump/internal/panel"
	"stump/internal/safefile"
	"stump/internal/station"
)

// Times of a disk that saves nothing. Only tests change them.
var (
	// DiskTry is how often it is tried again.
	DiskTry = 10 * time.Second
	// DiskPatience is how long a file system that the kernel has stopped, or a ledger that was
	// moved away, is waited for before the daemon ends, so that the system starts it again.
	DiskPatience = time.Minute
	// RestartEvery is how long the daemon then has not been started again for that
	// reason, nor the machine.
	RestartEvery = time.Hour
)

// ErrRestart ends a daemon that works again, if at all, after a restart.
var ErrRestart = errors.New("only a restart may help")

// disk is the task that finds out whether a disk that did not save saves again: nobody
// taps where the display says that nothing is saved.
type disk struct {
	ledger interface {
		Failures() <-chan struct{}
		Try() error
	}
	busy     func() bool // the daemon can't end now
	over     func()      // called when the disk saves again
	restarts *restarts   // nil: nobody starts the daemon again
	log      *slog.Logger
}

func (d *Daemon) newDisk() *disk {
	return &disk{
		ledger: d.Ledger, over: d.Panel.Poke, restarts: newRestarts(), log: d.o.Log,
		busy: func() bool { return slices.ContainsFunc(d.Readers, (*station.Reader).Leased) },
	}
}

func (d *disk) String() string { return "disk" }

// Run works until ctx is done, or until only a restart may help: then it returns
// ErrRestart.
func (d *disk) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.ledger.Failures():
		}
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
}

// wait tries until the disk saves.
func (d *disk) wait(ctx context.Context) error {
	begin := time.Now()
	again := time.NewTicker(DiskTry)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		err := d.ledger.Try()
		switch {
		case err == nil:
			d.log.Info("the disk saves again")
			d.over()
			return nil
		case !errors.Is(err, ledger.ErrCannotSave):
			return nil // it stops, or is damaged
		case (errors.Is(err, ledger.ErrStopped) || errors.Is(err, boltfile.ErrGone)) && time.Since(begin) >= DiskPatience && !d.busy() && d.restarts.take():
			return fmt.Errorf("%w: %w", ErrRestart, err)
		}
	}
}

// restarts limits how often the daemon ends to be started again. It counts the time since
// the machine was started, because the clock may be wrong.
type restarts struct {
	file  string // has the time of the last one; it goes when the machine stops
	since func() time.Duration
}

// restartsVar is set in the environment by a unit that starts the daemon again when it ends.
const restartsVar = "STUMP_RESTARTS"

// newRestarts returns nil where nobody would start the daemon again.
func newRestarts() *restarts {
	dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	if os.Getenv(restartsVar) == "" || dir == "" {
		return nil
	}
	return &restarts{file: filepath.Join(dir, "restarted"), since: sinceBoot}
}

func sinceBoot() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // it can't fail
	return time.Duration(t.Nano())
}

// take reports whether the daemon may end now, and notes that it does.
func (r *restarts) take() bool {
	if r == nil {
		return false
	}
	now, last := r.since(), time.Duration(0)
	if b, err := os.ReadFile(r.file); err == nil {
		n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		last = time.Duration(n)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if now-last < RestartEvery {
		return false
	}
	return safefile.Write(r.file, fmt.Appendln(nil, int64(now)), 0o640) == nil
}

// waitForDisk calls open until it does not fail because the disk does, and says so on the
// display. Ended, the daemon would be started every few seconds and say nothing.
func waitForDisk(o Options, open func() (*ledger.Ledger, error)) (*ledger.Ledger, error) {
	l, err := open()
	if !diskFails(err) || !isThere(LedgerPath(o.StateDir)) {
		return l, err
	}
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: %w", ledger.ErrStopped, err)
	}
	o.Log.Error("the station waits for its disk", "err", err, "remedy", boltfile.SaveRemedy(err))
	end, err := show(o, station.CannotSave(err))
	if err != nil {
		return nil, err
	}
	defer end()
	for {
		time.Sleep(DiskTry)
		if l, err = open(); !diskFails(err) {
			o.Log.Info("the disk can be used")
			return l, err
		}
	}
}

// diskFails reports whether an error is the disk's, which may be well again.
func diskFails(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO}, func(e error) bool { return errors.Is(err, e) })
}

// isThere reports whether there is a ledger, or a disk that does not say.
func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || errors.Is(err, syscall.EIO)
}

// show shows a message on the display until end is called.
func show(o Options, key string) (end func(), err error) {
	var b *board.Board
	display := o.Config.Display.Config
	if o.Sim {
		display.Kind = "none"
	} else {
		b = board.Detect()
	}
	shown, err := openDisplay(display, b)
	if err != nil {
		return nil, err
	}
	texts, err := panel.NewCatalogue(o.Config.Display.Language, o.Config.Texts())
	if err != nil {
		return nil, err
	}
	p := panel.New(panel.Options{Display: shown, Catalogue: texts, Logger: o.Log})
	p.Show(panel.Message{Key: key, For: 365 * 24 * time.Hour})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = p.Run(ctx) }()
	return func() { stop(); <-ended }, nil
}
