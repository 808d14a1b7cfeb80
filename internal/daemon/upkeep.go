package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"stump/checkout/ledger"
	"stump/internal/station"
	"stump/wiegand"
	"stump/wiegand/capture"
)

// upkeep is the task that looks after the ledger: once the clock is right it
// resolves the times of this boot's events, and once a day it anonymises old
// loans and makes a backup. It also keeps the frames that readers have refused.
type upkeep struct {
	ledger  *ledger.Ledger
	backups *backups
	retain  time.Duration // of closed loans; 0 is for ever
	trusted func() bool   // whether the clock is right
	log     *slog.Logger
	readers []*station.Reader
	frames  string // folder of refused frames
}

func (d *Daemon) newUpkeep() *upkeep {
	cfg := d.o.Config
	u := &upkeep{
		ledger: d.Ledger, trusted: wallClock(cfg).Trusted, log: d.o.Log, readers: d.Readers,
		frames:  filepath.Join(d.o.StateDir, "frames"),
		backups: newBackups(cfg.Backup, d.o.StateDir, d.Ledger, d.o.Log),
		retain:  time.Duration(cfg.Privacy.RetainClosedLoans),
	}
	u.backups.stamp = wallClock(cfg).Now
	return u
}

func (u *upkeep) String() string { return "upkeep" }

const clockLook = 30 * time.Second // while the clock is not trusted

// FirstDaily is when the daily work is done first after the start. A board that is
// switched off every evening must not wait for a day. Only tests change it.
var FirstDaily = 10 * time.Minute

// Run works until ctx is done.
func (u *upkeep) Run(ctx context.Context) error {
	var commands sync.WaitGroup
	defer commands.Wait()
	commands.Go(func() { u.backups.runCommands(ctx) })
	look := time.NewTicker(clockLook)
	defer look.Stop()
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	first := time.NewTimer(FirstDaily)
	defer first.Stop()
	for {
		if u.clockKnown() {
			look.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-first.C:
			u.daily(ctx)
		case <-day.C:
			u.daily(ctx)
		case <-hour.C:
			u.backups.hourly(ctx)
		}
	}
}

// clockKnown reports whether the clock is right, and if so resolves the times of
// this boot's events.
func (u *upkeep) clockKnown() bool {
	if !u.trusted() {
		return false
	}
	resolved, err := u.ledger.ResolveClock()
	if err != nil {
		u.log.Error("the times of earlier events are not resolved", "err", err)
		return false
	}
	if resolved {
		u.log.Info("the clock is right now; the times of this boot's events are known")
	}
	return true
}

func (u *upkeep) daily(ctx context.Context) {
	u.keepFrames()
	if u.retain > 0 {
		if n, err := u.ledger.Forget(ctx, u.retain); err != nil {
			u.log.Error("closed loans were not anonymised", "err", err)
		} else if n > 0 {
			u.log.Info("closed loans anonymised", "events", n)
		}
	}
	if due, err := u.ledger.ScrubDue(); err == nil && due {
		if err := u.ledger.Scrub(ctx); err != nil && ctx.Err() == nil {
			u.log.Error("what was erased is still on free pages of the file", "err", err)
		}
	}
	// Last, so that the backup does not hold what was forgotten.
	u.backups.daily(ctx)
}

func (u *upkeep) keepFrames() {
	for _, r := range u.readers {
		if err := keepFrames(u.frames, r); err != nil {
			u.log.Warn("refused frames were not kept", "err", err)
		}
	}
}

// quickBackup is the largest file in bytes that is copied while a stop waits.
const quickBackup = 16 << 20

// atStop makes a backup if that does not hold up the stop.
func (u *upkeep) atStop() {
	u.keepFrames()
	info, err := u.ledger.Info()
	if err != nil || info.Size > quickBackup || u.ledger.Importing() {
		return
	}
	u.backups.atStop()
}

// keepFrames replaces the VCD files in dir by the worst frames that a reader has
// refused, if there are any. Only the owner may read them, because a damaged
// frame may still hold a number.
func keepFrames(dir string, r *station.Reader) error {
	worst := r.Stats().Worst
	if len(worst) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, r.Name+"-*.vcd"))
	if err != nil {
		return err
	}
	for _, f := range old {
		err = errors.Join(err, os.Remove(f))
	}
	for i, f := range worst {
		name := fmt.Sprintf("%s-%02d-%s.vcd", r.Name, i+1, f.Read.Fault)
		err = errors.Join(err, writeFrame(filepath.Join(dir, name), f.Edges))
	}
	return err
}

func writeFrame(path string, edges []wiegand.Edge) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	vcd := capture.NewVCDWriter(f, false)
	for _, e := range edges {
		err = errors.Join(err, vcd.Write(e))
	}
	return errors.Join(err, vcd.Close(), f.Close())
}
